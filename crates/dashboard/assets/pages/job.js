// One job: how far it is, how fast, when it ends, what is in flight, what went wrong, and its buttons.
import { brief, clock, cost, duration, number, percent, rate } from '../format.js';
import { chart } from '../chart.js';
import { figures } from '../figures.js';
import { follow } from '../stream.js';
import { h, rebuild, setAttribute, setText } from '../element.js';
import { jobActions } from '../job-actions.js';
import { jobBar } from '../progress.js';
import { jobSamples } from '../job-samples.js';
import { hides, unseen } from '../sight.js';
import { jobState } from '../state-badge.js';
import { lasted } from '../job-columns.js';
import { moment, now, setSince, time } from '../moments.js';
import { table } from '../table.js';
import { words } from '../hint.js';
import { errorMessage, recordKey } from '../error-cells.js';

/** Opens the page. */
export function job({ root, match, title }) {
  const id = match[1];
  title(`Job ${id}`);
  const state = jobState({ class: 'state large', 'data-field': 'state' });
  const about = h('p', { class: 'sub', 'data-field': 'about' });
  const actions = jobActions();
  const trouble = h('div', { id: 'job-trouble' });
  const bar = jobBar({ class: 'progress large', id: 'job-progress' });
  const share = h('span', { class: 'share', 'data-field': 'percent' });
  const estimate = h('span', { class: 'estimate', 'data-field': 'estimate' });
  const strip = figures('job-figures', 'Counters', [
    { id: 'successful_records', label: 'Successful' },
    { id: 'failed_records', label: 'Failed' },
    { id: 'skipped_records', label: 'Skipped' },
    { id: 'total_records', label: 'Total' },
    { id: 'records_per_second', label: 'Records/s' },
    { id: 'tokens', label: 'Tokens' },
  ]);
  const speed = chart({ id: 'chart-job-records', title: 'Records/s', lines: [{ tone: 'accent', format: rate }], sync: 'job' });
  const tokens = chart({ id: 'chart-job-tokens', title: 'Tokens/s', lines: [{ tone: 'accent', format: (value) => brief(Math.round(value)) }], sync: 'job' });
  const latency = chart({ id: 'chart-job-latency', title: 'Batch latency', sync: 'job',
    lines: [{ name: 'p50', tone: 'accent', format: duration }, { name: 'p95', tone: 'second', format: duration }] });
  const batches = batchTable();
  const errors = errorTable();
  const allErrors = h('a', { class: 'end', href: `/errors?job=${id}` }, 'All errors of this job');
  const facts = h('dl', { class: 'facts', id: 'job-facts' });
  const samples = jobSamples(id, draw);

  const inFlight = h('section', { class: 'panel' }, h('header', null, h('h2', null, 'Batches in flight')), batches.element);
  const body = h('div', { class: 'stack', hidden: true },
    trouble,
    h('section', { class: 'panel job-progress' },
      h('h2', { class: 'unseen' }, 'Progress'),
      h('div', { class: 'job-line' }, share, estimate), bar.element, strip.element),
    h('div', { class: 'columns three' }, speed.element, tokens.element, latency.element),
    h('div', { class: 'columns' },
      inFlight,
      h('section', { class: 'panel' }, h('header', null, h('h2', null, 'About this job')), facts)),
    h('section', { class: 'panel' }, h('header', null, h('h2', null, 'Latest errors'), allErrors), errors.element));
  const absent = h('div', { class: 'panel empty', hidden: true });
  const noJob = () => (hides('vb_job_status') ? unseen(`Job ${id}`) : [h('strong', null, `There is no job ${id}`),
    h('span', null, 'Ended jobs are deleted some days after their end (vector_backfill.job_retention), and jobs of others are not shown.'), h('a', { href: '/jobs' }, 'All jobs')]);
  root.append(
    h('div', { class: 'head job-head' },
      h('div', null, h('div', { class: 'job-name' }, h('h1', null, `Job ${id}`), state.element), about),
      h('div', { class: 'end' }, actions.element)),
    body, absent);

  function draw() {
    const { moments, ...values } = samples.columns();
    speed.update(moments, [values.records]);
    tokens.update(moments, [values.tokens]);
    latency.update(moments, [values.p50, values.p95]);
  }

  const stream = follow('job', { job: id }, (seen) => {
    const one = seen.job;
    body.hidden = !one;
    absent.hidden = Boolean(one);
    state.element.hidden = !one;
    about.hidden = !one;
    if (!one) {
      actions.update(null);
      rebuild(absent, hides('vb_job_status'), noJob);
      title(hides('vb_job_status') ? `Job ${id}` : `No job ${id}`);
      return;
    }
    title(one.state === 'running' ? `${percent(one.percent, 0).replace('\u00a0', ' ')} job ${id}` : `Job ${id} ${one.state}`);
    state.update(one);
    rebuild(about, [one.kind, one.source, one.vector_type, one.client_id].join('|'), () => [
      one.kind === 'sync' ? 'Changes of ' : 'Backfill of ', h('b', null, String(one.source)), `, ${one.vector_type}, `,
      h('a', { href: `/jobs?client=${one.client_id}` }, `client ${one.client_id}`)]);
    actions.update(one);
    showTrouble(trouble, one);
    bar.update(one);
    setText(share, percent(one.percent));
    showEstimate(estimate, one, seen.spread);
    strip.update(counters(one));
    samples.add(seen.samples ?? []);
    batches.update(seen.batches ?? []);
    inFlight.hidden = Boolean(one.finished_at);
    errors.update(seen.errors ?? []);
    allErrors.hidden = !(seen.errors ?? []).length;
    const rows = factsOf(one);
    rebuild(facts, JSON.stringify(rows), () => rows.flatMap(([name, value, at]) => [h('dt', null, name), h('dd', null, at ? moment(at) : String(value))]));
  });

  return {
    close() {
      stream.close();
      samples.close();
      for (const one of [speed, tokens, latency]) one.close();
    },
  };
}

