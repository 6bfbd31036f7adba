//! Rows on their way into the database by COPY: made on a thread of their own, while PostgreSQL takes those before.

use actix_web::web::Bytes;
use futures_util::{SinkExt as _, pin_mut};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::spawn_blocking;
use tokio_postgres::Transaction;
use uuid::Uuid;

use super::SynthError;

/// So many bytes make a COPY. What PostgreSQL keeps in memory to check foreign keys at the end of a COPY grows with its
/// rows.
const ENOUGH: usize = 16 << 20;
/// Bytes in one message.
const MESSAGE: usize = 1 << 18;
/// Messages that wait for PostgreSQL.
const WAITING: usize = 8;

/// Lines in PostgreSQL's text format. No value holds a tabulator or a backslash.
#[derive(Debug)]
pub(super) struct Lines {
    text: Vec<u8>,
    count: u64,
    to: Sender<Bytes>,
}

impl Lines {
    /// Adds a line.
    pub(super) fn add(&mut self, id: Uuid, fields: &[&str]) {
        let mut text = [0; 36];
        self.text
            .extend_from_slice(id.as_hyphenated().encode_lower(&mut text).as_bytes());
        for field in fields {
            self.text.push(b'\t');
            self.text.extend_from_slice(field.as_bytes());
        }
        self.text.push(b'\n');
        self.count += 1;
        if self.text.len() >= MESSAGE {
            self.pass();
        }
    }

    /// Whether somebody still waits for lines.
    pub(super) fn wanted(&self) -> bool {
        !self.to.is_closed()
    }

    fn pass(&mut self) {
        let text = std::mem::take(&mut self.text);
        // If nobody listens any more, the copying has failed, and its own error tells why.
        let _ = self.to.blocking_send(Bytes::from(text));
    }
}

/// Copies the lines that `make` adds. Says how many there were.
pub(super) async fn copy(
    to: &Transaction<'_>,
    statement: &str,
    make: impl FnOnce(&mut Lines) + Send + 'static,
) -> Result<u64, SynthError> {
    let (sender, receiver) = channel(WAITING);
    let making = spawn_blocking(move || {
        let mut lines = Lines {
            text: Vec::new(),
            count: 0,
            to: sender,
        };
        make(&mut lines);
        lines.pass();
        lines.count
    });
    let sent = send(to, statement, receiver).await;
    // A maker that broke down has ended the stream like one that is done.
    let count = making
        .await
        .unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic()));
    sent.map(|()| count)
}

async fn send(
    to: &Transaction<'_>,
    statement: &str,
    mut lines: Receiver<Bytes>,
) -> Result<(), SynthError> {
    let mut next = lines.recv().await;
    while let Some(first) = next.take() {
        let sink = to.copy_in::<_, Bytes>(statement).await?;
        pin_mut!(sink);
        let mut sent = first.len();
        sink.feed(first).await?;
        while sent < ENOUGH
            && let Some(more) = lines.recv().await
        {
            sent += more.len();
            sink.feed(more).await?;
        }
        sink.finish().await?;
        next = lines.recv().await;
    }
    Ok(())
}
