//! The settings that say where vectors are kept and how.

use std::ffi::CString;
use std::path::PathBuf;
use std::time::Duration;

use pgrx::PostgresGucEnum;
use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};
use vb_engine::store::place::StoreKind;
use vb_engine::store::qdrant::{CollectionOptions, QdrantOptions, Quantization};
use vb_formats::secret_ref::SecretRef;

use super::{path_of, text_of};

static STORE: GucSetting<StoreName> = GucSetting::<StoreName>::new(StoreName::Embedded);
static TENANCY: GucSetting<TenancyName> = GucSetting::<TenancyName>::new(TenancyName::Collection);
static QDRANT_URL: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);
static QDRANT_API_KEY_REF: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);
static QDRANT_CA_FILE: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);
static QDRANT_SHARD_NUMBER: GucSetting<i32> = GucSetting::<i32>::new(0);
static QDRANT_REPLICATION_FACTOR: GucSetting<i32> = GucSetting::<i32>::new(0);
static QDRANT_WRITE_CONSISTENCY_FACTOR: GucSetting<i32> = GucSetting::<i32>::new(0);
static QDRANT_ON_DISK: GucSetting<bool> = GucSetting::<bool>::new(false);
static QDRANT_QUANTIZATION: GucSetting<QuantizationName> = GucSetting::<QuantizationName>::new(QuantizationName::None);

/// The most shards or copies that can be asked for.
const MOST_PARTS: i32 = 1_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PostgresGucEnum)]
enum StoreName {
    #[name = c"embedded"]
    Embedded,
    #[name = c"qdrant"]
    Qdrant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PostgresGucEnum)]
enum TenancyName {
    #[name = c"collection"]
    Collection,
    #[name = c"payload"]
    Payload,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PostgresGucEnum)]
enum QuantizationName {
    #[name = c"none"]
    None,
    #[name = c"scalar"]
    Scalar,
    #[name = c"binary"]
    Binary,
}

/// Where vectors are kept and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoreSettings {
    /// The store of new collections.
    pub(crate) new_collections: StoreKind,
    /// Whether clients share new collections.
    pub(crate) shares_collections: bool,
    /// The address of the Qdrant server; `None` when there is none.
    qdrant_url: Option<String>,
    qdrant_api_key_ref: Option<String>,
    qdrant_ca_file: Option<PathBuf>,
    qdrant_collections: CollectionOptions,
}

impl StoreSettings {
    /// The settings as this process sees them now.
    pub(super) fn current() -> Self {
        let unless_zero = |setting: &GucSetting<i32>| u32::try_from(setting.get()).ok().filter(|number| *number > 0);
        Self {
            new_collections: match STORE.get() {
                StoreName::Embedded => StoreKind::Embedded,
                StoreName::Qdrant => StoreKind::Qdrant,
            },
            shares_collections: TENANCY.get() == TenancyName::Payload,
            qdrant_url: text_of(&QDRANT_URL),
            qdrant_api_key_ref: text_of(&QDRANT_API_KEY_REF),
            qdrant_ca_file: path_of(&QDRANT_CA_FILE),
            qdrant_collections: CollectionOptions {
                shard_number: unless_zero(&QDRANT_SHARD_NUMBER),
                replication_factor: unless_zero(&QDRANT_REPLICATION_FACTOR),
                write_consistency_factor: unless_zero(&QDRANT_WRITE_CONSISTENCY_FACTOR),
                on_disk: QDRANT_ON_DISK.get(),
                quantization: match QDRANT_QUANTIZATION.get() {
                    QuantizationName::None => None,
                    QuantizationName::Scalar => Some(Quantization::Scalar),
                    QuantizationName::Binary => Some(Quantization::Binary),
                },
            },
        }
    }

