//! What searches spent, from the engine into `vb_client_usage`.

use vb_engine::client_budgets::SearchSpending;

use super::main_loop::Worker;
use crate::catalog::spending;
use crate::pg::lock;

/// Whose searches are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clients {
    /// Of those that nobody holds: who holds one may be about to remove it.
    NotHeld,
    /// Of all, since there is no later.
    All,
}

impl Worker {
    /// Writes down what searches spent. What cannot be written keeps nothing else waiting.
    pub(super) fn report_searches(&self, whose: Clients) {
        let budgets = self.engine.client_budgets();
        let mut spent = budgets.unrecorded();
        if spent.is_empty() {
            return;
        }
        let written = self.transact(|installation| {
            let is_free = |search: &SearchSpending| lock::begin_for_client(self.database, search.client_id);
            spent.retain(|search| is_free(search) || whose == Clients::All);
            spent
                .iter()
                .try_for_each(|search| spending::add_searches(installation, search))
        });
        match written {
            Ok(_) => budgets.recorded(&spent),
            Err(error) => pgrx::log!(
                "vector_backfill writes down later what searches spent: {}",
                error.message
            ),
        }
    }
}
