//! The statistics wing: what can be said of what was reported.
//!
//! A *publication* freezes approved reports under a name. Every number that leaves it for someone who does not own the
//! area is a sum over one protected base ([`cube`]), so that no two answers together say more than one does.

pub mod atoms;
pub mod answer;
pub mod blocks;
pub mod cache;
pub mod codes;
pub mod coverage;
pub mod cube;
pub mod deliver;
pub mod envelope;
pub mod frozen;
pub mod geography;
pub mod library;
pub mod protection;
pub mod quality;
pub mod participation;
pub mod query;
pub mod rates;
mod raw;
pub mod partnerships;

use utoipa_actix_web::service_config::ServiceConfig;

/// The handlers of this wing.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.configure(participation::routes);
    cfg.service(coverage::api::show_coverage)
        .service(partnerships::api::count_partnerships);
}
