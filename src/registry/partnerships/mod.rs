//! Partnerships: who works with whom.
//!
//! A partnership is a partner in a project or a collaboration, at a place, in a role and a form of cooperation, for a
//! time, perhaps with a culture school. It may outlive its project, which the statistics ask about.

pub mod api;
pub mod model;
pub mod store;
