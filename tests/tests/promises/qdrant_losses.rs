//! A Qdrant server that cuts connections, loses what it had or has what it should not have: source, references and points
//! agree at the end.

use std::time::Duration;

use uuid::Uuid;
use vb_provider_double::behaviour::Behaviour;
use vb_qdrant_double::faults::{Fault, Rule};
use vb_qdrant_double::method::Method;
use vb_tests::{jobs, services, wait};

use crate::qdrant_shop::{ROWS, Shop};

#[test]
fn a_connection_cut_at_any_step_of_a_batch_leaves_everything_in_agreement() {
    let mut shop = Shop::open();
    for method in [
        Method::GetCollection,
        Method::CreateCollection,
        Method::Upsert,
        Method::Delete,
    ] {
        for fault in [
            Fault::CutBeforeApply,
            Fault::CutAfterApply,
            Fault::WaitTimeout,
            Fault::Unavailable,
        ] {
            shop.fault(Rule::new(fault).on(method).after(1).times(2));
        }
    }
    let job = shop.enqueue();
    jobs::completed(&mut shop.client, job);
    shop.assert_agreement();
    // Rows that change and rows that go, under the same faults.
    shop.client
        .run("update notes set content = content || ' again' where id % 3 = 0");
    shop.client.run("delete from notes where id % 5 = 0");
    let job = shop.enqueue();
    jobs::completed(&mut shop.client, job);
    let points = services::assert_agreement(&mut shop.client, &shop.store, 1);
    assert_eq!(points, ROWS as usize * 4 / 5);
    let cut = shop.cluster.qdrant().commanded().calls();
    assert!(cut.iter().filter(|call| call.fault.is_some()).count() >= 6);
}

#[test]
fn a_worker_that_dies_between_the_store_and_the_commit_repeats_the_batch() {
    let mut shop = Shop::open();
    // Applied, but the answer never comes.
    shop.fault(Rule::new(Fault::Hang).on(Method::Upsert).after(3));
    let job = shop.enqueue();
    wait::until("a batch that hangs", || {
        let calls = shop.cluster.qdrant().commanded().calls();
        calls.iter().any(|call| call.fault.is_some()).then_some(())
    });
    let pid: i32 = shop.client.value("select pid from vb_worker_status", &[]);
    shop.cluster.kill(pid);
    wait::until("the end of this session", || shop.client.try_run("select 1").err());
    shop.cluster.qdrant().commanded().clear_faults();
    shop.client = shop.cluster.connect("shop");
    jobs::completed(&mut shop.client, job);
    shop.assert_agreement();
}

#[test]
fn a_row_that_is_again_as_it_was_before_a_write_nobody_recorded_is_written_again() {
    for end in ["pause", "death", "goodbye"] {
        let mut shop = Shop::open();
        shop.client.run(
            "alter table notes add status text default 'open';
             select vb_configure_source('notes', payload_columns => array['status'])",
        );
        let job = shop.enqueue();
        jobs::completed(&mut shop.client, job);
        let before: String = shop.client.value("select content from notes where id = 9", &[]);
        shop.client.run("update notes set status = 'closed' where id <= 5");
        shop.client
            .run("update notes set content = 'something else' where id = 9");
        // Applied, but the answers never come.
        shop.fault(Rule::new(Fault::Hang).on(Method::UpdateBatch));
        shop.fault(Rule::new(Fault::Hang).on(Method::Upsert));
        let job = services::enqueue(&mut shop.client, 1, "double", 5);
        wait::until("two batches that hang", || {
            let calls = shop.cluster.qdrant().commanded().calls();
            (calls.iter().filter(|call| call.fault.is_some()).count() >= 2).then_some(())
        });
        shop.client.run("update notes set status = 'open' where id <= 5");
        shop.client
            .rows("update notes set content = $1 where id = 9", &[&before]);
        match end {
            "pause" => {
                shop.client.run(&format!("select vb_pause({job})"));
                shop.cluster.qdrant().commanded().clear_faults();
                shop.client.run(&format!("select vb_resume({job})"));
            }
            "death" => {
                let pid: i32 = shop.client.value("select pid from vb_worker_status", &[]);
                shop.cluster.kill(pid);
                wait::until("the end of this session", || shop.client.try_run("select 1").err());
                shop.client = shop.cluster.connect("shop");
                shop.cluster.qdrant().commanded().clear_faults();
            }
            _ => {
                let goodbye = "select pg_terminate_backend(pid, 60000) from vb_worker_status";
                assert!(shop.client.value::<bool>(goodbye, &[]));
                shop.cluster.qdrant().commanded().clear_faults();
            }
        }
        jobs::completed(&mut shop.client, job);
        let open: i64 = shop.client.value(
            "select count(*) from vb_search(1, 'notes', 'note', 1000, filter => '{\"status\": \"open\"}')",
            &[],
        );
        assert_eq!(open, ROWS, "{end}");
        let row = shop.client.row("select * from vb_verify(1, 'notes')", &[]);
        assert_eq!(
            (row.get::<i64>("changed_points"), row.get::<i64>("stale_records")),
            (0, 0)
        );
    }
}

