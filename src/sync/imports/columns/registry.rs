//! The columns of the registry.

use super::{Column, Empty, Json, Kind, Reference, Use};
use crate::registry::areas::model::AreaKind;
use crate::registry::codes::{
    Continuation, CooperationForm, CultureSchoolKind, PartnerCategory, PartnershipRole,
    ProjectScope, ProjectStatus, State, Theme,
};

use Empty::{EmptyList, None as Nothing, Refused, Silent};
use Kind::{Area, Areas, Bool, Code, Codes, Day, Label, Month, PartialDate, Text, Whole};

/// A member of the row.
pub(super) const fn content(
    field: &'static str,
    sv: &'static str,
    en: &'static str,
    kind: Kind,
    empty: Empty,
) -> Column {
    Column {
        field,
        sv,
        en,
        kind,
        empty,
        role: Use::Content,
    }
}

/// What is exported and cannot be written.
pub(super) const fn read_only(
    field: &'static str,
    sv: &'static str,
    en: &'static str,
    kind: Kind,
) -> Column {
    Column {
        field,
        sv,
        en,
        kind,
        empty: Silent,
        role: Use::ReadOnly,
    }
}

/// The same as another column, in words.
pub(super) const fn named(
    field: &'static str,
    sv: &'static str,
    en: &'static str,
    kind: Kind,
    other: &'static str,
) -> Column {
    Column {
        field,
        sv,
        en,
        kind,
        empty: Silent,
        role: Use::InsteadOf(other),
    }
}

const fn key(field: &'static str, sv: &'static str, en: &'static str, kind: Kind) -> Column {
    Column {
        field,
        sv,
        en,
        kind,
        empty: Silent,
        role: Use::Key,
    }
}

pub(super) const ID: Column = key("id", "Id", "Id", Kind::Id);
pub(super) const AREA: Column = content("area", "Område", "Area", Area, Refused);
pub(super) const AREA_NAME: Column = named("areaName", "Områdets namn", "Area name", Area, "area");
pub(super) const NOTE: Column = content("note", "Anmärkning", "Note", Text, Nothing);
pub(super) const SOURCE_URL: Column = content(
    "sourceUrl",
    "Källans webbadress",
    "Source URL",
    Text,
    Nothing,
);
pub(super) const STATE: Column = content(
    "state",
    "Publiceringstillstånd",
    "State",
    Code(State::LIST),
    Silent,
);
pub(super) const VERSION: Column = key("version", "Version", "Version", Whole);
pub(super) const CREATED: Column = read_only("createdAt", "Skapad", "Created at", Kind::Moment);
pub(super) const UPDATED: Column = read_only("updatedAt", "Ändrad", "Updated at", Kind::Moment);
pub(super) const DELETED: Column = key("deletedAt", "Borttagen", "Deleted at", Kind::Moment);

const NAME: Column = content("name", "Namn", "Name", Text, Refused);
const DESCRIPTION: Column = content("description", "Beskrivning", "Description", Text, Nothing);
const PURPOSE: Column = content("purpose", "Syfte", "Purpose", Text, Nothing);
const WEBSITE: Column = content("website", "Webbplats", "Website", Text, Nothing);
const CIVIL_SOCIETY: Column = read_only("civilSociety", "Civilsamhälle", "Civil society", Bool);
const FUNDING: Column = content(
    "funding",
    "Finansiering",
    "Funding",
    Kind::Json(Json::Without(&["funderName"])),
    EmptyList,
);

pub(super) const CULTURE_SCHOOLS: &[Column] = &[
    ID,
    content("municipality", "Kommun", "Municipality", Area, Refused),
    named(
        "municipalityName",
        "Kommunens namn",
        "Municipality name",
        Area,
        "municipality",
    ),
    NAME,
    content(
        "kind",
        "Skolslag",
        "Kind of school",
        Code(CultureSchoolKind::LIST),
        Refused,
    ),
    content(
        "openedMonth",
        "Öppnad månad",
        "Opened month",
        Month,
        Nothing,
    ),
    content(
        "closedMonth",
        "Stängd månad",
        "Closed month",
        Month,
        Nothing,
    ),
    WEBSITE,
    SOURCE_URL,
    STATE,
    VERSION,
    CREATED,
    UPDATED,
    DELETED,
];

