//! What is known of models without asking: OpenAI's, as its documentation gives them.

/// A model of OpenAI's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownModel {
    /// Its name.
    pub name: &'static str,
    /// Numbers in its embeddings when nobody asks for fewer.
    pub dimensions: usize,
    /// Whether it gives shorter embeddings on request.
    pub can_shorten: bool,
}

const KNOWN: [KnownModel; 3] = [
    KnownModel {
        name: "text-embedding-3-small",
        dimensions: 1536,
        can_shorten: true,
    },
    KnownModel {
        name: "text-embedding-3-large",
        dimensions: 3072,
        can_shorten: true,
    },
    KnownModel {
        name: "text-embedding-ada-002",
        dimensions: 1536,
        can_shorten: false,
    },
];

/// What is known of a model.
pub fn known(model: &str) -> Option<KnownModel> {
    KNOWN.into_iter().find(|known| known.name == model)
}
