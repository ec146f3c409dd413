//! Where the store's things are on disk, and who owns them.
//!
//! ```text
//! <root>/lock                        held by the one store that uses the directory
//! <root>/collections/<name>/<uuid>/  the engine's files of a collection
//! <root>/scratch/<uuid>/             being made or being deleted; cleared when the store is opened
//! ```
//!
//! A collection is made in `scratch` and renamed into its place when it is whole, and goes the same way back, so what is
//! in `collections` is never half of anything. Each life of a collection has a `<uuid>` of its own: an index that is
//! still being built when its collection is dropped writes by path, and must not hit a new collection of that name.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::failure::{check_room_to_write, io_error};
use crate::private_directory::{self, Refused};
use crate::store::error::StoreError;
use crate::store::name::check_name;

/// The engine writes this file first of all; without it there is no collection.
const CONFIG_FILE: &str = "edge_config.json";

/// The folder of all collections.
const COLLECTIONS: &str = "collections";

/// Where the engine builds an index; never cleared by itself.
const BUILD_DIRECTORY: &str = "temp_segments";

/// Whether a store's directory has a collection, without opening the store: for those who do not own it.
pub fn has_collection(root: &Path, name: &str) -> bool {
    root.join(COLLECTIONS).join(name).is_dir()
}

/// The directory of a store, owned until this is dropped.
pub(super) struct StoreDirectory {
    root: PathBuf,
    collections: PathBuf,
    scratch: PathBuf,
    /// Locked.
    _lock: File,
}

impl StoreDirectory {
    /// Takes possession of the directory and clears away what was left half made or half deleted.
    pub(super) fn open(root: PathBuf) -> Result<Self, StoreError> {
        if private_directory::make(&root).map_err(|refused| unusable(&root, refused))? {
            log::warn!(
                "the directory \"{}\" was open to others; its mode is 0700 now",
                root.display()
            );
        }
        let lock = lock(&root)?;
        let directory = Self {
            collections: root.join(COLLECTIONS),
            scratch: root.join("scratch"),
            root,
            _lock: lock,
        };
        make_directory(&directory.collections)?;
        make_directory(&directory.scratch)?;
        for left in entries(&directory.scratch)? {
            delete(&left);
        }
        Ok(directory)
    }

    /// The directory that the store was opened on.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Names of all collections, sorted.
    pub(super) fn collections(&self) -> Result<Vec<String>, StoreError> {
        let mut names = Vec::new();
        for path in entries(&self.collections)? {
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            if check_name(name).is_ok() && self.find(name)?.is_some() {
                names.push(name.to_owned());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Where the engine's files of the collection are; `None` if there is no such collection.
    pub(super) fn find(&self, name: &str) -> Result<Option<PathBuf>, StoreError> {
        let collection = self.collections.join(name);
        let lives = match entries(&collection) {
            Ok(lives) => lives,
            Err(_) if !collection.is_dir() => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(lives.into_iter().find(|life| life.join(CONFIG_FILE).is_file()))
    }

    /// Makes a collection that is missing; `fill` writes the engine's files below the path it gets.
    pub(super) fn create(
        &self,
        name: &str,
        fill: impl FnOnce(&Path) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        check_room_to_write(&self.root, 0)?;
        let being_made = self.scratch.join(Uuid::new_v4().to_string());
        make_directory(&being_made)?;
        let made = fill(&being_made.join(Uuid::new_v4().to_string()))
            .and_then(|()| sync(&being_made))
            .and_then(|()| self.put_in_place(&being_made, name));
        if made.is_err() {
            delete(&being_made);
        }
        made
    }

    /// Removes a collection; one that is missing is no error.
    pub(super) fn remove(&self, name: &str) -> Result<(), StoreError> {
        let collection = self.collections.join(name);
        let being_deleted = self.scratch.join(Uuid::new_v4().to_string());
        match fs::rename(&collection, &being_deleted) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(io_error("remove", &collection, &error)),
        }
        sync(&self.collections)?;
        delete(&being_deleted);
        Ok(())
    }

    fn put_in_place(&self, being_made: &Path, name: &str) -> Result<(), StoreError> {
        let collection = self.collections.join(name);
        // The caller saw no collection, but there may be a directory without one.
        self.remove(name)?;
        fs::rename(being_made, &collection).map_err(|error| io_error("create", &collection, &error))?;
        sync(&self.collections)
    }
}

/// Removes what an interrupted index left among a collection's files. Only while nothing is being built there.
pub(super) fn clear_interrupted_index(shard: &Path) {
    let left = shard.join(BUILD_DIRECTORY);
    if left.exists() {
        delete(&left);
    }
}

fn lock(root: &Path) -> Result<File, StoreError> {
    let path = root.join("lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(|error| io_error("open", &path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let root = root.display();
            Err(StoreError::InUse(format!(
                "the directory \"{root}\" is in use by another vector store"
            )))
        }
        Err(TryLockError::Error(error)) => Err(io_error("lock", &path, &error)),
    }
}

/// Whoever could write into it could crash the engine or give it other vectors.
fn unusable(root: &Path, refused: Refused) -> StoreError {
    match refused {
        Refused::Io(error) => io_error("create", root, &error),
        refused => StoreError::Configuration(format!(
            "the directory \"{}\" of the vector store cannot be used: {refused}",
            root.display()
        )),
    }
}

fn make_directory(path: &Path) -> Result<(), StoreError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| io_error("create", path, &error))
}

