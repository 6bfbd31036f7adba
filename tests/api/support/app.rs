//! The service under test.

use std::net::TcpListener;
use std::sync::Arc;

use actix_web::{HttpServer, web};
use chrono::{DateTime, Utc};
use samverkan::access::Permission;
use samverkan::access::bearer::Revocations;
use samverkan::access::keys::KeyRing;
use samverkan::access::token::{DEFAULT_LIFETIME, Issuer};
use samverkan::app::{AppState, build_app};
use samverkan::clock::Clock;
use samverkan::db::Shared;
use samverkan::db::connect::Target;
use samverkan::health::Health;
use samverkan::statistics::publications::thread::Workshop;
use samverkan::sync::copies::exporter::Exporter;
use samverkan::sync::imports::job::Importer;
use samverkan::telemetry::metrics::Metrics;

use super::client::Caller;
use super::cluster;

/// A running service with a database of its own.
pub struct TestApp {
    pub state: AppState,
    pub origin: String,
    database_url: String,
    handle: actix_web::dev::ServerHandle,
    _keys: tempdir::TempDir,
}

/// A small stand-in for a crate: a directory that goes away.
mod tempdir {
    pub struct TempDir(pub std::path::PathBuf);
    impl TempDir {
        pub fn new() -> Self {
            let path =
                std::env::temp_dir().join(format!("samverkan-keys-{}", uuid::Uuid::now_v7()));
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }
    impl Drop for TempDir {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

impl TestApp {
    /// Starts the service; the time stands at noon of 1 June 2026 until a test moves it.
    pub async fn start() -> Self {
        Self::with_pool(4).await
    }

    /// Starts the service with so many connections for its transactions.
    pub async fn with_pool(size: usize) -> Self {
        let database_url = cluster::new_database().await;
        let keys = tempdir::TempDir::new();
        let clock = Clock::fixed(moment("2026-06-01T12:00:00Z"));
        let ring = KeyRing::load_or_create(&keys.0.join("keys"), clock.now()).unwrap();
        let target = Target::parse(&database_url).unwrap();
        let db = Shared::new(target, size, clock.clone()).unwrap();
        let library = samverkan::statistics::library::Library::default();
        let state = AppState {
            exporter: Exporter::new(2),
            importer: Importer::new(Arc::clone(&db), 16 * 1024 * 1024),
            workshop: Workshop::new(Arc::clone(&db), library.clone()),
            issuer: web::Data::new(
                Issuer::new("http://samverkan.test", "samverkan", DEFAULT_LIFETIME, ring).unwrap(),
            ),
            answers: samverkan::statistics::cache::AnswerCache::new(8 * 1024 * 1024),
            library,
            wake: samverkan::sync::changes::wake::Wake::default(),
            health: web::Data::new(Health::new(std::sync::Arc::clone(&db), clock.clone())),
            db,
            clock,
            revocations: Revocations::default(),
            metrics: Arc::new(Metrics::new("test").unwrap()),
            public_url: None,
            cors_origins: vec!["https://front.example".to_owned()],
            docs: true,
        };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let shared = state.clone();
        let server = HttpServer::new(move || build_app(&shared))
            .workers(1)
            .disable_signals()
            .listen(listener)
            .unwrap()
            .run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self {
            state,
            origin,
            database_url,
            handle,
            _keys: keys,
        }
    }

    /// Takes the database away, and every connection to it, while the service runs on.
    pub async fn lose_database(&self) {
        let mut config: tokio_postgres::Config = self.database_url.parse().unwrap();
        let name = config.get_dbname().unwrap().to_owned();
        let other = config.dbname("postgres").connect(tokio_postgres::NoTls);
        let (client, connection) = other.await.unwrap();
        actix_web::rt::spawn(connection);
        let drop = format!("DROP DATABASE {name} WITH (FORCE)");
        client.batch_execute(&drop).await.unwrap();
    }

    /// Someone without a token.
    pub fn anonymous(&self) -> Caller {
        Caller::new(self.origin.clone(), None)
    }

    /// Someone with these permissions in these areas.
    pub fn caller(&self, permissions: &[Permission], areas: &[&str]) -> Caller {
        let scope: Vec<&str> = permissions
            .iter()
            .map(|permission| permission.as_str())
            .collect();
        let areas = areas.iter().map(|area| (*area).to_owned()).collect();
        let subject = uuid::Uuid::now_v7();
        let token = self
            .state
            .issuer
            .issue(
                subject,
                "client_test",
                &scope.join(" "),
                areas,
                self.state.clock.now(),
            )
            .unwrap();
        Caller::new(self.origin.clone(), Some(token.token)).known_as(subject)
    }

    /// Reads everything that can be read in these areas.
    pub fn reader(&self, areas: &[&str]) -> Caller {
        self.caller(
            &[
                Permission::RegistryRead,
                Permission::ParticipationRead,
                Permission::StatisticsRead,
                Permission::ContactsRead,
            ],
            areas,
        )
    }

    /// Reads and writes in these areas; approves nothing.
    pub fn editor(&self, areas: &[&str]) -> Caller {
        self.caller(
            &[
                Permission::RegistryRead,
                Permission::RegistryWrite,
                Permission::ContactsRead,
                Permission::ParticipationRead,
                Permission::ParticipationWrite,
            ],
            areas,
        )
    }

    /// May do everything everywhere.
    pub fn admin(&self) -> Caller {
        self.caller(Permission::ALL, &["SE"])
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

/// A moment from its RFC 3339 text.
pub fn moment(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}
