//! The budgets that jobs pay from: each its own, and all jobs of a client the client's.

use std::sync::Arc;

use vb_engine::budget::{Budget, Limits, Terms};
use vb_engine::client_budgets::ClientBudgets;

use super::active_job::JobContext;
use crate::catalog::installation::Installation;
use crate::catalog::jobs;
use crate::catalog::spending::{self, JobSpending};
use crate::error::{Result, VbError};

/// The client's budget, which counts what is in flight as well.
pub(super) fn of_client(installation: &Installation, clients: &ClientBudgets, client_id: i64) -> Result<Arc<Budget>> {
    Ok(clients.on(&spending::day(installation, client_id)?))
}

/// Takes over limits of clients that changed, and begins a new day.
pub(super) fn refresh_clients(installation: &Installation, clients: &ClientBudgets) -> Result<()> {
    let in_use = clients.in_use();
    if !in_use.is_empty() {
        let days = spending::days(installation, &in_use)?;
        days.iter().for_each(|day| clients.refresh(day));
    }
    Ok(())
}

/// Takes over everything that a job pays from, which is about to be paused for its limits: nobody changes them from now on
/// until the transaction has ended.
pub(super) fn refresh_for_good(
    installation: &Installation,
    clients: &ClientBudgets,
    context: &Arc<JobContext>,
) -> Result<()> {
    jobs::lock(installation, context.job.id)?;
    spending::lock_client(installation, context.job.client_id)?;
    refresh_clients(installation, clients)?;
    refresh_jobs(installation, std::iter::once(context))
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

/// Takes over limits and prices of active jobs that changed.
pub(super) fn refresh_jobs<'a>(
    installation: &Installation,
    contexts: impl Iterator<Item = &'a Arc<JobContext>> + Clone,
) -> Result<()> {
    let jobs: Vec<i64> = contexts.clone().map(|context| context.job.id).collect();
    if jobs.is_empty() {
        return Ok(());
    }
    for now in spending::of_jobs(installation, &jobs)? {
        if let Some(context) = contexts.clone().find(|context| context.job.id == now.job) {
            context.budget.change(terms_of_job(now.job, now.limits));
            context.purse.change_price(now.cost_per_token);
        }
    }
    Ok(())
}

fn terms_of_job(job: i64, limits: Limits) -> Terms {
    Terms {
        name: format!("job {job}"),
        limits,
        keeps_for_searches: false,
        remedy: format!("Raise it with vb_set_job_limits({job}, …), then vb_resume({job})."),
        renewed_at: None,
    }
}
