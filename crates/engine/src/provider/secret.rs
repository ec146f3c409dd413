//! Keys: how they are read from where they are to be found. The type of a key cannot be printed.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
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
    if let Some(directory) = directory {
        require_inside(path, directory)?;
    }
    let mut file: File = OpenOptions::new()
        .read(true)
        .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC).bits() as i32)
        .open(path)
        .map_err(|error| format!("cannot open {shown}: {error}"))?;
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

/// Without following anything that is not what it seems: both are taken as the system resolves them.
fn require_inside(path: &Path, directory: &Path) -> Result<(), String> {
    let outside = || format!("{} is not in {}", path.display(), directory.display());
    let resolved = |path: &Path| {
        path.canonicalize()
            .map_err(|error| format!("cannot look at {}: {error}", path.display()))
    };
    let parent = path.parent().ok_or_else(outside)?;
    let is_plain = path.file_name().is_some_and(|name| name != OsStr::new(".."));
    if is_plain && resolved(parent)?.starts_with(resolved(directory)?) {
        Ok(())
    } else {
        Err(outside())
    }
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
