// Puts chosen failed records back to work: one request for each job they are of.
import { post } from './api.js';
import { number } from './format.js';

const AT_ONCE = 1000; // records of one request

/** `errors` are rows with job_id and record_id. Resolves to `{records, jobs, failure}`; those before a failure are on their way. */
export async function retry(errors) {
  const jobs = new Map();
  for (const error of errors) jobs.set(error.job_id, [...(jobs.get(error.job_id) ?? []), error.record_id]);
  let records = 0;
  let done = 0;
  for (const [job, keys] of jobs) {
    for (let from = 0; from < keys.length; from += AT_ONCE) {
      try {
        const said = await post(`/api/jobs/${job}/retry`, { record_ids: keys.slice(from, from + AT_ONCE) });
        records += Number(said.records);
      } catch (failure) {
        return { records, jobs: done, failure };
      }
    }
    done += 1;
  }
  return { records, jobs: done, failure: null };
}

/** What came of it, in words. */
export function outcome({ records, jobs }) {
  return `${number(records)} ${records === 1 ? 'record goes' : 'records go'} back to work in ${number(jobs)} ${jobs === 1 ? 'job' : 'jobs'}.`;
}
