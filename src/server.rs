//! The running service: its sockets, its limits, and how it stops.
//!
//! On the first SIGTERM or Ctrl-C `/health/ready` says 503 at once; after the drain delay, in which a load balancer may
//! notice, no new connection is taken, and requests under way have the drain time to finish. A second signal ends
//! the waiting.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::rt::{self, net::TcpSocket, task::JoinHandle, time::sleep};
use actix_web::{HttpServer, web};
use tokio::select;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::app::{AppState, build_app};
use crate::config::Serve;
use crate::health::Health;
use crate::sync::changes::wake::Wake;
use crate::sync::copies::exporter::Exporter;
use crate::telemetry::metrics::{self, PoolState};

/// How long the head of a first request may take to arrive.
const REQUEST_HEAD: Duration = Duration::from_secs(5);
/// How long a connection may be idle between two requests.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// Connections that one worker holds at the most; more wait in the backlog.
const CONNECTIONS: usize = 4_096;
/// Connections that may wait for a worker; the kernel may allow fewer.
const BACKLOG: u32 = 2_048;

/// Opens a port. Connections to it are probed by TCP when they fall silent, so that one whose other end has vanished
/// (power cut, unplugged network) does not stay for ever: Linux lets accepted sockets inherit that from this one.
///
/// # Errors
/// When the address is in use, not ours, or not allowed.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }?;
    // A restarted service need not wait for the old connections to fade.
    socket.set_reuseaddr(true)?;
    socket.set_keepalive(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// A service that answers requests.
pub struct Running {
    api: JoinHandle<io::Result<()>>,
    api_handle: ServerHandle,
    numbers_handle: Option<ServerHandle>,
    signals: Signals,
    health: web::Data<Health>,
    wake: Wake,
    exporter: Exporter,
    drain: Duration,
    drain_delay: Duration,
}

impl Running {
    /// Starts to answer, and to listen for signals. Must be called on the runtime of actix.
    ///
    /// # Errors
    /// When a listener or a signal cannot be used.
    pub fn start(
        state: AppState,
        api: TcpListener,
        numbers: Option<TcpListener>,
        settings: &Serve,
    ) -> io::Result<Self> {
        let signals = Signals::new()?;
        let health = state.health.clone();
        let wake = state.wake.clone();
        let exporter = state.exporter.clone();
        let numbers = numbers
            .map(|listener| serve_numbers(listener, &state))
            .transpose()?;
        let api = HttpServer::new(move || build_app(&state))
            .workers(settings.workers())
            .max_connections(CONNECTIONS)
            .client_request_timeout(REQUEST_HEAD)
            .keep_alive(KEEP_ALIVE)
            .shutdown_timeout(settings.drain().as_secs())
            .disable_signals()
            .listen(api)?
            .run();
        Ok(Self {
            api_handle: api.handle(),
            api: rt::spawn(api),
            numbers_handle: numbers,
            signals,
            health,
            wake,
            exporter,
            drain: settings.drain(),
            drain_delay: settings.drain_delay(),
        })
    }

    /// Answers until a signal asks to stop and the requests under way are answered.
    ///
    /// # Errors
    /// When the server ends by itself.
    pub async fn until_stopped(mut self) -> io::Result<()> {
        select! {
            ended = &mut self.api => return ended.unwrap_or_else(|error| Err(io::Error::other(error))),
            () = self.signals.next() => self.health.drain(),
        }
        log::info!(
            "stopping; requests under way have {:?}, a second signal ends the waiting",
            self.drain
        );
        let stopping = async {
            sleep(self.drain_delay).await;
            // Whoever waits for a change is answered now: no request under way may outlast the drain.
            self.wake.close();
            self.exporter.close();
            self.api_handle.stop(true).await;
        };
        select! {
            () = stopping => log::info!("stopped"),
            () = self.signals.next() => log::warn!("stopped at once: a second signal came"),
        }
        if let Some(numbers) = self.numbers_handle {
            numbers.stop(false).await;
        }
        Ok(())
    }
}

/// Serves the numbers for Prometheus, on a worker of their own.
fn serve_numbers(listener: TcpListener, state: &AppState) -> io::Result<ServerHandle> {
    let db = Arc::clone(&state.db);
    let server = metrics::serve(listener, Arc::clone(&state.metrics), move |metrics| {
        let (size, available, waiting) = db.pool_status();
        metrics.set_pool(
            "exclusive",
            PoolState {
                size,
                available,
                waiting,
            },
        );
    })?;
    let handle = server.handle();
    rt::spawn(server);
    Ok(handle)
}

/// The signals that ask a service to stop.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// The next of either kind.
    async fn next(&mut self) {
        select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
