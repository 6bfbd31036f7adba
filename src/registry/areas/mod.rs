//! Areas: Sweden, its counties and municipalities, and districts of several schemes.
//!
//! One table, three resources. Counties and municipalities are the country's and come with the migration (codes and
//! names from SCB); districts belong to whoever divides a city or the country, and are written by clients. Codes
//! nest by prefix, so the code of an area is also the area that keeps its row.

pub mod api;
pub mod districts;
pub mod model;
pub mod store;
