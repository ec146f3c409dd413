//! Whatever one client does, nothing of another changes or comes to light: operations at random, with all that the others
//! have in Postgres and in the store compared before and after each of them.

use std::collections::BTreeMap;

use rand::RngExt;
use rand::rngs::StdRng;
use vb_provider_double::server::ProviderDouble;
use vb_provider_double::settings::Settings;
use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::sql_error::CallError;
use vb_tests::store::Store;
use vb_tests::{chance, jobs, services};

const CLIENTS: [i64; 3] = [1, 2, 3];

/// Operations of a run.
const STEPS: usize = 70;

/// All that is kept of a client in our tables, but for what its searches spent: that is written down a while later.
const KEPT: &str = "
    select 'vector ' || x::text from qdrant_vectors x where client_id = $1::bigint
    union all select 'next ' || x::text from vb_next_vectors x where client_id = $1
    union all select 'job ' || x::text from vb_jobs x where client_id = $1
    union all select 'error ' || x::text from vb_job_errors x join vb_jobs j using (job_id) where client_id = $1
    union all select 'collection ' || x::text from vb_collection_generations x where client_id = $1
    union all select concat_ws(' ', 'usage', x.day, x.provider, x.records) from vb_client_usage x
              where client_id = $1 and records > 0
    union all select 'limit ' || x::text from vb_client_limits x where client_id = $1
    union all select 'count ' || x::text from vb_counted_records x where client_id = $1
    union all select 'pending ' || x::text from vb_pending_changes x where client_id = $1
    union all select 'schedule ' || x::text from vb_backfill_schedules x where client_id = $1
    union all select 'window ' || x::text from vb_windows x where client_id = $1
    union all select 'access ' || x::text from vb_client_access x where client_id = $1
    union all select 'audit ' || x::text from vb_audit_events x where client_id = $1
    order by 1";

/// What a tenant can look at.
const SEEN: [&str; 13] = [
    "(select client_id, collection, record_id, point_id from qdrant_vectors)",
    "vb_job_status",
    "vb_active_batches",
    "vb_error_report",
    "vb_schedules",
    "vb_sources",
    "vb_collections",
    "vb_coverage",
    "vb_worker_status",
    "vb_provider_status",
    "vb_client_spending",
    "vb_audit",
    "vb_health()",
];

struct Shop {
    cluster: Cluster,
    client: Client,
    store: Store,
    tenants: BTreeMap<i64, Client>,
    _provider: ProviderDouble,
}

impl Shop {
    fn open(tenancy: &str) -> Self {
        let provider = ProviderDouble::start(Settings::default());
        let cluster = Cluster::with_settings(&format!(
            "shared_preload_libraries = 'vector_backfill'
             vector_backfill.tenancy = '{tenancy}'"
        ));
        let mut client = cluster.create_database("shop");
        services::register(&mut client, "double", &provider, "");
        services::create_notes(&mut client);
        client.run("create table drafts (like notes including all); alter table notes enable row level security");
        for client_id in CLIENTS {
            client.run(&format!(
                "create role tenant_{client_id} login;
                 grant select, insert, update, delete on notes, drafts to tenant_{client_id};
                 create policy of_{client_id} on notes to tenant_{client_id} using (client_id = {client_id});
                 select vb_grant_access('tenant_{client_id}', {client_id}, 'write');
                 insert into notes select {client_id} * 1000 + n, {client_id}, 'marker-' || {client_id} || ' says ' || n
                 from generate_series(1, 12) n"
            ));
        }
        let store = Store::of(&cluster, &mut client);
        let tenants = CLIENTS
            .map(|client_id| (client_id, cluster.connect_as("shop", &format!("tenant_{client_id}"))))
            .into();
        let mut shop = Self {
            cluster,
            client,
            store,
            tenants,
            _provider: provider,
        };
        for client_id in CLIENTS {
            shop.backfill(client_id, "notes", "");
        }
        shop
    }

    fn tenant(&mut self, client_id: i64) -> &mut Client {
        self.tenants.get_mut(&client_id).expect("every client has a session")
    }

    /// Enqueues and waits until nothing moves any more.
    fn backfill(&mut self, client_id: i64, source: &str, arguments: &str) {
        let call = format!(
            "select vb_enqueue_backfill({client_id}, '{source}', provider => 'double', batch_size => 5 {arguments})"
        );
        let job: i64 = self.tenant(client_id).value(&call, &[]);
        jobs::until(&mut self.client, job, "an end or a pause", |now| {
            now.has_ended() || now.state == "paused"
        });
    }

    /// Everything of a client, in Postgres and in the store.
    fn kept(&mut self, client_id: i64) -> Vec<String> {
        let mut kept: Vec<String> = self.client.values(KEPT, &[&client_id]);
        let collections = self.client.rows(
            "select name, is_shared from vb_collections where stage = 'serving' and client_id = $1::bigint order by 1",
            &[&client_id],
        );
        for collection in collections {
            let (name, is_shared) = (collection.get::<String>(0), collection.get::<bool>(1));
            let points = self.store.described_points(&name, is_shared.then_some(client_id));
            kept.extend(points.into_iter().map(|point| format!("{name}: {point}")));
        }
        kept
    }

