//! Directories that are for this process's user alone: the vectors of all clients, and the socket that answers for them.

use std::fs::{DirBuilder, File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use crate::ownership::check_writers_around;

/// Why a directory cannot be one of these.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The system says so.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Somebody else has it.
    #[error("it belongs to the user with number {0} and not to the server's: chown it, or use another folder")]
    OfAnother(u32),
    /// Somebody else could put another one in its place.
    #[error("the folder that it is in {0}")]
    Replaceable(String),
}

/// Makes the directory, with those above it that are missing, or takes one that is there: others lose whatever they may do in
/// it. One that belongs to another user, or that others could replace, is refused. Returns whether it was open to others, which
/// somebody should be told.
pub fn make(path: &Path) -> Result<bool, Refused> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        check_writers_around(&parent.metadata()?).map_err(Refused::Replaceable)?;
    }
    let directory = open(path)?;
    let facts = directory.metadata()?;
    check_owner(&facts)?;
    let is_open = facts.mode() & 0o077 != 0;
    if is_open {
        directory.set_permissions(Permissions::from_mode(0o700))?;
    }
    Ok(is_open)
}

/// Whether what is at this place belongs to this process's user, and nobody else can put something else there.
pub(crate) fn check_inside(path: &Path) -> Result<(), Refused> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        check_writers_around(&parent.metadata()?).map_err(Refused::Replaceable)?;
    }
    check_owner(&path.symlink_metadata()?)
}

/// A handle, so that what is looked at is what is changed.
fn open(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
    options.read(true).custom_flags(flags.bits() as i32).open(path)
}

fn check_owner(facts: &Metadata) -> Result<(), Refused> {
    if facts.uid() == rustix::process::geteuid().as_raw() {
        Ok(())
    } else {
        Err(Refused::OfAnother(facts.uid()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::chown;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("it exists").mode() & 0o7777
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).expect("it is ours");
    }

    #[test]
    fn a_directory_is_made_for_us_alone_and_one_that_was_open_to_others_is_closed() {
        let root = tempfile::tempdir().expect("a folder can be made");
        let inner = root.path().join("outer/inner");
        make(&inner).expect("it is made");
        assert_eq!([mode(&inner), mode(&root.path().join("outer"))], [0o700, 0o700]);
        for wider in [0o755, 0o770, 0o701, 0o1777] {
            set_mode(&inner, wider);
            assert!(make(&inner).expect("it is ours"));
            assert_eq!(mode(&inner), 0o700);
        }
        set_mode(&inner, 0o500);
        assert!(!make(&inner).expect("it is ours"));
        assert_eq!(mode(&inner), 0o500, "what is stricter stays");
    }

    #[test]
    fn a_directory_that_others_could_replace_or_that_is_none_is_refused() {
        let root = tempfile::tempdir().expect("a folder can be made");
        let inner = root.path().join("inner");
        set_mode(root.path(), 0o777);
        let refusal = make(&inner).expect_err("others may write there").to_string();
        assert!(refusal.contains("chmod go-w"), "{refusal}");
        set_mode(root.path(), 0o1777);
        make(&inner).expect("the sticky bit protects it");
        fs::write(root.path().join("file"), "").expect("written");
        assert!(matches!(make(&root.path().join("file")), Err(Refused::Io(_))));
    }

    #[test]
    fn what_belongs_to_another_user_is_refused() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let root = tempfile::tempdir().expect("a folder can be made");
        let inner = root.path().join("inner");
        make(&inner).expect("it is made");
        chown(&inner, Some(12_345), None).expect("root may give folders away");
        let refusal = make(&inner).expect_err("it is of another user").to_string();
        assert!(refusal.contains("12345") && refusal.contains("chown"), "{refusal}");
        assert!(matches!(check_inside(&inner), Err(Refused::OfAnother(12_345))));
        chown(root.path(), Some(12_345), None).expect("root may give folders away");
        chown(&inner, Some(0), None).expect("root may take folders");
        assert!(matches!(make(&inner), Err(Refused::Replaceable(_))));
    }
}
