//! The service's socket: made so that only the user of this process can reach it, and who connects is checked once more.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{UnixListener, UnixSocket, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::answer::Service;
use super::connection::converse;
use crate::pipeline::config::StartError;
use crate::private_directory;

/// The longest path that is accepted, in bytes. A socket address holds 107 on Linux and 103 on macOS.
pub const MAX_SOCKET_PATH: usize = 100;

/// Connections served at the same time; more wait until one of them ends.
pub(crate) const MAX_CONNECTIONS: usize = 64;

/// Connections that wait in the kernel until they are accepted.
const BACKLOG: u32 = 1_024;

/// Pause after the system refused a connection, for want of file descriptors for instance.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// A bound socket. Its file goes when it is dropped.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: UnixListener,
    _file: SocketFile,
}

/// Removes the socket's file, so that nobody waits for a service that is not there.
#[derive(Debug)]
struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Somebody may have removed it already; a file that stays is replaced at the next start.
        let _ = fs::remove_file(&self.0);
    }
}

impl Listener {
    /// Binds the socket with mode 0600, in a folder that is for this user alone and made if it is missing. The file that a crash
    /// left behind is replaced. Must be called within the runtime that serves.
    pub(crate) fn bind(path: &Path) -> Result<Self, StartError> {
        let length = path.as_os_str().as_bytes().len();
        if length > MAX_SOCKET_PATH {
            return Err(StartError::SocketPathTooLong {
                path: path.to_owned(),
                length,
                limit: MAX_SOCKET_PATH,
            });
        }
        make_folder(path).map_err(|source| refused("make the folder of", path, source))?;
        remove_stale(path)?;
        let socket = UnixSocket::new_stream().map_err(|source| refused("make", path, source))?;
        socket.bind(path).map_err(|source| refused("bind", path, source))?;
        let file = SocketFile(path.to_owned());
        // Nobody can connect before it listens, so the mode is never wider than this for anyone.
        fs::set_permissions(path, Permissions::from_mode(0o600))
            .map_err(|source| refused("set the mode of", path, source))?;
        let socket = socket
            .listen(BACKLOG)
            .map_err(|source| refused("listen on", path, source))?;
        Ok(Self { socket, _file: file })
    }

    /// Serves peers until the task is dropped. Connections end with it, without an answer to what is under way: peers see
    /// that their question was not refused, and ask whoever serves next.
    pub(crate) async fn serve(self, service: Service) {
        let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut connections = JoinSet::new();
        // The semaphore is never closed.
        while let Ok(permit) = permits.clone().acquire_owned().await {
            match self.socket.accept().await {
                Ok((stream, _)) if is_own_user(&stream) => {
                    let service = service.clone();
                    while connections.try_join_next().is_some() {}
                    connections.spawn(async move {
                        converse(stream, &service).await;
                        drop(permit);
                    });
                }
                Ok(_) => log::warn!("a process of another user tried to use the search service"),
                Err(error) => {
                    log::warn!("the search service could not accept a connection: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

/// Whether the peer runs as the user of this process.
fn is_own_user(stream: &UnixStream) -> bool {
    stream
        .peer_cred()
        .is_ok_and(|peer| peer.uid() == rustix::process::geteuid().as_raw())
}

fn make_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => {
            private_directory::make(folder).map(drop).map_err(io::Error::other)
        }
        _ => Ok(()),
    }
}

/// Removes a socket file on which nobody listens.
fn remove_stale(path: &Path) -> Result<(), StartError> {
    let in_use = |reason| StartError::SocketInUse {
        path: path.to_owned(),
        reason,
    };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(refused("look at", path, source)),
        Ok(file) if !file.file_type().is_socket() => return Err(in_use("it is not a socket")),
        Ok(_) => {}
    }
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        return Err(in_use("another process listens on it"));
    }
    fs::remove_file(path).map_err(|source| refused("remove the old", path, source))
}

fn refused(action: &str, path: &Path, source: io::Error) -> StartError {
    StartError::Io {
        action: format!("{action} socket {}", path.display()),
        source,
    }
}
