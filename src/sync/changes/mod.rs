//! `/changes`: what changed, in the order in which it became visible, each row once and at its newest.
//!
//! A change gets its number at commit, under a lock that its transaction takes last and holds until it is visible
//! (migration `create_feed`). So whoever sees number n has seen every smaller one, or will never see it at all. The
//! cursor carries the position together with what it depends on: whose numbers they are, the types asked for, and what
//! the client may see.

pub mod api;
pub mod cursor;
pub mod epoch;
pub mod follow;
pub mod store;
mod stream;
pub mod upkeep;
pub mod wake;

use utoipa_actix_web::service_config::ServiceConfig;

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.configure(api::routes);
}
