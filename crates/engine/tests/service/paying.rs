//! Who asks pays: nothing is sent that a client may not spend, and its owner is told what was.

use std::time::Duration;

use vb_engine::batch::{BatchResult, FailureClass, Origin};
use vb_engine::budget::{Amount, Limits};
use vb_engine::client_budgets::{Day, Payer};
use vb_engine::service::protocol::{Answer, Request};

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
    assert!(ask(&owner, &paid("one", 100)).is_ok());
    assert!(ask(&owner, &paid("a limit that was raised holds at once", 110)).is_ok());

    let told = owner.engine.client_budgets().unrecorded();
    let [told] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((told.client_id, told.provider.as_str()), (7, "test-provider"));
    assert_eq!(told.amount, Amount { tokens: 18, cost: 36.0 });
    assert_eq!(ask(&owner, &Request::ForgetSpending { client_id: 7 }), Ok(Answer::Done));
    assert!(owner.engine.client_budgets().unrecorded().is_empty());
}
