//! What may be spent is never exceeded, and what it pays for is done.

use std::sync::Arc;

use vb_engine::batch::{Batch, BatchResult, FailureClass, Origin};
use vb_engine::budget::{Amount, Budget, Limits, Terms};
use vb_engine::purse::Purse;

use crate::doubles::owner::{Owner, batch};
use crate::doubles::provider::ScriptedProvider;

fn budget(tokens: u64) -> Arc<Budget> {
    let terms = Terms {
        keeps_for_searches: false,
        name: "job 5".into(),
        limits: Limits {
            tokens: Some(tokens),
            cost: None,
        },
        remedy: "Raise it.".into(),
        renewed_at: None,
    };
    Arc::new(Budget::new(terms, Amount::default()))
}

/// A batch of texts with three tokens each.
fn paid_by(budget: &Arc<Budget>, count: usize) -> Batch {
    Batch {
        purse: Arc::new(Purse::new(vec![budget.clone()], 0.0)),
        ..batch((0..count).map(|number| format!("text number {number}")))
    }
}

#[test]
fn as_many_texts_are_sent_as_may_be_paid_for() {
    let mut owner = Owner::start(ScriptedProvider::sound().in_parallel(3));
    let budget = budget(100);
    let BatchResult::Done { embedded, left, .. } = owner.run(paid_by(&budget, 64)) else {
        panic!("a part can be paid for");
    };
    let left = left.expect("not all can be paid for");
    assert_eq!(embedded.len() + left.record_ids.len(), 64);
    assert!(budget.spent().tokens <= 100);
    assert_eq!(budget.spent().tokens, 3 * embedded.len() as u64);
    assert!(embedded.len() >= 16, "{}", embedded.len());
    assert_eq!(left.failure.origin, Origin::Budget);

    // Repeated, the rest takes what is left.
    while let BatchResult::Done { .. } = owner.run(paid_by(&budget, 64)) {}
    assert_eq!(budget.spent().tokens, 99);
    let calls = owner.provider.requests().len();
    let failure = owner.failure(paid_by(&budget, 1));
    assert_eq!(
        (failure.class, failure.origin),
        (FailureClass::Configuration, Origin::Budget)
    );
    assert_eq!(
        failure.message,
        "job 5 would exceed its limit of 100 tokens: 99 are spent. Raise it."
    );
    assert_eq!(owner.provider.requests().len(), calls, "nothing more is sent");
}

#[test]
fn batches_at_the_same_time_share_a_limit() {
    let mut owner = Owner::start(ScriptedProvider::sound());
    let budget = budget(1_000);
    for _ in 0..20 {
        owner.engine.submit(paid_by(&budget, 32));
    }
    for _ in 0..20 {
        owner.outcome();
    }
    let spent = budget.spent().tokens;
    assert!((900..=1_000).contains(&spent), "{spent}");
    let sent: usize = owner.provider.requests().iter().map(Vec::len).sum();
    assert_eq!(spent as usize, 3 * sent);
}

#[test]
fn what_a_refused_text_costs_is_paid_for_as_well() {
    let mut owner = Owner::start(ScriptedProvider::refusing("13"));
    let budget = budget(10_000);
    let BatchResult::Done { embedded, failed, .. } = owner.run(paid_by(&budget, 32)) else {
        panic!("it can be paid for");
    };
    assert_eq!((embedded.len(), failed.len()), (31, 1));
    let answered: u64 = 31 * 3;
    assert!(budget.spent().tokens >= answered);
    assert!(
        budget.spent().tokens <= answered + 2,
        "and the plain text: {:?}",
        budget.spent()
    );
}
