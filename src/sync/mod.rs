//! The sync wing: how data moves between offices, and what it was before.

pub mod history;

use utoipa_actix_web::service_config::ServiceConfig;

/// The handlers of this wing.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.configure(history::routes);
}