    /// Whatever the tenant can see is its own.
    fn assert_sees_its_own(&mut self, client_id: i64) {
        let others: Vec<String> = CLIENTS
            .iter()
            .filter(|other| **other != client_id)
            .flat_map(|other| {
                [
                    format!("marker-{other}"),
                    format!("client {other}"),
                    format!("tenant_{other}"),
                ]
            })
            .collect();
        let look = |session: &mut Client, query: &str| {
            let shown: Vec<String> = session.values(&format!("select x::text from {query} x"), &[]);
            let leaked: Vec<&String> = shown
                .iter()
                .filter(|row| others.iter().any(|word| row.contains(word)))
                .collect();
            assert!(leaked.is_empty(), "client {client_id} saw in {query}: {leaked:?}");
        };
        let session = self.tenant(client_id);
        for view in SEEN {
            look(session, view);
            if !matches!(
                view,
                "vb_active_batches" | "vb_sources" | "vb_worker_status" | "vb_provider_status" | "vb_health()"
            ) {
                let of_others: i64 = session.value(
                    &format!("select count(*) from {view} v where client_id <> $1::bigint"),
                    &[&client_id],
                );
                assert_eq!(of_others, 0, "client {client_id} in {view}");
            }
        }
        for mode in ["dense", "keyword", "hybrid"] {
            for source in ["notes", "drafts"] {
                look(
                    session,
                    &format!(
                        "(select * from vb_search({client_id}, '{source}', 'marker-1 marker-2 marker-3 says', 100, mode => '{mode}'))"
                    ),
                );
            }
        }
    }

    /// One operation at random; what it is, for people.
    fn step(&mut self, client_id: i64, random: &mut StdRng) -> String {
        let source = if random.random_bool(0.7) { "notes" } else { "drafts" };
        let id = client_id * 1_000 + random.random_range(1..30);
        let other = CLIENTS[(CLIENTS.iter().position(|one| *one == client_id).unwrap_or(0) + 1) % CLIENTS.len()];
        let statement = match random.random_range(0..20) {
            0 | 1 => format!(
                "insert into {source} values ({id}, {client_id}, 'marker-{client_id} says a new thing {id}')
                 on conflict (id) do update set content = excluded.content || ' again'"
            ),
            2 => format!(
                "update {source} set content = content || '!' where client_id = {client_id} and id % 3 = {}",
                id % 3
            ),
            3 => format!("delete from {source} where id = {id} and client_id = {client_id}"),
            4..=7 => {
                self.backfill(client_id, source, "");
                return format!("a backfill of {source}");
            }
            8 => {
                self.backfill(client_id, source, ", reembed => true");
                return format!("a backfill of {source} that makes all anew");
            }
            9 => format!("select * from vb_verify({client_id}, '{source}')"),
            10 => {
                let repair = format!("select job_id from vb_verify({client_id}, '{source}', repair => true)");
                let job: Option<i64> = self.tenant(client_id).value(&repair, &[]);
                if let Some(job) = job {
                    jobs::ended(&mut self.client, job);
                }
                return repair;
            }
            11 => format!("select vb_set_window('01:00', '01:01', client_id => {client_id})"),
            12 => format!("select vb_schedule_backfill({client_id}, '{source}', '0 3 1 1 *')"),
            13 => "select vb_unschedule_backfill(s.schedule_id) from vb_schedules s limit 1".to_owned(),
            14 => "select vb_forget(j.job_id) from vb_job_status j where state = 'completed' limit 1".to_owned(),
            15 => format!("select * from vb_plan_backfill({client_id})"),
            16 => {
                // An administrator does it, for this client.
                let purge = format!("select * from vb_purge_client({client_id})");
                self.client.rows(&purge, &[]);
                return purge;
            }
            17 => {
                let limits = format!(
                    "select vb_set_client_limits({client_id}, max_records_per_day => {})",
                    500 + id
                );
                self.client.rows(&limits, &[]);
                return limits;
            }
            // What has to be refused.
            18 => format!("select * from vb_verify({other}, '{source}', repair => true)"),
            _ => format!("select vb_enqueue_backfill({other}, '{source}')"),
        };
        match self.tenant(client_id).try_rows(&statement, &[]) {
            Ok(_) => statement,
            Err(CallError::Sql(error)) => format!("{statement} ({})", error.code),
            Err(error) => panic!("{error}"),
        }
    }
}

fn nothing_crosses_over(tenancy: &str) {
    let mut random = chance::seeded();
    let mut shop = Shop::open(tenancy);
    let mut kept: BTreeMap<i64, Vec<String>> = CLIENTS.map(|client_id| (client_id, shop.kept(client_id))).into();
    for client_id in CLIENTS {
        let points = kept[&client_id].iter().filter(|line| line.contains("FoundPoint"));
        assert_eq!(points.count(), 12, "client {client_id}");
    }
    let mut told = Vec::new();
    for _ in 0..STEPS {
        let client_id = CLIENTS[random.random_range(0..CLIENTS.len())];
        told.push(format!("client {client_id}: {}", shop.step(client_id, &mut random)));
        for other in CLIENTS {
            let now = shop.kept(other);
            if other != client_id {
                let before = &kept[&other];
                let gone: Vec<_> = before.iter().filter(|line| !now.contains(line)).collect();
                let new: Vec<_> = now.iter().filter(|line| !before.contains(line)).collect();
                assert!(
                    gone.is_empty() && new.is_empty(),
                    "client {other} lost {gone:#?}, got {new:#?} after {told:#?}"
                );
            }
            kept.insert(other, now);
        }
        if random.random_bool(0.3) {
            for client_id in CLIENTS {
                shop.assert_sees_its_own(client_id);
                kept.insert(client_id, shop.kept(client_id));
            }
        }
    }
    drop(shop.cluster);
}

#[test]
fn nothing_that_a_client_does_reaches_another_where_each_has_a_collection() {
    nothing_crosses_over("collection");
}

#[test]
fn nothing_that_a_client_does_reaches_another_where_they_share_a_collection() {
    nothing_crosses_over("payload");
}
