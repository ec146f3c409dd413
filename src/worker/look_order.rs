//! What a worker asks of a reader, and what that answers: two files in a folder of the worker's.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use pgrx::PgSqlErrorCode;
use pgrx::datum::TimestampWithTimeZone;
use pgrx::pg_sys::{Oid, TimestampTz};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::look::Found;
use crate::catalog::collections::Stage;
use crate::error::{Result, VbError};
use crate::source::describe::Source;
use crate::source::work_list::{Comparison, Scope};

/// The folder within that of the worker.
const FOLDER: &str = "looks";

/// A look that somebody else is to make.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    /// The installation whose job it is.
    pub(super) installation: Uuid,
    /// The job.
    pub(super) job: i64,
    /// Who asked for it.
    pub(super) asked_by: Oid,
    role: Oid,
    /// Whose rows.
    pub(super) client_id: i64,
    /// What is looked at.
    pub(super) source: Oid,
    /// For which vectors.
    pub(super) vector_type: String,
    by_keys: bool,
    collection: String,
    is_building: bool,
    renew_before: Option<TimestampTz>,
    /// What the source is, for whoever asks.
    description: String,
    /// Records that are in work already.
    pub(super) skip: Vec<String>,
    /// Bytes of record ids that are wanted.
    pub(super) window: usize,
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    /// What is to do.
    Found(Found),
    /// The source is not what it was for whoever asked, or the extension is gone.
    Outdated,
    /// It failed.
    Failed(Failure),
}

/// Why a look failed: an error, as it is written down.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Failure {
    /// SQLSTATE as a number.
    code: i32,
    message: String,
    detail: Option<String>,
    hint: Option<String>,
}

impl Order {
    /// An order for the source of a job.
    pub(super) fn new(
        installation: Uuid,
        asked_by: Oid,
        source: &Source,
        scope: &Scope,
        skip: Vec<String>,
        window: usize,
    ) -> Self {
        Self {
            installation,
            job: scope.job_id,
            asked_by,
            role: scope.role,
            client_id: scope.client_id,
            source: source.oid,
            vector_type: scope.vector_type.clone(),
            by_keys: scope.comparison == Comparison::Keys,
            collection: scope.collection.clone(),
            is_building: scope.stage == Stage::Building,
            renew_before: scope.renew_before.map(TimestampTz::from),
            description: description(source),
            skip,
            window,
        }
    }

    /// What is looked at.
    pub(super) fn scope(&self) -> Result<Scope> {
        let renew_before = self.renew_before.map(TimestampWithTimeZone::try_from).transpose();
        Ok(Scope {
            role: self.role,
            client_id: self.client_id,
            vector_type: self.vector_type.clone(),
            job_id: self.job,
            comparison: if self.by_keys {
                Comparison::Keys
            } else {
                Comparison::Texts
            },
            collection: self.collection.clone(),
            stage: if self.is_building {
                Stage::Building
            } else {
                Stage::Serving
            },
            renew_before: renew_before.map_err(|error| VbError::internal(format!("no moment: {error}")))?,
        })
    }

    /// Whether it is one for this source, as it is here, and this scope.
    pub(super) fn is_for(&self, source: &Source, scope: &Scope) -> bool {
        self.description == description(source)
            && self.role == scope.role
            && self.collection == scope.collection
            && self.is_building == (scope.stage == Stage::Building)
            && self.renew_before == scope.renew_before.map(TimestampTz::from)
    }
}

/// Tells descriptions of a source from each other.
fn description(source: &Source) -> String {
    format!("{:x}", Sha256::digest(format!("{source:?}")))
}

impl From<VbError> for Failure {
    fn from(error: VbError) -> Self {
        Self {
            code: error.code as i32,
            message: error.message,
            detail: error.detail,
            hint: error.hint,
        }
    }
}

impl From<Failure> for VbError {
    fn from(failure: Failure) -> Self {
        Self {
            code: PgSqlErrorCode::from(failure.code),
            message: failure.message,
            detail: failure.detail,
            hint: failure.hint,
        }
    }
}

/// Where the two are.
#[derive(Debug, Clone)]
pub(super) struct Place {
    order: PathBuf,
    answer: PathBuf,
}

impl Place {
    /// That of the look with this name.
    pub(super) fn new(home: &Path, name: Uuid) -> Self {
        let folder = home.join(FOLDER);
        Self {
            order: folder.join(format!("{name}.order")),
            answer: folder.join(format!("{name}.answer")),
        }
    }

    /// Leaves the order.
    pub(super) fn leave_order(&self, order: &Order) -> Result<()> {
        write(&self.order, order).map_err(|error| failed(&self.order, &error))
    }

    /// The order; nobody else finds it.
    pub(super) fn take_order(&self) -> Result<Order> {
        take(&self.order).map_err(|error| failed(&self.order, &error))
    }

    /// Leaves the answer, all of it at once.
    pub(super) fn leave_answer(&self, answer: &Answer) -> Result<()> {
        let new = self.unfinished();
        write(&new, answer)
            .and_then(|()| fs::rename(&new, &self.answer))
            .map_err(|error| failed(&self.answer, &error))
    }

    fn unfinished(&self) -> PathBuf {
        self.answer.with_extension("unfinished")
    }

    /// The answer, if there is one.
    pub(super) fn take_answer(&self) -> Result<Option<Answer>> {
        match take(&self.answer) {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&self.answer, &error)),
        }
    }

    /// Nobody waits for it any more.
    pub(super) fn clear(&self) {
        for path in [&self.order, &self.answer, &self.unfinished()] {
            // Mostly it is gone already.
            let _ = fs::remove_file(path);
        }
    }
}

/// Makes the folder, empty. Without it, the worker makes its looks itself.
pub(super) fn prepare(home: &Path) {
    let folder = home.join(FOLDER);
    let made = match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => fs::DirBuilder::new().mode(0o700).create(&folder),
    };
    if let Err(error) = made {
        pgrx::log!("vector_backfill does without readers: {}", failed(&folder, &error));
    }
}

fn write(path: &Path, content: &impl Serialize) -> io::Result<()> {
    let file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
    let mut file = BufWriter::new(file);
    serde_json::to_writer(&mut file, content)?;
    file.flush()
}

fn take<T: for<'a> Deserialize<'a>>(path: &Path) -> io::Result<T> {
    let content = serde_json::from_reader(BufReader::new(File::open(path)?));
    fs::remove_file(path)?;
    Ok(content?)
}

fn failed(path: &Path, error: &io::Error) -> VbError {
    VbError::new(PgSqlErrorCode::ERRCODE_IO_ERROR, format!("{}: {error}", path.display()))
}
