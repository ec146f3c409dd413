// Which page a path is, and going from one to another without loading the shell again.
import { h } from './element.js';
import { coverage } from './pages/coverage.js';
import { errors } from './pages/errors.js';
import { job } from './pages/job.js';
import { jobs } from './pages/jobs.js';
import { overview } from './pages/overview.js';
import { providers } from './pages/providers.js';

const ROUTES = [
  [/^\/$/, overview],
  [/^\/jobs\/?$/, jobs],
  [/^\/jobs\/(\d+)\/?$/, job],
  [/^\/coverage\/?$/, coverage],
  [/^\/errors\/?$/, errors],
  [/^\/providers\/?$/, providers],
];

const main = document.getElementById('main');
let page = null;

const routeOf = (path) => {
  for (const [pattern, open] of ROUTES) {
    const match = pattern.exec(path);
    if (match) return { open, match };
  }
  return null;
};

/** The title of the tab: what is going on, then where. */
export function title(text) {
  const full = text ? `${text} – vector_backfill` : 'vector_backfill';
  if (document.title !== full) document.title = full;
}

function show(first) {
  page?.close?.();
  page = null;
  const found = routeOf(location.pathname);
  const context = { root: main, match: found?.match, title, go };
  main.replaceChildren();
  main.toggleAttribute('data-pending', Boolean(found));
  mark();
  if (found) {
    page = found.open(context);
  } else {
    title('Not found');
    main.append(h('div', { class: 'head' }, h('h1', null, 'There is no such page')), h('p', null, h('a', { href: '/' }, 'To the overview')));
  }
  if (first) return;
  scrollTo(0, 0);
  const heading = main.querySelector('h1');
  heading?.setAttribute('tabindex', '-1');
  heading?.focus({ preventScroll: true });
}

function mark() {
  const section = `/${location.pathname.split('/')[1]}`;
  for (const link of document.querySelectorAll('.bar nav a')) {
    if (link.getAttribute('href') === section) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}

/** Goes to a path of this site. */
export function go(path) {
  history.pushState(null, '', path);
  show(false);
}

/** Shows the page of the address and follows links from then on. */
export function start() {
  document.addEventListener('click', (event) => {
    const link = event.target.closest?.('a[href]');
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if (link.target || link.hasAttribute('download') || link.origin !== location.origin || !routeOf(link.pathname)) return;
    if (link.hash && link.pathname === location.pathname) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
  addEventListener('popstate', () => show(false));
  show(true);
}
