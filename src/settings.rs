//! The settings (`vector_backfill.*`), read into one struct; those about stores are in [`stores`].

pub(crate) mod stores;

use std::ffi::CString;
use std::path::PathBuf;
use std::time::Duration;

use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};
use pgrx::pg_sys::Oid;
use vb_engine::store::qdrant::QdrantOptions;

use self::stores::StoreSettings;
use crate::pg::path;

static DATA_DIRECTORY: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);
static MODEL_DIRECTORY: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);
static ONNXRUNTIME_LIBRARY: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);
static MAX_CONCURRENT_BATCHES: GucSetting<i32> = GucSetting::<i32>::new(4);
static ONNX_THREADS: GucSetting<i32> = GucSetting::<i32>::new(0);
static NICE: GucSetting<i32> = GucSetting::<i32>::new(10);
static MEMORY_LIMIT: GucSetting<i32> = GucSetting::<i32>::new(512);
static POLL_INTERVAL: GucSetting<i32> = GucSetting::<i32>::new(1000);
static REQUEST_TIMEOUT: GucSetting<i32> = GucSetting::<i32>::new(60_000);
static SOURCE_TIMEOUT: GucSetting<i32> = GucSetting::<i32>::new(30_000);
static SECRET_DIRECTORY: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);
static MAX_RECORDS_PER_SECOND: GucSetting<i32> = GucSetting::<i32>::new(0);
static PAUSED: GucSetting<bool> = GucSetting::<bool>::new(false);
static JOB_RETENTION: GucSetting<i32> = GucSetting::<i32>::new(7 * 24 * 60);
static AUDIT_RETENTION: GucSetting<i32> = GucSetting::<i32>::new(365 * 24 * 60);

/// Start of the names of our folders in the data directory, before the database's object identifier.
pub(crate) const HOME_PREFIX: &str = "pgsql_tmp_";

/// All settings at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Where embedded collections and the worker's socket live.
    pub(crate) data_directory: PathBuf,
    /// Folder with one folder for each local model.
    pub(crate) model_directory: PathBuf,
    /// `libonnxruntime.so`.
    pub(crate) onnxruntime_library: PathBuf,
    /// Batches in flight at a time.
    pub(crate) max_concurrent_batches: usize,
    /// Threads that embed passages.
    pub(crate) onnx_threads: usize,
    /// Niceness of engine threads.
    pub(crate) nice: i32,
    /// Bytes that texts, keys and vectors in flight may take.
    pub(crate) memory_limit: usize,
    /// How often an idle worker looks for work.
    pub(crate) poll_interval: Duration,
    /// How long one request to a provider, a store or the worker may take.
    pub(crate) request_timeout: Duration,
    /// How long the worker itself reads a source at a time.
    pub(crate) source_timeout: Duration,
    /// Folder that files with keys have to be in; `None` for any.
    pub(crate) secret_directory: Option<PathBuf>,
    /// Records a second that backfills may begin, all together; `None` for as many as they can.
    pub(crate) max_records_per_second: Option<u32>,
    /// Whether nothing new is begun.
    pub(crate) paused: bool,
    /// How long ended jobs are kept; `None` keeps them for ever.
    pub(crate) job_retention: Option<Duration>,
    /// How long it is kept who did what; `None` keeps it for ever.
    pub(crate) audit_retention: Option<Duration>,
    /// Where vectors are kept and how.
    pub(crate) stores: StoreSettings,
}

