//! The names of rows of the registry.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Imported, found, inside, joined};
use crate::db::fragment::{Bind, Condition};
use crate::db::{Conn, WriteError};
use crate::registry::areas::districts::{DistrictIn, Districts};
use crate::registry::codes::{CooperationForm, PartnershipRole};
use crate::registry::collaborations::api::Collaborations;
use crate::registry::collaborations::reference::CollaborationRef;
use crate::registry::culture_schools::api::CultureSchools;
use crate::registry::culture_schools::reference::CultureSchoolRef;
use crate::registry::partners::api::Partners;
use crate::registry::partners::reference::PartnerRef;
use crate::registry::partners::store as partner_store;
use crate::registry::partnerships::api::Partnerships;
use crate::registry::projects::api::Projects;
use crate::registry::projects::reference::ProjectRef;
use crate::schema::{areas, collaborations, culture_schools, partners, partnerships, projects};
use crate::values::{AreaCode, Line, Month, OrgNumber};

diesel::define_sql_function! {
    /// Lower case, as the unique indexes on names have it.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}

fn id(text: &str) -> Option<Uuid> {
    text.parse().ok()
}

/// A culture school: its municipality and its name, in upper or lower case.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct SchoolName {
    municipality: Option<AreaCode>,
    name: Option<Line>,
}

impl Imported for CultureSchools {
    type Name = SchoolName;
    fn key(text: &str) -> Option<Uuid> {
        id(text)
    }
    fn text(name: &SchoolName) -> Option<String> {
        let title = name.name.as_ref()?.as_str().to_lowercase();
        joined([
            name.municipality.as_ref().map(AreaCode::as_str),
            Some(&title),
        ])
    }
    async fn named(mut conn: &Conn, name: &SchoolName) -> Result<Vec<Uuid>, WriteError> {
        let (Some(municipality), Some(name)) = (&name.municipality, &name.name) else {
            return Ok(Vec::new());
        };
        found(
            culture_schools::table
                .filter(culture_schools::area_code.eq(municipality.as_str()))
                .filter(lower(culture_schools::name).eq(lower(name.as_str())))
                .filter(culture_schools::deleted_at.is_null())
                .select(culture_schools::id)
                .limit(2)
                .load(&mut conn)
                .await,
        )
    }
}

/// A partner: its organisation number, or else its area and name.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PartnerName {
    org_number: Option<OrgNumber>,
    area: Option<AreaCode>,
    name: Option<Line>,
}

impl Imported for Partners {
    type Name = PartnerName;
    fn key(text: &str) -> Option<Uuid> {
        id(text)
    }
    fn text(name: &PartnerName) -> Option<String> {
        match &name.org_number {
            Some(number) => Some(number.canonical()),
            None => joined([
                name.area.as_ref().map(AreaCode::as_str),
                name.name.as_ref().map(Line::as_str),
            ]),
        }
    }
    /// A number that nobody has may be the one of a partner whose number was not known.
    async fn named(mut conn: &Conn, name: &PartnerName) -> Result<Vec<Uuid>, WriteError> {
        if let Some(number) = &name.org_number {
            let with_number = partner_store::by_org_number(conn, &number.canonical()).await?;
            if !with_number.is_empty() {
                return Ok(with_number);
            }
        }
        let (Some(area), Some(title)) = (&name.area, &name.name) else {
            return Ok(Vec::new());
        };
        let mut same = partners::table
            .filter(partners::area_code.eq(area.as_str()))
            .filter(partners::name.eq(title.as_str()))
            .filter(partners::deleted_at.is_null())
            .into_boxed();
        if name.org_number.is_some() {
            same = same.filter(partners::org_number.is_null());
        }
        found(same.select(partners::id).limit(2).load(&mut conn).await)
    }
}

/// A project: its area and title.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct ProjectName {
    area: Option<AreaCode>,
    title: Option<Line>,
}

impl Imported for Projects {
    type Name = ProjectName;
    fn key(text: &str) -> Option<Uuid> {
        id(text)
    }
    fn text(name: &ProjectName) -> Option<String> {
        joined([
            name.area.as_ref().map(AreaCode::as_str),
            name.title.as_ref().map(Line::as_str),
        ])
    }
    async fn named(mut conn: &Conn, name: &ProjectName) -> Result<Vec<Uuid>, WriteError> {
        let (Some(area), Some(title)) = (&name.area, &name.title) else {
            return Ok(Vec::new());
        };
        found(
            projects::table
                .filter(projects::area_code.eq(area.as_str()))
                .filter(projects::title.eq(title.as_str()))
                .filter(projects::deleted_at.is_null())
                .select(projects::id)
                .limit(2)
                .load(&mut conn)
                .await,
        )
    }
}

