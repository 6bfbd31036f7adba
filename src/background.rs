//! Work that is no request's: in threads of its own, since the workers have requests to answer, and each with a runtime of
//! its own. It goes on when the client hangs up, and ends with the service.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::problem::{ApiResult, Problem};

/// How long the end of the service waits for its threads to notice.
const PATIENCE: Duration = Duration::from_secs(5);

/// Threads of one kind. They are told to stop when it is dropped.
pub struct Background {
    name: &'static str,
    stop: watch::Sender<bool>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Background {
    /// None yet; those to come are called by this name.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            stop: watch::Sender::new(false),
            threads: Mutex::default(),
        }
    }

    /// Does this in a thread. What it is given becomes true, or is closed, when it is to stop.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start<F>(&self, work: F) -> ApiResult<()>
    where
        F: AsyncFnOnce(watch::Receiver<bool>) + Send + 'static,
    {
        let mut threads = self.at_work();
        threads.push(self.spawn(work)?);
        Ok(())
    }

    /// Does this in a thread unless one is at work, or all were told to stop.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start_if_idle<F>(&self, work: F) -> ApiResult<()>
    where
        F: AsyncFnOnce(watch::Receiver<bool>) + Send + 'static,
    {
        let mut threads = self.at_work();
        if threads.is_empty() && !*self.stop.borrow() {
            threads.push(self.spawn(work)?);
        }
        Ok(())
    }

    fn spawn<F>(&self, work: F) -> ApiResult<JoinHandle<()>>
    where
        F: AsyncFnOnce(watch::Receiver<bool>) + Send + 'static,
    {
        let stopped = self.stop.subscribe();
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Problem::internal)?;
        std::thread::Builder::new()
            .name(self.name.to_owned())
            .spawn(move || runtime.block_on(work(stopped)))
            .map_err(Problem::internal)
    }

    /// Those that have not ended.
    fn at_work(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        threads.retain(|thread| !thread.is_finished());
        threads
    }

    /// Tells them to stop, and waits until they have, or for five seconds.
    pub async fn stop(&self) {
        self.stop.send_replace(true);
        let deadline = Instant::now() + PATIENCE;
        while !self.at_work().is_empty() && Instant::now() < deadline {
            sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A thread that counts itself in and out.
    fn counted(
        running: &Arc<AtomicUsize>,
    ) -> impl AsyncFnOnce(watch::Receiver<bool>) + Send + 'static {
        let running = Arc::clone(running);
        running.fetch_add(1, Ordering::SeqCst);
        async move |mut stopped: watch::Receiver<bool>| {
            let _ = stopped.wait_for(|stop| *stop).await;
            running.fetch_sub(1, Ordering::SeqCst);
        }
    }

    #[tokio::test]
    async fn all_threads_end_before_stop_returns() {
        let running = Arc::new(AtomicUsize::new(0));
        let background = Background::new("test");
        for _ in 0..3 {
            background.start(counted(&running)).unwrap();
        }
        assert_eq!(background.at_work().len(), 3);
        background.stop().await;
        assert_eq!(running.load(Ordering::SeqCst), 0);
        assert!(background.at_work().is_empty());
    }

    #[tokio::test]
    async fn one_that_is_to_be_alone_is_started_again_only_when_it_has_ended_and_never_after_the_end()
     {
        let background = Background::new("test");
        let began = Arc::new(AtomicUsize::new(0));
        let (end, ended) = watch::channel(false);
        let one = || {
            let (began, mut ended) = (Arc::clone(&began), ended.clone());
            async move |_: watch::Receiver<bool>| {
                began.fetch_add(1, Ordering::SeqCst);
                let _ = ended.wait_for(|ended| *ended).await;
            }
        };
        background.start_if_idle(one()).unwrap();
        background.start_if_idle(one()).unwrap();
        assert_eq!(background.at_work().len(), 1);
        end.send_replace(true);
        while !background.at_work().is_empty() {
            sleep(Duration::from_millis(1)).await;
        }
        background.start_if_idle(one()).unwrap();
        background.stop().await;
        background.start_if_idle(one()).unwrap();
        assert!(background.at_work().is_empty());
        assert_eq!(began.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn threads_are_told_to_stop_when_nobody_holds_them_any_more() {
        let running = Arc::new(AtomicUsize::new(0));
        let background = Background::new("test");
        background.start(counted(&running)).unwrap();
        drop(background);
        let deadline = std::time::Instant::now() + PATIENCE;
        while running.load(Ordering::SeqCst) > 0 {
            assert!(std::time::Instant::now() < deadline);
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
