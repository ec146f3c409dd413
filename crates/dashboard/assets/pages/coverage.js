// How much of which client's tables has current vectors, and how fresh: a map of clients and sources, or the same as a table.
import { brief, duration, number, percent } from '../format.js';
import { coverageMap } from '../coverage-map.js';
import { figures } from '../figures.js';
import { follow } from '../stream.js';
import { freshness, mapOf, totals } from '../coverage-model.js';
import { h, setAttribute, setText } from '../element.js';
import { moment } from '../moments.js';
import { hides, unseen } from '../sight.js';
import { sql } from '../hint.js';
import { table } from '../table.js';
import * as address from '../address.js';

const NAMES = ['type', 'client', 'order', 'view', 'page'];
const PAGE = 50;

/** Opens the page. */
export function coverage({ root, title }) {
  title('Coverage');
  let wanted = address.read(NAMES);
  let rows = [];
  const looked = h('span', { class: 'sub' });
  const strip = figures('coverage-figures', 'Sums of what is selected', [
    { id: 'percent', label: 'Covered' }, { id: 'records', label: 'Records' }, { id: 'pending', label: 'Pending' },
    { id: 'stale', label: 'Stale' }, { id: 'failed', label: 'Failed' }, { id: 'oldest', label: 'Oldest change waits' },
  ]);
  const type = h('select', { class: 'field', name: 'type', onchange: (event) => change({ type: event.target.value, page: '' }) });
  const order = h('select', { class: 'field', name: 'order', onchange: (event) => change({ order: event.target.value, page: '' }) },
    [['client', 'Client'], ['least', 'Least covered first'], ['oldest', 'Longest waiting first'], ['failed', 'Most failed first']].map(([value, label]) => h('option', { value }, label)));
  const typed = address.settled((value) => change({ client: value.trim(), page: '' }), 150);
  const client = h('input', { class: 'field short', type: 'search', inputmode: 'numeric', name: 'client', autocomplete: 'off', oninput: (event) => typed(event.target.value) });
  const views = h('div', { class: 'segments', role: 'group', 'aria-label': 'View' },
    [['', 'Map'], ['table', 'Table']].map(([value, label]) => h('button', { type: 'button', 'data-view': value || 'map', onclick: () => change({ view: value }) }, label)));
  const key = legend();
  const map = coverageMap();
  const plain = plainTable();
  const nothing = h('div', { class: 'empty', hidden: true });
  const back = h('button', { class: 'button small', type: 'button', id: 'page-back', onclick: () => change({ page: String(pageNumber() - 1) }) }, 'Previous');
  const on = h('button', { class: 'button small', type: 'button', id: 'page-on', onclick: () => change({ page: String(pageNumber() + 1) }) }, 'Next');
  const place = h('span', { role: 'status' });
  const pager = h('div', { class: 'panel-foot' }, place, back, on);
  const part = h('p', { class: 'panel-foot', id: 'coverage-part', hidden: true });
  const fresh = freshTable();

  root.append(
    h('div', { class: 'head' }, h('h1', null, 'Coverage'), looked),
    strip.element,
    h('form', { class: 'filters', 'aria-label': 'What is shown', onsubmit: (event) => event.preventDefault() }, views,
      h('label', null, 'Vector type', type), h('label', null, 'Client', client), h('label', null, 'Order', order)),
    h('section', { class: 'panel' }, h('header', null, h('h2', null, 'Clients and sources'), key), map.element, plain.element, nothing, pager, part),
    h('section', { class: 'panel' }, h('header', null, h('h2', null, 'Freshness of each source'), h('span', { class: 'sub' }, 'changes that wait, and how long the latest took from commit to vector')), fresh.element),
  );
  client.value = wanted.client;
  order.value = wanted.order || 'client';

  const stream = follow('coverage', {}, (seen) => {
    rows = seen.rows;
    part.hidden = !(Number(seen.total) > seen.rows.length);
    setText(part, `Shown are the ${number(seen.rows.length)} with the most to do of ${number(seen.total)} combinations of client, source and vector type; vb_coverage has all.`);
    looked.replaceChildren('counted ', moment(seen.looked_at));
    draw();
  });

  const pageNumber = () => Math.max(Number(wanted.page) || 1, 1);

  function change(part) {
    wanted = { ...wanted, ...part };
    if (Number(wanted.page) <= 1) wanted.page = '';
    address.write(wanted);
    draw();
  }

  function draw() {
    const types = [...new Set(rows.map((row) => row.vector_type))].sort((a, b) => (b === 'content') - (a === 'content') || a.localeCompare(b));
    if ([...type.options].map((option) => option.value).join() !== types.join()) type.replaceChildren(...types.map((name) => h('option', { value: name }, name)));
    const chosen = types.includes(wanted.type) ? wanted.type : types[0] ?? 'content';
    type.value = chosen;
    for (const button of views.children) setAttribute(button, 'aria-pressed', String((button.dataset.view === 'table') === (wanted.view === 'table')));

    const model = mapOf(rows, chosen, wanted.client, order.value);
    const pages = Math.max(Math.ceil(model.clients.length / PAGE), 1);
    const page = Math.min(pageNumber(), pages);
    const from = (page - 1) * PAGE;
    const visible = model.clients.slice(from, from + PAGE);
    const asTable = wanted.view === 'table';
    const none = model.clients.length === 0;
    map.element.hidden = key.hidden = asTable || none;
    plain.element.hidden = !asTable || none;
    nothing.hidden = !none;
    if (none) {
      nothing.replaceChildren(...(hides('vb_coverage') && !rows.length ? unseen('Coverage') : rows.length ? [h('strong', null, 'No client fits')] : [h('strong', null, 'Nothing is embedded yet'), h('span', null, 'A first backfill:'), sql("select vb_enqueue_backfill(1, 'issues');")]));
    }
    if (asTable) plain.update(visible.flatMap((one) => [...one.cells.values()]));
    else map.update(model.sources, visible);
    setText(place, none ? '' : `Clients ${number(from + 1)} to ${number(from + visible.length)} of ${number(model.clients.length)}`);
    pager.hidden = none || (pages === 1 && model.clients.length < 20);
    back.disabled = page <= 1;
    on.disabled = page >= pages;
    back.hidden = on.hidden = pages === 1;
    fresh.update(freshness(model.rows));
    figuresOf(model);
  }

  function figuresOf(model) {
    const sum = totals(model.rows);
    strip.update({
      percent: { value: percent(sum.percent), note: `${number(model.clients.length)} clients, ${number(model.sources.length)} sources` },
      records: { value: brief(sum.records), title: number(sum.records), note: `${brief(sum.embedded)} embedded` },
      pending: { value: brief(sum.pending), title: number(sum.pending), note: 'not embedded yet' },
      stale: { value: brief(sum.stale), tone: sum.stale > 0 ? 'warn' : null, note: 'changed since embedded' },
      failed: { value: brief(sum.failed), tone: sum.failed > 0 ? 'bad' : null, note: sum.failed > 0 ? { signature: 'link', build: () => h('a', { href: '/errors' }, 'See why') } : '' },
      oldest: { value: sum.oldest === null ? '–' : duration(sum.oldest), note: sum.oldest === null ? 'nothing waits' : '' },
    });
    title(sum.percent === null ? 'Coverage' : `${percent(sum.percent, 0).replace('\u00a0', ' ')} covered`);
  }

  return {
    close() {
      stream.close();
      map.close();
    },
  };
}

