//! Embedding providers as configured, and whether one could be used now.

use serde::de::DeserializeOwned;
use vb_engine::provider::config::{Dialect, HttpConfig, OnnxConfig, ProviderConfig, ProviderKind};
use vb_engine::provider::http::{self, models};
use vb_engine::provider::options::{LocalOptions, ProviderOptions};

use vb_formats::secret_ref::SecretRef;

use super::collections::Collection;
use super::installation::Installation;
use crate::error::{Result, VbError};
use crate::pg::{role, spi};
use crate::settings::Settings;

/// A row of `vb_providers`.
#[derive(Debug, Clone)]
pub(crate) struct Provider {
    /// Its name.
    pub(crate) name: String,
    /// How it is reached.
    pub(crate) kind: Kind,
    /// The model's name, as recorded with each vector.
    pub(crate) model: String,
    /// Numbers in its embeddings, if that is known.
    pub(crate) dimensions: Option<i32>,
    /// The only client that may use it; `None` for everybody.
    pub(crate) client_id: Option<i64>,
    /// Whether it may be used at all.
    pub(crate) enabled: bool,
    /// What it takes for a token.
    pub(crate) cost_per_token: f64,
    /// What the engine needs, or why it cannot be used.
    setup: std::result::Result<ProviderConfig, String>,
}

/// How a provider is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A model on this machine.
    Onnx,
    /// A service over HTTP.
    Http(Dialect),
}

impl Kind {
    /// The kind of that name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "onnx" => Some(Self::Onnx),
            "openai" => Some(Self::Http(Dialect::Openai)),
            "azure_openai" => Some(Self::Http(Dialect::AzureOpenai)),
            "openai_compatible" => Some(Self::Http(Dialect::OpenaiCompatible)),
            _ => None,
        }
    }

    /// The name that stands for this kind in the rules of choice, if one does.
    pub(crate) fn role(self) -> Option<&'static str> {
        match self {
            Self::Onnx => Some("sentence_transformers"),
            Self::Http(Dialect::Openai) => Some("openai"),
            Self::Http(Dialect::AzureOpenai) => Some("azure_openai"),
            Self::Http(Dialect::OpenaiCompatible) => None,
        }
    }
}

impl Provider {
    /// What the engine needs to use it, or the reason why it cannot be used now. Loads nothing and calls nobody.
    pub(crate) fn available(&self) -> std::result::Result<&ProviderConfig, String> {
        if !self.enabled {
            return Err("it is not enabled".to_owned());
        }
        self.reachable()
    }

    /// The same, whether it is enabled or not.
    pub(crate) fn reachable(&self) -> std::result::Result<&ProviderConfig, String> {
        let config = self.setup.as_ref().map_err(Clone::clone)?;
        match &config.kind {
            ProviderKind::Onnx(onnx) => missing_file(onnx).map_or(Ok(config), Err),
            ProviderKind::Http(_) => http::check(config).map(|()| config),
        }
    }

    /// The first thing that is wrong with what is written in its row, though something may be missing still.
    pub(crate) fn check_form(&self) -> std::result::Result<(), String> {
        http::check_form(self.setup.as_ref().map_err(Clone::clone)?)
    }

    /// Whether it is given what files or the environment of the server hold.
    pub(crate) fn is_given_secrets(&self) -> bool {
        let Ok(ProviderKind::Http(http)) = self.setup.as_ref().map(|config| &config.kind) else {
            return false;
        };
        let is_reference = |value: &String| value.parse::<SecretRef>().is_ok();
        http.api_key_ref.is_some() || http.options.ca_file.is_some() || http.options.headers.values().any(is_reference)
    }

    /// Whether its embeddings are of the collection's vector space.
    pub(crate) fn fits(&self, collection: &Collection) -> bool {
        self.model == collection.model
            && self
                .dimensions
                .is_none_or(|dimensions| dimensions == collection.dimensions)
    }

    /// Whether another provider's embeddings are of the same vector space.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.model == other.model && self.dimensions.is_some() && self.dimensions == other.dimensions
    }

    /// Whether the client may use it.
    pub(crate) fn serves(&self, client_id: i64) -> bool {
        self.client_id.is_none_or(|own| own == client_id)
    }
}

