//! Which provider a job uses, and why.

use vb_engine::policy::choice::{self, Candidate, Preference};
use vb_engine::provider::config::ProviderConfig;

use super::troubles::Trouble;
use crate::catalog::collections::Collection;
use crate::catalog::installation::Installation;
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

/// What somebody wishes for a job.
pub(crate) struct Wish<'a> {
    /// Whose job.
    pub(crate) client_id: i64,
    /// A provider by name.
    pub(crate) requested: Option<&'a str>,
    /// Else by this.
    pub(crate) preference: Preference,
}

/// Says of a provider what was wrong when it was called last, if something was.
pub(crate) type Ask<'a> = &'a dyn Fn(&ProviderConfig) -> Option<Trouble>;

/// A collection that has vectors keeps its model; else the provider that the user named; else by the rules. In the place of
/// one that is in trouble comes another of the same model, where there is one.
pub(crate) fn choose(
    installation: &Installation,
    settings: &Settings,
    trouble: Ask<'_>,
    wish: &Wish<'_>,
    collection: Option<&Collection>,
    records: u64,
) -> Result<ProviderChoice> {
    let providers = providers::of_client(installation, settings, wish.client_id)?;
    if let Some(collection) = collection {
        return pinned(providers, trouble, wish, collection);
    }
    let choice = match wish.requested {
        Some(name) => requested(installation, settings, wish.client_id, name)?,
        None => by_rules(&providers, wish.preference, records)?,
    };
    let Some(reason) = choice.provider.available().ok().and_then(trouble) else {
        return Ok(choice);
    };
    let other = providers.into_iter().find(|other| {
        choice.provider.is_like(other) && other.available().is_ok_and(|config| trouble(config).is_none())
    });
    Ok(match other {
        Some(provider) => ProviderChoice {
            reason: format!(
                "{}; {} has the same model ({}: {})",
                choice.reason, provider.name, choice.provider.name, reason.message
            ),
            provider,
        },
        None => choice,
    })
}

/// The provider that the user named.
fn requested(installation: &Installation, settings: &Settings, client_id: i64, name: &str) -> Result<ProviderChoice> {
    let provider = providers::require_for(installation, settings, name, Some(client_id))?;
    provider.available().map_err(|reason| unavailable(name, &reason))?;
    Ok(ProviderChoice {
        reason: format!("{name} was asked for"),
        provider,
    })
}

/// The provider that the rules give, of those that a client may use.
fn by_rules(providers: &[Provider], preference: Preference, records: u64) -> Result<ProviderChoice> {
    let candidate = |provider: &Provider| Candidate {
        name: provider.name.clone(),
        role: match provider.client_id {
            Some(_) => provider.kind.role().unwrap_or_default().to_owned(),
            None => provider.name.clone(),
        },
        is_own: provider.client_id.is_some(),
        unavailable: provider.available().err(),
    };
    let candidates: Vec<Candidate> = providers.iter().map(candidate).collect();
    let choice = choice::choose(preference, records, &candidates).map_err(|reasons| {
        VbError::wrong_state(format!("no embedding provider is available: {reasons}"))
            .hint("Put right what the message says, then vb_resume the job.")
    })?;
    let provider = providers
        .get(choice.index)
        .ok_or_else(|| VbError::internal("no such candidate"))?;
    Ok(ProviderChoice {
        provider: provider.clone(),
        reason: choice.reason,
    })
}

/// The provider that made the collection, or another one with the same model and dimensions.
fn pinned(
    providers: Vec<Provider>,
    trouble: Ask<'_>,
    wish: &Wish<'_>,
    collection: &Collection,
) -> Result<ProviderChoice> {
    let mut fitting: Vec<Provider> = providers
        .into_iter()
        .filter(|provider| provider.fits(collection))
        .collect();
    let asked = wish.requested;
    fitting.sort_by_key(|provider| {
        (
            Some(provider.name.as_str()) != asked,
            provider.name != collection.provider,
        )
    });
    let mut reasons = Vec::new();
    // The least bad of those that are in trouble.
    let mut last_resort: Option<(Trouble, Provider)> = None;
    for provider in fitting {
        let reason = match provider.available().map(trouble) {
            Ok(None) => {
                let reason = why_pinned(&provider, asked, collection, &reasons);
                return Ok(ProviderChoice { provider, reason });
            }
            Ok(Some(trouble)) => {
                let reason = format!("{}: {}", provider.name, trouble.message);
                let is_better = last_resort
                    .as_ref()
                    .is_none_or(|(other, _)| trouble.severity < other.severity);
                if is_better {
                    last_resort = Some((trouble, provider));
                }
                reason
            }
            Err(reason) => format!("{}: {reason}", provider.name),
        };
        reasons.push(reason);
    }
    if let Some((_, provider)) = last_resort {
        let reason = why_pinned(&provider, asked, collection, &[]);
        return Ok(ProviderChoice { provider, reason });
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

fn why_pinned(provider: &Provider, asked: Option<&str>, collection: &Collection, passed_over: &[String]) -> String {
    let model = &collection.model;
    if !passed_over.is_empty() {
        let passed_over = passed_over.join("; ");
        return format!(
            "the collection is pinned to model {model}; {} has the same one ({passed_over})",
            provider.name
        );
    }
    match asked {
        Some(asked) if asked != provider.name => format!("the collection is pinned to model {model}, so not {asked}"),
        _ => format!("the collection is pinned to model {model}"),
    }
}

/// Whether another provider, in less trouble, could take over from the one that a collection's job works with.
pub(crate) fn has_better(
    installation: &Installation,
    settings: &Settings,
    trouble: Ask<'_>,
    client_id: i64,
    collection: &Collection,
    present: &ProviderConfig,
) -> Result<bool> {
    let Some(own) = trouble(present) else {
        return Ok(false);
    };
    let providers = providers::of_client(installation, settings, client_id)?;
    let is_better = |provider: &Provider| {
        provider.name != present.name
            && provider.model == collection.model
            && provider.dimensions == Some(collection.dimensions)
            && provider
                .available()
                .is_ok_and(|config| trouble(config).is_none_or(|other| other.severity < own.severity))
    };
    Ok(providers.iter().any(is_better))
}

fn unavailable(name: &str, reason: &str) -> VbError {
    VbError::wrong_state(format!("provider {name:?} is not available: {reason}"))
        .hint("Put right what the message says, then vb_resume the job.")
}
