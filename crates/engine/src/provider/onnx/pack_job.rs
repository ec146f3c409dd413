//! A pack on its way through a model thread: who wants it, and what happens when the model refuses it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ort::session::RunOptions;
use tokio::sync::oneshot;

use crate::cancel::CancelFlag;
use crate::provider::contract::ProviderError;
use crate::provider::onnx::session::ModelSession;
use crate::provider::onnx::tokenize::TokenizedText;

/// The vectors of a pack's texts, in the pack's order.
pub(super) type PackVectors = Vec<Vec<f32>>;

/// Texts that go through the model together.
pub(super) struct PackJob {
    /// Tokens of the whole request; packs of the same request share them.
    pub(super) texts: Arc<Vec<TokenizedText>>,
    /// Positions in `texts` that belong to this pack.
    pub(super) positions: Vec<usize>,
    /// Whether anybody still waits.
    pub(super) interest: Interest,
    /// Where the vectors go. Dropped unanswered when the provider shuts down.
    pub(super) reply: oneshot::Sender<Result<PackVectors, ProviderError>>,
}

/// Whether anybody still waits for a request.
#[derive(Clone)]
pub(super) struct Interest {
    /// Raised by whoever asked.
    pub(super) cancel: CancelFlag,
    /// Raised when the request's future is gone, or when one of its packs failed and the others no longer matter.
    pub(super) abandoned: CancelFlag,
}

impl Interest {
    pub(super) fn is_lost(&self) -> bool {
        self.cancel.is_raised() || self.abandoned.is_raised()
    }
}

impl PackJob {
    /// Runs the pack and answers it. `probe` is a text that the model is known to take; `stop` is raised before
    /// `options` are terminated.
    pub(super) fn run(
        self,
        session: &mut ModelSession,
        options: &RunOptions,
        probe: &TokenizedText,
        stop: &CancelFlag,
    ) {
        let mut outcome = self.vectors(session, options, probe);
        if outcome.is_err() {
            self.interest.abandoned.raise();
            if stop.is_raised() {
                outcome = Err(ProviderError::Cancelled);
            }
        }
        // Nobody listens any more when the request was dropped meanwhile.
        let _ = self.reply.send(outcome);
    }

    fn vectors(
        &self,
        session: &mut ModelSession,
        options: &RunOptions,
        probe: &TokenizedText,
    ) -> Result<PackVectors, ProviderError> {
        let texts: Vec<&TokenizedText> = self.positions.iter().map(|&position| &self.texts[position]).collect();
        match run(session, &texts, options) {
            Ok(vectors) => Ok(vectors),
            Err(refusal) if texts.len() == 1 => Err(blame(session, options, probe, texts[0], &refusal)),
            Err(refusal) => {
                log::debug!(
                    "the model refused a pack of {} texts, trying them one by one: {refusal}",
                    texts.len()
                );
                texts
                    .iter()
                    .map(|text| self.single(session, options, probe, text))
                    .collect()
            }
        }
    }

    /// One text of a refused pack alone, so that a bad text fails alone.
    fn single(
        &self,
        session: &mut ModelSession,
        options: &RunOptions,
        probe: &TokenizedText,
        text: &TokenizedText,
    ) -> Result<Vec<f32>, ProviderError> {
        if self.interest.is_lost() {
            return Err(ProviderError::Cancelled);
        }
        let mut vectors =
            run(session, &[text], options).map_err(|refusal| blame(session, options, probe, text, &refusal))?;
        vectors
            .pop()
            .ok_or_else(|| ProviderError::Transient("the model gave no vector".to_owned()))
    }
}

/// Whose fault it is that the model refused a text: when it no longer takes a text that it took before, then not the
/// text's.
fn blame(
    session: &mut ModelSession,
    options: &RunOptions,
    probe: &TokenizedText,
    text: &TokenizedText,
    refusal: &str,
) -> ProviderError {
    let tokens = text.ids.len();
    match run(session, &[probe], options) {
        Ok(_) => ProviderError::Record(format!("the model refused a text of {tokens} tokens: {refusal}")),
        Err(again) => ProviderError::Transient(format!("the model refuses every text: {again}")),
    }
}

/// Runs the model; a panic is a refusal like any other, for a bad text must not end the thread.
fn run(session: &mut ModelSession, texts: &[&TokenizedText], options: &RunOptions) -> Result<PackVectors, String> {
    match catch_unwind(AssertUnwindSafe(|| session.run(texts, options))) {
        Ok(outcome) => outcome.map_err(|error| error.to_string()),
        Err(_) => Err("the model panicked".to_owned()),
    }
}
