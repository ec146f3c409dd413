//! Vector stores: the [`contract`] they keep, the [`error`]s they give, whose points are meant ([`share`]), and one folder
//! for each store.

pub mod contract;
pub mod embedded;
pub mod error;
mod name;
pub mod place;
pub mod qdrant;
pub mod share;
