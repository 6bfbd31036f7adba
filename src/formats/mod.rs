//! Writers of other formats than JSON: rows in, bytes out.

pub mod csv;
pub mod table;
