//! Vectors follow the rows of tables of every shape, however these change.

use vb_tests::agreement::{self, Expectation};
use vb_tests::client::Client;
use vb_tests::store::Store;
use vb_tests::{jobs, sync, wait};

use crate::sync_shop::Shop;

/// Checks a client's rows of a source against the query that gives their keys and texts.
fn agree(client: &mut Client, store: &Store, client_id: i64, source: &str, rows: &str) -> usize {
    agreement::assert_agreement(
        client,
        store,
        Expectation {
            client_id,
            source,
            vector_type: "content",
            rows,
        },
    )
}

fn backfill(client: &mut Client, client_id: i64, source: &str) {
    let job = client.value(
        "select vb_enqueue_backfill($1::bigint, $2::text::regclass, provider => 'double')",
        &[&client_id, &source],
    );
    jobs::completed(client, job);
}

#[test]
fn partitions_that_come_and_go_take_their_vectors_with_them() {
    let mut shop = Shop::open("");
    let Shop { client, store, .. } = &mut shop;
    client.run(
        "create table events (id bigint, client_id bigint not null, content text, made date) partition by range (made);
         create table events_1 partition of events for values from ('2026-01-01') to ('2026-02-01');
         create table events_2 partition of events for values from ('2026-02-01') to ('2026-03-01') partition by list (client_id);",
    );
    client.run(
        "select vb_configure_source('events', key_columns => array['id', 'made']);
         create table events_2_1 partition of events_2 for values in (1);
         create table events_2_2 partition of events_2 for values in (2);
         insert into events select n, 1 + n % 2, 'event ' || n || ' says ' || n, date '2026-01-01' + n % 59 from generate_series(1, 200) n",
    );
    let rows = |client_id: i64| {
        format!(
            "select jsonb_build_array(id::text, made::text)::text, content from events where client_id = {client_id}"
        )
    };
    let check = |client: &mut Client| {
        [1, 2]
            .map(|client_id| agree(client, store, client_id, "events", &rows(client_id)))
            .iter()
            .sum::<usize>()
    };
    backfill(client, 1, "events");
    backfill(client, 2, "events");
    assert_eq!(check(client), 200);
    sync::enable(client, "events");
    // Through the parent, through a part, and from one part to another.
    client.run("update events set content = content || '!' where id < 20");
    client.run("update events_1 set content = content || '?' where id between 10 and 30");
    client.run("update events set made = made + 30 where made < '2026-01-20' and id < 100");
    client.run("delete from events_2_1 where id between 50 and 60");
    sync::settled(client);
    check(client);
    // A part that comes with rows, and gets more.
    client.run(
        "create table events_3 (like events);
         insert into events_3 select n, 1 + n % 2, 'late ' || n || ' says ' || n, '2026-03-05' from generate_series(1001, 1050) n;
         alter table events attach partition events_3 for values from ('2026-03-01') to ('2026-04-01')",
    );
    sync::settled_after_a_look(client);
    let with_three = check(client);
    client.run("insert into events_3 values (2000, 1, 'one more says hello', '2026-03-09')");
    sync::settled(client);
    assert_eq!(check(client), with_three + 1);
    // And one that is made later.
    client.run(
        "create table events_4 partition of events for values from ('2026-04-01') to ('2026-05-01');
         insert into events_4 values (3000, 2, 'the last says bye', '2026-04-09')",
    );
    sync::settled(client);
    assert_eq!(check(client), with_three + 2);
    client.run("alter table events detach partition events_3");
    sync::settled_after_a_look(client);
    assert_eq!(check(client), with_three + 1 - 50);
    client.run("truncate events_2_2");
    sync::settled_after_a_look(client);
    check(client);
    client.run("drop table events_1");
    sync::settled_after_a_look(client);
    check(client);
    client.run("truncate events");
    sync::settled(client);
    assert_eq!(check(client), 0);
    let left: bool = client.value("select vb_disable_sync('events')", &[]);
    let triggers: i64 = client.value(
        "select count(*) from pg_trigger t where t.tgname like 'vector_backfill%'",
        &[],
    );
    assert!(left && triggers == 0);
}

