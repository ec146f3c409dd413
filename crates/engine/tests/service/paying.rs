//! Who asks pays: nothing is sent that a client may not spend, and its owner is told what was.

use std::sync::Arc;
use std::time::{Duration, Instant};

use vb_engine::batch::{BatchResult, FailureClass, Origin};
use vb_engine::budget::{Amount, Limits};
use vb_engine::client_budgets::{Day, Payer};
use vb_engine::service::client::CallError;
use vb_engine::service::protocol::{Answer, Request};

use crate::doubles::gate::{Gate, PATIENCE};
use crate::doubles::owner::{Owner, batch};
use crate::doubles::provider::ScriptedProvider;
use crate::questions::{ask, fault, search};

/// The search, paid for by a client that may spend so many tokens a day, at two for each.
fn paid(query: &str, most: u64) -> Request {
    let mut request = search(query);
    if let Request::Search { payer, .. } = &mut request {
        let day = Day {
            client_id: 7,
            date: "2026-01-01".to_owned(),
            left: Duration::from_secs(60),
            limits: Limits {
                tokens: Some(most),
                cost: None,
            },
            spent: Amount {
                tokens: 90,
                cost: 180.0,
            },
            name: "client 7".to_owned(),
            remedy: "Wait.".to_owned(),
        };
        *payer = Some(Box::new(Payer {
            day,
            cost_per_token: 2.0,
        }));
    }
    request
}

#[test]
fn a_question_that_its_client_may_not_pay_for_is_not_sent() {
    let mut owner = Owner::start(ScriptedProvider::sound());
    assert!(matches!(
        owner.run(batch(["fix the login page"])),
        BatchResult::Done { .. }
    ));
    for question in ["five words are in here", "and four in this"] {
        assert!(matches!(ask(&owner, &paid(question, 100)), Ok(Answer::Hits(_))));
    }
    let sent = owner.provider.requests().len();
    let error = fault(&owner, &paid("two words", 100));
    assert_eq!(
        (error.class, error.origin),
        (FailureClass::Configuration, Origin::Budget)
    );
    assert_eq!(
        error.message,
        "client 7 would exceed its limit of 100 tokens: 99 are spent. Wait."
    );
    assert_eq!(owner.provider.requests().len(), sent);
    let one = paid("one", 100);
    for _ in 0..2 {
        assert!(ask(&owner, &one).is_ok(), "who comes back for more hits has paid");
    }
    assert_eq!(owner.provider.requests().len(), sent + 1);
    assert!(ask(&owner, &paid("a limit that was raised holds at once", 110)).is_ok());

    let told = owner.engine.client_budgets().unrecorded();
    let [told] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((told.client_id, told.provider.as_str()), (7, "test-provider"));
    assert_eq!(told.amount, Amount { tokens: 18, cost: 36.0 });
}

#[test]
fn who_does_not_wait_for_the_answer_pays_for_the_question() {
    let gate = Arc::new(Gate::default());
    let owner = Owner::start(ScriptedProvider::sound().queries_held_at(&gate));
    let mut client = owner.client();
    let given_up = client.call(&paid("three plain words", 100), &mut || {
        gate.wait_for_arrival();
        Err(())
    });
    assert!(matches!(given_up, Err(CallError::Interrupted(()))));
    drop(client);
    let budgets = owner.engine.client_budgets();
    let start = Instant::now();
    while budgets.unrecorded().is_empty() {
        assert!(start.elapsed() < PATIENCE, "nobody paid");
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(budgets.unrecorded()[0].amount.tokens, 3);
    assert_eq!(
        fault(&owner, &paid("eight words that do not fit any more", 100)).origin,
        Origin::Budget
    );
}
