-- What sources that are kept in step look like: their columns, keys and settings, their parts and the files of these. Columns by
-- position, for those that get another name.
select s.source::oid,
       pg_catalog.md5(pg_catalog.concat_ws(
           '|',
           (select pg_catalog.string_agg(pg_catalog.concat_ws(' ', a.attnum, a.attname, a.atttypid), ',' order by a.attnum)
            from pg_catalog.pg_attribute a where a.attrelid = s.source and a.attnum > 0 and not a.attisdropped),
           (select i.indkey::text from pg_catalog.pg_index i where i.indrelid = s.source and i.indisprimary),
           (select pg_catalog.string_agg(pg_catalog.concat_ws(' ', c.oid, c.relfilenode), ',' order by c.oid)
            from pg_catalog.pg_class c
            where c.oid = s.source
               or c.oid = any(p.parts)),
           (select pg_catalog.string_agg(pg_catalog.concat_ws(' ', t.oid, t.tgenabled), ',' order by t.oid)
            from pg_catalog.pg_trigger t join pg_catalog.pg_proc f on f.oid = t.tgfoid
            where (t.tgrelid = s.source or t.tgrelid = any(p.parts)) and f.proname = 'vb_sync_trigger'),
           (select pg_catalog.to_jsonb(q)::text
            from (select o.client_column, o.key_columns, o.active_column, o.payload_columns
                  from @extschema@.vb_source_settings o where o.source = s.source) q),
           (select pg_catalog.jsonb_agg(pg_catalog.to_jsonb(q) order by q.vector_type)::text
            from (select t.vector_type, t.text_columns, t.template, t.chunk_tokens, t.chunk_overlap
                  from @extschema@.vb_source_texts t
                  where t.source = s.source and t.vector_type = any(s.vector_types)) q)
       )),
       -- Position 0 stands for the table itself: in a restored copy the same columns have other positions.
       (select (coalesce(pg_catalog.jsonb_object_agg(a.attnum, a.attname), '{}')
                || pg_catalog.jsonb_build_object('0', pg_catalog.concat_ws('.', (
                       select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database()
                   ), s.source::oid)))::text
        from pg_catalog.pg_attribute a where a.attrelid = s.source and a.attnum > 0 and not a.attisdropped),
       exists (select from pg_catalog.pg_class c where c.oid = s.source)
from (select source, vector_types from @extschema@.vb_syncs where $1::oid is null
      union all select $1::oid::regclass, $2::text[] where $1::oid is not null) s
-- Without a lock on the parts: somebody may be at work on one.
cross join lateral (
    with recursive parts(oid) as (
        select i.inhrelid from pg_catalog.pg_inherits i where i.inhparent = s.source
        union
        select i.inhrelid from pg_catalog.pg_inherits i join parts o on i.inhparent = o.oid
    )
    select array(select oid from parts) as parts
) p
