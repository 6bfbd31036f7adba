//! The office's own tool: a client of the service, as any office could write one, in the same program.
//!
//! It knows the service by its API alone: nothing here looks into the database or uses what answers requests. So it
//! follows a service that is newer or older than itself, by the rules that `docs/SYNC.md` gives to every client.
//!
//! [`client`] speaks HTTP: the token, the waiting, the trying again. [`pull`] keeps a copy, whose place on the disk is
//! a [`folder`] and whose files are made by [`rows`]; [`snapshot`] is how a copy begins. [`push`] sends a file.

pub mod answers;
pub mod client;
pub mod error;
pub mod folder;
pub mod pull;
pub mod push;
pub mod rows;
pub mod snapshot;

pub use error::OfficeError;
