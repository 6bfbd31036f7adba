//! Access tokens: signed JSON (RFC 9068, `at+jwt`, `EdDSA`) that says who calls, what it may do, and in which areas.
//!
//! A token lives ten minutes and is checked without the database. Whether the client has been switched off in the meantime
//! is another question, asked elsewhere.
//!
//! The library `jsonwebtoken` checks the signature, issuer and audience. Everything it does not look at is checked here:
//!
//! * **the header** may hold `typ`, `alg` and `kid` and nothing else. `crit`, `b64`, `zip` change what a signature means,
//!   `jwk`, `jku`, `x5c`, `x5u` let the sender bring the key; the library ignores all of them.
//! * **the claims**: it treats a claim of the wrong type as absent, and an absent one as correct, unless it is listed as
//!   required. All of ours are required, and each has exactly one type.
//! * **the times**: it reads the system clock. We pass the time in, so its own check of `exp` and `nbf` is off (they are
//!   still required) and `check_times` does that work, with the limits on age and lifetime that it lacks.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, Header, Validation};
use serde::Serialize;
use uuid::Uuid;

use super::keys::{Jwks, KeyRing};
use super::secret::{NoRandomness, random_bytes};

mod fault;
mod wire;

pub use fault::TokenFault;

/// How long a token lives unless configured otherwise: ten minutes.
pub const DEFAULT_LIFETIME: Duration = Duration::from_mins(10);
/// The longest lifetime that is issued or accepted: fifteen minutes.
pub const MAX_LIFETIME: Duration = Duration::from_secs(MAX_LIFETIME_SECONDS.unsigned_abs());
/// The longest token that is issued or read, in bytes.
pub const MAX_TOKEN_BYTES: usize = 4096;
/// By how much two clocks may differ, in seconds.
pub const LEEWAY_SECONDS: i64 = 5;

const MAX_LIFETIME_SECONDS: i64 = 900;
/// The media type of an access token (RFC 9068, 2.1): no other kind of token can take its place.
const TOKEN_TYPE: &str = "at+jwt";
/// How many verified tokens one thread remembers: with tokens of the greatest length, some 4 MiB.
const REMEMBERED: usize = 1024;

/// What a token says. Times are seconds since 1970 (`NumericDate`, RFC 7519).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccessClaims {
    /// Who issued it.
    pub iss: String,
    /// For whom: this service.
    pub aud: String,
    /// The client's row id.
    pub sub: Uuid,
    /// The client's public id, as in `client_…`.
    pub client_id: String,
    /// The permissions, separated by blanks.
    pub scope: String,
    /// The areas in which they hold.
    pub areas: Vec<String>,
    /// The token's own id, for revoking this one.
    pub jti: Uuid,
    /// When it was issued.
    pub iat: i64,
    /// Not valid before.
    pub nbf: i64,
    /// Not valid from this moment on.
    pub exp: i64,
}

/// A new token and what it says.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuedToken {
    /// The token itself; a secret while it lives.
    pub token: String,
    /// Its lifetime in seconds.
    pub expires_in: u64,
    /// What it says.
    pub claims: AccessClaims,
}

impl fmt::Debug for IssuedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            token: _,
            expires_in,
            claims,
        } = self;
        let mut shown = f.debug_struct("IssuedToken");
        shown
            .field("token", &"[redacted]")
            .field("expires_in", expires_in)
            .field("claims", claims)
            .finish()
    }
}

