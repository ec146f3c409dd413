//! Providers: those that cannot be used as they are configured, and those whose service does not do what it should.

use super::finding::{Cause, Finding, Severity};
use crate::catalog::access::Sight;
use crate::catalog::installation::Installation;
use crate::catalog::providers;
use crate::error::Result;
use crate::pg::{role, spi};
use crate::settings::Settings;

/// Enabled providers with something wrong; an error only when there is no other.
pub(super) fn findings(installation: &Installation, sight: &Sight) -> Result<Vec<Finding>> {
    let mut all = providers::enabled(installation, &Settings::current())?;
    all.retain(|provider| provider.client_id.is_none_or(|client| sight.sees(client)));
    let mut found: Vec<Finding> = all
        .iter()
        .filter_map(|provider| {
            let reason = provider.available().err()?;
            let finding = Finding::new(
                Severity::Warning,
                Cause::ProviderUnavailable,
                format!("provider {} is not available: {reason}", provider.name),
                "Put that right, then try vb_check_provider; or disable it in vb_providers.",
            );
            Some(finding.of_client(provider.client_id))
        })
        .collect();
    if found.len() == all.len() {
        found.push(Finding::new(
            Severity::Error,
            Cause::NoProvider,
            "no embedding provider is available",
            "Jobs pause until one is: install the local model (make install) or enable a provider in vb_providers.",
        ));
    }
    found.extend(role::as_owner(installation.owner, || services(installation, sight))?);
    Ok(found)
}

/// What the worker saw lately of services. What all clients together had of one is not for one of them.
fn services(installation: &Installation, sight: &Sight) -> Result<Vec<Finding>> {
    let statement = installation.sql(include_str!("../../../sql/query/health_services.sql"));
    let all = spi::read(&statement, &[], |row| {
        let (name, client) = (row.get::<String>(1)?, row.optional::<i64>(2)?);
        let (is_open, trouble) = (row.get::<bool>(3)?, row.optional::<String>(4)?);
        // A service may say what it was sent.
        let trouble = match sight.reads_all || client.is_some_and(|client| sight.reads(client)) {
            true => trouble.unwrap_or_else(|| "no reason given".to_owned()),
            false => "the reason is for roles that may read all clients".to_owned(),
        };
        let found = if is_open {
            Finding::new(
                Severity::Warning,
                Cause::ProviderUnreachable,
                format!("the service of provider {name} does not answer as it should: {trouble}"),
                format!(
                    "It is tried again by itself every few seconds; select * from vb_check_provider('{name}') makes one call."
                ),
            )
        } else {
            Finding::new(
                Severity::Warning,
                Cause::ProviderThrottled,
                format!(
                    "the service of provider {name} sends requests away, {} of {} so far",
                    row.get::<i64>(5)?,
                    row.get::<i64>(6)?
                ),
                format!(
                    "Work goes on as fast as it lets us. Ask for a higher limit there, or say what the limit is: select \
                     vb_set_provider('{name}', requests_per_minute => …, tokens_per_minute => …)."
                ),
            )
        };
        Ok(found.of_client(client))
    })?;
    let is_seen = |finding: &Finding| match finding.client {
        Some(client) => sight.sees(client),
        None => sight.sees_all(),
    };
    Ok(all.into_iter().filter(is_seen).collect())
}