function legend() {
  return h('div', { class: 'legend end' },
    h('span', { class: 'scale' }, '0 ', ['0', '1', '2', '3', '4', '5', '6'].map((step) => h('span', { class: 'box', 'data-step': step })), ' 100\u00a0%'),
    h('span', null, h('span', { class: 'box failed' }), 'failed records'), h('span', null, h('span', { class: 'box stale' }), 'stale records'), h('span', null, '? not counted yet'));
}

function plainTable() {
  const count = (name) => ({ id: name, label: name[0].toUpperCase() + name.slice(1), number: true, sort: (row) => (row[name] === null ? null : Number(row[name])), text: (row) => number(row[name]) });
  return table({
    id: 'coverage-table', caption: 'Coverage of each client and source', key: (row) => `${row.client_id}/${row.source}`,
    row: (tr, row) => {
      setAttribute(tr, 'data-client', row.client_id);
      setAttribute(tr, 'data-source', row.source);
    },
    columns: [
      { id: 'client', label: 'Client', head: true, sort: (row) => Number(row.client_id), text: (row) => String(row.client_id) },
      { id: 'source', label: 'Source', sort: (row) => String(row.source), text: (row) => String(row.source) },
      { id: 'percent', label: 'Covered', number: true, sort: (row) => (row.percent === null ? null : Number(row.percent)), text: (row) => (row.percent === null ? 'not counted' : percent(row.percent)) },
      ...['records', 'embedded', 'stale', 'failed', 'pending'].map(count),
      { id: 'oldest', label: 'Oldest change', number: true, sort: (row) => row.oldest_pending, text: (row) => duration(row.oldest_pending) },
      { id: 'p95', label: 'Latency p95', number: true, sort: (row) => row.latency_p95, text: (row) => duration(row.latency_p95) },
    ],
  });
}

function freshTable() {
  return table({
    id: 'freshness', caption: 'Freshness of each source', key: (one) => one.source, row: (tr, one) => setAttribute(tr, 'data-source', one.source), empty: 'No sources yet.',
    columns: [
      { id: 'source', label: 'Source', head: true, sort: (one) => one.source, text: (one) => one.source },
      { id: 'step', label: 'Kept in step', sort: (one) => one.in_step, text: (one) => (one.in_step ? '✓ yes' : 'no') },
      { id: 'clients', label: 'Clients', number: true, sort: (one) => one.clients, text: (one) => number(one.clients) },
      { id: 'stale', label: 'Stale', number: true, sort: (one) => one.stale, text: (one) => number(one.stale) },
      { id: 'pending', label: 'Pending', number: true, sort: (one) => one.pending, text: (one) => number(one.pending) },
      { id: 'oldest', label: 'Oldest change waits', number: true, sort: (one) => one.oldest_pending, text: (one) => duration(one.oldest_pending) },
      { id: 'p50', label: 'Latency p50', number: true, sort: (one) => one.p50, text: (one) => duration(one.p50) },
      { id: 'p95', label: 'Latency p95', number: true, sort: (one) => one.p95, text: (one) => duration(one.p95) },
    ],
  });
}
