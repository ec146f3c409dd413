// Moments and ages in the page. Ages tick by themselves, by the server's clock, so that a viewer's wrong clock shows none.
import { h, setAttribute, setText } from './element.js';
import { UNKNOWN, age, clock, time } from './format.js';

let offset = 0;

/** Takes the server's clock from a state that just arrived. */
export function serverTimeIs(iso) {
  const at = Date.parse(iso);
  if (!Number.isNaN(at)) offset = at - Date.now();
}

/** Milliseconds by the server's clock. */
export const now = () => Date.now() + offset;

/** Shows a moment in a `<time>`: `time` with seconds, `clock` without; the full ISO text is its title. */
export function momentElement(attributes, format = time) {
  const element = h('time', attributes);
  return {
    element,
    update(iso) {
      setText(element, format(iso));
      setAttribute(element, 'datetime', iso);
      setAttribute(element, 'title', iso);
    },
  };
}

/** A moment that does not change. */
export function moment(iso, format = time) {
  const shown = momentElement(null, format);
  shown.update(iso);
  return shown.element;
}

/** Shows how long ago a moment is, ticking. */
export function setSince(element, iso) {
  setAttribute(element, 'data-since', iso);
  setAttribute(element, 'title', iso);
  tick(element);
}

function tick(element) {
  const since = Date.parse(element.dataset.since);
  setText(element, Number.isNaN(since) ? UNKNOWN : age((now() - since) / 1000));
}

setInterval(() => {
  if (document.hidden || document.documentElement.dataset.link === 'away') return;
  document.querySelectorAll('[data-since]').forEach(tick);
}, 1000);

export { clock, time };
