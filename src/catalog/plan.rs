//! What planning needs to know of sources and prices.

use pgrx::pg_sys::Oid;

use super::installation::Installation;
use crate::error::Result;
use crate::pg::{role, spi};

/// A source that may be planned.
#[derive(Debug)]
pub(crate) struct Listed {
    /// The source.
    pub(crate) source: Oid,
    /// Configured, or by the rules.
    pub(crate) priority: i32,
}

/// What a provider takes, and how fast it is: as measured, else as configured.
#[derive(Debug)]
pub(crate) struct Price {
    /// For a million tokens.
    pub(crate) per_million_tokens: f64,
    /// Measured only.
    pub(crate) tokens_per_second: Option<f64>,
    /// Measured or configured.
    pub(crate) records_per_second: Option<f64>,
}

/// These sources, or all registered ones that exist.
pub(crate) fn sources(installation: &Installation, only: Option<&[Oid]>) -> Result<Vec<Listed>> {
    let statement = installation.sql(include_str!("../../sql/query/plan_sources.sql"));
    role::as_owner(installation.owner, || {
        spi::read(&statement, &[only.map(<[Oid]>::to_vec).into()], |row| {
            Ok(Listed {
                source: row.get(1)?,
                priority: row.get(2)?,
            })
        })
    })
}

/// The price and speed of a provider.
pub(crate) fn price(installation: &Installation, provider: &str) -> Result<Price> {
    let statement = installation.sql(include_str!("../../sql/query/plan_price.sql"));
    let found = role::as_owner(installation.owner, || {
        spi::read_first(&statement, &[provider.into()], |row| {
            Ok(Price {
                per_million_tokens: row.get(1)?,
                tokens_per_second: row.optional(2)?,
                records_per_second: row.optional(3)?,
            })
        })
    })?;
    Ok(found.unwrap_or(Price {
        per_million_tokens: 0.0,
        tokens_per_second: None,
        records_per_second: None,
    }))
}
