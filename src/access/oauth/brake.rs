//! A brake for guesses at a secret: five wrong ones a minute.
//!
//! It counts by the public part of the secret presented, not by client id or address. A guess can only succeed if its
//! public part is that of a stored secret, so every guess that could is counted; and only who knows that part (it is
//! shown to administrators alone) can make the brake refuse the right secret, for what is left of a minute. A count
//! by client id would let anyone who has seen an id keep the client out for ever, five requests a minute (OWASP ASVS
//! 5.0, 6.1.1); behind a reverse proxy a count by address would do the same.
//!
//! The usual case is no attack: a client that goes on with a revoked secret, as fast as it can. It is told to wait and
//! costs no look-up. What keeps attackers out is the 256 bits of a secret, which is why each copy of the service may
//! count for itself and start anew with the process, and why a few lines of our own do instead of a library.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

/// How many wrong secrets there may be within a window.
const ALLOWED: u32 = 5;
/// How long a window lasts, from the first wrong secret on.
const WINDOW: TimeDelta = TimeDelta::minutes(1);
/// How many secrets are counted at the same time: less than a MiB.
const COUNTED: usize = 4096;

/// See the module.
pub(super) struct Brake(Mutex<BTreeMap<Box<str>, Window>>);

#[derive(Clone, Copy)]
struct Window {
    began: DateTime<Utc>,
    failures: u32,
}

impl Window {
    /// A window that began in the future belongs to a clock that was set back, and counts no more.
    fn lasts(&self, now: DateTime<Utc>) -> bool {
        (TimeDelta::zero()..WINDOW).contains(&(now - self.began))
    }
}

impl Brake {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// How many seconds to wait, if there were too many wrong secrets with this public part: 1 to 60.
    pub(super) fn wait(&self, public_id: &str, now: DateTime<Utc>) -> Option<i64> {
        let window = *self.windows().get(public_id)?;
        (window.lasts(now) && window.failures >= ALLOWED)
            .then(|| (WINDOW - (now - window.began)).num_seconds().max(1))
    }

    /// Counts a wrong secret.
    pub(super) fn failed(&self, public_id: &str, now: DateTime<Utc>) {
        let mut windows = self.windows();
        if windows.len() >= COUNTED && !windows.contains_key(public_id) {
            windows.retain(|_, window| window.lasts(now));
            if windows.len() >= COUNTED {
                // Somebody sends guesses with ever new public parts. Forgetting gives nothing away that matters.
                windows.clear();
            }
        }
        let window = windows.entry(public_id.into()).or_insert(Window {
            began: now,
            failures: 0,
        });
        if !window.lasts(now) {
            *window = Window {
                began: now,
                failures: 0,
            };
        }
        window.failures = window.failures.saturating_add(1);
    }

    fn windows(&self) -> MutexGuard<'_, BTreeMap<Box<str>, Window>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> DateTime<Utc> {
        "2026-06-01T12:00:00Z".parse().unwrap()
    }

    fn braked() -> Brake {
        let brake = Brake::new();
        for _ in 0..ALLOWED {
            assert_eq!(brake.wait("k3v7q2mzt5ab", noon()), None);
            brake.failed("k3v7q2mzt5ab", noon());
        }
        brake
    }

    #[test]
    fn the_sixth_attempt_of_a_minute_waits_for_its_end() {
        let brake = braked();
        let after = |seconds| brake.wait("k3v7q2mzt5ab", noon() + TimeDelta::seconds(seconds));
        assert_eq!(after(0), Some(60));
        assert_eq!(after(59), Some(1));
        assert_eq!(after(60), None);
        assert_eq!(brake.wait("aaaaaaaaaaaa", noon()), None);
    }

    #[test]
    fn a_new_minute_begins_with_nothing_counted() {
        let brake = braked();
        let later = noon() + WINDOW;
        brake.failed("k3v7q2mzt5ab", later);
        assert_eq!(brake.wait("k3v7q2mzt5ab", later), None);
    }

    #[test]
    fn attempts_while_braked_do_not_make_it_longer() {
        let brake = braked();
        brake.failed("k3v7q2mzt5ab", noon() + TimeDelta::seconds(30));
        assert_eq!(brake.wait("k3v7q2mzt5ab", noon() + WINDOW), None);
    }

    #[test]
    fn a_clock_that_is_set_back_releases_the_brake() {
        let brake = braked();
        assert_eq!(
            brake.wait("k3v7q2mzt5ab", noon() - TimeDelta::hours(1)),
            None
        );
    }

    #[test]
    fn the_count_is_bounded_and_what_has_run_out_goes_first() {
        let brake = Brake::new();
        for n in 0..COUNTED {
            brake.failed(&format!("old{n}"), noon());
        }
        let later = noon() + WINDOW;
        for _ in 0..ALLOWED {
            brake.failed("k3v7q2mzt5ab", later);
        }
        assert_eq!(brake.windows().len(), 1);
        for n in 1..COUNTED {
            brake.failed(&format!("new{n}"), later);
        }
        assert!(
            brake.wait("k3v7q2mzt5ab", later).is_some(),
            "not yet full: nothing is forgotten"
        );
        brake.failed("one more", later);
        assert_eq!(brake.windows().len(), 1);
    }
}
