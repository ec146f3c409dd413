-- What is known of a source beyond the rules that hold without configuration. NULL means: by those rules.
create table vb_source_settings (
    source           regclass primary key,
    client_column    name default 'client_id',
    key_columns      name[] check (pg_catalog.cardinality(key_columns) > 0),
    active_column    name,
    order_column     name,
    payload_columns  name[] check (pg_catalog.cardinality(payload_columns) between 1 and 32),
    priority         int check (priority between 1 and 100)
);
comment on table vb_source_settings is 'Tables that vector_backfill embeds; a NULL client_column makes a single-tenant source (client 0)';

create table vb_source_texts (
    source         regclass not null references vb_source_settings on delete cascade,
    vector_type    text not null check (vector_type ~ '^[a-z][a-z0-9_]{0,62}$'),
    text_columns   name[] check (pg_catalog.cardinality(text_columns) > 0),
    template       text,
    chunk_tokens   int check (chunk_tokens between 8 and 8192),
    chunk_overlap  int check (chunk_overlap >= 0),
    primary key (source, vector_type),
    check (text_columns is null or template is null),
    check (chunk_overlap is null or chunk_overlap < chunk_tokens)
);
comment on table vb_source_texts is 'What text of a row is embedded for a vector type; NULL columns and template: by the rules';

-- Higher goes first. The names are those of an issue tracker's tables.
create function vb_default_priority(source regclass) returns int
language sql stable parallel safe
set search_path = pg_catalog, pg_temp
return (
    select case
        when c.relname in ('issues', 'pull_requests') then 10
        when c.relname in ('projects', 'repositories') then 9
        when c.relname in ('comments', 'reviews', 'pull_request_comments', 'pull_request_reviews') then 7
        when c.relname in ('users', 'issue_changelogs') then 6
        when c.relname in ('statuses', 'issuetypes') then 4
        when c.relname = 'workflows' then 3
        when c.relname = 'system_settings' then 2
        when c.relname like 'dora\_%' then 1
        else 5
    end
    from pg_catalog.pg_class c where c.oid = source::oid
);
comment on function vb_default_priority(regclass) is 'Priority of a source that has none configured: 10 is most urgent, 1 least';

select pg_catalog.pg_extension_config_dump('vb_source_settings', '');
select pg_catalog.pg_extension_config_dump('vb_source_texts', '');
