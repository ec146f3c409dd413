// Tables that are kept in step in place: rows by key, cells only where they changed, headers that sort. Below 700 px rows are
// cards (table.css), so roles are said outright: a table that is laid out as blocks would lose them.
import { h, setAttribute, setText } from './element.js';
import { icon } from './icons.js';
import { keyedList } from './keyed.js';

/**
 * `columns`: `{id, label, text(row) | build(cell) -> update(row), number, sort(row), title(row), head, className, across, blank(row)}`;
 * `head` marks the cell that names the row, `bare` one without its label in a card, `header()` gives nodes for the header. `row(tr, data)` sets attributes of a row. `empty` is shown when there are none.
 */
export function table({ id, caption, columns, key, row, empty, cards = true }) {
  const body = h('tbody', { role: 'rowgroup' });
  const headers = columns.map(header);
  const element = h('table', { id, role: 'table', 'data-testid': id },
    h('caption', { class: 'unseen' }, caption),
    h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, headers)), body);
  const scroll = h('div', { class: `table-scroll${cards ? ' cards' : ''}` }, element);
  const nothing = h('div', { class: 'empty', hidden: true }, empty ?? 'Nothing here.');
  const show = keyedList(body, key, makeRow);
  let sorted = null; // {column, down}
  let latest = [];
  scrollable(scroll, caption);

  function header(column) {
    const classes = [column.number ? 'number' : '', column.sort ? 'sortable' : '', column.tight ? 'tight' : ''].join(' ').trim();
    const cell = h('th', { scope: 'col', role: 'columnheader', class: classes || null });
    if (column.header) {
      cell.append(...column.header());
    } else if (column.sort) {
      cell.append(h('button', { class: 'sort', type: 'button', onclick: () => sortBy(column) }, column.label, icon('down')));
    } else if (column.hidden) {
      cell.append(h('span', { class: 'unseen' }, column.label));
    } else {
      cell.textContent = column.label;
    }
    return cell;
  }

  function sortBy(column) {
    const down = sorted?.column === column ? !sorted.down : Boolean(column.number);
    sorted = { column, down };
    headers.forEach((cell, at) => setAttribute(cell, 'aria-sort', columns[at] === column ? (down ? 'descending' : 'ascending') : null));
    draw();
  }

  function makeRow(first) {
    const tr = h('tr', { role: 'row' });
    const updates = columns.map((column) => {
      const classes = [column.number ? 'number' : '', column.across ? 'across' : '', column.className ?? ''].join(' ').trim();
      const cell = h(column.head ? 'th' : 'td', {
        role: column.head ? 'rowheader' : 'cell', scope: column.head ? 'row' : null, class: classes || null,
        'data-label': column.head || column.bare ? null : column.label, 'data-column': column.id,
      });
      tr.append(cell);
      const update = column.build ? column.build(cell, first) : (data) => setText(cell, column.text(data));
      return (data) => {
        update(data);
        if (column.title) setAttribute(cell, 'title', column.title(data));
        if (column.blank) cell.classList.toggle('blank', column.blank(data));
      };
    });
    return {
      element: tr,
      update(data) {
        row?.(tr, data);
        for (const update of updates) update(data);
      },
    };
  }

  function draw() {
    let rows = latest;
    if (sorted) {
      const { column, down } = sorted;
      const sign = down ? -1 : 1;
      rows = [...latest].sort((a, b) => {
        const [x, y] = [column.sort(a), column.sort(b)];
        if (x === y) return 0;
        // What is unknown comes last, whichever way.
        if (x === null || x === undefined) return 1;
        if (y === null || y === undefined) return -1;
        return (x < y ? -1 : 1) * sign;
      });
    }
    show(rows);
    nothing.hidden = rows.length > 0;
    scroll.hidden = rows.length === 0;
  }

  return {
    element: h('div', null, scroll, nothing),
    body,
    update(rows) {
      latest = rows;
      draw();
    },
  };
}

/** What scrolls sideways can be reached and scrolled by keyboard; what does not is no stop on the way. */
export function scrollable(element, label) {
  const watch = new ResizeObserver(() => {
    const scrolls = element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1;
    setAttribute(element, 'tabindex', scrolls ? '0' : null);
    setAttribute(element, 'role', scrolls ? 'region' : null);
    setAttribute(element, 'aria-label', scrolls ? label : null);
  });
  watch.observe(element);
  if (element.firstElementChild) watch.observe(element.firstElementChild);
}
