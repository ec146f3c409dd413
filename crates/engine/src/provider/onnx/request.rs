//! One request among the packs of many: queued, waited for, put back into order.

use std::sync::Arc;

use crossbeam_channel::Sender;
use tokio::sync::oneshot;

use crate::cancel::CancelFlag;
use crate::policy::packing::{PackLimits, pack};
use crate::provider::contract::{Embedding, ProviderError};
use crate::provider::onnx::pack_job::{Interest, PackJob, PackVectors};
use crate::provider::onnx::tokenize::TokenizedText;

/// A request whose packs are queued, running or answered.
pub(super) struct QueuedRequest {
    texts: Arc<Vec<TokenizedText>>,
    packs: Vec<QueuedPack>,
}

struct QueuedPack {
    /// Positions of its texts in the request.
    positions: Vec<usize>,
    answer: oneshot::Receiver<Result<PackVectors, ProviderError>>,
}

impl QueuedRequest {
    /// Packs the texts and queues the packs, longest texts first. Blocks while the queue is full, and gives up when
    /// nobody waits for the request any more.
    pub(super) fn queue(
        texts: Vec<TokenizedText>,
        limits: PackLimits,
        interest: &Interest,
        queue: &Sender<PackJob>,
    ) -> Self {
        let lengths: Vec<usize> = texts.iter().map(|text| text.ids.len()).collect();
        let texts = Arc::new(texts);
        let mut packs = Vec::new();
        for positions in pack(&lengths, limits) {
            let (reply, answer) = oneshot::channel();
            packs.push(QueuedPack {
                positions: positions.clone(),
                answer,
            });
            if interest.is_lost() {
                continue;
            }
            // Without threads the job comes back and is dropped, which its receiver sees.
            let _ = queue.send(PackJob {
                texts: Arc::clone(&texts),
                positions,
                interest: interest.clone(),
                reply,
            });
        }
        Self { texts, packs }
    }

    /// The embeddings in the order of the texts. `ended` tells whether unanswered packs were dropped on purpose.
    pub(super) async fn answer(self, ended: impl Fn() -> bool) -> Result<Vec<Embedding>, ProviderError> {
        let mut vectors: Vec<Vec<f32>> = vec![Vec::new(); self.texts.len()];
        let mut failure = None;
        for pack in self.packs {
            match pack.answer.await {
                Ok(Ok(answered)) => {
                    for (position, vector) in pack.positions.into_iter().zip(answered) {
                        vectors[position] = vector;
                    }
                }
                // Packs that gave up because another one failed say less than that one.
                Ok(Err(error)) if matches!(failure, None | Some(ProviderError::Cancelled)) => failure = Some(error),
                Ok(Err(_)) => {}
                Err(_) => failure = failure.or(Some(ProviderError::Cancelled)),
            }
        }
        match failure {
            Some(ProviderError::Cancelled) if !ended() => Err(ProviderError::Transient(
                "the model's threads ended unexpectedly".to_owned(),
            )),
            Some(error) => Err(error),
            None => Ok(embeddings(vectors, &self.texts)),
        }
    }
}

fn embeddings(vectors: Vec<Vec<f32>>, texts: &[TokenizedText]) -> Vec<Embedding> {
    let described = vectors.into_iter().zip(texts);
    described
        .map(|(vector, text)| Embedding {
            vector,
            tokens: text.ids.len() as u32,
            truncated: text.truncated,
        })
        .collect()
}

/// Says that a request is not wanted any more when the future that wants it is dropped.
pub(super) struct AbandonOnDrop(pub(super) CancelFlag);

impl Drop for AbandonOnDrop {
    fn drop(&mut self) {
        self.0.raise();
    }
}
