// The speed of a job over its life: the history as it was loaded, live samples appended, gaps where nothing was sampled.
import { get } from './api.js';

const RELOAD_AFTER = 20_000;
const RETRY_AFTER = 3_000;

/** `changed()` is called when there is more to draw. */
export function jobSamples(jobId, changed) {
  let samples = [];
  let loadedAt = 0;
  let loaded = false;
  let closed = false;

  const normal = (row) => ({
    at: Date.parse(row.at ?? row.sampled_at) / 1000,
    covers: Number(row.covers ?? 0),
    records: row.records_per_second,
    tokens: row.tokens_per_second,
    p50: row.p50 ?? row.batch_latency_p50 ?? null,
    p95: row.p95 ?? row.batch_latency_p95 ?? null,
  });

  async function load() {
    if (Date.now() - loadedAt < RELOAD_AFTER) return;
    loadedAt = Date.now();
    try {
      const history = await get(`/api/jobs/${jobId}/history`);
      if (closed) return;
      const known = (history?.samples ?? []).map(normal);
      const last = known.at(-1)?.at ?? 0;
      samples = [...known, ...samples.filter((sample) => sample.at > last)];
      loaded = true;
      changed();
    } catch {
      loadedAt = Date.now() - RELOAD_AFTER + RETRY_AFTER; // asked again soon, with a live sample
    }
  }

  function add(rows) {
    let last = samples.at(-1)?.at ?? 0;
    const first = rows.length ? Date.parse(rows[0].sampled_at ?? rows[0].at) / 1000 : 0;
    // The stream was away for longer than it brings with it.
    if (!loaded || first - last > 40) load();
    let more = false;
    for (const row of rows) {
      const sample = normal(row);
      if (sample.at <= last) continue;
      samples.push(sample);
      last = sample.at;
      more = true;
    }
    if (more) changed();
  }

  /** Columns for the charts; null stands where a line has to break. */
  function columns() {
    const moments = [];
    const values = { records: [], tokens: [], p50: [], p95: [] };
    let before = null;
    for (const sample of samples) {
      if (before && sample.at - sample.covers - before.at > Math.max(15, sample.covers)) {
        moments.push(before.at + 1);
        for (const name of Object.keys(values)) values[name].push(null);
      }
      moments.push(sample.at);
      for (const name of Object.keys(values)) values[name].push(sample[name]);
      before = sample;
    }
    return { moments, ...values };
  }

  load();
  return { add, columns, close: () => { closed = true; } };
}
