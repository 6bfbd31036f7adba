//! The closed vocabularies of statistics.

use crate::code_list;
use crate::values::CodeList;

/// All of them, for `/code-lists`.
pub const LISTS: &[CodeList] = &[
    PublicationState::LIST,
    PublicationPhase::LIST,
    Severity::LIST,
    super::publications::findings::Rule::LIST,
    CellStatus::LIST,
    Level::LIST,
    Dimension::LIST,
    Included::LIST,
    Protection::LIST,
    Origin::LIST,
    Reason::LIST,
    PartnershipGroup::LIST,
    ReportedBy::LIST,
    Direction::LIST,
    Trend::LIST,
];

code_list! {
    /// Where a publication stands.
    PublicationState = "publication-state", "Publiceringstillstånd", "State of a publication", check Some("publication_state_known");
    /// Is being frozen; nobody can read it yet.
    Making = "making", "Görs", "Being made";
    /// Immutable from now on.
    Published = "published", "Publicerad", "Published";
    /// Could not be made; nothing of it was kept but the reason.
    Failed = "failed", "Misslyckad", "Failed";
    /// Turned out to be wrong; the reason and the successor are stated.
    Withdrawn = "withdrawn", "Återkallad", "Withdrawn";
}

code_list! {
    /// What the making of a publication is doing.
    PublicationPhase = "publication-phase", "Steg i publiceringen", "Phase of a publication", check Some("publication_phase_known");
    Waiting = "waiting", "Väntar", "Waiting";
    Validating = "validating", "Granskar", "Validating";
    Protecting = "protecting", "Skyddar små tal", "Protecting small numbers";
    Writing = "writing", "Skriver", "Writing";
    Done = "done", "Klar", "Done";
}

code_list! {
    /// How much a finding weighs.
    Severity = "finding-severity", "Allvarsgrad", "Severity of a finding", check Some("publication_finding_severity_known");
    /// Blocks the publication.
    Error = "error", "Fel", "Error";
    /// Must be acknowledged.
    Warning = "warning", "Varning", "Warning";
    /// Worth knowing.
    Information = "information", "Upplysning", "Information";
}

code_list! {
    /// What kind of area a number is of, from the whole to the parts.
    Level = "area-level", "Nivå", "Level of area", check Some("protection_policy_level_known");
    Country = "country", "Riket", "Country";
    Region = "region", "Län", "Region";
    Municipality = "municipality", "Kommun", "Municipality";
    District = "district", "Stadsdel", "District";
}

code_list! {
    /// Whether a cell of an answer has a value, how good it is, or why it has none.
    CellStatus = "cell-status", "Cellstatus", "Status of a cell", check None;
    Reported = "reported", "Rapporterad", "Reported";
    Provisional = "provisional", "Preliminär", "Provisional";
    Estimated = "estimated", "Uppskattad", "Estimated";
    /// Some parts of the area are missing in the number; `coverage` says how many.
    Partial = "partial", "Ofullständig", "Partial";
    MissingNotSubmitted = "missing_not_submitted", "Saknas: inte inlämnad", "Missing: not submitted";
    NotCollected = "not_collected", "Inte insamlad", "Not collected";
    NotYetPublished = "not_yet_published", "Ännu inte publicerad", "Not yet published";
    NotApplicable = "not_applicable", "Inte tillämplig", "Not applicable";
    /// The numbers exist, but not by what was asked for.
    NotAvailable = "not_available", "Finns inte med den indelningen", "Not available in this breakdown";
    /// The number of residents that a share needs is not in the publication.
    NoDenominator = "no_denominator", "Nämnaren saknas", "The denominator is missing";
    /// Two numbers that mean different things; the reason is stated.
    NotComparable = "not_comparable", "Inte jämförbar", "Not comparable";
}

code_list! {
    /// A dimension that a number can be split by.
    Dimension = "dimension", "Indelning", "Dimension", check None;
    Gender = "gender", "Kön", "Gender";
    AgeBand = "ageBand", "Ålder", "Age";
    Subject = "subject", "Ämne", "Subject";
    ActivityForm = "activityForm", "Verksamhetsform", "Form of activity";
}

