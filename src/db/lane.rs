//! The fast lane of one worker: a few pipelined connections, opened when needed, replaced when broken.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::Conn;
use super::connect::{self, ConnectError, Target, Work};

/// Two connections a worker: more cost CPU and gain nothing on the machines measured.
pub(super) const CONNECTIONS: usize = 2;

/// See the module.
pub struct Lane {
    target: Target,
    slots: [Slot; CONNECTIONS],
    next: Cell<usize>,
}

#[derive(Default)]
struct Slot {
    conn: RefCell<Option<Rc<Conn>>>,
    // Held while opening, so that a burst after an outage opens one connection a slot and not one a request.
    opening: tokio::sync::Mutex<()>,
}

impl Slot {
    fn get(&self) -> Option<Rc<Conn>> {
        self.conn.borrow().clone()
    }
}

impl Lane {
    /// A lane that has not opened anything yet.
    #[must_use]
    pub fn new(target: Target) -> Self {
        Self {
            target,
            slots: Default::default(),
            next: Cell::new(0),
        }
    }

    /// The next connection in turn.
    ///
    /// # Errors
    /// When it had to be opened and could not be.
    pub async fn connection(&self) -> Result<Rc<Conn>, ConnectError> {
        let turn = self.next.get().wrapping_add(1);
        self.next.set(turn);
        let [first, second] = &self.slots;
        let slot = if turn.is_multiple_of(CONNECTIONS) {
            first
        } else {
            second
        };
        if let Some(conn) = slot.get() {
            return Ok(conn);
        }
        let _opening = slot.opening.lock().await;
        if let Some(conn) = slot.get() {
            return Ok(conn);
        }
        let conn = Rc::new(connect::open(&self.target, Work::Read).await?);
        slot.conn.replace(Some(Rc::clone(&conn)));
        Ok(conn)
    }

    /// Forgets a broken connection; requests still on it keep it until they end.
    pub fn discard(&self, broken: &Rc<Conn>) {
        for slot in &self.slots {
            let mut conn = slot.conn.borrow_mut();
            if conn.as_ref().is_some_and(|conn| Rc::ptr_eq(conn, broken)) {
                *conn = None;
            }
        }
    }
}
