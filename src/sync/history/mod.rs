//! The past, read: the versions of a row, and the audit trail.
//!
//! Versions are kept where rows are written ([`crate::http::resource`]); events by whoever does what they tell of
//! ([`crate::access::audit`]).

pub mod api;
pub mod audit;
pub mod model;
mod publications;
pub mod store;
pub mod versions;

use utoipa_actix_web::service_config::ServiceConfig;

use crate::access::audit::AuditAction;
use crate::db::history::VersionOp;
use crate::values::CodeList;

/// The vocabularies, for `/code-lists`.
pub const LISTS: &[CodeList] = &[VersionOp::LIST, AuditAction::LIST];

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.configure(api::routes).configure(audit::routes);
}