#[test]
fn columns_and_tables_that_get_another_name_or_type_are_followed() {
    let mut shop = Shop::open("");
    shop.client.run(
        "alter table notes add title text, add body text;
         select vb_configure_source('notes', template => '{title}: {content}')",
    );
    sync::enable(&mut shop.client, "notes");
    let check = |shop: &mut Shop, source: &str, columns: (&str, &str)| {
        let rows = format!(
            "select id::text, case when coalesce(nullif({0}, ''), nullif({1}, '')) is not null then concat({0}, ': ', {1}) end from {source} where client_id = 1",
            columns.0, columns.1
        );
        agree(&mut shop.client, &shop.store, 1, source, &rows)
    };
    let count = check(&mut shop, "notes", ("title", "content"));
    shop.client
        .run("alter table notes rename content to wording; alter table notes rename title to heading");
    shop.client.run("update notes set heading = 'renamed' where id < 10");
    sync::settled_after_a_look(&mut shop.client);
    assert_eq!(check(&mut shop, "notes", ("heading", "wording")), count);
    let template: String = shop
        .client
        .value("select template from vb_sources where source = 'notes'::regclass", &[]);
    assert_eq!(template, "{heading}: {wording}");
    shop.client
        .run("alter table notes rename to remarks; update remarks set heading = 'twice' where id < 5");
    sync::settled(&mut shop.client);
    check(&mut shop, "remarks", ("heading", "wording"));
    // The names are exchanged.
    shop.client.run(
        "begin; alter table remarks rename heading to x; alter table remarks rename wording to heading;
         alter table remarks rename x to wording; commit; update remarks set wording = 'thrice' where id < 3",
    );
    sync::settled_after_a_look(&mut shop.client);
    check(&mut shop, "remarks", ("wording", "heading"));
    shop.client.run(
        "alter table remarks add extra text, drop body, alter id type bigint;
         update remarks set extra = 'nothing', heading = heading || '.' where id < 20",
    );
    sync::settled_after_a_look(&mut shop.client);
    check(&mut shop, "remarks", ("wording", "heading"));
    // A column of the template goes: nobody's update fails, and putting it right is enough.
    shop.client
        .run("alter table remarks drop wording; update remarks set heading = heading || ' alone' where id < 7");
    wait::until("a reason why nothing moves", || {
        shop.client
            .value::<Option<String>>("select trouble from vb_sync_status()", &[])
    });
    shop.client
        .run("select vb_configure_source('remarks', text_columns => array['heading'])");
    shop.client
        .run("select vb_resume(job_id) from vb_jobs where kind = 'sync' and state = 'paused'");
    sync::settled_after_a_look(&mut shop.client);
    shop.client
        .run("select vb_resume(job_id) from vb_jobs where kind = 'sync' and state = 'paused'");
    sync::settled(&mut shop.client);
    agree(
        &mut shop.client,
        &shop.store,
        1,
        "remarks",
        "select id::text, heading from remarks where client_id = 1",
    );
    shop.client.run("drop table remarks");
    wait::until("the source to be forgotten", || {
        (shop.client.value::<i64>("select count(*) from vb_syncs", &[]) == 0).then_some(())
    });
}

