//! What a copy needs besides the feed: what there is to copy, and within which limits.

pub mod discovery;

use utoipa_actix_web::service_config::ServiceConfig;

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.configure(discovery::routes);
}
