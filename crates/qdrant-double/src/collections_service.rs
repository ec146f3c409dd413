//! Qdrant's interface to collections and aliases.

use std::sync::Arc;

use qdrant_client::qdrant::collections_server::Collections;
use qdrant_client::qdrant::{
    ChangeAliases, CollectionClusterInfoRequest, CollectionClusterInfoResponse, CollectionDescription,
    CollectionExists, CollectionExistsRequest, CollectionExistsResponse, CollectionOperationResponse, CreateCollection,
    CreateShardKeyRequest, CreateShardKeyResponse, DeleteCollection, DeleteShardKeyRequest, DeleteShardKeyResponse,
    GetCollectionInfoRequest, GetCollectionInfoResponse, ListAliasesRequest, ListAliasesResponse,
    ListCollectionAliasesRequest, ListCollectionsRequest, ListCollectionsResponse, ListShardKeysRequest,
    ListShardKeysResponse, UpdateCollection, UpdateCollectionClusterSetupRequest, UpdateCollectionClusterSetupResponse,
};
use tonic::{Request, Response, Status};

use crate::method::Method;
use crate::serving::Serving;
use crate::unserved::unserved;

/// Answers calls about collections and aliases.
pub(crate) struct CollectionsService(pub(crate) Arc<Serving>);

#[tonic::async_trait]
impl Collections for CollectionsService {
    async fn create(
        &self,
        request: Request<CreateCollection>,
    ) -> Result<Response<CollectionOperationResponse>, Status> {
        let answer = self.0.answer(Method::CreateCollection, request, |catalogue, asked| {
            catalogue.create(asked).map(|()| done(true))
        });
        answer.await
    }

    async fn get(
        &self,
        request: Request<GetCollectionInfoRequest>,
    ) -> Result<Response<GetCollectionInfoResponse>, Status> {
        let answer = self.0.answer(Method::GetCollection, request, |catalogue, asked| {
            let info = catalogue.find(&asked.collection_name)?.info()?;
            Ok(GetCollectionInfoResponse {
                result: Some(info),
                time: 0.0,
            })
        });
        answer.await
    }

    async fn list(
        &self,
        request: Request<ListCollectionsRequest>,
    ) -> Result<Response<ListCollectionsResponse>, Status> {
        let answer = self.0.answer(Method::ListCollections, request, |catalogue, _| {
            let names = catalogue.collections().into_iter();
            Ok(ListCollectionsResponse {
                collections: names.map(|name| CollectionDescription { name }).collect(),
                time: 0.0,
            })
        });
        answer.await
    }

    async fn delete(
        &self,
        request: Request<DeleteCollection>,
    ) -> Result<Response<CollectionOperationResponse>, Status> {
        let answer = self.0.answer(Method::DeleteCollection, request, |catalogue, asked| {
            Ok(done(catalogue.delete(&asked.collection_name)))
        });
        answer.await
    }

    async fn collection_exists(
        &self,
        request: Request<CollectionExistsRequest>,
    ) -> Result<Response<CollectionExistsResponse>, Status> {
        let answer = self.0.answer(Method::CollectionExists, request, |catalogue, asked| {
            let exists = catalogue.find(&asked.collection_name).is_ok();
            Ok(CollectionExistsResponse {
                result: Some(CollectionExists { exists }),
                time: 0.0,
            })
        });
        answer.await
    }

    async fn update_aliases(
        &self,
        request: Request<ChangeAliases>,
    ) -> Result<Response<CollectionOperationResponse>, Status> {
        let answer = self.0.answer(Method::UpdateAliases, request, |catalogue, asked| {
            catalogue.change_aliases(asked.actions).map(|()| done(true))
        });
        answer.await
    }

    async fn list_aliases(
        &self,
        request: Request<ListAliasesRequest>,
    ) -> Result<Response<ListAliasesResponse>, Status> {
        let answer = self.0.answer(Method::ListAliases, request, |catalogue, _| {
            Ok(ListAliasesResponse {
                aliases: catalogue.aliases(),
                time: 0.0,
            })
        });
        answer.await
    }

    async fn list_collection_aliases(
        &self,
        request: Request<ListCollectionAliasesRequest>,
    ) -> Result<Response<ListAliasesResponse>, Status> {
        let answer = self
            .0
            .answer(Method::ListCollectionAliases, request, |catalogue, asked| {
                let mut aliases = catalogue.aliases();
                aliases.retain(|alias| alias.collection_name == asked.collection_name);
                Ok(ListAliasesResponse { aliases, time: 0.0 })
            });
        answer.await
    }

    unserved! {
        update(UpdateCollection) -> CollectionOperationResponse;
        collection_cluster_info(CollectionClusterInfoRequest) -> CollectionClusterInfoResponse;
        update_collection_cluster_setup(UpdateCollectionClusterSetupRequest) -> UpdateCollectionClusterSetupResponse;
        create_shard_key(CreateShardKeyRequest) -> CreateShardKeyResponse;
        delete_shard_key(DeleteShardKeyRequest) -> DeleteShardKeyResponse;
        list_shard_keys(ListShardKeysRequest) -> ListShardKeysResponse;
    }
}

fn done(result: bool) -> CollectionOperationResponse {
    CollectionOperationResponse { result, time: 0.0 }
}
