// Whether what is shown is what is: the indicator in the bar and the banner that says what broke, since when, and goes away by
// itself.
import { h, rebuild, setText } from './element.js';
import { icon } from './icons.js';
import { age, time } from './format.js';
import { serverTimeIs } from './moments.js';
import { remark, sightIs } from './sight.js';

const PATIENCE = 2500; // a stream that is back before this is no news

const banner = document.getElementById('connection');
const remarks = document.getElementById('remarks');
const live = document.getElementById('live');
const where = document.getElementById('where');
const word = h('span', null, 'Connecting');
const shape = h('span', null, icon('ring'));
const old = h('span', { class: 'age', 'aria-hidden': 'true' });
live.append(shape, word, old);

let link = 'connecting';
let lostSince = null;
let titleBefore = null;
let lastArrival = null;
let grace = null;
let latest = null;

const LOOKS = {
  connecting: ['ring', 'Connecting'],
  live: ['dot', 'Live'],
  lost: ['warning', 'Stopped'],
  away: ['warning', 'Stopped'],
};

function show(next) {
  if (next !== link) {
    link = next;
    const [drawing, name] = LOOKS[next];
    shape.replaceChildren(icon(drawing));
    setText(word, name);
    live.dataset.link = next;
    document.documentElement.dataset.link = next;
    mark(next === 'lost' || next === 'away');
  }
  tick();
}

/** The tab says it too; nobody looks at all of them. */
function mark(broken) {
  if (broken && titleBefore === null) {
    titleBefore = document.title;
    document.title = `■ No connection – ${titleBefore}`;
  } else if (!broken && titleBefore !== null) {
    if (document.title.startsWith('■ No connection')) document.title = titleBefore;
    titleBefore = null;
  }
}

function say(text) {
  if (!text) {
    banner.hidden = true;
    banner.replaceChildren();
  } else if (banner.textContent !== text) {
    banner.hidden = false;
    banner.replaceChildren(icon('error'), h('span', null, text));
  }
}

/** How old what is shown is; while all is well, how long nothing has changed. */
function tick() {
  if (lastArrival === null) return setText(old, '');
  const text = age((Date.now() - lastArrival) / 1000);
  setText(old, link === 'live' ? text : `${text} old`);
  live.title = link === 'live' ? `Followed live; last change ${text} ago` : `What is shown is ${text} old`;
}
setInterval(() => document.hidden || tick(), 1000);

/** What the role may not see is no reason to call all of it old. */
function remarkOnSight() {
  const { signature, nodes } = remark();
  remarks.hidden = signature === '';
  rebuild(remarks, signature, () => (signature ? [icon('info', 14), h('span', null, nodes())] : null));
}

/** The server told how it stands with the database. */
export function state(told) {
  clearTimeout(grace);
  grace = null;
  lostSince = null;
  latest = told;
  serverTimeIs(told.server_time);
  sightIs(told);
  setText(where, [told.database, told.role].filter(Boolean).join(' · '));
  where.title = `Database ${told.database ?? ''}, seen as role ${told.role ?? ''}`;
  if (told.connected) {
    say(null);
    remarkOnSight();
    show('live');
  } else {
    const reason = told.message ? `: ${String(told.message).replace(/[.;\s]+$/, '')}` : '';
    say(`No live values from the database since ${time(told.since)}${reason}. Trying again; values are those from before.`);
    show('away');
  }
}

/** New values came. */
export function arrived() {
  lastArrival = Date.now();
  document.getElementById('main').removeAttribute('data-pending');
  tick();
}

/** The stream broke; `refused` when the server answered with something else. */
export function lost(refused = false) {
  lostSince ??= new Date().toISOString();
  if (grace !== null) return;
  grace = setTimeout(() => {
    say(refused
      ? `The server gives no live values since ${time(lostSince)}. Trying again; if this stays, load the page anew.`
      : `This page lost its server at ${time(lostSince)}. Trying again; values are those from before.`);
    show('lost');
  }, PATIENCE);
}

/** A page begins to follow something else. */
export function connecting() {
  lastArrival = null;
  if (link !== 'away' && link !== 'lost') tick();
}

/** Whether the latest state says that control is on; false before there is one. */
export const control = () => latest?.control ?? null;

