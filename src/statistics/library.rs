//! The publications as the process knows them: which there are, which were withdrawn, and the frozen documents of
//! those that were asked for. A named publication never changes, so what is loaded stays true; the list is read again
//! every few seconds and after each change made here.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use actix_web::http::header;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

use super::codes::PublicationState;
use super::frozen::{Both, Catalogue, Frozen, SHAPE, Told};
use crate::access::upkeep::Outage;
use crate::db::{Conn, Db, Shared};
use crate::http::BASE_PATH;
use crate::problem::{ApiResult, Problem, ProblemKind, text};
use crate::schema::{publication_documents, publications};

/// The documents of a publication, by their kind in the table.
pub const CATALOGUE: &str = "catalogue";
/// See [`CATALOGUE`].
pub const PLACES: &str = "places";
/// See [`CATALOGUE`].
pub const RETURNS: &str = "returns";
/// See [`CATALOGUE`].
pub const NETWORK: &str = "network";
/// Measured information loss; read by its own endpoint only.
pub const QUALITY: &str = "quality";

/// How many publications are kept in memory at the same time.
const KEPT: usize = 8;

/// How often the list is read: so long may a withdrawn publication be answered by another copy of the service.
pub const LIST_EVERY: Duration = Duration::from_secs(5);

/// A publication on the list.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = publications, check_for_backend(diesel::pg::Pg))]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct Listed {
    pub id: Uuid,
    pub name: String,
    pub state: PublicationState,
    pub title_sv: String,
    pub title_en: String,
    pub synthetic: bool,
    pub published_at: Option<DateTime<Utc>>,
    pub withdrawn_reason: Option<String>,
    pub successor: Option<String>,
}

/// What a process knows of the publications; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Library(Arc<RwLock<Shelf>>);

#[derive(Debug, Default)]
struct Shelf {
    listed: Arc<[Listed]>,
    frozen: HashMap<Uuid, Arc<Frozen>>,
}

impl Library {
    /// Reads the list anew.
    ///
    /// # Errors
    /// When the query fails.
    pub async fn refresh(&self, mut conn: &Conn) -> QueryResult<()> {
        let listed: Vec<Listed> = publications::table
            .filter(
                publications::state
                    .eq_any([PublicationState::Published, PublicationState::Withdrawn]),
            )
            .order_by(publications::published_at.desc())
            .select(Listed::as_select())
            .load(&mut conn)
            .await?;
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known
            .frozen
            .retain(|id, _| listed.iter().any(|known| known.id == *id));
        known.listed = listed.into();
        Ok(())
    }

    /// The published and withdrawn ones, the newest first.
    #[must_use]
    pub fn listed(&self) -> Arc<[Listed]> {
        let inside = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&inside.listed)
    }

    /// The publication of this name, or the newest for `latest`. A name that is not known yet is looked up once more
    /// in the database: another process may have published it a moment ago.
    ///
    /// # Errors
    /// 404 for an unknown name, 410 with the reason and the successor for a withdrawn one.
    pub async fn find(&self, db: &Db, name: &str) -> ApiResult<Listed> {
        if let Some(found) = self.known(name) {
            return found;
        }
        db.read(async |conn| self.refresh(conn).await).await?;
        self.known(name).unwrap_or_else(|| {
            Err(Problem::new(ProblemKind::NotFound).detail(text(
                "Det finns ingen publicering med det namnet.",
                "There is no publication of that name.",
            )))
        })
    }

    fn known(&self, name: &str) -> Option<ApiResult<Listed>> {
        let listed = self.listed();
        let found = listed.iter().find(|listed| match name {
            // Invented data is never what somebody means who names nothing.
            "latest" => listed.state == PublicationState::Published && !listed.synthetic,
            name => listed.name == name,
        });
        let found = found.or_else(|| {
            let latest = |listed: &&Listed| listed.state == PublicationState::Published;
            listed.iter().find(latest).filter(|_| name == "latest")
        })?;
        Some(if found.state == PublicationState::Withdrawn {
            Err(withdrawn(found))
        } else {
            Ok(found.clone())
        })
    }

    /// The frozen documents, from memory if they were asked for before.
    ///
    /// # Errors
    /// 410 `publication-outdated` if another version of the service froze them in a form that this one does not read.
    pub async fn open(&self, db: &Db, listed: &Listed) -> ApiResult<Arc<Frozen>> {
        if let Some(frozen) = self
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .frozen
            .get(&listed.id)
        {
            return Ok(Arc::clone(frozen));
        }
        let documents = db
            .read(async |conn| documents(conn, listed.id).await)
            .await?;
        let frozen = Arc::new(frozen(listed, documents)?);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.frozen.len() >= KEPT {
            known.frozen.clear();
        }
        known.frozen.insert(listed.id, Arc::clone(&frozen));
        Ok(frozen)
    }
}