code_list! {
    /// What an answer shows beside its values.
    Included = "answer-part", "Del av ett svar", "Part of an answer", check None;
    Numerator = "numerator", "Täljare", "Numerator";
    Denominator = "denominator", "Nämnare", "Denominator";
    Coverage = "coverage", "Täckning", "Coverage";
}

code_list! {
    /// How the small groups in numbers are protected.
    Protection = "protection", "Skydd av små grupper", "Protection of small groups", check None;
    /// Each cell of 1–4 is 0 or 5 (some dimensions: of 1–19 it is 0 or 20), by a secret key, the same in every answer.
    KeyedRounding5 = "keyed-rounding-5", "Avrundning med nyckel till 0 eller 5", "Keyed rounding to 0 or 5";
    /// As reported: numbers of children for the owners of the areas, counts of reports and organisations for everybody.
    None = "none", "Inget", "None";
}

code_list! {
    /// Where a value comes from.
    Origin = "value-origin", "Värdets ursprung", "Origin of a value", check None;
    /// A sum of the protected cells of the publication, or a share of such sums.
    Computed = "computed", "Beräknat", "Computed";
    /// As a source has published it.
    Published = "published", "Publicerat av källan", "Published by the source";
}

code_list! {
    /// Why a value is missing, incomplete, or not what it seems.
    Reason = "answer-reason", "Skäl", "Reason", check None;
    /// Some people of the group are reported in a wider group only.
    BrokenDownLessFinely = "broken_down_less_finely", "Källan delar inte upp talet så fint", "The source does not break the number down so finely";
    /// What a share counts is not known for exactly the ages that it is a share of.
    NumeratorNotOfTheseAges = "numerator_not_of_these_ages", "Täljaren är inte känd för just de åldrar som nämnaren avser", "The numerator is not known for exactly the ages of the denominator";
    /// A share is asked for by ages that it is not a share of.
    OutsideDenominatorAges = "outside_denominator_ages", "Andelen avser inte de åldrarna", "The share is not of these ages";
    /// A person can have several subjects and forms of activity.
    PersonsNotSummed = "persons_not_summed", "Personer kan inte summeras över ämnen eller verksamhetsformer", "Persons cannot be summed over subjects or forms of activity";
    /// See `coverage`.
    SomePlacesMissing = "some_places_missing", "Alla delar har inte rapporterat", "Not every part has reported";
    /// The source says that a part of the number is missing.
    ValueMissing = "value_missing", "Källan saknar ett av talen", "The source lacks one of the numbers";
    /// The publication shows the group for larger areas only.
    ShownForLargerAreasOnly = "shown_for_larger_areas_only", "Redovisas bara för större områden", "Shown for larger areas only";
    /// The number of residents of the group is not in the publication.
    ResidentsUnknown = "residents_unknown", "Antalet invånare i gruppen är inte känt", "The number of residents of the group is not known";
    /// A range or an undated period has no day for which residents could be counted.
    NoPopulationYear = "no_population_year", "Perioden har inget år att räkna invånare för", "The period has no year to count residents of";
    /// Shares, money and ranks are no sums.
    FigureNotSummed = "figure_not_summed", "Talet kan inte summeras över kommuner", "The figure cannot be summed over municipalities";
    AreaNotInPeriod = "area_not_in_period", "Området fanns inte under perioden", "The area did not exist in the period";
    NoMembers = "no_members", "Ingen kommun hör dit under perioden", "No municipality belongs to it in the period";
    DifferentMeasure = "different_measure", "Måtten är olika", "The measures differ";
    DifferentNumerator = "different_numerator", "Täljarna räknar olika saker", "The numerators count different things";
    DifferentDenominator = "different_denominator", "Nämnarna är olika", "The denominators differ";
    DifferentAges = "different_ages", "Andelarna avser olika åldrar", "The shares are of different ages";
    DifferentBasis = "different_basis", "Talen räknas efter olika plats", "The numbers are counted by different places";
    /// A break of the series lies between the two.
    DifferentSeries = "different_series", "Ett seriebrott ligger mellan talen", "A break of the series lies between the numbers";
    /// What a share is of is not stated, so that only numbers of one and the same source mean the same.
    DifferentSources = "different_sources", "Källorna är olika och säger inte vad andelen avser", "The sources differ and do not state what the share is of";
    /// One period or both have no dates.
    DifferentUndatedPeriods = "different_undated_periods", "Perioderna är olika och minst en är odaterad", "The periods differ and at least one is undated";
    /// See `reference`: there is a number, and nothing that it could be a distance from.
    ReferenceMissing = "reference_missing", "Jämförelsetalet saknas", "The number to compare with is missing";
    /// The municipality has reported, without its districts.
    NotByDistrict = "not_by_district", "Kommunen redovisar inte per område", "The municipality does not report by district";
}