/// Why no token can be issued.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The issuer or audience is empty.
    #[error("the token's {0} must not be empty")]
    Unnamed(&'static str),
    /// The configured lifetime is outside 1 second to [`MAX_LIFETIME`].
    #[error("tokens must live 1 to {MAX_LIFETIME_SECONDS} seconds, not {0}")]
    Lifetime(u64),
    /// The ring has no key that may sign.
    #[error("there is no key to sign with")]
    NoKey,
    /// So many permissions or areas that this service would not read the token.
    #[error("the token would have {0} bytes, more than the {MAX_TOKEN_BYTES} that are read")]
    TooLong(usize),
    /// The cryptographic library failed.
    #[error("cannot sign: {0}")]
    Sign(#[from] jsonwebtoken::errors::Error),
    /// There are no random bytes for the token's id.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

/// Issues and verifies the access tokens of this service.
#[derive(Debug)]
pub struct Issuer {
    iss: String,
    aud: String,
    lifetime_seconds: i64,
    validation: Validation,
    keys: RwLock<Arc<KeyRing>>,
}

impl Issuer {
    /// An issuer with a name, an audience (this service's own identifier), a lifetime in whole seconds, and keys.
    ///
    /// # Errors
    /// [`TokenError::Unnamed`] or [`TokenError::Lifetime`].
    pub fn new(
        issuer: &str,
        audience: &str,
        lifetime: Duration,
        keys: KeyRing,
    ) -> Result<Self, TokenError> {
        for (what, name) in [("issuer", issuer), ("audience", audience)] {
            if name.is_empty() {
                return Err(TokenError::Unnamed(what));
            }
        }
        let lifetime_seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        if !(1..=MAX_LIFETIME_SECONDS).contains(&lifetime_seconds) {
            return Err(TokenError::Lifetime(lifetime.as_secs()));
        }
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&fault::REQUIRED);
        // These two read the system clock; see check_times.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        Ok(Self {
            iss: issuer.to_owned(),
            aud: audience.to_owned(),
            lifetime_seconds,
            validation,
            keys: RwLock::new(Arc::new(keys)),
        })
    }

    /// Who issues: `iss`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.iss
    }

    /// Issues a token: `sub` is the client's row id, `scope` its permissions separated by blanks.
    ///
    /// # Errors
    /// [`TokenError`]; [`TokenError::TooLong`] is the caller's to avoid, the others are faults of the installation.
    pub fn issue(
        &self,
        sub: Uuid,
        client_id: &str,
        scope: &str,
        areas: Vec<String>,
        now: DateTime<Utc>,
    ) -> Result<IssuedToken, TokenError> {
        let ring = self.keys();
        let key = ring.current(now).ok_or(TokenError::NoKey)?;
        let iat = now.timestamp();
        let claims = AccessClaims {
            iss: self.iss.clone(),
            aud: self.aud.clone(),
            sub,
            client_id: client_id.to_owned(),
            scope: scope.to_owned(),
            areas,
            // Random throughout: a token's id need not tell its time, and needs no clock.
            jti: uuid::Builder::from_random_bytes(random_bytes()?).into_uuid(),
            iat,
            nbf: iat,
            exp: iat + self.lifetime_seconds,
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TOKEN_TYPE.to_owned());
        header.kid = Some(key.kid().to_owned());
        let token = jsonwebtoken::encode(&header, &claims, key.signing())?;
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::TooLong(token.len()));
        }
        Ok(IssuedToken {
            token,
            expires_in: self.lifetime_seconds.unsigned_abs(),
            claims,
        })
    }

    /// What a token says, if it is one of ours and valid at this time.
    ///
    /// # Errors
    /// [`TokenFault`]: the first fault found. Nothing of the claims is looked at before the signature is known to be right.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<AccessClaims, TokenFault> {
        let ring = self.keys();
        self.verify_with(&ring, token, now)
            .map(|(claims, _)| claims)
    }

    /// As [`Self::verify`], but a token that this thread has seen before costs a look-up instead of a signature
    /// check. What depends on the time is checked each time; a new key ring forgets everything.
    ///
    /// # Errors
    /// As [`Self::verify`].
    pub fn verify_cached(
        &self,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<Arc<AccessClaims>, TokenFault> {
        let ring = self.keys();
        if let Some((accepted_until, claims)) = SEEN.with_borrow(|seen| {
            seen.get(signature(token))
                .filter(|s| *s.token == *token && s.generation == ring.generation())
                .map(|s| (s.accepted_until, Arc::clone(&s.claims)))
        }) {
            if accepted_until.is_some_and(|until| until <= now) {
                return Err(TokenFault::UnknownKey);
            }
            check_times(&claims, now)?;
            return Ok(claims);
        }
        let (claims, accepted_until) = self.verify_with(&ring, token, now)?;
        let claims = Arc::new(claims);
        let entry = Seen {
            token: token.into(),
            generation: ring.generation(),
            accepted_until,
            claims: Arc::clone(&claims),
        };
        SEEN.with_borrow_mut(|seen| {
            // Emptying it is rare, simple, and cannot be steered by whoever sends many tokens.
            if seen.len() >= REMEMBERED {
                seen.clear();
            }
            seen.insert(signature(token).into(), entry);
        });
        Ok(claims)
    }

    /// Puts another ring into use, and says whether it was different. One that says the same changes nothing, so a ring may
    /// be loaded again and again.
    pub fn replace_keys(&self, ring: KeyRing) -> bool {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let different = !keys.is_same_as(&ring);
        if different {
            *keys = Arc::new(ring);
        }
        different
    }

    /// The public keys, to be published.
    #[must_use]
    pub fn jwks(&self) -> Jwks {
        self.keys().jwks()
    }

    /// The keys in use. The lock is held for the length of a pointer copy.
    fn keys(&self) -> Arc<KeyRing> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The claims, and until when the key behind them is accepted.
    fn verify_with(
        &self,
        ring: &KeyRing,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<(AccessClaims, Option<DateTime<Utc>>), TokenFault> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenFault::TooLong);
        }
        let kid = wire::check_header(token)?;
        let key = ring.accepted(&kid, now).ok_or(TokenFault::UnknownKey)?;
        let decoded =
            jsonwebtoken::decode::<wire::WireClaims>(token, key.verifying(), &self.validation);
        let claims = decoded
            .map_err(|e| fault::of_library(e.kind()))?
            .claims
            .complete()?;
        check_times(&claims, now)?;
        Ok((claims, key.accepted_until()))
    }
}

/// A token that was verified by this thread.
struct Seen {
    /// All of it: what is remembered holds for these very bytes.
    token: Box<str>,
    /// Of the ring that verified it; each issuer has rings of its own, so this also tells issuers apart.
    generation: u64,
    accepted_until: Option<DateTime<Utc>>,
    claims: Arc<AccessClaims>,
}

thread_local! {
    /// By the signature, which is short to hash; the entry says of which token. One per thread: no lock, and no thread
    /// waits for another.
    static SEEN: RefCell<HashMap<Box<str>, Seen>> = RefCell::default();
}

/// The last part of a token, or all of what is none.
fn signature(token: &str) -> &str {
    token
        .rsplit_once('.')
        .map_or(token, |(_, signature)| signature)
}

/// Everything that depends on the time, in the order in which a reader of the log would ask.
fn check_times(claims: &AccessClaims, now: DateTime<Utc>) -> Result<(), TokenFault> {
    let now = now.timestamp();
    // Saturating: the numbers come from outside and may be the greatest there are.
    if !(1..=MAX_LIFETIME_SECONDS).contains(&claims.exp.saturating_sub(claims.iat)) {
        return Err(TokenFault::WrongLifetime);
    }
    if now - LEEWAY_SECONDS >= claims.exp {
        return Err(TokenFault::Expired);
    }
    if claims.nbf > now + LEEWAY_SECONDS {
        return Err(TokenFault::NotYetValid);
    }
    if claims.iat > now + LEEWAY_SECONDS {
        return Err(TokenFault::IssuedInFuture);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
