-- No row when the client has an unfinished job of the same sort for the source and vector type.
insert into @extschema@.vb_jobs
    (client_id, source, source_name, vector_type, preference, requested_provider, requested_batch_size, max_retries,
     priority, reembed, job_role, max_tokens, max_cost)
values ($1, $2::regclass, $3, $4, $5, $6, $7, $8,
        coalesce($9, (select s.priority from @extschema@.vb_source_settings s where s.source = $2),
                 @extschema@.vb_default_priority($2::regclass)), $10, $11, $12, $13)
on conflict (client_id, source, vector_type, reembed) where kind = 'backfill' and state in ('queued', 'running', 'paused')
do nothing
returning job_id
