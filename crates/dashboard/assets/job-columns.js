// The columns of tables of jobs, and what a row carries for links and tests.
import { h, rebuild, setAttribute, setText } from './element.js';
import { clock, duration, number, rate } from './format.js';
import { hides, unseen } from './sight.js';
import { sql } from './hint.js';
import { moment, now } from './moments.js';
import { jobBarCell } from './progress.js';
import { jobState } from './state-badge.js';

/** Marks a row with its job. */
export function jobRow(tr, job) {
  setAttribute(tr, 'data-job', job.job_id);
  setAttribute(tr, 'data-state', job.state);
}

/** When it ends, ended, or why it does not go on. */
function ending(cell) {
  const element = h('div', null);
  cell.append(element);
  return (job) => {
    const left = job.state === 'running' && job.estimated_completion ? (Date.parse(job.estimated_completion) - now()) / 1000 : null;
    const inWords = left === null ? '' : duration(left >= 90 ? Math.round(left / 60) * 60 : Math.max(Math.round(left), 1));
    rebuild(element, [job.state, job.last_error, job.finished_at, clock(job.estimated_completion), inWords].join('|'), () => {
      if (left !== null) return [`about ${clock(job.estimated_completion)}`, h('span', { class: 'under' }, `in ${inWords}`)];
      if ((job.state === 'paused' || job.state === 'failed' || job.state === 'running') && job.last_error) {
        return h('span', { class: 'clamp soft reason', title: job.last_error }, job.last_error);
      }
      if (job.finished_at) return [moment(job.finished_at, clock), h('span', { class: 'under' }, lasted(job))];
      return h('span', { class: 'soft' }, job.state === 'running' ? 'not known yet' : '–');
    });
  };
}

/** How long a job took, in words. */
export function lasted(job) {
  if (!job.started_at || !job.finished_at) return '';
  return `took ${duration((Date.parse(job.finished_at) - Date.parse(job.started_at)) / 1000)}`;
}

/** All columns; sorting is of what is shown. */
export function jobColumns() {
  return [
    {
      id: 'job', label: 'Job', head: true, tight: true, sort: (job) => Number(job.job_id),
      build(cell) {
        const link = h('a', { class: 'row-link job-id' });
        const kind = h('span', { class: 'under' });
        cell.append(link, kind);
        return (job) => {
          setText(link, String(job.job_id));
          setAttribute(link, 'href', `/jobs/${job.job_id}`);
          setText(kind, job.kind === 'backfill' ? '' : job.kind);
        };
      },
    },
    { id: 'client', label: 'Client', sort: (job) => Number(job.client_id), text: (job) => String(job.client_id) },
    {
      id: 'source', label: 'Source', sort: (job) => String(job.source),
      build(cell) {
        const source = h('span', null);
        const type = h('span', { class: 'under' });
        cell.append(source, type);
        return (job) => {
          setText(source, String(job.source));
          setText(type, job.vector_type === 'content' ? '' : job.vector_type);
        };
      },
    },
    {
      id: 'state', label: 'State', sort: (job) => job.state,
      build(cell) {
        const state = jobState({ 'data-field': 'state' });
        cell.append(state.element);
        return state.update;
      },
    },
    {
      id: 'progress', label: 'Progress', sort: (job) => Number(job.percent), across: true, bare: true,
      build(cell) {
        const bar = jobBarCell();
        cell.append(bar.element);
        return bar.update;
      },
    },
    {
      id: 'failed', label: 'Failed', number: true, sort: (job) => Number(job.failed_records),
      build(cell) {
        const link = h('a', { 'data-field': 'failed_records' });
        const zero = h('span', { class: 'soft', 'data-field': 'failed_records' }, '0');
        return (job) => {
          const failed = Number(job.failed_records) > 0;
          rebuild(cell, failed, () => (failed ? link : zero));
          if (!failed) return;
          setText(link, number(job.failed_records));
          setAttribute(link, 'class', 'bad');
          setAttribute(link, 'href', `/errors?job=${job.job_id}`);
          setAttribute(link, 'title', `Failed records of job ${job.job_id}`);
        };
      },
    },
    {
      id: 'rate', label: 'Records/s', number: true, sort: (job) => (job.state === 'running' ? job.records_per_second : null),
      text: (job) => (job.state === 'running' ? rate(job.records_per_second) : '–'), blank: (job) => job.state !== 'running',
    },
    { id: 'end', label: 'End', build: ending, sort: (job) => job.finished_at ?? job.estimated_completion, className: 'end' },
    {
      id: 'provider', label: 'Provider', sort: (job) => job.current_provider, blank: (job) => !job.current_provider,
      build(cell) {
        const name = h('span', null);
        const model = h('span', { class: 'under' });
        cell.append(name, model);
        return (job) => {
          setText(name, job.current_provider ?? '–');
          setText(model, job.model ?? '');
        };
      },
    },
  ];
}

/** What a page without jobs says. */
export function noJobs() {
  if (hides('vb_job_status')) return unseen('Jobs');
  return [h('strong', null, 'No jobs yet'), h('span', null, 'A backfill of a client’s rows of a table begins with:'), sql("select vb_enqueue_backfill(1, 'issues');")];
}