function counters(one) {
  const zero = (value) => Number(value) === 0;
  return {
    successful_records: { value: number(one.successful_records), note: Number(one.removed_records) > 0 ? `${number(one.removed_records)} removed` : '' },
    failed_records: { value: number(one.failed_records), tone: zero(one.failed_records) ? null : 'bad',
      note: zero(one.failed_records) ? '' : { signature: 'see', build: () => h('a', { href: `/errors?job=${one.job_id}` }, 'See why') } },
    skipped_records: { value: number(one.skipped_records), note: 'unchanged or without text' },
    total_records: { value: number(one.total_records), note: batchOf(one) },
    records_per_second: { value: one.state === 'running' ? rate(one.records_per_second) : '–', note: one.state === 'running' ? '' : average(one) },
    tokens: { value: brief(one.tokens), title: number(one.tokens), note: `cost ${cost(one.cost)}` },
  };
}

/** Batches may be cut smaller than planned; then how many there will be is not known. */
function batchOf(one) {
  const [at, all] = [Number(one.current_batch), Number(one.total_batches)];
  if (!at) return '';
  return all > at || one.finished_at ? `batch ${number(at)} of ${number(Math.max(all, at))}` : `batch ${number(at)}`;
}

function average(one) {
  if (!one.started_at || !one.finished_at) return '';
  const seconds = (Date.parse(one.finished_at) - Date.parse(one.started_at)) / 1000;
  return seconds > 0 ? `${rate(Number(one.processed_records) / seconds)} on average` : '';
}

/** "about 14:32, between 14:28 and 14:41", with how long that is from now. */
function showEstimate(element, one, spread) {
  let text = '';
  if (one.state === 'running' && one.estimated_completion) {
    const left = (Date.parse(one.estimated_completion) - now()) / 1000;
    const close = left < 120 ? time : clock;
    const ends = [one.estimated_completion, spread?.earliest, spread?.latest].filter(Boolean).sort((a, b) => Date.parse(a) - Date.parse(b));
    // The estimate is of the present speed, the spread of that of the last minutes: say a span that has both.
    const between = spread?.earliest && spread?.latest ? `, between ${close(ends[0])} and ${close(ends.at(-1))}` : '';
    text = `Done about ${close(one.estimated_completion)}${between} · ${duration(left >= 90 ? Math.round(left / 60) * 60 : Math.max(Math.round(left), 1))} left`;
  } else if (one.state === 'running') {
    text = 'When it is done is not known yet';
  } else if (one.state === 'queued') {
    text = 'Waits for the worker';
  } else if (one.state === 'paused') {
    text = 'Paused; what is embedded stays';
  } else if (one.finished_at) {
    text = `Ended ${time(one.finished_at)}${one.started_at ? `, ${lasted(one)}` : ''}`;
  }
  setText(element, text);
}

