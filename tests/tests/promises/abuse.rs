//! What a tenant does to hold up others: slow views, locks, open transactions. Its own work waits, and nobody else's.

use vb_tests::{jobs, wait};

use crate::den::shop;

#[test]
fn a_view_that_takes_for_ever_stops_its_own_job_and_nobody_elses() {
    let (cluster, mut client) = shop("collection");
    client.run("alter system set vector_backfill.source_timeout = '1s'");
    client.reload();
    client.run(
        "create function den.sleeps(text) returns text language plpgsql volatile as $$
         begin perform pg_sleep(1000); return $1; end $$;
         create view den.slow as select id, client_id, case when id = 3 then den.sleeps(title) else title end as title from den.own;
         alter function den.sleeps(text) owner to mallory; alter view den.slow owner to mallory;
         select vb_configure_source('den.slow', key_columns => '{id}')",
    );
    let mut mallory = cluster.connect_as("shop", "mallory");
    let slow = jobs::enqueue(&mut mallory, 3, "den.slow");
    // Its look is given to a reader; what others do goes on meanwhile.
    wait::until("a reader", || {
        let readers: i64 = client.value(
            "select count(*) from pg_stat_activity where backend_type = 'vector_backfill reader'",
            &[],
        );
        (readers == 1).then_some(())
    });
    let mut one = cluster.connect_as("shop", "one");
    client.run("update issues set title = title || ', and once more' where client_id = 1");
    let job = jobs::enqueue(&mut one, 1, "issues");
    assert_eq!(jobs::completed(&mut client, job).successful, 6);
    client.run(&format!("select vb_cancel({slow})"));

    // Rows that are slow only when a batch reads them.
    client.run(
        "create or replace view den.slow as select id, client_id, title from den.own;
         create table den.switch (is_slow boolean); insert into den.switch values (false);
         create or replace function den.sleeps(text) returns text language plpgsql volatile as $$
         begin if (select is_slow from den.switch) then perform pg_sleep(1000); end if; return $1; end $$;
         alter table den.switch owner to mallory;
         insert into den.own select n, 3, 'mallory has title ' || n from generate_series(100, 600) n;
         create or replace view den.slow as select id, client_id, den.sleeps(title) as title from den.own",
    );
    let slow: i64 = mallory.value("select vb_enqueue_backfill(3, 'den.slow', batch_size => 20)", &[]);
    jobs::until(&mut client, slow, "its first records", |now| now.successful > 0);
    client.run("update den.switch set is_slow = true");
    let paused = jobs::until(&mut client, slow, "a pause", |now| now.state == "paused");
    let reason = paused.last_error.unwrap_or_default();
    assert!(
        reason.starts_with("reading den.slow took longer than vector_backfill.source_timeout, 1 s"),
        "{reason}"
    );
    client.run("update issues set title = title || ', and again' where client_id = 1");
    let job = jobs::enqueue(&mut one, 1, "issues");
    assert_eq!(jobs::completed(&mut client, job).successful, 6);
    client.run("update den.switch set is_slow = false");
    mallory.run(&format!("select vb_resume({slow})"));
    jobs::completed(&mut client, slow);
}

#[test]
fn a_view_that_fails_only_when_vectors_are_to_be_removed_stops_its_own_job_and_not_the_worker() {
    let (cluster, mut client) = shop("collection");
    // A look reads all rows first, in the same transaction; a removal asks for its rows only.
    client.run(
        "create table den.looks (transaction bigint); create table den.switch (is_on boolean);
         insert into den.switch values (false);
         create function den.tricks(text) returns text language plpgsql volatile as $$
         declare context text; begin
             get diagnostics context = pg_context;
             if context !~ 'select k.n' then insert into den.looks values (txid_current());
             elsif (select is_on from den.switch) and txid_current() not in (select transaction from den.looks)
             then raise exception 'not today'; end if;
             return $1; end $$;
         create view den.tricky as select id, client_id, den.tricks(title) as title from den.own;
         alter table den.looks owner to mallory; alter table den.switch owner to mallory;
         alter function den.tricks(text) owner to mallory; alter view den.tricky owner to mallory;
         select vb_configure_source('den.tricky', key_columns => '{id}')",
    );
    let mut mallory = cluster.connect_as("shop", "mallory");
    jobs::backfill(&mut mallory, 3, "den.tricky");
    client.run("update den.switch set is_on = true; update den.own set title = null where id % 2 = 0");
    let job = jobs::enqueue(&mut mallory, 3, "den.tricky");
    let paused = jobs::until(&mut client, job, "a pause", |now| now.state == "paused");
    assert!(paused.last_error.is_some_and(|reason| reason.contains("not today")));
    let log = cluster.log();
    assert!(!log.contains("vector_backfill tries again"), "all had to wait for it");
}