/// Reads the list every [`LIST_EVERY`], without end. While the database is away, what is known stays known.
pub async fn keep_in_step(db: Arc<Shared>, library: Library) {
    let mut outage = Outage::new("reading the publications");
    let mut ticks = interval(LIST_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        outage.note(
            db.write(async |conn| Ok(library.refresh(conn).await?))
                .await,
        );
    }
}

fn withdrawn(listed: &Listed) -> Problem {
    let reason = sentence(listed.withdrawn_reason.as_deref().unwrap_or_default());
    let (sv, en) = listed.successor.as_deref().map_or_else(
        || {
            (
                "Den har ingen efterföljare.".to_owned(),
                "It has no successor.".to_owned(),
            )
        },
        |name| (format!("Använd {name}."), format!("Use {name}.")),
    );
    let problem = Problem::new(ProblemKind::Gone).detail(text(
        format!("Publiceringen {} är återkallad: {reason} {sv}", listed.name),
        format!("Publication {} is withdrawn: {reason} {en}", listed.name),
    ));
    match &listed.successor {
        // For programs (RFC 5829).
        Some(name) => problem.with_header(
            header::LINK,
            &format!("<{BASE_PATH}/publications/{name}>; rel=\"successor-version\""),
        ),
        None => problem,
    }
}

/// A reason as its writer put it, ended so that another sentence can follow.
fn sentence(reason: &str) -> Cow<'_, str> {
    if reason.ends_with(['.', '!', '?']) {
        Cow::Borrowed(reason)
    } else {
        Cow::Owned(format!("{reason}."))
    }
}

/// A publication that another version of the service made in a form that this one does not read.
pub fn outdated(name: &str, why: &dyn std::fmt::Display) -> Problem {
    log::warn!("publication {name} was frozen by another version of the service: {why}");
    Problem::new(ProblemKind::PublicationOutdated).detail(text(
        format!(
            "Publiceringen {name} är gjord av en annan version av tjänsten, i en form som den här inte läser. Dess källor måste publiceras på nytt, under ett nytt namn."
        ),
        format!(
            "Publication {name} was made by another version of the service, in a form that this one does not read. Its sources must be published anew, under a new name."
        ),
    ))
}

async fn documents(mut conn: &Conn, id: Uuid) -> QueryResult<HashMap<String, Value>> {
    let rows: Vec<(String, Value)> = publication_documents::table
        .filter(publication_documents::publication_id.eq(id))
        .filter(publication_documents::kind.ne(QUALITY))
        .select((publication_documents::kind, publication_documents::content))
        .load(&mut conn)
        .await?;
    Ok(rows.into_iter().collect())
}

fn frozen(listed: &Listed, mut documents: HashMap<String, Value>) -> ApiResult<Frozen> {
    fn read<T: DeserializeOwned>(
        name: &str,
        documents: &mut HashMap<String, Value>,
        kind: &str,
    ) -> ApiResult<T> {
        let document = documents.remove(kind).ok_or_else(|| {
            Problem::internal(format!("publication {name} has no document `{kind}`"))
        })?;
        serde_json::from_value(document).map_err(|error| outdated(name, &error))
    }
    let name = &listed.name;
    let catalogue: Catalogue = read(name, &mut documents, CATALOGUE)?;
    if catalogue.shape != SHAPE {
        let other = format!("its shape is {}, not {SHAPE}", catalogue.shape);
        return Err(outdated(name, &other));
    }
    let returns = read(name, &mut documents, RETURNS)?;
    Ok(Frozen {
        id: listed.id,
        name: listed.name.clone(),
        title: Both {
            sv: listed.title_sv.clone(),
            en: listed.title_en.clone(),
        },
        synthetic: listed.synthetic,
        published_at: listed.published_at.unwrap_or_default(),
        catalogue,
        places: read(name, &mut documents, PLACES)?,
        told: Told::of(&returns),
        returns,
        network: read(name, &mut documents, NETWORK)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_without_a_full_stop_gets_one() {
        assert_eq!(sentence("Fel nämnare"), "Fel nämnare.");
        assert_eq!(sentence("Fel nämnare."), "Fel nämnare.");
        assert_eq!(sentence("Vem vet?"), "Vem vet?");
    }
}
