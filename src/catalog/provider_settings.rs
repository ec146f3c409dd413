//! Making, changing and dropping providers.

use pgrx::{AnyNumeric, PgSqlErrorCode};
use serde_json::json;
use vb_formats::secret_ref::SecretRef;

use super::access::{self, Level};
use super::audit::Deed;
use super::installation::Installation;
use super::job_request::check_range;
use super::providers::{self, Kind, Provider};
use super::spending;
use crate::error::{Result, VbError};
use crate::pg::{notice, role, spi, statement};
use crate::settings::Settings;

/// What is to be changed of a provider; `None` keeps what is there. An empty text and the number 0 take it away.
#[derive(Debug)]
pub(crate) struct ProviderSettings {
    /// How it is reached.
    pub(crate) kind: Option<String>,
    /// The model's name.
    pub(crate) model: Option<String>,
    /// Numbers in its embeddings.
    pub(crate) dimensions: Option<i32>,
    /// Its address.
    pub(crate) endpoint: Option<String>,
    /// Where its key is to be found.
    pub(crate) api_key_ref: Option<String>,
    /// Texts in a request.
    pub(crate) max_texts: Option<i32>,
    /// Tokens of a text.
    pub(crate) max_tokens: Option<i32>,
    /// Tokens in a request.
    pub(crate) max_request_tokens: Option<i32>,
    /// Requests a minute.
    pub(crate) requests_per_minute: Option<i32>,
    /// Tokens a minute.
    pub(crate) tokens_per_minute: Option<i32>,
    /// Price of a million tokens.
    pub(crate) cost_per_million_tokens: Option<AnyNumeric>,
    /// From 0 to 1.
    pub(crate) quality: Option<f32>,
    /// Records a second.
    pub(crate) speed: Option<f32>,
    /// Whether it may be used.
    pub(crate) enabled: Option<bool>,
    /// The only client that may use it.
    pub(crate) client_id: Option<i64>,
    /// What else there is to say, as JSON.
    pub(crate) options: Option<String>,
}

impl ProviderSettings {
    /// Changes the provider of that name, or makes it. An error, and nothing changed, unless it could be used with this
    /// but for what is still missing. One that lacked something until now is enabled with it, unless it is said otherwise.
    pub(crate) fn store(&self, installation: &Installation, name: &str) -> Result<()> {
        // First, since a key in the wrong place must not get into the log.
        self.check(name)?;
        access::require_all(installation, Level::Admin, "set a provider")?;
        let settings = Settings::current();
        let find = || -> Result<_> {
            let all = providers::all(installation, &settings)?;
            Ok(all.into_iter().find(|provider| provider.name == name))
        };
        let before = find()?;
        if before.is_none() {
            self.require_what_is_new(name)?;
        }
        let statement = match before {
            Some(_) => include_str!("../../sql/query/provider_update.sql"),
            None => include_str!("../../sql/query/provider_insert.sql"),
        };
        role::as_owner(installation.owner, || self.run(&installation.sql(statement), name))?;
        let after = find()?.ok_or_else(|| VbError::internal("a provider was not stored"))?;
        after.check_form().map_err(|reason| {
            // It may hold what the message does not show.
            statement::hide();
            VbError::invalid(format!("provider {name:?}: {reason}"))
                .hint("Nothing was changed. The documentation of vb_set_provider lists endpoints and options.")
        })?;
        self.require_right_to_secrets(&after)?;
        let detail = json!({
            "kind": self.kind, "model": self.model, "endpoint": self.endpoint, "api_key_ref": self.api_key_ref,
            "enabled": self.enabled, "client_id": self.client_id, "has_options": self.options.is_some(),
        });
        Deed::new("set_provider")
            .subject(name)
            .detail(detail)
            .note(installation)?;
        let was_incomplete = before.is_some_and(|before| !before.enabled && before.reachable().is_err());
        if was_incomplete && self.enabled.is_none() && after.reachable().is_ok() {
            let statement = installation.sql(include_str!("../../sql/query/provider_enable.sql"));
            role::as_owner(installation.owner, || spi::run(&statement, &[name.into()]))?;
            notice::notice(
                VbError::new(
                    PgSqlErrorCode::ERRCODE_SUCCESSFUL_COMPLETION,
                    format!("provider {name:?} has all it needs and is enabled"),
                )
                .hint("Try vb_check_provider; enabled => false keeps it from being used."),
            );
        }
        Ok(())
    }

    /// An error when the caller says where something goes that he might not read himself.
    fn require_right_to_secrets(&self, provider: &Provider) -> Result<()> {
        let caller = role::current();
        let says_where =
            self.kind.is_some() || self.endpoint.is_some() || self.api_key_ref.is_some() || self.options.is_some();
        if !says_where || !provider.is_given_secrets() || role::may_read_server_files(caller) {
            return Ok(());
        }
        Err(VbError::denied(format!(
            "role {} may not say which keys of the server provider {:?} is given, or where it is",
            access::name_of(caller)?,
            provider.name
        ))
        .hint("Ask a superuser to set it, or to grant pg_read_server_files, with which one may read keys."))
    }

