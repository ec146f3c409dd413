//! A Qdrant server that is away, cuts connections, is full or wants another key: jobs wait and go on, with the reason
//! visible, and source, references and points agree at the end.

use std::time::Duration;

use uuid::Uuid;
use vb_provider_double::server::ProviderDouble;
use vb_provider_double::settings::Settings as ProviderSettings;
use vb_qdrant_double::faults::{Fault, Rule};
use vb_qdrant_double::method::Method;
use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::qdrant::Qdrant;
use vb_tests::store::Store;
use vb_tests::{jobs, services, wait};

const ROWS: i64 = 300;

/// A database whose vectors are in a server that obeys us.
struct Shop {
    cluster: Cluster,
    client: Client,
    store: Store,
    provider: ProviderDouble,
}

impl Shop {
    fn open() -> Self {
        Self::with(Duration::ZERO)
    }

    /// The same with a provider that takes so long.
    fn with(latency: Duration) -> Self {
        let provider = ProviderDouble::start(ProviderSettings {
            latency,
            ..ProviderSettings::default()
        });
        let settings = "shared_preload_libraries = 'vector_backfill'";
        let cluster = Cluster::with_store(Some(Qdrant::double()), settings);
        let mut client = cluster.create_database("shop");
        services::register(&mut client, "double", &provider, "");
        services::create_notes(&mut client);
        services::add_notes(&mut client, 1, 1, ROWS as i32);
        let store = Store::of(&cluster, &mut client);
        Self {
            cluster,
            client,
            store,
            provider,
        }
    }

    fn enqueue(&mut self) -> i64 {
        services::enqueue(&mut self.client, 1, "double", 20)
    }

    fn fault(&self, rule: Rule) {
        self.cluster.qdrant().commanded().fault(rule);
    }

    fn assert_agreement(&mut self) {
        let points = services::assert_agreement(&mut self.client, &self.store, 1);
        assert_eq!(points, ROWS as usize);
    }

    /// Texts that the provider was sent for rows.
    fn texts_sent(&self) -> usize {
        let calls = self.provider.calls();
        let texts = calls.iter().flat_map(|call| &call.texts);
        texts.filter(|text| text.contains(" says ")).count()
    }

    fn health(&mut self) -> Vec<String> {
        self.client.values("select finding from vb_health()", &[])
    }
}

#[test]
fn a_job_waits_for_a_server_that_is_away_says_so_and_pays_for_nothing_twice() {
    let mut shop = Shop::with(Duration::from_millis(50));
    let job = shop.enqueue();
    jobs::until(&mut shop.client, job, "some", |now| now.successful >= 60);
    shop.cluster.qdrant().commanded().stop();
    let waiting = jobs::until(&mut shop.client, job, "the reason", |now| {
        now.last_error
            .as_deref()
            .is_some_and(|reason| reason.contains("waits for store qdrant"))
    });
    assert_eq!(waiting.state, "running");
    let url = shop.cluster.qdrant().commanded().url();
    assert!(waiting.last_error.unwrap().contains(&url));
    let health = shop.health();
    assert!(
        health.iter().any(|finding| finding.contains("waits for store qdrant")),
        "{health:?}"
    );
    // A search says why it finds nothing.
    let refused = shop
        .client
        .error("select * from vb_search(1, 'notes', 'note number 7')", &[]);
    assert!(refused.message.contains(&url), "{refused:?}");
    shop.cluster.qdrant().commanded().restart().unwrap();
    jobs::completed(&mut shop.client, job);
    shop.assert_agreement();
    assert_eq!(shop.texts_sent(), ROWS as usize, "no text is embedded twice");
}

