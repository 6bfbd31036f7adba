//! The bearer token of a request, verified once.
//!
//! The middleware never refuses: a public route must work beside a stale token. It leaves what it found for the
//! [`super::Grant`] to judge.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::{Arc, PoisonError, RwLock};

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::Reach;
use super::permission::Permission;
use super::token::{AccessClaims, Issuer};
use crate::clock::Clock;
use crate::telemetry;

/// A client, as its token describes it.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The client's row.
    pub subject: Uuid,
    /// The public id.
    pub client_id: String,
    /// What it may do.
    pub permissions: BTreeSet<Permission>,
    /// Where.
    pub reach: Reach,
    claims: Arc<AccessClaims>,
}

impl Caller {
    /// Whether the token that it came with is still good: neither over nor revoked since.
    #[must_use]
    pub fn holds(&self, revocations: &Revocations, now: DateTime<Utc>) -> bool {
        now.timestamp() < self.claims.exp && !self.is_revoked(revocations)
    }

    /// Whether the token has been revoked since.
    #[must_use]
    pub fn is_revoked(&self, revocations: &Revocations) -> bool {
        revocations.refuses(&self.claims)
    }
}

/// What the request says of its sender.
#[derive(Clone, Debug)]
pub enum Identity {
    /// Nothing.
    Anonymous,
    /// A token that is not valid, and why (for the log).
    Refused(&'static str),
    /// A client.
    Known(Rc<Caller>),
}

/// Clients whose earlier tokens are refused, by row; [`super::upkeep`] keeps it in step with the database.
///
/// It only learns: an entry goes when no token that it refuses can be alive any more, never because a reading of the
/// database lacked it.
#[derive(Clone, Debug, Default)]
pub struct Revocations(Arc<RwLock<HashMap<Uuid, DateTime<Utc>>>>);

/// How long a refusal is remembered: longer than the longest life of a token, and what two clocks may differ.
pub const REMEMBERED: TimeDelta = TimeDelta::minutes(16);

impl Revocations {
    /// Adds clients with the second up to which their tokens are refused, and forgets what is older than
    /// [`REMEMBERED`].
    pub fn learn(&self, news: impl IntoIterator<Item = (Uuid, DateTime<Utc>)>, now: DateTime<Utc>) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for (client, until) in news {
            let entry = known.entry(client).or_insert(until);
            *entry = until.max(*entry);
        }
        known.retain(|_, until| *until >= now - REMEMBERED);
    }

    fn refuses(&self, claims: &AccessClaims) -> bool {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known
            .get(&claims.sub)
            .is_some_and(|until| claims.iat <= until.timestamp())
    }
}

/// Middleware: leaves an [`Identity`] in the request.
///
/// # Errors
/// None of its own.
pub async fn identify(
    req: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let identity = identity_of(&req);
    if let Identity::Known(caller) = &identity {
        telemetry::note_caller(&caller.client_id);
    }
    req.extensions_mut().insert(identity);
    next.call(req).await
}

fn identity_of(req: &ServiceRequest) -> Identity {
    let mut headers = req.headers().get_all(header::AUTHORIZATION);
    let Some(value) = headers.next() else {
        return Identity::Anonymous;
    };
    if headers.next().is_some() {
        return Identity::Refused("two Authorization headers");
    }
    let Some((scheme, token)) = value.to_str().ok().and_then(|value| value.split_once(' ')) else {
        return Identity::Refused("Authorization is not scheme and token");
    };
    if !scheme.eq_ignore_ascii_case("Bearer") {
        return Identity::Refused("not a bearer token");
    }
    let (Some(issuer), Some(clock), Some(revocations)) = (
        req.app_data::<web::Data<Issuer>>(),
        req.app_data::<web::Data<Clock>>(),
        req.app_data::<web::Data<Revocations>>(),
    ) else {
        return Identity::Refused("the service has no keys");
    };
    match issuer.verify_cached(token.trim(), clock.now()) {
        Ok(claims) if revocations.refuses(&claims) => Identity::Refused("revoked"),
        Ok(claims) => Identity::Known(caller_of(&claims)),
        Err(fault) => Identity::Refused(fault.cause()),
    }
}

/// How many callers one thread remembers: as many as [`Issuer::verify_cached`] remembers tokens.
const CALLERS: usize = 1024;

/// A token's claims and the caller made of them.
type Made = (Arc<AccessClaims>, Rc<Caller>);

thread_local! {
    /// By the token's id. A token that comes again is verified anew (see above), but its caller is not built anew.
    static MADE: RefCell<HashMap<Uuid, Made>> = RefCell::default();
}