#[test]
fn jobs_and_schedules_of_others_cannot_be_locked() {
    let (cluster, mut client) = shop("collection");
    let mut mallory = cluster.connect_as("shop", "mallory");
    mallory.run("begin; select vb_forget(1); select vb_unschedule_backfill(1)");
    client.run("set lock_timeout = '1s'; update vb_jobs set priority = priority where job_id = 1");
    client.run("update vb_backfill_schedules set priority = priority");
    mallory.run("rollback");
}

#[test]
fn an_open_transaction_on_a_job_of_ones_own_holds_up_nobody_else() {
    let (cluster, mut client) = shop("collection");
    client.run("insert into den.own select n, 3, 'mallory has title ' || n from generate_series(100, 900) n");
    let mut mallory = cluster.connect_as("shop", "mallory");
    let own: i64 = mallory.value("select vb_enqueue_backfill(3, 'den.own', batch_size => 5)", &[]);
    jobs::until(&mut client, own, "its first records", |now| now.successful > 0);
    mallory.run(&format!("begin; select vb_set_job({own}, concurrency => 4)"));
    client.run("update issues set title = title || ', and once more' where client_id = 1");
    let job = jobs::enqueue(&mut cluster.connect_as("shop", "one"), 1, "issues");
    assert_eq!(jobs::completed(&mut client, job).successful, 6);
    assert_eq!(jobs::progress(&mut client, own).state, "running");
    mallory.run("commit");
    assert_eq!(jobs::completed(&mut client, own).successful, 805);
}

#[test]
fn code_that_drops_all_locks_does_not_end_the_worker() {
    let (cluster, mut client) = shop("collection");
    client.run(
        "create function den.drops(text) returns text language plpgsql volatile as $$
         begin perform pg_advisory_unlock_all(), pg_sleep(0.3); return $1; end $$;
         create view den.dropping as select id, client_id, den.drops(title) as title from den.own;
         alter function den.drops(text) owner to mallory; alter view den.dropping owner to mallory;
         select vb_configure_source('den.dropping', key_columns => '{id}')",
    );
    let worker = "select pid from vb_worker_status";
    let before: i32 = client.value(worker, &[]);
    let job = jobs::enqueue(&mut cluster.connect_as("shop", "mallory"), 3, "den.dropping");
    let mut one = cluster.connect_as("shop", "one");
    // Each of these would start a worker if there were none.
    wait::until("the end of the job", || {
        one.rows("select vb_enqueue_backfill(1, 'issues')", &[]);
        jobs::progress(&mut client, job).has_ended().then_some(())
    });
    assert_eq!(client.value::<i32>(worker, &[]), before);
}

#[test]
fn a_schedule_of_a_table_that_its_owner_has_locked_keeps_the_worker_waiting_for_no_lock() {
    let (cluster, mut client) = shop("collection");
    client.run("alter system set log_lock_waits = on");
    client.run("alter system set deadlock_timeout = '100ms'");
    client.reload();
    let mut mallory = cluster.connect_as("shop", "mallory");
    mallory.run("select vb_schedule_backfill(3, 'den.own', '* * * * * *')");
    mallory.run("begin; lock table den.own in access exclusive mode");
    wait::until("a schedule that could not be kept", || {
        let told: Option<String> = client.value(
            "select last_error from vb_schedules where client_id = 3 and source = 'den.own'::regclass",
            &[],
        );
        told.is_some_and(|told| told.contains("lock timeout")).then_some(())
    });
    assert!(!cluster.log().contains("still waiting for"), "others waited with it");
}

#[test]
fn an_open_transaction_of_a_tenant_makes_nobody_wait_for_ever() {
    let (cluster, mut client) = shop("collection");
    client.run("alter system set vector_backfill.request_timeout = '2s'");
    client.reload();
    client.run(
        "create table fresh (id int primary key, client_id bigint, title text); grant select on fresh to one, mallory",
    );
    let mut mallory = cluster.connect_as("shop", "mallory");
    // It registers the source, and holds its client.
    mallory.run("begin; select vb_enqueue_backfill(3, 'fresh'); select * from vb_verify(3, 'den.own')");
    let mut one = cluster.connect_as("shop", "one");
    one.run("set statement_timeout = '5s'");
    let job = jobs::enqueue(&mut one, 1, "fresh");
    jobs::completed(&mut client, job);
    client.run("set lock_timeout = 0; set statement_timeout = '10s'");
    client.run("select vb_set_client_limits(3, max_jobs => 1)");
    let error = client.error("select * from vb_purge_client(3)", &[]);
    assert_eq!(error.code, "55P03", "{error}");
    assert!(error.message.contains("another session has held client 3"), "{error}");
    mallory.run("rollback");
    client.rows("select * from vb_purge_client(3)", &[]);
    // What she kept from being registered is with the next job.
    jobs::backfill(&mut one, 1, "fresh");
    let registered: i64 = client.value("select count(*) from vb_sources where source = 'fresh'::regclass", &[]);
    assert_eq!(registered, 1);
}
