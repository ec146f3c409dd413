insert into @extschema@.vb_audit_events (action, role, session_role, client_id, job_id, subject, detail)
values ($1, pg_catalog.pg_get_userbyid($2), pg_catalog.pg_get_userbyid($3), $4, $5, $6, $7::jsonb)
