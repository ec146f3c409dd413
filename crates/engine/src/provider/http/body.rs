//! The request's body.

use serde::Serialize;

use crate::provider::options::EncodingFormat;

/// What an embeddings endpoint is asked.
#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    input: &'a [String],
    encoding_format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<usize>,
}

/// The body as JSON.
pub(super) fn json(
    model: &str,
    input: &[String],
    encoding: EncodingFormat,
    dimensions: Option<usize>,
) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&Body {
        model,
        input,
        encoding_format: match encoding {
            EncodingFormat::Base64 => "base64",
            EncodingFormat::Float => "float",
        },
        dimensions,
    })
}
