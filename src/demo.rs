//! The real data of `data/`: Sweden and the measures for every service, the rest for the demo.
//!
//! Rows go through the same types, rules and queries as a client's; only the grant is missing, since there is no
//! client. Everything is loaded in one transaction, or nothing is. Rows of one kind are written without waiting for each
//! other's answers: whoever tries the demo waits for this.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use futures_util::future::try_join_all;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::db::{Conn, Shared, WriteError};
use crate::http::body::valid;
use crate::http::resource::{Resource, Writable};
use crate::participation::codes::ReportState;
use crate::participation::measures::api::Measures;
use crate::participation::populations::api::Populations;
use crate::participation::reports;
use crate::participation::reports::api::Reports;
use crate::participation::reports::model::StateChange;
use crate::participation::reports::observations::of_report::write_all;
use crate::participation::sources::api::Sources;
use crate::problem::Problem;
use crate::registry::areas::{self, districts::Districts};
use crate::registry::collaborations::api::Collaborations;
use crate::registry::culture_schools::api::CultureSchools;
use crate::registry::partners::api::Partners;
use crate::registry::partnerships::api::Partnerships;
use crate::registry::projects::api::Projects;
use crate::schema::{measures, reports as reports_table, sources};
use crate::statistics::frozen::Both;
use crate::statistics::publications::make::{self, Acknowledged, Wanted};

/// Who is named as having submitted and approved the demo's reports.
const LOADER: &str = "samverkan demo";

/// Loads what every service needs: Sweden's areas, and the measures that are not there yet. A measure that an office
/// has changed stays as it is.
///
/// # Errors
/// When the database refuses.
pub async fn load_reference(shared: &Shared) -> Result<usize, Problem> {
    shared
        .write_long(async |conn| {
            alone(conn).await?;
            let areas = areas::store::load_sweden(conn).await?;
            let mut reading = conn;
            let known: Vec<String> = measures::table
                .select(measures::code)
                .load(&mut reading)
                .await?;
            let mut new = rows(include_str!("../data/measures.json"))?;
            new.retain(|row| !known.iter().any(|code| row["code"] == **code));
            Ok(areas + insert::<Measures>(conn, new).await?)
        })
        .await
}

/// Loads the demo data if there is none (no source yet, not even a deleted one), and makes a first publication of it.
///
/// # Errors
/// When the database refuses.
pub async fn load_if_empty(shared: &Shared) -> Result<usize, Problem> {
    let loaded = load_unpublished(shared).await?;
    if loaded > 0 {
        publish(shared).await?;
    }
    Ok(loaded)
}

/// The name of the demo's publication.
const PUBLICATION: &str = "2026.1";

/// Sources that come before others where they say the same: the 10.5 per cent of 2018 agree with Kulturrådet's own
/// number of pupils, 11 is the same number rounded; and Arvsfonden's page is dated, the one that shares its text is not.
const FIRST: &[&str] = &["compendium", "arvs-storstan"];

/// Publishes the demo data. It is known, so its warnings are too.
async fn publish(shared: &Shared) -> Result<(), Problem> {
    let mut listed = rows(include_str!("../data/demo/sources.json"))?;
    let urls = take_keys(&mut listed);
    let first: Vec<&String> = FIRST.iter().filter_map(|key| urls.get(*key)).collect();
    let sources = shared
        .write(async |conn| {
            let mut reading = conn;
            let mut all: Vec<(Uuid, Option<String>)> = sources::table
                .inner_join(reports_table::table.on(reports_table::source_id.eq(sources::id)))
                .filter(reports_table::state.eq(ReportState::Approved))
                .select((sources::id, sources::url))
                .distinct()
                .order_by(sources::id)
                .load(&mut reading)
                .await?;
            all.sort_by_key(|(_, url)| {
                let place = first.iter().position(|known| Some(*known) == url.as_ref());
                place.unwrap_or(first.len())
            });
            Ok(all.into_iter().map(|(id, _)| id).collect())
        })
        .await?;
    let wanted = Wanted {
        name: PUBLICATION.to_owned(),
        title: Both {
            sv: "Publicerade uppgifter om kulturskolan".to_owned(),
            en: "Published figures on culture schools".to_owned(),
        },
        note: Some("Demodata: uppgifter ur öppna källor, inte officiell statistik.".to_owned()),
        sources: Some(sources),
        corrects: None,
        synthetic: false,
        acknowledged: Acknowledged::All,
    };
    make::publish(shared, LOADER, &wanted).await?;
    Ok(())
}

