//! The sync wing: how regional offices keep a complete, exact copy of what they may see, how they send what they have,
//! and what a row was before.
//!
//! Changes are numbered at commit, so whoever has gone past a number has seen everything before it.

pub mod changes;
pub mod checkpoints;
pub mod copies;
pub mod history;
pub mod imports;
pub mod rows;
pub mod types;

use utoipa_actix_web::service_config::ServiceConfig;

use crate::values::CodeList;

/// Every vocabulary of this wing.
pub const LISTS: &[CodeList] = &[types::EntityType::LIST, types::ChangeOp::LIST];

/// The handlers of this wing.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.configure(changes::routes)
        .configure(copies::routes)
        .configure(checkpoints::routes)
        .configure(history::routes)
        .configure(imports::api::routes);
}
