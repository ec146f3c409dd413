// Bars made of parts of a whole: a job's records, a client's coverage, a day's spending.
import { h, setAttribute, setText } from './element.js';
import { number, percent } from './format.js';

/** `parts` are the names of the parts from left to right. `update(whole, [numbers], {now, label, text, state})`. */
export function bar(parts, attributes) {
  const pieces = parts.map((name) => h('i', { class: `part-${name}` }));
  const element = h('div', { class: 'progress', role: 'progressbar', 'aria-valuemin': '0', 'aria-valuemax': '100', ...attributes }, pieces);
  return {
    element,
    update(total, values, { now, label, text, state }) {
      const sum = Math.max(Number(total) || 0, values.reduce((all, value) => all + (Number(value) || 0), 0));
      pieces.forEach((piece, at) => {
        const width = sum > 0 ? `${((Number(values[at]) || 0) / sum) * 100}%` : '0%';
        if (piece.style.width !== width) piece.style.width = width;
        // What is there must be seen, be it one of a million.
        piece.style.minWidth = Number(values[at]) > 0 && piece.classList.contains('part-bad') ? '3px' : '';
      });
      setAttribute(element, 'aria-valuenow', now === null || now === undefined ? null : Math.round(now * 10) / 10);
      setAttribute(element, 'aria-label', label);
      setAttribute(element, 'aria-valuetext', text);
      setAttribute(element, 'data-state', state);
    },
  };
}

/** The progress of a job. */
export function jobBar(attributes) {
  const shown = bar(['good', 'bad', 'skipped'], attributes);
  return {
    element: shown.element,
    update(job) {
      const known = Number(job.total_records) > 0;
      const all = known ? job.total_records : job.state === 'completed' ? 1 : 0;
      const parts = known ? [job.successful_records, job.failed_records, job.skipped_records] : [all, 0, 0];
      shown.update(all, parts, {
        now: job.percent,
        label: `Progress of job ${job.job_id}`,
        text: `${percent(job.percent)}, ${number(job.processed_records)} of ${number(job.total_records)} records, ${number(job.failed_records)} failed`,
        state: job.state,
      });
    },
  };
}

/** A job's bar in a table, with its percent and counts above. */
export function jobBarCell() {
  const shown = jobBar();
  const share = h('b', null);
  const count = h('span', null);
  const element = h('div', { class: 'progress-cell' }, h('div', { class: 'line' }, share, count), shown.element);
  return {
    element,
    update(job) {
      setText(share, percent(job.percent));
      setText(count, `${number(job.processed_records)} / ${number(job.total_records)}`);
      shown.update(job);
    },
  };
}
