//! A bad record costs one record: neither its batch, nor its job, nor the jobs of others.

use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::{jobs, wait, worker};

/// A table of five notes, and a paused job for them of which nothing is in flight.
fn paused_job(client: &mut Client) -> i64 {
    client.run(
        "create table notes (id int primary key, client_id int, title text);
         insert into notes select n, 1, 'note ' || n from generate_series(1, 5) n",
    );
    let job = jobs::enqueue(client, 1, "notes");
    client.rows("select vb_pause($1::bigint)", &[&job]);
    wait::until("the end of its batches", || {
        let left: i64 = client.value("select count(*) from vb_active_batches", &[]);
        (left == 0).then_some(())
    });
    job
}

/// Record ids, class and number of attempts of a job's dead letters.
fn dead_letters(client: &mut Client, job: i64) -> Vec<String> {
    client.values(
        "select record_id || ' ' || error_class from vb_error_report where job_id = $1::bigint order by record_id",
        &[&job],
    )
}

#[test]
fn a_row_whose_text_cannot_be_computed_costs_one_record() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    client.run(
        "create table numbers (id int primary key, client_id int, divisor int);
         insert into numbers select n, 1, n - 17 from generate_series(1, 50) n;
         create view quotients as select id, client_id, 'quotient ' || 100 / divisor as title from numbers;
         select vb_configure_source('quotients', key_columns => '{id}')",
    );
    let job = jobs::enqueue(&mut client, 1, "quotients");
    let done = jobs::completed(&mut client, job);
    assert_eq!((done.total, done.successful, done.failed), (50, 49, 1), "{done:?}");
    assert_eq!(dead_letters(&mut client, job), ["17 source"]);

    client.run("update numbers set divisor = 5 where id = 17");
    let done = jobs::backfill(&mut client, 1, "quotients");
    assert_eq!((done.successful, done.failed), (1, 0), "{done:?}");
}

#[test]
fn a_record_that_was_alone_in_flight_at_two_crashes_is_set_aside() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    // As a crash leaves it: the job has begun, one of its records was suspected and alone in flight, once before.
    let job = paused_job(&mut client);
    client.run("delete from qdrant_vectors; delete from vb_job_errors");
    client.rows(
        "insert into vb_batches (job_id, record_ids, crashes, suspect) values ($1::bigint, '{3}', 1, true)",
        &[&job],
    );
    cluster.kill(worker::started(&mut client));
    wait::until("the end of this session", || client.try_run("select 1").err());

    let mut client = cluster.connect("shop");
    client.rows("select vb_resume($1::bigint)", &[&job]);
    let done = jobs::completed(&mut client, job);
    assert_eq!(done.failed, 1, "{done:?}");
    assert_eq!(dead_letters(&mut client, job), ["3 crash"]);
    let embedded: i64 = client.value("select count(*) from qdrant_vectors", &[]);
    assert_eq!(embedded, 4);
}

#[test]
fn a_key_that_does_not_identify_rows_pauses_its_job_and_no_other() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    client.run(
        "create table twins (id int, client_id int, title text);
         insert into twins select 1 + n % 3, 1, 'twin ' || n from generate_series(1, 30) n;
         select vb_configure_source('twins', key_columns => '{id}');
         create table notes (id int primary key, client_id int, title text);
         insert into notes select n, 2, 'note ' || n from generate_series(1, 20) n",
    );
    let bad = jobs::enqueue(&mut client, 1, "twins");
    let paused = jobs::until(&mut client, bad, "a pause", |now| now.state == "paused");
    let reason = paused.last_error.expect("a paused job has a reason");
    assert!(reason.contains("twins") && reason.contains("key"), "{reason}");
    assert_eq!(jobs::backfill(&mut client, 2, "notes").successful, 20);
}

#[test]
fn a_session_that_holds_a_job_locked_does_not_hold_up_the_jobs_of_others() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    client.run(
        "create table notes (id int primary key, client_id int, title text);
         insert into notes select n, 1 + n % 2, 'note ' || n from generate_series(1, 40) n",
    );
    let job = jobs::enqueue(&mut client, 1, "notes");
    jobs::completed(&mut client, job);
    let mut sleeper = cluster.connect("shop");
    client.run("update notes set title = title || '!' where client_id = 1");
    let job_again = jobs::enqueue(&mut client, 1, "notes");
    assert_ne!(job, job_again);
    sleeper.run("begin");
    sleeper.rows("select vb_pause($1::bigint)", &[&job_again]);
    assert_eq!(jobs::backfill(&mut client, 2, "notes").successful, 20);
    sleeper.run("rollback");
    assert_eq!(jobs::completed(&mut client, job_again).successful, 20);
}

