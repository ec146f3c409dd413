//! A database with two tenants, and mallory, who has a client of her own and a schema full of traps.

use std::collections::BTreeSet;

use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::jobs;

/// Mallory's own tables, functions and operators: whatever runs one of these functions shows in `den.loot` as whom.
const DEN: &str = r#"
    create schema den authorization mallory;
    grant create on schema public to mallory;
    set role mallory;
    create table den.loot (ran_as text, what text);
    grant insert on den.loot to public; grant usage on schema den to public;
    create function den.catch(what text) returns text language plpgsql volatile as $$
    begin
        insert into den.loot values (current_user, what);
        return what;
    exception when others then return what;
    end $$;
    create table den.own (id int primary key, client_id bigint, title text);
    insert into den.own select n, 3, 'mallory has title ' || n from generate_series(1, 4) n;
    create table den.false_flag (id int primary key, client_id bigint, title text);
    insert into den.false_flag values (1, 1, 'mallory says this is of client 1'), (2, 2, 'and this of client 2');
    create table den.crafted (id text primary key, client_id bigint, title text);
    insert into den.crafted values ('["1"]', 3, 'an array'), ($$1'; drop table den.own; --$$, 3, 'a quote'), ('', 3, 'empty'),
        (E'\u202E\u0001', 3, 'control'), (repeat('k', 1500), 3, 'long');
    create view den.trap as
        select id, client_id, title || den.catch(' view ') || (select count(*) from pg_catalog.pg_roles) as title from den.own;
    create view den.window as select * from public.issues;
    create table den.guarded (id int primary key, client_id bigint, title text);
    insert into den.guarded select * from den.own;
    alter table den.guarded enable row level security;
    create policy trap on den.guarded using (den.catch('policy') is not null);
    create function den.checks(text) returns boolean language sql volatile as $$ select den.catch('domain') is not null $$;
    create domain den.key as text check (den.checks(value));
    create table den.domains (id den.key primary key, client_id bigint, title text);
    insert into den.domains values ('a', 3, 'of a domain'), ('b', 3, 'another');
    create function den.leaks(text) returns boolean language plpgsql cost 0.0000001 as $$
        begin raise notice 'seen: %', $1; return true; end $$;
    create function den.leaks(bigint) returns boolean language plpgsql cost 0.0000001 as $$
        begin raise notice 'seen: client %', $1; return true; end $$;
    create operator den.~~~ (leftarg = text, rightarg = text, procedure = pg_catalog.textlike);
    -- Names that our own code uses, in a schema that comes first on the path.
    create function public.format(text, variadic text[]) returns text language sql volatile as $$ select den.catch('format') $$;
    create function public.count(bigint) returns bigint language sql volatile as $$ select den.catch('count')::bigint $$;
    create function public.greatest_of(bigint) returns bigint language sql as $$ select $1 $$;
    create function public.vb_wait(bigint, text) returns text language sql volatile as $$ select den.catch('vb_wait') $$;
    create function public.same(bigint, bigint) returns boolean language sql volatile as $$ select den.catch('=') is null $$;
    create operator public.= (leftarg = bigint, rightarg = bigint, procedure = public.same);
    create function public.same(text, text) returns boolean language sql volatile as $$ select den.catch('=') is null $$;
    create operator public.= (leftarg = text, rightarg = text, procedure = public.same);
    create function public.contained(int[], int[]) returns boolean language sql volatile as $$ select den.catch('<@') is not null $$;
    create operator public.<@ (leftarg = int[], rightarg = int[], procedure = public.contained);
    create function den.as_definer(bigint) returns setof text language sql security definer as
        $$ select public.vb_search($1, 'public.issues', 'canary')::text $$;
    grant execute on all functions in schema den to public;
    reset role;
"#;

/// Two tenants with embedded rows under row-level security, and mallory with her den.
pub(crate) fn shop(tenancy: &str) -> (Cluster, Client) {
    let cluster = Cluster::with_settings(&format!(
        "shared_preload_libraries = 'vector_backfill'
         vector_backfill.tenancy = '{tenancy}'"
    ));
    let mut client = cluster.create_database("shop");
    client.run(
        "create role one login; create role two login; create role mallory login;
         create table issues (id int primary key, client_id bigint not null, title text);
         insert into issues select n, 1 + n % 2, 'the canary of client ' || 1 + n % 2 || ' sings song ' || n from generate_series(1, 12) n;
         create table secrets (id int primary key, client_id bigint, title text);
         insert into secrets values (1, 3, 'a secret canary');
         grant select on issues to one, two, mallory;
         alter table issues enable row level security;
         create policy of_one on issues to one using (client_id = 1);
         create policy of_two on issues to two using (client_id = 2);
         create policy of_three on issues to mallory using (client_id = 3);
         select vb_grant_access('one', 1, 'write'), vb_grant_access('two', 2, 'write'), vb_grant_access('mallory', 3, 'write')",
    );
    for (role, client_id) in [("one", 1), ("two", 2)] {
        let job = jobs::enqueue(&mut cluster.connect_as("shop", role), client_id, "issues");
        assert_eq!(jobs::completed(&mut client, job).successful, 6);
    }
    client.run("select vb_schedule_backfill(1, 'issues', provider => null); analyze");
    client.run(
        "create table plain as select n as id, 1::bigint as client_id, 'a plain canary ' || n as title from generate_series(1, 40) n;
         alter table plain add primary key (id); grant select on plain to one",
    );
    client.run(DEN);
    (cluster, client)
}

/// Whatever ran in mallory's den since the last look, and as whom.
pub(crate) fn loot(client: &mut Client) -> BTreeSet<String> {
    let found: Vec<String> = client.values(
        "with taken as (delete from den.loot returning ran_as || ':' || trim(what) as what) select what from taken",
        &[],
    );
    found.into_iter().collect()
}
