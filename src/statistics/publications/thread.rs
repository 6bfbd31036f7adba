//! The thread that makes publications: protecting and packing millions of cells is work for the processor.

use std::sync::Arc;

use tokio::sync::oneshot;
use uuid::Uuid;

use super::make::{self, Made, Maker, Wanted, begin, go_on, problem};
use crate::background::Background;
use crate::db::Shared;
use crate::db::once::Claim;
use crate::problem::{ApiResult, Problem, text};
use crate::statistics::library::Library;

/// The makings of this process; clones share them.
#[derive(Clone)]
pub struct Workshop(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    library: Library,
    threads: Background,
}

/// What a thread is to do.
pub struct Order {
    /// The client.
    pub client: String,
    /// The request.
    pub request: Option<Uuid>,
    /// The publication.
    pub wanted: Wanted,
    /// The key under which the request is kept, if it has one.
    pub claim: Option<Claim>,
}

impl Workshop {
    /// Publications of this database; the library reads its list anew after each.
    #[must_use]
    pub fn new(shared: Arc<Shared>, library: Library) -> Self {
        Self(Arc::new(Inner {
            shared,
            library,
            threads: Background::new("publishing"),
        }))
    }

    /// Begins a publication, and says so once its row is there. The rest happens in the thread.
    ///
    /// # Errors
    /// Whatever stands in the way of beginning.
    pub async fn begin(&self, order: Order) -> ApiResult<()> {
        let (tell, told) = oneshot::channel();
        let (shared, library) = (Arc::clone(&self.0.shared), self.0.library.clone());
        self.0.threads.start(async move |mut stopped| {
            let Order { client, request, wanted, claim } = order;
            let maker = Maker { client: &client, request };
            let begun = match begin(&shared, maker, &wanted, claim.as_ref()).await {
                Ok(begun) => begun,
                Err(stopped) => return drop(tell.send(Err(problem(stopped)))),
            };
            let id = begun.id;
            // Nobody may be listening any more; the publication is made all the same.
            drop(tell.send(Ok(())));
            tokio::select! {
                outcome = go_on(&shared, maker, &wanted, begun) => {
                    if outcome.is_ok() && let Err(problem) = shared.write(async |conn| Ok(library.refresh(conn).await?)).await {
                        log::warn!("the list of publications is read again later: {problem}");
                    }
                }
                _ = stopped.wait_for(|stop| *stop) => {
                    let said = text(
                        "Tjänsten stoppades medan publiceringen gjordes. Inget finns kvar.",
                        "The service was stopped while the publication was made. Nothing is kept.",
                    );
                    make::fail(&shared, id, &said, None).await;
                }
            }
        })?;
        told.await.map_err(Problem::internal)?
    }

    /// Tries a publication out. It ends when nobody waits for it any more.
    ///
    /// # Errors
    /// As [`make::try_out`].
    pub async fn try_out(&self, wanted: Wanted) -> ApiResult<Made> {
        let shared = Arc::clone(&self.0.shared);
        let (mut tell, told) = oneshot::channel();
        self.0.threads.start(async move |mut stopped| {
            tokio::select! {
                made = make::try_out(&shared, &wanted) => drop(tell.send(made)),
                () = tell.closed() => {}
                _ = stopped.wait_for(|stop| *stop) => {}
            }
        })?;
        told.await.map_err(Problem::unavailable)?
    }

    /// Ends what is being made: it fails, and says so.
    pub async fn stop(&self) {
        self.0.threads.stop().await;
    }
}