impl Settings {
    /// The settings as this process sees them now.
    pub(crate) fn current() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = usize::try_from(ONNX_THREADS.get()).unwrap_or(0);
        Self {
            data_directory: path_of(&DATA_DIRECTORY).unwrap_or_else(|| PathBuf::from("vector_backfill")),
            model_directory: path_of(&MODEL_DIRECTORY)
                .unwrap_or_else(|| path::share_directory().join("vector_backfill/models")),
            onnxruntime_library: path_of(&ONNXRUNTIME_LIBRARY)
                .unwrap_or_else(|| path::library_directory().join("vector_backfill/libonnxruntime.so")),
            max_concurrent_batches: MAX_CONCURRENT_BATCHES.get() as usize,
            onnx_threads: if threads == 0 { cores } else { threads },
            nice: NICE.get(),
            memory_limit: MEMORY_LIMIT.get() as usize * 1024 * 1024,
            poll_interval: milliseconds(POLL_INTERVAL.get()),
            request_timeout: milliseconds(REQUEST_TIMEOUT.get()),
            source_timeout: milliseconds(SOURCE_TIMEOUT.get()),
            secret_directory: path_of(&SECRET_DIRECTORY),
            max_records_per_second: u32::try_from(MAX_RECORDS_PER_SECOND.get())
                .ok()
                .filter(|rate| *rate > 0),
            paused: PAUSED.get(),
            job_retention: retention(&JOB_RETENTION),
            audit_retention: retention(&AUDIT_RETENTION),
            stores: StoreSettings::current(),
        }
    }

    /// The folder of one database. Base backups and `pg_rewind` leave out whatever has this prefix, and they must: files
    /// of a running vector engine copied one by one are no consistent store, and their paths are too long for tar.
    pub(crate) fn database_directory(&self, database: Oid) -> PathBuf {
        self.data_directory.join(format!("{HOME_PREFIX}{}", database.to_u32()))
    }

    /// How the Qdrant server is talked to, or why it is not. What a copy of a database names there is the original's: it
    /// would overwrite and remove that.
    pub(crate) fn qdrant(&self, is_original: bool) -> Result<QdrantOptions, String> {
        if !is_original {
            return Err(
                "this database is a copy, and its collections in Qdrant belong to the one that it was copied from; \
                 vb_claim_store() gives them to this one"
                    .to_owned(),
            );
        }
        self.stores.qdrant(self.request_timeout, self.secret_directory.clone())
    }

    /// The socket of the worker that serves a database.
    pub(crate) fn socket(&self, database: Oid) -> PathBuf {
        self.database_directory(database).join("service.sock")
    }
}

/// Minutes; less than none is for ever.
fn retention(setting: &GucSetting<i32>) -> Option<Duration> {
    let minutes = u64::try_from(setting.get()).ok()?;
    Some(Duration::from_secs(60 * minutes))
}

fn milliseconds(value: i32) -> Duration {
    Duration::from_millis(u64::try_from(value).unwrap_or(0))
}

fn path_of(setting: &GucSetting<Option<CString>>) -> Option<PathBuf> {
    text_of(setting).map(PathBuf::from)
}

fn text_of(setting: &GucSetting<Option<CString>>) -> Option<String> {
    let value = setting.get()?;
    let value = value.to_str().ok()?;
    (!value.is_empty()).then(|| value.to_owned())
}