/// The caller that these claims describe. Remembered for these very claims, not for any that say the same id: so it
/// lives no longer than what [`Issuer::verify_cached`] remembers, and knows of no check that it could skip.
fn caller_of(claims: &Arc<AccessClaims>) -> Rc<Caller> {
    MADE.with_borrow_mut(|made| {
        if let Some((known, caller)) = made.get(&claims.jti)
            && Arc::ptr_eq(known, claims)
        {
            return Rc::clone(caller);
        }
        let caller = Rc::new(Caller {
            subject: claims.sub,
            client_id: claims.client_id.clone(),
            permissions: claims
                .scope
                .split(' ')
                .filter_map(|scope| scope.parse().ok())
                .collect(),
            reach: Reach::of(claims.areas.iter().cloned()),
            claims: Arc::clone(claims),
        });
        if made.len() >= CALLERS {
            made.clear();
        }
        made.insert(claims.jti, (Arc::clone(claims), Rc::clone(&caller)));
        caller
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn claims(sub: Uuid, issued: DateTime<Utc>) -> AccessClaims {
        AccessClaims {
            iss: "https://samverkan.example".to_owned(),
            aud: "samverkan".to_owned(),
            sub,
            client_id: "client_k3v7q2mzt5abcdef".to_owned(),
            scope: "registry:read of:later publish".to_owned(),
            areas: vec!["18".to_owned()],
            jti: Uuid::now_v7(),
            iat: issued.timestamp(),
            nbf: issued.timestamp(),
            exp: issued.timestamp() + 600,
        }
    }

    #[test]
    fn tokens_issued_up_to_the_second_are_refused_and_later_ones_are_not() {
        let (client, other) = (Uuid::now_v7(), Uuid::now_v7());
        let noon = at("2026-06-01T12:00:00.700Z");
        let revocations = Revocations::default();
        revocations.learn([(client, noon)], noon);
        let refused = |sub, text| revocations.refuses(&claims(sub, at(text)));
        assert!(refused(client, "2026-06-01T11:59:59Z"));
        assert!(refused(client, "2026-06-01T12:00:00Z"));
        assert!(!refused(client, "2026-06-01T12:00:01Z"));
        assert!(!refused(other, "2026-06-01T11:59:59Z"));
    }

    #[test]
    fn a_caller_holds_until_its_token_is_over_or_revoked() {
        let (client, noon) = (Uuid::now_v7(), at("2026-06-01T12:00:00Z"));
        let caller = caller_of(&Arc::new(claims(client, noon)));
        let revocations = Revocations::default();
        assert!(caller.holds(&revocations, noon + TimeDelta::seconds(599)));
        assert!(!caller.holds(&revocations, noon + TimeDelta::seconds(600)));
        revocations.learn([(client, noon)], noon);
        assert!(!caller.holds(&revocations, noon));
    }

    #[test]
    fn an_older_reading_of_the_database_lets_nobody_in_again() {
        let client = Uuid::now_v7();
        let noon = at("2026-06-01T12:00:00Z");
        let revocations = Revocations::default();
        revocations.learn([(client, noon)], noon);
        revocations.learn([(client, noon - TimeDelta::minutes(5))], noon);
        revocations.learn([], noon + TimeDelta::minutes(15));
        assert!(revocations.refuses(&claims(client, noon)));
        revocations.learn([], noon + REMEMBERED + TimeDelta::seconds(1));
        assert!(!revocations.refuses(&claims(client, noon)));
    }

    #[test]
    fn a_poisoned_lock_lets_nobody_in() {
        let client = Uuid::now_v7();
        let noon = at("2026-06-01T12:00:00Z");
        let revocations = Revocations::default();
        revocations.learn([(client, noon)], noon);
        let shared = revocations.clone();
        let panicked = std::thread::spawn(move || {
            let _held = shared.0.write().unwrap();
            panic!("while holding the lock");
        });
        assert!(panicked.join().is_err());
        assert!(revocations.refuses(&claims(client, noon)));
    }

    #[test]
    fn a_caller_is_built_once_for_the_same_claims_and_anew_for_others() {
        let first = Arc::new(claims(Uuid::now_v7(), at("2026-06-01T12:00:00Z")));
        let caller = caller_of(&first);
        assert!(Rc::ptr_eq(&caller, &caller_of(&first)));
        assert_eq!(caller.permissions.len(), 2, "what is not known is left out");
        let same_id = Arc::new(AccessClaims {
            scope: "publish".to_owned(),
            ..AccessClaims::clone(&first)
        });
        let narrower = caller_of(&same_id);
        assert_eq!(narrower.permissions, BTreeSet::from([Permission::Publish]));
    }

    #[test]
    fn callers_are_remembered_within_bounds() {
        for _ in 0..=CALLERS {
            caller_of(&Arc::new(claims(
                Uuid::now_v7(),
                at("2026-06-01T12:00:00Z"),
            )));
        }
        assert!(MADE.with_borrow(HashMap::len) <= CALLERS);
    }
}