/// Enabled providers of everybody: clients' own before the common ones, then by quality.
pub(crate) fn enabled(installation: &Installation, settings: &Settings) -> Result<Vec<Provider>> {
    Ok(all(installation, settings)?
        .into_iter()
        .filter(|provider| provider.enabled)
        .collect())
}

/// Providers that a client may use, enabled or not: its own before the common ones, then by quality.
pub(crate) fn of_client(installation: &Installation, settings: &Settings, client_id: i64) -> Result<Vec<Provider>> {
    Ok(all(installation, settings)?
        .into_iter()
        .filter(|provider| provider.serves(client_id))
        .collect())
}

/// Enabled providers that everybody may use, by quality.
pub(crate) fn common(installation: &Installation, settings: &Settings) -> Result<Vec<Provider>> {
    Ok(enabled(installation, settings)?
        .into_iter()
        .filter(|provider| provider.client_id.is_none())
        .collect())
}

/// The provider of that name, enabled or not, for administrators.
pub(crate) fn require(installation: &Installation, settings: &Settings, name: &str) -> Result<Provider> {
    found(all(installation, settings)?, name)
}

/// The same among those that a client may use, or everybody without one: nobody is told of those of others.
pub(crate) fn require_for(
    installation: &Installation,
    settings: &Settings,
    name: &str,
    client_id: Option<i64>,
) -> Result<Provider> {
    let providers = all(installation, settings)?
        .into_iter()
        .filter(|provider| match client_id {
            Some(client_id) => provider.serves(client_id),
            None => provider.client_id.is_none(),
        });
    found(providers.collect(), name)
}

/// The one of that name; an error that lists what there is when it is not among them.
fn found(mut providers: Vec<Provider>, name: &str) -> Result<Provider> {
    if let Some(found) = providers.iter().position(|provider| provider.name == name) {
        return Ok(providers.swap_remove(found));
    }
    let mut names: Vec<&str> = providers.iter().map(|provider| provider.name.as_str()).collect();
    names.sort_unstable();
    let hint = match names.as_slice() {
        [] => "There are none; an administrator can make one with vb_set_provider.".to_owned(),
        names => format!("Providers are: {}.", names.join(", ")),
    };
    Err(VbError::missing(format!("there is no provider {name:?}")).hint(hint))
}

/// The first of the providers that is available; an error that says why each is not.
pub(crate) fn first_available(providers: &[Provider]) -> Result<(&Provider, &ProviderConfig)> {
    let mut reasons = Vec::new();
    for provider in providers {
        match provider.available() {
            Ok(config) => return Ok((provider, config)),
            Err(reason) => reasons.push(format!("{}: {reason}", provider.name)),
        }
    }
    let error = VbError::wrong_state("no embedding provider is available");
    Err(if reasons.is_empty() {
        error.hint("Enable one in vb_providers.")
    } else {
        error
            .detail(reasons.join("; "))
            .hint("Put right what the detail says, then try vb_check_provider.")
    })
}

/// All providers: a handful of rows, read whole; which of them serve is decided elsewhere.
pub(crate) fn all(installation: &Installation, settings: &Settings) -> Result<Vec<Provider>> {
    let statement = installation.sql(include_str!("../../sql/query/providers.sql"));
    role::as_owner(installation.owner, || {
        spi::read(&statement, &[], |row| {
            let kind: String = row.get(2)?;
            let stored = Stored {
                name: row.get(1)?,
                model: row.get(3)?,
                dimensions: row.optional(4)?,
                endpoint: row.optional(5)?,
                api_key_ref: row.optional(6)?,
                max_texts: row.optional(7)?,
                max_tokens: row.optional(8)?,
                max_request_tokens: row.optional(9)?,
                requests_per_minute: row.optional(10)?,
                tokens_per_minute: row.optional(11)?,
                options: row.get(14)?,
            };
            let kind = Kind::parse(&kind).ok_or_else(|| VbError::internal(format!("unknown kind {kind:?}")))?;
            Ok(Provider {
                client_id: row.optional(12)?,
                enabled: row.get(13)?,
                cost_per_token: row.get(15)?,
                ..stored.provider(settings, kind)
            })
        })
    })
}

