// Starts the page: the toggle of the scheme, then the page of the address.
import { recolour } from './chart.js';
import { icon } from './icons.js';
import { start } from './router.js';
import { themeToggle } from './theme-toggle.js';

document.querySelector('.brand').prepend(icon('brand', 18));
document.getElementById('bar-end').append(themeToggle(recolour));
start();
