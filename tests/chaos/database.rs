//! A PostgreSQL of the run's own, apart from the service, so that one can die without the other.

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use actix_web::rt::task::spawn_blocking;
use samverkan::db::connect::{self, Target, Work};
use samverkan::db::private::{Durability, PrivateCluster};
use tokio::time::timeout;

use crate::place::{children, signal, stop};

/// What the service's database is called.
const NAME: &str = "postgres";

/// Processes that do nothing until this is dropped.
pub struct Frozen(Vec<u32>);

impl Drop for Frozen {
    fn drop(&mut self) {
        signal("CONT", &self.0);
    }
}

pub struct Database {
    dir: PathBuf,
    cluster: RefCell<Option<PrivateCluster>>,
    /// What a connection says to be told of a commit only once it is written.
    options: &'static str,
}

impl Database {
    pub async fn start(dir: PathBuf, synchronous: bool) -> Self {
        // Killing processes loses nothing that was written to a file, so nothing need be forced to disk here. But a
        // commit must be written before it is answered, and the settings of a fast cluster do not ask for that.
        let options = if synchronous {
            "?options=-c%20synchronous_commit%3Don"
        } else {
            ""
        };
        let database = Self {
            dir,
            cluster: RefCell::default(),
            options,
        };
        database.up().await;
        let row = database.ask("SHOW synchronous_commit").await;
        let expected = if synchronous { "on" } else { "off" };
        assert_eq!(row.first().unwrap().get::<_, String>(0), expected);
        database
    }

    /// Starts the server again, whatever became of the last one.
    pub async fn up(&self) {
        let last = self.cluster.take();
        let dir = self.dir.clone();
        let started = spawn_blocking(move || {
            drop(last);
            PrivateCluster::start(&dir, Durability::Fast, None)
        });
        let started = started.await.unwrap();
        self.cluster.replace(Some(started.unwrap()));
    }

    fn url(&self) -> String {
        let cluster = self.cluster.borrow();
        format!("{}{}", cluster.as_ref().unwrap().url(NAME), self.options)
    }

    /// Its address by way of another port.
    pub fn url_by(&self, port: u16) -> String {
        format!(
            "postgres://samverkan@127.0.0.1:{port}/{NAME}{}",
            self.options
        )
    }

    pub fn socket(&self) -> PathBuf {
        let config: tokio_postgres::Config = self.url().parse().unwrap();
        match config.get_hosts() {
            [tokio_postgres::config::Host::Unix(dir)] => dir.join(".s.PGSQL.5432"),
            other => panic!("{other:?}"),
        }
    }

    fn postmaster(&self) -> u32 {
        let file = fs::read_to_string(self.dir.join("postgres/postmaster.pid")).unwrap();
        file.lines().next().unwrap().parse().unwrap()
    }

    /// Kills the server and everything that it started, at once.
    pub async fn kill(&self) {
        let postmaster = self.postmaster();
        stop(&[postmaster]);
        let mut all = children(postmaster);
        all.push(postmaster);
        signal("KILL", &all);
        self.up().await;
    }

    /// Kills the server only: what it started goes on until it notices.
    pub async fn behead(&self) {
        signal("KILL", &[self.postmaster()]);
        self.up().await;
    }

    /// `INT` is a fast, `QUIT` an immediate shutdown.
    pub async fn restart(&self, name: &str) {
        signal(name, &[self.postmaster()]);
        let last = self.cluster.take();
        let ended = spawn_blocking(move || {
            let last = last.unwrap();
            while last.is_alive() {
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        ended.await.unwrap();
        self.up().await;
    }

    /// Nothing of it runs for a time.
    pub async fn freeze(&self, time: Duration) {
        let _frozen = self.stop_short();
        tokio::time::sleep(time).await;
    }

    /// Freezes all of its processes until what it gives is dropped.
    pub fn stop_short(&self) -> Frozen {
        let postmaster = self.postmaster();
        stop(&[postmaster]);
        let mut all = children(postmaster);
        stop(&all);
        all.push(postmaster);
        Frozen(all)
    }

    /// Kills one process that serves the service; the server then ends all others and recovers.
    pub async fn kill_one(&self) {
        let busy = "SELECT pid FROM pg_stat_activity WHERE application_name = 'samverkan' AND pid <> pg_backend_pid()
            ORDER BY state = 'active' DESC, state LIKE 'idle in%' DESC, query_start DESC LIMIT 1";
        let busy = self.ask(busy).await;
        let pids: Vec<i32> = busy.iter().map(|row| row.get(0)).collect();
        let pids: Vec<u32> = pids
            .into_iter()
            .map(|pid| pid.try_into().unwrap())
            .collect();
        signal("KILL", &pids);
    }

    /// Ends all sessions of the service, as an operator does.
    pub async fn end_sessions(&self) {
        self.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'samverkan' AND pid <> pg_backend_pid()")
            .await;
    }

    pub async fn ask(&self, sql: &str) -> Vec<tokio_postgres::Row> {
        let target = Target::parse(&self.url()).unwrap();
        let client = connect::open_plain(&target, Work::Migrate).await.unwrap();
        client.query(sql, &[]).await.unwrap()
    }

    /// As [`ask`](Self::ask), if the database answers just now.
    pub async fn ask_if_there(&self, sql: &str) {
        if self.cluster.borrow().is_none() {
            return;
        }
        let target = Target::parse(&self.url()).unwrap();
        if let Ok(client) = connect::open_plain(&target, Work::Migrate).await {
            let _ = timeout(Duration::from_secs(3), client.query(sql, &[])).await;
        }
    }
}
