//! Providers: setting them, calling them.

use pgrx::datum::Interval;
use pgrx::iter::TableIterator;
use pgrx::{AnyElement, AnyNumeric, name, pg_extern};

use super::{on_primary, required};
use crate::catalog::access::Sight;
use crate::catalog::installation::Installation;
use crate::catalog::provider_settings::{self, ProviderSettings};
use crate::catalog::providers;
use crate::pg::catch::respond;
use crate::pg::json;
use crate::settings::Settings;
use crate::worker::service::embed;

#[pg_extern(sql = false)]
#[expect(clippy::too_many_arguments, reason = "the SQL function has as many")]
fn vb_set_provider(
    name: Option<String>,
    kind: Option<String>,
    model: Option<String>,
    dimensions: Option<i32>,
    endpoint: Option<String>,
    api_key_ref: Option<String>,
    max_texts: Option<i32>,
    max_tokens: Option<i32>,
    max_request_tokens: Option<i32>,
    requests_per_minute: Option<i32>,
    tokens_per_minute: Option<i32>,
    cost_per_million_tokens: Option<AnyNumeric>,
    quality: Option<f32>,
    speed: Option<f32>,
    enabled: Option<bool>,
    client_id: Option<i64>,
    options: Option<AnyElement>,
) {
    respond(|| {
        let settings = ProviderSettings {
            kind,
            model,
            dimensions,
            endpoint,
            api_key_ref,
            max_texts,
            max_tokens,
            max_request_tokens,
            requests_per_minute,
            tokens_per_minute,
            cost_per_million_tokens,
            quality,
            speed,
            enabled,
            client_id,
            options: options.map(|options| json::text(options, "options")).transpose()?,
        };
        settings.store(&on_primary()?, &required(name, "name")?)
    })
}

#[pg_extern(sql = false)]
fn vb_drop_provider(name: Option<String>) {
    respond(|| provider_settings::drop(&on_primary()?, &required(name, "name")?))
}

#[pg_extern(sql = false)]
fn vb_provider_list() -> TableIterator<
    'static,
    (
        name!(name, String),
        name!(available, bool),
        name!(reason, Option<String>),
    ),
> {
    respond(|| {
        let installation = Installation::require()?;
        let sight = Sight::of_caller(&installation)?;
        let all = providers::all(&installation, &Settings::current())?;
        let seen = all
            .into_iter()
            .filter(move |provider| provider.client_id.is_none_or(|client| sight.sees(client)));
        Ok(TableIterator::new(seen.map(|provider| {
            let reason = provider.available().err();
            (provider.name, reason.is_none(), reason)
        })))
    })
}

#[pg_extern(sql = false)]
fn vb_check_provider(
    name: Option<String>,
) -> TableIterator<
    'static,
    (
        name!(ok, bool),
        name!(latency, Option<Interval>),
        name!(dimensions, Option<i32>),
        name!(detail, String),
    ),
> {
    respond(|| {
        let checked = embed::check_provider(&on_primary()?, &required(name, "name")?)?;
        Ok(TableIterator::once((
            checked.ok,
            checked.latency,
            checked.dimensions,
            checked.detail,
        )))
    })
}

#[pg_extern(sql = false)]
fn vb_embed(input: Option<String>, provider: Option<String>) -> Vec<f32> {
    respond(|| embed::embed(&on_primary()?, &required(input, "input")?, provider.as_deref()))
}