    /// How the Qdrant server is talked to, or why it is not.
    pub(super) fn qdrant(
        &self,
        request_timeout: Duration,
        secret_directory: Option<PathBuf>,
    ) -> Result<QdrantOptions, String> {
        let url = self.qdrant_url.clone().ok_or("vector_backfill.qdrant_url is not set")?;
        let reference = self.qdrant_api_key_ref.as_deref().map(str::parse::<SecretRef>);
        let api_key = reference.transpose().map_err(|wrong| {
            // The value is not shown, since it may be the key itself.
            format!("vector_backfill.qdrant_api_key_ref is not right: {wrong}")
        })?;
        Ok(QdrantOptions {
            url,
            api_key,
            secret_directory,
            ca_file: self.qdrant_ca_file.clone(),
            request_timeout,
            collections: self.qdrant_collections.clone(),
        })
    }
}

/// Defines these settings.
pub(super) fn define() {
    let hidden = GucFlags::SUPERUSER_ONLY;
    GucRegistry::define_enum_guc(
        c"vector_backfill.store",
        c"Where the vectors of new collections are kept.",
        c"embedded: in the worker's process, below vector_backfill.data_directory. qdrant: in the server at vector_backfill.qdrant_url. Collections that exist stay where they are.",
        &STORE,
        GucContext::Sighup,
        GucFlags::default(),
    );
    GucRegistry::define_enum_guc(
        c"vector_backfill.tenancy",
        c"Whether each client has new collections of its own.",
        c"collection: one for each client and table. payload: clients share one for each table and model, divided by an index; for many small clients. Collections that exist stay as they are.",
        &TENANCY,
        GucContext::Sighup,
        GucFlags::default(),
    );
    GucRegistry::define_string_guc(
        c"vector_backfill.qdrant_url",
        c"Address of the gRPC port of a Qdrant server or cluster, http://host:6334 or https://host:6334.",
        c"A worker starts anew when this or another setting about Qdrant changes.",
        &QDRANT_URL,
        GucContext::Sighup,
        hidden,
    );
    GucRegistry::define_string_guc(
        c"vector_backfill.qdrant_api_key_ref",
        c"Where the key of the Qdrant server is to be found: env:NAME or file:/path.",
        c"Never the key itself. It is read with each request, so a key that was replaced counts at once.",
        &QDRANT_API_KEY_REF,
        GucContext::Sighup,
        hidden,
    );
    GucRegistry::define_string_guc(
        c"vector_backfill.qdrant_ca_file",
        c"File with the certificates, in PEM, of who may vouch for the Qdrant server.",
        c"Empty: those that the system trusts.",
        &QDRANT_CA_FILE,
        GucContext::Sighup,
        hidden,
    );
    let number = |name, short, long, setting| {
        GucRegistry::define_int_guc(
            name,
            short,
            long,
            setting,
            0,
            MOST_PARTS,
            GucContext::Sighup,
            GucFlags::default(),
        );
    };
    number(
        c"vector_backfill.qdrant_shard_number",
        c"Shards that a new collection in Qdrant is divided into.",
        c"0 leaves it to the server: one for each node.",
        &QDRANT_SHARD_NUMBER,
    );
    number(
        c"vector_backfill.qdrant_replication_factor",
        c"Copies of each shard of a new collection in Qdrant.",
        c"0 leaves it to the server: one. With two, a node may fail.",
        &QDRANT_REPLICATION_FACTOR,
    );
    number(
        c"vector_backfill.qdrant_write_consistency_factor",
        c"Copies that have to confirm a write to a new collection in Qdrant.",
        c"0 leaves it to the server: one.",
        &QDRANT_WRITE_CONSISTENCY_FACTOR,
    );
    GucRegistry::define_bool_guc(
        c"vector_backfill.qdrant_on_disk",
        c"Whether new collections in Qdrant read vectors and index from disk rather than keep them in memory.",
        c"Needs less memory and searches slower.",
        &QDRANT_ON_DISK,
        GucContext::Sighup,
        GucFlags::default(),
    );
    GucRegistry::define_enum_guc(
        c"vector_backfill.qdrant_quantization",
        c"How new collections in Qdrant make vectors smaller for searching.",
        c"scalar: eight bits a number; binary: one bit, for models made for it. Searches still score with whole vectors.",
        &QDRANT_QUANTIZATION,
        GucContext::Sighup,
        GucFlags::default(),
    );
}
