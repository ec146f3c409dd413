//! Vectors that somebody has already.

use std::collections::HashSet;

use uuid::Uuid;

use super::protocol::{Answer, ImportRecord, ServiceError};
use crate::batch::Target;
use crate::pipeline::collections::Collections;
use crate::point::{Chunk, MadeBy, Point, PointKey, now};

/// Writes the points of records with their vectors, and removes what else these records have.
pub(super) async fn import(
    collections: &Collections,
    target: &Target,
    (provider, model): (&str, &str),
    records: Vec<ImportRecord>,
    present_points: Vec<Uuid>,
) -> Result<Answer, ServiceError> {
    let made_by = MadeBy {
        provider,
        model,
        at: now(),
    };
    let mut points = Vec::with_capacity(records.len());
    let mut imported = Vec::with_capacity(records.len());
    for record in records {
        let chunk = Chunk {
            record_id: &record.record_id,
            number: 0,
            text: &record.text,
            content_hash: &record.content_hash,
            fields: &record.fields,
        };
        imported.push(unit(record.vector, target.collection.dimensions).map(|vector| {
            let point = Point::of(target, chunk, made_by, vector);
            let id = point.id;
            points.push(point);
            id
        }));
    }
    let written: HashSet<Uuid> = points.iter().map(|point| point.id).collect();
    let surplus: Vec<PointKey> = present_points
        .into_iter()
        .filter(|id| !written.contains(id))
        .map(PointKey::Id)
        .collect();
    let place = target.place();
    let store = collections.store(place.store)?;
    store.ensure_collection(&target.collection).await?;
    store.upsert(&place.share, points).await?;
    store.delete(&place.share, surplus).await?;
    store.flush(&place.share.collection).await?;
    Ok(Answer::Imported(imported))
}

/// The vector with length one, or why it is none.
fn unit(vector: Vec<f32>, dimensions: usize) -> Result<Vec<f32>, String> {
    if vector.len() != dimensions {
        return Err(format!("it has {} dimensions, not {dimensions}", vector.len()));
    }
    let length = vector.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    if !length.is_finite() {
        return Err("it has a number that is not finite".to_owned());
    }
    if length == 0.0 {
        return Err("all its numbers are zero".to_owned());
    }
    Ok(vector.into_iter().map(|x| (f64::from(x) / length) as f32).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_get_length_one_and_what_is_none_is_refused() {
        assert_eq!(unit(vec![3.0, 4.0], 2), Ok(vec![0.6, 0.8]));
        assert!(unit(vec![3.0, 4.0], 3).is_err());
        assert!(unit(vec![0.0, 0.0], 2).is_err());
        assert!(unit(vec![f32::NAN, 1.0], 2).is_err());
        assert!(unit(vec![f32::INFINITY, 1.0], 2).is_err());
        // Too small for their squares to be told from zero as single numbers.
        assert_eq!(unit(vec![1e-30, 0.0], 2), Ok(vec![1.0, 0.0]));
    }
}
