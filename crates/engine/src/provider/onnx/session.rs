//! The model on one thread: a session, and the tensors that go in and come out.

use std::fmt;
use std::path::Path;

use ort::environment::Environment;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::session::{RunOptions, Session};
use ort::value::Tensor;

use crate::provider::contract::ProviderError;
use crate::provider::onnx::pooling::mean_of_length_one;
use crate::provider::onnx::tokenize::TokenizedText;
use crate::provider::onnx::whole_model;

const TOKEN_IDS: &str = "input_ids";
const ATTENTION_MASK: &str = "attention_mask";
const TOKEN_TYPES: &str = "token_type_ids";
/// Names under which models give one vector for each token: Hugging Face's and Sentence Transformers'.
const TOKEN_VECTORS: [&str; 2] = ["last_hidden_state", "token_embeddings"];

/// Numbers in the longest vector that can be recorded and stored.
const MOST_DIMENSIONS: i64 = 65_536;

/// A model ready to run. Needs `&mut` to run, so each thread has its own.
pub(super) struct ModelSession {
    session: Session,
    /// Which of the inputs we know the model wants, in its own order.
    inputs: Vec<&'static str>,
    output: &'static str,
    padding_id: i64,
}

/// Why a run gave no vectors.
#[derive(Debug)]
pub(super) enum RunError {
    /// The runtime says so.
    Runtime(ort::Error),
    /// The shape that came out.
    Shape(Vec<i64>),
    /// A vector had no direction, or numbers that are not finite.
    NotFinite,
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Runtime(error) => write!(f, "{error}"),
            Self::Shape(shape) => write!(
                f,
                "the output has the shape {shape:?} instead of [texts, tokens, dimensions], of which there may be \
                 {MOST_DIMENSIONS}"
            ),
            Self::NotFinite => f.write_str("the vector has numbers that are not finite, or no length"),
        }
    }
}

impl From<ort::Error> for RunError {
    fn from(error: ort::Error) -> Self {
        Self::Runtime(error)
    }
}

impl ModelSession {
    /// Makes a session of the bytes of `model.onnx`, which messages call by its path: about a second of one core.
    pub(super) fn load(
        environment: &Environment,
        path: &Path,
        bytes: &[u8],
        padding_id: u32,
    ) -> Result<Self, ProviderError> {
        whole_model::check(bytes).map_err(|problem| configuration(path, problem))?;
        let session = builder(environment)
            .and_then(|mut builder| builder.commit_from_memory(bytes))
            .map_err(|error| configuration(path, &format!("cannot be loaded: {error}")))?;

        let mut inputs = Vec::new();
        for input in session.inputs() {
            let known = [TOKEN_IDS, ATTENTION_MASK, TOKEN_TYPES]
                .into_iter()
                .find(|name| *name == input.name());
            inputs.push(known.ok_or_else(|| {
                configuration(
                    path,
                    &format!("wants an input \"{}\", which no text model we know has", input.name()),
                )
            })?);
        }
        let outputs: Vec<_> = session.outputs().iter().map(|output| output.name()).collect();
        let output = TOKEN_VECTORS
            .into_iter()
            .find(|name| outputs.contains(name))
            .ok_or_else(|| {
                configuration(
                    path,
                    &format!(
                        "has the outputs {outputs:?}, none of which is {}",
                        TOKEN_VECTORS.join(" or ")
                    ),
                )
            })?;
        Ok(Self {
            session,
            inputs,
            output,
            padding_id: padding_id.into(),
        })
    }

    /// One vector of length one for each text, in order. Ends early with an error when `options` are terminated.
    pub(super) fn run(&mut self, texts: &[&TokenizedText], options: &RunOptions) -> Result<Vec<Vec<f32>>, RunError> {
        let width = texts.iter().map(|text| text.ids.len()).max().unwrap_or_default();
        let tensor = |row: &dyn Fn(&TokenizedText) -> Vec<i64>, padding: i64| {
            let mut numbers = Vec::with_capacity(texts.len() * width);
            for (index, text) in texts.iter().enumerate() {
                numbers.extend(row(text));
                numbers.resize((index + 1) * width, padding);
            }
            Tensor::from_array(([texts.len(), width], numbers))
        };
        let mut tensors = Vec::with_capacity(self.inputs.len());
        for &input in &self.inputs {
            let tensor = match input {
                TOKEN_IDS => tensor(&|text| text.ids.iter().map(|&id| id.into()).collect(), self.padding_id)?,
                TOKEN_TYPES => tensor(&|text| text.type_ids.iter().map(|&id| id.into()).collect(), 0)?,
                _ => tensor(&|text| vec![1; text.ids.len()], 0)?,
            };
            tensors.push((input, tensor));
        }

        let outputs = self.session.run_with_options(tensors, options)?;
        let (shape, numbers) = outputs[self.output].try_extract_tensor::<f32>()?;
        let dimensions = match **shape {
            [rows, columns, dimensions]
                if (rows, columns) == (texts.len() as i64, width as i64)
                    && (1..=MOST_DIMENSIONS).contains(&dimensions) =>
            {
                dimensions as usize
            }
            _ => return Err(RunError::Shape(shape.to_vec())),
        };
        let rows = numbers.chunks_exact(width * dimensions);
        rows.zip(texts)
            .map(|(row, text)| mean_of_length_one(&row[..text.ids.len() * dimensions], dimensions))
            .collect::<Option<_>>()
            .ok_or(RunError::NotFinite)
    }
}

/// One thread, the one that calls: several sessions side by side beat several threads in one, which wait for each other
/// at every operator. No memory pattern, because no two packs have the same shape. All optimisations, because
/// older runtimes do not know every level by name. Only the format that was looked at, not the runtime's own.
fn builder(environment: &Environment) -> ort::Result<SessionBuilder> {
    Ok(Session::builder(environment)?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .with_intra_op_spinning(false)?
        .with_inter_op_spinning(false)?
        .with_memory_pattern(false)?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_config_entry("session.load_model_format", "ONNX")?)
}

/// An error about the model file, for people who can change it.
pub(super) fn configuration(path: &Path, problem: &str) -> ProviderError {
    ProviderError::Configuration(format!(
        "model \"{}\" {problem}; the model's folder must hold model.onnx and tokenizer.json of one sentence \
         embedding model",
        path.display()
    ))
}
