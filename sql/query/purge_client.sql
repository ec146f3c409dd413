-- Everything that is known of a client. Gives the numbers of references and jobs.
with serving as (delete from @extschema@.qdrant_vectors where client_id = $1 returning 1),
     building as (delete from @extschema@.vb_next_vectors where client_id = $1 returning 1),
     jobs as (delete from @extschema@.vb_jobs where client_id = $1 returning 1),
     generations as (
         delete from @extschema@.vb_collection_generations where client_id = $1 returning store, name, is_shared
     ),
     -- A shared collection goes with the last share.
     emptied as (
         insert into @extschema@.vb_collection_removals (store, name, is_shared)
         select g.store, g.name, true from generations g where g.is_shared and g.name is not null
     ),
     removals as (delete from @extschema@.vb_collection_removals where client_id = $1),
     counted as (delete from @extschema@.vb_counted_records where client_id = $1),
     windows as (delete from @extschema@.vb_windows where client_id = $1),
     schedules as (delete from @extschema@.vb_backfill_schedules where client_id = $1),
     limits as (delete from @extschema@.vb_client_limits where client_id = $1),
     usage as (delete from @extschema@.vb_client_usage where client_id = $1),
     noted as (delete from @extschema@.vb_changes where client_id = $1),
     pending as (delete from @extschema@.vb_pending_changes where client_id = $1),
     providers as (delete from @extschema@.vb_providers where client_id = $1 returning name),
     provider_usage as (
         delete from @extschema@.vb_provider_usage u using providers p where u.name = p.name
     )
select (select count(*) from serving) + (select count(*) from building), (select count(*) from jobs)