code_list! {
    /// What partnerships are counted by.
    PartnershipGroup = "partnership-group", "Indelning av samarbeten", "Grouping of partnerships", check None;
    Category = "category", "Aktörskategori", "Partner category";
    Municipality = "municipality", "Kommun", "Municipality";
    Region = "region", "Län", "Region";
    Project = "project", "Projekt", "Project";
    Form = "form", "Samarbetsform", "Form of cooperation";
    Role = "role", "Roll", "Role";
    Year = "year", "År", "Year";
}

code_list! {
    /// Who reported of an area: the area itself or its parts.
    ReportedBy = "reported-by", "Rapporterat av", "Reported by", check None;
    /// The municipality itself.
    Itself = "itself", "Kommunen själv", "The municipality itself";
    /// A report of a wider area, such as a national one, has numbers of the municipality, which has none of its own.
    WiderReport = "wider_report", "I en rapport för ett större område", "In a report of a wider area";
    /// Districts of the municipality, not the municipality as a whole.
    DistrictsOnly = "districts_only", "Endast stadsdelar", "Districts only";
    AllMunicipalities = "all_municipalities", "Alla kommuner", "All municipalities";
    SomeMunicipalities = "some_municipalities", "Några av kommunerna", "Some of the municipalities";
    /// The area has a figure of its own and no municipality has reported.
    OwnReportOnly = "own_report_only", "Endast området som helhet", "The area as a whole only";
    /// The area has a figure of its own, and some municipalities have reported beside it.
    OwnReportAndSome = "own_report_and_some_municipalities", "Området som helhet och några av kommunerna", "The area as a whole and some of the municipalities";
    Nobody = "nobody", "Ingen", "Nobody";
    /// The area did not exist on the last day of the period.
    DidNotExist = "did_not_exist", "Området fanns inte", "The area did not exist";
}

code_list! {
    /// How a number stands to the one it is compared with.
    Direction = "gap-direction", "Riktning", "Direction", check None;
    Below = "below", "Under", "Below";
    Above = "above", "Över", "Above";
    Equal = "equal", "Lika", "Equal";
}

code_list! {
    /// How a gap changes over time.
    Trend = "gap-trend", "Utveckling", "Trend", check None;
    Narrowing = "narrowing", "Gapet minskar", "The gap narrows";
    Widening = "widening", "Gapet ökar", "The gap widens";
    Unchanged = "unchanged", "Gapet är oförändrat", "The gap is unchanged";
}

impl Level {
    /// From 0 for the country to 3 for a district, as kept in the tables.
    #[must_use]
    pub const fn number(self) -> i16 {
        match self {
            Self::Country => 0,
            Self::Region => 1,
            Self::Municipality => 2,
            Self::District => 3,
        }
    }

    /// The level of an area by its code: `SE`, two digits, four digits, anything else.
    #[must_use]
    pub fn of(code: &str) -> Self {
        match (
            code,
            code.len(),
            code.bytes().all(|byte| byte.is_ascii_digit()),
        ) {
            ("SE", ..) => Self::Country,
            (_, 2, true) => Self::Region,
            (_, 4, true) => Self::Municipality,
            _ => Self::District,
        }
    }
}
