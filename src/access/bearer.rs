//! The bearer token of a request, verified once.
//!
//! The middleware never refuses: a public route must work beside a stale token. It leaves what it found for the
//! [`super::Grant`] to judge.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::{Arc, RwLock};

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};
use chrono::{DateTime, Utc};
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

/// Clients whose earlier tokens are refused, by row; kept in step with the database every few seconds.
#[derive(Clone, Debug, Default)]
pub struct Revocations(Arc<RwLock<HashMap<Uuid, DateTime<Utc>>>>);

impl Revocations {
    /// Replaces the whole list.
    pub fn replace(&self, all: HashMap<Uuid, DateTime<Utc>>) {
        if let Ok(mut known) = self.0.write() {
            *known = all;
        }
    }

    fn refuses(&self, claims: &AccessClaims) -> bool {
        self.0.read().is_ok_and(|known| {
            known
                .get(&claims.sub)
                .is_some_and(|after| claims.iat <= after.timestamp())
        })
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
        Ok(claims) => Identity::Known(Rc::new(Caller {
            subject: claims.sub,
            client_id: claims.client_id.clone(),
            permissions: claims
                .scope
                .split(' ')
                .filter_map(|scope| scope.parse().ok())
                .collect(),
            reach: Reach::of(claims.areas.iter().cloned()),
        })),
        Err(fault) => Identity::Refused(fault.cause()),
    }
}
