//! Another model takes over without a moment in which nothing is found: its collection is built beside the one that serves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use vb_provider_double::behaviour::Behaviour;
use vb_provider_double::server::ProviderDouble;
use vb_provider_double::settings::Settings;
use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::store::Store;
use vb_tests::{jobs, services, wait, worker};

const ROWS: i64 = 300;

/// A database whose notes were embedded by provider `old`, and a slower provider `new` with another model.
struct Shop {
    cluster: Cluster,
    client: Client,
    store: Store,
    /// While it is set, the old service wants to be left alone.
    throttled: Arc<AtomicBool>,
    old: ProviderDouble,
    new: ProviderDouble,
}

impl Shop {
    fn open(latency: Duration) -> Self {
        let throttled = Arc::new(AtomicBool::new(false));
        let seen = throttled.clone();
        let (old, new) = (
            ProviderDouble::start_with(
                Settings::default(),
                Box::new(move |_| {
                    if seen.load(Ordering::SeqCst) {
                        Behaviour::error(429, "rate_limit_exceeded", "slower").with("retry-after-ms", "300")
                    } else {
                        Behaviour::Well
                    }
                }),
            ),
            ProviderDouble::start(Settings {
                dimensions: 48,
                latency,
                max_text_bytes: 4_000,
                ..Settings::default()
            }),
        );
        let cluster = Cluster::start();
        let mut client = cluster.create_database("shop");
        client.run("alter system set vector_backfill.max_concurrent_batches = 2");
        client.run("alter system set vector_backfill.request_timeout = '5s'");
        client.reload();
        services::register(&mut client, "old", &old, "");
        services::register(&mut client, "new", &new, "");
        client.run("select vb_set_provider('new', model => 'next-model')");
        services::create_notes(&mut client);
        services::add_notes(&mut client, 1, 1, ROWS as i32);
        services::add_notes(&mut client, 2, 1_000, 20);
        for client_id in [1, 2] {
            let job = services::enqueue(&mut client, client_id, "old", 100);
            jobs::completed(&mut client, job);
        }
        let store = Store::of(&cluster, &mut client);
        Self {
            cluster,
            client,
            store,
            throttled,
            old,
            new,
        }
    }

    fn reembed(&mut self) -> i64 {
        self.client.value(
            "select vb_enqueue_backfill(1, 'notes', provider => 'new', batch_size => 10, reembed => true)",
            &[],
        )
    }

    /// Models of a client's references, each with their number.
    fn models(&mut self, client_id: i64) -> Vec<String> {
        self.client.values(
            "select model || ' ' || count(*) from qdrant_vectors where client_id = $1::bigint group by model order by 1",
            &[&client_id],
        )
    }

    fn collections(&mut self) -> Vec<String> {
        self.client.values(
            "select name from vb_collection_generations where client_id = 1 order by 1",
            &[],
        )
    }

    /// The note that is nearest to what note number 7 says.
    fn nearest(&mut self) -> Vec<String> {
        self.client.values(
            "select record_id from vb_search(1, 'notes', 'note number 7 says ' || md5('7'), 1)",
            &[],
        )
    }

    /// Waits until the collection that was replaced is gone.
    fn only_one_is_left(&mut self) {
        wait::until("the end of the old collection", || {
            (self.collections().len() == 1).then_some(())
        });
    }

    fn half_built(&mut self, job: i64) {
        jobs::until(&mut self.client, job, "half", |now| now.successful >= ROWS / 2);
    }
}

#[test]
fn another_model_takes_over_at_once_when_its_collection_is_complete() {
    let mut shop = Shop::open(Duration::from_millis(100));
    let before = shop.collections();
    let job = shop.reembed();
    let mut looks = 0;
    while jobs::progress(&mut shop.client, job).state != "completed" {
        assert_eq!(shop.nearest(), ["7"], "nothing is missed while it is built");
        let models = shop.models(1);
        assert!(
            models == ["test-model 300"] || models == ["next-model 300"],
            "never a part of one: {models:?}"
        );
        looks += 1;
    }
    assert!(looks > 3, "it should have taken a while");
    let done = jobs::completed(&mut shop.client, job);
    assert_eq!((done.successful, done.failed, done.removed), (ROWS, 0, 0));
    assert_eq!(shop.models(1), ["next-model 300"]);
    assert_eq!(shop.models(2), ["test-model 20"], "others keep theirs");
    assert_eq!(shop.nearest(), ["7"]);
    let waiting: i64 = shop.client.value("select count(*) from vb_next_vectors", &[]);
    assert_eq!(waiting, 0);

    shop.only_one_is_left();
    assert_ne!(shop.collections(), before);
    wait::until("its end in the store", || {
        (shop.store.count(&before[0]) == 0).then_some(())
    });
    assert_eq!(services::assert_agreement(&mut shop.client, &shop.store, 1), 300);

    shop.new.forget();
    jobs::backfill(&mut shop.client, 1, "notes");
    assert_eq!(shop.new.count(), 0, "the next run has nothing to do");
}

