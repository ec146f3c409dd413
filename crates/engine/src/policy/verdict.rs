//! What every fault of a provider means: throttled, transient, record or configuration. One `match`.

use vb_formats::answer::Unusable;
use vb_formats::refusal::Said;

use crate::batch::FailureClass;

/// Something that went wrong with one call of a provider over the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nobody was asked: a key is missing, or what was to be sent could not be written.
    NotAsked,
    /// It answered with a status other than success.
    Status {
        /// The HTTP status.
        status: u16,
        /// Whether it said when to come back.
        retry_after: bool,
        /// What it said the reason is, where that matters.
        said: Said,
    },
    /// Nobody answers at the address, or the name has no address now.
    Unreachable,
    /// Its certificate does not fit, or it speaks no TLS.
    Certificate,
    /// Its address is one that providers must not have unless they are marked as local.
    ForbiddenAddress,
    /// No answer in time.
    TimedOut,
    /// The connection broke before the answer was complete.
    Broken,
    /// The answer is larger than any right answer could be.
    TooLarge,
    /// The answer is not what an embeddings endpoint gives: HTML, or JSON of another shape.
    NotEmbeddings,
    /// More or fewer embeddings than texts, or not one for each.
    WrongCount,
    /// Embeddings of another length than configured.
    WrongDimensions,
    /// A number that is not finite, or a vector without a direction.
    NotFinite,
}

impl From<Unusable> for Fault {
    fn from(unusable: Unusable) -> Self {
        match unusable {
            Unusable::NotEmbeddings => Self::NotEmbeddings,
            Unusable::WrongCount => Self::WrongCount,
            Unusable::WrongDimensions => Self::WrongDimensions,
            Unusable::NotFinite => Self::NotFinite,
        }
    }
}

/// What a fault means.
pub fn verdict(fault: Fault) -> FailureClass {
    use FailureClass::{Configuration, Record, Throttled, Transient};
    use Fault::{
        Broken, Certificate, ForbiddenAddress, NotAsked, NotEmbeddings, NotFinite, Status, TimedOut, TooLarge,
        Unreachable, WrongCount, WrongDimensions,
    };
    match fault {
        Status {
            said: Said::QuotaExhausted | Said::Misconfigured,
            ..
        } => Configuration,
        // 529: overloaded, as some providers say it. Some say "too many tokens" where they mean a minute's.
        Status { status: 429 | 529, .. } => Throttled,
        Status {
            status: 400 | 413 | 422,
            ..
        }
        | Status {
            status: 400..=499,
            said: Said::TooLong,
            ..
        } => Record,
        Status {
            status: 503,
            retry_after: true,
            ..
        } => Throttled,
        // The request itself is not understood, however often it is repeated.
        Status { status: 501 | 505, .. } => Configuration,
        Status {
            status: 408 | 409 | 421 | 424 | 425 | 500..,
            ..
        } => Transient,
        // Success of another kind: accepted for later, no content.
        Status { status: ..=299, .. } => Transient,
        // Redirects are not followed, since they would carry the key elsewhere; other refusals are about who asks and how.
        Status { status: 300..=499, .. } => Configuration,
        Unreachable | TimedOut | Broken | TooLarge | NotEmbeddings | WrongCount => Transient,
        NotAsked | Certificate | ForbiddenAddress | WrongDimensions => Configuration,
        NotFinite => Record,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use FailureClass::{Configuration, Record, Throttled, Transient};

    fn expected_of_status(status: u16, retry_after: bool, said: Said) -> FailureClass {
        if matches!(said, Said::QuotaExhausted | Said::Misconfigured) {
            return Configuration;
        }
        if said == Said::TooLong && status != 429 && (400..500).contains(&status) {
            return Record;
        }
        match status {
            400 | 413 | 422 => Record,
            429 | 529 => Throttled,
            503 if retry_after => Throttled,
            408 | 409 | 421 | 424 | 425 => Transient,
            501 | 505 => Configuration,
            100..=299 | 500..=599 => Transient,
            _ => Configuration,
        }
    }

    #[test]
    fn every_status_with_every_header_and_reason_has_its_class() {
        for status in 100..=599 {
            for retry_after in [false, true] {
                for said in [Said::Nothing, Said::QuotaExhausted, Said::TooLong, Said::Misconfigured] {
                    let fault = Fault::Status {
                        status,
                        retry_after,
                        said,
                    };
                    assert_eq!(
                        verdict(fault),
                        expected_of_status(status, retry_after, said),
                        "{fault:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn every_fault_of_transport_and_answer_has_its_class() {
        let table = [
            (Fault::NotAsked, Configuration),
            (Fault::Unreachable, Transient),
            (Fault::Certificate, Configuration),
            (Fault::ForbiddenAddress, Configuration),
            (Fault::TimedOut, Transient),
            (Fault::Broken, Transient),
            (Fault::TooLarge, Transient),
            (Fault::NotEmbeddings, Transient),
            (Fault::WrongCount, Transient),
            (Fault::WrongDimensions, Configuration),
            (Fault::NotFinite, Record),
        ];
        for (fault, class) in table {
            assert_eq!(verdict(fault), class, "{fault:?}");
        }
    }

    #[test]
    fn named_statuses_mean_what_their_documentation_says() {
        let of = |status, retry_after, said| {
            verdict(Fault::Status {
                status,
                retry_after,
                said,
            })
        };
        assert_eq!(of(401, false, Said::Nothing), Configuration, "the key");
        assert_eq!(of(403, false, Said::Nothing), Configuration, "the rights of the key");
        assert_eq!(
            of(404, false, Said::Nothing),
            Configuration,
            "the endpoint or the model"
        );
        assert_eq!(of(308, false, Said::Nothing), Configuration, "a redirect");
        assert_eq!(of(429, true, Said::Nothing), Throttled, "too fast");
        assert_eq!(of(429, false, Said::QuotaExhausted), Configuration, "no money");
        assert_eq!(of(500, false, Said::Nothing), Transient, "a fault of theirs");
        assert_eq!(of(400, false, Said::TooLong), Record, "too many tokens");
        assert_eq!(of(413, false, Said::Nothing), Record, "too many bytes");
    }
}
