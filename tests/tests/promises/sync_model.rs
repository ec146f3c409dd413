//! Statements at random in several sessions, against what plain SQL says of the rows.

use std::thread;

use rand::RngExt;
use rand::SeedableRng;
use rand::rngs::StdRng;
use vb_tests::agreement::{self, Expectation};
use vb_tests::client::Client;
use vb_tests::{chance, jobs, sync};

use crate::sync_shop::Shop;

const SESSIONS: usize = 4;
const ROUNDS: usize = 6;
/// Statements of a session in a round.
const STEPS: usize = 120;
const CLIENTS: i64 = 3;

const TABLES: &str = "
create table owners (id int primary key);
insert into owners select generate_series(0, 9);
create table tickets (
    id int, client_id int, title text, content text, active boolean not null default true, hits int not null default 0,
    owner int references owners on delete cascade, primary key (id)
);
create table posts (id int, client_id bigint not null, content text, part int not null, primary key (id, part)) partition by list (part);
create table posts_0 partition of posts for values in (0);
create table posts_1 partition of posts for values in (1);
create table posts_2 partition of posts for values in (2);";

/// A text of white space only is none.
const TICKETS: &str = r"select id::text, case when t ~ '\S' then t end
    from tickets, concat_ws(' ', nullif(title, ''), nullif(content, '')) t where active and client_id = ";
const POSTS: &str = "select jsonb_build_array(id::text, part::text)::text, content from posts where client_id = ";

#[test]
fn rows_of_four_sessions_that_do_anything_agree_with_references_and_store_whenever_they_rest() {
    let mut random = chance::seeded();
    let mut shop = Shop::open("max_prepared_transactions = 200\ndeadlock_timeout = 100ms");
    shop.client.run(TABLES);
    for (source, id) in [("tickets", 1_000), ("posts", 1_000)] {
        let rest = if source == "tickets" { "true, 0, null" } else { "0" };
        let columns = if source == "tickets" {
            "'a title', 'first says hello'"
        } else {
            "'first says hello'"
        };
        for client_id in 1..=CLIENTS {
            shop.client.run(&format!(
                "insert into {source} values ({id} + {client_id}, {client_id}, {columns}, {rest})"
            ));
            let job = shop.client.value(
                &format!("select vb_enqueue_backfill({client_id}, '{source}', provider => 'double')"),
                &[],
            );
            jobs::completed(&mut shop.client, job);
        }
        sync::enable(&mut shop.client, source);
    }
    for round in 0..ROUNDS {
        thread::scope(|scope| {
            for session in 0..SESSIONS {
                let (mut client, mut random) = (shop.cluster.connect("shop"), StdRng::seed_from_u64(random.random()));
                scope.spawn(move || {
                    let mut steps = Steps {
                        prepared: format!("p_{round}_{session}"),
                        open: None,
                        count: 0,
                    };
                    for _ in 0..STEPS {
                        steps.next(&mut client, &mut random);
                    }
                });
            }
            if round % 2 == 1 {
                // Beside a backfill of everything.
                for client_id in 1..=CLIENTS {
                    shop.client.run(&format!(
                        "select vb_enqueue_backfill({client_id}, 'tickets', batch_size => 7)"
                    ));
                }
            }
        });
        for name in shop.client.values::<String>("select gid from pg_prepared_xacts", &[]) {
            let end = if random.random_bool(0.5) { "commit" } else { "rollback" };
            shop.client.run(&format!("{end} prepared '{name}'"));
        }
        sync::settled_after_a_look(&mut shop.client);
        for (source, rows) in [("tickets", TICKETS), ("posts", POSTS)] {
            for client_id in 1..=CLIENTS {
                agreement::assert_agreement(
                    &mut shop.client,
                    &shop.store,
                    Expectation {
                        client_id,
                        source,
                        vector_type: "content",
                        rows: &format!("{rows}{client_id}"),
                    },
                );
            }
        }
    }
}

struct Steps {
    prepared: String,
    /// The transaction that is prepared and still to be ended.
    open: Option<String>,
    count: usize,
}