#[test]
fn rows_that_change_while_it_is_built_are_as_they_are_when_it_takes_over() {
    let mut shop = Shop::open(Duration::from_millis(100));
    let job = shop.reembed();
    shop.half_built(job);
    shop.client
        .run("update notes set content = 'changed ' || id where client_id = 1 and id % 10 = 0");
    shop.client.run("delete from notes where client_id = 1 and id % 10 = 1");
    services::add_notes(&mut shop.client, 1, 500, 25);
    jobs::completed(&mut shop.client, job);
    assert_eq!(shop.models(1), ["next-model 295"]);
    shop.only_one_is_left();
    assert_eq!(services::assert_agreement(&mut shop.client, &shop.store, 1), 295);
}

#[test]
fn changes_reach_the_collection_that_serves_while_another_one_is_built() {
    let mut shop = Shop::open(Duration::from_millis(400));
    let job = shop.reembed();
    jobs::until(&mut shop.client, job, "a beginning", |now| now.successful > 0);
    shop.client
        .run("update notes set content = 'a song of the sea' where client_id = 1 and id = 150");
    let other = jobs::enqueue(&mut shop.client, 1, "notes");
    assert_ne!(other, job, "one keeps the vectors true, the other makes them anew");
    let done = jobs::completed(&mut shop.client, other);
    assert_eq!(done.successful, 1);
    assert_eq!(jobs::progress(&mut shop.client, job).state, "running");
    assert_eq!(shop.models(1), ["test-model 300"]);
    let song = "select record_id from vb_search(1, 'notes', 'a song of the sea', 1)";
    assert_eq!(shop.client.values::<String>(song, &[]), ["150"]);

    // One that is there when the other collection takes over goes on with that.
    services::add_notes(&mut shop.client, 1, 10_000, 100);
    shop.throttled.store(true, Ordering::SeqCst);
    let other = jobs::enqueue(&mut shop.client, 1, "notes");
    jobs::completed(&mut shop.client, job);
    let waited = jobs::completed(&mut shop.client, other);
    assert_eq!(waited.successful, 0, "the other one has made them already");
    let in_order: bool = shop.client.value(
        "select w.started_at < b.finished_at and w.finished_at > b.finished_at
         from vb_jobs w, vb_jobs b where w.job_id = $1::bigint and b.job_id = $2::bigint",
        &[&other, &job],
    );
    assert!(in_order, "it was at work when the other one took over");
    assert_eq!(shop.models(1), ["next-model 400"]);
    shop.only_one_is_left();
    assert_eq!(services::assert_agreement(&mut shop.client, &shop.store, 1), 400);
    assert_eq!(shop.client.values::<String>(song, &[]), ["150"]);
}

#[test]
fn cancelling_it_leaves_the_collection_that_serves_as_it_was() {
    let mut shop = Shop::open(Duration::from_millis(100));
    let (before, collections) = (references(&mut shop.client), shop.collections());
    let points = shop.store.points(&collections[0]);
    let job = shop.reembed();
    shop.half_built(job);
    let built: String = shop
        .client
        .value("select name from vb_collection_generations where not active", &[]);
    shop.client.run(&format!("select vb_cancel({job})"));
    wait::until("the end of what was built", || {
        (shop.collections() == collections).then_some(())
    });
    wait::until("its end in the store", || (shop.store.count(&built) == 0).then_some(()));
    assert_eq!(references(&mut shop.client), before);
    assert_eq!(shop.store.points(&collections[0]), points);
    let waiting: i64 = shop.client.value("select count(*) from vb_next_vectors", &[]);
    assert_eq!(waiting, 0);
    assert_eq!(shop.nearest(), ["7"]);

    shop.old.forget();
    jobs::backfill(&mut shop.client, 1, "notes");
    assert_eq!(shop.old.count(), 0, "nothing has to be made again");
    let job = shop.reembed();
    jobs::completed(&mut shop.client, job);
    shop.only_one_is_left();
    assert_eq!(services::assert_agreement(&mut shop.client, &shop.store, 1), 300);
}

