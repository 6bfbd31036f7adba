//! The Ed25519 keys that sign access tokens, and how they are exchanged while the service runs.
//!
//! Each key is one file, `key-<kid>.pem`, mode 0600, in a directory of mode 0700. The file is the whole truth about its key:
//!
//! ```text
//! Created: 2026-01-10T08:00:00.000000Z
//! Active-From: 2026-01-11T08:00:00.000000Z
//! -----BEGIN PRIVATE KEY-----
//! …PKCS#8…
//! -----END PRIVATE KEY-----
//! ```
//!
//! `kid` is the RFC 7638 thumbprint of the public key, so a file that was damaged or renamed does not fit its own name.
//!
//! **A key's state follows from the time, not from a stored flag**, so every copy of the service changes over at the same
//! moment and nobody has to run a second command:
//!
//! * *next*: `Active-From` is still to come. Published and accepted, not yet used. [`KeyRing::rotate`] makes one, with
//!   [`NOTICE`] (24 hours) to go, so that everyone who caches the key set has seen it before the first token.
//! * *current*: the newest key whose `Active-From` has passed. It signs.
//! * *previous*: its successor has taken over. Accepted for another [`PREVIOUS_KEPT`] (one hour), which is longer than any
//!   token lives; after that it is refused, and the next rotation deletes its file.
//!
//! A running service sees a new file when it loads the ring again, which it must do well within the 24 hours.
//!
//! **A key that has leaked**: rotate with [`Start::AtOnce`], delete the file of the leaked key, load the ring everywhere.
//! Its tokens are refused from that moment.
//!
//! Replicas may share the directory. Whoever creates, changes or deletes files holds a lock on `.lock` in it; files are
//! written under another name and renamed, so readers need no lock and never see half a key.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto};

/// How long a new key is published before it signs: 24 hours.
pub const NOTICE: TimeDelta = TimeDelta::hours(24);

/// How long a key is accepted after its successor took over: one hour. The longest token lives 15 minutes; the rest is for
/// copies of the service that learn of the successor late.
pub const PREVIOUS_KEPT: TimeDelta = TimeDelta::hours(1);

mod files;
mod jwks;

pub use jwks::{Jwk, Jwks};

/// Numbers the rings of this process.
static RINGS: AtomicU64 = AtomicU64::new(1);

/// Why the signing keys cannot be used. Each message is one line for the operator and names the file.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was attempted, as a verb.
        action: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A private key that others on the machine can read or write.
    #[error("the key file {} has mode {mode:04o}, so others can use the key; run: chmod 600 {}", path.display(), path.display())]
    FileTooOpen {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A directory in which others could place a key of their own.
    #[error("the key directory {} has mode {mode:04o}, so others can place keys in it; run: chmod 700 {}", path.display(), path.display())]
    DirectoryTooOpen {
        /// The directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A key file that does not hold what it should.
    #[error("the key file {} is damaged: {fault}", path.display())]
    Damaged {
        /// The key file.
        path: PathBuf,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// There is no key, and this call may not make one.
    #[error("the key directory {} holds no usable key file (key-<kid>.pem)", path.display())]
    Empty {
        /// The directory.
        path: PathBuf,
    },
    /// A rotation is already under way.
    #[error(
        "key {kid} is already waiting and takes over at {active_from}; start it at once instead, or wait"
    )]
    AlreadyWaiting {
        /// The waiting key.
        kid: String,
        /// When it takes over.
        active_from: DateTime<Utc>,
    },
    /// A new key could not be made.
    #[error(
        "cannot make a signing key: the operating system's random number generator or the cryptographic library failed"
    )]
    Generate,
    /// A key does not sign, does not verify what it signed, or verifies what it did not sign.
    #[error("key {kid} fails its self-test: {fault}")]
    SelfTest {
        /// The key.
        kid: String,
        /// What went wrong.
        fault: String,
    },
}

/// When a new key begins to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// After [`NOTICE`]: the ordinary rotation.
    AfterNotice,
    /// Now: for a key that has leaked. Whoever cached the key set may refuse tokens until they fetch it again.
    AtOnce,
}

/// One signing key. Its `Debug` does not show the private half.
#[derive(Debug, Clone)]
pub struct Key {
    kid: String,
    created: DateTime<Utc>,
    active_from: DateTime<Utc>,
    accepted_until: Option<DateTime<Utc>>,
    x: String,
    signing: EncodingKey,
    verifying: DecodingKey,
}

impl Key {
    /// The key's id: its RFC 7638 thumbprint (SHA-256, base64url).
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// When it was made.
    #[must_use]
    pub fn created(&self) -> DateTime<Utc> {
        self.created
    }