#[test]
fn a_view_with_a_null_key_pauses_its_job_with_the_reason() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    client.run(
        "create table parts (id int, no int, client_id int, title text);
         insert into parts values (1, 1, 1, 'a wheel'), (2, null, 1, 'a door');
         select vb_configure_source('parts', key_columns => '{id,no}')",
    );
    let job = jobs::enqueue(&mut client, 1, "parts");
    let paused = jobs::until(&mut client, job, "a pause", |now| now.state == "paused");
    let reason = paused.last_error.expect("a paused job has a reason");
    assert!(reason.contains("parts has NULL in its key"), "{reason}");
    client.run("update parts set no = 2 where id = 2");
    client.rows("select vb_resume($1::bigint)", &[&job]);
    assert_eq!(jobs::completed(&mut client, job).successful, 2);
}

#[test]
fn a_key_or_a_text_that_is_too_long_costs_one_record() {
    let cluster =
        Cluster::with_settings("shared_preload_libraries = 'vector_backfill'\nvector_backfill.memory_limit = '64MB'");
    let mut client = cluster.create_database("shop");
    client.run(
        "create table pages (url text, client_id int, title text);
         insert into pages select 'page-' || n, 1, 'page ' || n from generate_series(1, 30) n;
         insert into pages select string_agg(md5(n::text), ''), 1, 'far away' from generate_series(1, 100) n;
         insert into pages select 'book', 1, repeat('endless ', 1250000);
         select vb_configure_source('pages', key_columns => '{url}')",
    );
    let job = jobs::enqueue(&mut client, 1, "pages");
    let done = jobs::completed(&mut client, job);
    assert_eq!((done.total, done.successful, done.failed), (32, 30, 2), "{done:?}");
    let messages: Vec<String> = client.values(
        "select message from vb_error_report where job_id = $1::bigint order by record_id",
        &[&job],
    );
    assert!(
        messages.iter().any(|text| text.contains("10000000 bytes")),
        "{messages:?}"
    );
    assert!(
        messages.iter().any(|text| text.contains("longer than 2000 bytes")),
        "{messages:?}"
    );
}

#[test]
fn a_source_whose_statements_are_cancelled_waits_longer_each_time_and_holds_up_nobody() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    // As a foreign server with a statement_timeout of its own does it.
    client.run(
        "create function slow() returns text language plpgsql as $$
         begin raise query_canceled using message = 'canceling statement due to statement timeout'; end $$;
         create view far as select 1 as id, 1 as client_id, public.slow() as title;
         select vb_configure_source('far', key_columns => '{id}');
         create table notes (id int primary key, client_id int, title text);
         insert into notes select n, 2, 'note ' || n from generate_series(1, 20) n",
    );
    let far = jobs::enqueue(&mut client, 1, "far");
    assert_eq!(jobs::backfill(&mut client, 2, "notes").successful, 20);
    let waiting = jobs::until(&mut client, far, "its reason", |now| now.last_error.is_some());
    assert!(waiting.last_error.unwrap().contains("statement timeout"));
    let attempts = "select attempts from vb_jobs where job_id = $1::bigint";
    wait::until("a second attempt", || {
        (client.value::<i32>(attempts, &[&far]) == 2).then_some(())
    });
    let pause: f64 = client.value(
        "select extract(epoch from next_attempt_at - updated_at)::float8 from vb_jobs where job_id = $1::bigint",
        &[&far],
    );
    assert!(pause > 9.0, "the second pause is {pause} s");
}

#[test]
fn records_that_were_in_flight_under_a_former_key_are_no_failures() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    let job = paused_job(&mut client);
    client.rows(
        "insert into vb_batches (job_id, record_ids, in_flight) values ($1::bigint, '{1,2,3,4,5}', false)",
        &[&job],
    );
    client.run("alter table notes alter id type uuid using lpad(id::text, 32, '0')::uuid");
    client.rows("select vb_resume($1::bigint)", &[&job]);
    let done = jobs::completed(&mut client, job);
    assert_eq!(done.failed, 0, "{done:?}");
    let embedded: i64 = client.value("select count(*) from qdrant_vectors where length(record_id) = 36", &[]);
    assert_eq!(embedded, 5);
}
