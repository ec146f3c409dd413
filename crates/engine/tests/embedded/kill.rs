//! A process killed at any moment: everything it acknowledged is there after opening again.
//!
//! The parent starts this test binary again as a child that runs one ignored test. What the child does in each step is a
//! function of the seed and the step's number, so the parent knows what the store must hold after the last step that was
//! acknowledged; of the step after it, each single write may have happened or not.

use std::collections::BTreeMap;
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use uuid::Uuid;
use vb_engine::store::contract::VectorStore;

use super::{ensure, open};
use crate::conformance::all_ids;
use crate::conformance::data::{Random, id, payload, point};
use crate::conformance::whole::Whole;

const DIRECTORY: &str = "VB_KILL_TEST_DIRECTORY";
const SEED: &str = "VB_KILL_TEST_SEED";
const FIRST_STEP: &str = "VB_KILL_TEST_FIRST_STEP";
const BUILD: &str = "VB_KILL_TEST_BUILD";

const ROUNDS: u64 = 10;
/// Few enough that points are replaced and deleted often.
const NUMBERS: u64 = 3_000;
/// Points of the second test: with as many dimensions worth an index.
const ENOUGH: u64 = 8_000;

/// What a store must hold: the version of each point.
type Versions = BTreeMap<u64, u64>;

/// One step of the child: points written in the version of the step, then points deleted.
struct Step {
    upserts: Vec<u64>,
    deletes: Vec<u64>,
}

impl Step {
    fn of(seed: u64, number: u64) -> Self {
        let mut random = Random::new(seed ^ number.wrapping_mul(0x9E37_79B9));
        let upserts = 1 + random.below(300);
        let deletes = random.below(40);
        let mut some = |many| (0..many).map(|_| random.below(NUMBERS)).collect::<Vec<_>>();
        Self {
            upserts: some(upserts),
            deletes: some(deletes),
        }
    }