async fn load_unpublished(shared: &Shared) -> Result<usize, Problem> {
    shared
        .write_long(async |conn| {
            alone(conn).await?;
            let mut reading = conn;
            let used: bool =
                diesel::select(diesel::dsl::exists(sources::table.select(sources::id)))
                    .get_result(&mut reading)
                    .await?;
            if used { Ok(0) } else { load(conn).await }
        })
        .await
}

/// Lets one process load at a time, until its transaction ends: the next one then sees what is there.
async fn alone(mut conn: &Conn) -> QueryResult<()> {
    // It waits as long as a statement may, not as long as for a row's lock. The number is the ASCII of "loading ".
    diesel::sql_query(
        "SELECT set_config('lock_timeout', '0', true), pg_advisory_xact_lock(7813570962404566816)",
    )
    .execute(&mut conn)
    .await?;
    Ok(())
}

/// `data/demo/registry.json`, in the order in which the rows can be written: each refers to rows of earlier lists only,
/// and a project to its parent, which is no part itself.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Registry {
    districts: Vec<Value>,
    culture_schools: Vec<Value>,
    partners: Vec<Value>,
    projects: Vec<Value>,
    collaborations: Vec<Value>,
    partnerships: Vec<Value>,
}

async fn load(conn: &Conn) -> Result<usize, WriteError> {
    let registry: Registry = serde_json::from_str(include_str!("../data/demo/registry.json"))
        .map_err(Problem::internal)?;
    let mut loaded = insert::<Districts>(conn, registry.districts).await?;
    loaded += insert::<CultureSchools>(conn, registry.culture_schools).await?;
    loaded += insert::<Partners>(conn, registry.partners).await?;
    let (parts, wholes): (Vec<_>, Vec<_>) = registry
        .projects
        .into_iter()
        .partition(|project| !project["parent"].is_null());
    loaded += insert::<Projects>(conn, wholes).await?;
    loaded += insert::<Projects>(conn, parts).await?;
    loaded += insert::<Collaborations>(conn, registry.collaborations).await?;
    loaded += insert::<Partnerships>(conn, registry.partnerships).await?;

    let mut sources = rows(include_str!("../data/demo/sources.json"))?;
    let urls = take_keys(&mut sources);
    loaded += insert::<Sources>(conn, sources).await?;
    loaded += insert::<Populations>(conn, populations(&urls)?).await?;
    Ok(loaded + figures(conn, &urls).await?)
}

async fn insert<R: Writable>(conn: &Conn, rows: Vec<Value>) -> Result<usize, WriteError> {
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let shown = row.to_string();
        let new: R::In =
            valid(row).map_err(|problem| Problem::internal(format!("{problem:?} in {shown}")))?;
        all.push(new);
    }
    try_join_all(all.iter().map(|new| R::insert(conn, new))).await?;
    Ok(all.len())
}

fn rows(text: &str) -> Result<Vec<Value>, Problem> {
    serde_json::from_str(text).map_err(Problem::internal)
}

/// The files name a source by a short key; the service by its address.
fn take_keys(sources: &mut [Value]) -> BTreeMap<String, String> {
    let mut urls = BTreeMap::new();
    for source in sources.iter_mut().filter_map(Value::as_object_mut) {
        if let (Some(Value::String(key)), Some(Value::String(url))) =
            (source.remove("key"), source.get("url"))
        {
            urls.insert(key, url.clone());
        }
    }
    urls
}

