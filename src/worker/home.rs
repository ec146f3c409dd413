//! The folder of a database's worker: embedded collections, the service's socket, and a mark of whose they are.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use pgrx::pg_sys::Oid;
use uuid::Uuid;

use crate::error::{Result, VbError};
use crate::settings::{HOME_PREFIX, Settings};

/// What a person who finds the folder should know.
const EXPLANATION: &str = "\
These folders hold the vectors that the extension vector_backfill keeps for the database with the number in their name.
They are NOT temporary: their names only keep them out of base backups, since a copy of files in use would be no consistent
store. After a restore or a fail-over, embed again: select vb_enqueue_backfill(client, 'table', reembed => true).
";

/// File that holds the installation's id.
const MARK: &str = "installation";

/// Makes the folder ready for an installation. Collections of a former installation (the extension was dropped and
/// created again) are removed: nothing refers to them any more.
pub(crate) fn prepare(settings: &Settings, database: Oid, installation: Uuid) -> Result<PathBuf> {
    let home = settings.database_directory(database);
    ready(&home, installation)
        .and_then(|()| fs::write(settings.data_directory.join("README"), EXPLANATION))
        .map_err(|error| {
            VbError::new(
                pgrx::PgSqlErrorCode::ERRCODE_IO_ERROR,
                format!("could not prepare the directory {}: {error}", home.display()),
            )
            .hint("vector_backfill.data_directory must be a folder that the server's user can write to.")
        })?;
    Ok(home)
}

fn ready(home: &Path, installation: Uuid) -> io::Result<()> {
    let mark = home.join(MARK);
    let owner = match fs::read_to_string(&mark) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    match owner.as_deref().map(|text| Uuid::parse_str(text.trim())) {
        Some(Ok(owner)) if owner == installation => return Ok(()),
        Some(Ok(_)) => fs::remove_dir_all(home)?,
        // A mark that is missing or torn says nothing: what is there stays.
        Some(Err(_)) | None => {}
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(home)?;
    let new = home.join(format!("{MARK}.new"));
    let mut file = fs::File::create(&new)?;
    file.write_all(installation.to_string().as_bytes())?;
    file.sync_all()?;
    fs::rename(new, mark)?;
    fs::File::open(home)?.sync_all()
}

/// Removes the folder: the extension or the database is gone.
pub(crate) fn remove(settings: &Settings, database: Oid) {
    let home = settings.database_directory(database);
    match fs::remove_dir_all(&home) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => pgrx::warning!("could not remove the directory {}: {error}", home.display()),
    }
}

/// Removes the folders of databases that were dropped while no worker ran in them.
pub(crate) fn remove_orphans(settings: &Settings, databases: &[Oid]) {
    let Ok(entries) = fs::read_dir(&settings.data_directory) else {
        return;
    };
    for entry in entries.flatten() {
        let database = entry
            .file_name()
            .to_str()
            .and_then(|name| name.strip_prefix(HOME_PREFIX)?.parse::<u32>().ok())
            .map(Oid::from);
        if let Some(database) = database
            && !databases.contains(&database)
        {
            remove(settings, database);
        }
    }
}
