//! Writes the answer to a request.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::Response;
use serde_json::{Value, json};

use crate::behaviour::Behaviour;
use crate::body::{Part, ScriptedBody};
use crate::call::Call;
use crate::embedding::{embedding, tokens};

/// A mebibyte of blanks, which JSON allows anywhere.
const BLANKS: &[u8] = &[b' '; 1024 * 1024];

/// The answer; `None` when the connection is to break instead.
pub(crate) fn answer(behaviour: &Behaviour, call: &Call, dimensions: usize) -> Option<Response<ScriptedBody>> {
    let dimensions = call.dimensions.unwrap_or(dimensions);
    let right = || embeddings(call, &vectors(call, dimensions), false);
    Some(match behaviour {
        Behaviour::Well | Behaviour::Late(_) => json_response(right()),
        Behaviour::Status(status, headers, body) => {
            let mut response = Response::builder().status(*status);
            for (name, value) in headers {
                response = response.header(*name, value);
            }
            response
                .header("content-type", "application/json")
                .body(ScriptedBody::whole(body.clone()))
                .expect("a script's headers are headers")
        }
        Behaviour::Reset | Behaviour::Close => return None,
        Behaviour::Truncated => halves(&right(), Part::Break),
        Behaviour::Stalled(time) => halves(&right(), Part::Wait(*time)),
        Behaviour::Html => Response::builder()
            .header("content-type", "text/html")
            .body(ScriptedBody::whole("<!doctype html><title>Welcome</title>"))
            .expect("a page is a response"),
        Behaviour::Gigabyte { announced } => gigabyte(*announced),
        Behaviour::Redirect(to) => Response::builder()
            .status(307)
            .header("location", to)
            .body(ScriptedBody::whole(""))
            .expect("a script's address is a header"),
        Behaviour::TooFew => {
            let mut vectors = vectors(call, dimensions);
            vectors.pop();
            json_response(embeddings(call, &vectors, false))
        }
        Behaviour::TooMany => {
            let mut vectors = vectors(call, dimensions);
            vectors.push(embedding("one too many", dimensions));
            json_response(embeddings(call, &vectors, false))
        }
        Behaviour::Shuffled => {
            let mut body = right();
            if let Some(data) = body["data"].as_array_mut() {
                data.reverse();
            }
            json_response(body)
        }
        Behaviour::DoubleIndex => {
            let mut body = right();
            let last = call.texts.len().saturating_sub(1);
            body["data"][last]["index"] = if last == 0 { json!(1) } else { json!(0) };
            json_response(body)
        }
        Behaviour::WrongDimensions => {
            json_response(embeddings(call, &vectors(call, dimensions.saturating_sub(1)), false))
        }
        Behaviour::NotFinite => {
            let mut vectors = vectors(call, dimensions);
            if let Some(number) = vectors.last_mut().and_then(|vector| vector.last_mut()) {
                *number = f32::NAN;
            }
            json_response(embeddings(call, &vectors, false))
        }
        Behaviour::Decimals => json_response(embeddings(call, &vectors(call, dimensions), true)),
        Behaviour::RefusesBase64 if call.encoding_format.as_deref() == Some("base64") => {
            let refusal = Behaviour::error(400, "invalid_request_error", "encoding_format base64 is not supported");
            return answer(&refusal, call, dimensions);
        }
        Behaviour::RefusesBase64 => json_response(right()),
    })
}

fn vectors(call: &Call, dimensions: usize) -> Vec<Vec<f32>> {
    call.texts.iter().map(|text| embedding(text, dimensions)).collect()
}

fn embeddings(call: &Call, vectors: &[Vec<f32>], decimals: bool) -> Value {
    let wants_bytes = call.encoding_format.as_deref() == Some("base64") && !decimals;
    let written = |vector: &Vec<f32>| {
        if wants_bytes {
            let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
            json!(STANDARD.encode(bytes))
        } else {
            json!(vector)
        }
    };
    let data: Vec<Value> = vectors
        .iter()
        .enumerate()
        .map(|(index, vector)| json!({"object": "embedding", "index": index, "embedding": written(vector)}))
        .collect();
    let tokens: usize = call.texts.iter().map(|text| tokens(text)).sum();
    json!({
        "object": "list",
        "data": data,
        "model": call.model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    })
}

fn json_response(body: Value) -> Response<ScriptedBody> {
    let body = body.to_string();
    Response::builder()
        .header("content-type", "application/json")
        .header("content-length", body.len())
        .body(ScriptedBody::whole(body))
        .expect("a length is a header")
}

fn halves(body: &Value, between: Part) -> Response<ScriptedBody> {
    let body = Bytes::from(body.to_string());
    let middle = body.len() / 2;
    // Long enough for the first half to be on its way.
    let pause = Part::Wait(Duration::from_millis(10));
    let parts = [
        Part::Data(body.slice(..middle)),
        pause,
        between,
        Part::Data(body.slice(middle..)),
    ];
    Response::builder()
        .header("content-type", "application/json")
        .header("content-length", body.len())
        .body(ScriptedBody::of(parts))
        .expect("a length is a header")
}

fn gigabyte(announced: bool) -> Response<ScriptedBody> {
    let response = Response::builder().header("content-type", "application/json");
    let response = if announced {
        response.header("content-length", 1024 * BLANKS.len())
    } else {
        response
    };
    response
        .body(ScriptedBody::of([Part::Repeat(Bytes::from_static(BLANKS), 1024)]))
        .expect("a length is a header")
}