/// The rows of a CSV file as JSON: an empty field is null, and the named columns are numbers.
fn table(text: &str, numbers: &[&str]) -> Result<Vec<Map<String, Value>>, Problem> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let names = reader.headers().map_err(Problem::internal)?.clone();
    let mut all = Vec::new();
    for record in reader.records() {
        let record = record.map_err(Problem::internal)?;
        let mut row = Map::new();
        for (name, field) in names.iter().zip(&record) {
            let value = match field {
                "" => Value::Null,
                field if numbers.contains(&name) => field.parse().map_err(Problem::internal)?,
                field => json!(field),
            };
            row.insert(camel(name), value);
        }
        all.push(row);
    }
    Ok(all)
}

fn camel(name: &str) -> String {
    let mut parts = name.split('_');
    let mut camel = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut letters = part.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}

fn source(row: &mut Map<String, Value>, urls: &BTreeMap<String, String>) -> Result<Value, Problem> {
    let key = row.remove("sourceKey");
    let url = key
        .as_ref()
        .and_then(Value::as_str)
        .and_then(|key| urls.get(key));
    url.map(|url| json!({"url": url}))
        .ok_or_else(|| Problem::internal(format!("no source {key:?}")))
}

fn populations(urls: &BTreeMap<String, String>) -> Result<Vec<Value>, Problem> {
    let numbers = ["year", "age_from", "age_to", "value"];
    let mut all = table(include_str!("../data/demo/populations.csv"), &numbers)?;
    for row in &mut all {
        let source = source(row, urls)?;
        row.insert("source".to_owned(), source);
    }
    Ok(all.into_iter().map(Value::Object).collect())
}

/// Published figures: rows of the same source, reporting area and period are one report, approved as it was published.
async fn figures(conn: &Conn, urls: &BTreeMap<String, String>) -> Result<usize, WriteError> {
    let mut by_report: Vec<(Value, Vec<Value>)> = Vec::new();
    for mut row in table(include_str!("../data/demo/figures.csv"), &["value"])? {
        let mut report = Map::new();
        report.insert("source".to_owned(), source(&mut row, urls)?);
        report.insert(
            "area".to_owned(),
            row.remove("reportArea").unwrap_or_default(),
        );
        for name in ["periodKind", "period", "firstDay", "lastDay"] {
            report.insert(name.to_owned(), row.remove(name).unwrap_or_default());
        }
        let report = Value::Object(report);
        match by_report.iter_mut().find(|(known, _)| *known == report) {
            Some((_, observations)) => observations.push(Value::Object(row)),
            None => by_report.push((report, vec![Value::Object(row)])),
        }
    }
    let loading = by_report
        .into_iter()
        .map(|(report, observations)| report_of(conn, report, observations));
    Ok(try_join_all(loading).await?.iter().sum())
}

/// Writes a report with its observations, submitted and approved; says how many rows that were.
async fn report_of(
    conn: &Conn,
    report: Value,
    observations: Vec<Value>,
) -> Result<usize, WriteError> {
    let loaded = 1 + observations.len();
    let new = valid(report)?;
    let id = Reports::insert(conn, &new).await?;
    let report = Reports::find(conn, &id).await?.ok_or(diesel::NotFound)?;
    let observations = valid(json!({ "observations": observations }))?;
    write_all(conn, &report, &observations).await?;
    let approved = StateChange {
        state: ReportState::Approved,
        withdrawn_reason: None,
        submitted_by: Some(LOADER),
        submitted_at: Some(report.created_at),
        approved_by: Some(LOADER),
        approved_at: Some(report.created_at),
    };
    reports::store::turn(conn, id, approved).await?;
    Ok(loaded)
}
