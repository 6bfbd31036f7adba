//! The registry wing: what exists. Areas, culture schools, partners, projects, collaborations, partnerships.
//!
//! A resource is a folder with the same four files: `mod.rs` (what this is), `model.rs` (rows), `store.rs`
//! (queries), `api.rs` (what goes in and out, and the handlers).

pub mod areas;
pub mod codes;
pub mod collaborations;
pub mod culture_schools;
pub mod funding;
pub mod partners;
pub mod partnerships;
pub mod projects;

use utoipa_actix_web::service_config::ServiceConfig;

/// The handlers of this wing.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.configure(partners::api::routes)
        .configure(projects::api::routes)
        .configure(partnerships::api::routes)
        .configure(collaborations::api::routes)
        .configure(areas::api::routes)
        .configure(culture_schools::api::routes);
}
