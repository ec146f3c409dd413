//! What reads points.

use qdrant_client::qdrant::query::Variant;
use qdrant_client::qdrant::{
    CountPoints, CountResponse, CountResult, GetPoints, GetResponse, Query, QueryPoints, QueryResponse, ScrollPoints,
    ScrollResponse, SearchParams, VectorInput, vector_input,
};
use qdrant_edge::{
    CountRequest, DEFAULT_VECTOR_NAME, IdfCorpusParams, IdfParams, NamedQuery, QueryEnum, QueryRequest,
    RetrieveRequest, ScoringQuery, ScrollRequest, SearchParams as EngineParams, VectorInternal, WithPayloadInterface,
};
use tonic::Status;

use crate::catalogue::Catalogue;
use crate::status::{engine_error, unserved_if, wrong_limit};
use crate::{filters, ids, points, selectors, vectors};

/// Hits of a query that gives no limit.
const QUERY_LIMIT: u64 = 10;

/// Points by their ids; those that are missing are left out.
pub(crate) fn get(catalogue: &Catalogue, asked: GetPoints) -> Result<GetResponse, Status> {
    unserved_if(asked.shard_key_selector.is_some(), "shard keys")?;
    let request = RetrieveRequest {
        point_ids: ids::engine_ids(asked.ids)?,
        with_payload: selectors::payload(asked.with_payload)?,
        with_vector: Some(selectors::vectors(asked.with_vectors)),
    };
    let collection = catalogue.find(&asked.collection_name)?;
    let records = collection.shard().retrieve(request).map_err(engine_error)?;
    Ok(GetResponse {
        result: records.into_iter().map(points::retrieved).collect(),
        ..GetResponse::default()
    })
}

/// A page of points in the order of their ids: numbers first, then UUIDs.
pub(crate) fn scroll(catalogue: &Catalogue, asked: ScrollPoints) -> Result<ScrollResponse, Status> {
    unserved_if(asked.shard_key_selector.is_some(), "shard keys")?;
    unserved_if(asked.order_by.is_some(), "other orders than that of ids")?;
    if asked.limit == Some(0) {
        return Err(wrong_limit());
    }
    let request = ScrollRequest {
        offset: asked.offset.map(ids::engine_id).transpose()?,
        limit: asked.limit.map(|limit| limit as usize),
        filter: filters::optional(asked.filter)?,
        with_payload: selectors::payload(asked.with_payload)?,
        with_vector: selectors::vectors(asked.with_vectors),
        order_by: None,
    };
    let collection = catalogue.find(&asked.collection_name)?;
    let (records, next) = collection.shard().scroll(request).map_err(engine_error)?;
    Ok(ScrollResponse {
        next_page_offset: next.map(ids::sent_id),
        result: records.into_iter().map(points::retrieved).collect(),
        ..ScrollResponse::default()
    })
}

/// How many points a filter matches.
pub(crate) fn count(catalogue: &Catalogue, asked: CountPoints) -> Result<CountResponse, Status> {
    unserved_if(asked.shard_key_selector.is_some(), "shard keys")?;
    let request = CountRequest {
        filter: filters::optional(asked.filter)?,
        exact: asked.exact.unwrap_or(true),
    };
    let collection = catalogue.find(&asked.collection_name)?;
    let count = collection.shard().count(request).map_err(engine_error)?;
    Ok(CountResponse {
        result: Some(CountResult { count: count as u64 }),
        ..CountResponse::default()
    })
}

/// The points nearest to a dense or sparse vector.
pub(crate) fn query(catalogue: &Catalogue, asked: QueryPoints) -> Result<QueryResponse, Status> {
    unserved_if(asked.shard_key_selector.is_some(), "shard keys")?;
    unserved_if(!asked.prefetch.is_empty(), "queries within queries")?;
    unserved_if(asked.lookup_from.is_some(), "vectors of other collections")?;
    let using = asked.using.unwrap_or_else(|| DEFAULT_VECTOR_NAME.to_owned());
    let limit = asked.limit.unwrap_or(QUERY_LIMIT);
    if limit == 0 {
        return Err(wrong_limit());
    }
    let request = QueryRequest {
        prefetches: Vec::new(),
        query: asked.query.map(|query| nearest(query, using)).transpose()?,
        filter: filters::optional(asked.filter)?,
        score_threshold: asked.score_threshold,
        limit: limit as usize,
        offset: asked.offset.unwrap_or(0) as usize,
        params: asked.params.map(params).transpose()?,
        with_vector: selectors::vectors(asked.with_vectors),
        with_payload: selectors::payload(asked.with_payload)?.unwrap_or(WithPayloadInterface::Bool(false)),
    };
    let collection = catalogue.find(&asked.collection_name)?;
    let found = collection.shard().query(request).map_err(engine_error)?;
    Ok(QueryResponse {
        result: found.into_iter().map(points::scored).collect(),
        ..QueryResponse::default()
    })
}

fn nearest(query: Query, using: String) -> Result<ScoringQuery, Status> {
    let Some(Variant::Nearest(VectorInput { variant: Some(input) })) = query.variant else {
        return Err(Status::unimplemented("the double serves nearest neighbours only"));
    };
    let vector = match input {
        vector_input::Variant::Dense(dense) => VectorInternal::Dense(dense.data),
        vector_input::Variant::Sparse(sparse) => {
            VectorInternal::Sparse(vectors::sparse(sparse.indices, sparse.values)?)
        }
        _ => {
            return Err(Status::unimplemented(
                "the double searches for dense and sparse vectors only",
            ));
        }
    };
    Ok(ScoringQuery::Vector(QueryEnum::Nearest(NamedQuery::new(vector, using))))
}

fn params(asked: SearchParams) -> Result<EngineParams, Status> {
    let corpus = asked.idf.and_then(|idf| idf.corpus).map(filters::filter).transpose()?;
    Ok(EngineParams {
        idf: corpus.map(|corpus| IdfParams::Corpus(IdfCorpusParams { corpus })),
        hnsw_ef: asked.hnsw_ef.map(|breadth| breadth as usize),
        exact: asked.exact.unwrap_or_default(),
        indexed_only: asked.indexed_only.unwrap_or_default(),
        ..EngineParams::default()
    })
}
