//! The sync wing: how data moves between offices, and what it was before.
pub mod history;
use utoipa_actix_web::service_config::ServiceConfig;
/// The handlers of this wing.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.configure(history::routes);
//! The sync wing: how an office keeps a complete, exact copy of what it may see.
//!
//! Changes are numbered at commit, so whoever has gone past a number has seen everything before it.
pub mod changes;
pub mod copies;
pub mod rows;
pub mod types;
use crate::values::CodeList;
/// Every vocabulary of this wing.
pub const LISTS: &[CodeList] = &[types::EntityType::LIST, types::ChangeOp::LIST];
    cfg.configure(changes::routes);
/// The handlers of this wing.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.configure(changes::routes).configure(copies::routes);
}
//! The sync wing: how regional offices keep a copy, and how they send what they have.
pub mod imports;
