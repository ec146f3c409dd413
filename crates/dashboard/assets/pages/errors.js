// Failed records: why, found by filters that are in the address, chosen and put back to work, or taken along as CSV.
import { ApiError, controlIsOn, get, query } from '../api.js';
import { CLASSES, errorMessage, recordKey } from '../error-cells.js';
import { follow } from '../stream.js';
import { h, rebuild, setAttribute, setText } from '../element.js';
import { icon } from '../icons.js';
import { number } from '../format.js';
import { outcome, retry } from '../error-retry.js';
import { hides, unseen } from '../sight.js';
import { resultNote } from '../job-actions.js';
import { momentElement } from '../moments.js';
import { table } from '../table.js';
import * as address from '../address.js';

const NAMES = ['class', 'q', 'client', 'source', 'job', 'since', 'until'];
const PAGE = 100;

/** Opens the page. */
export function errors({ root, title }) {
  title('Errors');
  let wanted = address.read(NAMES);
  let rows = [];
  let next = null;
  let total = null; // of all, as it is now
  let totalSeen = null; // of all, when the rows were loaded; less where some went away since
  let latest = null;
  let latestSeen = null;
  let loading = null;
  let closed = false;
  const chosen = new Map();

  const count = h('span', { class: 'sub', id: 'errors-total' });
  const chips = h('div', { class: 'chips', role: 'group', 'aria-label': 'Class of error' });
  const csv = h('a', { class: 'button', id: 'csv', download: 'errors.csv' }, icon('download', 14), 'CSV');
  const field = (name, label, attributes) => {
    const input = h('input', { class: 'field', type: 'text', autocomplete: 'off', spellcheck: 'false', name, ...attributes });
    input.value = attributes?.type === 'datetime-local' ? local(wanted[name]) : wanted[name];
    const typed = address.settled(() => input.checkValidity() && change({ [name]: attributes?.type === 'datetime-local' ? utc(input.value) : input.value.trim() }));
    input.addEventListener('input', typed);
    return h('label', null, label, input);
  };
  const clear = h('button', { class: 'button quiet', type: 'button', onclick: reset }, 'Clear filters');
  const filters = h('form', { class: 'filters', role: 'search', 'aria-label': 'Filter errors', onsubmit: (event) => event.preventDefault() },
    field('q', 'Search in keys and messages', { class: 'field wide', type: 'search', id: 'error-search' }),
    field('client', 'Client', { class: 'field short', inputmode: 'numeric', pattern: '[0-9]*' }),
    field('source', 'Source'),
    field('job', 'Job', { class: 'field short', inputmode: 'numeric', pattern: '[0-9]*' }),
    field('since', 'Since', { class: 'field moment', type: 'datetime-local' }),
    field('until', 'Until', { class: 'field moment', type: 'datetime-local' }), clear);

  const retryButton = h('button', { class: 'button primary', type: 'button', id: 'retry-selected', hidden: true, onclick: retryChosen });
  const none = h('button', { class: 'button quiet', type: 'button', id: 'select-none', hidden: true, onclick: () => { chosen.clear(); draw(); } }, 'Select none');
  const result = resultNote('retry-result');
  const fresh = h('button', { class: 'button', type: 'button', id: 'new-errors', hidden: true, onclick: load });
  const announced = h('span', { class: 'unseen', role: 'status' });
  const all = h('input', { type: 'checkbox', id: 'select-all', onchange: () => { for (const row of rows) if (mayChoose(row)) choose(row, all.checked); draw(); } });
  const empty = h('div', { class: 'empty-words' });
  const list = errorTable(empty);
  const more = h('button', { class: 'button', type: 'button', id: 'more', hidden: true, onclick: loadMore }, 'Load more');
  const shownCount = h('span', null);

  root.append(
    h('div', { class: 'head' }, h('h1', null, 'Errors'), count, h('div', { class: 'end' }, csv)),
    chips, filters,
    h('section', { class: 'panel', 'aria-label': 'Failed records' },
      h('header', { class: 'tools' }, h('h2', null, 'Failed records'), fresh, announced, h('div', { class: 'end head' }, result.element, none, retryButton)),
      list.element, h('div', { class: 'panel-foot' }, more, shownCount)));

  const stream = follow('errors', {}, (seen) => {
    const first = total === null;
    total = Number(seen.total);
    latest = seen.latest ?? null;
    totalSeen = Math.min(totalSeen ?? total, total);
    latestSeen ??= latest;
    drawChips(seen.by_class ?? {});
    if (hides('vb_error_report')) return;
    setText(count, `${number(total)} failed ${total === 1 ? 'record' : 'records'}`);
    title(total ? `${number(total)} ${total === 1 ? 'error' : 'errors'}` : 'No errors');
    const added = total - totalSeen;
    fresh.hidden = first || (added <= 0 && !(latest > latestSeen));
    setText(fresh, added > 0 ? `${number(added)} new ${added === 1 ? 'error' : 'errors'} – show` : 'New errors – show');
    if (!fresh.hidden) setText(announced, 'There are new errors.');
  });
  drawChips({});
  load();

  function change(part) {
    wanted = { ...wanted, ...part };
    address.write(wanted);
    load();
  }

  function reset() {
    filters.reset();
    for (const input of filters.querySelectorAll('input')) input.value = '';
    change(Object.fromEntries(NAMES.map((name) => [name, ''])));
  }

  async function load() {
    loading?.abort();
    loading = new AbortController();
    const mine = loading;
    csv.href = `/errors.csv${query(wanted)}`;
    clear.hidden = !NAMES.some((name) => wanted[name]);
    for (const chip of chips.children) setAttribute(chip, 'aria-pressed', String(chip.dataset.class === (wanted.class || 'all')));
    try {
      const page = await get(`/api/errors${query({ ...wanted, limit: PAGE })}`, mine.signal);
      if (closed) return;
      rows = placed(page.rows, 0);
      next = page.next;
      root.removeAttribute('data-pending');
      totalSeen = total;
      latestSeen = latest;
      fresh.hidden = true;
      setText(announced, '');
      chosen.clear();
      said(null);
    } catch (failure) {
      if (failure.name === 'AbortError' || closed) return;
      rows = [];
      next = null;
      chosen.clear();
      said(failure);
    }
    draw();
  }

  async function loadMore() {
    more.disabled = true;
    const mine = loading;
    try {
      const page = await get(`/api/errors${query({ ...wanted, limit: PAGE, after: next })}`, mine?.signal);
      // Meanwhile somebody may have asked for something else.
      if (closed || mine !== loading) return;
      rows = [...rows, ...placed(page.rows, rows.length)];
      next = page.next;
      draw();
    } catch (failure) {
      if (failure.name !== 'AbortError') result.bad(failure);
    } finally {
      more.disabled = false;
    }
  }

  async function retryChosen() {
    if (!chosen.size || retryButton.getAttribute('aria-disabled')) return;
    retryButton.setAttribute('aria-disabled', 'true');
    const done = await retry([...chosen.values()]);
    retryButton.removeAttribute('aria-disabled');
    if (done.failure) result.bad(done.failure);
    else result.good(outcome(done));
    await load();
    // The button went away with the selection.
    result.element.focus();
  }

  function said(failure) {
    const filtered = NAMES.some((name) => wanted[name]);
    empty.replaceChildren(...(hides('vb_error_report') && !rows.length ? unseen('Errors') : failure
      ? [h('strong', null, 'The errors could not be read'), h('span', null, failure instanceof ApiError ? failure.message : String(failure))]
      : filtered ? [h('strong', null, 'No failed record fits these filters')]
        : [h('strong', null, 'No failed records'), h('span', null, 'Records that could not be embedded are listed here, each with its reason.')]));
  }

  /** Rows whose key is hidden are told apart by where they stand. */
  const placed = (given, from) => given.map((row, at) => ({ ...row, place: row.record_id === null ? `${row.job_id}#${from + at}` : keyOf(row) }));
  const keyOf = (row) => `${row.job_id}/${row.record_id}`;
  const mayChoose = (row) => controlIsOn && row.may_control && row.record_id !== null;
  function choose(row, yes) {
    if (yes) chosen.set(keyOf(row), row);
    else chosen.delete(keyOf(row));
  }

  function draw() {
    list.update(rows);
    const choosable = rows.filter(mayChoose).length;
    all.disabled = choosable === 0;
    all.checked = choosable > 0 && chosen.size >= choosable;
    all.indeterminate = chosen.size > 0 && !all.checked;
    retryButton.hidden = chosen.size === 0;
    none.hidden = chosen.size === 0;
    setText(retryButton, `Retry selected (${number(chosen.size)})`);
    more.hidden = !next;
    setText(shownCount, rows.length ? `${number(rows.length)} shown${next ? '' : ', the end of the list'}` : '');
  }

  function drawChips(counts) {
    const named = [...new Set([...Object.keys(CLASSES), ...Object.keys(counts)])];
    rebuild(chips, 'built' + named.join(), () => ['all', ...named].map((name) =>
      h('button', { class: 'chip', type: 'button', 'data-class': name, title: CLASSES[name] ?? null, 'aria-pressed': String(name === (wanted.class || 'all')),
        onclick: () => change({ class: name === 'all' || wanted.class === name ? '' : name }) },
      name === 'all' ? 'All' : name[0].toUpperCase() + name.slice(1), ' ', h('b', null))));
    for (const chip of chips.children) setText(chip.querySelector('b'), number(chip.dataset.class === 'all' ? total : counts[chip.dataset.class] ?? 0));
  }

  function errorTable(nothing) {
    return table({
      id: 'errors', caption: 'Failed records, the latest first', empty: nothing,
      key: (row) => row.place,
      row: (tr, row) => {
        setAttribute(tr, 'data-record', row.record_id ?? '');
        setAttribute(tr, 'data-job', row.job_id);
        setAttribute(tr, 'data-selected', chosen.has(keyOf(row)));
      },
      columns: [
        ...(controlIsOn ? [{
          id: 'choose', label: 'Select', tight: true, bare: true, header: () => [h('label', null, h('span', { class: 'unseen' }, 'Select all that are shown'), all)],
          build(cell) {
            const box = h('input', { type: 'checkbox' });
            cell.append(box);
            let mine = null;
            box.addEventListener('change', () => { choose(mine, box.checked); draw(); });
            return (row) => {
              mine = row;
              box.disabled = !mayChoose(row);
              box.checked = chosen.has(keyOf(row));
              setAttribute(box, 'aria-label', `Select record ${row.record_id ?? ''} of job ${row.job_id}`);
            };
          },
        }] : []),
        { id: 'record', label: 'Record', head: true, build: recordKey },
        { id: 'class', label: 'Class', text: (row) => row.error_class, title: (row) => CLASSES[row.error_class] },
        { id: 'message', label: 'Message', across: true, className: 'text', build: errorMessage },
        { id: 'client', label: 'Client', text: (row) => String(row.client_id) },
        { id: 'source', label: 'Source',
          build(cell) {
            const source = h('span', null);
            const type = h('span', { class: 'under' });
            cell.append(source, type);
            return (row) => {
              setText(source, String(row.source));
              setText(type, row.vector_type === 'content' ? '' : row.vector_type);
            };
          } },
        { id: 'job', label: 'Job',
          build(cell) {
            const link = h('a', { class: 'job-id row-link' });
            cell.append(link);
            return (row) => {
              setText(link, String(row.job_id));
              setAttribute(link, 'href', `/jobs/${row.job_id}`);
            };
          } },
        { id: 'attempts', label: 'Attempts', number: true, text: (row) => number(row.attempts) },
        { id: 'failed', label: 'Failed at', number: true,
          build(cell) {
            const at = momentElement();
            cell.append(at.element);
            return (row) => at.update(row.failed_at);
          } },
      ],
    });
  }

  return {
    close() {
      closed = true;
      loading?.abort();
      stream.close();
    },
  };
}

/** For a field of local time, from the ISO text of the address. */
function local(iso) {
  const at = new Date(iso);
  if (!iso || Number.isNaN(at.getTime())) return '';
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

const utc = (text) => (text ? new Date(text).toISOString() : '');
