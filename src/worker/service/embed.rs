//! Embeddings for users, and checks of providers: real calls, made by the worker.

use pgrx::datum::Interval;
use vb_engine::provider::config::ProviderConfig;
use vb_engine::provider::contract::Purpose;
use vb_engine::service::protocol::{Answer, Request};

use super::request::{ask, unexpected};
use crate::catalog::access::{self, Level};
use crate::catalog::installation::Installation;
use crate::catalog::providers;
use crate::error::{Result, VbError};
use crate::settings::Settings;

/// What a check of a provider found.
#[derive(Debug)]
pub(crate) struct Checked {
    /// Whether it gave a usable embedding.
    pub(crate) ok: bool,
    /// How long the call took; `None` when none was made.
    pub(crate) latency: Option<Interval>,
    /// Numbers in its embeddings.
    pub(crate) dimensions: Option<i32>,
    /// What was found, for people.
    pub(crate) detail: String,
}

/// Makes one real call of a provider, enabled or not.
pub(crate) fn check_provider(installation: &Installation, name: &str) -> Result<Checked> {
    access::require_all(installation, Level::Admin, "check a provider")?;
    let provider = providers::require(installation, &Settings::current(), name)?;
    let config = match provider.reachable() {
        Ok(config) => config.clone(),
        Err(detail) => {
            return Ok(Checked {
                ok: false,
                latency: None,
                dimensions: None,
                detail,
            });
        }
    };
    match ask(&Request::Check { provider: config })? {
        Answer::Check(report) => Ok(Checked {
            ok: report.ok,
            latency: Some(Interval::from_micros((report.latency_ms * 1000.0) as i64)),
            dimensions: report.dimensions.and_then(|value| i32::try_from(value).ok()),
            detail: report.detail,
        }),
        other => Err(unexpected(&other)),
    }
}

/// The embedding of a text as a question, made by the named provider or else by the best one that is available.
pub(crate) fn embed(installation: &Installation, text: &str, provider: Option<&str>) -> Result<Vec<f32>> {
    // It counts for no client.
    access::require_all(installation, Level::Write, "embed a text")?;
    if text.trim().is_empty() {
        return Err(VbError::invalid("input is empty").hint("There is nothing to embed in a text without letters."));
    }
    let request = Request::Embed {
        provider: chosen(installation, provider)?,
        texts: vec![text.to_owned()],
        purpose: Purpose::Query,
    };
    match ask(&request)? {
        Answer::Embeddings(mut vectors) if vectors.len() == 1 => Ok(vectors.swap_remove(0)),
        other => Err(unexpected(&other)),
    }
}

fn chosen(installation: &Installation, name: Option<&str>) -> Result<ProviderConfig> {
    let settings = Settings::current();
    let Some(name) = name else {
        let candidates = providers::common(installation, &settings)?;
        return Ok(providers::first_available(&candidates)?.1.clone());
    };
    let provider = providers::require_for(installation, &settings, name, None)?;
    provider.available().cloned().map_err(|reason| {
        VbError::wrong_state(format!("provider {name:?} is not available: {reason}"))
            .hint("Put that right, then try vb_check_provider.")
    })
}
