-- Work that somebody asked for. The states and their transitions are those of src/catalog/job_state.rs. While reembed is
-- true the job builds a collection beside the one that serves, which another job may keep true meanwhile. A job of kind sync
-- looks at what has changed, one of kind backfill at everything.
create table vb_jobs (
    job_id                bigint generated always as identity primary key,
    client_id             bigint not null check (client_id >= 0),
    source                regclass not null,
    source_name           text not null,
    vector_type           text not null,
    preference            text not null check (preference in ('auto', 'fast', 'balanced', 'quality')),
    requested_provider    text,
    requested_batch_size  int check (requested_batch_size between 1 and 10000),
    max_retries           int not null check (max_retries between 0 and 100),
    priority              int not null check (priority between 1 and 100),
    reembed               boolean not null default false,
    kind                  text not null default 'backfill' check (kind in ('backfill', 'sync')),
    max_tokens            bigint check (max_tokens > 0),
    max_cost              numeric check (max_cost > 0::numeric),
    job_role              regrole not null,
    state                 text not null default 'queued'
                          check (state in ('queued', 'running', 'paused', 'completed', 'failed', 'cancelled')),
    attempts              int not null default 0,
    next_attempt_at       timestamptz,
    current_provider      text,
    model                 text,
    reason                text,
    batch_size            int,
    concurrency           int check (concurrency > 0),
    total_records         bigint not null default 0,
    successful_records    bigint not null default 0,
    failed_records        bigint not null default 0,
    skipped_records       bigint not null default 0,
    removed_records       bigint not null default 0,
    truncated_records     bigint not null default 0,
    current_batch         int not null default 0,
    tokens                bigint not null default 0,
    cost                  numeric not null default 0,
    records_per_second    real,
    last_error            text,
    created_at            timestamptz not null default pg_catalog.clock_timestamp(),
    started_at            timestamptz,
    updated_at            timestamptz not null default pg_catalog.clock_timestamp(),
    finished_at           timestamptz,
    check ((finished_at is not null) = (state in ('completed', 'failed', 'cancelled')))
);
create unique index vb_jobs_unfinished
    on vb_jobs (client_id, source, vector_type, reembed) where kind = 'backfill' and state in ('queued', 'running', 'paused');
-- One for all changes of a client, source and vector type; it is opened again when there are some.
create unique index vb_jobs_sync on vb_jobs (client_id, source, vector_type) where kind = 'sync';
create index vb_jobs_runnable on vb_jobs (priority desc, job_id) where state in ('queued', 'running');
create index vb_jobs_waking on vb_jobs (next_attempt_at) where state = 'paused';
comment on table vb_jobs is 'Jobs; read vb_job_status instead';

-- Batches in flight, and those that wait because they were in flight when a worker died: crashes counts how often. A
-- suspect is a part of a batch that was in flight at two crashes; it runs alone.
create table vb_batches (
    batch_id    bigint generated always as identity primary key,
    job_id      bigint not null references vb_jobs on delete cascade,
    record_ids  text[] not null,
    attempt     int not null default 1,
    crashes     int not null default 0,
    in_flight   boolean not null default true,
    suspect     boolean not null default false,
    started_at  timestamptz not null default pg_catalog.clock_timestamp()
);
create index vb_batches_job on vb_batches (job_id);
comment on table vb_batches is 'Batches in flight; read vb_active_batches instead';

-- Dead letters: records that a job set aside.
create table vb_job_errors (
    job_id        bigint not null references vb_jobs on delete cascade,
    record_id     text not null,
    content_hash  bytea,
    error_class   text not null check (error_class in ('source', 'record', 'transient', 'crash')),
    message       text not null,
    attempts      int not null,
    failed_at     timestamptz not null default pg_catalog.clock_timestamp(),
    primary key (job_id, record_id)
);
create index vb_job_errors_latest on vb_job_errors (job_id, failed_at desc);
comment on table vb_job_errors is 'Records that a job could not embed; read vb_error_report instead';

-- What jobs did in a moment, for charts: one every few seconds while a job is worked at, merged into fewer with age. Times in seconds.
create table vb_job_samples (
    job_id              bigint not null references vb_jobs on delete cascade,
    sampled_at          timestamptz not null default pg_catalog.clock_timestamp(),
    -- Samples of one age have one resolution: at most one in so many seconds.
    resolution          int not null default 5,
    covers              double precision not null check (covers operator(pg_catalog.>=) 0::double precision),
    records             bigint not null,
    failed              bigint not null,
    tokens              bigint not null,
    batches             int not null,
    batch_latency_p50   double precision,
    batch_latency_p95   double precision,
    primary key (job_id, sampled_at)
);
create index vb_job_samples_age on vb_job_samples (resolution, sampled_at);
comment on table vb_job_samples is 'What jobs did in a moment; read vb_throughput instead';

-- Where a dump is read back, jobs that had not ended go on. Batches that were in flight are begun anew.
select pg_catalog.pg_extension_config_dump('vb_jobs', '');
select pg_catalog.pg_extension_config_dump('vb_jobs_job_id_seq', '');
select pg_catalog.pg_extension_config_dump('vb_job_errors', '');
select pg_catalog.pg_extension_config_dump('vb_job_samples', '');
