//! Publications: approved reports, frozen and protected under a name that can be cited.
//!
//! `POST /publications` reads the approved reports of the chosen sources from one snapshot of the database and writes
//! what may be said of them in one transaction, so that a publication is there as a whole or not at all. Afterwards
//! nothing changes it: a correction is a new publication, and one that was wrong is withdrawn with a reason.
//!
//! * [`admission`] lets one at a time through, [`make`] is the order of the work, the heartbeat and the end, [`thread`]
//!   where it happens;
//! * [`freeze`] reads what the numbers refer to: measures, areas, sources, reports, residents, the network;
//! * [`gather`] reads the observations one by one, and [`family`] has them made into atoms, protected, and summed upward;
//! * [`blocks`] writes the sums; [`checks`] compares them, and [`findings`] holds what was noticed on the way.

pub mod admission;
pub mod api;
pub mod areas;
pub mod blocks;
pub mod checks;
pub mod family;
pub mod findings;
pub mod forms;
pub mod freeze;
pub mod gather;
pub mod make;
pub mod model;
pub mod plain;
pub mod residents;
pub mod store;
pub mod thread;
