//! Listens, and ends in good order: streams end at once, answers that have begun get a moment.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

use crate::api::once_a_second::OnceASecond;
use crate::arguments::Setup;
use crate::database::Database;
use crate::hub::Hub;
use crate::looker::Looker;
use crate::metrics::Metrics;
use crate::routes::routes;
use crate::safety::csrf::Csrf;
use crate::site::Site;

/// Streams, and as many requests beside them.
const MOST_CONNECTIONS: usize = 2000;

/// Who has not sent the head of a request by then is let go.
const HEAD: Duration = Duration::from_secs(15);

/// What answers that have begun are given at the end.
const MOMENT: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    #[error("cannot listen on {0}: {1}")]
    Listen(std::net::SocketAddr, #[source] io::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Pool(#[from] deadpool_postgres::BuildError),
}

pub(crate) async fn serve(setup: Setup) -> Result<(), ServeError> {
    let listener = TcpListener::bind(setup.listen)
        .await
        .map_err(|error| ServeError::Listen(setup.listen, error))?;
    let listening = listener.local_addr()?;
    let database = Arc::new(Database::new(&setup.database)?);
    let hub = Arc::new(Hub::new());
    let (end, ends) = watch::channel(false);
    let site = Arc::new(Site {
        hub: Arc::clone(&hub),
        database: Arc::clone(&database),
        control: setup.control,
        csrf: Csrf::new(),
        token: setup.token,
        hosts: setup.allowed_hosts,
        listening,
        health: OnceASecond::new(1),
        errors: OnceASecond::new(2),
        histories: OnceASecond::new(1),
        downloads: Arc::new(Semaphore::new(2)),
        metrics: Metrics::default(),
        ends,
    });
    tokio::spawn(Arc::clone(&database).give_back());
    tokio::spawn(Looker::new(setup.database, database, hub, setup.control).run());
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    writeln!(io::stdout(), "listening on http://{listening}")?;
    let connections = GracefulShutdown::new();
    tokio::select! {
        () = accept(&listener, site, &connections) => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    drop(listener);
    end.send_replace(true);
    // What has not ended by then ends with the process.
    let _ = timeout(MOMENT, connections.shutdown()).await;
    Ok(())
}

/// Never ends.
async fn accept(listener: &TcpListener, site: Arc<Site>, connections: &GracefulShutdown) {
    let service = TowerToHyperService::new(routes(site));
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = listener.accept().await else {
            // No file descriptors, most likely: some come back.
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        // Events are small, and wanted at once.
        let _ = stream.set_nodelay(true);
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD)
            .serve_connection(TokioIo::new(stream), service.clone());
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            // A browser that goes away is no error.
            drop(connection.await);
            drop(place);
        });
    }
}
