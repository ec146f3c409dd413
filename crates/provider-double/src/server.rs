//! The service on its socket.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use parking_lot::{Mutex, RwLock};
use serde_json::Value;
use socket2::Socket;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::TlsAcceptor;

use crate::answer::answer;
use crate::behaviour::Behaviour;
use crate::body::ScriptedBody;
use crate::call::Call;
use crate::capacity::Capacity;
use crate::script::{self, Script};
use crate::settings::Settings;
use crate::tls;

/// A running service. Dropping it ends it.
pub struct ProviderDouble {
    address: SocketAddr,
    shared: Arc<Shared>,
    authority: Option<String>,
    runtime: Option<Runtime>,
}

struct Shared {
    settings: Settings,
    capacity: Capacity,
    script: RwLock<Script>,
    calls: Mutex<Vec<Call>>,
    connections: AtomicUsize,
    /// Requests refused because they were too many.
    refused: AtomicUsize,
}

/// The connection is to break.
#[derive(Debug)]
struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the script breaks the connection")
    }
}

impl std::error::Error for Broken {}

impl ProviderDouble {
    /// Starts a service that answers well.
    pub fn start(settings: Settings) -> Self {
        Self::start_with(settings, script::well())
    }

    /// Starts a service that follows a script.
    pub fn start_with(settings: Settings, script: Script) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("provider-double")
            .enable_all()
            .build()
            .expect("a thread can be started");
        let listener = runtime
            .block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
            .expect("the loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let identity = settings.tls.then(|| tls::identity(&settings.certificate_name));
        let acceptor = identity
            .as_ref()
            .map(|identity| TlsAcceptor::from(Arc::clone(&identity.server)));
        let shared = Arc::new(Shared {
            capacity: Capacity::new(&settings),
            settings,
            script: RwLock::new(script),
            calls: Mutex::default(),
            connections: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
        });
        runtime.spawn(accept(listener, acceptor, Arc::clone(&shared)));
        Self {
            address,
            shared,
            authority: identity.map(|identity| identity.authority),
            runtime: Some(runtime),
        }
    }

    /// Where it is, as an administrator would configure it for OpenAI's dialect.
    pub fn endpoint(&self) -> String {
        format!("{}/v1", self.base())
    }

    /// Where it is, as an administrator would configure it for Azure's dialect.
    pub fn base(&self) -> String {
        match self.shared.settings.tls {
            true => format!("https://localhost:{}", self.address.port()),
            false => format!("http://{}", self.address),
        }
    }

    /// Numbers in its embeddings.
    pub fn dimensions(&self) -> usize {
        self.shared.settings.dimensions
    }

    /// The certificate, in PEM, that its clients have to trust.
    pub fn authority(&self) -> &str {
        self.authority.as_deref().unwrap_or_default()
    }

    /// Behaves differently from now on.
    pub fn follow(&self, script: Script) {
        *self.shared.script.write() = script;
    }

    /// What it was asked so far, in the order in which it came.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.calls.lock().clone()
    }

    /// How often it was asked.
    pub fn count(&self) -> usize {
        self.shared.calls.lock().len()
    }

    /// Requests that it refused because they were too many.
    pub fn refused(&self) -> usize {
        self.shared.refused.load(Ordering::Relaxed)
    }

    /// Forgets what it was asked.
    pub fn forget(&self) {
        self.shared.calls.lock().clear();
        self.shared.refused.store(0, Ordering::Relaxed);
    }
}

impl Drop for ProviderDouble {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_millis(100));
        }
    }
}

async fn accept(listener: TcpListener, acceptor: Option<TlsAcceptor>, shared: Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let (acceptor, shared) = (acceptor.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            // What goes wrong with one connection is seen by whoever is at its other end.
            let _ = serve(stream, acceptor, shared).await;
        });
    }
}

