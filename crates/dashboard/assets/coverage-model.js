// What the coverage map shows, from the rows of vb_coverage: clients by sources, their order, sums, freshness of each source.
import { percent } from './format.js';

/** `{sources, clients: [{id, cells: Map(source → row), least, oldest}], totals}` of one vector type. */
export function mapOf(rows, vectorType, clientFilter, order) {
  const ours = rows.filter((row) => row.vector_type === vectorType);
  const sources = [...new Set(ours.map((row) => String(row.source)))].sort();
  const clients = new Map();
  // A whole number means that client; the beginning of one, all that begin so.
  const exact = ours.some((row) => String(row.client_id) === clientFilter);
  for (const row of ours) {
    const id = String(row.client_id);
    if (clientFilter && (exact ? id !== clientFilter : !id.startsWith(clientFilter))) continue;
    let client = clients.get(id);
    if (!client) clients.set(id, (client = { id, cells: new Map(), least: null, oldest: null, failed: 0 }));
    client.cells.set(String(row.source), row);
    if (row.percent !== null) client.least = Math.min(client.least ?? 100, Number(row.percent));
    if (row.oldest_pending !== null) client.oldest = Math.max(client.oldest ?? 0, Number(row.oldest_pending));
    client.failed += Number(row.failed ?? 0);
  }
  const list = [...clients.values()].sort((a, b) => ORDERS[order](a, b) || Number(a.id) - Number(b.id));
  return { sources, clients: list, rows: clientFilter ? ours.filter((row) => clients.has(String(row.client_id))) : ours };
}

/** How clients may be ordered. */
export const ORDERS = {
  client: () => 0,
  least: (a, b) => (a.least ?? 101) - (b.least ?? 101),
  oldest: (a, b) => (b.oldest ?? -1) - (a.oldest ?? -1),
  failed: (a, b) => b.failed - a.failed,
};

/** The step of the colour scale of a cell. */
export function stepOf(row) {
  if (!row) return 'none';
  if (row.percent === null || row.percent === undefined) return 'unknown';
  const value = Number(row.percent);
  return value >= 100 ? '6' : value >= 95 ? '5' : value >= 80 ? '4' : value >= 60 ? '3' : value >= 40 ? '2' : value >= 10 ? '1' : '0';
}

/** The words in a cell. */
export const cellText = (row) => (!row ? '' : row.percent === null || row.percent === undefined ? '?' : percent(row.percent, 0).replace('\u00a0%', ''));

/** Sums over rows. */
export function totals(rows) {
  const all = { records: 0, embedded: 0, stale: 0, failed: 0, pending: 0, oldest: null };
  for (const row of rows) {
    for (const name of ['records', 'embedded', 'stale', 'failed', 'pending']) all[name] += Number(row[name] ?? 0);
    if (row.oldest_pending !== null && row.oldest_pending !== undefined) all.oldest = Math.max(all.oldest ?? 0, Number(row.oldest_pending));
  }
  all.percent = all.records > 0 ? Math.min((Math.max(all.embedded - all.stale, 0) / all.records) * 100, 100) : null;
  return all;
}

/** For each source: what waits and how long changes take. */
export function freshness(rows) {
  const sources = new Map();
  for (const row of rows) {
    const name = String(row.source);
    let one = sources.get(name);
    if (!one) sources.set(name, (one = { source: name, in_step: false, stale: 0, pending: 0, oldest_pending: null, p50: null, p95: null, clients: 0 }));
    one.clients += 1;
    one.stale += Number(row.stale ?? 0);
    one.pending += Number(row.pending ?? 0);
    one.in_step ||= Boolean(row.in_step);
    if (row.oldest_pending !== null && row.oldest_pending !== undefined) one.oldest_pending = Math.max(one.oldest_pending ?? 0, Number(row.oldest_pending));
    one.p50 = row.latency_p50 ?? one.p50;
    one.p95 = row.latency_p95 ?? one.p95;
  }
  return [...sources.values()].sort((a, b) => (b.oldest_pending ?? -1) - (a.oldest_pending ?? -1) || a.source.localeCompare(b.source));
}
