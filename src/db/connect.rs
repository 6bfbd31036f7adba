//! Opening a connection: the address, the limits by kind of work, and nothing that can hang.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use diesel::ConnectionError;
use diesel_async::AsyncPgConnection;
use futures_util::{StreamExt, stream};
use tokio::time::timeout;
use tokio_postgres::tls::NoTlsStream;
use tokio_postgres::{AsyncMessage, Client, Connection, NoTls, Socket};

/// How long opening a connection may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// What a connection is for; decides how long a statement may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Short reads: 5 s.
    Read,
    /// Transactions: 9 s a statement, 5 s for a lock, 10 s idle.
    Write,
    /// Migrations: as long as they take, 60 s for a lock.
    Migrate,
    /// Making a publication: as long as it takes. The server looks every 5 s whether its client is still there, so that
    /// a long sort does not outlive a process that died.
    Publish,
    /// One state of the database, read in parts: 30 s a statement, 2 minutes between two. PostgreSQL's views show it by
    /// a name of its own, since its transaction may be open for long.
    Export,
}

impl Work {
    fn options(self) -> &'static str {
        match self {
            Self::Read => {
                "-c statement_timeout=5000 -c lock_timeout=2000 -c default_transaction_read_only=on"
            }
            Self::Write => {
                "-c statement_timeout=9000 -c lock_timeout=5000 -c idle_in_transaction_session_timeout=10000"
            }
            Self::Migrate => "-c statement_timeout=0 -c lock_timeout=60000",
            Self::Publish => {
                "-c statement_timeout=0 -c lock_timeout=20000 -c client_connection_check_interval=5000 -c work_mem=64MB"
            }
            Self::Export => {
                "-c statement_timeout=30000 -c lock_timeout=2000 -c idle_in_transaction_session_timeout=120000 -c default_transaction_read_only=on"
            }
        }
    }
}

/// Where the database is. Printing it shows no password.
#[derive(Clone)]
pub struct Target(Arc<tokio_postgres::Config>);

impl Target {
    /// Reads a `postgres://` address.
    ///
    /// # Errors
    /// When it is none, or when it demands TLS, which this version does not offer.
    pub fn parse(url: &str) -> Result<Self, ConnectError> {
        let mut config: tokio_postgres::Config = url.parse().map_err(ConnectError::Address)?;
        if matches!(
            config.get_ssl_mode(),
            tokio_postgres::config::SslMode::Require
        ) {
            return Err(ConnectError::Tls);
        }
        config
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_user_timeout(Duration::from_secs(5))
            .keepalives_idle(Duration::from_secs(30))
            .application_name("samverkan");
        Ok(Self(Arc::new(config)))
    }
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target")
            .field("hosts", &self.0.get_hosts())
            .field("database", &self.0.get_dbname())
            .finish()
    }
}

/// Why no connection could be opened.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address cannot be read.
    #[error("not a postgres:// address: {0}")]
    Address(#[source] tokio_postgres::Error),
    /// The address demands TLS.
    #[error(
        "sslmode=require is not supported: reach the database over a socket or a private network"
    )]
    Tls,
    /// The server refused or could not be reached.
    #[error("cannot connect to the database: {0}")]
    Refused(String),
    /// The server did not answer.
    #[error("the database did not answer within {CONNECT_TIMEOUT:?}")]
    Timeout,
}

impl ConnectError {
    /// As the pool wants it.
    #[must_use]
    pub fn into_diesel(self) -> ConnectionError {
        ConnectionError::BadConnection(self.to_string())
    }
}

/// Opens one connection.
///
/// # Errors
/// After [`CONNECT_TIMEOUT`] at the latest.
pub async fn open(target: &Target, work: Work) -> Result<AsyncPgConnection, ConnectError> {
    let opening = async {
        let (client, connection) = dial(target, work).await?;
        AsyncPgConnection::try_from_client_and_connection(client, connection)
            .await
            .map_err(|error| ConnectError::Refused(error.to_string()))
    };
    timeout(CONNECT_TIMEOUT, opening)
        .await
        .unwrap_or(Err(ConnectError::Timeout))
}

/// Opens one connection without diesel, for what diesel does not do: reading millions of rows one by one, and COPY.
/// It is driven by the runtime that this is called on, and closed when the client is dropped.
///
/// # Errors
/// After [`CONNECT_TIMEOUT`] at the latest.
pub async fn open_plain(target: &Target, work: Work) -> Result<Client, ConnectError> {
    let (client, connection) = timeout(CONNECT_TIMEOUT, dial(target, work))
        .await
        .unwrap_or(Err(ConnectError::Timeout))?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            log::warn!("a database connection ended: {}", sentence(&error));
        }
    });
    Ok(client)
}

/// Listens on a channel and calls `heard` for each word, and once when the listening has begun, until the connection is
/// lost.
///
/// # Errors
/// Why it could not begin, or why it ended.
pub async fn listen(
    target: &Target,
    channel: &'static str,
    heard: impl Fn(),
) -> Result<(), ConnectError> {
    let refused = |error: tokio_postgres::Error| ConnectError::Refused(sentence(&error));
    let (client, mut connection) = timeout(CONNECT_TIMEOUT, dial(target, Work::Read))
        .await
        .unwrap_or(Err(ConnectError::Timeout))?;
    let mut messages = stream::poll_fn(move |context| connection.poll_message(context));
    let begin = format!("LISTEN {channel}");
    let mut begin = pin!(client.batch_execute(&begin));
    let mut listening = false;
    loop {
        tokio::select! {
            done = &mut begin, if !listening => {
                done.map_err(refused)?;
                listening = true;
                heard();
            }
            message = messages.next() => match message {
                Some(Ok(AsyncMessage::Notification(_))) => heard(),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(refused(error)),
                None => return Err(ConnectError::Refused("the connection has ended".to_owned())),
            },
        }
    }
}

async fn dial(
    target: &Target,
    work: Work,
) -> Result<(Client, Connection<Socket, NoTlsStream>), ConnectError> {
    let mut config = (*target.0).clone();
    let options = match config.get_options() {
        Some(own) => format!("{own} {}", work.options()),
        None => work.options().to_owned(),
    };
    config.options(options);
    if work == Work::Export {
        config.application_name("samverkan export");
    }
    config
        .connect(NoTls)
        .await
        .map_err(|error| ConnectError::Refused(sentence(&error)))
}

/// tokio-postgres says "db error" and hides what the server said one level down.
pub(crate) fn sentence(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