pub(super) const PARTNERS: &[Column] = &[
    ID,
    NAME,
    content(
        "orgNumber",
        "Organisationsnummer",
        "Organisation number",
        Label,
        Nothing,
    ),
    content(
        "category",
        "Kategori",
        "Category",
        Code(PartnerCategory::LIST),
        Refused,
    ),
    CIVIL_SOCIETY,
    content("legalForm", "Juridisk form", "Legal form", Label, Nothing),
    content("collective", "Samlingsnamn", "Collective", Bool, Silent),
    AREA,
    DESCRIPTION,
    WEBSITE,
    // Exported only with include=contacts: an empty cell says nothing of them.
    content(
        "contacts",
        "Kontakter",
        "Contacts",
        Kind::Json(Json::Same),
        Silent,
    ),
    SOURCE_URL,
    STATE,
    VERSION,
    CREATED,
    UPDATED,
    DELETED,
];

pub(super) const PROJECTS: &[Column] = &[
    ID,
    content("title", "Titel", "Title", Text, Refused),
    content(
        "owner",
        "Projektägare",
        "Owner",
        Kind::Reference(Reference::Partner),
        Nothing,
    ),
    named(
        "ownerName",
        "Projektägarens namn",
        "Owner name",
        Kind::Reference(Reference::Partner),
        "owner",
    ),
    content(
        "parent",
        "Överordnat projekt",
        "Parent",
        Kind::Reference(Reference::Project),
        Nothing,
    ),
    named(
        "parentTitle",
        "Överordnat projekts titel",
        "Parent title",
        Kind::Reference(Reference::Project),
        "parent",
    ),
    PURPOSE,
    content("goal", "Mål", "Goal", Text, Nothing),
    DESCRIPTION,
    content(
        "targetGroup",
        "Målgrupp",
        "Target group",
        Kind::Json(Json::Object),
        Nothing,
    ),
    content(
        "targetGroup.text",
        "Målgrupp i ord",
        "Target group in words",
        Text,
        Nothing,
    ),
    content(
        "targetGroup.ageFrom",
        "Målgrupp från ålder",
        "Target group from age",
        Whole,
        Nothing,
    ),
    content(
        "targetGroup.ageTo",
        "Målgrupp till ålder",
        "Target group to age",
        Whole,
        Nothing,
    ),
    content("method", "Metod", "Method", Text, Nothing),
    content("dissemination", "Spridning", "Dissemination", Text, Nothing),
    content(
        "afterProject",
        "Efter projektet",
        "After project",
        Text,
        Nothing,
    ),
    content(
        "continuation",
        "Fortsättning",
        "Continuation",
        Code(Continuation::LIST),
        Silent,
    ),
    content("startMonth", "Startmånad", "Start month", Month, Nothing),
    content("endMonth", "Slutmånad", "End month", Month, Nothing),
    read_only("status", "Status", "Status", Code(ProjectStatus::LIST)),
    read_only(
        "timeStatusPercent",
        "Tidsstatus procent",
        "Time status percent",
        Whole,
    ),
    content(
        "timeStatusPercentPublished",
        "Publicerad tidsstatus procent",
        "Time status percent published",
        Whole,
        Nothing,
    ),
    content("contactTown", "Kontaktort", "Contact town", Text, Nothing),
    content(
        "scope",
        "Räckvidd",
        "Scope",
        Code(ProjectScope::LIST),
        Refused,
    ),
    AREA,
    content("areas", "Verksam i områden", "Areas", Areas, EmptyList),
    content("themes", "Teman", "Themes", Codes(Theme::LIST), EmptyList),
    FUNDING,
    content(
        "dateClaims",
        "Uppgifter om tid",
        "Date claims",
        Kind::Json(Json::Same),
        EmptyList,
    ),
    read_only(
        "partners",
        "Samarbetsparter",
        "Partners",
        Kind::Json(Json::Same),
    ),
    read_only(
        "subprojects",
        "Delprojekt",
        "Subprojects",
        Kind::Json(Json::Same),
    ),
    SOURCE_URL,
    STATE,
    VERSION,
    CREATED,
    UPDATED,
    DELETED,
];

