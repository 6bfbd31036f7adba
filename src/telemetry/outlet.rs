//! Where finished log lines leave the process: at once, or from a thread behind the service.
//!
//! A line for each request, written by whoever answers it, is a system call for each request and a lock that the
//! workers wait for. While [`Behind`] lives, a thread of its own writes instead. It writes at once what comes after a
//! silence, and then at most once every [`PAUSE`], whatever has gathered. Warnings and errors do not wait for it, and
//! take along what came before them: what explains a crash is out before it. Lines keep their order.

use std::io::{self, Write};
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

/// The longest that a line waits for others, and what a process that is killed can lose.
pub const PAUSE: Duration = Duration::from_millis(10);
/// Bytes that may wait; whoever adds more writes them, so that lines never come faster than they can be written.
const FULL: usize = 256 * 1024;

/// A place for lines, shared by all threads.
#[derive(Debug)]
pub struct Outlet<W> {
    pending: Mutex<Pending>,
    /// Held while writing: who holds it takes all that is pending, which keeps the order.
    out: Mutex<Out<W>>,
}

#[derive(Debug, Default)]
struct Pending {
    lines: Vec<u8>,
    /// The thread that writes, if there is one.
    behind: Option<Thread>,
    /// Whether it sleeps until somebody wakes it.
    sleeps: bool,
}

#[derive(Debug)]
struct Out<W> {
    to: W,
    lines: Vec<u8>,
}

impl<W: Write> Outlet<W> {
    /// An outlet without a thread.
    pub const fn new(to: W) -> Self {
        let lines = Vec::new();
        Self {
            pending: Mutex::new(Pending {
                lines: Vec::new(),
                behind: None,
                sleeps: false,
            }),
            out: Mutex::new(Out { to, lines }),
        }
    }

    /// Adds a line. It is written when this returns if `now` is true or no thread is behind.
    pub fn add(&self, line: &[u8], now: bool) {
        let mut pending = lock(&self.pending);
        pending.lines.extend_from_slice(line);
        if now || pending.behind.is_none() || pending.lines.len() >= FULL {
            drop(pending);
            self.write();
        } else if mem::take(&mut pending.sleeps)
            && let Some(behind) = &pending.behind
        {
            behind.unpark();
        }
    }

    /// Writes what is pending.
    pub fn write(&self) {
        let mut out = lock(&self.out);
        let Out { to, lines } = &mut *out;
        mem::swap(lines, &mut lock(&self.pending).lines);
        // A log that cannot be written has nowhere to say so.
        let _ = to.write_all(lines).and_then(|()| to.flush());
        lines.clear();
    }

    /// What the thread does.
    fn write_behind(&self, ended: &AtomicBool) {
        while !ended.load(Ordering::Acquire) {
            let mut pending = lock(&self.pending);
            pending.sleeps = pending.lines.is_empty();
            if pending.sleeps {
                drop(pending);
                thread::park();
            } else {
                drop(pending);
                self.write();
                thread::park_timeout(PAUSE);
            }
        }
    }
}

/// A panic while a line was added has left whole lines: they are only ever appended at once.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The thread behind an outlet. When this is dropped the thread ends, everything is written, and from then on each
/// line is written by whoever adds it.
#[derive(Debug)]
pub struct Behind<W: Write + Send + 'static> {
    outlet: &'static Outlet<W>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl<W: Write + Send + 'static> Behind<W> {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system allows no more threads.
    pub fn start(outlet: &'static Outlet<W>) -> io::Result<Self> {
        let ended = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&ended);
        let thread = thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || outlet.write_behind(&end))?;
        lock(&outlet.pending).behind = Some(thread.thread().clone());
        Ok(Self {
            outlet,
            ended,
            thread: Some(thread),
        })
    }
}

