//! Culture schools: the municipal culture (or music) schools, with the months they opened and closed.
//!
//! No law obliges a municipality to have one, some have several, and some take part in a neighbour's.

pub mod api;
pub mod model;
pub mod reference;
pub mod store;
