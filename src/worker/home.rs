//! The folder of a database's worker: embedded collections, the service's socket, and a mark of whose they are.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use pgrx::pg_sys::Oid;
use uuid::Uuid;
use vb_engine::private_directory::{self, Refused};

use crate::error::{Result, VbError};
use crate::settings::{HOME_PREFIX, Settings};

/// What a person who finds the folder should know.
const EXPLANATION: &str = "\
These folders hold the vectors that the extension vector_backfill keeps for the database with the number in their name.
They are NOT temporary: their names only keep them out of base backups, since a copy of files in use would be no consistent
store. After a restore or a fail-over have them made again: select * from vb_verify(client, 'table', repair => true).
";

/// File that says whose the folder is.
const MARK_FILE: &str = "installation";

/// Whose a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Id of the installation.
    pub(crate) installation: Uuid,
    /// System identifier of the server.
    pub(crate) server: i64,
}

impl Mark {
    /// The two lines of the file.
    fn parse(text: &str) -> Option<Self> {
        let (installation, server) = text.trim().split_once('\n')?;
        Some(Self {
            installation: Uuid::parse_str(installation).ok()?,
            server: server.parse().ok()?,
        })
    }

    fn text(&self) -> String {
        format!("{}\n{}\n", self.installation, self.server)
    }
}

/// Makes the folder ready for an installation, closed to all other users. Collections of a former installation (the
/// extension was dropped and created again) are removed: nothing refers to them any more. Those of another server are not
/// ours to remove.
pub(crate) fn prepare(settings: &Settings, database: Oid, mark: &Mark) -> Result<PathBuf> {
    let home = settings.database_directory(database);
    let failed = |error: io::Error| unprepared(&home, &error);
    close(&home)?;
    match owner(&home).map_err(failed)? {
        Some(owner) if owner == *mark => return Ok(home),
        Some(owner) if owner.server != mark.server => {
            return Err(VbError::wrong_state(format!(
                "the directory {} belongs to another server, with system identifier {}",
                home.display(),
                owner.server
            ))
            .hint("Give each server a vector_backfill.data_directory of its own, or remove the directory and embed again."));
        }
        Some(_) => {
            fs::remove_dir_all(&home).map_err(failed)?;
            close(&home)?;
        }
        // A mark that is missing or torn says nothing: what is there stays.
        None => {}
    }
    leave_mark(&home, mark)
        .and_then(|()| fs::write(settings.data_directory.join("README"), EXPLANATION))
        .map_err(failed)?;
    Ok(home)
}

/// Makes sure that the folder is there and for the server's user alone.
fn close(home: &Path) -> Result<()> {
    match private_directory::make(home) {
        Ok(false) => Ok(()),
        Ok(true) => {
            pgrx::warning!(
                "the directory {} was open to others; its mode is 0700 now",
                home.display()
            );
            Ok(())
        }
        Err(Refused::Io(error)) => Err(unprepared(home, &error)),
        Err(refused) => Err(VbError::wrong_state(format!(
            "the directory {} cannot be used: {refused}",
            home.display()
        ))
        .hint("It has everybody's vectors and the worker's socket; vector_backfill.data_directory says where it is.")),
    }
}

fn unprepared(home: &Path, error: &io::Error) -> VbError {
    VbError::new(
        pgrx::PgSqlErrorCode::ERRCODE_IO_ERROR,
        format!("could not prepare the directory {}: {error}", home.display()),
    )
    .hint("vector_backfill.data_directory must be a folder that the server's user can write to.")
}

fn owner(home: &Path) -> io::Result<Option<Mark>> {
    match fs::read_to_string(home.join(MARK_FILE)) {
        Ok(text) => Ok(Mark::parse(&text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn leave_mark(home: &Path, mark: &Mark) -> io::Result<()> {
    let new = home.join(format!("{MARK_FILE}.new"));
    let mut file = fs::File::create(&new)?;
    file.write_all(mark.text().as_bytes())?;
    file.sync_all()?;
    fs::rename(new, home.join(MARK_FILE))?;
    fs::File::open(home)?.sync_all()
}

/// Removes the folder: the extension or the database is gone. Not that of another server.
pub(crate) fn remove(home: &Path, server: i64) {
    let removed = match owner(home) {
        Ok(Some(owner)) if owner.server != server => return,
        Ok(_) => fs::remove_dir_all(home),
        Err(error) => Err(error),
    };
    match removed {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => pgrx::warning!("could not remove the directory {}: {error}", home.display()),
    }
}

/// Removes the folders of databases that were dropped while no worker ran in them.
pub(crate) fn remove_orphans(settings: &Settings, server: i64, databases: &[Oid]) {
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
            remove(&settings.database_directory(database), server);
        }
    }
}