#[test]
fn a_job_that_waits_for_its_server_can_be_paused_and_cancelled() {
    let mut shop = Shop::open();
    shop.fault(Rule::new(Fault::Unavailable).on(Method::Upsert));
    let job = shop.enqueue();
    jobs::until(&mut shop.client, job, "the reason", |now| now.last_error.is_some());
    shop.client.run(&format!("select vb_pause({job})"));
    wait::until("the end of the batches", || {
        let left: i64 = shop.client.value("select count(*) from vb_active_batches", &[]);
        (left == 0).then_some(())
    });
    shop.cluster.qdrant().commanded().clear_faults();
    shop.client.run(&format!("select vb_resume({job})"));
    jobs::completed(&mut shop.client, job);
    shop.assert_agreement();
}

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
fn a_server_without_room_pauses_the_job_with_the_reason() {
    for fault in [Fault::StorageFull, Fault::DiskFull] {
        let mut shop = Shop::open();
        shop.fault(Rule::new(fault).on(Method::Upsert).after(2));
        let job = shop.enqueue();
        let paused = jobs::until(&mut shop.client, job, "a pause", |now| now.state == "paused");
        let reason = paused.last_error.unwrap();
        assert!(reason.contains("storage") || reason.contains("space"), "{reason}");
        shop.cluster.qdrant().commanded().clear_faults();
        shop.client.run(&format!("select vb_resume({job})"));
        jobs::completed(&mut shop.client, job);
        shop.assert_agreement();
    }
}

#[test]
fn a_batch_that_met_the_fault_before_the_job_was_resumed_does_not_pause_it_again() {
    let mut shop = Shop::with(Duration::from_millis(300));
    shop.fault(Rule::new(Fault::StorageFull).on(Method::Upsert));
    let job = shop.enqueue();
    let mut other = shop.cluster.connect("shop");
    // While its row is locked the outcome of that batch cannot be recorded.
    let late: i64 = wait::until("two batches in flight", || {
        other.run("begin");
        let batches: Vec<i64> = other.values("select batch_id from vb_batches order by 1 for update", &[]);
        if batches.len() < 2 {
            other.run("rollback");
            return None;
        }
        other.run(&format!(
            "rollback; begin; select from vb_batches where batch_id = {} for update",
            batches[1]
        ));
        Some(batches[1])
    });
    jobs::until(&mut shop.client, job, "a pause", |now| now.state == "paused");
    shop.cluster.qdrant().commanded().clear_faults();
    shop.client.run(&format!("select vb_resume({job})"));
    let left: Vec<i64> = other.values("select batch_id from vb_batches", &[]);
    assert_eq!(left, [late]);
    other.run("commit");
    jobs::completed(&mut shop.client, job);
    shop.assert_agreement();
}

#[test]
fn a_row_that_is_again_as_it_was_before_a_write_nobody_recorded_is_written_again() {
    for dies in [false, true] {
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
        if dies {
            let pid: i32 = shop.client.value("select pid from vb_worker_status", &[]);
            shop.cluster.kill(pid);
            wait::until("the end of this session", || shop.client.try_run("select 1").err());
            shop.client = shop.cluster.connect("shop");
            shop.cluster.qdrant().commanded().clear_faults();
        } else {
            shop.client.run(&format!("select vb_pause({job})"));
            shop.cluster.qdrant().commanded().clear_faults();
            shop.client.run(&format!("select vb_resume({job})"));
        }
        jobs::completed(&mut shop.client, job);
        let open: i64 = shop.client.value(
            "select count(*) from vb_search(1, 'notes', 'note', 1000, filter => '{\"status\": \"open\"}')",
            &[],
        );
        assert_eq!(open, ROWS, "the worker dies: {dies}");
        let row = shop.client.row("select * from vb_verify(1, 'notes')", &[]);
        assert_eq!(
            (row.get::<i64>("changed_points"), row.get::<i64>("stale_records")),
            (0, 0)
        );
    }
}

