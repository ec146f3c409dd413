// A line chart over time: uPlot for the drawing, our own head with the latest values or those under the pointer, and the same
// words for those who do not see it.
import uPlot from './vendor/uPlot.js';
import { h, setText } from './element.js';
import { time } from './format.js';

const tones = h('div', { class: 'chart-tones', 'aria-hidden': 'true' },
  ['accent', 'second', 'grid', 'label'].map((tone) => h('span', { 'data-tone': tone })));
document.body.append(tones);
const charts = new Set();

// Distances of marks on the axis of time, in seconds; uPlot's own have gaps that leave short spans with one mark.
const STEPS = [1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 300, 600, 900, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 2592000];

const colour = (tone) => getComputedStyle(tones.querySelector(`[data-tone="${tone}"]`)).color;
const faint = (value, share) => `rgba(${value.match(/[\d.]+/g).slice(0, 3).join(', ')}, ${share})`;

const hours = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const seconds = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const days = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

/** The colours changed. */
export function recolour() {
  for (const chart of charts) chart.redraw();
}

/**
 * `lines`: `{name, tone, format}`. `update(seconds[], [values[], …])`, where null breaks a line. `sync` ties the pointers of charts
 * together.
 */
export function chart({ id, title, lines, height = 150, sync, axis }) {
  const readouts = lines.map((line) => {
    const value = h('b', null, '–');
    return { value, element: h('span', { class: 'readout' }, h('span', { class: `key ${line.tone}` }), line.name ? h('span', { class: 'soft' }, line.name) : null, value) };
  });
  const at = h('span', { class: 'at' });
  const none = h('div', { class: 'no-data' }, 'No samples yet');
  const plot = h('div', { class: 'plot', role: 'img', 'aria-label': `${title}: no samples yet` }, none);
  const element = h('figure', { class: 'panel chart', id, 'data-testid': id },
    h('figcaption', { class: 'chart-head' }, h('h2', null, title), readouts.map((readout) => readout.element), at), plot);
  plot.style.height = `${height}px`;

  let data = [[], ...lines.map(() => [])];
  let drawn = null;
  let pointed = null;

  function lastKnown(values) {
    for (let index = values.length - 1; index >= 0; index -= 1) if (values[index] !== null && values[index] !== undefined) return index;
    return -1;
  }

  function read() {
    lines.forEach((line, nth) => {
      const values = data[nth + 1];
      const index = pointed ?? lastKnown(values);
      setText(readouts[nth].value, index >= 0 && values[index] !== null && values[index] !== undefined ? line.format(values[index]) : '–');
    });
    setText(at, pointed === null || !data[0].length ? '' : `at ${time(new Date(data[0][pointed] * 1000).toISOString())}`);
  }

  function describe() {
    const latest = lines.map((line, nth) => {
      const values = data[nth + 1].filter((value) => value !== null && value !== undefined);
      if (!values.length) return null;
      const name = line.name ? `${line.name} ` : '';
      return `${name}latest ${line.format(values.at(-1))}, least ${line.format(Math.min(...values))}, most ${line.format(Math.max(...values))}`;
    }).filter(Boolean);
    const span = data[0].length ? `, ${time(new Date(data[0][0] * 1000).toISOString())} to ${time(new Date(data[0].at(-1) * 1000).toISOString())}` : '';
    plot.setAttribute('aria-label', latest.length ? `${title}: ${latest.join('; ')}${span}` : `${title}: no samples yet`);
  }

  function options(width) {
    const [grid, label] = [colour('grid'), colour('label')];
    const font = `11px ${getComputedStyle(document.body).fontFamily}`;
    return {
      width, height, padding: [8, 20, 0, 0], legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 }, ...(sync ? { sync: { key: sync } } : {}) },
      scales: {
        x: { time: true, range: (u, from, to) => (from === to ? [from - 30, to + 30] : [from, to]) },
        y: { range: (u, from, to) => [0, to > 0 ? to * 1.1 : 1] },
      },
      axes: [
        { stroke: label, font, grid: { show: false }, ticks: { show: false }, size: 24, space: 64, incrs: STEPS,
          values: (u, splits, axisNo, space, step) => splits.map((split) => {
            const moment = new Date(split * 1000);
            return step >= 86400 ? days.format(moment) : step < 60 ? seconds.format(moment) : hours.format(moment);
          }) },
        { stroke: label, font, grid: { stroke: grid, width: 1 }, ticks: { show: false }, size: 52, space: 36,
          values: (u, splits) => splits.map((split) => (split === null ? '' : (axis ?? lines[0].format)(split))) },
      ],
      series: [
        {},
        ...lines.map((line) => {
          const tone = colour(line.tone);
          return { stroke: tone, width: line.tone === 'accent' ? 1.75 : 1.25,
            fill: line.tone === 'accent' && lines.length === 1 ? faint(tone, 0.12) : undefined, points: { show: data[0].length < 3, size: 5 }, spanGaps: false };
        }),
      ],
      hooks: {
        setCursor: [(u) => {
          const index = u.cursor.idx ?? null;
          if (index !== pointed) {
            pointed = u.cursor.left >= 0 ? index : null;
            read();
          }
        }],
      },
    };
  }

  function redraw() {
    drawn?.destroy();
    drawn = null;
    pointed = null;
    none.hidden = data[0].length > 0;
    const width = plot.clientWidth;
    if (!data[0].length || !width) return;
    drawn = new uPlot(options(width), data, plot);
  }

  const resized = new ResizeObserver(() => {
    if (!drawn) redraw();
    else if (plot.clientWidth && plot.clientWidth !== drawn.width) drawn.setSize({ width: plot.clientWidth, height });
  });
  resized.observe(plot);
  const self = {
    element,
    redraw,
    update(moments, values) {
      const few = data[0].length < 3 !== moments.length < 3;
      data = [moments, ...values];
      if (!drawn || few || !moments.length) redraw();
      else drawn.setData(data);
      read();
      describe();
    },
    close() {
      resized.disconnect();
      charts.delete(self);
      drawn?.destroy();
    },
  };
  charts.add(self);
  return self;
}
