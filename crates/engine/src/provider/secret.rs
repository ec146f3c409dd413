//! Keys: how they are read from where they are to be found. The type of a key cannot be printed.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path};

use rustix::fs::{CWD, Mode, OFlags, openat};
use secrecy::SecretString;
use vb_formats::secret_ref::SecretRef;

/// The longest key in bytes; longer files are something else.
const LONGEST: u64 = 16 * 1024;

/// The key. A file has to be a regular one, no link, of this process's user and readable by nobody else, in `directory` if
/// one is given. The error says what is wrong, never what was found.
pub fn read(reference: &SecretRef, directory: Option<&Path>) -> Result<SecretString, String> {
    let found = match reference {
        SecretRef::Env(name) => from_environment(name),
        SecretRef::File(path) => from_file(path, directory),
    }?;
    let key = found.trim();
    if key.is_empty() {
        return Err(format!("{reference} is empty"));
    }
    // It goes into a header.
    if !key.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        return Err(format!("{reference} holds bytes that no key has"));
    }
    Ok(SecretString::from(key))
}

fn from_environment(name: &str) -> Result<String, String> {
    std::env::var_os(name)
        .ok_or_else(|| format!("the server's environment has no variable {name}"))?
        .into_string()
        .map_err(|_| format!("env:{name} is not text"))
}

fn from_file(path: &Path, directory: Option<&Path>) -> Result<String, String> {
    let shown = path.display();
    let opened = match directory {
        Some(directory) => open_inside(path, directory)?,
        None => openat(CWD, path, THE_FILE, Mode::empty()).map_err(io::Error::from),
    };
    let mut file = File::from(opened.map_err(|error| format!("cannot open {shown}: {error}"))?);
    let facts = file
        .metadata()
        .map_err(|error| format!("cannot look at {shown}: {error}"))?;
    if !facts.is_file() {
        return Err(format!("{shown} is not a regular file"));
    }
    if facts.uid() != rustix::process::geteuid().as_raw() {
        return Err(format!("{shown} does not belong to the server's user"));
    }
    if facts.mode() & 0o077 != 0 {
        return Err(format!(
            "others than the server's user may use {shown}: give it mode 0600"
        ));
    }
    if facts.len() > LONGEST {
        return Err(format!("{shown} is too large for a key"));
    }
    let mut text = String::new();
    Read::by_ref(&mut file)
        .take(LONGEST)
        .read_to_string(&mut text)
        .map_err(|_| format!("{shown} cannot be read as text"))?;
    Ok(text)
}

/// How the file itself is opened: never through a link, and without waiting when it is a pipe.
const THE_FILE: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC);

