-- The tables of an ordinary application: nothing in them knows about vectors.
-- They belong to an ordinary role, as tables should: the worker reads them as that role, never as a superuser.
set role demo;

create table projects (
    id bigint primary key,
    client_id bigint not null,
    title text not null,
    summary text,
    description text,
    type text,
    priority text,
    status text,
    active boolean not null,
    created_at timestamptz not null
);

create table issues (like projects including all);