async fn serve(
    stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    shared: Arc<Shared>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    stream.set_nodelay(true)?;
    let connection = shared.connections.fetch_add(1, Ordering::Relaxed);
    let socket = Arc::new(Socket::from(stream.as_fd().try_clone_to_owned()?));
    let service = service_fn(move |request| respond(request, connection, Arc::clone(&socket), Arc::clone(&shared)));
    let server = auto::Builder::new(TokioExecutor::new());
    match acceptor {
        Some(acceptor) => {
            server
                .serve_connection(TokioIo::new(acceptor.accept(stream).await?), service)
                .await
        }
        None => server.serve_connection(TokioIo::new(stream), service).await,
    }
}

async fn respond(
    request: Request<Incoming>,
    connection: usize,
    socket: Arc<Socket>,
    shared: Arc<Shared>,
) -> Result<Response<ScriptedBody>, Broken> {
    let call = read(request, connection, &shared).await;
    let settings = &shared.settings;
    let behaviour = match refusal(&call, settings) {
        Some(refusal) => refusal,
        None => {
            let Ok(_place) = shared.capacity.enter().await else {
                shared.refused.fetch_add(1, Ordering::Relaxed);
                let refusal = Behaviour::error(429, "rate_limit_exceeded", "too many requests");
                return answer(&refusal, &call, settings.dimensions).ok_or(Broken);
            };
            let behaviour = (shared.script.read())(&call);
            let texts = u32::try_from(call.texts.len()).unwrap_or(u32::MAX);
            let latency = settings.latency + settings.latency_per_text * texts;
            if !latency.is_zero() {
                tokio::time::sleep(latency).await;
            }
            behaviour
        }
    };
    match behaviour {
        Behaviour::Late(time) => tokio::time::sleep(time).await,
        Behaviour::Reset => {
            // Closing then discards what is on its way and says so.
            let _: io::Result<()> = socket.set_linger(Some(Duration::ZERO));
        }
        _ => {}
    }
    drop(socket);
    answer(&behaviour, &call, settings.dimensions).ok_or(Broken)
}

/// Takes the request apart and notes it.
async fn read(request: Request<Incoming>, connection: usize, shared: &Shared) -> Call {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let texts = match &body["input"] {
        Value::String(text) => vec![text.clone()],
        Value::Array(texts) => texts
            .iter()
            .map(|text| text.as_str().unwrap_or_default().to_owned())
            .collect(),
        _ => Vec::new(),
    };
    let headers = head
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let mut calls = shared.calls.lock();
    let call = Call {
        number: calls.len(),
        at: Instant::now(),
        path: head.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        headers,
        is_http2: head.version == Version::HTTP_2,
        connection,
        model: body["model"].as_str().unwrap_or_default().to_owned(),
        texts,
        encoding_format: body["encoding_format"].as_str().map(str::to_owned),
        dimensions: body["dimensions"]
            .as_u64()
            .and_then(|number| usize::try_from(number).ok()),
    };
    calls.push(call.clone());
    call
}

/// What is wrong with a request, as OpenAI's service would say it.
fn refusal(call: &Call, settings: &Settings) -> Option<Behaviour> {
    if let Some(key) = &settings.key {
        let given = call.header("api-key").or_else(|| {
            call.header("authorization")
                .and_then(|value| value.strip_prefix("Bearer "))
        });
        if given != Some(key.as_str()) {
            let message = format!("Incorrect API key provided: {}", given.unwrap_or_default());
            return Some(Behaviour::error(401, "invalid_api_key", &message));
        }
    }
    if call.texts.is_empty() || call.texts.iter().any(String::is_empty) {
        return Some(Behaviour::error(
            400,
            "invalid_request_error",
            "input cannot be an empty string",
        ));
    }
    if call.texts.len() > settings.max_texts {
        return Some(Behaviour::error(413, "invalid_request_error", "too many texts"));
    }
    if call.texts.iter().any(|text| text.len() > settings.max_text_bytes) {
        let message = "This model's maximum context length was exceeded";
        return Some(Behaviour::error(400, "context_length_exceeded", message));
    }
    None
}
