-- Sources whose table is gone, under the name they had when somebody last asked for a backfill.
select s.source::oid,
       (select j.source_name from @extschema@.vb_jobs j where j.source = s.source order by j.job_id desc limit 1)
from @extschema@.vb_source_settings s
where not exists (select from pg_catalog.pg_class c where c.oid = s.source)
order by s.source::oid
