//! The manners of the API, the same for every resource: parameters, lists, conditional requests, bodies, formats.

pub mod accept;
pub mod body;
pub mod cors;
pub mod etag;
pub mod fallback;
pub mod lang;
pub mod list;
pub mod once;
pub mod params;
mod part;
pub mod resource;
mod shape;
mod words;

/// Where the API begins: the name and the major version, as the national profile wants it (UFN.01).
pub const BASE_PATH: &str = "/samverkan/v1";
/// The largest body of a single write, bytes.
pub const MAX_BODY: usize = 1024 * 1024;
/// The deepest nesting of a JSON body.
pub const MAX_DEPTH: usize = 32;
/// The longest list that a body may hold.
pub const MAX_ARRAY: usize = 1_000;
/// The most rows of a page.
pub const MAX_LIMIT: i64 = 1_000;
/// Rows of a page when none is asked for (FNS.09).
pub const DEFAULT_LIMIT: i64 = 20;
/// The longest address, bytes (UFN.05).
pub const MAX_URI: usize = 2_048;
