//! Who may do what, and where.
//!
//! A client (a machine: a front end, an office, an analyst) trades its id and secret for a short token at
//! `/oauth/token`. The token names its permissions and areas. A handler asks for a [`Grant`] of an action; only a
//! request with a valid token, the permission, and at least one area gets it. Store functions that touch private or
//! writable rows demand the grant, so that a query without one cannot be written by accident.

pub mod audit;
pub mod bearer;
pub mod clients;
mod grant;
pub mod keys;
pub mod oauth;
pub mod permission;
pub mod secret;
pub mod token;
pub mod upkeep;

pub use grant::{Grant, Reach, inside};
pub use permission::{Action, Permission};