#[test]
fn a_rate_limit_slows_the_job_down_and_costs_no_attempt() {
    let mut shop = Shop::open();
    shop.fault(
        Rule::new(Fault::RateLimited { retry_after: 1 })
            .on(Method::Upsert)
            .after(1)
            .times(6),
    );
    let job: i64 = shop.client.value(
        "select vb_enqueue_backfill(1, 'notes', provider => 'double', batch_size => 100, max_retries => 0)",
        &[],
    );
    jobs::completed(&mut shop.client, job);
    shop.assert_agreement();
    assert_eq!(shop.texts_sent(), ROWS as usize);
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
fn a_collection_that_was_replaced_goes_even_when_the_server_is_away_at_first() {
    let mut shop = Shop::open();
    shop.client
        .run("alter system set vector_backfill.request_timeout = '2s'");
    shop.client.reload();
    let job = shop.enqueue();
    jobs::completed(&mut shop.client, job);
    shop.fault(Rule::new(Fault::Unavailable).on(Method::DeleteCollection).times(1));
    let job: i64 = shop.client.value(
        "select vb_enqueue_backfill(1, 'notes', provider => 'double', reembed => true)",
        &[],
    );
    jobs::completed(&mut shop.client, job);
    wait::until("the end of the old collection", || {
        let left = shop.cluster.qdrant().commanded().collections();
        (left.len() == 1).then_some(())
    });
    wait::until("the end of what was to be removed", || {
        let left: i64 = shop.client.value("select count(*) from vb_collection_removals", &[]);
        (left == 0).then_some(())
    });
    shop.assert_agreement();
}

#[test]
fn an_alias_always_leads_to_the_collection_that_serves() {
    let mut shop = Shop::open();
    for reembed in [false, true] {
        let job: i64 = shop.client.value(
            "select vb_enqueue_backfill(1, 'notes', provider => 'double', reembed => $1)",
            &[&reembed],
        );
        jobs::completed(&mut shop.client, job);
        let serving: String = shop
            .client
            .value("select name from vb_collections where stage = 'serving'", &[]);
        let alias: String = shop
            .client
            .value("select alias from vb_collections where stage = 'serving'", &[]);
        assert!(alias.starts_with("client_1_notes_content_"), "{alias}");
        assert!(serving.starts_with("client_1_notes_content_"), "{serving}");
        wait::until("the alias", || {
            let calls = shop.cluster.qdrant().commanded().collection(&alias)?;
            (calls.created.collection_name == serving).then_some(())
        });
    }
}

#[test]
fn settings_of_the_server_that_change_are_followed_at_once() {
    let mut shop = Shop::open();
    shop.client
        .run("alter system set vector_backfill.qdrant_url = 'http://127.0.0.1:1'");
    shop.client.reload();
    let job = shop.enqueue();
    jobs::until(&mut shop.client, job, "the reason", |now| {
        now.last_error
            .as_deref()
            .is_some_and(|reason| reason.contains("127.0.0.1:1:"))
    });
    shop.client.run("alter system set vector_backfill.qdrant_url = ''");
    shop.client.reload();
    let paused = jobs::until(&mut shop.client, job, "a pause", |now| now.state == "paused");
    assert_eq!(
        paused.last_error.as_deref(),
        Some("vector_backfill.qdrant_url is not set")
    );
    shop.client.run("alter system reset vector_backfill.qdrant_url");
    shop.client
        .run("alter system set vector_backfill.qdrant_api_key_ref = 'sk-secret'");
    shop.client.reload();
    shop.client.run(&format!("select vb_resume({job})"));
    let paused = jobs::until(&mut shop.client, job, "a pause", |now| {
        now.state == "paused"
            && now
                .last_error
                .as_deref()
                .is_some_and(|reason| reason.contains("api_key_ref"))
    });
    assert!(!paused.last_error.unwrap().contains("sk-secret"));
    shop.client.run("alter system reset vector_backfill.qdrant_api_key_ref");
    shop.client.reload();
    shop.client.run(&format!("select vb_resume({job})"));
    jobs::completed(&mut shop.client, job);
    shop.assert_agreement();
}

#[test]
fn jobs_of_the_other_store_go_on_while_the_server_is_away() {
    let mut shop = Shop::with(Duration::from_millis(50));
    shop.client
        .run("alter system set vector_backfill.max_concurrent_batches = 1");
    shop.client.reload();
    shop.fault(Rule::new(Fault::Unavailable).on(Method::Upsert));
    let waiting = shop.enqueue();
    jobs::until(&mut shop.client, waiting, "a wait", |now| {
        now.last_error
            .as_deref()
            .is_some_and(|reason| reason.contains("waits for store"))
    });
    shop.client.run("alter system set vector_backfill.store = 'embedded'");
    shop.client.reload();
    services::add_notes(&mut shop.client, 2, 1_000, 100);
    let job = services::enqueue(&mut shop.client, 2, "double", 20);
    assert_eq!(jobs::completed(&mut shop.client, job).successful, 100);
    assert_eq!(jobs::progress(&mut shop.client, waiting).successful, 0);
    shop.cluster.qdrant().commanded().clear_faults();
    jobs::completed(&mut shop.client, waiting);
    shop.assert_agreement();
}

#[test]
fn collections_stay_in_their_store_when_the_setting_changes() {
    let mut shop = Shop::open();
    let job = shop.enqueue();
    jobs::completed(&mut shop.client, job);
    shop.client.run("alter system set vector_backfill.store = 'embedded'");
    shop.client.reload();
    services::add_notes(&mut shop.client, 2, 1_000, 10);
    services::add_notes(&mut shop.client, 1, 2_000, 10);
    for client in [1, 2] {
        let job = services::enqueue(&mut shop.client, client, "double", 20);
        assert_eq!(jobs::completed(&mut shop.client, job).successful, 10);
    }
    let stores: Vec<String> = shop.client.values(
        "select client_id || ' ' || store || ' ' || points from vb_collections order by 1",
        &[],
    );
    assert_eq!(stores, ["1 qdrant 310", "2 embedded 10"]);
    for (client, found) in [(1, "7"), (2, "1005")] {
        let nearest: Vec<String> = shop.client.values(
            &format!(
                "select record_id from vb_search({client}, 'notes', 'note number {found} says ' || md5('{found}'), 1)"
            ),
            &[],
        );
        assert_eq!(nearest, [found]);
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
fn a_copy_of_the_database_leaves_the_collections_of_the_original_alone_until_it_is_told_to_take_them() {
    for is_dumped in [false, true] {
        claim_a_copy(is_dumped);
    }
}

fn claim_a_copy(is_dumped: bool) {
    let mut shop = Shop::open();
    let job = shop.enqueue();
    jobs::completed(&mut shop.client, job);
    if is_dumped {
        let script = shop.cluster.dump("shop");
        shop.client.run("create database copy");
        shop.cluster.restore("copy", &script);
    } else {
        // Nobody may be in it while it is copied.
        shop.client = shop.cluster.connect("postgres");
        shop.client.run("create database copy template shop");
        shop.client = shop.cluster.connect("shop");
    }
    let mut copy = shop.cluster.connect("copy");
    copy.run("delete from notes where id <= 100");
    let job = services::enqueue(&mut copy, 1, "double", 20);
    let paused = jobs::until(&mut copy, job, "a pause", |now| now.state == "paused");
    assert!(paused.last_error.unwrap().contains("this database is a copy"));
    let findings: Vec<String> = copy.values("select finding || ' ' || hint from vb_health()", &[]);
    assert!(
        findings
            .iter()
            .any(|finding| finding.contains("a copy") && finding.contains("vb_claim_store")),
        "{findings:?}"
    );
    for refused in [
        "select * from vb_purge_client(1)",
        "select * from vb_verify(1, 'notes', repair => true)",
        "select * from vb_search(1, 'notes', 'anything')",
        "select * from vb_move_store('embedded')",
    ] {
        let error = copy.error(refused, &[]);
        assert!(
            error.message.contains("this database is a copy"),
            "{refused}: {error:?}"
        );
    }
    shop.assert_agreement();
    assert!(!copy.value::<bool>("select vb_claim_store() and vb_claim_store()", &[]));
    shop.client = copy;
    wait::until("a worker that has noticed", || {
        shop.client
            .try_rows("select from vb_search(1, 'notes', 'anything')", &[])
            .ok()
    });
    shop.client.run(&format!("select vb_resume({job})"));
    jobs::completed(&mut shop.client, job);
    let left = services::assert_agreement(&mut shop.client, &shop.store, 1);
    assert_eq!(left, ROWS as usize - 100);
    assert!(!shop.health().iter().any(|finding| finding.contains("a copy")));
}

#[test]
fn copies_of_a_database_that_has_no_vectors_yet_are_installations_of_their_own() {
    let mut shop = Shop::open();
    // Whose worker has run gives its id to its copies.
    shop.client.rows("select * from vb_check_provider('double')", &[]);
    shop.client = shop.cluster.connect("postgres");
    for name in ["one", "two"] {
        shop.client.run(&format!("create database {name} template shop"));
    }
    let mut points = Vec::new();
    for name in ["one", "two"] {
        let mut copy = shop.cluster.connect(name);
        let job = services::enqueue(&mut copy, 1, "double", 50);
        jobs::completed(&mut copy, job);
        points.push(copy.values::<Uuid>("select point_id from qdrant_vectors order by 1", &[]));
        let findings: i64 = copy.value("select count(*) from vb_health()", &[]);
        assert_eq!(findings, 0);
    }
    assert_eq!((points[0].len(), points[1].len()), (ROWS as usize, ROWS as usize));
    assert_ne!(points[0], points[1]);
}
