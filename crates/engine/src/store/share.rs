//! Whose points are meant, and what has to be true of them. Several clients may have shares of one collection: this is
//! where a client's condition is added to whatever is read, written or deleted.

use serde::{Deserialize, Serialize};

use super::error::StoreError;
use crate::fields::column_path;
use crate::point::Point;

/// A payload field with the client's number as text: the field by which shared collections are divided.
pub(super) const TENANT: &str = "tenant";

/// A whole collection, or one client's share of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Share {
    /// The collection.
    pub collection: String,
    /// The client, when others have shares of the same collection.
    pub client_id: Option<i64>,
}

impl Share {
    /// All of a collection.
    pub fn whole(collection: impl Into<String>) -> Self {
        Self {
            collection: collection.into(),
            client_id: None,
        }
    }

    /// What has to be true of points that are read, replaced or deleted: what the caller wants, and that they are the
    /// client's. Every call of every store goes through here.
    pub(super) fn conditions(&self, wanted: &[Condition]) -> Vec<Condition> {
        let own = self.tenant().map(|tenant| Condition {
            field: TENANT.to_owned(),
            test: Test::Any(vec![Scalar::Text(tenant)]),
            negated: false,
        });
        own.into_iter()
            .chain(wanted.iter().map(Condition::on_a_column))
            .collect()
    }

    /// The client as points of shared collections name it.
    pub(super) fn tenant(&self) -> Option<String> {
        self.client_id.map(|client| client.to_string())
    }

    /// Refuses points of other clients.
    pub(super) fn check(&self, points: &[Point]) -> Result<(), StoreError> {
        let Some(client) = self.client_id else { return Ok(()) };
        match points.iter().find(|point| point.payload.client_id != client) {
            None => Ok(()),
            Some(point) => Err(StoreError::Configuration(format!(
                "point {} of client {} is not for client {client}'s share of collection \"{}\"",
                point.id, point.payload.client_id, self.collection
            ))),
        }
    }
}

/// Something that has to be true of a point's column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// Name of the column.
    pub field: String,
    /// What its value has to be.
    pub test: Test,
    /// Whether the opposite is wanted.
    pub negated: bool,
}

impl Condition {
    /// The same about the place where points keep the column.
    fn on_a_column(&self) -> Self {
        let test = match &self.test {
            // Servers leave out what asks for one of no values, which would let everything through.
            Test::Any(values) if values.is_empty() => Test::Range(Range {
                gt: Some(0.0),
                lt: Some(0.0),
                ..Range::default()
            }),
            test => test.clone(),
        };
        Self {
            field: column_path(&self.field),
            test,
            negated: self.negated,
        }
    }
}

/// What a value has to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// One of these.
    Any(Vec<Scalar>),
    /// Within these bounds; a value that is no number is not.
    Range(Range),
    /// Null, or missing.
    Null,
}

/// A value that can be compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
}

/// Bounds of a number, those that are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// Greater than this.
    pub gt: Option<f64>,
    /// At least this.
    pub gte: Option<f64>,
    /// Less than this.
    pub lt: Option<f64>,
    /// At most this.
    pub lte: Option<f64>,
}

impl Range {
    /// Nothing but this number.
    pub(super) fn only(number: f64) -> Self {
        Self {
            gte: Some(number),
            lte: Some(number),
            ..Self::default()
        }
    }
}