/// The columns of which a configuration is made.
struct Stored {
    name: String,
    model: String,
    dimensions: Option<i32>,
    endpoint: Option<String>,
    api_key_ref: Option<String>,
    max_texts: Option<i32>,
    max_tokens: Option<i32>,
    max_request_tokens: Option<i32>,
    requests_per_minute: Option<i32>,
    tokens_per_minute: Option<i32>,
    options: String,
}

impl Stored {
    /// A provider of everybody that may not be used yet and costs nothing.
    fn provider(self, settings: &Settings, kind: Kind) -> Provider {
        let dimensions = self.dimensions.or_else(|| {
            let known = models::known(&self.model)?;
            i32::try_from(known.dimensions).ok()
        });
        let (name, model) = (self.name.clone(), self.model.clone());
        let setup = self.kind(settings, kind).map(|kind| ProviderConfig {
            name: self.name,
            model: self.model,
            dimensions: dimensions.and_then(size),
            max_tokens: self.max_tokens.and_then(size),
            kind,
        });
        Provider {
            name,
            kind,
            model,
            dimensions,
            client_id: None,
            enabled: false,
            cost_per_token: 0.0,
            setup,
        }
    }

    fn kind(&self, settings: &Settings, kind: Kind) -> std::result::Result<ProviderKind, String> {
        match kind {
            Kind::Onnx => local(settings, &self.model, self.options()?).map(ProviderKind::Onnx),
            Kind::Http(dialect) => Ok(ProviderKind::Http(Box::new(HttpConfig {
                dialect,
                endpoint: self.endpoint.clone(),
                api_key_ref: self.api_key_ref.clone(),
                secret_directory: settings.secret_directory.clone(),
                max_texts: self.max_texts.and_then(size),
                max_request_tokens: self.max_request_tokens.and_then(size),
                requests_per_minute: self.requests_per_minute.and_then(|value| u32::try_from(value).ok()),
                tokens_per_minute: self.tokens_per_minute.and_then(|value| u32::try_from(value).ok()),
                timeout_ms: u64::try_from(settings.request_timeout.as_millis()).unwrap_or(u64::MAX),
                options: self.options::<ProviderOptions>()?,
            }))),
        }
    }

    fn options<T: DeserializeOwned>(&self) -> std::result::Result<T, String> {
        serde_json::from_str(&self.options).map_err(|error| format!("options: {}", without_place(&error)))
    }
}

fn size(value: i32) -> Option<usize> {
    usize::try_from(value).ok()
}

/// Without line and column, which say nothing of a value that Postgres has written anew.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.split_once(" at line ").map_or(text.as_str(), |(what, _)| what);
    // The value may be a secret in the wrong place.
    match (what.split_once(": "), what.rsplit_once(", expected ")) {
        (Some((kind @ ("invalid type" | "invalid value"), _)), Some((_, expected))) => {
            format!("{kind}, expected {expected}")
        }
        _ => what.to_owned(),
    }
}

fn local(settings: &Settings, model: &str, options: LocalOptions) -> std::result::Result<OnnxConfig, String> {
    // The name becomes a folder below the model directory and must not lead out of it.
    if model.contains(['/', '\\']) || model.starts_with('.') {
        return Err(format!("model name {model:?} is not the name of a folder"));
    }
    Ok(OnnxConfig {
        library: settings.onnxruntime_library.clone(),
        model_directory: settings.model_directory.join(model),
        threads: settings.onnx_threads,
        nice: settings.nice,
        options,
    })
}

fn missing_file(onnx: &OnnxConfig) -> Option<String> {
    if !onnx.library.is_file() {
        return Some(format!("ONNX Runtime is missing at {}", onnx.library.display()));
    }
    ["model.onnx", "tokenizer.json"]
        .into_iter()
        .map(|file| onnx.model_directory.join(file))
        .find(|path| !path.is_file())
        .map(|path| format!("model file {} is missing", path.display()))
}
