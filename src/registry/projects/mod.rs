//! Projects: what is tried together for a time, with its parts, its money, its places and what remains afterwards.
//!
//! Sources disagree on when a project began and ended: each claim is kept with its source, and the months of the
//! project are those of the chosen one. Where it stands in time follows from the months and the day of asking.

pub mod api;
mod around;
pub mod children;
pub mod content;
pub mod filter;
pub mod includes;
pub mod model;
pub mod reference;
pub mod status;
pub mod store;
