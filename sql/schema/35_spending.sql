-- What clients may spend on embeddings a day, and what they did. Days are those of UTC.
create table vb_client_limits (
    client_id           bigint primary key check (client_id >= 0),
    max_tokens_per_day  bigint check (max_tokens_per_day >= 0),
    max_cost_per_day    numeric check (max_cost_per_day >= 0::numeric),
    max_records_per_second  int check (max_records_per_second > 0),
    max_jobs            int check (max_jobs > 0),
    max_records_per_day  bigint check (max_records_per_day >= 0),
    max_collections     int check (max_collections >= 0),
    check (pg_catalog.num_nonnulls(max_tokens_per_day, max_cost_per_day, max_records_per_second, max_jobs, max_records_per_day,
                                   max_collections) > 0)
);
comment on table vb_client_limits is 'The most that a client may spend and embed in a day of UTC, embed in a second, run at a time and have; set with vb_set_client_limits';

create table vb_client_usage (
    client_id  bigint not null,
    day        date not null,
    provider   text not null,
    tokens     bigint not null default 0,
    cost       numeric not null default 0,
    records    bigint not null default 0,
    primary key (client_id, day, provider)
);
comment on table vb_client_usage is 'What a client''s work and searches spent in a day of UTC with a provider, repetitions included, and the records that it embedded';

select pg_catalog.pg_extension_config_dump('vb_client_limits', '');
select pg_catalog.pg_extension_config_dump('vb_client_usage', '');