#[test]
fn a_collection_that_somebody_removed_during_a_job_is_made_whole_by_it() {
    let mut shop = Shop::with(Duration::from_millis(50));
    let job = shop.enqueue();
    jobs::until(&mut shop.client, job, "half", |now| now.successful >= ROWS / 2);
    shop.cluster.qdrant().commanded().wipe();
    jobs::completed(&mut shop.client, job);
    shop.assert_agreement();
}

#[test]
fn a_job_that_finds_nothing_to_do_finds_out_that_the_server_has_lost_everything() {
    for tenancy in ["collection", "payload"] {
        let mut shop = Shop::open();
        shop.client
            .run(&format!("alter system set vector_backfill.tenancy = '{tenancy}'"));
        shop.client.reload();
        services::add_notes(&mut shop.client, 2, 1_000, 30);
        for client in [1, 2] {
            let job = services::enqueue(&mut shop.client, client, "double", 50);
            jobs::completed(&mut shop.client, job);
        }
        let job = shop.enqueue();
        assert_eq!(jobs::completed(&mut shop.client, job).total, 0, "nothing is lost");
        shop.cluster.qdrant().commanded().wipe();
        for (client, rows) in [(1, ROWS), (2, 30)] {
            let job = services::enqueue(&mut shop.client, client, "double", 50);
            assert_eq!(jobs::completed(&mut shop.client, job).successful, rows, "{tenancy}");
            let row = shop
                .client
                .row("select * from vb_verify($1::bigint, 'notes')", &[&client]);
            assert_eq!((row.get::<i64>("checked"), row.get::<i64>("missing_points")), (rows, 0));
        }
    }
}

#[test]
fn points_written_by_hand_are_found_and_mended() {
    let mut shop = Shop::open();
    let job = shop.enqueue();
    jobs::completed(&mut shop.client, job);
    let collection: String = shop.client.value("select name from vb_collections", &[]);
    shop.cluster.qdrant().rewrite(&collection, |mut point| {
        let number: u64 = point.payload.record_id.parse().unwrap();
        match number {
            // Points that nobody knows.
            1..=3 => point.id = Uuid::from_u128(number.into()),
            // Points that say that they are made from something else.
            4 => point.payload.content_hash = "0".repeat(64),
            5 => point.payload.record_id = "7".to_owned(),
            6 => point.payload.client_id = 2,
            7 => point.payload.chunk_no = 1,
            8 => point.payload.vector_type = "summary".to_owned(),
            _ => return None,
        }
        Some(point)
    });
    let columns = "orphan_points, changed_points, missing_points, stale_records, missing_records";
    let found = |shop: &mut Shop, repair| -> String {
        shop.client.value(
            &format!("select concat_ws(' ', {columns}) from vb_verify(1, 'notes', repair => $1)"),
            &[&repair],
        )
    };
    assert_eq!(found(&mut shop, false), "3 5 0 0 0");
    assert_eq!(found(&mut shop, true), "3 5 0 0 0");
    let job: i64 = shop.client.value("select max(job_id) from vb_jobs", &[]);
    assert_eq!(jobs::completed(&mut shop.client, job).successful, 5);
    assert_eq!(found(&mut shop, false), "0 0 0 0 0");
    shop.assert_agreement();
}

#[test]
fn a_job_that_cannot_make_again_what_the_server_has_lost_ends_all_the_same() {
    let mut shop = Shop::open();
    let job = shop.enqueue();
    jobs::completed(&mut shop.client, job);
    shop.cluster.qdrant().commanded().wipe();
    shop.provider.follow(Box::new(|call| {
        if call.texts.iter().any(|text| text.contains(" says ")) {
            Behaviour::error(400, "invalid_request_error", "not this text")
        } else {
            Behaviour::Well
        }
    }));
    let job = services::enqueue(&mut shop.client, 1, "double", 100);
    assert_eq!(jobs::completed(&mut shop.client, job).failed, ROWS);
}
