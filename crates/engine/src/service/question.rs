//! The embedding of a question: paid for by who asks, and once when the same question comes back soon for more hits.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use crate::cancel::CancelFlag;
use crate::client_budgets::{ClientBudgets, Payer};
use crate::pipeline::aside::tokens_of;
use crate::pipeline::embed::{embed_checked, tokens_spent};
use crate::policy::cutting::estimated_tokens;
use crate::provider::contract::{EmbedRequest, EmbeddingProvider, ProviderError, Purpose};
use crate::purse::Reservation;

/// Questions whose embeddings are remembered, for those that come back.
const REMEMBERED: usize = 64;

/// A question in words.
pub(super) struct Question<'a> {
    /// Chosen at random by who asks it.
    pub(super) id: Uuid,
    /// What is asked.
    pub(super) text: &'a str,
    /// Who pays; `None` when nobody's limits count.
    pub(super) payer: Option<&'a Payer>,
    /// Name of the provider.
    pub(super) provider_name: &'a str,
    /// The provider.
    pub(super) provider: &'a Arc<dyn EmbeddingProvider>,
}

/// Embeds questions.
#[derive(Debug)]
pub(crate) struct Questions {
    clients: Arc<ClientBudgets>,
    recent: Mutex<VecDeque<(Uuid, Vec<f32>)>>,
}

impl Questions {
    /// Paid for from these budgets.
    pub(crate) fn new(clients: Arc<ClientBudgets>) -> Self {
        Self {
            clients,
            recent: Mutex::default(),
        }
    }

    /// The embedding of a question.
    pub(super) async fn embed(&self, question: &Question<'_>, cancel: &CancelFlag) -> Result<Vec<f32>, ProviderError> {
        let known = self.recent().iter().find(|(id, _)| *id == question.id).cloned();
        if let Some((_, vector)) = known {
            return Ok(vector);
        }
        let request = EmbedRequest {
            texts: vec![Arc::from(question.text)],
            purpose: Purpose::Query,
            cancel: cancel.clone(),
        };
        let purse = question
            .payer
            .map(|payer| payer.purse(&self.clients))
            .unwrap_or_default();
        let limits = question.provider.limits();
        let expected = if purse.is_limited() {
            tokens_of(question.provider, request.texts.clone())
                .await?
                .into_iter()
                .sum()
        } else {
            estimated_tokens(question.text.len()).min(limits.max_tokens) + limits.added_tokens
        };
        let bill = Bill {
            reservation: Some(purse.reserve(expected as u64).map_err(ProviderError::Unaffordable)?),
            expected: expected as u64,
            clients: &self.clients,
            question,
        };
        let embedded = embed_checked(question.provider.as_ref(), request).await;
        bill.settle(tokens_spent(&embedded));
        let vector = embedded?.into_iter().next().map(|embedding| embedding.vector);
        let vector = vector.unwrap_or_default();
        let mut recent = self.recent();
        recent.truncate(REMEMBERED - 1);
        recent.push_front((question.id, vector.clone()));
        Ok(vector)
    }

    fn recent(&self) -> MutexGuard<'_, VecDeque<(Uuid, Vec<f32>)>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a question takes that is under way. Whoever does not wait for the answer pays what was expected: it may have been
/// sent.
struct Bill<'a> {
    reservation: Option<Reservation<'a>>,
    expected: u64,
    clients: &'a ClientBudgets,
    question: &'a Question<'a>,
}

impl Bill<'_> {
    /// It took so many tokens.
    fn settle(mut self, tokens: u64) {
        self.pay(tokens);
    }

    fn pay(&mut self, tokens: u64) {
        let Some(reservation) = self.reservation.take() else {
            return;
        };
        if tokens > 0 {
            reservation.spend(tokens);
            if let Some(payer) = self.question.payer {
                self.clients.note(payer, self.question.provider_name, tokens);
            }
        }
    }
}

impl Drop for Bill<'_> {
    fn drop(&mut self) {
        self.pay(self.expected);
    }
}
