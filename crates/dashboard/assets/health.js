// The findings of vb_health(), the worst first: what is wrong, what to do, and the way to the job it is about.
import { h, rebuild, setAttribute, setText } from './element.js';
import { words } from './hint.js';
import { icon } from './icons.js';
import { hides } from './sight.js';
import { keyedList } from './keyed.js';

const RANK = { error: 0, warning: 1, info: 2 };
const FIRST = 6; // of more than that the rest is folded, so that the figures stay in sight
const NAMES = { error: 'Error', warning: 'Warning', info: 'Note' };

/** A list that `update(findings)` keeps; `id` is that of the list. */
export function healthList(id) {
  const list = h('ul', { class: 'findings', id, 'data-testid': 'health', 'aria-live': 'polite', 'aria-relevant': 'additions' });
  const well = h('p', { class: 'panel all-well', 'data-testid': 'all-well', role: 'status', hidden: true },
    icon('well', 18), h('span', null, 'All is well ', h('span', { class: 'soft' }, '– nothing needs looking after')));
  const blind = h('p', { class: 'panel empty', 'data-testid': 'health-hidden', hidden: true }, 'Whether all is well cannot be shown: see the remark at the top of the page.');
  const more = h('button', { class: 'button quiet', type: 'button', id: `${id}-more`, 'aria-controls': id, hidden: true, onclick: () => { open = !open; draw(); } });
  let open = false;
  let latest = [];
  const show = keyedList(list, (finding) => finding.key, make);
  return {
    element: h('div', { class: 'health' }, list, well, blind, more),
    update(findings) {
      latest = findings;
      draw();
    },
  };

  function draw() {
    const seen = new Map();
    const sorted = [...latest].sort((a, b) => (RANK[a.severity] ?? 3) - (RANK[b.severity] ?? 3));
    const keyed = sorted.map((finding) => {
      // The same cause about the same thing stays the same line, whatever its words are now.
      const base = `${finding.severity}/${finding.cause}/${finding.job_id}/${finding.client_id}`;
      const nth = seen.get(base) ?? 0;
      seen.set(base, nth + 1);
      return { ...finding, key: `${base}/${nth}` };
    });
    show(open ? keyed : keyed.slice(0, FIRST));
    const rest = keyed.slice(FIRST);
    more.hidden = rest.length === 0;
    setAttribute(more, 'aria-expanded', String(open));
    setText(more, open ? 'Show fewer' : `Show ${rest.length} more${summary(countFindings(rest))}`);
    well.hidden = keyed.length > 0 || hides('vb_health');
    blind.hidden = keyed.length > 0 || !hides('vb_health');
    list.hidden = keyed.length === 0;
  }
}

/** ": 2 errors, 3 warnings". */
function summary(counts) {
  const parts = [['error', counts.error], ['warning', counts.warning], ['note', counts.info]]
    .filter(([, count]) => count > 0).map(([name, count]) => `${count} ${name}${count === 1 ? '' : 's'}`);
  return parts.length ? `: ${parts.join(', ')}` : '';
}

function make(finding) {
  const said = h('p', { class: 'said' });
  const hint = h('p', { class: 'hint' });
  const about = h('div', { class: 'about' });
  const element = h('li', { class: 'finding', 'data-severity': finding.severity, 'data-cause': finding.cause },
    icon(finding.severity), h('div', null, said, hint), about);
  return {
    element,
    update(next) {
      rebuild(said, next.finding, () => [h('span', { class: 'severity' }, `${NAMES[next.severity] ?? next.severity}: `), next.finding]);
      rebuild(hint, next.hint ?? '', () => words(next.hint));
      rebuild(about, `${next.cause}/${next.job_id}`, () => [
        h('span', { class: 'tag' }, String(next.cause ?? '').replaceAll('_', ' ')),
        next.job_id !== null && next.job_id !== undefined ? h('a', { href: `/jobs/${next.job_id}` }, `Job ${next.job_id}`) : null,
      ]);
    },
  };
}

/** How many of each severity: `{error, warning, info}`. */
export function countFindings(findings) {
  const counts = { error: 0, warning: 0, info: 0 };
  for (const finding of findings) counts[finding.severity] = (counts[finding.severity] ?? 0) + 1;
  return counts;
}
