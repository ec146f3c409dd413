// The map itself: a grid of clients and sources that arrow keys walk through, with the details of the cell under the pointer or
// the focus. Only the clients of the shown page are drawn.
import { cellText, stepOf } from './coverage-model.js';
import { duration, number, percent } from './format.js';
import { h, rebuild, setAttribute, setText } from './element.js';
import { keyedList } from './keyed.js';
import { scrollable } from './table.js';

/** `update(sources, clients)`. */
export function coverageMap() {
  const head = h('tr', { role: 'row' });
  const body = h('tbody', { role: 'rowgroup' });
  const grid = h('table', { class: 'map', id: 'map', 'data-testid': 'map', role: 'grid', 'aria-readonly': 'true' },
    h('caption', { class: 'unseen' }, 'Percent of the records of each client and source that have current vectors; arrow keys go from cell to cell'),
    h('thead', { role: 'rowgroup' }, head), body);
  const scroll = h('div', { class: 'map-scroll' }, grid);
  const detail = h('div', { class: 'detail', id: 'cell-detail', role: 'tooltip', hidden: true });
  scrollable(scroll, 'Coverage map');
  let columns = [];
  let stop = null; // the cell that Tab reaches
  let shown = null;
  const show = keyedList(body, (client) => client.id, makeRow);

  function makeRow() {
    const name = h('th', { scope: 'row', role: 'rowheader', class: 'client' });
    const tr = h('tr', { role: 'row' }, name);
    let cells = [];
    let built = '';
    return {
      element: tr,
      update(client) {
        setText(name, client.id);
        const signature = columns.join('\n');
        if (signature !== built) {
          built = signature;
          cells.forEach((cell) => cell.remove());
          cells = columns.map((source) => h('td', { class: 'cell', role: 'gridcell', tabindex: '-1', 'data-source': source }));
          tr.append(...cells);
        }
        columns.forEach((source, at) => paint(cells[at], client, client.cells.get(source)));
      },
    };
  }

  function paint(cell, client, row) {
    cell.vbRow = row ?? null;
    setAttribute(cell, 'data-client', client.id);
    setAttribute(cell, 'data-step', stepOf(row));
    setAttribute(cell, 'data-stale', Number(row?.stale) > 0);
    setAttribute(cell, 'data-failed', Number(row?.failed) > 0);
    rebuild(cell, row ? cellText(row) + sentence(row) : '', () => [cellText(row), h('span', { class: 'unseen' }, row ? sentence(row) : 'nothing')]);
    if (cell === shown) fill(cell);
  }

  function fill(cell) {
    const row = cell.vbRow;
    const pairs = row ? [
      ['Covered', row.percent === null ? 'not counted yet' : percent(row.percent)], ['Records', number(row.records)], ['Embedded', number(row.embedded)],
      ['Stale: changed since', number(row.stale)], ['Failed', number(row.failed)], ['Pending', number(row.pending)],
      ['Oldest change waits', row.oldest_pending === null ? '–' : duration(row.oldest_pending)],
      ['Kept in step', row.in_step ? 'yes' : 'no'],
      ...(row.latency_p95 !== null && row.latency_p95 !== undefined ? [['Change to vector, p95', duration(row.latency_p95)]] : []),
    ] : [['No vectors, nothing counted', '']];
    detail.replaceChildren(h('h3', null, `Client ${cell.dataset.client} · ${cell.dataset.source}`),
      h('dl', null, pairs.flatMap(([name, value]) => [h('dt', null, name), h('dd', null, value)])));
  }

  function point(cell) {
    shown?.removeAttribute('aria-describedby');
    shown = cell;
    detail.hidden = !cell;
    if (!cell) return;
    fill(cell);
    setAttribute(cell, 'aria-describedby', 'cell-detail');
    const at = cell.getBoundingClientRect();
    const box = detail.getBoundingClientRect();
    const left = Math.min(Math.max(at.left + at.width / 2 - box.width / 2, 8), innerWidth - box.width - 8);
    const below = at.bottom + 8 + box.height < innerHeight;
    detail.style.left = `${left}px`;
    detail.style.top = `${below ? at.bottom + 8 : Math.max(at.top - box.height - 8, 8)}px`;
  }

  function reach(cell) {
    if (stop && stop !== cell) stop.tabIndex = -1;
    stop = cell;
    if (cell) cell.tabIndex = 0;
  }

  const cellOf = (event) => event.target.closest?.('td.cell');
  body.addEventListener('pointerover', (event) => {
    const cell = cellOf(event);
    if (cell && cell !== shown) point(cell);
  });
  body.addEventListener('pointerleave', () => point(body.contains(document.activeElement) ? document.activeElement : null));
  body.addEventListener('focusin', (event) => {
    const cell = cellOf(event);
    if (!cell) return;
    reach(cell);
    point(cell);
  });
  body.addEventListener('focusout', () => point(null));
  scroll.addEventListener('scroll', () => shown && point(null), { passive: true });
  body.addEventListener('keydown', (event) => {
    const cell = cellOf(event);
    if (!cell) return;
    if (event.key === 'Escape') return point(null);
    const line = cell.parentElement;
    const at = cell.cellIndex;
    const target = {
      ArrowRight: () => cell.nextElementSibling, ArrowLeft: () => cell.previousElementSibling,
      ArrowDown: () => line.nextElementSibling?.cells[at], ArrowUp: () => line.previousElementSibling?.cells[at],
      Home: () => line.cells[1], End: () => line.cells[line.cells.length - 1],
      PageDown: () => body.lastElementChild.cells[at], PageUp: () => body.firstElementChild.cells[at],
    }[event.key];
    if (!target) return;
    event.preventDefault();
    const next = target();
    if (next?.classList.contains('cell')) {
      next.focus({ preventScroll: true });
      next.scrollIntoView({ block: 'nearest', inline: 'nearest' });
      point(next);
    }
  });

  return {
    element: h('div', null, scroll, detail),
    update(sources, clients) {
      if (sources.join('\n') !== columns.join('\n')) {
        columns = sources;
        setAttribute(grid, 'data-many', sources.length > 7);
        head.replaceChildren(h('th', { scope: 'col', role: 'columnheader', class: 'client' }, 'Client'),
          ...sources.map((source) => h('th', { scope: 'col', role: 'columnheader', class: 'source', title: source }, h('span', null, source))));
      }
      show(clients);
      if (!stop?.isConnected) reach(body.querySelector('td.cell'));
      if (shown && !shown.isConnected) point(null);
    },
    close: () => point(null),
  };
}

/** What colour and marks of a cell say, read after its number. */
function sentence(row) {
  const parts = [row.percent === null ? ' not counted yet' : '\u00a0%'];
  if (Number(row.stale) > 0) parts.push(`${number(row.stale)} stale`);
  if (Number(row.failed) > 0) parts.push(`${number(row.failed)} failed`);
  return parts.join(', ');
}