function showTrouble(element, one) {
  rebuild(element, `${one.state}|${one.last_error ?? ''}`, () => {
    if (!one.last_error) return null;
    const severity = one.state === 'failed' ? 'error' : one.state === 'completed' || one.state === 'cancelled' ? 'info' : 'warning';
    const shown = h('div', { class: 'finding', 'data-severity': severity, role: 'status' }, h('span', { class: 'severity' }, severity === 'error' ? '■' : severity === 'warning' ? '▲' : '●'),
      h('div', null, h('p', { class: 'said', 'data-field': 'last_error' }, words(one.last_error)),
        one.state === 'paused' ? h('p', { class: 'hint' }, 'It goes on with Resume once that is put right: ', words(`select vb_resume(${one.job_id});`)) : null));
    return shown;
  });
}

/** `[name, text, moment]` of what is known. */
function factsOf(one) {
  const rows = [
    ['Provider', one.current_provider ? `${one.current_provider}${one.model ? `, ${one.model}` : ''}` : 'not chosen yet'],
    ['Why this provider', one.reason],
    ['Preference', one.preference],
    ['Batch size', one.batch_size ? `${number(one.batch_size)} records` : null],
    ['Priority', one.priority],
    ['Limit of tokens', limit(one.tokens, one.max_tokens, brief)],
    ['Limit of cost', limit(one.cost, one.max_cost, cost)],
    ['Truncated', Number(one.truncated_records) > 0 ? `${number(one.truncated_records)} records, longer than the model reads` : null],
    ['Created', null, one.created_at],
    ['Started', null, one.started_at],
    ['Ended', null, one.finished_at],
  ];
  return rows.filter(([, value, at]) => at || (value !== null && value !== undefined && value !== ''));
}

function limit(used, most, format) {
  if (most === null || most === undefined) return null;
  return `${format(used)} of ${format(most)} (${Math.round((Number(used) / Number(most)) * 100)}\u00a0%)`;
}

function batchTable() {
  return table({
    id: 'batches', caption: 'Batches in flight', key: (batch) => batch.batch_id, cards: false,
    row: (tr, batch) => setAttribute(tr, 'data-batch', batch.batch_id),
    empty: 'None at this moment.',
    columns: [
      { id: 'batch', label: 'Batch', head: true, text: (batch) => number(batch.batch_id) },
      { id: 'records', label: 'Records', number: true, text: (batch) => number(batch.records) },
      { id: 'attempt', label: 'Attempt', number: true, text: (batch) => number(batch.attempt) },
      { id: 'age', label: 'In flight for', number: true,
        build(cell) {
          return (batch) => setSince(cell, batch.started_at);
        } },
    ],
  });
}

function errorTable() {
  return table({
    id: 'job-errors', caption: 'Latest failed records of this job', key: (error) => error.record_id ?? `${error.failed_at}/${error.error_class}`,
    row: (tr, error) => setAttribute(tr, 'data-record', error.record_id ?? ''),
    empty: 'No failed records.',
    columns: [
      { id: 'record', label: 'Record', head: true, build: recordKey },
      { id: 'class', label: 'Class', text: (error) => error.error_class },
      { id: 'message', label: 'Message', across: true, className: 'text', build: errorMessage },
      { id: 'attempts', label: 'Attempts', number: true, text: (error) => number(error.attempts) },
      { id: 'failed', label: 'Failed at', number: true, text: (error) => time(error.failed_at), title: (error) => error.failed_at },
    ],
  });
}
