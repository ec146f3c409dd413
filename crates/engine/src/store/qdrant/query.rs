//! Turns our questions into Qdrant's.

use qdrant_client::qdrant::query::Variant;
use qdrant_client::qdrant::with_payload_selector::SelectorOptions;
use qdrant_client::qdrant::{
    DenseVector, IdfParams, PayloadIncludeSelector, Query, QueryPoints, ScrollPoints, SearchParams, VectorInput,
    WithPayloadSelector, WithVectorsSelector, vector_input, with_vectors_selector,
};

use super::filter::filter;
use super::points::{point_id, sparse};
use crate::keywords::KEYWORDS;
use crate::point::{PointIdentity, PointKey, PointPayload};
use crate::store::contract::{Detail, Question, Search};
use crate::store::share::Share;

/// Neighbours looked at while searching, at least.
const SEARCH_BREADTH: usize = 128;

/// Asks for the points that answer best, with their payload.
pub(super) fn query(share: &Share, search: Search, patience: Option<u64>) -> QueryPoints {
    let Search {
        question,
        limit,
        conditions,
    } = search;
    let (input, using, corpus) = match question {
        Question::Dense(data) => (vector_input::Variant::Dense(DenseVector { data }), None, None),
        Question::Keywords(keywords) => (
            vector_input::Variant::Sparse(sparse(keywords)),
            Some(KEYWORDS.to_owned()),
            // Among a client's own texts a word may be rarer than among everybody's.
            filter(share, &[]),
        ),
    };
    QueryPoints {
        collection_name: share.collection.clone(),
        query: Some(Query {
            variant: Some(Variant::Nearest(VectorInput { variant: Some(input) })),
        }),
        using,
        filter: filter(share, &conditions),
        params: Some(SearchParams {
            hnsw_ef: Some(limit.saturating_mul(2).max(SEARCH_BREADTH) as u64),
            idf: corpus.map(|corpus| IdfParams { corpus: Some(corpus) }),
            ..SearchParams::default()
        }),
        limit: Some(limit as u64),
        with_payload: Some(only(PointPayload::SHOWN.map(str::to_owned).to_vec())),
        timeout: patience,
        ..QueryPoints::default()
    }
}

/// Asks for the points after this one; `None` when there can be none.
pub(super) fn scroll(
    share: &Share,
    after: Option<PointKey>,
    limit: usize,
    detail: Detail,
    patience: Option<u64>,
) -> Option<ScrollPoints> {
    // Qdrant's offset is the first key of the page, ours the last one of the page before.
    let offset = match after {
        None => None,
        Some(after) => Some(point_id(after.next()?)),
    };
    Some(ScrollPoints {
        collection_name: share.collection.clone(),
        filter: filter(share, &[]),
        offset,
        limit: Some(u32::try_from(limit).unwrap_or(u32::MAX)),
        with_payload: Some(match detail {
            Detail::Key => with_payload(false),
            Detail::Identity => only(PointIdentity::FIELDS.map(str::to_owned).to_vec()),
            Detail::Whole => with_payload(true),
        }),
        with_vectors: Some(WithVectorsSelector {
            selector_options: Some(with_vectors_selector::SelectorOptions::Enable(detail == Detail::Whole)),
        }),
        timeout: patience,
        ..ScrollPoints::default()
    })
}

fn only(fields: Vec<String>) -> WithPayloadSelector {
    WithPayloadSelector {
        selector_options: Some(SelectorOptions::Include(PayloadIncludeSelector { fields })),
    }
}

fn with_payload(wanted: bool) -> WithPayloadSelector {
    WithPayloadSelector {
        selector_options: Some(SelectorOptions::Enable(wanted)),
    }
}