pub(super) const COLLABORATIONS: &[Column] = &[
    ID,
    NAME,
    PURPOSE,
    DESCRIPTION,
    content("established", "Bildad", "Established", PartialDate, Nothing),
    AREA,
    content("regions", "Län", "Regions", Areas, EmptyList),
    read_only("memberCount", "Antal medlemmar", "Member count", Whole),
    read_only(
        "administrativeHost",
        "Administrativ huvudman",
        "Administrative host",
        Area,
    ),
    read_only(
        "administrativeHostName",
        "Administrativ huvudmans namn",
        "Administrative host name",
        Text,
    ),
    // Exported only with include=members: an empty cell says nothing of them.
    content(
        "members",
        "Medlemmar",
        "Members",
        Kind::Json(Json::Without(&["municipalityName"])),
        Silent,
    ),
    content("goals", "Mål", "Goals", Kind::Json(Json::Same), EmptyList),
    FUNDING,
    content(
        "links",
        "Länkar",
        "Links",
        Kind::Json(Json::Same),
        EmptyList,
    ),
    SOURCE_URL,
    STATE,
    VERSION,
    CREATED,
    UPDATED,
    DELETED,
];

pub(super) const PARTNERSHIPS: &[Column] = &[
    ID,
    content(
        "partner",
        "Samarbetspart",
        "Partner",
        Kind::Reference(Reference::Partner),
        Refused,
    ),
    named(
        "partnerName",
        "Samarbetspartens namn",
        "Partner name",
        Kind::Reference(Reference::Partner),
        "partner",
    ),
    read_only(
        "partnerCategory",
        "Samarbetspartens kategori",
        "Partner category",
        Code(PartnerCategory::LIST),
    ),
    CIVIL_SOCIETY,
    content(
        "project",
        "Projekt",
        "Project",
        Kind::Reference(Reference::Project),
        Nothing,
    ),
    named(
        "projectTitle",
        "Projektets titel",
        "Project title",
        Kind::Reference(Reference::Project),
        "project",
    ),
    content(
        "collaboration",
        "Samverkan",
        "Collaboration",
        Kind::Reference(Reference::Collaboration),
        Nothing,
    ),
    named(
        "collaborationName",
        "Samverkans namn",
        "Collaboration name",
        Kind::Reference(Reference::Collaboration),
        "collaboration",
    ),
    content(
        "cultureSchool",
        "Kulturskola",
        "Culture school",
        Kind::Reference(Reference::CultureSchool),
        Nothing,
    ),
    named(
        "cultureSchoolName",
        "Kulturskolans namn",
        "Culture school name",
        Kind::Reference(Reference::CultureSchool),
        "cultureSchool",
    ),
    AREA,
    AREA_NAME,
    content("role", "Roll", "Role", Code(PartnershipRole::LIST), Refused),
    content(
        "form",
        "Samarbetsform",
        "Form",
        Code(CooperationForm::LIST),
        Nothing,
    ),
    DESCRIPTION,
    content("validFrom", "Från månad", "Valid from", Month, Nothing),
    content("validTo", "Till månad", "Valid to", Month, Nothing),
    content(
        "continuesAfterProject",
        "Fortsätter efter projektet",
        "Continues after project",
        Bool,
        Nothing,
    ),
    SOURCE_URL,
    STATE,
    VERSION,
    CREATED,
    UPDATED,
    DELETED,
];

pub(super) const DISTRICTS: &[Column] = &[
    content("code", "Kod", "Code", Label, Refused),
    read_only(
        "kind",
        "Slag av område",
        "Kind of area",
        Code(AreaKind::LIST),
    ),
    NAME,
    read_only("municipality", "Kommun", "Municipality", Area),
    read_only(
        "municipalityName",
        "Kommunens namn",
        "Municipality name",
        Text,
    ),
    content("parent", "Del av", "Parent", Area, Refused),
    content("scheme", "Indelning", "Scheme", Text, Refused),
    content("validFrom", "Första dag", "Valid from", Day, Nothing),
    content("validTo", "Sista dag", "Valid to", Day, Nothing),
    content("successor", "Efterträdare", "Successor", Area, Nothing),
    SOURCE_URL,
    STATE,
    VERSION,
    CREATED,
    UPDATED,
    DELETED,
];
