//! Embedding providers as configured, and whether one could be used now.

use vb_engine::provider::config::{OnnxConfig, ProviderConfig, ProviderKind};

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
    /// The model's name, as recorded with each vector.
    pub(crate) model: String,
    /// Numbers in its embeddings, if the administrator says.
    pub(crate) dimensions: Option<i32>,
    /// The only client that may use it; `None` for everybody.
    pub(crate) client_id: Option<i64>,
    /// Whether it may be used at all.
    pub(crate) enabled: bool,
    /// What the engine needs, or why this version cannot use it.
    setup: std::result::Result<ProviderConfig, String>,
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
        }
    }

    /// Whether its embeddings are of the collection's vector space.
    pub(crate) fn fits(&self, collection: &Collection) -> bool {
        self.model == collection.model
            && self
                .dimensions
                .is_none_or(|dimensions| dimensions == collection.dimensions)
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

/// The provider of that name, enabled or not; an error that lists the providers when there is none.
pub(crate) fn require(installation: &Installation, settings: &Settings, name: &str) -> Result<Provider> {
    let mut providers = all(installation, settings)?;
    if let Some(found) = providers.iter().position(|provider| provider.name == name) {
        return Ok(providers.swap_remove(found));
    }
    let mut names: Vec<&str> = providers.iter().map(|provider| provider.name.as_str()).collect();
    names.sort_unstable();
    let hint = match names.as_slice() {
        [] => "There are none; an administrator can insert one into vb_providers.".to_owned(),
        names => format!("Providers are: {}.", names.join(", ")),
    };
    Err(VbError::missing(format!("there is no provider {name:?}")).hint(hint))
}

/// The first of the providers that is available; an error that says why each is not.
pub(crate) fn first_available(providers: &[Provider]) -> Result<ProviderConfig> {
    let mut reasons = Vec::new();
    for provider in providers {
        match provider.available() {
            Ok(config) => return Ok(config.clone()),
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

/// A handful of rows, read whole: which of them serve is decided here.
fn all(installation: &Installation, settings: &Settings) -> Result<Vec<Provider>> {
    let statement = installation.sql(include_str!("../../sql/query/providers.sql"));
    role::as_owner(installation.owner, || {
        spi::read(&statement, &[], |row| {
            let name: String = row.get(1)?;
            let kind: String = row.get(2)?;
            let model: String = row.get(3)?;
            let dimensions: Option<i32> = row.optional(4)?;
            let max_tokens: Option<i32> = row.optional(5)?;
            let setup = setup(settings, &kind, &model).map(|kind| ProviderConfig {
                name: name.clone(),
                model: model.clone(),
                dimensions: dimensions.and_then(|value| usize::try_from(value).ok()),
                max_tokens: max_tokens.and_then(|value| usize::try_from(value).ok()),
                kind,
            });
            Ok(Provider {
                name,
                model,
                dimensions,
                client_id: row.optional(6)?,
                enabled: row.get(7)?,
                setup,
            })
        })
    })
}

fn setup(settings: &Settings, kind: &str, model: &str) -> std::result::Result<ProviderKind, String> {
    if kind != "onnx" {
        return Err(format!("providers of kind {kind} are not supported by this version"));
    }
    // The name becomes a folder below the model directory and must not lead out of it.
    if model.contains(['/', '\\']) || model.starts_with('.') {
        return Err(format!("model name {model:?} is not the name of a folder"));
    }
    Ok(ProviderKind::Onnx(OnnxConfig {
        library: settings.onnxruntime_library.clone(),
        model_directory: settings.model_directory.join(model),
        threads: settings.onnx_threads,
        nice: settings.nice,
    }))
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