#[test]
fn a_worker_that_dies_while_it_is_built_goes_on_with_it() {
    let mut shop = Shop::open(Duration::from_millis(100));
    let job = shop.reembed();
    shop.half_built(job);
    let pid = worker::started(&mut shop.client);
    shop.cluster.kill(pid);
    wait::until("the end of this session", || shop.client.try_run("select 1").err());
    shop.client = shop.cluster.connect("shop");
    let done = jobs::completed(&mut shop.client, job);
    assert_eq!((done.successful, done.failed), (ROWS, 0));
    let sent: usize = shop.new.calls().iter().map(|call| call.texts.len()).sum();
    assert!(
        sent <= ROWS as usize + 3 * 10,
        "only batches in flight are sent twice: {sent}"
    );
    assert_eq!(shop.models(1), ["next-model 300"]);
    shop.only_one_is_left();
    assert_eq!(services::assert_agreement(&mut shop.client, &shop.store, 1), 300);
}

#[test]
fn one_that_was_cancelled_begins_anew_when_its_failed_records_are_tried_again() {
    let mut shop = Shop::open(Duration::from_millis(100));
    shop.client
        .run("update notes set content = repeat(content, 200) where id = 5");
    let job = shop.reembed();
    jobs::until(&mut shop.client, job, "half", |now| {
        now.successful >= ROWS / 2 && now.failed == 1
    });
    shop.client.run(&format!("select vb_cancel({job})"));
    shop.only_one_is_left();
    let again: i64 = shop.client.value("select vb_retry_failed($1::bigint)", &[&job]);
    assert_eq!(again, 1);
    let done = jobs::completed(&mut shop.client, job);
    assert_eq!((done.total, done.successful, done.failed), (ROWS, ROWS - 1, 1));
    assert_eq!(shop.models(1), ["next-model 299"]);
}

#[test]
fn a_paused_job_of_the_old_model_does_not_stand_in_its_way() {
    let mut shop = Shop::open(Duration::ZERO);
    services::add_notes(&mut shop.client, 1, 10_000, 10);
    shop.client.run("begin");
    let paused = jobs::enqueue(&mut shop.client, 1, "notes");
    shop.client.run(&format!("select vb_pause({paused}); commit"));
    let job = shop.reembed();
    assert_ne!(job, paused);
    assert_eq!(shop.reembed(), job, "one is enough");
    assert_eq!(jobs::completed(&mut shop.client, job).successful, ROWS + 10);
    shop.client.run(&format!("select vb_resume({paused})"));
    assert_eq!(jobs::completed(&mut shop.client, paused).successful, 0);
}

#[test]
fn a_store_that_got_lost_while_it_is_built_is_made_whole_by_it() {
    let mut shop = Shop::open(Duration::from_millis(100));
    let job = shop.reembed();
    shop.half_built(job);
    shop.client.run(&format!("select vb_pause({job})"));
    let collections = shop.collections();
    shop.store.lose(&mut shop.cluster, &collections);
    shop.client = shop.cluster.connect("shop");
    assert!(shop.nearest().is_empty());
    let warnings = shop.client.take_notices();
    assert!(
        warnings
            .iter()
            .any(|notice| notice.message.contains("has no vectors in the store")),
        "{warnings:?}"
    );
    shop.client.run(&format!("select vb_resume({job})"));
    let done = jobs::completed(&mut shop.client, job);
    assert_eq!((done.total, done.successful), (ROWS, ROWS));
    shop.only_one_is_left();
    assert_eq!(services::assert_agreement(&mut shop.client, &shop.store, 1), 300);
}

fn references(client: &mut Client) -> Vec<String> {
    client.values("select v::text from qdrant_vectors v order by 1", &[])
}
