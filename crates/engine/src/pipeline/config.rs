//! What the engine needs to start, as plain values, and what may keep it from starting.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use crate::store::error::StoreError;
use crate::store::qdrant::QdrantOptions;

/// What the engine needs to start.
#[derive(Debug)]
pub struct EngineConfig {
    /// Where vectors are kept.
    pub stores: StoresConfig,
    /// Socket of the search service. Relative paths are taken from the working directory, at most
    /// [`MAX_SOCKET_PATH`](crate::service::listener::MAX_SOCKET_PATH) bytes. Its folder is made with mode 0700 if missing.
    pub socket: PathBuf,
    /// The engine's end of a socket pair. It writes one byte after each outcome, so that whoever waits on the other end
    /// knows to call [`Engine::try_outcome`](super::engine::Engine::try_outcome). The other end should be nonblocking
    /// and be read empty before the outcomes are taken.
    pub wake: UnixStream,
    /// Added to the process's niceness for every thread that works on batches; 0 to 19. Searches run at the process's own.
    pub nice: i32,
    /// The longest a search or check may take, model loading included.
    pub request_timeout: Duration,
    /// How long a provider may go unused before its memory is given back.
    pub provider_idle: Duration,
    /// Records of the engine's own code below this level are not made; those of libraries never below a warning.
    pub log_level: log::LevelFilter,
}

/// Where vectors are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoresConfig {
    /// Where embedded collections are: a directory that nobody else opens, with a folder for each.
    pub directory: PathBuf,
    /// The Qdrant server, or why there is none.
    pub qdrant: Result<QdrantOptions, String>,
}

/// Why the engine did not start. Nothing of it runs then.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The socket's path does not fit into a socket address.
    #[error("socket path of {length} bytes is longer than {limit}: {path}")]
    SocketPathTooLong {
        /// The path as configured.
        path: PathBuf,
        /// Its length in bytes.
        length: usize,
        /// The longest that is accepted.
        limit: usize,
    },
    /// Another process answers on the socket, or something that is no socket has its name.
    #[error("{path} is in use: {reason}")]
    SocketInUse {
        /// The path as configured.
        path: PathBuf,
        /// Who has it.
        reason: &'static str,
    },
    /// The operating system refused something.
    #[error("could not {action}: {source}")]
    Io {
        /// What was tried.
        action: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The store did not open.
    #[error("could not open the vector store: {0}")]
    Store(#[from] StoreError),
}

impl StartError {
    /// Whether another engine has the store or the socket, which passes when that one ends.
    pub fn is_in_use(&self) -> bool {
        matches!(self, Self::SocketInUse { .. } | Self::Store(StoreError::InUse(_)))
    }

    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::SocketPathTooLong { .. } => {
                Some("Use a shorter path, or one relative to the working directory of the process.")
            }
            Self::SocketInUse { .. } => {
                Some("Make sure that no other worker uses the same directory, or move the file away.")
            }
            Self::Io { .. } | Self::Store(_) => None,
        }
    }
}
