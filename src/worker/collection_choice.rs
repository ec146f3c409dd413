//! Which collection takes the vectors of a job, and with it which provider makes them.

use vb_engine::policy::choice::Preference;

use super::look::Surroundings;
use super::provider_choice::{self, ProviderChoice, Wish};
use crate::catalog::collections::{self, Collection, NewCollection, Stage};
use crate::catalog::installation::Installation;
use crate::catalog::jobs::{self, Job};
use crate::catalog::references::Owner;
use crate::error::{Result, VbError};
use crate::source::describe::Source;
use crate::source::work_list::WorkList;

/// What a job embeds with and where to.
pub(super) struct CollectionChoice {
    /// The provider, and why this one.
    pub(super) provider: ProviderChoice,
    /// The collection, pinned to the provider's model.
    pub(super) collection: Collection,
}

/// The provider and the collection in this stage that is pinned to its model. A collection without a single reference binds
/// nobody: it gives way when another model is chosen.
pub(super) fn choose(
    installation: &Installation,
    surroundings: &Surroundings<'_>,
    job: &Job,
    source: &Source,
    stage: Stage,
    present: Option<Collection>,
    work_list: &WorkList,
) -> Result<CollectionChoice> {
    let pinned = present.as_ref().filter(|_| work_list.references > 0);
    let choice = provider_choice::choose(
        installation,
        surroundings.settings,
        surroundings.trouble,
        &Wish {
            client_id: job.client_id,
            requested: job.requested_provider.as_deref(),
            preference: Preference::parse(&job.preference)
                .ok_or_else(|| VbError::internal(format!("unknown preference {:?}", job.preference)))?,
        },
        pinned,
        work_list.rows,
    )?;
    match present {
        Some(collection) if work_list.references > 0 || choice.provider.fits(&collection) => {
            return Ok(CollectionChoice {
                provider: choice,
                collection,
            });
        }
        Some(collection) => collections::remove(installation, collection.id)?,
        None => {}
    }
    let provider = &choice.provider;
    let dimensions = provider.dimensions.ok_or_else(|| {
        VbError::wrong_state(format!("provider {:?} has no dimensions configured", provider.name))
            .hint("Say with vb_set_provider(…, dimensions => …) how long its embeddings are; vb_check_provider tells.")
    })?;
    let new = NewCollection {
        owner: Owner {
            client_id: job.client_id,
            source: job.source,
            vector_type: &job.vector_type,
        },
        source_name: &source.bare_name,
        provider: &provider.name,
        model: &provider.model,
        dimensions,
        chunking: source.chunking,
        builder: (stage == Stage::Building).then_some(job.id),
        store: surroundings.settings.stores.new_collections,
        is_shared: surroundings.settings.stores.shares_collections,
    };
    let collection = collections::create(installation, &new)?;
    if stage == Stage::Building {
        jobs::begin_anew(installation, job.id)?;
    }
    Ok(CollectionChoice {
        provider: choice,
        collection,
    })
}
