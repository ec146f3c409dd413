// The state of a job, a worker or a provider: a shape, its word and a colour.
import { h, setAttribute, setText } from './element.js';
import { icon } from './icons.js';

const JOB = {
  queued: ['queued', 'idle'],
  running: ['running', 'busy'],
  paused: ['paused', 'warn'],
  completed: ['completed', 'good'],
  failed: ['failed', 'bad'],
  cancelled: ['cancelled', 'idle'],
};

/** `update(drawing, tone, word)`. */
export function badge(attributes) {
  const shape = h('span', null);
  const word = h('span', { class: 'word' });
  const element = h('span', { class: 'state', ...attributes }, shape, word);
  let drawn = null;
  return {
    element,
    update(drawing, tone, text) {
      if (drawn !== drawing) {
        drawn = drawing;
        shape.replaceChildren(icon(drawing));
      }
      setAttribute(element, 'data-tone', tone);
      setText(word, text);
    },
  };
}

/** `update(job)`: the state of a job; a completed one with failed records says so. */
export function jobState(attributes) {
  const shown = badge(attributes);
  return {
    element: shown.element,
    update(job) {
      const [drawing, tone] = JOB[job.state] ?? ['ring', 'idle'];
      const partly = job.state === 'completed' && Number(job.failed_records) > 0;
      shown.update(partly ? 'warning' : drawing, partly ? 'warn' : tone, job.state);
      setAttribute(shown.element, 'data-value', job.state);
      setAttribute(shown.element, 'title', partly ? 'completed, some records failed' : null);
    },
  };
}
