//! Reports: what one source says of one area for one period.
//!
//! A report is the unit of writing, versioning, approval, access and sync: a municipality's yearly return is one
//! report, a figure quoted from a web page is a small one. It is private to the offices whose areas hold its area;
//! everyone else reads publications. A report can be changed only while it is a draft. Its numbers are its
//! [`observations`].

pub mod api;
pub mod model;
pub mod observations;
pub mod period;
pub mod state;
pub mod store;
