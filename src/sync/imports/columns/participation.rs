//! The columns of participation.

use super::registry::{
    AREA, AREA_NAME, CREATED, DELETED, ID, NOTE, SOURCE_URL, STATE, UPDATED, VERSION, content,
    named, read_only,
};
use super::{Column, Empty, Json, Kind, Reference};
use crate::participation::codes::{
    ActivityForm, Denominator, Gender, GeographyBasis, MeasureKind, MeasureUnit, ObservationStatus,
    PeriodKind, Precision, ReportState, Subject,
};

use Empty::{EmptyList, None as Nothing, Refused, Silent};
use Kind::{Ages, Area, Bool, Code, Day, Label, Number, PartialDate, Text, Whole};

const SOURCE: Column = content(
    "source",
    "Källa",
    "Source",
    Kind::Reference(Reference::Source),
    Refused,
);
const SOURCE_TITLE: Column = named(
    "sourceTitle",
    "Källans titel",
    "Source title",
    Kind::Reference(Reference::Source),
    "source",
);

pub(super) const MEASURES: &[Column] = &[
    content("code", "Kod", "Code", Label, Refused),
    content(
        "kind",
        "Slag av mått",
        "Kind",
        Code(MeasureKind::LIST),
        Refused,
    ),
    content(
        "unit",
        "Måttenhet",
        "Unit",
        Code(MeasureUnit::LIST),
        Refused,
    ),
    read_only("label", "Kort namn", "Label", Text),
    content(
        "labelSv",
        "Kort namn på svenska",
        "Label in Swedish",
        Text,
        Refused,
    ),
    content(
        "labelEn",
        "Kort namn på engelska",
        "Label in English",
        Text,
        Refused,
    ),
    read_only("definition", "Definition", "Definition", Text),
    content(
        "definitionSv",
        "Definition på svenska",
        "Definition in Swedish",
        Text,
        Refused,
    ),
    content(
        "definitionEn",
        "Definition på engelska",
        "Definition in English",
        Text,
        Refused,
    ),
    content("numerator", "Täljare", "Numerator", Kind::Measure, Nothing),
    content(
        "denominator",
        "Nämnare",
        "Denominator",
        Code(Denominator::LIST),
        Nothing,
    ),
    content(
        "denominatorAgeBand",
        "Nämnarens ålder",
        "Denominator age band",
        Ages,
        Nothing,
    ),
    SOURCE_URL,
    content(
        "seriesBreaks",
        "Tidsseriebrott",
        "Series breaks",
        Kind::Json(Json::Same),
        EmptyList,
    ),
    content(
        "notes",
        "Anmärkningar",
        "Notes",
        Kind::Json(Json::Same),
        EmptyList,
    ),
    STATE,
    VERSION,
    CREATED,
    UPDATED,
    DELETED,
];

pub(super) const SOURCES: &[Column] = &[
    ID,
    content("title", "Titel", "Title", Text, Refused),
    content("publisher", "Utgivare", "Publisher", Text, Refused),
    content("url", "Webbadress", "URL", Text, Nothing),
    content(
        "publishedOn",
        "Publicerad",
        "Published on",
        PartialDate,
        Nothing,
    ),
    content(
        "officialStatistics",
        "Officiell statistik",
        "Official statistics",
        Bool,
        Silent,
    ),
    NOTE,
    AREA,
    STATE,
    VERSION,
    CREATED,
    UPDATED,
    DELETED,
];

pub(super) const OBSERVATIONS: &[Column] = &[
    read_only("id", "Id", "Id", Kind::Id),
    content("report", "Rapport", "Report", Kind::Id, Silent),
    read_only(
        "reportState",
        "Rapporttillstånd",
        "Report state",
        Code(ReportState::LIST),
    ),
    content("measure", "Mått", "Measure", Kind::Measure, Refused),
    AREA,
    AREA_NAME,
    content(
        "basis",
        "Geografisk grund",
        "Basis",
        Code(GeographyBasis::LIST),
        Silent,
    ),
    content("gender", "Kön", "Gender", Code(Gender::LIST), Silent),
    content("ageBand", "Ålder", "Age band", Ages, Silent),
    content("subject", "Ämne", "Subject", Code(Subject::LIST), Silent),
    content(
        "activityForm",
        "Verksamhetsform",
        "Activity form",
        Code(ActivityForm::LIST),
        Silent,
    ),
    content("value", "Värde", "Value", Number, Nothing),
    content(
        "status",
        "Status",
        "Status",
        Code(ObservationStatus::LIST),
        Silent,
    ),
    content(
        "precision",
        "Noggrannhet",
        "Precision",
        Code(Precision::LIST),
        Silent,
    ),
    NOTE,
    content("period", "Period", "Period", Label, Refused),
    content(
        "periodKind",
        "Slag av period",
        "Period kind",
        Code(PeriodKind::LIST),
        Silent,
    ),
    SOURCE,
    SOURCE_TITLE,
    content(
        "reportArea",
        "Rapportens område",
        "Report area",
        Area,
        Silent,
    ),
    content("firstDay", "Första dag", "First day", Day, Silent),
    content("lastDay", "Sista dag", "Last day", Day, Silent),
    content(
        "ifVersion",
        "Rapportens version",
        "Report version",
        Whole,
        Silent,
    ),
    UPDATED,
];

pub(super) const POPULATIONS: &[Column] = &[
    ID,
    AREA,
    AREA_NAME,
    content("year", "År", "Year", Whole, Refused),
    content("gender", "Kön", "Gender", Code(Gender::LIST), Refused),
    content("ageFrom", "Från ålder", "Age from", Whole, Refused),
    content("ageTo", "Till ålder", "Age to", Whole, Refused),
    content("value", "Antal", "Value", Whole, Refused),
    content("referenceDate", "Mätdag", "Reference date", Day, Refused),
    SOURCE,
    SOURCE_TITLE,
    NOTE,
    VERSION,
    CREATED,
    UPDATED,
    DELETED,
];