    fn require_what_is_new(&self, name: &str) -> Result<()> {
        let missing = [("kind", self.kind.is_none()), ("model", self.model.is_none())];
        match missing.into_iter().find(|(_, is_missing)| *is_missing) {
            Some((argument, _)) => Err(
                VbError::invalid(format!("provider {name:?} is new and {argument} is missing"))
                    .hint("A new provider needs kind and model; services over HTTP need an endpoint too."),
            ),
            None => Ok(()),
        }
    }

    fn run(&self, statement: &str, name: &str) -> Result<u64> {
        spi::run(
            statement,
            &[
                name.into(),
                self.kind.as_deref().into(),
                self.model.as_deref().into(),
                self.dimensions.into(),
                self.endpoint.as_deref().into(),
                self.api_key_ref.as_deref().into(),
                self.max_texts.into(),
                self.max_tokens.into(),
                self.max_request_tokens.into(),
                self.requests_per_minute.into(),
                self.tokens_per_minute.into(),
                self.cost_per_million_tokens.clone().into(),
                self.quality.into(),
                self.speed.into(),
                self.enabled.into(),
                self.client_id.into(),
                self.options.as_deref().into(),
            ],
        )
    }

    /// What can be said of the values alone. A key is not repeated.
    fn check(&self, name: &str) -> Result<()> {
        let is_name = name.len() <= 63
            && name.starts_with(|first: char| first.is_ascii_lowercase())
            && name
                .chars()
                .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
        if !is_name {
            return Err(VbError::invalid(format!("{name:?} is not a name for a provider"))
                .hint("Use lower case letters, digits and _, at most 63, the first a letter."));
        }
        if let Some(kind) = self.kind.as_deref().filter(|kind| Kind::parse(kind).is_none()) {
            return Err(VbError::invalid(format!("unknown kind {kind:?}"))
                .hint("Use one of: onnx, openai, azure_openai, openai_compatible."));
        }
        if self.model.as_deref().is_some_and(|model| model.trim().is_empty()) {
            return Err(VbError::invalid("model is empty").hint("Give the name that the service knows the model by."));
        }
        let reference = self.api_key_ref.as_deref().filter(|reference| !reference.is_empty());
        if reference.is_some_and(|reference| reference.parse::<SecretRef>().is_err()) {
            // The log must not show what we do not.
            statement::hide();
            return Err(VbError::invalid(
                "api_key_ref is no reference to a key; the value is not shown, since it may be the key itself",
            )
            .hint(
                "Keys are never stored here: put it into a file of the server's user with mode 0600 and give file:/path, \
                 or into the server's environment and give env:NAME. A key that was sent in a statement may have been \
                 seen: change it.",
            ));
        }
        if self
            .options
            .as_deref()
            .is_some_and(|options| !options.trim_start().starts_with('{'))
        {
            return Err(VbError::invalid("options is no JSON object").hint("Write it as {\"local\": true}, say."));
        }
        check_range("dimensions", self.dimensions, 0, 65_536)?;
        for (argument, value) in [
            ("max_texts", self.max_texts),
            ("max_tokens", self.max_tokens),
            ("max_request_tokens", self.max_request_tokens),
            ("requests_per_minute", self.requests_per_minute),
            ("tokens_per_minute", self.tokens_per_minute),
        ] {
            check_range(argument, value, 0, i32::MAX)?;
        }
        let is_negative = |value: f32| value.is_nan() || value < 0.0;
        if self
            .quality
            .is_some_and(|quality| is_negative(quality) || quality > 1.0)
        {
            return Err(VbError::invalid("quality is not between 0 and 1").hint("1 is the best."));
        }
        if self.speed.is_some_and(is_negative) {
            return Err(VbError::invalid("speed is negative").hint("It is in records a second; 0 takes it away."));
        }
        if self
            .cost_per_million_tokens
            .as_ref()
            .is_some_and(|cost| !spending::is_amount(cost, false))
        {
            return Err(VbError::invalid("cost_per_million_tokens is negative, or no number")
                .hint("0 is for what costs nothing."));
        }
        if self.client_id.is_some_and(|client| client < -1) {
            return Err(VbError::invalid("client_id must not be negative")
                .hint("Clients are numbered from 0; -1 makes the provider one for everybody."));
        }
        Ok(())
    }
}

/// Drops a provider. Vectors that it made stay; they need another one of the same model.
pub(crate) fn drop(installation: &Installation, name: &str) -> Result<()> {
    access::require_all(installation, Level::Admin, "drop a provider")?;
    providers::require(installation, &Settings::current(), name)?;
    Deed::new("drop_provider").subject(name).note(installation)?;
    role::as_owner(installation.owner, || {
        let statement = installation.sql(include_str!("../../sql/query/provider_collections.sql"));
        let orphans = spi::read_first(&statement, &[name.into()], |row| row.get::<i64>(1))?.unwrap_or(0);
        let statement = installation.sql(include_str!("../../sql/query/provider_drop.sql"));
        spi::run(&statement, &[name.into()])?;
        if orphans > 0 {
            notice::notice(
                VbError::new(
                    PgSqlErrorCode::ERRCODE_SUCCESSFUL_COMPLETION,
                    format!("{orphans} collections have no enabled provider of their model now"),
                )
                .hint("They cannot be searched or kept true until there is one; reembed => true embeds with another model."),
            );
        }
        Ok(())
    })
}
