//! What the server can be asked.

/// A method that it serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// `Qdrant.HealthCheck`.
    HealthCheck,
    /// `Collections.Create`.
    CreateCollection,
    /// `Collections.Get`.
    GetCollection,
    /// `Collections.List`.
    ListCollections,
    /// `Collections.Delete`.
    DeleteCollection,
    /// `Collections.CollectionExists`.
    CollectionExists,
    /// `Collections.UpdateAliases`.
    UpdateAliases,
    /// `Collections.ListAliases`.
    ListAliases,
    /// `Collections.ListCollectionAliases`.
    ListCollectionAliases,
    /// `Points.CreateFieldIndex`.
    CreateFieldIndex,
    /// `Points.DeleteFieldIndex`.
    DeleteFieldIndex,
    /// `Points.Upsert`.
    Upsert,
    /// `Points.Delete`.
    Delete,
    /// `Points.SetPayload`.
    SetPayload,
    /// `Points.OverwritePayload`.
    OverwritePayload,
    /// `Points.UpdateBatch`.
    UpdateBatch,
    /// `Points.Get`.
    Get,
    /// `Points.Scroll`.
    Scroll,
    /// `Points.Count`.
    Count,
    /// `Points.Query`.
    Query,
}
