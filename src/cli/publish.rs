//! `samverkan publish`: a publication, made here and now.

use std::fmt::Write;

use super::{Failure, print};
use crate::config::Publish;
use crate::db::Shared;
use crate::statistics::frozen::Both;
use crate::statistics::publications::make::{self, Acknowledged, Made, Wanted};

/// Who is named as having made it.
const MAKER: &str = "samverkan publish";

pub(super) async fn run(db: &Shared, asked: Publish) -> Result<(), Failure> {
    let wanted = Wanted {
        title: Both {
            sv: format!("Kulturskolans deltagande och samverkan {}", asked.name),
            en: format!(
                "Participation and partnership of culture schools {}",
                asked.name
            ),
        },
        name: asked.name,
        note: None,
        sources: asked.sources,
        corrects: None,
        synthetic: asked.synthetic,
        acknowledged: if asked.acknowledge_all {
            Acknowledged::All
        } else {
            Acknowledged::These(Vec::new())
        },
    };
    let made = if asked.dry_run {
        make::try_out(db, &wanted).await?
    } else {
        make::publish(db, MAKER, &wanted).await?
    };
    print(&report(&made))
}

/// What was made, line by line.
fn report(made: &Made) -> String {
    let contents = &made.contents;
    let done = if made.id.is_some() {
        "published"
    } else {
        "would publish"
    };
    let mut text = format!(
        "{done} {}: {} observations of {} reports as {} blocks of {} cells and {} figures\n{} small cells protected, {} moved to larger areas\n",
        made.name,
        contents.observations,
        contents.reports,
        contents.blocks,
        contents.cells,
        contents.figures,
        made.protection.small,
        made.protection.moved,
    );
    for count in &made.counts {
        let seen = if count.acknowledged {
            ", acknowledged"
        } else {
            ""
        };
        // A String takes everything.
        let _ = writeln!(
            text,
            "{} {}: {}{seen}",
            count.severity, count.rule, count.count
        );
    }
    text
}