fn entries(path: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let read = || {
        fs::read_dir(path)?
            .map(|entry| Ok(entry?.path()))
            .collect::<io::Result<Vec<_>>>()
    };
    read().map_err(|error| io_error("read", path, &error))
}

fn sync(directory: &Path) -> Result<(), StoreError> {
    let synced = File::open(directory).and_then(|file| file.sync_all());
    synced.map_err(|error| io_error("sync", directory, &error))
}

/// Deletes a file or directory. What cannot be deleted is in nobody's way, and tried again when the store is next opened.
fn delete(path: &Path) {
    let deleted = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    if let Err(error) = deleted {
        log::warn!("could not delete \"{}\": {error}", path.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_of_a_store_is_closed_to_others_or_refused() {
        use std::os::unix::fs::PermissionsExt;
        let parent = tempfile::tempdir().unwrap();
        let root = parent.path().join("store");
        let mode = || fs::metadata(&root).unwrap().permissions().mode() & 0o777;
        drop(StoreDirectory::open(root.clone()).unwrap());
        assert_eq!(mode(), 0o700);
        fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).unwrap();
        drop(StoreDirectory::open(root.clone()).unwrap());
        assert_eq!(mode(), 0o700);
        fs::set_permissions(parent.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let refusal = StoreDirectory::open(root.clone()).err();
        assert!(
            matches!(&refusal, Some(StoreError::Configuration(words)) if words.contains("chmod go-w")),
            "{refusal:?}"
        );
    }

    #[test]
    fn a_collection_that_could_not_be_made_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let directory = StoreDirectory::open(root.path().to_owned()).unwrap();
        let failing = directory.create("docs", |path| {
            fs::create_dir(path).unwrap();
            Err(StoreError::Transient("no".into()))
        });
        assert!(failing.is_err());
        assert!(directory.collections().unwrap().is_empty());
        assert!(entries(&directory.scratch).unwrap().is_empty());
    }

    #[test]
    fn what_a_crash_left_half_made_or_half_deleted_is_gone_after_opening() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("scratch/left/deep")).unwrap();
        fs::write(root.path().join("scratch/left/deep/file"), "x").unwrap();
        let directory = StoreDirectory::open(root.path().to_owned()).unwrap();
        assert!(entries(&directory.scratch).unwrap().is_empty());
    }
}
