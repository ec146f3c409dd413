//! The server on its socket, and its handle.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use parking_lot::Mutex;
use qdrant_client::qdrant::collections_server::CollectionsServer;
use qdrant_client::qdrant::points_server::PointsServer;
use qdrant_client::qdrant::qdrant_server::QdrantServer;
use tokio::net::TcpSocket;
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tonic::codegen::tokio_stream::StreamExt;
use tonic::transport::server::{Router, TcpIncoming};
use tonic::transport::{Server, ServerTlsConfig};

use crate::calls::Call;
use crate::collections_service::CollectionsService;
use crate::connection::CuttableStream;
use crate::faults::Rule;
use crate::health_service::HealthService;
use crate::points_service::PointsService;
use crate::record::CollectionRecord;
use crate::serving::Serving;
use crate::settings::Settings;
use crate::tls::{self, Certified};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// A server with its data. Dropping it ends both.
///
/// It works on a thread of its own; its methods may be called from inside a runtime or without any.
pub struct QdrantDouble {
    serving: Arc<Serving>,
    certified: Option<Certified>,
    address: SocketAddr,
    /// Bound, but never listening: nobody else gets the port while the server is stopped.
    _port: TcpSocket,
    running: Mutex<Option<Running>>,
}

struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl QdrantDouble {
    /// Starts an empty server on a free port of 127.0.0.1.
    pub fn start(settings: Settings) -> io::Result<Self> {
        let port = socket_on(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0).into())?;
        let double = Self {
            serving: Arc::new(Serving {
                api_key: settings.api_key,
                ..Serving::default()
            }),
            certified: settings.tls.then(tls::certify),
            address: port.local_addr()?,
            _port: port,
            running: Mutex::new(None),
        };
        double.restart()?;
        Ok(double)
    }

    /// Where it is, now and after every restart.
    pub fn url(&self) -> String {
        let scheme = if self.certified.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The certificate, in PEM, that its clients have to trust; `None` without TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.certified.as_ref().map(|certified| certified.authority.as_str())
    }

    /// Ends all connections and refuses new ones. Its data stays; what is being applied will have been when this
    /// returns.
    pub fn stop(&self) {
        stop(&mut self.running.lock());
    }

    /// Serves at the same address again, after ending all connections if it was not stopped.
    pub fn restart(&self) -> io::Result<()> {
        let mut running = self.running.lock();
        stop(&mut running);
        *running = Some(self.run()?);
        Ok(())
    }

    /// Misbehaves as the rule says, from the next call on.
    pub fn fault(&self, rule: Rule) {
        self.serving.faults.add(rule);
    }

    /// Takes all rules back; calls that hang are answered.
    pub fn clear_faults(&self) {
        self.serving.faults.clear();
    }

    /// What it was asked so far, in the order in which it came.
    pub fn calls(&self) -> Vec<Call> {
        self.serving.calls.all()
    }

    /// Forgets what it was asked.
    pub fn forget_calls(&self) {
        self.serving.calls.forget();
    }

    /// Names of all collections, sorted.
    pub fn collections(&self) -> Vec<String> {
        self.serving.catalogue.collections()
    }

    /// The collection of that name or alias.
    pub fn collection(&self, name: &str) -> Option<CollectionRecord> {
        let found = self.serving.catalogue.find(name).ok();
        found.map(|collection| collection.record())
    }

    /// Removes all collections and aliases.
    pub fn wipe(&self) {
        self.serving.catalogue.clear();
    }

    fn run(&self) -> io::Result<Running> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let incoming = {
            let _inside = runtime.enter();
            TcpIncoming::from(socket_on(self.address)?.listen(BACKLOG)?).with_nodelay(Some(true))
        };
        let incoming = incoming.map(|accepted| accepted.and_then(CuttableStream::new));
        let router = self.router()?;
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new().name("qdrant-double".to_owned()).spawn(move || {
            // Everything that goes on ends with the runtime, and the thread when all of it has.
            runtime.block_on(async {
                tokio::select! {
                    _ = stopped => {}
                    served = router.serve_with_incoming(incoming) => served.expect("a bound socket can be served"),
                }
            });
        })?;
        Ok(Running { stop, thread })
    }

    fn router(&self) -> io::Result<Router> {
        let mut server = Server::builder();
        if let Some(certified) = &self.certified {
            let tls = ServerTlsConfig::new().identity(certified.server.clone());
            server = server.tls_config(tls).map_err(io::Error::other)?;
        }
        let serving = || Arc::clone(&self.serving);
        // The real server takes requests of any size.
        Ok(server
            .add_service(QdrantServer::new(HealthService(serving())))
            .add_service(CollectionsServer::new(CollectionsService(serving())).max_decoding_message_size(usize::MAX))
            .add_service(PointsServer::new(PointsService(serving())).max_decoding_message_size(usize::MAX)))
    }
}

impl Drop for QdrantDouble {
    fn drop(&mut self) {
        self.stop();
    }
}

fn stop(running: &mut Option<Running>) {
    if let Some(Running { stop, thread }) = running.take() {
        // It is gone already if the server panicked.
        let _: Result<(), ()> = stop.send(());
        let _: thread::Result<()> = thread.join();
    }
}

fn socket_on(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}