    /// When it begins to sign.
    #[must_use]
    pub fn active_from(&self) -> DateTime<Utc> {
        self.active_from
    }

    /// When its signatures stop being accepted; `None` while it has no successor.
    #[must_use]
    pub fn accepted_until(&self) -> Option<DateTime<Utc>> {
        self.accepted_until
    }

    pub(super) fn signing(&self) -> &EncodingKey {
        &self.signing
    }

    pub(super) fn verifying(&self) -> &DecodingKey {
        &self.verifying
    }

    fn is_accepted(&self, now: DateTime<Utc>) -> bool {
        self.accepted_until.is_none_or(|until| now < until)
    }

    /// `None` when the bytes are not an Ed25519 key in PKCS#8.
    fn from_pkcs8(
        pkcs8: &[u8],
        created: DateTime<Utc>,
        active_from: DateTime<Utc>,
    ) -> Option<Self> {
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8).ok()?;
        let public = pair.public_key().as_ref();
        let x = URL_SAFE_NO_PAD.encode(public);
        Some(Self {
            kid: jwks::thumbprint(&x),
            created,
            active_from,
            accepted_until: None,
            x,
            signing: EncodingKey::from_ed_der(pkcs8),
            verifying: DecodingKey::from_ed_der(public),
        })
    }

    fn starting(&self, active_from: DateTime<Utc>) -> Self {
        Self {
            active_from,
            ..self.clone()
        }
    }

    fn file_name(&self) -> String {
        format!("key-{}.pem", self.kid)
    }
}

/// All keys that are in use: one signs, all verify. A ring never changes; a new one replaces it.
#[derive(Debug)]
pub struct KeyRing {
    /// By `active_from`, oldest first; never empty.
    keys: Vec<Key>,
    generation: u64,
}

impl KeyRing {
    /// Reads the keys in `dir`; where there are none, makes the directory and a first key, active at once.
    ///
    /// # Errors
    /// [`KeyError`], whose message names the file.
    pub fn load_or_create(dir: &Path, now: DateTime<Utc>) -> Result<Self, KeyError> {
        files::create_dir(dir)?;
        match Self::load(dir, now) {
            Err(KeyError::Empty { .. }) => {}
            loaded_or_failed => return loaded_or_failed,
        }
        // Two copies of the service may start at the same moment on an empty directory: the second one finds the first one's key.
        let _lock = files::lock(dir)?;
        match Self::load(dir, now) {
            Err(KeyError::Empty { .. }) => {}
            loaded_or_failed => return loaded_or_failed,
        }
        files::write(dir, &generate(now, now)?)?;
        Self::load(dir, now)
    }

    /// Reads the keys in `dir` and makes none: for a service that is running. A directory that has lost its files is an
    /// error there, not a reason to sign with a key that nobody knows.
    ///
    /// # Errors
    /// [`KeyError`], whose message names the file.
    pub fn load(dir: &Path, now: DateTime<Utc>) -> Result<Self, KeyError> {
        let mut keys = read_all(dir)?;
        keys.retain(|key| key.is_accepted(now));
        if keys.is_empty() {
            return Err(KeyError::Empty { path: dir.into() });
        }
        let ring = Self {
            keys,
            generation: RINGS.fetch_add(1, Ordering::Relaxed),
        };
        ring.self_test()?;
        Ok(ring)
    }

    /// Makes a new key, or with [`Start::AtOnce`] starts the one that waits, and deletes the files of keys that are no
    /// longer accepted. Services pick the change up when they load the ring again.
    ///
    /// # Errors
    /// [`KeyError::AlreadyWaiting`] when a next key exists and `start` is [`Start::AfterNotice`]; else as [`Self::load`].
    pub fn rotate(dir: &Path, now: DateTime<Utc>, start: Start) -> Result<Self, KeyError> {
        let _lock = files::lock(dir)?;
        let ring = Self::load(dir, now)?;
        // Later than the key it succeeds, if only by an instant: the order of the two must be beyond doubt.
        let succeed = |time: DateTime<Utc>| {
            let earliest = ring
                .current(now)
                .map(|key| key.active_from + TimeDelta::microseconds(1));
            earliest.map_or(time, |earliest| time.max(earliest))
        };
        let key = match (ring.next(now), start) {
            (Some(waiting), Start::AfterNotice) => {
                let (kid, active_from) = (waiting.kid.clone(), waiting.active_from);
                return Err(KeyError::AlreadyWaiting { kid, active_from });
            }
            (Some(waiting), Start::AtOnce) => waiting.starting(succeed(now)),
            (None, Start::AfterNotice) => generate(now, succeed(now + NOTICE))?,
            (None, Start::AtOnce) => generate(now, succeed(now))?,
        };
        files::write(dir, &key)?;
        for retired in read_all(dir)?.iter().filter(|key| !key.is_accepted(now)) {
            files::delete(dir, retired)?;
        }
        Self::load(dir, now)
    }

