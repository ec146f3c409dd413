//! Answers that are asked for again and again: the same question is put to the database once a second, however many ask, and
//! only few questions at a time.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::api::failure::Failure;
use crate::database::Unavailable;

const FRESH: Duration = Duration::from_secs(1);

const PATIENCE: Duration = Duration::from_secs(5);

type Slot = Arc<tokio::sync::Mutex<Option<(Instant, Bytes)>>>;

/// Answers by their questions.
pub(crate) struct OnceASecond<K> {
    slots: Mutex<HashMap<K, Slot>>,
    at_a_time: Semaphore,
}

impl<K: Clone + Eq + Hash> OnceASecond<K> {
    pub(crate) fn new(at_a_time: usize) -> Self {
        Self {
            slots: Mutex::default(),
            at_a_time: Semaphore::new(at_a_time),
        }
    }

    /// The answer of the last second, else the one that `ask` gets.
    pub(crate) async fn answer(
        &self,
        question: K,
        ask: impl Future<Output = Result<Bytes, Failure>>,
    ) -> Result<Bytes, Failure> {
        let slot = self.slot(question);
        let mut answer = slot.lock().await;
        if let Some((at, bytes)) = answer.as_ref()
            && at.elapsed() < FRESH
        {
            return Ok(bytes.clone());
        }
        let permit = timeout(PATIENCE, self.at_a_time.acquire()).await;
        let Ok(Ok(_permit)) = permit else {
            return Err(Unavailable::Busy.into());
        };
        let bytes = ask.await?;
        *answer = Some((Instant::now(), bytes.clone()));
        Ok(bytes)
    }

    /// Forgets those that are old and that nobody waits for.
    fn slot(&self, question: K) -> Slot {
        let mut slots = self.slots.lock();
        slots.retain(|_, slot| {
            let is_asked = Arc::strong_count(slot) > 1;
            is_asked
                || slot
                    .try_lock()
                    .is_ok_and(|answer| answer.as_ref().is_some_and(|(at, _)| at.elapsed() < FRESH))
        });
        Arc::clone(slots.entry(question).or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn the_same_question_is_put_once() {
        let answers = OnceASecond::new(2);
        let asked = AtomicUsize::new(0);
        let ask = || async {
            asked.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(20)).await;
            Ok(Bytes::from("yes"))
        };
        let (one, other) = tokio::join!(answers.answer("really?", ask()), answers.answer("really?", ask()));
        assert_eq!(
            (one.expect("an answer"), other.expect("an answer")),
            ("yes".into(), "yes".into())
        );
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        answers.answer("and this?", ask()).await.expect("an answer");
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn old_answers_are_forgotten() {
        let answers = OnceASecond::new(2);
        for question in 0..10 {
            answers
                .answer(question, async { Ok(Bytes::new()) })
                .await
                .expect("an answer");
        }
        tokio::time::sleep(FRESH).await;
        answers.answer(11, async { Ok(Bytes::new()) }).await.expect("an answer");
        assert_eq!(answers.slots.lock().len(), 1);
    }
}
