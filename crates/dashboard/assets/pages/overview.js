// The overview: what is wrong first, then how much happens, then jobs and clients.
import { brief, bytes, cost, duration, number, percent, rate } from '../format.js';
import { chart } from '../chart.js';
import { countFindings, healthList } from '../health.js';
import { figures } from '../figures.js';
import { follow } from '../stream.js';
import { h, rebuild, setAttribute, setText } from '../element.js';
import { jobColumns, jobRow, noJobs } from '../job-columns.js';
import { badge } from '../state-badge.js';
import { bar } from '../progress.js';
import { setSince } from '../moments.js';
import { hides, unseen } from '../sight.js';
import { table } from '../table.js';

/** Opens the page. */
export function overview({ root, title }) {
  title('Overview');
  const worker = workerLine();
  const health = healthList('health');
  const strip = figures('figures', 'At a glance', [
    { id: 'running', label: 'Jobs running' },
    { id: 'rate', label: 'Records/s now' },
    { id: 'hour', label: 'Records, last hour' },
    { id: 'failed', label: 'Failed, last hour' },
    { id: 'tokens', label: 'Tokens, last hour' },
    { id: 'cost', label: 'Cost today' },
  ]);
  const records = chart({ id: 'chart-records', title: 'Records/s, last hour', lines: [{ tone: 'accent', format: rate }], height: 132, sync: 'overview' });
  const tokens = chart({ id: 'chart-tokens', title: 'Tokens/s, last hour', lines: [{ tone: 'accent', format: (value) => brief(Math.round(value)) }], height: 132, sync: 'overview' });
  const jobsEmpty = h('div', { class: 'empty-words' });
  const jobs = table({ id: 'jobs', caption: 'Jobs: those that are not finished, then the latest', columns: jobColumns(), key: (job) => job.job_id, row: jobRow, empty: jobsEmpty });
  const clientsEmpty = h('div', { class: 'empty-words' });
  const clients = clientTable(clientsEmpty);
  const clientsFoot = h('p', { class: 'panel-foot', hidden: true });

  root.append(
    h('div', { class: 'head' }, h('h1', null, 'Overview'), h('div', { class: 'end' }, worker.element)),
    h('section', { 'aria-label': 'Health' }, h('h2', { class: 'unseen' }, 'Health'), health.element),
    strip.element,
    h('div', { class: 'columns' }, records.element, tokens.element),
    h('section', { class: 'panel' }, h('header', null, h('h2', null, 'Jobs'), h('a', { class: 'end', href: '/jobs' }, 'All jobs')), jobs.element),
    h('section', { class: 'panel' }, h('header', null, h('h2', null, 'Clients'), h('span', { class: 'sub' }, 'today is a day of UTC'), h('a', { class: 'end', href: '/coverage' }, 'Coverage map')), clients.element, clientsFoot),
  );

  const stream = follow('overview', {}, (seen) => {
    const counts = countFindings(seen.health);
    title(tabTitle(counts, seen));
    worker.update(seen.worker, seen.health.some((finding) => String(finding.cause).startsWith('worker')));
    health.update(seen.health);
    strip.update(hides('vb_job_status') ? {} : {
      running: { value: number(seen.counts.running), note: `${number(seen.counts.queued)} queued, ${number(seen.counts.paused)} paused` },
      rate: { value: rate(seen.now.records_per_second ?? 0), note: `${brief(Math.round(seen.now.tokens_per_second ?? 0))} tokens/s` },
      hour: { value: brief(seen.last_hour.records), title: number(seen.last_hour.records), note: `${brief(seen.today?.records)} today` },
      failed: {
        value: brief(seen.last_hour.failed), tone: Number(seen.last_hour.failed) > 0 ? 'bad' : null,
        note: { signature: 'errors', build: () => h('a', { href: '/errors' }, 'All errors') },
      },
      tokens: { value: brief(seen.last_hour.tokens), title: number(seen.last_hour.tokens), note: `${brief(seen.today?.tokens)} today` },
      cost: { value: cost(seen.today?.cost), note: 'since midnight UTC', title: 'In the currency of your contract' },
    });
    const moments = seen.minutes.map((minute) => Date.parse(minute.at) / 1000);
    records.update(moments, [seen.minutes.map((minute) => minute.records_per_second)]);
    tokens.update(moments, [seen.minutes.map((minute) => minute.tokens_per_second)]);
    rebuild(jobsEmpty, hides('vb_job_status'), noJobs);
    jobs.update(firstOf(seen.jobs));
    rebuild(clientsEmpty, hides('vb_job_status'), noClients);
    clients.update(seen.clients);
    const more = Number(seen.clients_total) - seen.clients.length;
    clientsFoot.hidden = !(more > 0);
    setText(clientsFoot, `${number(more)} more clients: see the coverage map.`);
  });

  return {
    close() {
      stream.close();
      records.close();
      tokens.close();
    },
  };
}

/** All that are not finished, and of the others as many as leave the clients in sight. */
function firstOf(jobs) {
  const open = jobs.filter((job) => ['queued', 'running', 'paused'].includes(job.state)).length;
  return jobs.slice(0, Math.max(open + 3, 10));
}

function tabTitle(counts, seen) {
  if (counts.error) return `● ${counts.error} ${counts.error === 1 ? 'error' : 'errors'}`;
  if (counts.warning) return `▲ ${counts.warning} ${counts.warning === 1 ? 'warning' : 'warnings'}`;
  if (Number(seen.counts.running)) return `${seen.counts.running} running`;
  return hides('vb_health') ? 'Overview' : 'All is well';
}

