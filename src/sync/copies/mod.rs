//! What a copy needs besides the feed: how it begins, how it checks itself, and within which limits.

pub mod digest;
pub mod discovery;
pub mod export;
pub mod exporter;
pub mod snapshot;

use utoipa_actix_web::service_config::ServiceConfig;

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.configure(discovery::routes)
        .configure(snapshot::routes)
        .configure(export::routes)
        .configure(digest::routes);
}
