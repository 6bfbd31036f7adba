//! The statistics wing: what can be said of what was reported.
//!
//! A *publication* freezes approved reports under a name. Every number that leaves it for someone who does not own the
//! area is a sum over one protected base ([`cube`]), so that no two answers together say more than one does.

pub mod answer;
pub mod atoms;
pub mod blocks;
pub mod cache;
pub mod codes;
pub mod coverage;
pub mod cube;
pub mod deliver;
pub mod frozen;
pub mod gaps;
pub mod geography;
pub mod library;
pub mod participation;
pub mod partnerships;
pub mod protection;
pub mod publications;
pub mod quality;
pub mod query;
pub mod rankings;
pub mod rates;
mod raw;

use utoipa_actix_web::service_config::ServiceConfig;

/// The handlers of this wing.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.configure(participation::routes)
        .configure(gaps::routes)
        .configure(rankings::routes)
        .service(coverage::api::show_coverage)
        .service(partnerships::api::count_partnerships)
        .configure(publications::api::routes);
}
