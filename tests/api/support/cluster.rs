//! One PostgreSQL for the whole test binary, with a migrated template that each test gets a copy of.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use diesel_async::SimpleAsyncConnection;
use samverkan::db::connect::{self, Target, Work};
use samverkan::db::private::{Durability, PrivateCluster};
use samverkan::db::{Shared, migrate};

enum Server {
    Private(PrivateCluster),
    /// `DATABASE_URL`: a server of the caller's, whose role may create databases.
    Given(String),
}

impl Server {
    fn url(&self, database: &str) -> String {
        match self {
            Self::Private(cluster) => cluster.url(database),
            Self::Given(url) => {
                let (head, tail) = url
                    .split_once('?')
                    .map_or((url.as_str(), ""), |(head, tail)| (head, tail));
                let base = head.rsplit_once('/').map_or(head, |(base, _)| base);
                format!("{base}/{database}?{tail}")
            }
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the service's configuration is not read by its tests"
)]
fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let server = match std::env::var("DATABASE_URL") {
            Ok(url) => Server::Given(url),
            Err(_) => Server::Private(
                PrivateCluster::start(&directory(), Durability::Fast, None).unwrap(),
            ),
        };
        // Another thread: the caller's runtime is single-threaded and may not block.
        std::thread::scope(|scope| scope.spawn(|| prepare(&server)).join().unwrap());
        server
    })
}

fn template() -> String {
    format!("samverkan_template_{}", std::process::id())
}

fn prepare(server: &Server) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        execute(server, &format!("CREATE DATABASE {}", template())).await;
        let target = Target::parse(&server.url(&template())).unwrap();
        migrate::run(&target).unwrap();
        let shared = Shared::new(target, 1, samverkan::clock::Clock::system()).unwrap();
        shared
            .write(async |conn| Ok(samverkan::registry::areas::store::load_sweden(conn).await?))
            .await
            .unwrap();
    });
}

async fn execute(server: &Server, sql: &str) {
    let target = Target::parse(&server.url("postgres")).unwrap();
    let mut conn = connect::open(&target, Work::Migrate).await.unwrap();
    conn.batch_execute(sql).await.unwrap();
}

/// The data directory of this process; those of dead processes are swept.
fn directory() -> PathBuf {
    let base = Path::new("/var/tmp");
    for entry in std::fs::read_dir(base).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let pid = name
            .strip_prefix("samverkan-test-")
            .and_then(|pid| pid.parse::<u32>().ok());
        if pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    base.join(format!("samverkan-test-{}", std::process::id()))
}

/// A new database: migrated, with Sweden's areas, otherwise empty.
pub async fn new_database() -> String {
    // One copy at a time: PostgreSQL refuses to copy a template that another copy is reading from.
    static COPYING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!(
        "samverkan_{}_{}",
        std::process::id(),
        NUMBER.fetch_add(1, Ordering::SeqCst)
    );
    let server = server();
    let _copying = COPYING.lock().await;
    execute(
        server,
        &format!("CREATE DATABASE {name} TEMPLATE {}", template()),
    )
    .await;
    server.url(&name)
}
