//! Invented data of any size.

use super::{Failure, print};
use crate::config::Synth;
use crate::db::Shared;
use crate::synth::{Loaded, load as write};

/// `samverkan synth`
pub(super) async fn load(db: &Shared, synth: &Synth) -> Result<(), Failure> {
    let loaded = write(db.target(), synth.rows, synth.seed, synth.beside_real_data).await?;
    let Some(Loaded {
        observations,
        reports,
        populations,
    }) = loaded
    else {
        return print("this synthetic data is there already: nothing was loaded\n");
    };
    print(&format!(
        "wrote {observations} synthetic observations in {reports} approved reports, and {populations} populations\n"
    ))
}
