//! Writes points: cut into requests of a size that servers like, several of them at a time.

use futures_util::stream::{self, TryStreamExt};
use qdrant_client::qdrant::{PointStruct, UpsertPoints};

use super::connection::Connection;
use super::failure::{completed, error};
use super::filter::filter;
use super::points::point_struct;
use crate::point::Point;
use crate::store::error::StoreError;
use crate::store::share::Share;

/// Points in one request, at most. Qdrant's own clients send 64 to 256.
const POINTS_IN_REQUEST: usize = 256;

/// Bytes of vectors, keywords and texts in one request, about: servers take 32 MiB.
const BYTES_IN_REQUEST: usize = 8 << 20;

/// Requests at a time.
const STREAMS: usize = 4;

/// Writes the points and returns when the server has completed all of them. After an error some may be written: repeat it.
pub(super) async fn upload(connection: &Connection, share: &Share, points: Vec<Point>) -> Result<(), StoreError> {
    let requests = requests(points)
        .into_iter()
        .map(|points| points.into_iter().map(|point| point_struct(share, point)).collect())
        .collect::<Result<Vec<Vec<PointStruct>>, StoreError>>()?;
    stream::iter(requests.into_iter().map(Ok))
        .try_for_each_concurrent(STREAMS, |points| send(connection, share, points))
        .await
}

async fn send(connection: &Connection, share: &Share, points: Vec<PointStruct>) -> Result<(), StoreError> {
    let request = UpsertPoints {
        collection_name: share.collection.clone(),
        wait: Some(true),
        points,
        update_filter: filter(share, &[]),
        timeout: connection.patience(),
        ..UpsertPoints::default()
    };
    let answer = connection
        .points()?
        .upsert(request)
        .await
        .map_err(|status| error(connection, &share.collection, &status))?;
    completed(connection, answer.into_inner().result)
}

/// The points in as few requests as fit, about equally large.
fn requests(points: Vec<Point>) -> Vec<Vec<Point>> {
    let bytes: usize = points.iter().map(bytes_of).sum();
    let fewest = points
        .len()
        .div_ceil(POINTS_IN_REQUEST)
        .max(bytes.div_ceil(BYTES_IN_REQUEST))
        .max(1);
    let size = points.len().div_ceil(fewest).max(1);
    let mut requests = Vec::with_capacity(fewest);
    let mut points = points.into_iter();
    loop {
        let some: Vec<Point> = points.by_ref().take(size).collect();
        if some.is_empty() {
            return requests;
        }
        requests.push(some);
    }
}

fn bytes_of(point: &Point) -> usize {
    size_of::<f32>() * point.vector.len() + 8 * point.keywords.words.len() + point.payload.size() + 512
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keywords::Keywords;

    fn points(number: usize, dimensions: usize) -> Vec<Point> {
        let payload = serde_json::json!({
            "client_id": 1, "source": "s", "record_id": "r", "vector_type": "content", "chunk_no": 0,
            "text_content": "", "content_hash": "", "provider": "p", "model": "m", "generated_at": 0.0,
        });
        let point = Point {
            id: uuid::Uuid::nil(),
            vector: vec![0.5; dimensions],
            keywords: Keywords::default(),
            payload: serde_json::from_value(payload).unwrap(),
        };
        vec![point; number]
    }

    #[test]
    fn requests_hold_all_points_and_none_is_too_large() {
        for (number, dimensions, expected) in [
            (0, 4, 0),
            (1, 4, 1),
            (256, 4, 1),
            (257, 4, 2),
            (1_000, 384, 4),
            (256, 65_536, 9),
        ] {
            let requests = requests(points(number, dimensions));
            assert_eq!(requests.len(), expected, "{number} points of {dimensions}");
            assert_eq!(requests.iter().map(Vec::len).sum::<usize>(), number);
            assert!(requests.iter().all(|points| points.len() <= POINTS_IN_REQUEST));
        }
    }
}