/// How a folder on the way to it is opened.
const A_FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Opens a file below the directory, one folder after the other and each from the handle of the one before: no link and no
/// `..` leads out of it, whoever changes what is there meanwhile.
fn open_inside(path: &Path, directory: &Path) -> Result<io::Result<OwnedFd>, String> {
    let outside = || format!("{} is not in {}", path.display(), directory.display());
    let resolved = || {
        let resolved = directory.canonicalize();
        resolved.map_err(|error| format!("cannot look at {}: {error}", directory.display()))
    };
    let inner = match path.strip_prefix(directory) {
        Ok(inner) => inner,
        Err(_) => path.strip_prefix(resolved()?).map_err(|_| outside())?,
    };
    let names: Vec<Component> = inner.components().collect();
    if !names.iter().all(|name| matches!(name, Component::Normal(_))) {
        return Err(outside());
    }
    let (file, folders) = names.split_last().ok_or_else(outside)?;
    let open = || {
        let mut folder = openat(CWD, directory, A_FOLDER, Mode::empty())?;
        for name in folders {
            let next = openat(
                folder.as_fd(),
                name.as_os_str(),
                A_FOLDER | OFlags::NOFOLLOW,
                Mode::empty(),
            )?;
            folder = next;
        }
        Ok(openat(folder.as_fd(), file.as_os_str(), THE_FILE, Mode::empty())?)
    };
    Ok(open())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::PathBuf;

    use secrecy::ExposeSecret;

    use super::*;

    fn file_with(folder: &Path, content: &str, mode: u32) -> PathBuf {
        let path = folder.join("key");
        fs::write(&path, content).expect("a file can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("it is ours");
        path
    }

    #[test]
    fn a_key_is_read_without_its_line_end_and_is_never_printed() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = file_with(folder.path(), "sk-123\n", 0o600);
        let key = read(&SecretRef::File(path), Some(folder.path())).expect("the file is as it should be");
        assert_eq!(key.expose_secret(), "sk-123");
        assert!(!format!("{key:?}").contains("123"));
    }

    #[test]
    fn a_file_that_others_may_read_is_refused_without_its_content() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        for mode in [0o644, 0o640, 0o660, 0o602] {
            let path = file_with(folder.path(), "sk-123", mode);
            let error = read(&SecretRef::File(path), None).expect_err("others may read it");
            assert!(error.contains("0600") && !error.contains("sk-123"), "{error}");
        }
    }

    #[test]
    fn what_is_no_regular_file_or_lies_elsewhere_is_refused() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = file_with(folder.path(), "sk-123", 0o600);
        let link = folder.path().join("link");
        symlink(&path, &link).expect("a link can be made");
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).expect("a folder can be made");
        let refused = |path: PathBuf, directory: Option<&Path>| read(&SecretRef::File(path), directory).is_err();
        assert!(refused(link, None));
        assert!(refused(folder.path().to_owned(), None));
        assert!(refused("/dev/null".into(), None));
        assert!(refused(folder.path().join("none"), None));
        assert!(refused(path, Some(&inner)));
        assert!(refused(inner.join("../key"), Some(&inner)));
        assert!(refused(inner.join(".."), Some(&inner)));
        assert!(refused(inner.clone(), Some(&inner)));
    }

    #[test]
    fn nothing_leads_out_of_the_directory_of_keys() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let (keys, elsewhere) = (folder.path().join("keys"), folder.path().join("elsewhere"));
        for folder in [&keys, &keys.join("team"), &elsewhere] {
            fs::create_dir(folder).expect("a folder can be made");
        }
        let good = file_with(&keys.join("team"), "sk-123", 0o600);
        let read = |path: &Path| super::read(&SecretRef::File(path.to_owned()), Some(&keys));
        assert!(read(&good).is_ok());
        file_with(&elsewhere, "sk-123", 0o600);
        symlink(&elsewhere, keys.join("linked")).expect("a link can be made");
        symlink(keys.join("team"), keys.join("alias")).expect("a link can be made");
        for path in [
            "linked/key",
            "alias/key",
            "../elsewhere/key",
            "team/../../elsewhere/key",
            "",
        ] {
            let error = read(&keys.join(path)).expect_err(path);
            assert!(!error.contains("sk-123"), "{error}");
        }
        // The directory itself may be a link, and be called by either name.
        let link = folder.path().join("link");
        symlink(&keys, &link).expect("a link can be made");
        for path in [&good, &link.join("team/key")] {
            assert!(
                super::read(&SecretRef::File(path.clone()), Some(&link)).is_ok(),
                "{}",
                path.display()
            );
        }
    }

    #[test]
    fn a_folder_that_becomes_a_link_at_any_moment_leads_nowhere_else() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let (keys, elsewhere) = (folder.path().join("keys"), folder.path().join("elsewhere"));
        let (team, link) = (keys.join("team"), folder.path().join("link"));
        for folder in [&keys, &team, &elsewhere] {
            fs::create_dir(folder).expect("a folder can be made");
        }
        file_with(&team, "inside", 0o600);
        file_with(&elsewhere, "outside", 0o600);
        symlink(&elsewhere, &link).expect("a link can be made");
        let is_done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let flags = rustix::fs::RenameFlags::EXCHANGE;
                while !is_done.load(std::sync::atomic::Ordering::Relaxed) {
                    rustix::fs::renameat_with(CWD, &team, CWD, &link, flags).expect("they change places");
                }
            });
            let key = SecretRef::File(team.join("key"));
            let read = (0..20_000).filter_map(|_| super::read(&key, Some(&keys)).ok());
            let outside = read.filter(|key| key.expose_secret() != "inside").count();
            is_done.store(true, std::sync::atomic::Ordering::Relaxed);
            assert_eq!(outside, 0);
        });
    }

    #[test]
    fn bytes_that_no_key_has_are_refused() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        for content in ["", " \n", "two\nlines", "\u{e9}"] {
            let path = file_with(folder.path(), content, 0o600);
            assert!(read(&SecretRef::File(path), None).is_err(), "{content:?}");
        }
    }

    #[test]
    fn a_missing_variable_is_named() {
        let error = read(&SecretRef::Env("VB_NO_SUCH_VARIABLE".into()), None).expect_err("there is none");
        assert!(error.contains("VB_NO_SUCH_VARIABLE"), "{error}");
    }
}
