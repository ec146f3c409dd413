//! A database whose searches filter by columns of every kind.

use vb_provider_double::server::ProviderDouble;
use vb_provider_double::settings::Settings;
use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::store::Store;
use vb_tests::{jobs, services};

/// Notes of client 1.
pub(crate) const ROWS: i64 = 120;

/// Notes of two clients with columns of every kind, by all of which searches filter.
pub(crate) const COLUMNS: &str = "
create type mood as enum ('calm', 'cross');
create domain stars as numeric check (value >= 0);
alter table notes
    add status text, add \"Prio.rity\" int, add score stars, add ratio real, add done boolean, add due date,
    add seen timestamptz, add made timestamp, add labels text[], add sizes bigint[], add ratios float8[], add mood mood, add owner uuid,
    add tag char(5);
update notes set
    status = (array['open', 'closed', 'it''s \"odd\"', null])[1 + id % 4], \"Prio.rity\" = nullif(id % 6, 5),
    score = id / 4.0, ratio = case when id % 7 = 0 then 'NaN' else id / 8.0 end, done = nullif(id % 3, 2) = 1,
    due = case when id % 9 = 0 then 'infinity' else date '2026-01-01' + id end,
    seen = timestamptz '2026-01-01 12:00+00' + id * interval '1 hour 0.25 seconds',
    made = timestamp '2026-01-01 12:00' + id * interval '1 minute',
    labels = case when id % 5 > 0 then array['l' || id % 5, 'all', null] when id % 2 = 0 then '{}' end,
    sizes = array[id, 9007199254740993],
    ratios = case id % 3 when 0 then array[1.5, 'NaN'] when 1 then '{NaN}' else array[0] end, mood = (array['calm', 'cross'])[1 + id % 2]::mood,
    owner = md5((id % 3)::text)::uuid, tag = 't' || id % 2;";

pub(crate) const DECLARED: &str =
    "select vb_configure_source('notes', payload_columns => array['status', 'Prio.rity', 'score', 'ratio',
    'done', 'due', 'seen', 'made', 'labels', 'sizes', 'ratios', 'mood', 'owner', 'tag'])";

/// A database with those notes, not embedded yet.
pub(crate) struct Shop {
    pub(crate) cluster: Cluster,
    pub(crate) client: Client,
    pub(crate) store: Store,
    pub(crate) provider: ProviderDouble,
}

impl Shop {
    pub(crate) fn open(settings: &str, columns: &str) -> Self {
        let provider = ProviderDouble::start(Settings::default());
        let cluster = Cluster::with_settings(&format!("shared_preload_libraries = 'vector_backfill'\n{settings}"));
        let mut client = cluster.create_database("shop");
        services::register(&mut client, "double", &provider, "");
        services::create_notes(&mut client);
        services::add_notes(&mut client, 1, 1, ROWS as i32);
        services::add_notes(&mut client, 2, 1_000, 50);
        client.run(columns);
        let store = Store::of(&cluster, &mut client);
        Self {
            cluster,
            client,
            store,
            provider,
        }
    }

    pub(crate) fn backfill(&mut self, client_id: i64) -> jobs::Progress {
        let job = services::enqueue(&mut self.client, client_id, "double", 50);
        jobs::completed(&mut self.client, job)
    }

    pub(crate) fn found(&mut self, mode: &str, filter: &str) -> Vec<i32> {
        self.client.values(
            "select record_id::int from vb_search(1, 'notes', 'which number has this note', 1000, mode => $1, filter => $2::text::jsonb)
             order by 1",
            &[&mode, &filter],
        )
    }

    pub(crate) fn open_notes(&mut self) -> Vec<i32> {
        self.found("dense", r#"{"status": "open"}"#)
    }

    pub(crate) fn are_open(&mut self) -> Vec<i32> {
        self.client.values(
            "select id from notes where client_id = 1 and status = 'open' order by 1",
            &[],
        )
    }

    pub(crate) fn texts_sent(&self) -> usize {
        services::notes_sent(&self.provider)
    }

    pub(crate) fn damage(&mut self) -> (i64, i64) {
        let row = self.client.row("select * from vb_verify(1, 'notes')", &[]);
        let others =
            row.get::<i64>("missing_points") + row.get::<i64>("orphan_points") + row.get::<i64>("missing_records");
        assert_eq!(others, 0);
        services::assert_agreement(&mut self.client, &self.store, 1);
        (row.get("stale_records"), row.get("changed_points"))
    }
}
