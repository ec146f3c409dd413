//! The promise above all others: source, references and store agree.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use uuid::Uuid;

use crate::client::{Client, Parameter};
use crate::store::Store;

/// Differences of one kind that a failure shows.
const SHOWN: usize = 10;

/// What has to be in the store for a client, source and vector type.
#[derive(Debug, Clone, Copy)]
pub struct Expectation<'a> {
    /// Whose rows.
    pub client_id: i64,
    /// The table, as SQL text that can be cast to `regclass`.
    pub source: &'a str,
    /// `content` and so on.
    pub vector_type: &'a str,
    /// A query of two columns: the record id and the text that has to be embedded. The test states it by itself: it must
    /// not be taken from the extension. Rows whose text is NULL or empty are those without text.
    pub rows: &'a str,
}

const EXPECTED: &str = "
select record_id, encode(sha256(convert_to(text, 'UTF8')), 'hex') as hash
from (QUERY) as expected (record_id, text)
where text <> ''";

const REFERENCED: &str = "
select record_id, chunk_no, encode(content_hash, 'hex') as hash, point_id, collection
from qdrant_vectors
where client_id = $1::bigint and source = $2::text::regclass and vector_type = $3
order by record_id, chunk_no";

const SET_ASIDE: &str = "
select e.record_id
from vb_job_errors e join vb_jobs j using (job_id)
where j.client_id = $1::bigint and j.source = $2::text::regclass and j.vector_type = $3";

const COLLECTIONS: &str = "
select name from vb_collection_generations
where client_id = $1::bigint and source = $2::text::regclass and vector_type = $3 and name is not null";

/// Checks that all of [`compare`] agrees; gives the number of points.
pub fn assert_agreement(client: &mut Client, store: &Store, expectation: Expectation<'_>) -> usize {
    let comparison = compare(client, store, expectation);
    assert!(
        comparison.differences.0.is_empty(),
        "source, references and store do not agree for {expectation:?}:{}",
        comparison.differences
    );
    comparison.points
}

/// What came of a comparison.
#[derive(Debug)]
pub struct Comparison {
    /// Points that the store holds.
    pub points: usize,
    /// Empty when all agrees.
    pub differences: Differences,
}

/// Compares: every expected row is referenced with the hash of its present text or was set aside, nothing else is
/// referenced, chunks are numbered without gaps, and the store holds exactly the points that are referenced.
pub fn compare(client: &mut Client, store: &Store, expectation: Expectation<'_>) -> Comparison {
    let parameters: [Parameter<'_>; 3] = [&expectation.client_id, &expectation.source, &expectation.vector_type];
    // One snapshot for all that is read of the database.
    client.run("begin isolation level repeatable read");
    let expected: BTreeMap<String, String> = client
        .rows(&EXPECTED.replace("QUERY", expectation.rows), &[])
        .iter()
        .map(|row| (row.get("record_id"), row.get("hash")))
        .collect();
    let references = client.rows(REFERENCED, &parameters);
    let set_aside: BTreeSet<String> = client.values::<String>(SET_ASIDE, &parameters).into_iter().collect();
    let mut collections: BTreeSet<String> = client.values::<String>(COLLECTIONS, &parameters).into_iter().collect();
    client.run("commit");

    let mut differences = Differences::default();
    let mut referenced: BTreeMap<String, Vec<i32>> = BTreeMap::new();
    let mut named: BTreeSet<Uuid> = BTreeSet::new();
    for reference in &references {
        let (record_id, hash): (String, String) = (reference.get("record_id"), reference.get("hash"));
        match expected.get(&record_id) {
            None => differences.add("referenced, but not a row of the source", &record_id),
            Some(present) if *present != hash => {
                differences.add("referenced with the hash of another text", &record_id)
            }
            Some(_) => {}
        }
        if !named.insert(reference.get("point_id")) {
            differences.add("shares its point with another reference", &record_id);
        }
        collections.insert(reference.get("collection"));
        referenced.entry(record_id).or_default().push(reference.get("chunk_no"));
    }
    for record_id in expected.keys() {
        if !referenced.contains_key(record_id) && !set_aside.contains(record_id) {
            differences.add("a row of the source, but neither referenced nor set aside", record_id);
        }
    }
    for (record_id, chunks) in &referenced {
        if !chunks.iter().copied().eq(0..chunks.len() as i32) {
            differences.add("has chunks with gaps in their numbers", record_id);
        }
    }

    let mut held = BTreeSet::new();
    for collection in &collections {
        let points = store.points(collection);
        assert_eq!(
            store.count(collection),
            points.len(),
            "the store counts other points than it lists in {collection}"
        );
        held.extend(points);
    }
    for point in named.difference(&held) {
        differences.add("a referenced point that the store does not hold", &point.to_string());
    }
    for point in held.difference(&named) {
        differences.add("a point in the store that nothing refers to", &point.to_string());
    }
    Comparison {
        points: held.len(),
        differences,
    }
}

/// Differences by kind.
#[derive(Debug, Default)]
pub struct Differences(pub BTreeMap<&'static str, Vec<String>>);

impl Differences {
    fn add(&mut self, kind: &'static str, what: &str) {
        self.0.entry(kind).or_default().push(what.to_owned());
    }
}

impl fmt::Display for Differences {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kind, found) in &self.0 {
            let shown = &found[..found.len().min(SHOWN)];
            write!(out, "\n  {} × {kind}: {}", found.len(), shown.join(", "))?;
        }
        Ok(())
    }
}
