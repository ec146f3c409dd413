//! ONNX Runtime itself: the C library, loaded once for the life of the process.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use ort::environment::Environment;
use ort::logging::LogLevel;

use crate::ownership::{check_writers, check_writers_around};
use crate::provider::contract::ProviderError;
use crate::provider::onnx::shared_library;

/// What was loaded. Sessions hold the environment weakly, so somebody has to keep it.
struct Runtime {
    library: PathBuf,
    environment: Environment,
}

static RUNTIME: OnceLock<Runtime> = OnceLock::new();
static LOADING: Mutex<()> = Mutex::new(());

/// The environment that sessions are made in. The first call loads the library and decides which one it is for good.
///
/// No other function of `ort` may be called before this one succeeded: they panic when there is no library.
pub(super) fn environment(library: &Path) -> Result<&'static Environment, ProviderError> {
    let shown = library.display();
    if !library.is_absolute() {
        return Err(configuration(library, "is not an absolute path"));
    }
    let resolved = match library.canonicalize() {
        Ok(resolved) if resolved.is_file() => resolved,
        Ok(_) => return Err(configuration(library, "is not a file")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(configuration(library, "does not exist"));
        }
        Err(error) => return Err(configuration(library, &format!("cannot be read: {error}"))),
    };

    let _one_at_a_time = LOADING.lock().unwrap_or_else(PoisonError::into_inner);
    if RUNTIME.get().is_none() {
        check_origin(&resolved)?;
        let environment = load(library)?;
        log::info!("loaded ONNX Runtime from {shown}");
        let _ = RUNTIME.set(Runtime {
            library: resolved.clone(),
            environment,
        });
    }
    match RUNTIME.get() {
        Some(runtime) if runtime.library == resolved => Ok(&runtime.environment),
        Some(runtime) => Err(ProviderError::Configuration(format!(
            "cannot use ONNX Runtime \"{shown}\": this process already runs \"{}\"; restart the worker to change it",
            runtime.library.display()
        ))),
        None => Err(configuration(library, "could not be loaded")),
    }
}

/// Its code becomes ours: nobody but this process's user and root may be able to put another in its place.
fn check_origin(library: &Path) -> Result<(), ProviderError> {
    let places = [Some(library), library.parent()].into_iter().flatten();
    for (path, check) in places.zip([check_writers, check_writers_around]) {
        let facts = path
            .metadata()
            .map_err(|error| configuration(path, &format!("cannot be read: {error}")))?;
        check(&facts).map_err(|problem| configuration(path, &problem))?;
    }
    Ok(())
}

fn load(library: &Path) -> Result<Environment, ProviderError> {
    shared_library::check(library).map_err(|reason| configuration(library, &format!("cannot be loaded: {reason}")))?;
    let environment = ort::init_from(library)
        .map_err(|error| configuration(library, &format!("cannot be loaded: {error}")))?
        .with_name("vector_backfill")
        .with_telemetry(false)
        .with_logger(std::sync::Arc::new(forward))
        .build()
        .map_err(|error| configuration(library, &format!("does not start: {error}")))?;
    // With a logger of one's own everything is logged, down to single kernels.
    environment.set_log_level(LogLevel::Warning);
    Ok(environment)
}

/// Hands the runtime's messages to our log. What it calls an error is also returned by the call that met it, and a run
/// that we end ourselves counts as one, so errors are details here.
fn forward(level: LogLevel, _category: &str, _id: &str, place: &str, message: &str) {
    let level = if level == LogLevel::Fatal {
        log::Level::Error
    } else {
        log::Level::Debug
    };
    log::log!(target: "onnxruntime", level, "{message} ({place})");
}

fn configuration(library: &Path, problem: &str) -> ProviderError {
    ProviderError::Configuration(format!(
        "ONNX Runtime library \"{}\" {problem}; install ONNX Runtime (libonnxruntime.so, 1.17 or later) and set \
         vector_backfill.onnxruntime_library to its path",
        library.display()
    ))
}

#[cfg(test)]
mod tests {
    //! These run in a process that never loads a good library, so the order of the tests does not matter.

    use std::fs;

    use super::*;

    fn refusal(library: &Path) -> String {
        match environment(library) {
            Err(ProviderError::Configuration(message)) => message,
            Err(other) => panic!("not a configuration error: {other:?}"),
            Ok(_) => panic!("{} was loaded", library.display()),
        }
    }

    #[test]
    fn a_missing_library_is_named_with_a_hint() {
        let message = refusal(Path::new("/nowhere/libonnxruntime.so"));
        assert!(
            message.contains("\"/nowhere/libonnxruntime.so\" does not exist"),
            "{message}"
        );
        assert!(message.contains("vector_backfill.onnxruntime_library"), "{message}");
    }

    #[test]
    fn a_file_that_is_no_library_is_named() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let library = folder.path().join("libonnxruntime.so");
        fs::write(
            &library,
            "this is not a library at all, however long it may be; it is only text for people to read",
        )
        .expect("written");
        let message = refusal(&library);
        assert!(message.contains(&library.display().to_string()), "{message}");
        assert!(message.contains("not a 64-bit shared library"), "{message}");
    }

    #[test]
    fn a_library_that_is_not_onnx_runtime_is_named() {
        let Some(other) = fs::read_to_string("/proc/self/maps").ok().and_then(|maps| {
            let path = maps
                .lines()
                .find(|line| line.contains("/libc.so"))?
                .split_whitespace()
                .last()?
                .to_owned();
            Some(PathBuf::from(path))
        }) else {
            panic!("this process has no C library");
        };
        let message = refusal(&other);
        assert!(message.contains("OrtGetApiBase"), "{message}");
    }

    #[test]
    fn a_folder_and_a_relative_path_are_refused() {
        assert!(refusal(Path::new("/")).contains("is not a file"));
        assert!(refusal(Path::new("libonnxruntime.so")).contains("not an absolute path"));
    }
}