impl<W: Write + Send + 'static> Drop for Behind<W> {
    fn drop(&mut self) {
        lock(&self.outlet.pending).behind = None;
        self.ended.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It does not panic, and if it did, what it left is written below.
            let _ = thread.join();
        }
        self.outlet.write();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};

    use super::*;

    /// Tells of each write.
    struct Told(Sender<Vec<u8>>);

    impl Write for Told {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.send(bytes.to_vec());
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn outlet() -> (&'static Outlet<Told>, Receiver<Vec<u8>>) {
        let (sender, receiver) = channel();
        (Box::leak(Box::new(Outlet::new(Told(sender)))), receiver)
    }

    const SOON: Duration = Duration::from_secs(10);

    #[test]
    fn without_a_thread_each_line_is_written_at_once() {
        let (outlet, told) = outlet();
        outlet.add(b"one\n", false);
        assert_eq!(told.try_recv().unwrap(), b"one\n");
        outlet.add(b"two\n", false);
        assert_eq!(told.try_recv().unwrap(), b"two\n");
    }

    #[test]
    fn a_line_after_a_silence_is_written_without_a_second_one() {
        let (outlet, told) = outlet();
        let _behind = Behind::start(outlet).unwrap();
        for line in [b"one\n", b"two\n"] {
            assert_eq!(
                told.recv_timeout(PAUSE * 5).unwrap_err(),
                RecvTimeoutError::Timeout
            );
            outlet.add(line, false);
            assert_eq!(told.recv_timeout(SOON).unwrap(), line);
        }
    }

    #[test]
    fn an_urgent_line_is_out_when_the_call_returns_and_so_is_what_came_before() {
        let (outlet, told) = outlet();
        let _behind = Behind::start(outlet).unwrap();
        for number in 0..100 {
            outlet.add(format!("{number}\n").as_bytes(), false);
        }
        outlet.add(b"urgent\n", true);
        let all: Vec<u8> = told.try_iter().flatten().collect();
        assert!(all.starts_with(b"0\n1\n2\n") && all.ends_with(b"98\n99\nurgent\n"));
    }

    #[test]
    fn nothing_is_lost_doubled_or_torn_and_each_thread_keeps_its_order() {
        let (outlet, told) = outlet();
        let behind = Behind::start(outlet).unwrap();
        let threads: Vec<_> = (0..4)
            .map(|name| {
                thread::spawn(move || {
                    for number in 0..5_000 {
                        outlet.add(format!("{name} {number}\n").as_bytes(), number % 997 == 0);
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        drop(behind);
        let all: Vec<u8> = told.try_iter().flatten().collect();
        let mut next = [0; 4];
        for line in String::from_utf8(all).unwrap().lines() {
            let (name, number) = line.split_once(' ').unwrap();
            let next = &mut next[name.parse::<usize>().unwrap()];
            assert_eq!(number.parse::<i32>().unwrap(), *next);
            *next += 1;
        }
        assert_eq!(next, [5_000; 4]);
    }

    #[test]
    fn what_is_pending_at_the_end_is_written_and_then_nothing_waits() {
        let (outlet, told) = outlet();
        let behind = Behind::start(outlet).unwrap();
        outlet.add(b"one\n", false);
        outlet.add(b"two\n", false);
        drop(behind);
        let all: Vec<u8> = told.try_iter().flatten().collect();
        assert_eq!(all, b"one\ntwo\n");
        outlet.add(b"three\n", false);
        assert_eq!(told.try_recv().unwrap(), b"three\n");
    }

    #[test]
    fn lines_that_come_faster_than_they_are_written_do_not_gather_without_bound() {
        struct Slow;
        impl Write for Slow {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                thread::sleep(Duration::from_millis(1));
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let outlet: &'static Outlet<Slow> = Box::leak(Box::new(Outlet::new(Slow)));
        let _behind = Behind::start(outlet).unwrap();
        for _ in 0..2_000 {
            outlet.add(&[b'x'; 1_000], false);
            assert!(lock(&outlet.pending).lines.len() <= FULL);
        }
    }
}
