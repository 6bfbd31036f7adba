//! The participation wing: what was reported. Measures, sources, reports with their observations, populations.
//!
//! A *measure* says what a number means, a *source* where it came from, a *report* what one source says of one area
//! for one period; *observations* live in exactly one report. *Populations* are the denominators.

pub mod codes;
pub mod measures;
pub mod places;
pub mod populations;
pub mod reports;
pub mod rules;
pub mod sources;

use utoipa_actix_web::service_config::ServiceConfig;

/// The handlers of this wing.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.configure(measures::api::routes)
        .configure(sources::api::routes)
        .configure(reports::api::routes)
        .configure(reports::state::routes)
        .configure(reports::observations::api::routes)
        .configure(reports::observations::of_report::routes)
        .configure(populations::api::routes);
}