    fn apply(&self, number: u64, versions: &mut Versions) {
        versions.extend(self.upserts.iter().map(|point| (*point, number)));
        self.deletes.iter().for_each(|point| {
            versions.remove(point);
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_moment_loses_nothing_that_was_acknowledged() {
    let seed = seed();
    let mut random = Random::new(seed);
    let directory = tempfile::tempdir().unwrap();
    let mut versions = Versions::new();
    let mut first_step = 0;
    for round in 0..ROUNDS {
        let next_step = run_and_kill(directory.path(), seed, first_step, 64, false, 20 + random.below(1_500));
        (first_step..next_step).for_each(|number| Step::of(seed, number).apply(number, &mut versions));
        check(
            directory.path(),
            &mut versions,
            &Step::of(seed, next_step),
            next_step,
            64,
        )
        .await;
        println!(
            "round {round}: {} steps acknowledged, {} points",
            next_step - first_step,
            versions.len()
        );
        first_step = next_step;
    }
    assert!(first_step > 20, "the child was killed too early to prove anything");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_while_an_index_is_built_loses_nothing_that_was_acknowledged() {
    const DIMENSIONS: usize = 1_024;
    let seed = seed();
    let mut random = Random::new(seed);
    let directory = tempfile::tempdir().unwrap();
    let mut versions = Versions::new();
    {
        let store = open(directory.path());
        ensure(&store, "docs", DIMENSIONS).await;
        // Beyond the numbers that the steps use.
        let numbers = NUMBERS..NUMBERS + ENOUGH;
        store
            .put(
                "docs",
                numbers.clone().map(|number| point(number, 0, DIMENSIONS)).collect(),
            )
            .await
            .unwrap();
        store.flush("docs").await.unwrap();
        versions.extend(numbers.map(|number| (number, 0)));
    }
    let mut first_step = 0;
    for round in 0..5 {
        // The index takes some ten seconds.
        let next_step = run_and_kill(
            directory.path(),
            seed,
            first_step,
            DIMENSIONS,
            true,
            500 + random.below(8_000),
        );
        (first_step..next_step).for_each(|number| Step::of(seed, number).apply(number, &mut versions));
        check(
            directory.path(),
            &mut versions,
            &Step::of(seed, next_step),
            next_step,
            DIMENSIONS,
        )
        .await;
        println!(
            "round {round}: {} steps acknowledged, {} points",
            next_step - first_step,
            versions.len()
        );
        first_step = next_step;
    }
}

/// The child: never ends by itself.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "started and killed by the tests above"]
async fn child() {
    let number = |name: &str| env::var(name).unwrap().parse::<u64>().unwrap();
    let (seed, first_step, dimensions) = (
        number(SEED),
        number(FIRST_STEP),
        number("VB_KILL_TEST_DIMENSIONS") as usize,
    );
    let store = std::sync::Arc::new(open(Path::new(&env::var(DIRECTORY).unwrap())));
    ensure(&*store, "docs", dimensions).await;
    if number(BUILD) == 1 {
        let store = std::sync::Arc::clone(&store);
        tokio::spawn(async move { store.optimize("docs").await.unwrap() });
    }
    for number in first_step.. {
        let step = Step::of(seed, number);
        let points = step
            .upserts
            .iter()
            .map(|point_number| point(*point_number, number, dimensions))
            .collect();
        store.put("docs", points).await.unwrap();
        store
            .erase("docs", step.deletes.iter().copied().map(id).collect())
            .await
            .unwrap();
        store.flush("docs").await.unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "acknowledged {number}").unwrap();
        out.flush().unwrap();
    }
}

/// Lets a child work for some time after its first acknowledgement, kills it, and returns the first step that it did not
/// acknowledge.
fn run_and_kill(directory: &Path, seed: u64, first_step: u64, dimensions: usize, build: bool, millis: u64) -> u64 {
    let mut child = start(directory, seed, first_step, dimensions, build);
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (sender, acknowledged) = mpsc::channel();
    let reader = thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            if let Some(number) = line.strip_prefix("acknowledged ") {
                sender.send(number.parse::<u64>().unwrap()).unwrap();
            }
        }
    });
    let first = acknowledged
        .recv_timeout(Duration::from_secs(60))
        .expect("the child never acknowledged anything");
    // The moment of the kill is the test's subject, so this waits for time and nothing else.
    thread::sleep(Duration::from_millis(millis));
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap();
    acknowledged.try_iter().last().unwrap_or(first) + 1
}

fn start(directory: &Path, seed: u64, first_step: u64, dimensions: usize, build: bool) -> Child {
    Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "embedded::kill::child",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(DIRECTORY, directory)
        .env(SEED, seed.to_string())
        .env(FIRST_STEP, first_step.to_string())
        .env("VB_KILL_TEST_DIMENSIONS", dimensions.to_string())
        .env(BUILD, u8::from(build).to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Checks that the store holds these versions, except where the step in flight may have changed them; takes over what it
/// did change.
async fn check(directory: &Path, versions: &mut Versions, in_flight: &Step, step: u64, dimensions: usize) {
    let store = open(directory);
    let ids = all_ids(&store, "docs", 1_000).await;
    assert_eq!(store.size("docs").await.unwrap(), ids.len() as u64);
    let found: BTreeMap<Uuid, u64> = ids.into_iter().map(|id| (id, 0)).collect();
    let numbers: BTreeMap<Uuid, u64> = (0..NUMBERS + ENOUGH).map(|number| (id(number), number)).collect();
    assert!(
        found.keys().all(|id| numbers.contains_key(id)),
        "a point that nobody wrote"
    );

    for number in 0..NUMBERS + ENOUGH {
        let there = found.contains_key(&id(number));
        let may_be_new = in_flight.upserts.contains(&number);
        let may_be_gone = in_flight.deletes.contains(&number);
        let Some(version) = versions.get(&number).copied() else {
            assert!(!there || may_be_new, "point {number} came back");
            if there {
                versions.insert(number, step);
            }
            continue;
        };
        assert!(there || may_be_gone, "point {number} in version {version} is lost");
        if !there {
            versions.remove(&number);
            continue;
        }
        // With many dimensions looking up each one takes long, and those that never change are looked up now and then.
        let every = if number >= NUMBERS {
            50
        } else {
            (dimensions / 128).max(1) as u64
        };
        if number % every != 0 && !may_be_new {
            continue;
        }
        let mut matching = None;
        for candidate in [Some(version), may_be_new.then_some(step)].into_iter().flatten() {
            if store_has(&store, number, candidate, dimensions).await {
                matching = Some(candidate);
            }
        }
        let Some(matching) = matching else {
            panic!("point {number} is not in version {version}")
        };
        versions.insert(number, matching);
    }
}

/// Whether the store has the point in this version, vector and payload both.
async fn store_has(store: &dyn VectorStore, number: u64, version: u64, dimensions: usize) -> bool {
    let hits = store
        .find("docs", point(number, version, dimensions).vector, 1)
        .await
        .unwrap();
    let hit = &hits[0];
    hit.id == id(number) && hit.score > 0.9999 && hit.payload == payload(number, version)
}

/// From the environment or the clock; printed, so that a failure can be repeated.
fn seed() -> u64 {
    let seed = env::var(SEED).ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64);
    println!("{SEED}={seed}");
    seed
}