#[test]
fn keys_of_every_type_are_written_as_backfills_write_them() {
    let mut shop = Shop::open("");
    let Shop { client, store, .. } = &mut shop;
    client.run("create domain code as char(6); create type level as enum ('low', 'high')");
    for (number, key) in [
        "timestamptz",
        "date",
        "interval",
        "numeric(10,2)",
        "float8",
        "boolean",
        "bytea",
        "inet",
        "code",
        "level",
        "name",
        "uuid",
        "text",
        "macaddr",
        "int4range",
        "\"char\"",
    ]
    .into_iter()
    .enumerate()
    {
        let table = format!("keys_{number}");
        let value = match key {
            "timestamptz" | "date" => {
                "(timestamptz '2026-03-04 05:06:07+00' + n * interval '1 day')::".to_owned() + key
            }
            "interval" => "n * interval '25 hours 3 seconds'".to_owned(),
            "boolean" => "(n % 2 = 0)".to_owned(),
            "bytea" => "('\\x0' || n % 10)::bytea".to_owned(),
            "inet" => "('10.0.0.' || n)::inet".to_owned(),
            "level" => "(array['low', 'high'])[1 + n % 2]::level".to_owned(),
            "uuid" => "md5(n::text)::uuid".to_owned(),
            "macaddr" => "('08:00:2b:01:02:0' || n % 10)::macaddr".to_owned(),
            "int4range" => "int4range(n, n + 5)".to_owned(),
            "\"char\"" => "chr(96 + n)::\"char\"".to_owned(),
            "numeric(10,2)" | "float8" => format!("(n / 3.0)::{key}"),
            other => format!("('k ' || n)::{other}"),
        };
        client.run(&format!(
            "create table {table} (id {key}, n int, client_id numeric not null, content text, primary key (id, client_id));
             select vb_configure_source('{table}', key_columns => array['id']);
             insert into {table} select distinct on (id) id, n, 1, content
                 from (select {value} as id, n, 'first says ' || n as content from generate_series(1, 2) n) rows"
        ));
        backfill(client, 1, &table);
        sync::enable(client, &table);
        // Whatever the session thinks of dates and numbers.
        client.run(&format!(
            "set datestyle = 'German, DMY'; set intervalstyle = 'sql_standard'; set timezone = 'Asia/Kolkata';
             set bytea_output = 'escape'; set extra_float_digits = -5;
             update {table} set content = 'second says ' || n where n = 2;
             insert into {table} select {value}, n, 1, 'third says ' || n from generate_series(5, 5) n on conflict do nothing;
             reset all"
        ));
        sync::settled(client);
        client.run(
            "set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; set timezone = 'UTC'; set bytea_output = 'hex';
             set extra_float_digits = 1",
        );
        let points = agree(
            client,
            store,
            1,
            &table,
            &format!("select id::text, content from {table} where client_id = 1"),
        );
        assert!(points >= 2, "{key}");
        client.run(&format!("delete from {table}"));
        sync::settled(client);
        assert_eq!(
            agree(
                client,
                store,
                1,
                &table,
                &format!("select id::text, content from {table}")
            ),
            0,
            "{key}"
        );
    }
}

#[test]
fn views_are_followed_by_triggers_made_by_hand() {
    let mut shop = Shop::open("");
    let Shop { client, store, .. } = &mut shop;
    client.run(
        "create table labels (note int, label text);
         create view labelled as select id, client_id, content || coalesce(' ' || label, '') as content
             from notes left join labels on note = id;
         select vb_configure_source('labelled', key_columns => array['id'])",
    );
    backfill(client, 1, "labelled");
    client.take_notices();
    sync::enable(client, "labelled");
    assert!(client.take_notices()[0].message.contains("not seen by themselves"));
    client.run(
        "create trigger rows after insert or update or delete on notes for each row
             execute function vb_sync_trigger('public.labelled');
         create trigger added after insert on labels referencing new table as added for each statement
             execute function vb_sync_trigger('public.labelled')",
    );
    client.run("update notes set content = 'by hand says ' || id where id < 5; delete from notes where id = 6");
    sync::settled(client);
    let rows = "select id::text, content from labelled where client_id = 1";
    agree(client, store, 1, "labelled", rows);
    // The other table does not even have the key: everything is looked at.
    client.run("insert into labels values (7, 'urgent'), (8, 'calm')");
    sync::settled(client);
    agree(client, store, 1, "labelled", rows);
}