function workerLine() {
  const state = badge({ 'data-field': 'worker' });
  const since = h('span', null);
  const rest = h('span', null);
  const details = h('span', { class: 'sub' }, ' for ', since, rest);
  const element = h('span', { id: 'worker', 'data-testid': 'worker' }, state.element, details);
  return {
    element,
    update(worker, missed) {
      details.hidden = !worker?.since;
      if (!worker && hides('vb_worker_status')) return state.update('ring', 'idle', 'Worker not shown');
      if (!worker) return state.update(missed ? 'failed' : 'ring', missed ? 'bad' : 'idle', 'No worker');
      const busy = worker.state !== 'idle';
      state.update(busy ? 'running' : 'completed', busy ? 'busy' : 'good', `Worker ${worker.state}`);
      if (worker.since) setSince(since, worker.since);
      const parts = [worker.memory_bytes ? bytes(worker.memory_bytes) : null, worker.waiting_for ?? null].filter(Boolean);
      setText(rest, parts.length ? ` · ${parts.join(' · ')}` : '');
      setAttribute(element, 'title', `Process ${worker.pid}`);
    },
  };
}

function noClients() {
  return hides('vb_job_status') ? unseen('Clients') : [h('strong', null, 'No clients yet'), h('span', null, 'They appear with their first backfill.')];
}

function clientTable(empty) {
  return table({
    id: 'clients', caption: 'Clients: coverage, and today’s spending against their limits', key: (client) => client.client_id,
    row: (tr, client) => setAttribute(tr, 'data-client', client.client_id),
    empty,
    columns: [
      { id: 'client', label: 'Client', head: true, tight: true, sort: (client) => Number(client.client_id),
        build(cell) {
          const link = h('a', { class: 'row-link' });
          cell.append(link);
          return (client) => {
            setText(link, String(client.client_id));
            setAttribute(link, 'href', `/coverage?client=${client.client_id}`);
          };
        } },
      { id: 'open', label: 'Open jobs', number: true, sort: (client) => Number(client.open_jobs),
        build(cell) {
          const link = h('a', null);
          const none = h('span', { class: 'soft' }, '0');
          return (client) => {
            const open = Number(client.open_jobs) > 0;
            if (cell.firstChild !== (open ? link : none)) cell.replaceChildren(open ? link : none);
            setText(link, number(client.open_jobs));
            setAttribute(link, 'href', `/jobs?client=${client.client_id}`);
          };
        } },
      { id: 'coverage', label: 'Coverage', across: true, sort: (client) => share(client), build: coverageCell },
      { id: 'records', label: 'Records', number: true, sort: (client) => Number(client.records), text: (client) => number(client.records) },
      { id: 'pending', label: 'Pending', number: true, sort: (client) => Number(client.pending), text: (client) => number(client.pending),
        title: (client) => (client.oldest_pending ? `The oldest change waits for ${duration(client.oldest_pending)}` : null) },
      { id: 'failed', label: 'Failed', number: true, sort: (client) => Number(client.failed),
        build(cell) {
          const link = h('a', { class: 'bad' });
          const none = h('span', { class: 'soft' });
          return (client) => {
            const failed = Number(client.failed) > 0;
            if (cell.firstChild !== (failed ? link : none)) cell.replaceChildren(failed ? link : none);
            setText(none, number(client.failed));
            setText(link, number(client.failed));
            setAttribute(link, 'href', `/errors?client=${client.client_id}`);
          };
        } },
      { id: 'records-today', label: 'Records today', number: true, sort: (client) => Number(client.records_today), build: (cell) => against(cell, 'records', brief) },
      { id: 'tokens-today', label: 'Tokens today', number: true, sort: (client) => Number(client.tokens_today), build: (cell) => against(cell, 'tokens', brief) },
      { id: 'cost-today', label: 'Cost today', number: true, sort: (client) => Number(client.cost_today), build: (cell) => against(cell, 'cost', cost) },
    ],
  });
}

const share = (client) => {
  const records = Number(client.records);
  if (client.records === null || client.records === undefined) return null;
  return records > 0 ? Math.max(((Number(client.embedded) - Number(client.stale)) / records) * 100, 0) : 100;
};

function coverageCell(cell) {
  const shown = bar(['good', 'warn', 'bad']);
  const words = h('b', null);
  const extra = h('span', null);
  cell.append(h('div', { class: 'progress-cell' }, h('div', { class: 'line' }, words, extra), shown.element));
  return (client) => {
    const covered = share(client);
    setText(words, covered === null ? 'not counted yet' : percent(covered));
    setText(extra, Number(client.stale) > 0 ? `${brief(client.stale)} stale` : '');
    shown.update(client.records ?? 0, [Number(client.embedded ?? 0) - Number(client.stale ?? 0), client.stale ?? 0, client.failed ?? 0], {
      now: covered, label: `Coverage of client ${client.client_id}`, state: covered === 100 ? 'completed' : 'running',
      text: covered === null ? 'not counted yet' : `${percent(covered)}, ${number(client.stale)} stale, ${number(client.failed)} failed`,
    });
  };
}

/** A day's figure, with a meter where there is a limit. */
function against(cell, name, format) {
  const used = h('span', null);
  const limit = h('span', { class: 'under' });
  cell.append(used, limit);
  return (client) => {
    const most = client[`max_${name}_per_day`];
    const value = client[`${name}_today`] ?? 0;
    const bounded = most !== null && most !== undefined;
    const ratio = bounded ? (Number(most) > 0 ? Number(value) / Number(most) : 1) : 0;
    setText(used, format(value));
    used.className = ratio >= 1 ? 'bad' : ratio >= 0.8 ? 'warn' : '';
    setText(limit, bounded ? `${ratio >= 1 ? '■ ' : ratio >= 0.8 ? '▲ ' : ''}${Math.round(ratio * 100)}\u00a0% of ${format(most)}` : '');
  };
}
