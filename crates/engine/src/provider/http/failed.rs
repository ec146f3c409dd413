//! A call that gave nothing: what went wrong, what people are told of it, and the error for whoever asked.

use std::time::Duration;

use reqwest::StatusCode;
use vb_formats::rate_headers::RateHeaders;
use vb_formats::refusal::{self, Said};

use super::fault;
use crate::batch::FailureClass;
use crate::policy::verdict::{Fault, verdict};
use crate::provider::contract::ProviderError;

/// A call that gave nothing.
pub(super) struct Failed {
    pub(super) fault: Fault,
    pub(super) message: String,
    pub(super) retry_after: Option<Duration>,
    pub(super) rates: RateHeaders,
    /// Whether there was an answer that costs as a good one.
    pub(super) is_paid: bool,
    /// Whether base64 was asked for and is what it is about.
    pub(super) is_about_encoding: bool,
}

impl Failed {
    /// Nobody was asked.
    pub(super) fn before_sending(message: String) -> Self {
        Self {
            fault: Fault::NotAsked,
            message,
            retry_after: None,
            rates: RateHeaders::default(),
            is_paid: false,
            is_about_encoding: false,
        }
    }

    /// A refusal, without the secrets in its words.
    pub(super) fn refusal(
        name: &str,
        status: StatusCode,
        body: &[u8],
        secrets: &[&str],
        retry_after: Option<Duration>,
        rates: RateHeaders,
    ) -> Self {
        let (said, words) = refusal::read(status.as_u16(), body, secrets);
        let advice = match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => ": the key is not accepted; see api_key_ref",
            StatusCode::NOT_FOUND => ": see its endpoint and model",
            status if status.is_redirection() => ": redirects are not followed; set endpoint to the address it has now",
            _ if said == Said::QuotaExhausted => ": the account has no quota left",
            _ => "",
        };
        let words = words.as_deref();
        Self {
            fault: Fault::Status {
                status: status.as_u16(),
                retry_after: retry_after.is_some(),
                said,
            },
            message: format!(
                "provider \"{}\" answered {status}{advice}{}{}",
                name,
                if words.is_some() { ": " } else { "" },
                words.unwrap_or_default()
            ),
            retry_after,
            rates,
            is_paid: false,
            is_about_encoding: refusal::is_about_encoding(words),
        }
    }

    /// An answer that is none to believe.
    pub(super) fn unusable(
        name: &str,
        dimensions: Option<usize>,
        fault: Fault,
        texts: usize,
        rates: RateHeaders,
    ) -> Self {
        let what = match fault {
            Fault::TooLarge => "more bytes than any answer to this request can have".to_owned(),
            Fault::WrongCount => format!("something else than one embedding for each of {texts} texts"),
            Fault::WrongDimensions => format!(
                "embeddings that do not have {} dimensions",
                dimensions
                    .as_ref()
                    .map_or_else(|| "the same".to_owned(), usize::to_string)
            ),
            Fault::NotFinite => "an embedding that is no vector of finite numbers with a direction".to_owned(),
            _ => "something that is no list of embeddings".to_owned(),
        };
        Self {
            fault,
            message: format!("provider \"{}\" answered with {what}", name),
            retry_after: None,
            rates,
            is_paid: true,
            is_about_encoding: false,
        }
    }

    /// A connection that was not made or did not last.
    pub(super) fn broken(name: &str, host: &str, timeout: Duration, error: &reqwest::Error, is_paid: bool) -> Self {
        let fault = fault::of_transport(error);
        let reason = fault::innermost(error);
        let what = match fault {
            Fault::TimedOut => format!("did not answer within {} s", timeout.as_secs_f32()),
            Fault::Unreachable => format!("cannot be reached at {host}: {reason}"),
            Fault::Certificate => format!("has a certificate that is not trusted for {host}: {reason}"),
            Fault::ForbiddenAddress => format!("is at {host}, which is not allowed: {reason}"),
            _ => format!("broke the connection: {reason}"),
        };
        Self {
            fault,
            message: format!("provider \"{}\" {what}", name),
            retry_after: None,
            rates: RateHeaders::default(),
            is_paid,
            is_about_encoding: false,
        }
    }

    /// The error for whoever asked, for whom the texts were worth so many tokens.
    pub(super) fn into_error(self, tokens: usize) -> ProviderError {
        let class = verdict(self.fault);
        let Self {
            message,
            retry_after,
            is_paid,
            ..
        } = self;
        if is_paid {
            return ProviderError::Unusable {
                class,
                message,
                tokens: tokens as u64,
            };
        }
        match class {
            FailureClass::Throttled => ProviderError::Throttled { message, retry_after },
            FailureClass::Transient => ProviderError::Transient(message),
            FailureClass::Record => ProviderError::Record(message),
            FailureClass::Configuration => ProviderError::Configuration(message),
        }
    }

    /// Whether fewer requests at a time might help.
    pub(super) fn is_overload(&self) -> bool {
        matches!(
            self.fault,
            Fault::TimedOut
                | Fault::Status {
                    status: 408 | 503 | 504 | 529,
                    ..
                }
        )
    }
}
