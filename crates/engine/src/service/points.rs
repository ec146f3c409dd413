//! Points as others than searches want them: listed, removed, copied.

use std::collections::{HashMap, HashSet};

use super::protocol::{Answer, FoundPoint, ServiceError};
use crate::fields::Field;
use crate::pipeline::collections::Collections;
use crate::point::{PointIdentity, PointKey};
use crate::store::contract::{CollectionSpec, Detail, VectorStore};
use crate::store::error::StoreError;
use crate::store::place::Place;
use crate::store::share::Share;

/// A page of points with what they are made from.
pub(super) async fn points(
    collections: &Collections,
    place: &Place,
    after: Option<PointKey>,
    limit: usize,
) -> Result<Answer, ServiceError> {
    let page = collections
        .store(place.store)?
        .scroll(&place.share, after, limit, Detail::Identity);
    let found = unless_missing(page.await)?.into_iter().map(|point| FoundPoint {
        key: point.key,
        identity: point.identity,
    });
    Ok(Answer::Points(found.collect()))
}

/// Removes points.
pub(super) async fn delete(
    collections: &Collections,
    place: &Place,
    keys: Vec<PointKey>,
) -> Result<Answer, ServiceError> {
    let store = collections.store(place.store)?;
    let deleted = async {
        store.delete(&place.share, keys).await?;
        store.flush(&place.share.collection).await
    };
    unless_missing(deleted.await)?;
    Ok(Answer::Done)
}

/// Removes all points of a place.
pub(super) async fn remove(collections: &Collections, place: &Place) -> Result<Answer, ServiceError> {
    collections.remove(place).await?;
    Ok(Answer::Done)
}

/// Makes a page of points equal to those of another place: copies those that differ and, to be exact, removes those that are
/// too many.
pub(super) async fn copy(
    collections: &Collections,
    (from, to): (&Place, &Place),
    (dimensions, fields): (usize, Vec<Field>),
    exact: bool,
    (after, limit): (Option<PointKey>, usize),
) -> Result<Answer, ServiceError> {
    let (source, target) = (collections.store(from.store)?, collections.store(to.store)?);
    if after.is_none() {
        target
            .ensure_collection(&CollectionSpec {
                name: to.share.collection.clone(),
                dimensions,
                is_shared: to.share.client_id.is_some(),
                fields,
            })
            .await?;
    }
    let page = unless_missing(source.scroll(&from.share, after, limit, Detail::Identity).await)?;
    let last = page.last().map(|point| point.key).filter(|_| page.len() == limit);
    let mut there = between(target.as_ref(), &to.share, after, last, limit).await?;
    let differing: HashSet<PointKey> = page
        .iter()
        .filter(|point| there.remove(&point.key) != Some(point.identity.clone()))
        .map(|point| point.key)
        .collect();
    let mut copied = 0;
    if !differing.is_empty() {
        let whole = unless_missing(source.scroll(&from.share, after, limit, Detail::Whole).await)?;
        let points: Vec<_> = whole
            .into_iter()
            .filter(|point| differing.contains(&point.key))
            .filter_map(|point| point.whole)
            .collect();
        copied = points.len();
        target.upsert(&to.share, points).await?;
    }
    if exact && !there.is_empty() {
        target.delete(&to.share, there.into_keys().collect()).await?;
    }
    target.flush(&to.share.collection).await?;
    Ok(Answer::Copied {
        points: copied as u64,
        left: (differing.len() - copied) as u64,
        last,
    })
}

/// Points of a share after one key and up to another one, or to the end, with what they are made from.
async fn between(
    store: &dyn VectorStore,
    share: &Share,
    after: Option<PointKey>,
    last: Option<PointKey>,
    limit: usize,
) -> Result<HashMap<PointKey, Option<PointIdentity>>, StoreError> {
    let mut found = HashMap::new();
    let mut after = after;
    loop {
        let page = store.scroll(share, after, limit, Detail::Identity).await?;
        let is_end = page.len() < limit;
        after = page.last().map(|point| point.key).or(after);
        let within = |key: PointKey| last.is_none_or(|last| key <= last);
        let is_beyond = !page.last().is_none_or(|point| within(point.key));
        let page = page.into_iter().filter(|point| within(point.key));
        found.extend(page.map(|point| (point.key, point.identity)));
        if is_end || is_beyond {
            return Ok(found);
        }
    }
}

/// Has a collection indexed, in the background, and named.
pub(super) async fn finish(
    collections: &Collections,
    place: &Place,
    alias: Option<String>,
) -> Result<Answer, ServiceError> {
    let store = collections.store(place.store)?.clone();
    let collection = place.share.collection.clone();
    if let Some(alias) = alias {
        store.set_alias(&alias, &collection).await?;
    }
    tokio::spawn(async move {
        if let Err(error) = store.optimize(&collection).await {
            log::warn!("could not build the search index of collection \"{collection}\": {error}");
        }
    });
    Ok(Answer::Done)
}

/// What the store gave; nothing when the collection does not exist.
fn unless_missing<T: Default>(result: Result<T, StoreError>) -> Result<T, StoreError> {
    match result {
        Err(StoreError::NoCollection(_)) => Ok(T::default()),
        result => result,
    }
}
