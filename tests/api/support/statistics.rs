//! Reports, residents and publications in few lines, for tests of the statistics.

use samverkan::access::Permission;
use samverkan::statistics::frozen::Both;
use samverkan::statistics::publications::make::{self, Acknowledged, Made, Wanted};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Caller, TestApp};

/// Writes what a publication is made from, over HTTP and as an administrator.
pub struct Fixture<'a> {
    pub app: &'a TestApp,
    pub admin: Caller,
}

/// An observation. `dimensions` are words in any order, each at most once: a gender (`girls`), an age band (`6-9`), a
/// subject (`dance`, and `subject:other`), a form of activity (`targeted_activity`), a basis (`residence`; else
/// `provider`), a status (`estimated`), and `@1880-a` for an area inside the report's.
pub fn obs(measure: &str, dimensions: &str, value: impl Into<f64>) -> Value {
    observation(measure, dimensions, Some(value.into()))
}

/// An observation without a value; the words hold the status that says why (`not_collected`).
pub fn missing(measure: &str, dimensions: &str) -> Value {
    observation(measure, dimensions, None)
}

fn observation(measure: &str, dimensions: &str, value: Option<f64>) -> Value {
    let mut body = json!({"measure": measure, "basis": "provider", "value": value});
    for word in dimensions.split_whitespace() {
        let (member, code) = if let Some(area) = word.strip_prefix('@') {
            ("area", area)
        } else if let Some(subject) = word.strip_prefix("subject:") {
            ("subject", subject)
        } else if word
            .parse::<samverkan::participation::codes::Gender>()
            .is_ok()
        {
            ("gender", word)
        } else if word
            .parse::<samverkan::participation::codes::ActivityForm>()
            .is_ok()
        {
            ("activityForm", word)
        } else if word
            .parse::<samverkan::participation::codes::Subject>()
            .is_ok()
        {
            ("subject", word)
        } else if word
            .parse::<samverkan::participation::codes::GeographyBasis>()
            .is_ok()
        {
            ("basis", word)
        } else if word
            .parse::<samverkan::participation::codes::ObservationStatus>()
            .is_ok()
        {
            ("status", word)
        } else {
            assert!(
                word.starts_with(|c: char| c.is_ascii_digit()),
                "what is `{word}`?"
            );
            ("ageBand", word)
        };
        body[member] = json!(code);
    }
    body
}

impl<'a> Fixture<'a> {
    /// With Sweden's areas and the measures of `data/measures.json`.
    pub async fn new(app: &'a TestApp) -> Self {
        samverkan::demo::load_reference(&app.state.db)
            .await
            .unwrap();
        Self {
            app,
            admin: app.admin(),
        }
    }

    /// A source of the whole country with an address; its id.
    pub async fn source(&self, title: &str) -> Uuid {
        let url = format!("https://example.se/{}", title.replace(' ', "-"));
        let body =
            json!({"title": title, "publisher": "Kulturskolebyrån", "area": "SE", "url": url});
        id(&self.admin.post("/sources", &body).await.expect(201))
    }

    /// A district of a municipality; `code` begins with the municipality's.
    pub async fn district(&self, code: &str, scheme: &str) {
        let body = json!({"code": code, "name": code, "parent": &code[..4], "scheme": scheme});
        self.admin.post("/districts", &body).await.expect(201);
    }

    /// An approved report of an area for a year (`2024`) or school year (`2023/2024`); its path.
    pub async fn report(
        &self,
        source: Uuid,
        area: &str,
        period: &str,
        observations: &[Value],
    ) -> String {
        let path = self.draft(source, area, period, observations).await;
        self.approve(&path).await;
        path
    }

    /// The same, still a draft.
    pub async fn draft(
        &self,
        source: Uuid,
        area: &str,
        period: &str,
        observations: &[Value],
    ) -> String {
        let kind = if period.contains('/') {
            "school_year"
        } else {
            "year"
        };
        let body = json!({"source": source, "area": area, "periodKind": kind, "period": period});
        let path = format!(
            "/reports/{}",
            id(&self.admin.post("/reports", &body).await.expect(201))
        );
        self.observe(&path, observations).await;
        path
    }

    /// Gives a draft these observations and no others.
    pub async fn observe(&self, report: &str, observations: &[Value]) {
        let body = json!({"observations": observations});
        let path = format!("{report}/observations");
        self.admin.put(&path, "*", &body).await.expect(200);
    }

    /// Submits and approves a draft.
    pub async fn approve(&self, report: &str) {
        for state in ["submitted", "approved"] {
            let path = format!("{report}/state");
            self.admin
                .put(&path, "*", &json!({"state": state}))
                .await
                .expect(200);
        }
    }

    /// Residents of an area at the end of a year: (gender, from, to, value), gender `total` for all.
    pub async fn residents(
        &self,
        source: Uuid,
        area: &str,
        year: i32,
        rows: &[(&str, u8, u8, u32)],
    ) {
        for (gender, from, to, value) in rows {
            let body = json!({"area": area, "year": year, "gender": gender, "ageFrom": from, "ageTo": to,
                "value": value, "referenceDate": format!("{year}-12-31"), "source": source});
            self.admin.post("/populations", &body).await.expect(201);
        }
    }

    /// Publishes all approved reports, every warning acknowledged, in this process and without HTTP.
    pub async fn publish(&self, name: &str) -> Made {
        self.publish_of(name, None).await
    }

    /// The same of these sources, the first of which counts where several say something.
    pub async fn publish_of(&self, name: &str, sources: Option<Vec<Uuid>>) -> Made {
        let wanted = wanted(name, sources);
        let made = make::publish(&self.app.state.db, "client_test", &wanted).await;
        let made = made.unwrap_or_else(|problem| panic!("{problem:?}"));
        let library = &self.app.state.library;
        let refreshed = self
            .app
            .state
            .db
            .write(async |conn| Ok(library.refresh(conn).await?))
            .await;
        refreshed.unwrap();
        made
    }

    /// Someone who reads published statistics and nothing else.
    pub fn analyst(&self) -> Caller {
        self.app.caller(&[Permission::StatisticsRead], &["SE"])
    }
}

/// A publication that is wanted with all its warnings.
pub fn wanted(name: &str, sources: Option<Vec<Uuid>>) -> Wanted {
    Wanted {
        name: name.to_owned(),
        title: Both {
            sv: format!("Kulturskolans deltagande {name}"),
            en: format!("Participation in culture schools {name}"),
        },
        note: None,
        sources,
        corrects: None,
        synthetic: false,
        acknowledged: Acknowledged::All,
    }
}

fn id(row: &Value) -> Uuid {
    row["id"].as_str().unwrap().parse().unwrap()
}
