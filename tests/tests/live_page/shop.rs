//! A shop with several clients and tables, of which some is embedded, some is being embedded, and some cannot be.

use vb_provider_double::script;
use vb_provider_double::server::ProviderDouble;
use vb_provider_double::settings::Settings;
use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::monitoring::Source;
use vb_tests::{issues, jobs, services, wait};

pub(crate) const DATABASE: &str = "shop";

/// The role of the page.
pub(crate) const ROLE: &str = "dashboard";

/// A record whose key is what a careless page would run.
pub(crate) const HOSTILE: &str =
    "<script>document.title = 'run'</script><img src=x onerror=\"document.title = 'run'\">";

/// The server, a superuser's session, the page, and a service that refuses what it is told to.
pub(crate) struct Shop {
    pub(crate) client: Client,
    pub(crate) page: Source,
    pub(crate) service: ProviderDouble,
    pub(crate) cluster: Cluster,
}

impl Shop {
    /// A page of a role that sees all and controls, with a long backfill of client 1 at work.
    pub(crate) fn at_work() -> (Self, i64) {
        let mut shop = Self::open();
        shop.client
            .run("alter system set vector_backfill.max_records_per_second = 20");
        shop.client.reload();
        let job = jobs::enqueue(&mut shop.client, 1, "issues");
        jobs::until(&mut shop.client, job, "its first records", |now| now.successful > 0);
        (shop, job)
    }

    /// The same with nothing at work: client 2 is embedded, three of its records failed, client 3 has a paused job.
    pub(crate) fn open() -> Self {
        let service = ProviderDouble::start(Settings::default());
        let cluster = Cluster::start();
        let mut client = cluster.create_database(DATABASE);
        client.run(&format!(
            "create role {ROLE} login; select vb_grant_access('{ROLE}', null, 'write')"
        ));
        issues::create(&mut client);
        issues::add_short(&mut client, 1, 1, 3_000);
        services::register(&mut client, "cloud", &service, ", cost_per_million_tokens => 20");
        services::create_notes(&mut client);
        services::add_notes(&mut client, 2, 1, 400);
        client.run(
            "create table parts (id text primary key, client_id bigint, title text);
             insert into parts select 'part ' || n, 2, 'part number ' || n from generate_series(1, 60) n",
        );
        client.rows(
            "insert into parts values ($1, 2, 'a poison part'), ('part of the past', 2, 'another poison part'),
                                      ('=cmd()', 2, 'a third poison part')",
            &[&HOSTILE],
        );
        service.follow(script::refusing("poison"));
        for (source, failed) in [("notes", 0), ("parts", 3)] {
            let job = client.value(
                "select vb_enqueue_backfill(2, $1::text::regclass, provider => 'cloud', batch_size => 20)",
                &[&source],
            );
            assert_eq!(jobs::completed(&mut client, job).failed, failed);
        }
        services::add_notes(&mut client, 3, 10_001, 50);
        client.run("begin");
        let paused = services::enqueue(&mut client, 3, "cloud", 10);
        client.run(&format!("select vb_pause({paused}); commit"));
        let page = Source::page_with(&cluster, DATABASE, ROLE, &["--control"]);
        Self {
            client,
            page,
            service,
            cluster,
        }
    }

    /// Waits until the records of a job that the page shows are those that it has.
    pub(crate) fn successful(&mut self, job: i64) -> i64 {
        jobs::progress(&mut self.client, job).successful
    }

    /// Waits until the job of parts has so many failed records.
    pub(crate) fn failed_parts(&mut self, count: i64) {
        wait::until("failed parts", || {
            let failed: i64 = self.client.value("select count(*) from vb_error_report", &[]);
            (failed == count).then_some(())
        });
    }
}

/// A number as the page writes it.
pub(crate) fn number(text: &str) -> i64 {
    let digits: String = text
        .chars()
        .take_while(|c| !c.is_whitespace() && *c != '/')
        .filter(char::is_ascii_digit)
        .collect();
    digits.parse().unwrap_or_else(|_| panic!("{text:?} is no number"))
}
