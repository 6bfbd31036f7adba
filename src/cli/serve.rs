//! `samverkan serve`: everything that must be in order before the port opens, and what the operator is told then.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::{rt, web};

use super::database::Database;
use super::demo::{self, DemoClient};
use super::{Failure, prepare, print};
use crate::access::bearer::Revocations;
use crate::access::keys::KeyRing;
use crate::access::token::{DEFAULT_LIFETIME, Issuer};
use crate::access::{Permission, upkeep};
use crate::app::AppState;
use crate::clock::Clock;
use crate::config::Serve;
use crate::db::Shared;
use crate::health::Health;
use crate::http::{BASE_PATH, once};
use crate::server::{self, Running};
use crate::statistics::cache::AnswerCache;
use crate::statistics::library::{self, Library};
use crate::statistics::publications::thread::Workshop;
use crate::sync::changes::{self, wake::Wake};
use crate::sync::copies::exporter::Exporter;
use crate::sync::imports::job::Importer;
use crate::telemetry::logging;
use crate::telemetry::metrics::Metrics;

/// Runs the service until it is asked to stop.
pub(super) async fn serve(settings: &Serve) -> Result<(), Failure> {
    let database = Database::open_to_serve(&settings.place).await?;
    // Till the very end: stopping is logged as well.
    let _behind = logging::write_behind()?;
    let outcome = tokio::select! {
        outcome = answer(settings, &database) => outcome,
        () = database.lost() => Err(Failure::other("the private PostgreSQL has ended by itself; start again")),
    };
    outcome.and(database.leave_soon().await)
}

async fn answer(settings: &Serve, database: &Database) -> Result<(), Failure> {
    let clock = Clock::system();
    let db = Shared::new(database.target.clone(), settings.pool_size(), clock.clone())?;
    prepare(&db).await?;
    if settings.demo {
        crate::demo::load_if_empty(&db).await?;
    }
    let keys = settings.place.data.keys();
    // Loading tests every key: a service that cannot sign does not open its port.
    let ring = KeyRing::load_or_create(&keys, clock.now())?;
    let issuer = web::Data::new(Issuer::new(
        settings.issuer(),
        &settings.audience,
        DEFAULT_LIFETIME,
        ring,
    )?);
    let revocations = Revocations::default();
    upkeep::refresh(&db, &revocations, &clock).await?;

    let metrics_listener = settings
        .metrics_bind
        .map(|address| listen("metrics_bind", address))
        .transpose()?;
    let listener = listen("bind", settings.bind)?;
    let address = listener.local_addr()?;
    let mut text = start_text(address, settings);
    if let Some(listener) = &metrics_listener {
        let origin = local_origin(listener.local_addr()?);
        text.push_str(&line("metrics", &format!("{origin}/metrics")));
    }
    if settings.demo {
        let client = demo::client(&db, &clock).await?;
        text.push_str(&demo_text(address, &client, &issuer, &clock)?);
    }

    let library = Library::default();
    let wake = Wake::default();
    let upkeep = [
        rt::spawn(upkeep::keep_in_step(
            Arc::clone(&db),
            revocations.clone(),
            clock.clone(),
        )),
        rt::spawn(once::keep_short(Arc::clone(&db), clock.clone())),
        rt::spawn(library::keep_in_step(Arc::clone(&db), library.clone())),
        rt::spawn(wake.clone().listen(Arc::clone(&db))),
        rt::spawn(changes::upkeep::keep_purged(Arc::clone(&db), clock.clone())),
        rt::spawn(upkeep::keep_keys(Arc::clone(&issuer), keys, clock.clone())),
    ];
    let workshop = Workshop::new(Arc::clone(&db), library.clone());
    let importer = Importer::new(Arc::clone(&db), settings.import_limit());
    let state = AppState {
        exporter: Exporter::new(settings.exports()),
        importer: importer.clone(),
        workshop: workshop.clone(),
        wake,
        health: web::Data::new(Health::new(Arc::clone(&db), clock.clone())),
        db,
        issuer,
        clock,
        revocations,
        library,
        answers: AnswerCache::new(settings.statistics_cache()),
        metrics: Arc::new(Metrics::new(env!("CARGO_PKG_VERSION"))?),
        public_url: settings.public_url.clone(),
        cors_origins: settings.cors_origins.clone(),
        docs: !settings.no_docs,
    };
    // What was under way when the last process ended is taken up.
    importer
        .wake()
        .map_err(|problem| Failure::other(problem.to_string()))?;
    let running = Running::start(state, listener, metrics_listener, settings)?;
    // Now, not before: whoever reads it may ask, or stop the service, at once.
    print(&text)?;
    let ended = running.until_stopped().await;
    workshop.stop().await;
    importer.stop().await;
    for task in upkeep {
        task.abort();
    }
    Ok(ended?)
}

/// Opens a port. One that is in use may be free later; any other failure is the setting's.
fn listen(field: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    server::listen(address).map_err(|error| {
        let in_use = error.kind() == io::ErrorKind::AddrInUse;
        let failure = Failure::setting(field, format!("cannot listen on {address}: {error}"));
        if in_use { failure.for_now() } else { failure }
    })
}

/// How this machine reaches the service: an unspecified address means every one, the loopback included.
fn local_origin(mut address: SocketAddr) -> String {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    format!("http://{address}")
}

fn start_text(address: SocketAddr, settings: &Serve) -> String {
    let local = local_origin(address);
    let origin = settings.public_url.as_deref().unwrap_or(&local);
    let mut lines = vec![format!(
        "Samverkan {} answers at {origin}{BASE_PATH}\n",
        env!("CARGO_PKG_VERSION")
    )];
    if settings.public_url.is_some() {
        lines.push(line("on this machine", &local));
    }
    if !settings.no_docs {
        lines.push(line("documentation", &format!("{origin}/docs/")));
    }
    lines.concat()
}

/// One line of the start text.
fn line(name: &str, value: &str) -> String {
    format!("  {name:<15}  {value}\n")
}

/// A client, a token of it, and three questions to begin with.
fn demo_text(
    address: SocketAddr,
    client: &DemoClient,
    issuer: &Issuer,
    clock: &Clock,
) -> Result<String, Failure> {
    let scope: Vec<&str> = demo::PERMISSIONS
        .iter()
        .copied()
        .map(Permission::as_str)
        .collect();
    let token = issuer.issue(
        client.id,
        &client.client_id,
        &scope.join(" "),
        vec![demo::AREA.to_owned()],
        clock.now(),
    )?;
    let origin = local_origin(address);
    let api = format!("{origin}{BASE_PATH}");
    let (id, secret, minutes, token) = (
        &client.client_id,
        client.secret.expose(),
        token.expires_in / 60,
        token.token,
    );
    Ok(format!(
        "
A demo client that may read everything, with a secret made for this start:
  client id        {id}
  client secret    {secret}

Try it; the token is valid for {minutes} minutes:

TOKEN={token}
curl -H \"Authorization: Bearer $TOKEN\" '{api}/partners?municipality=1480'
curl -H \"Authorization: Bearer $TOKEN\" '{api}/projects?municipality=1480&include=partners'
curl -H \"Authorization: Bearer $TOKEN\" '{api}/collaborations?region=18&validOn=2022-10-01&include=members'

The next token:

curl -u '{id}:{secret}' -d grant_type=client_credentials {origin}/oauth/token
"
    ))
}
