//! Dense and sparse vectors, in the forms that clients of any age send.

use std::collections::HashMap;

use qdrant_client::qdrant::vector::Vector as Form;
use qdrant_client::qdrant::vectors::VectorsOptions;
use qdrant_client::qdrant::{
    DenseVector, MultiDenseVector, NamedVectorsOutput, SparseVector, Vector, VectorOutput, Vectors, VectorsOutput,
    vector_output, vectors_output,
};
use qdrant_edge::{
    SparseVector as EngineSparse, VectorInternal, VectorPersisted, VectorStructInternal, VectorStructPersisted,
};
use tonic::Status;

/// The vectors of a point that is to be stored.
pub(crate) fn stored(vectors: Option<Vectors>) -> Result<VectorStructPersisted, Status> {
    let vectors = vectors.ok_or_else(|| Status::invalid_argument("Expected some vectors"))?;
    match vectors.vectors_options {
        Some(VectorsOptions::Vector(vector)) => match one(vector)? {
            VectorPersisted::Dense(vector) => Ok(VectorStructPersisted::Single(vector)),
            _ => Err(Status::invalid_argument("Sparse vector must be named")),
        },
        Some(VectorsOptions::Vectors(named)) => {
            let named = named.vectors.into_iter();
            let named: Result<HashMap<_, _>, Status> = named.map(|(name, vector)| Ok((name, one(vector)?))).collect();
            Ok(VectorStructPersisted::Named(named?))
        }
        None => Err(Status::invalid_argument("No Vector Provided")),
    }
}

/// A sparse vector; its indices have to be different, and as many as its values.
pub(crate) fn sparse(indices: Vec<u32>, values: Vec<f32>) -> Result<EngineSparse, Status> {
    EngineSparse::new(indices, values)
        .map_err(|errors| Status::invalid_argument(format!("Validation error in body: [{errors}]")))
}

/// The vectors of a point as they are sent.
pub(crate) fn sent(vectors: VectorStructInternal) -> VectorsOutput {
    let options = match vectors {
        VectorStructInternal::Single(vector) => {
            vectors_output::VectorsOptions::Vector(sent_one(VectorInternal::Dense(vector)))
        }
        VectorStructInternal::MultiDense(vector) => {
            vectors_output::VectorsOptions::Vector(sent_one(VectorInternal::MultiDense(vector)))
        }
        VectorStructInternal::Named(named) => vectors_output::VectorsOptions::Vectors(NamedVectorsOutput {
            vectors: named
                .into_iter()
                .map(|(name, vector)| (name, sent_one(vector)))
                .collect(),
        }),
    };
    VectorsOutput {
        vectors_options: Some(options),
    }
}

#[expect(deprecated, reason = "older clients send nothing else")]
fn one(vector: Vector) -> Result<VectorPersisted, Status> {
    match vector.vector {
        Some(Form::Dense(dense)) => Ok(VectorPersisted::Dense(dense.data)),
        Some(Form::Sparse(vector)) => sparse(vector.indices, vector.values).map(VectorPersisted::Sparse),
        Some(_) => Err(Status::unimplemented("the double stores dense and sparse vectors only")),
        None => match vector.indices {
            Some(indices) => sparse(indices.data, vector.data).map(VectorPersisted::Sparse),
            None if vector.vectors_count.is_some() => {
                Err(Status::unimplemented("the double stores dense and sparse vectors only"))
            }
            None => Ok(VectorPersisted::Dense(vector.data)),
        },
    }
}

#[expect(deprecated, reason = "the fields are there, and the real server leaves them empty")]
fn sent_one(vector: VectorInternal) -> VectorOutput {
    let form = match vector {
        VectorInternal::Dense(data) => vector_output::Vector::Dense(DenseVector { data }),
        VectorInternal::Sparse(EngineSparse { indices, values }) => {
            vector_output::Vector::Sparse(SparseVector { values, indices })
        }
        VectorInternal::MultiDense(vectors) => vector_output::Vector::MultiDense(MultiDenseVector {
            vectors: vectors
                .into_multi_vectors()
                .into_iter()
                .map(|data| DenseVector { data })
                .collect(),
        }),
    };
    VectorOutput {
        data: Vec::new(),
        indices: None,
        vectors_count: None,
        vector: Some(form),
    }
}
