//! The budgets that jobs pay from: each its own, and all jobs of a client the client's.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use vb_engine::budget::{Budget, Limits, Terms};

use super::active_job::JobContext;
use crate::catalog::installation::Installation;
use crate::catalog::jobs;
use crate::catalog::spending::{self, Day, JobSpending};
use crate::error::{Result, VbError};

/// After the end of a day, so that the next one has surely begun.
pub(super) const AFTER_MIDNIGHT: Duration = Duration::from_secs(1);

/// Budgets of clients with active jobs or batches in flight, and the date each is for.
#[derive(Debug, Default)]
pub(crate) struct ClientBudgets(RefCell<HashMap<i64, (String, Weak<Budget>)>>);

impl ClientBudgets {
    /// The client's budget, which counts what is in flight as well.
    pub(super) fn of(&self, installation: &Installation, client_id: i64) -> Result<Arc<Budget>> {
        let known = self.0.borrow().get(&client_id).and_then(|(_, budget)| budget.upgrade());
        if let Some(budget) = known {
            return Ok(budget);
        }
        let day = spending::days(installation, &[client_id])?.into_iter().next();
        let day = day.ok_or_else(|| VbError::internal("a client has no day"))?;
        let budget = Arc::new(Budget::new(terms_of(&day), day.spent));
        self.0
            .borrow_mut()
            .insert(client_id, (day.date, Arc::downgrade(&budget)));
        Ok(budget)
    }

    /// Takes over limits that changed, and begins a new day; says whether there is anything else to spend now.
    pub(super) fn refresh(&self, installation: &Installation) -> Result<bool> {
        let mut budgets = self.0.borrow_mut();
        budgets.retain(|_, (_, budget)| budget.strong_count() > 0);
        if budgets.is_empty() {
            return Ok(false);
        }
        let mut differs = false;
        let clients: Vec<i64> = budgets.keys().copied().collect();
        for day in spending::days(installation, &clients)? {
            let Some((date, budget)) = budgets.get_mut(&day.client_id) else {
                continue;
            };
            let Some(budget) = budget.upgrade() else { continue };
            if *date == day.date {
                differs |= budget.change(terms_of(&day));
            } else {
                budget.renew(terms_of(&day), day.spent);
                *date = day.date;
                differs = true;
            }
        }
        Ok(differs)
    }

    /// The same when a job is about to be paused for its limits, which nobody changes from now on until the transaction has
    /// ended.
    pub(super) fn refresh_for_good(&self, installation: &Installation, context: &Arc<JobContext>) -> Result<bool> {
        jobs::lock(installation, context.job.id)?;
        spending::lock_client(installation, context.job.client_id)?;
        let of_client = self.refresh(installation)?;
        Ok(refresh_jobs(installation, std::iter::once(context))? || of_client)
    }
}

/// The budget of a job that becomes active, and what a token costs it.
pub(super) fn of_job(installation: &Installation, job: i64) -> Result<(Arc<Budget>, f64)> {
    let found = spending::of_jobs(installation, &[job])?.into_iter().next();
    let JobSpending {
        limits,
        spent,
        cost_per_token,
        ..
    } = found.ok_or_else(|| VbError::internal(format!("job {job} is gone")))?;
    let budget = Budget::new(terms_of_job(job, limits), spent);
    Ok((Arc::new(budget), cost_per_token))
}

/// Takes over limits and prices of active jobs that changed; says whether there are other limits.
pub(super) fn refresh_jobs<'a>(
    installation: &Installation,
    contexts: impl Iterator<Item = &'a Arc<JobContext>> + Clone,
) -> Result<bool> {
    let jobs: Vec<i64> = contexts.clone().map(|context| context.job.id).collect();
    if jobs.is_empty() {
        return Ok(false);
    }
    let mut differs = false;
    for now in spending::of_jobs(installation, &jobs)? {
        if let Some(context) = contexts.clone().find(|context| context.job.id == now.job) {
            differs |= context.budget.change(terms_of_job(now.job, now.limits));
            context.purse.change_price(now.cost_per_token);
        }
    }
    Ok(differs)
}

fn terms_of_job(job: i64, limits: Limits) -> Terms {
    Terms {
        name: format!("job {job}"),
        limits,
        remedy: format!("Raise it with vb_set_job_limits({job}, …), then vb_resume({job})."),
        renewed_at: None,
    }
}

fn terms_of(day: &Day) -> Terms {
    let Day { client_id, date, .. } = day;
    Terms {
        name: format!("client {client_id} on {date} (UTC)"),
        limits: day.limits,
        remedy: format!("It goes on with the next day, or when vb_set_client_limits({client_id}, …) raises it."),
        renewed_at: Some(Instant::now() + day.left + AFTER_MIDNIGHT),
    }
}
