//! However many watch, the database is asked as often as for one.

use std::io::Read;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use vb_tests::http::events;

use crate::shop::{ROLE, Shop};

/// How long statements are counted.
const COUNTED: Duration = Duration::from_secs(15);

/// Reads on in a stream, as a browser does, until it ends.
fn drain(mut stream: TcpStream) -> thread::JoinHandle<usize> {
    thread::spawn(move || {
        let mut bytes = [0; 65_536];
        let mut all = 0;
        while let Ok(count) = stream.read(&mut bytes) {
            if count == 0 {
                break;
            }
            all += count;
        }
        all
    })
}

/// Statements of the page in a while, by what the server logs of its role.
fn statements(shop: &Shop) -> usize {
    let count = || shop.cluster.log().matches(" LOG:  execute ").count();
    let before = count();
    thread::sleep(COUNTED);
    count() - before
}

#[test]
fn two_hundred_watch_and_the_database_is_asked_as_often_as_for_one() {
    let (mut shop, job) = Shop::at_work();
    shop.client.run(&format!(
        "alter role {ROLE} set log_statement = 'all';
         select pg_terminate_backend(pid) from pg_stat_activity where usename = '{ROLE}'"
    ));
    let topics = ["overview".to_owned(), "coverage".to_owned(), format!("job&job={job}")];
    let one: Vec<_> = topics
        .iter()
        .map(|topic| drain(events(shop.page.port, topic)))
        .collect();
    thread::sleep(Duration::from_secs(3));
    let for_few = statements(&shop);
    assert!(for_few >= 15, "{for_few} statements in {COUNTED:?}");
    let many: Vec<_> = (0..197)
        .map(|number| drain(events(shop.page.port, &topics[number % topics.len()])))
        .collect();
    thread::sleep(Duration::from_secs(3));
    let for_many = statements(&shop);
    // The moment when counting begins makes one look more or less.
    assert!(
        for_many <= for_few + for_few / 5 + 8,
        "{for_few} statements for 3 streams, {for_many} for 200"
    );
    // All of them were told something; they end with the page.
    drop(shop);
    for told in one.into_iter().chain(many) {
        assert!(told.join().expect("a reader ends") > 500);
    }
}

#[test]
fn nobody_is_asked_while_nobody_watches() {
    let (mut shop, _) = Shop::at_work();
    shop.client.run(&format!(
        "alter role {ROLE} set log_statement = 'all';
         select pg_terminate_backend(pid) from pg_stat_activity where usename = '{ROLE}'"
    ));
    drop(events(shop.page.port, "overview"));
    thread::sleep(Duration::from_secs(5));
    let idle = statements(&shop);
    assert!(idle <= 15, "{idle} statements in {COUNTED:?}, while nobody watches");
}
