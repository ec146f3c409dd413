// The button that goes from the system's scheme to light, to dark and back, and remembers it in this browser.
import { h } from './element.js';
import { icon } from './icons.js';

const CHOICES = ['system', 'light', 'dark'];

/** The toggle; calls `changed` whenever colours are others, also when the system's scheme changes. */
export function themeToggle(changed) {
  const root = document.documentElement;
  const picture = h('span', { 'aria-hidden': 'true' });
  const words = h('span', { class: 'unseen' });
  const button = h('button', { class: 'button quiet', type: 'button', id: 'theme-toggle', onclick: next }, picture, words);

  function show() {
    const now = root.dataset.theme ?? 'system';
    picture.replaceChildren(icon(now));
    words.textContent = `Colours: ${now}. Change`;
    button.title = `Colours: ${now}`;
    button.dataset.value = now;
  }

  function next() {
    const now = root.dataset.theme ?? 'system';
    const chosen = CHOICES[(CHOICES.indexOf(now) + 1) % CHOICES.length];
    if (chosen === 'system') delete root.dataset.theme;
    else root.dataset.theme = chosen;
    try {
      if (chosen === 'system') localStorage.removeItem('vb-theme');
      else localStorage.setItem('vb-theme', chosen);
    } catch {
      // It lasts until the page is left.
    }
    show();
    changed();
  }

  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed);
  show();
  return button;
}
