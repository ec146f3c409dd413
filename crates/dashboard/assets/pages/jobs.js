// All jobs, filtered by state, client and source; the filters are in the address.
import { follow } from '../stream.js';
import { h, setAttribute, setText } from '../element.js';
import { jobColumns, jobRow, noJobs } from '../job-columns.js';
import { number } from '../format.js';
import { table } from '../table.js';
import * as address from '../address.js';

const STATES = ['', 'running', 'queued', 'paused', 'completed', 'failed', 'cancelled'];
const NAMES = ['state', 'client', 'source', 'before_job'];

/** Opens the page. */
export function jobs({ root, title }) {
  title('Jobs');
  let wanted = address.read(NAMES);
  const count = h('span', { class: 'sub', id: 'jobs-total', role: 'status' });
  const states = h('div', { class: 'segments', role: 'group', 'aria-label': 'State' }, STATES.map((state) =>
    h('button', { type: 'button', 'data-state-filter': state || 'all', onclick: () => change({ state }) }, state ? state[0].toUpperCase() + state.slice(1) : 'All')));
  const typed = address.settled((name, value) => change({ [name]: value.trim() }));
  const client = h('input', { class: 'field short', type: 'text', inputmode: 'numeric', pattern: '[0-9]*', name: 'client', autocomplete: 'off', oninput: (event) => event.target.checkValidity() && typed('client', event.target.value) });
  const source = h('input', { class: 'field', type: 'search', name: 'source', autocomplete: 'off', spellcheck: 'false', placeholder: 'e.g. issues', oninput: (event) => typed('source', event.target.value) });
  const empty = h('div', null);
  const list = table({ id: 'jobs', caption: 'Jobs', columns: jobColumns(), key: (job) => job.job_id, row: jobRow, empty });
  const older = h('button', { class: 'button', type: 'button', id: 'older', hidden: true }, 'Older jobs');
  const newest = h('button', { class: 'button', type: 'button', id: 'newest', hidden: true, onclick: () => change({ before_job: '' }) }, 'Newest jobs');
  older.addEventListener('click', () => change({ before_job: String(Math.min(...latest.map((job) => Number(job.job_id)))) }));
  let latest = [];

  root.append(
    h('div', { class: 'head' }, h('h1', null, 'Jobs'), count),
    h('form', { class: 'filters', role: 'search', 'aria-label': 'Filter jobs', onsubmit: (event) => event.preventDefault() }, states,
      h('label', null, 'Client', client), h('label', null, 'Source', source)),
    h('section', { class: 'panel' }, h('h2', { class: 'unseen' }, 'List of jobs'), h('div', { class: 'top-gap' }, list.element), h('div', { class: 'panel-foot' }, newest, older)),
  );
  client.value = wanted.client;
  source.value = wanted.source;
  mark();

  const stream = follow('jobs', wanted, (seen) => {
    latest = seen.jobs;
    const filtered = wanted.state || wanted.client || wanted.source;
    if (!seen.jobs.length) {
      empty.replaceChildren(...(filtered ? [h('strong', null, 'No job fits these filters')] : noJobs()));
      empty.className = 'empty-words';
    }
    list.update(seen.jobs);
    const total = Number(seen.total);
    setText(count, `${number(total)} ${total === 1 ? 'job' : 'jobs'}${filtered ? ' that fit' : ''}`);
    older.hidden = !seen.more;
    newest.hidden = !wanted.before_job;
    title(wanted.state ? `${number(total)} ${wanted.state}` : 'Jobs');
  });

  function change(part) {
    wanted = { ...wanted, before_job: '', ...part };
    address.write(wanted);
    mark();
    stream.change(wanted);
  }

  function mark() {
    for (const button of states.children) {
      const state = button.dataset.stateFilter;
      setAttribute(button, 'aria-pressed', String((state === 'all' ? '' : state) === wanted.state));
    }
  }

  return stream;
}
