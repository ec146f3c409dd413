//! Who may ask: the name in the address, the token, requests of other pages, and what the browser is told to refuse.

pub(crate) mod csrf;
pub(crate) mod headers;
pub(crate) mod host;
pub(crate) mod token;