impl Steps {
    fn next(&mut self, client: &mut Client, random: &mut StdRng) {
        self.count += 1;
        if self.open.is_some() && random.random_bool(0.3) {
            self.resolve(client, random);
        }
        let name = format!("{}_{}", self.prepared, self.count);
        let statement = |random: &mut StdRng| statement(random);
        let sql = match random.random_range(0..12) {
            0 => format!("begin; {}; {}; rollback", statement(random), statement(random)),
            1 => format!(
                "begin; {}; savepoint s; {}; rollback to s; {}; commit",
                statement(random),
                statement(random),
                statement(random)
            ),
            2 => format!(
                "begin; savepoint s; {}; release s; {}; commit",
                statement(random),
                statement(random)
            ),
            3 if self.open.is_none() => format!("begin; {}; prepare transaction '{name}'", statement(random)),
            4 => format!(
                "begin isolation level serializable; {}; {}; commit",
                statement(random),
                statement(random)
            ),
            _ => statement(random),
        };
        // Sessions are in each other's way: that is a part of it.
        if let Err(error) = client.try_run(&format!("set lock_timeout = '100ms'; {sql}")) {
            let error = error.to_string();
            let expected = ["40001", "40P01", "55P03", "23505", "23503", "25P02"];
            assert!(expected.iter().any(|code| error.contains(code)), "{error}\nin: {sql}");
            client.run("rollback");
        } else if sql.ends_with(&format!("prepare transaction '{name}'")) {
            self.open = Some(name);
        }
    }

    /// Ends the transaction that is prepared, one way or the other.
    fn resolve(&mut self, client: &mut Client, random: &mut StdRng) {
        if let Some(name) = self.open.take() {
            let end = if random.random_bool(0.6) { "commit" } else { "rollback" };
            client.run(&format!("{end} prepared '{name}'"));
        }
    }
}

fn statement(random: &mut StdRng) -> String {
    let id = random.random_range(0..300);
    let (client, other) = (random.random_range(1..=CLIENTS), random.random_range(1..=CLIENTS));
    let word: u32 = random.random();
    let part = random.random_range(0..3);
    let span = id + random.random_range(0..12);
    match random.random_range(0..26) {
        0..=3 => format!(
            "insert into tickets values ({id}, {client}, 'title {word}', 'a ticket says {word}', {}, 0, {})",
            !word.is_multiple_of(5),
            id % 10
        ),
        4 => format!(
            "insert into tickets values ({id}, {client}, 'upsert {word}', 'says so') on conflict (id) do update set title = excluded.title, client_id = excluded.client_id"
        ),
        5 => format!(
            "insert into tickets select n, {client}, 'many ' || n, 'says {word}' from generate_series({id}, {span}) n on conflict do nothing"
        ),
        6 | 7 => format!("update tickets set title = 'new {word}' where id between {id} and {span}"),
        8 => format!("update tickets set hits = hits + 1 where id between {id} and {span} + 50"),
        9 => format!("update tickets set client_id = {other} where id between {id} and {span}"),
        10 => format!("update tickets set active = not active where id between {id} and {span}"),
        11 => format!("update tickets set id = id + 300 where id = {id}"),
        12 => format!(
            "update tickets set title = null, content = {} where id = {id}",
            if word.is_multiple_of(2) { "''" } else { "'  '" }
        ),
        13 => format!("delete from tickets where id between {id} and {span}"),
        14 => format!(
            "delete from owners where id = {0}; insert into owners values ({0})",
            id % 10
        ),
        15 => format!(
            "merge into tickets t using (values ({id}), ({span} + 1)) v(id) on t.id = v.id when matched and t.hits > 0 then delete when matched then update set content = 'merged says {word}' when not matched then insert values (v.id, {client}, 'merged', 'says {word}')"
        ),
        16 | 17 => format!("insert into posts values ({id}, {client}, 'a post says {word}', {part})"),
        18 => format!(
            "insert into posts_{part} values ({id}, {client}, 'direct says {word}', {part}) on conflict (id, part) do update set content = excluded.content"
        ),
        19 => format!("update posts set content = 'changed says {word}' where id between {id} and {span}"),
        20 => format!("update posts set part = (part + 1) % 3 where id between {id} and {span}"),
        21 => format!("update posts_{part} set client_id = {other} where id between {id} and {span}"),
        22 => format!("delete from posts where id between {id} and {span}"),
        23 if word.is_multiple_of(8) => format!("truncate posts_{part}"),
        24 if word.is_multiple_of(16) => "truncate tickets".to_owned(),
        25 if word.is_multiple_of(8) => format!(
            "alter table posts detach partition posts_{part}; alter table posts attach partition posts_{part} for values in ({part})"
        ),
        _ => format!("update tickets set content = 'rest says {word}' where id = {id}"),
    }
}