/// Defines all settings; called once when the library is loaded.
pub(crate) fn define() {
    stores::define();
    let hidden = GucFlags::SUPERUSER_ONLY;
    GucRegistry::define_string_guc(
        c"vector_backfill.data_directory",
        c"Folder of embedded collections and of the worker's socket.",
        c"Empty: vector_backfill in the data directory. Must be on storage that survives a crash. A worker follows when it changes.",
        &DATA_DIRECTORY,
        GucContext::Sighup,
        hidden,
    );
    GucRegistry::define_string_guc(
        c"vector_backfill.model_directory",
        c"Folder with one folder for each local model.",
        c"Empty: vector_backfill/models in the share directory of Postgres, where make install puts them.",
        &MODEL_DIRECTORY,
        GucContext::Sighup,
        hidden,
    );
    GucRegistry::define_string_guc(
        c"vector_backfill.onnxruntime_library",
        c"Path of libonnxruntime.so.",
        c"Empty: vector_backfill/libonnxruntime.so in the library directory of Postgres; read when a worker starts.",
        &ONNXRUNTIME_LIBRARY,
        GucContext::Sighup,
        hidden,
    );
    GucRegistry::define_int_guc(
        c"vector_backfill.max_concurrent_batches",
        c"Batches in flight at a time.",
        c"More keep a slow provider busy; each holds the texts of its records in memory.",
        &MAX_CONCURRENT_BATCHES,
        1,
        64,
        GucContext::Sighup,
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        c"vector_backfill.onnx_threads",
        c"Threads that run the local model.",
        c"0: one for each processor. They run at lower priority, so queries win over backfills; read when a worker starts.",
        &ONNX_THREADS,
        0,
        256,
        GucContext::Sighup,
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        c"vector_backfill.nice",
        c"Niceness of the engine's threads.",
        c"0 competes with queries, 19 takes only what they leave; read when a worker starts.",
        &NICE,
        0,
        19,
        GucContext::Sighup,
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        c"vector_backfill.memory_limit",
        c"Memory for keys, texts and vectors that are in work.",
        c"The local model and the vector engine come on top of it, about 500 MB.",
        &MEMORY_LIMIT,
        64,
        1024 * 1024,
        GucContext::Sighup,
        GucFlags::UNIT_MB,
    );
    GucRegistry::define_int_guc(
        c"vector_backfill.poll_interval",
        c"How often an idle worker looks for new work.",
        c"Calls of our functions wake it at once; this is for what they cannot announce.",
        &POLL_INTERVAL,
        100,
        60_000,
        GucContext::Sighup,
        GucFlags::UNIT_MS,
    );
    GucRegistry::define_int_guc(
        c"vector_backfill.request_timeout",
        c"How long one request to a provider, a store or the worker may take.",
        c"A request that takes longer has failed and may be repeated.",
        &REQUEST_TIMEOUT,
        1_000,
        3_600_000,
        GucContext::Sighup,
        GucFlags::UNIT_MS,
    );
    GucRegistry::define_int_guc(
        c"vector_backfill.source_timeout",
        c"How long the worker may take to read the rows of a batch.",
        c"A job whose view or functions take longer is paused: all others wait meanwhile. Looks at a whole source that take longer are made by readers.",
        &SOURCE_TIMEOUT,
        100,
        3_600_000,
        GucContext::Sighup,
        GucFlags::UNIT_MS,
    );
    GucRegistry::define_string_guc(
        c"vector_backfill.secret_directory",
        c"Folder that files with keys of providers have to be in.",
        c"Empty: any folder. The files have to be regular ones of the server's user, with mode 0600.",
        &SECRET_DIRECTORY,
        GucContext::Sighup,
        hidden,
    );
    GucRegistry::define_int_guc(
        c"vector_backfill.max_records_per_second",
        c"Records a second that all backfills of a database may begin.",
        c"0: as many as they can. Changes are followed beside that.",
        &MAX_RECORDS_PER_SECOND,
        0,
        1_000_000,
        GucContext::Sighup,
        GucFlags::default(),
    );
    GucRegistry::define_bool_guc(
        c"vector_backfill.paused",
        c"Workers of all databases begin nothing new.",
        c"Batches that are in work end, searches are answered, and changes are noted; they are followed when it is off again.",
        &PAUSED,
        GucContext::Sighup,
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        c"vector_backfill.job_retention",
        c"How long ended jobs and their errors are kept.",
        c"-1 keeps them for ever.",
        &JOB_RETENTION,
        -1,
        i32::MAX,
        GucContext::Sighup,
        GucFlags::UNIT_MIN,
    );
    GucRegistry::define_int_guc(
        c"vector_backfill.audit_retention",
        c"How long vb_audit keeps who did what.",
        c"-1 keeps it for ever.",
        &AUDIT_RETENTION,
        -1,
        i32::MAX,
        GucContext::Sighup,
        GucFlags::UNIT_MIN,
    );
}
