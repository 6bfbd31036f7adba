//! What happened in a run: what was asked and answered, how often it had to be asked again, and what must never be.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::time::{Duration, Instant};

/// A write of one row that was answered with success.
pub struct Written {
    pub key: String,
    pub version: i64,
    /// When it was first sent.
    pub sent: Instant,
    pub acknowledged: Instant,
}

/// An import; its mark begins the names of all that it makes.
pub struct Imported {
    pub id: String,
    pub mark: String,
    /// How many rows the file has.
    pub rows: usize,
    /// How many partners or reports they make.
    pub makes: usize,
    pub said: Said,
}

/// How an import was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// All rows are written.
    Done,
    /// None is.
    Nothing,
}

#[derive(Default)]
pub struct Ledger {
    pub written: RefCell<Vec<Written>>,
    pub imported: RefCell<Vec<Imported>>,
    /// The marks of new rows that were answered with success, with the key that was told.
    pub made: RefCell<Vec<(String, String)>>,
    /// A poll that began after the answer and came to the end lacked the write.
    pub stale: Cell<usize>,
    /// Answers that no client should ever get.
    pub wrong: RefCell<Vec<String>>,
    requests: Cell<usize>,
    under_way: Cell<usize>,
    struck: Cell<usize>,
    hung_up: Cell<usize>,
    replayed: Cell<usize>,
    listened: Cell<usize>,
    slowest: RefCell<(Duration, String)>,
    faults: RefCell<Vec<String>>,
}

impl Ledger {
    pub fn asked(&self) {
        self.requests.set(self.requests.get() + 1);
        self.under_way.set(self.under_way.get() + 1);
    }

    pub fn over(&self, took: Duration, what: &str) {
        self.under_way.set(self.under_way.get() - 1);
        let mut slowest = self.slowest.borrow_mut();
        if took > slowest.0 {
            *slowest = (took, what.to_owned());
        }
    }

    /// A write has to be sent again because of a fault.
    pub fn strike(&self) {
        self.struck.set(self.struck.get() + 1);
    }

    /// A write has to be sent again because its client did not wait.
    pub fn hang_up(&self) {
        self.hung_up.set(self.hung_up.get() + 1);
    }

    pub fn replay(&self) {
        self.replayed.set(self.replayed.get() + 1);
    }

    /// A stream of events begins.
    pub fn listen(&self) {
        self.listened.set(self.listened.get() + 1);
    }

    pub fn blame(&self, what: String) {
        self.wrong.borrow_mut().push(what);
    }

    pub fn fault(&self, what: String) {
        self.faults.borrow_mut().push(what);
    }

    pub fn note(&self, key: &str, version: i64, sent: Instant) {
        self.written.borrow_mut().push(Written {
            key: key.to_owned(),
            version,
            sent,
            acknowledged: Instant::now(),
        });
    }

    pub fn under_way(&self) -> usize {
        self.under_way.get()
    }

    /// Writes that a fault hit while they were under way.
    pub fn struck(&self) -> usize {
        self.struck.get()
    }

    /// How often somebody began to listen.
    pub fn listened(&self) -> usize {
        self.listened.get()
    }

    /// Writes whose answer was lost after they were carried out.
    pub fn replayed(&self) -> usize {
        self.replayed.get()
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} requests, {} rows acknowledged, {} imports of {} rows; sent again: {} after a fault, {} after hanging up; {} replayed; {} streams; slowest {:?}\n{}",
            self.requests.get(),
            self.written.borrow().len(),
            self.imported.borrow().len(),
            self.imported
                .borrow()
                .iter()
                .map(|import| import.rows)
                .sum::<usize>(),
            self.struck.get(),
            self.hung_up.get(),
            self.replayed.get(),
            self.listened.get(),
            self.slowest.borrow(),
            self.faults.borrow().join("\n"),
        )?;
        for wrong in self.wrong.borrow().iter().take(20) {
            write!(f, "\nwrong: {wrong}")?;
        }
        Ok(())
    }
}
