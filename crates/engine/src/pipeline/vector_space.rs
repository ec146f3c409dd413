//! Keeps models apart: says when a provider's vectors do not belong into a collection.

use crate::provider::config::ProviderConfig;
use crate::provider::contract::EmbeddingProvider;

/// Why the provider must not be used for the collection of that name and number of dimensions, where they are known; `None`
/// when all is well.
pub(crate) fn mismatch(
    config: &ProviderConfig,
    provider: &dyn EmbeddingProvider,
    collection: Option<(&str, usize)>,
) -> Option<String> {
    let makes = provider.dimensions();
    match collection {
        Some((collection, holds)) if holds != makes => Some(format!(
            "collection \"{collection}\" holds vectors of {holds} dimensions, but model \"{}\" of provider \"{}\" makes {makes}",
            provider.model(),
            config.name
        )),
        _ if provider.model() != config.model => Some(format!(
            "provider \"{}\" is configured for model \"{}\", but serves \"{}\"",
            config.name,
            config.model,
            provider.model()
        )),
        _ => None,
    }
}
