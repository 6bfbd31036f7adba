//! Checkpoints: places in the feed that are kept here under a name, for jobs that have nowhere to keep their own, and for
//! administrators, who see by them which office lags.
//!
//! A cursor that is stored together with the rows that it stands after is safer: both are there or neither.

pub mod administration;
pub mod api;
pub mod model;
pub mod store;

use utoipa_actix_web::service_config::ServiceConfig;

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.configure(api::routes).configure(administration::routes);
}
