//! The files of a local model: opened once, read from that one handle, and only when nobody but the server's user and
//! root can have put them there. What a session is made from are the very bytes that were checked.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::ownership::{check_writers, check_writers_around};
use crate::provider::contract::ProviderError;
use crate::provider::digest::Digest;
use crate::regular_file::{self, ReadError};

/// An open file of a model.
pub(super) struct ModelFile {
    path: PathBuf,
    file: File,
    /// Bytes that it may have.
    most: u64,
    /// What it had when it was opened.
    digest: Digest,
}

impl ModelFile {
    /// Opens and reads a file. It has to have the digest that is expected, if one is.
    pub(super) fn open(
        folder: &Path,
        name: &str,
        most: u64,
        expected: Option<Digest>,
    ) -> Result<(Self, Vec<u8>), ProviderError> {
        let path = folder.join(name);
        let unusable = |problem: String| configuration("file", &path, &problem);
        let (file, facts) = regular_file::open(&path).map_err(|error| unusable(reason(&error)))?;
        check_writers(&facts).map_err(unusable)?;
        let bytes = regular_file::read_open(&file, most).map_err(|error| unusable(reason(&error)))?;
        let digest = Digest::of(&bytes);
        if let Some(expected) = expected.filter(|expected| *expected != digest) {
            return Err(ProviderError::Configuration(format!(
                "model file \"{}\" has the SHA-256 {digest}, but sha256 in its provider's options says {expected}; put the right \
                 file there or, if this one is meant, set the options anew with vb_set_provider: {{\"sha256\": {{\"{name}\": \
                 \"{digest}\"}}}}, or {{}} to take whatever is there",
                path.display()
            )));
        }
        let file = Self {
            path,
            file,
            most,
            digest,
        };
        Ok((file, bytes))
    }

    /// The same bytes once more. Another file that has its name meanwhile is not looked at.
    pub(super) fn read_again(&self) -> Result<Vec<u8>, ProviderError> {
        let unusable = |problem: &str| configuration("file", &self.path, problem);
        let bytes = regular_file::read_open(&self.file, self.most).map_err(|error| unusable(&reason(&error)))?;
        if Digest::of(&bytes) == self.digest {
            Ok(bytes)
        } else {
            Err(unusable(
                "was changed in place while it was in use: restart the worker, and bring models as new files",
            ))
        }
    }

    /// Where it is, for messages.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// Refuses a folder in which others than the server's user and root could put or replace files.
pub(super) fn check_folder(folder: &Path) -> Result<(), ProviderError> {
    let folders = [Some(folder), folder.parent()].into_iter().flatten();
    for (path, check) in folders.zip([check_writers, check_writers_around]) {
        match path.metadata() {
            Ok(facts) => check(&facts).map_err(|problem| configuration("folder", path, &problem))?,
            // Its files will be missed by name.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(configuration("folder", path, &format!("cannot be looked at: {error}"))),
        }
    }
    Ok(())
}

fn reason(error: &ReadError) -> String {
    match error {
        ReadError::Io(error) if error.kind() == ErrorKind::NotFound => "does not exist".to_owned(),
        ReadError::Io(error) => format!("cannot be read: {error}"),
        other => other.to_string(),
    }
}

/// An error about a file of the model or its folder, for people who can change it.
fn configuration(what: &str, path: &Path, problem: &str) -> ProviderError {
    ProviderError::Configuration(format!(
        "model {what} \"{}\" {problem}; the model's folder must hold model.onnx and the tokenizer.json published with it",
        path.display()
    ))
}
