// Pause, resume, cancel and retry of a job: only what fits its state, cancelling asks once more in place, and what came of it
// stands beside the buttons.
import { ApiError, controlIsOn, post } from './api.js';
import { h, rebuild } from './element.js';
import { number } from './format.js';
import { words } from './hint.js';
import { icon } from './icons.js';

const OPEN = ['queued', 'running', 'paused'];
const ACTIONS = [
  { name: 'pause', label: 'Pause', drawing: 'paused', fits: (job) => job.state === 'queued' || job.state === 'running' },
  { name: 'resume', label: 'Resume', drawing: 'running', fits: (job) => job.state === 'paused', main: true },
  { name: 'retry', label: 'Retry failed', drawing: 'retry', fits: (job) => Number(job.failed_records) > 0 },
  { name: 'cancel', label: 'Cancel', drawing: 'cancelled', fits: (job) => OPEN.includes(job.state) },
];
const DONE = {
  pause: 'Paused. Batches in flight end first.',
  resume: 'Resumed.',
  cancel: 'Cancelled. What is embedded stays.',
};

/** `update(job)` shows the buttons that fit. */
export function jobActions() {
  const buttons = h('div', { class: 'head', role: 'group', 'aria-label': 'Control of this job' });
  const result = resultNote('action-result');
  const element = h('div', { class: 'head', 'data-testid': 'job-actions' }, result.element, buttons);
  let job = null;
  let busy = null;
  let asking = false;

  async function act(name, body) {
    busy = name;
    asking = false;
    draw();
    try {
      const said = await post(`/api/jobs/${job.job_id}/${name}`, body);
      if (name !== 'retry') result.good(DONE[name]);
      else if (Number(said.records) > 0) result.good(`${number(said.records)} failed records go back to work.`);
      else result.good('No failed records were left to retry.');
    } catch (failure) {
      result.bad(failure);
    }
    busy = null;
    draw();
  }

  function ask() {
    asking = true;
    draw();
    buttons.querySelector('[data-action="cancel-keep"]')?.focus();
  }

  function keep() {
    asking = false;
    draw();
    buttons.querySelector('[data-action="cancel"]')?.focus();
  }

  function question() {
    return h('div', { class: 'ask', role: 'group', 'aria-label': 'Really cancel?', onkeydown: (event) => event.key === 'Escape' && keep() },
      h('span', null, `Cancel job ${job.job_id}? What is embedded stays.`),
      h('button', { class: 'button danger', type: 'button', 'data-action': 'cancel-confirm', onclick: () => act('cancel') }, 'Yes, cancel it'),
      h('button', { class: 'button', type: 'button', 'data-action': 'cancel-keep', onclick: keep }, 'No, keep it'));
  }

  function draw() {
    const may = controlIsOn && job?.may_control;
    const fitting = may ? ACTIONS.filter((action) => action.fits(job)) : [];
    if (asking && !fitting.some((action) => action.name === 'cancel')) asking = false;
    const focused = buttons.contains(document.activeElement) ? document.activeElement.dataset.action : null;
    rebuild(buttons, JSON.stringify([fitting.map((action) => action.name), asking, busy, job?.job_id]), () => {
      if (asking) return question();
      return fitting.map((action) =>
        h('button', {
          class: `button${action.main ? ' primary' : ''}`, type: 'button', 'data-action': action.name,
          'aria-disabled': busy ? 'true' : null,
          onclick: () => busy || (action.name === 'cancel' ? ask() : act(action.name, action.name === 'retry' ? { record_ids: null } : {})),
        }, icon(action.drawing, 13), busy === action.name ? `${action.label} …` : action.label));
    });
    // The button that was pressed went away with its state: stay where the keyboard was.
    if (focused && !buttons.contains(document.activeElement) && !asking) {
      (buttons.querySelector(`[data-action="${focused}"]`) ?? buttons.querySelector('button'))?.focus();
    }
  }

  return {
    element,
    update(next) {
      job = next;
      draw();
    },
  };
}

/** The place where an outcome is said: `good(text)`, `bad(error)`. */
export function resultNote(id) {
  const element = h('div', { class: 'note', id, 'data-testid': id, role: 'status', tabindex: '-1' });
  let fading = null;
  const say = (tone, drawing, content) => {
    clearTimeout(fading);
    // What went well is no news for long.
    if (tone === 'good') fading = setTimeout(() => element.replaceChildren(), 20_000);
    element.dataset.tone = tone;
    element.replaceChildren(icon(drawing), h('span', null, content));
  };
  return {
    element,
    good: (text) => say('good', 'completed', text),
    bad: (failure) => say('bad', 'failed', failure instanceof ApiError
      ? [failure.message, failure.hint ? h('span', { class: 'hint' }, words(failure.hint)) : null].filter(Boolean)
      : String(failure)),
  };
}
