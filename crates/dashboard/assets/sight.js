// What the role of this page may not see: nothing there and nothing shown are different things, and the page never takes the one
// for the other.
import { h } from './element.js';
import { sql } from './hint.js';

let role = null;
let names = []; // without access
let troubles = []; // with the reason

/** Takes what a state says: `vb_error_report`, or `vb_coverage: no answer within 10 s`. */
export function sightIs(told) {
  role = told.role ?? null;
  // Texts of changes are for roles that see all clients; that page says so itself.
  const hidden = (told.hidden ?? []).filter((one) => one !== 'vb_sync_status');
  names = hidden.filter((one) => !one.includes(':'));
  troubles = hidden.filter((one) => one.includes(':'));
}

/** Whether a view or function shows nothing for another reason than that there is nothing. */
export const hides = (name) => names.includes(name) || troubles.some((one) => one.startsWith(`${name}:`));

/** For the place where rows would be. */
export const unseen = (what) => [h('strong', null, `${what} cannot be shown`), h('span', null, 'See the remark at the top of the page.')];

/** The remark at the top, as nodes; none when all is seen. `signature` tells when it is another. */
export function remark() {
  const signature = [role, ...names, ...troubles].join('\n');
  if (names.length + troubles.length === 0) return { signature: '', nodes: () => [] };
  return {
    signature,
    nodes: () => {
      const parts = [];
      if (names.includes('vb_job_status')) parts.push(`The role ${role} has no access to vector_backfill. To let it see the progress of all clients: `, sql(`grant pg_monitor to ${quoted(role)};`));
      else if (names.length) parts.push(`The role ${role} may not see ${names.join(', ')}. `);
      if (troubles.length) parts.push(` Not up to date: ${troubles.join('; ')}.`);
      return parts;
    },
  };
}

const quoted = (name) => (/^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${String(name).replaceAll('"', '""')}"`);
