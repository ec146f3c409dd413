// The one live stream of a page: server-sent events, opened again when it breaks, let go while nobody looks.
import { query } from './api.js';
import * as connection from './connection.js';

const HIDDEN_FOR = 30_000; // a tab that is looked at again soon keeps its stream
const SILENT_FOR = 45_000; // three keep-alives: a connection that died without a word
const LONGEST_WAIT = 15_000;

/** Opens `topic`; `shown(payload)` gets each new whole state. Returns `{close(), change(parameters)}`. */
export function follow(topic, parameters, shown) {
  let wanted = parameters;
  let source = null;
  let waiting = null;
  let attempts = 0;
  let hiding = null;
  let closed = false;
  let heard = Date.now();

  function open() {
    if (closed || document.hidden) return;
    clearTimeout(waiting);
    source?.close();
    const opened = new EventSource(`/api/events${query({ topic, ...wanted })}`);
    source = opened;
    heard = Date.now();
    opened.addEventListener('state', (event) => {
      heard = Date.now();
      attempts = 0;
      connection.state(JSON.parse(event.data));
    });
    opened.addEventListener(topic, (event) => {
      heard = Date.now();
      attempts = 0;
      const payload = JSON.parse(event.data);
      connection.arrived();
      shown(payload);
    });
    opened.addEventListener('error', () => {
      if (opened !== source) return;
      // The browser tries again by itself, except after an answer that was no stream.
      const refused = opened.readyState === EventSource.CLOSED;
      connection.lost(refused);
      if (refused) later();
    });
  }

  function later() {
    source?.close();
    clearTimeout(waiting);
    waiting = setTimeout(open, Math.min(1000 * 2 ** attempts, LONGEST_WAIT));
    attempts += 1;
  }

  function rest() {
    source?.close();
    source = null;
    clearTimeout(waiting);
  }

  function visibility() {
    clearTimeout(hiding);
    if (document.hidden) hiding = setTimeout(rest, HIDDEN_FOR);
    else if (!source || source.readyState === EventSource.CLOSED) open();
  }

  // The server says something every 15 seconds at least.
  const watch = setInterval(() => {
    if (source && Date.now() - heard > SILENT_FOR) {
      connection.lost();
      later();
    }
  }, 5000);

  document.addEventListener('visibilitychange', visibility);
  connection.connecting();
  open();
  return {
    change(parameters) {
      wanted = parameters;
      open();
    },
    close() {
      closed = true;
      rest();
      clearTimeout(hiding);
      clearInterval(watch);
      document.removeEventListener('visibilitychange', visibility);
    },
  };
}