    /// The key that signs at this time.
    ///
    /// When the clock stands before every key's time (it was set back, or a replica that made the first key is a second
    /// ahead), the oldest key signs: the service goes on, and the key is accepted anyway.
    #[must_use]
    pub fn current(&self, now: DateTime<Utc>) -> Option<&Key> {
        self.keys
            .iter()
            .rev()
            .find(|key| key.active_from <= now)
            .or(self.keys.first())
    }

    /// The key that waits to become current, if there is one.
    #[must_use]
    pub fn next(&self, now: DateTime<Utc>) -> Option<&Key> {
        let last = self.keys.last().filter(|key| key.active_from > now)?;
        (self.keys.len() > 1).then_some(last)
    }

    /// Every key of the ring, oldest first.
    #[must_use]
    pub fn all(&self) -> &[Key] {
        &self.keys
    }

    /// The key with exactly this id, if its signatures are accepted at this time.
    #[must_use]
    pub fn accepted(&self, kid: &str, now: DateTime<Utc>) -> Option<&Key> {
        self.keys
            .iter()
            .find(|key| key.kid == kid && key.is_accepted(now))
    }

    /// The public keys, to be published.
    #[must_use]
    pub fn jwks(&self) -> Jwks {
        Jwks {
            keys: self
                .keys
                .iter()
                .map(|key| Jwk::new(&key.kid, &key.x))
                .collect(),
        }
    }

    /// A number that no other ring in this process has: what was remembered under another number was checked with other keys.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether the other ring says the same, although it was read at another time.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        let facts = |key: &Key| (key.kid.clone(), key.active_from, key.accepted_until);
        self.keys.iter().map(facts).eq(other.keys.iter().map(facts))
    }

    /// Signs and verifies a probe with every key. Loading a ring includes it, so a ring that cannot do its work is never
    /// put into use; a start-up sequence may call it again before the port opens.
    ///
    /// # Errors
    /// [`KeyError::SelfTest`] naming the key.
    pub fn self_test(&self) -> Result<(), KeyError> {
        install_provider();
        for key in &self.keys {
            let failed = |fault: String| KeyError::SelfTest {
                kid: key.kid.clone(),
                fault,
            };
            let signature = crypto::sign(b"probe", &key.signing, Algorithm::EdDSA)
                .map_err(|e| failed(e.to_string()))?;
            let verifies = |message: &[u8]| {
                crypto::verify(&signature, message, &key.verifying, Algorithm::EdDSA)
                    .map_err(|e| failed(e.to_string()))
            };
            if !verifies(b"probe")? {
                return Err(failed("it does not verify its own signature".to_owned()));
            }
            if verifies(b"another")? {
                return Err(failed("it verifies what it did not sign".to_owned()));
            }
        }
        Ok(())
    }
}

/// Chooses the cryptography of `jsonwebtoken` for the whole process.
///
/// Left to itself the library guesses from its features, and panics at the first token when a dependency has switched a second
/// one on. A repeated call changes nothing; that the choice works is what the self-test shows.
fn install_provider() {
    crypto::aws_lc::DEFAULT_PROVIDER.install_default().ok();
}

fn generate(created: DateTime<Utc>, active_from: DateTime<Utc>) -> Result<Key, KeyError> {
    // Version 1 of PKCS#8, which every OpenSSL reads; the public half is in the file's name already.
    let pkcs8 =
        Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).map_err(|_| KeyError::Generate)?;
    Key::from_pkcs8(pkcs8.as_ref(), created, active_from).ok_or(KeyError::Generate)
}

/// Every key of the directory, oldest first, each with the time until which it is accepted.
fn read_all(dir: &Path) -> Result<Vec<Key>, KeyError> {
    let mut keys = files::read_all(dir)?;
    keys.sort_by(|a, b| {
        (a.active_from, a.created, &a.kid).cmp(&(b.active_from, b.created, &b.kid))
    });
    let successors: Vec<_> = keys.iter().skip(1).map(|key| key.active_from).collect();
    for (key, taken_over) in keys.iter_mut().zip(successors) {
        key.accepted_until = Some(taken_over + PREVIOUS_KEPT);
    }
    Ok(keys)
}

#[cfg(test)]
pub(super) mod tests;
