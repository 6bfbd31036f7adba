//! Sources: where numbers come from. A page, a report, a municipality's own return.
//!
//! Every report and every population names its source, so that a number can be traced to what somebody published.

pub mod api;
pub mod model;
pub mod reference;
pub mod store;

/// The publisher of every source of invented data, and how their titles begin. What is made of such a source is
/// invented as well, and says so.
pub const SYNTHETIC: &str = "SYNTETISKA DATA";
