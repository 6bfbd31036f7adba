//! A grant is a proof: whoever holds one has been checked.

use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::rc::Rc;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::bearer::{Caller, Identity, Revocations};
use super::permission::{Action, Permission};
use crate::db::fragment::{Bind, Condition};
use crate::problem::{ApiResult, Fault, Problem, ProblemKind, text};

/// The areas a client reaches: codes nest by prefix, and `SE` holds all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach(Rc<[String]>);

impl Reach {
    /// Of these areas.
    #[must_use]
    pub fn of(areas: impl IntoIterator<Item = String>) -> Self {
        Self(areas.into_iter().collect())
    }

    /// Whether a row kept by `area` lies inside.
    #[must_use]
    pub fn covers(&self, area: &str) -> bool {
        self.0
            .iter()
            .any(|own| own == "SE" || area.starts_with(own.as_str()))
    }

    /// Fails unless `area`, which the body or the row names at `pointer`, lies inside.
    ///
    /// # Errors
    /// 403 that names the area.
    pub fn cover(&self, area: &str, pointer: &str) -> ApiResult<()> {
        if self.covers(area) {
            return Ok(());
        }
        let own = self.0.join(", ");
        Err(Problem::new(ProblemKind::AreaNotPermitted).fault(Fault::at(
            pointer,
            "area_not_permitted",
            text(
                format!("Området {area} ligger utanför dina områden: {own}."),
                format!("Area {area} is outside your areas: {own}."),
            ),
        )))
    }

    /// Whether the whole country lies inside.
    #[must_use]
    pub fn is_national(&self) -> bool {
        self.covers("SE")
    }

    /// The areas themselves.
    #[must_use]
    pub fn areas(&self) -> &[String] {
        &self.0
    }

    /// The rows whose `area_code` lies inside, as SQL. National reach has no condition.
    #[must_use]
    pub fn condition(&self) -> Condition {
        if self.is_national() {
            return Condition::sql("true");
        }
        let mut sql = Condition::sql("(false");
        for area in self.0.iter() {
            sql = sql.then(inside(area).prefixed(" OR "));
        }
        sql.push(")")
    }
}

/// The rows whose `area_code` lies in `area`, as a range of the index.
#[must_use]
pub fn inside(area: &str) -> Condition {
    if area == "SE" {
        return Condition::sql("true");
    }
    Condition::with(
        "(area_code >= ? AND area_code < ?)",
        [Bind::from(area), Bind::from(format!("{area}~"))],
    )
}

impl Condition {
    fn prefixed(self, sql: &'static str) -> Self {
        Self::sql(sql).then(self)
    }
}

/// The proof that the caller may do `A`, and where.
#[derive(Clone, Debug)]
pub struct Grant<A> {
    reach: Reach,
    caller: Rc<Caller>,
    action: PhantomData<fn() -> A>,
}

impl<A: Action> Grant<A> {
    /// Where the action is allowed.
    #[must_use]
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// Who acts, as kept with what they did.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.caller.client_id
    }

    /// The client's row.
    #[must_use]
    pub fn subject(&self) -> Uuid {
        self.caller.subject
    }

    /// Whether the caller may also do something else.
    #[must_use]
    pub fn also(&self, permission: Permission) -> bool {
        self.caller.permissions.contains(&permission)
    }

    /// Whether the token that the grant was made of is still good, for an answer that goes on after it was checked.
    #[must_use]
    pub fn holds(&self, revocations: &Revocations, now: DateTime<Utc>) -> bool {
        self.caller.holds(revocations, now)
    }

    /// Whether the token has been revoked since. That it ran out meanwhile does not matter to an answer that began
    /// before and has an end.
    #[must_use]
    pub fn is_revoked(&self, revocations: &Revocations) -> bool {
        self.caller.is_revoked(revocations)
    }

    /// Fails unless the action is allowed in `area`, which the body or the row names at `pointer`.
    ///
    /// # Errors
    /// 403 that names the area.
    pub fn cover(&self, area: &str, pointer: &str) -> ApiResult<()> {
        self.reach.cover(area, pointer)
    }
}

impl<A: Action> FromRequest for Grant<A> {
    type Error = Problem;
    type Future = Ready<ApiResult<Self>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(check::<A>(req))
    }
}

fn check<A: Action>(req: &HttpRequest) -> ApiResult<Grant<A>> {
    let caller = match req.extensions().get::<Identity>() {
        Some(Identity::Known(caller)) => Rc::clone(caller),
        Some(Identity::Refused(cause)) => return Err(unauthenticated("invalid_token", cause)),
        Some(Identity::Anonymous) | None => return Err(unauthenticated("", "no token")),
    };
    if !caller.permissions.contains(&A::PERMISSION) {
        let needed = A::PERMISSION.as_str();
        return Err(Problem::new(ProblemKind::InsufficientPermission)
            .detail(text(
                format!("Det här kräver behörigheten {needed}."),
                format!("This needs the permission {needed}."),
            ))
            .with_header(
                header::WWW_AUTHENTICATE,
                &format!(
                    "Bearer realm=\"samverkan\", error=\"insufficient_scope\", scope=\"{needed}\""
                ),
            ));
    }
    Ok(Grant {
        reach: caller.reach.clone(),
        caller,
        action: PhantomData,
    })
}

/// One neutral sentence for the client; the cause goes to the log.
fn unauthenticated(error: &str, cause: &str) -> Problem {
    let challenge = match error {
        "" => "Bearer realm=\"samverkan\"".to_owned(),
        error => format!("Bearer realm=\"samverkan\", error=\"{error}\""),
    };
    Problem::new(ProblemKind::Unauthenticated)
        .detail(text(
            "Skicka en giltig åtkomsttoken: Authorization: Bearer …",
            "Send a valid access token: Authorization: Bearer …",
        ))
        .with_header(header::WWW_AUTHENTICATE, &challenge)
        .because(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_nest_by_prefix() {
        let reach = Reach::of(["18".to_owned(), "1480".to_owned()]);
        assert!(
            reach.covers("18")
                && reach.covers("1880")
                && reach.covers("1880R001")
                && reach.covers("1480")
        );
        assert!(
            !reach.covers("SE")
                && !reach.covers("14")
                && !reach.covers("1481")
                && !reach.covers("1")
        );
        assert!(Reach::of(["SE".to_owned()]).covers("SE-vissa-stadsdelar"));
    }
}