/// A collaboration: its name, in upper or lower case.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct CollaborationName {
    name: Option<Line>,
}

impl Imported for Collaborations {
    type Name = CollaborationName;
    fn key(text: &str) -> Option<Uuid> {
        id(text)
    }
    fn text(name: &CollaborationName) -> Option<String> {
        Some(name.name.as_ref()?.as_str().to_lowercase())
    }
    async fn named(mut conn: &Conn, name: &CollaborationName) -> Result<Vec<Uuid>, WriteError> {
        let Some(name) = &name.name else {
            return Ok(Vec::new());
        };
        found(
            collaborations::table
                .filter(lower(collaborations::name).eq(lower(name.as_str())))
                .filter(collaborations::deleted_at.is_null())
                .select(collaborations::id)
                .limit(2)
                .load(&mut conn)
                .await,
        )
    }
}

/// A partnership: all that `partnership_once` tells partnerships apart by.
#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PartnershipName {
    partner: Option<PartnerRef>,
    project: Option<ProjectRef>,
    collaboration: Option<CollaborationRef>,
    culture_school: Option<CultureSchoolRef>,
    area: Option<AreaCode>,
    role: Option<PartnershipRole>,
    form: Option<CooperationForm>,
    valid_from: Option<Month>,
}

impl Imported for Partnerships {
    type Name = PartnershipName;
    fn key(text: &str) -> Option<Uuid> {
        id(text)
    }
    fn text(name: &PartnershipName) -> Option<String> {
        let enough = name.partner.is_some() && name.area.is_some() && name.role.is_some();
        enough.then(|| serde_json::to_string(name).ok())?
    }
    async fn named(mut conn: &Conn, name: &PartnershipName) -> Result<Vec<Uuid>, WriteError> {
        let (Some(partner), Some(area), Some(role)) = (&name.partner, &name.area, name.role) else {
            return Ok(Vec::new());
        };
        let partner = partner.resolve(conn, "/partner").await?;
        let project = match &name.project {
            Some(project) => Some(project.resolve(conn, "/project").await?),
            None => None,
        };
        let collaboration = match &name.collaboration {
            Some(collaboration) => Some(collaboration.resolve(conn, "/collaboration").await?),
            None => None,
        };
        let school = match &name.culture_school {
            Some(school) => Some(school.resolve(conn, "/cultureSchool").await?),
            None => None,
        };
        let from = name.valid_from.as_ref().map(Month::as_str);
        found(
            partnerships::table
                .filter(partnerships::partner_id.eq(partner))
                .filter(partnerships::project_id.is_not_distinct_from(project))
                .filter(partnerships::collaboration_id.is_not_distinct_from(collaboration))
                .filter(partnerships::culture_school_id.is_not_distinct_from(school))
                .filter(partnerships::area_code.eq(area.as_str()))
                .filter(partnerships::role.eq(role))
                .filter(partnerships::form.is_not_distinct_from(name.form))
                .filter(partnerships::valid_from.is_not_distinct_from(from))
                .filter(partnerships::deleted_at.is_null())
                .select(partnerships::id)
                .limit(2)
                .load(&mut conn)
                .await,
        )
    }
}

/// A district: its code, which a deleted one keeps.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct DistrictName {
    code: Option<AreaCode>,
}

impl Imported for Districts {
    type Name = DistrictName;
    fn key(text: &str) -> Option<String> {
        Some(text.to_owned())
    }
    fn text(name: &DistrictName) -> Option<String> {
        name.code.as_ref().map(ToString::to_string)
    }
    async fn named(mut conn: &Conn, name: &DistrictName) -> Result<Vec<String>, WriteError> {
        let Some(code) = &name.code else {
            return Ok(Vec::new());
        };
        found(
            areas::table
                .filter(areas::code.eq(code.as_str()))
                .select(areas::code)
                .load(&mut conn)
                .await,
        )
    }
    /// Its municipality: a file of a municipality's districts is all of them.
    fn home(new: &DistrictIn) -> String {
        new.parent.to_string()
    }
    fn kept_by(areas: Vec<String>) -> Condition {
        Condition::with("parent_code = ANY(?)", [Bind::Texts(areas)])
    }
    fn kept_inside(areas: &[String]) -> Condition {
        inside("code", areas)
    }
}
