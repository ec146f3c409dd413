//! Vector stores: the contract they keep, and one folder for each.

pub mod contract;
pub mod embedded;
