//! Which provider a job uses, and why.

use vb_engine::policy::choice::{self, Candidate, Preference};

use crate::catalog::collections::Collection;
use crate::catalog::installation::Installation;
use crate::catalog::jobs::Job;
use crate::catalog::providers::{self, Provider};
use crate::error::{Result, VbError};
use crate::settings::Settings;

/// The provider and the reason for it, for people.
pub(crate) struct ProviderChoice {
    /// The provider; available when it was chosen.
    pub(crate) provider: Provider,
    /// Why this one.
    pub(crate) reason: String,
}

/// A collection that has vectors keeps its model; else the provider that the user named; else by the rules.
pub(crate) fn choose(
    installation: &Installation,
    settings: &Settings,
    job: &Job,
    collection: Option<&Collection>,
    records: u64,
) -> Result<ProviderChoice> {
    let providers = providers::of_client(installation, settings, job.client_id)?;
    if let Some(collection) = collection {
        return pinned(providers, job, collection);
    }
    if let Some(name) = &job.requested_provider {
        let provider = providers::require(installation, settings, name)?;
        if !provider.serves(job.client_id) {
            return Err(unavailable(name, "it belongs to another client"));
        }
        provider.available().map_err(|reason| unavailable(name, &reason))?;
        return Ok(ProviderChoice {
            reason: format!("{name} was asked for"),
            provider,
        });
    }
    let preference = Preference::parse(&job.preference)
        .ok_or_else(|| VbError::internal(format!("unknown preference {:?}", job.preference)))?;
    let candidates: Vec<Candidate> = providers
        .iter()
        .map(|provider| Candidate {
            name: provider.name.clone(),
            unavailable: provider.available().err(),
        })
        .collect();
    let choice = choice::choose(preference, records, &candidates).map_err(|reasons| {
        VbError::wrong_state(format!("no embedding provider is available: {reasons}"))
            .hint("Put right what the message says, then vb_resume the job.")
    })?;
    let provider = providers
        .into_iter()
        .nth(choice.index)
        .ok_or_else(|| VbError::internal("no such candidate"))?;
    Ok(ProviderChoice {
        provider,
        reason: choice.reason,
    })
}

/// The provider that made the collection, or another one with the same model and dimensions.
fn pinned(providers: Vec<Provider>, job: &Job, collection: &Collection) -> Result<ProviderChoice> {
    let mut fitting: Vec<Provider> = providers
        .into_iter()
        .filter(|provider| provider.fits(collection))
        .collect();
    let asked = job.requested_provider.as_deref();
    fitting.sort_by_key(|provider| {
        (
            Some(provider.name.as_str()) != asked,
            provider.name != collection.provider,
        )
    });
    let mut reasons = Vec::new();
    for provider in fitting {
        match provider.available() {
            Ok(_) => {
                let reason = match asked {
                    Some(asked) if asked != provider.name => {
                        format!("the collection is pinned to model {}, so not {asked}", collection.model)
                    }
                    _ => format!("the collection is pinned to model {}", collection.model),
                };
                return Ok(ProviderChoice { provider, reason });
            }
            Err(reason) => reasons.push(format!("{}: {reason}", provider.name)),
        }
    }
    let reasons = if reasons.is_empty() {
        "none is configured".to_owned()
    } else {
        reasons.join("; ")
    };
    Err(VbError::wrong_state(format!(
        "no provider of model {} with {} dimensions, to which collection {} is pinned, is available: {reasons}",
        collection.model, collection.dimensions, collection.name
    ))
    .hint("Put right what the message says, then vb_resume the job."))
}

fn unavailable(name: &str, reason: &str) -> VbError {
    VbError::wrong_state(format!("provider {name:?} is not available: {reason}"))
        .hint("Put right what the message says, then vb_resume the job.")
}
