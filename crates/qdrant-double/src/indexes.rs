//! Payload indexes: of which type, and with which of the parameters that change what they do.
//!
//! Parameters about where an index is kept (`on_disk`, `memory`) are recorded and change nothing.

use qdrant_client::qdrant::payload_index_params::IndexParams;
use qdrant_client::qdrant::{
    CreateFieldIndexCollection, DatetimeIndexParams, FieldType, FloatIndexParams, IntegerIndexParams,
    KeywordIndexParams, PayloadSchemaInfo, PayloadSchemaType, UuidIndexParams,
};
use qdrant_edge::{
    BoolIndexParamsBuilder, DatetimeIndexParamsBuilder, FloatIndexParamsBuilder, IntegerIndexParamsBuilder,
    KeywordIndexParamsBuilder, PayloadFieldSchema, PayloadSchemaParams, PayloadSchemaType as EngineType,
    UuidIndexParamsBuilder,
};
use tonic::Status;

/// The engine's schema of a field.
pub(crate) fn schema(asked: &CreateFieldIndexCollection) -> Result<PayloadFieldSchema, Status> {
    let field_type = field_type(asked)?;
    let params = asked
        .field_index_params
        .as_ref()
        .and_then(|params| params.index_params.as_ref());
    let Some(params) = params else {
        return Ok(PayloadFieldSchema::FieldType(match field_type {
            FieldType::Keyword => EngineType::Keyword,
            FieldType::Integer => EngineType::Integer,
            FieldType::Float => EngineType::Float,
            FieldType::Bool => EngineType::Bool,
            FieldType::Datetime => EngineType::Datetime,
            FieldType::Uuid => EngineType::Uuid,
            FieldType::Geo | FieldType::Text => return Err(unserved()),
        }));
    };
    Ok(PayloadFieldSchema::FieldParams(match (field_type, params) {
        (FieldType::Keyword, IndexParams::KeywordIndexParams(params)) => keyword(params),
        (FieldType::Integer, IndexParams::IntegerIndexParams(params)) => integer(params),
        (FieldType::Float, IndexParams::FloatIndexParams(params)) => float(params),
        (FieldType::Bool, IndexParams::BoolIndexParams(_)) => {
            PayloadSchemaParams::Bool(BoolIndexParamsBuilder::new().build())
        }
        (FieldType::Datetime, IndexParams::DatetimeIndexParams(params)) => datetime(params),
        (FieldType::Uuid, IndexParams::UuidIndexParams(params)) => uuid(params),
        (FieldType::Geo | FieldType::Text, _) => return Err(unserved()),
        _ => {
            return Err(Status::invalid_argument(format!(
                "field_type ({field_type:?}) and field_index_params do not match"
            )));
        }
    }))
}

/// What clients are told about an index that `points` points are in.
pub(crate) fn info(asked: &CreateFieldIndexCollection, points: usize) -> PayloadSchemaInfo {
    let data_type = match asked.field_type() {
        FieldType::Keyword => PayloadSchemaType::Keyword,
        FieldType::Integer => PayloadSchemaType::Integer,
        FieldType::Float => PayloadSchemaType::Float,
        FieldType::Geo => PayloadSchemaType::Geo,
        FieldType::Text => PayloadSchemaType::Text,
        FieldType::Bool => PayloadSchemaType::Bool,
        FieldType::Datetime => PayloadSchemaType::Datetime,
        FieldType::Uuid => PayloadSchemaType::Uuid,
    };
    PayloadSchemaInfo {
        data_type: data_type.into(),
        params: asked.field_index_params.clone(),
        points: Some(points as u64),
    }
}

/// The real server wants a type even where the parameters tell it.
fn field_type(asked: &CreateFieldIndexCollection) -> Result<FieldType, Status> {
    asked
        .field_type
        .and_then(|number| FieldType::try_from(number).ok())
        .ok_or_else(|| Status::invalid_argument("cannot convert field_type"))
}

fn unserved() -> Status {
    Status::unimplemented("the double does not index places and texts")
}

fn keyword(params: &KeywordIndexParams) -> PayloadSchemaParams {
    let index = KeywordIndexParamsBuilder::new().is_tenant(params.is_tenant.unwrap_or_default());
    PayloadSchemaParams::Keyword(index.build())
}

fn uuid(params: &UuidIndexParams) -> PayloadSchemaParams {
    let index = UuidIndexParamsBuilder::new().is_tenant(params.is_tenant.unwrap_or_default());
    PayloadSchemaParams::Uuid(index.build())
}

fn integer(params: &IntegerIndexParams) -> PayloadSchemaParams {
    let index = IntegerIndexParamsBuilder::new()
        .lookup(params.lookup.unwrap_or(true))
        .range(params.range.unwrap_or(true))
        .is_principal(params.is_principal.unwrap_or_default());
    PayloadSchemaParams::Integer(index.build())
}

fn float(params: &FloatIndexParams) -> PayloadSchemaParams {
    let index = FloatIndexParamsBuilder::new().is_principal(params.is_principal.unwrap_or_default());
    PayloadSchemaParams::Float(index.build())
}

fn datetime(params: &DatetimeIndexParams) -> PayloadSchemaParams {
    let index = DatetimeIndexParamsBuilder::new().is_principal(params.is_principal.unwrap_or_default());
    PayloadSchemaParams::Datetime(index.build())
}
