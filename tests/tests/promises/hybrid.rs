//! Search by meaning, by words and by both, on real texts with questions that have known answers.

use vb_tests::cluster::Cluster;
use vb_tests::{debian, jobs};

/// Enough for the three ways to differ.
const FEWEST: usize = 200;
const MOST: usize = 400;

#[test]
fn hybrid_search_finds_at_least_as_many_answers_as_the_better_of_the_two() {
    let pairs = debian::summaries_and_descriptions(MOST);
    assert!(pairs.len() >= FEWEST, "this machine has only {} packages", pairs.len());
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    client.run("create table manuals (id int primary key, client_id bigint not null default 1, content text)");
    for (id, (_, description)) in (0_i32..).zip(&pairs) {
        client.rows("insert into manuals (id, content) values ($1, $2)", &[&id, description]);
    }
    // Descriptions that are long have their first words compared by meaning, and all of them by words.
    jobs::backfill(&mut client, 1, "manuals");
    let mut found = |mode: &str| -> usize {
        let mut answers = 0;
        for (id, (summary, _)) in (0_i32..).zip(&pairs) {
            let is_found: bool = client.value(
                "select exists (select from vb_search(1, 'manuals', $1, 10, mode => $2) where record_id = $3::int::text)",
                &[summary, &mode, &id],
            );
            answers += usize::from(is_found);
        }
        answers
    };
    let (dense, keyword, hybrid) = (found("dense"), found("keyword"), found("hybrid"));
    println!(
        "of {} answers: dense {dense}, keyword {keyword}, hybrid {hybrid}",
        pairs.len()
    );
    assert!(dense > pairs.len() / 2 && keyword > pairs.len() / 2);
    assert!(
        hybrid >= dense.max(keyword),
        "of {} answers: dense {dense}, keyword {keyword}, hybrid {hybrid}",
        pairs.len()
    );
}

#[test]
fn words_are_found_that_no_model_knows_and_no_provider_is_asked() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    client.run("create table manuals (id int primary key, client_id bigint not null default 1, content text)");
    client.run(
        "insert into manuals (id, content)
         select n, 'an ordinary text about part number ' || md5(n::text) from generate_series(1, 50) n",
    );
    jobs::backfill(&mut client, 1, "manuals");
    client.run("select vb_set_provider('sentence_transformers', enabled => false)");
    let search = |mode: &str| {
        format!("select record_id from vb_search(1, 'manuals', 'what is ' || md5('17') || '?', 5, mode => '{mode}')")
    };
    // A model has to make an embedding of the question, words need none.
    let refused = client.error(&search("dense"), &[]);
    assert!(
        refused.message.contains("no embedding provider is available"),
        "{refused:?}"
    );
    assert_eq!(client.values::<String>(&search("keyword"), &[]), ["17"]);
    let refused = client.error(&search("fuzzy"), &[]);
    assert_eq!(refused.code, "22023");
    assert!(refused.hint.is_some_and(|hint| hint.contains("hybrid")));
}
