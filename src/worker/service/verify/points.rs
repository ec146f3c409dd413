//! Points against references, both in the order of their ids: two streams that are read once, side by side.

use std::collections::VecDeque;

use uuid::Uuid;
use vb_engine::point::{PointIdentity, PointKey};
use vb_engine::service::protocol::{Answer, FoundPoint, Request};
use vb_engine::store::place::Place;

use super::super::request::{ask, unexpected};
use super::Verified;
use crate::catalog::collections::{Collection, Stage};
use crate::catalog::installation::Installation;
use crate::catalog::references::{self, Doubt, Owner};
use crate::error::{Result, VbError};
use crate::pg::memory;
use crate::pg::spi::Cursor;

/// Points and references read at a time.
const PAGE: usize = 5_000;

/// A reference, as far as its point has to agree with it.
struct Reference {
    point: Uuid,
    record_id: String,
    chunk_no: i32,
    /// Empty when it is known that the point is not true any more.
    content_hash: String,
    /// The same of its payload columns.
    fields_hash: String,
}

/// Points of a place in the order of their keys.
struct Points {
    place: Place,
    page: VecDeque<FoundPoint>,
    after: Option<PointKey>,
    ended: bool,
}

impl Points {
    /// The next point, which stays the next one until it is taken.
    fn next(&mut self) -> Result<Option<&FoundPoint>> {
        if self.page.is_empty() && !self.ended {
            let request = Request::Points {
                place: self.place.clone(),
                after: self.after,
                limit: PAGE,
            };
            let page = match ask(&request)? {
                Answer::Points(page) => page,
                other => return Err(unexpected(&other)),
            };
            self.ended = page.len() < PAGE;
            self.after = page.last().map(|point| point.key).or(self.after);
            self.page = page.into();
        }
        Ok(self.page.front())
    }
}

/// References of a collection in the order of their points.
struct References {
    cursor: Cursor,
    page: VecDeque<Reference>,
    ended: bool,
}

impl References {
    fn next(&mut self) -> Result<Option<&Reference>> {
        if self.page.is_empty() && !self.ended {
            let page = memory::scoped(|| {
                self.cursor.fetch(PAGE, |row| {
                    let point: String = row.get(1)?;
                    Ok(Reference {
                        point: Uuid::parse_str(&point)
                            .map_err(|_| VbError::internal(format!("{point:?} is not a point id")))?,
                        record_id: row.get(2)?,
                        chunk_no: row.get(3)?,
                        content_hash: row.get(4)?,
                        fields_hash: row.get(5)?,
                    })
                })
            })?;
            self.ended = page.is_empty();
            self.page = page.into();
        }
        Ok(self.page.front())
    }
}

/// What was found on the way and is to be mended.
#[derive(Default)]
struct ToMend {
    orphans: Vec<PointKey>,
    /// Records whose vectors are to be made again.
    doubtful: Vec<String>,
    /// Records whose points are to get their payload columns again.
    outdated: Vec<String>,
}

impl ToMend {
    fn len(&self) -> usize {
        self.orphans.len() + self.doubtful.len() + self.outdated.len()
    }
}

/// Counts references without a point, points without a reference, and points that are not made from what their reference
/// says. A repair removes the second, and has the records of the others made again.
pub(super) fn compare(
    installation: &Installation,
    owner: Owner<'_>,
    collection: &Collection,
    repair: bool,
    found: &mut Verified,
) -> Result<()> {
    let mut points = Points {
        place: collection.place(owner.client_id),
        page: VecDeque::new(),
        after: None,
        ended: false,
    };
    let statement = installation.sql(include_str!("../../../../sql/query/verify_references.sql"));
    let mut references = References {
        cursor: Cursor::open(
            &statement,
            &[
                owner.client_id.into(),
                owner.source.into(),
                owner.vector_type.into(),
                collection.name.as_str().into(),
            ],
        )?,
        page: VecDeque::new(),
        ended: false,
    };
    let mut to_mend = ToMend::default();
    loop {
        let (point, reference) = (points.next()?, references.next()?);
        let order = match (&point, &reference) {
            (None, None) => break,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(point), Some(reference)) => point.key.cmp(&PointKey::Id(reference.point)),
        };
        match (order, point, reference) {
            (std::cmp::Ordering::Less, Some(point), _) => {
                found.orphan_points += 1;
                to_mend.orphans.push(point.key);
                points.page.pop_front();
            }
            (std::cmp::Ordering::Greater, _, Some(reference)) => {
                found.checked += 1;
                found.missing_points += 1;
                to_mend.doubtful.push(reference.record_id.clone());
                references.page.pop_front();
            }
            (_, Some(point), Some(reference)) => {
                found.checked += 1;
                let doubtful = match doubt(point.identity.as_ref(), reference, owner) {
                    None => None,
                    Some(Doubt::Vector) => Some(&mut to_mend.doubtful),
                    Some(Doubt::Fields) => Some(&mut to_mend.outdated),
                };
                if let Some(doubtful) = doubtful {
                    found.changed_points += 1;
                    doubtful.push(reference.record_id.clone());
                }
                points.page.pop_front();
                references.page.pop_front();
            }
            _ => break,
        }
        if repair && to_mend.len() >= PAGE {
            mend(installation, owner, &points.place, std::mem::take(&mut to_mend))?;
        }
        if !repair {
            to_mend = ToMend::default();
        }
    }
    if repair {
        mend(installation, owner, &points.place, to_mend)?;
    }
    Ok(())
}

/// What of a point is not what its reference says. What is in doubt already is counted as stale.
fn doubt(identity: Option<&PointIdentity>, reference: &Reference, owner: Owner<'_>) -> Option<Doubt> {
    let is_made_from_it = identity.is_some_and(|identity| {
        identity.client_id == owner.client_id
            && identity.vector_type == owner.vector_type
            && identity.record_id == reference.record_id
            && i32::try_from(identity.chunk_no) == Ok(reference.chunk_no)
            && (reference.content_hash.is_empty() || identity.content_hash == reference.content_hash)
    });
    if !is_made_from_it {
        return Some(Doubt::Vector);
    }
    let has_other_fields = identity.is_some_and(|identity| identity.fields_hash != reference.fields_hash);
    (has_other_fields && reference.fields_hash != references::DOUBTED_FIELDS).then_some(Doubt::Fields)
}

fn mend(installation: &Installation, owner: Owner<'_>, place: &Place, to_mend: ToMend) -> Result<()> {
    if !to_mend.orphans.is_empty() {
        let request = Request::Delete {
            place: place.clone(),
            keys: to_mend.orphans,
        };
        match ask(&request)? {
            Answer::Done => {}
            other => return Err(unexpected(&other)),
        }
    }
    let doubts = [(Doubt::Fields, to_mend.outdated), (Doubt::Vector, to_mend.doubtful)];
    for (doubt, records) in doubts {
        references::doubt(installation, owner, Stage::Serving, records, doubt)?;
    }
    Ok(())
}
