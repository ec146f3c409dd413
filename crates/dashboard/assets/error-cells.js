// Cells of tables of failed records: the key and the message, which roles that only monitor do not see.
import { h, setAttribute, setText } from './element.js';

const HIDDEN = 'hidden: this role only monitors';

/** What each class means. */
export const CLASSES = {
  source: 'the row could not be read',
  record: 'the record itself was refused',
  transient: 'it failed again and again in a way that may pass',
  crash: 'it was in flight whenever the worker crashed',
};

/** The record's key. */
export function recordKey(cell) {
  const key = h('span', { class: 'mono' });
  cell.append(key);
  return (error) => {
    const hidden = error.record_id === null || error.record_id === undefined;
    setText(key, hidden ? HIDDEN : error.record_id);
    setAttribute(key, 'class', hidden ? 'soft light' : 'mono');
  };
}

/** The message, two lines of it until it is opened. */
export function errorMessage(cell) {
  const text = h('span', { class: 'clamp' });
  const button = h('button', { class: 'expand', type: 'button', 'aria-expanded': 'false', title: 'Show all of it' }, text);
  const hidden = h('span', { class: 'soft' }, HIDDEN);
  button.addEventListener('click', () => {
    if (String(getSelection())) return; // somebody marks a part of it
    button.setAttribute('aria-expanded', String(button.getAttribute('aria-expanded') !== 'true'));
  });
  return (error) => {
    const none = error.message === null || error.message === undefined;
    if (cell.firstChild !== (none ? hidden : button)) cell.replaceChildren(none ? hidden : button);
    if (!none) setText(text, error.message);
  };
}