#[test]
fn statement_triggers_with_transition_tables_note_the_same_rows() {
    let mut shop = Shop::open("");
    shop.client.run("select vb_enable_sync('notes')");
    sync::settled(&mut shop.client);
    shop.client.run(
        "do $$ declare t text; begin
             for t in select tgname from pg_trigger where tgrelid = 'notes'::regclass loop
                 execute format('drop trigger %I on notes', t);
             end loop; end $$;
         create trigger i after insert on notes referencing new table as n for each statement execute function vb_sync_trigger();
         create trigger u after update on notes referencing new table as n old table as o for each statement execute function vb_sync_trigger();
         create trigger d after delete on notes referencing old table as o for each statement execute function vb_sync_trigger();
         create trigger t after truncate on notes for each statement execute function vb_sync_trigger();",
    );
    assert_eq!(
        shop.texts_for("update notes set content = content || ' more' where id between 3 and 5"),
        3
    );
    assert_eq!(
        shop.texts_for("insert into notes values (900, 2, 'nine hundred says so')"),
        1
    );
    assert_eq!(shop.texts_for("update notes set client_id = client_id"), 0);
    shop.after("delete from notes where id in (900, 7)");
    shop.after("update notes set id = id + 7000, client_id = 3 - client_id where id < 4");
    shop.after("truncate notes");
    let error = shop.client.error("select vb_sync_trigger()", &[]);
    assert_eq!(error.code, "39P01");
    shop.client
        .run("create trigger b before insert on notes for each row execute function vb_sync_trigger()");
    let error = shop.client.error("insert into notes values (1, 1, 'x')", &[]);
    assert_eq!(
        (error.code.as_str(), error.message.contains("does not fire AFTER")),
        ("39P01", true)
    );
}

#[test]
fn statements_of_every_kind_are_followed() {
    let mut shop = Shop::open_in_step("");
    shop.after("insert into notes values (1, 1, 'a says b'), (901, 1, 'c says d') on conflict (id) do update set content = excluded.content");
    shop.after("insert into notes values (2, 1, 'ignored') on conflict do nothing");
    shop.after(
        "merge into notes n using (values (3, 'merged says so'), (902, 'new says so'), (4, null)) as v(id, content) on n.id = v.id
         when matched and v.content is null then delete
         when matched then update set content = v.content
         when not matched then insert values (v.id, 2, v.content)",
    );
    shop.after("with gone as (delete from notes where id between 30 and 35 returning *) insert into notes select id + 8000, client_id, content || ' moved' from gone");
    shop.after(
        "create table owners (id int primary key); insert into owners select generate_series(1, 5);
         alter table notes add owner int references owners on delete cascade on update cascade;
         update notes set owner = 1 + id % 5 where id between 40 and 49; delete from owners where id = 3",
    );
    shop.after(
        "create function touch() returns trigger language plpgsql as $$ begin new.content := new.content || ' (touched)'; return new; end $$;
         create trigger zz before update on notes for each row execute function touch();
         update notes set owner = null where id = 44",
    );
    shop.after(
        "create procedure many() language plpgsql as $$ begin
             for n in 1..5 loop update notes set content = 'round ' || n || ' says ' || id where id = 50 + n; commit; end loop; end $$",
    );
    shop.after("call many()");
    shop.after(
        "begin; update notes set content = 'read only says so' where id = 51; set transaction read only; commit",
    );
    shop.after("begin isolation level serializable; update notes set content = 'serial says so' where id = 52; commit");
    shop.client
        .run("create role writer; grant select, update on notes to writer; set role writer");
    shop.client
        .run("update notes set content = 'a writer says so' where id = 53; reset role");
    shop.after("select 1");
}

#[test]
fn what_replication_applies_is_followed_on_the_subscriber() {
    let mut shop = Shop::open("wal_level = logical\nmax_logical_replication_workers = 4");
    let mut source = shop.cluster.create_database("upstream");
    source.run("create table notes (id int primary key, client_id bigint not null, content text)");
    source.run("create publication all_notes for table notes");
    source.rows("select pg_create_logical_replication_slot('follow', 'pgoutput')", &[]);
    sync::enable(&mut shop.client, "notes");
    let home = shop.cluster.home().display().to_string();
    shop.client.run(&format!(
        "create subscription follow connection 'host={home} port=54321 dbname=upstream user=postgres'
             publication all_notes with (create_slot = false, slot_name = 'follow', copy_data = false)"
    ));
    source.run("insert into notes select n, 1, 'upstream ' || n || ' says ' || n from generate_series(7001, 7020) n");
    source.run("update notes set content = 'changed says ' || id where id < 7005; delete from notes where id = 7010");
    wait::until("the changes to arrive", || {
        let arrived: i64 = shop.client.value(
            "select count(*) from notes where id > 7000 and (id > 7004 or content like 'changed%')",
            &[],
        );
        (arrived == 19).then_some(())
    });
    sync::settled(&mut shop.client);
    shop.agrees();
    shop.client.run("alter subscription follow disable");
}
