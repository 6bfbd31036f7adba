//! From the database's refusal to a problem: constraint names are the catalogue of rules.
//!
//! A migration names the rule, this table says where in the body it lies and what it demands. A test reads every
//! constraint of the database and fails on one that nobody can reach or understand.

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error as QueryError};

use super::{DbError, WriteError, is_broken_connection};
use crate::problem::{Fault, Problem, ProblemKind, text};

/// One named rule: pointer into the body, Swedish, English. The rule of a row in a list has `-` for its place there.
type Rule = (&'static str, &'static str, &'static str, &'static str);

/// Rules whose breach is a conflict with another row (409) rather than a fault of the content (422).
pub const CONFLICTS: &[Rule] = &[
    (
        "areas_pkey",
        "/code",
        "Koden finns redan.",
        "The code exists already.",
    ),
    (
        "culture_school_name_once",
        "/name",
        "Kommunen har redan en kulturskola med det namnet.",
        "The municipality already has a culture school of that name.",
    ),
    (
        "partner_org_number_once",
        "/orgNumber",
        "En annan aktör har det organisationsnumret.",
        "Another partner has that organisation number.",
    ),
    (
        "collaboration_name_once",
        "/name",
        "En annan samverkan heter så.",
        "Another collaboration has that name.",
    ),
    (
        "partnership_once",
        "",
        "Samma samarbete finns redan: samma aktör, projekt eller samverkan, plats, roll, form och startmånad.",
        "The same partnership exists already: same partner, project or collaboration, place, role, form and first month.",
    ),
    (
        "measures_pkey",
        "/code",
        "Måttet finns redan.",
        "The measure exists already.",
    ),
    (
        "source_url_once",
        "/url",
        "En annan källa har den adressen.",
        "Another source has that address.",
    ),
    (
        "publication_name_once",
        "/name",
        "Det finns redan en publicering med det namnet.",
        "A publication of that name exists already.",
    ),
    (
        "report_once",
        "",
        "Källan har redan en rapport för området och perioden.",
        "The source already has a report of that area and period.",
    ),
    (
        "population_once",
        "",
        "Källan har redan det talet: samma område, datum, kön och ålder.",
        "The source already has that number: same area, date, gender and age.",
    ),
    (
        "import_key_once",
        "",
        "Nyckeln i Idempotency-Key är redan använd för en annan import.",
        "The key in Idempotency-Key was used for another import already.",
    ),
    (
        "checkpoint_at_most_fifty",
        "",
        "En klient har högst 50 kontrollpunkter. Ta bort en först.",
        "A client has at most 50 checkpoints. Delete one first.",
    ),
    (
        "client_two_secrets",
        "",
        "Klienten har redan två giltiga hemligheter; återkalla en först.",
        "The client has two valid secrets already; revoke one first.",
    ),
];

/// Rules of the content.
pub const RULES: &[Rule] = &[
    (
        "publication_name_format",
        "/name",
        "Namnet är ett år och ett nummer: 2025.1.",
        "The name is a year and a number: 2025.1.",
    ),
    (
        "publication_successor_is_another",
        "/successor",
        "En publicering efterträds av en annan.",
        "A publication is succeeded by another one.",
    ),
    (
        "publication_source_exists",
        "/sources",
        "Källan finns inte.",
        "The source does not exist.",
    ),
    (
        "month_format",
        "",
        "En månad skrivs ÅÅÅÅ-MM.",
        "A month is written YYYY-MM.",
    ),
    (
        "area_parent_exists",
        "/parent",
        "Det överordnade området finns inte.",
        "The parent area does not exist.",
    ),
    (
        "area_successor_exists",
        "/successor",
        "Efterträdaren finns inte eller är borttagen.",
        "The successor does not exist or is deleted.",
    ),
    (
        "area_kind_known",
        "/kind",
        "Okänt slag av område.",
        "Unknown kind of area.",
    ),
    (
        "area_code_fits_kind",
        "/code",
        "Ett distrikts kod börjar med kommunens fyra siffror (eller SE) och har 5–60 tecken.",
        "A district's code begins with the four digits of its municipality (or SE) and has 5–60 characters.",
    ),
    (
        "area_scheme_format",
        "/scheme",
        "En indelning skrivs som regso-2025 eller city:1480.",
        "A scheme is written like regso-2025 or city:1480.",
    ),
    (
        "area_validity_order",
        "/validTo",
        "Giltigheten slutar före sin början.",
        "The validity ends before it begins.",
    ),
    (
        "area_name_normal",
        "/name",
        "Namnet är inte normaliserat (NFC).",
        "The name is not normalised (NFC).",
    ),
    (
        "area_state_known",
        "/state",
        "Okänt tillstånd.",
        "Unknown state.",
    ),
    (
        "culture_school_municipality_exists",
        "/municipality",
        "Kommunen finns inte.",
        "The municipality does not exist.",
    ),
    (
        "culture_school_in_municipality",
        "/municipality",
        "En kulturskola hör till en kommun: fyra siffror.",
        "A culture school belongs to a municipality: four digits.",
    ),
    (
        "culture_school_kind_known",
        "/kind",
        "Okänt slag av skola.",
        "Unknown kind of school.",
    ),
    (
        "culture_school_month_order",
        "/closedMonth",
        "Skolan stänger före den öppnar.",
        "The school closes before it opens.",
    ),
    (
        "culture_school_name_normal",
        "/name",
        "Namnet är inte normaliserat (NFC).",
        "The name is not normalised (NFC).",
    ),
    (
        "culture_school_state_known",
        "/state",
        "Okänt tillstånd.",
        "Unknown state.",
    ),
    (
        "partner_area_exists",
        "/area",
        "Området finns inte eller är borttaget.",
        "The area does not exist or is deleted.",
    ),
    (
        "partner_category_known",
        "/category",
        "Okänd kategori.",
        "Unknown category.",
    ),
    (
        "partner_org_number_valid",
        "/orgNumber",
        "Organisationsnumrets kontrollsiffra stämmer inte.",
        "The check digit of the organisation number does not agree.",
    ),
    (
        "partner_legal_form_format",
        "/legalForm",
        "Juridisk form är SCB:s kod: två siffror.",
        "The legal form is SCB's code: two digits.",
    ),
    (
        "partner_collective_has_no_number",
        "/orgNumber",
        "En kategori av föreningar har inget organisationsnummer.",
        "A kind of associations has no organisation number.",
    ),
    (
        "partner_name_normal",
        "/name",
        "Namnet är inte normaliserat (NFC).",
        "The name is not normalised (NFC).",
    ),
    (
        "partner_state_known",
        "/state",
        "Okänt tillstånd.",
        "Unknown state.",
    ),
    (
        "project_area_exists",
        "/area",
        "Området finns inte eller är borttaget.",
        "The area does not exist or is deleted.",
    ),
    (
        "project_owner_exists",
        "/owner",
        "Ägaren finns inte bland aktörerna.",
        "The owner is not among the partners.",
    ),
    (
        "project_parent_exists",
        "/parent",
        "Huvudprojektet finns inte.",
        "The parent project does not exist.",
    ),
    (
        "project_not_its_own_parent",
        "/parent",
        "Ett projekt är inte delprojekt till sig självt.",
        "A project is not a sub-project of itself.",
    ),
    (
        "project_month_order",
        "/startMonth",
        "Startmånaden ligger efter slutmånaden.",
        "The start month is after the end month.",
    ),
    (
        "project_age_order",
        "/targetGroup/ageFrom",
        "Lägsta åldern är högre än den högsta.",
        "The lowest age is above the highest.",
    ),
    (
        "project_age_range",
        "/targetGroup",
        "Åldrar ligger mellan 0 och 120 år.",
        "Ages lie between 0 and 120 years.",
    ),
    (
        "project_time_status_range",
        "/timeStatusPercentPublished",
        "Tidsstatus ligger mellan 0 och 100 procent.",
        "The time status lies between 0 and 100 percent.",
    ),
    (
        "project_continuation_known",
        "/continuation",
        "Okänt slag av fortsättning.",
        "Unknown kind of continuation.",
    ),
    (
        "project_scope_known",
        "/scope",
        "Okänd geografisk räckvidd.",
        "Unknown geographic scope.",
    ),
    (
        "project_themes_known",
        "/themes",
        "Okänt tema.",
        "Unknown theme.",
    ),
    (
        "project_title_normal",
        "/title",
        "Titeln är inte normaliserad (NFC).",
        "The title is not normalised (NFC).",
    ),
    (
        "project_state_known",
        "/state",
        "Okänt tillstånd.",
        "Unknown state.",
    ),
    (
        "project_areas_pkey",
        "/areas/-",
        "Ett område står två gånger.",
        "An area stands twice.",
    ),
    (
        "project_areas_project_exists",
        "",
        "Projektet finns inte.",
        "The project does not exist.",
    ),
    (
        "project_areas_area_exists",
        "/areas/-",
        "Området finns inte eller är borttaget.",
        "The area does not exist or is deleted.",
    ),
    (
        "date_claims_project_exists",
        "",
        "Projektet finns inte.",
        "The project does not exist.",
    ),
    (
        "date_claim_format",
        "/dateClaims/-",
        "Ett datum skrivs ÅÅÅÅ, ÅÅÅÅ-MM eller ÅÅÅÅ-MM-DD.",
        "A date is written YYYY, YYYY-MM or YYYY-MM-DD.",
    ),
    (
        "date_claim_order",
        "/dateClaims/-/endsOn",
        "En uppgift slutar före sin början.",
        "A claim ends before it begins.",
    ),
    (
        "date_claim_says_something",
        "/dateClaims/-",
        "En uppgift har varken början eller slut.",
        "A claim has neither beginning nor end.",
    ),
    (
        "date_claim_chosen_once",
        "/dateClaims/-/chosen",
        "Bara en uppgift kan vara den valda.",
        "Only one claim can be the chosen one.",
    ),
    (
        "collaboration_area_exists",
        "/area",
        "Området finns inte eller är borttaget.",
        "The area does not exist or is deleted.",
    ),
    (
        "collaboration_established_format",
        "/established",
        "Ett datum skrivs ÅÅÅÅ, ÅÅÅÅ-MM eller ÅÅÅÅ-MM-DD.",
        "A date is written YYYY, YYYY-MM or YYYY-MM-DD.",
    ),
    (
        "collaboration_name_normal",
        "/name",
        "Namnet är inte normaliserat (NFC).",
        "The name is not normalised (NFC).",
    ),
    (
        "collaboration_state_known",
        "/state",
        "Okänt tillstånd.",
        "Unknown state.",
    ),
    (
        "collaboration_regions_pkey",
        "/regions/-",
        "Ett län står två gånger.",
        "A county stands twice.",
    ),
    (
        "collaboration_regions_collaboration_exists",
        "",
        "Samverkan finns inte.",
        "The collaboration does not exist.",
    ),
    (
        "collaboration_regions_region_exists",
        "/regions/-",
        "Länet finns inte.",
        "The county does not exist.",
    ),
    (
        "collaboration_region_is_region",
        "/regions/-",
        "Ett län har två siffror.",
        "A county has two digits.",
    ),
    (
        "member_collaboration_exists",
        "",
        "Samverkan finns inte.",
        "The collaboration does not exist.",
    ),
    (
        "member_municipality_exists",
        "/members/-/municipality",
        "Kommunen finns inte.",
        "The municipality does not exist.",
    ),
    (
        "member_is_municipality",
        "/members/-/municipality",
        "En medlem är en kommun: fyra siffror.",
        "A member is a municipality: four digits.",
    ),
    (
        "member_in_collaboration_region",
        "/members/-/municipality",
        "En medlem ligger utanför samverkans län.",
        "A member lies outside the counties of the collaboration.",
    ),
    (
        "member_role_known",
        "/members/-/role",
        "Okänd roll.",
        "Unknown role.",
    ),
    (
        "member_validity_order",
        "/members/-/validTo",
        "Ett medlemskap slutar före sin början.",
        "A membership ends before it begins.",
    ),
    (
        "member_no_overlap",
        "/members/-",
        "Två medlemskap för samma kommun överlappar i tid.",
        "Two memberships of one municipality overlap in time.",
    ),
    (
        "member_one_host",
        "/members/-/role",
        "Två administrativa huvudmän överlappar i tid.",
        "Two administrative hosts overlap in time.",
    ),
    (
        "goal_collaboration_exists",
        "",
        "Samverkan finns inte.",
        "The collaboration does not exist.",
    ),
    (
        "goal_audience_known",
        "/goals/-/audience",
        "Okänd målgrupp.",
        "Unknown audience.",
    ),
    (
        "funding_project_exists",
        "",
        "Projektet finns inte.",
        "The project does not exist.",
    ),
    (
        "funding_collaboration_exists",
        "",
        "Samverkan finns inte.",
        "The collaboration does not exist.",
    ),
    (
        "funding_funder_exists",
        "/funding/-/funder",
        "Finansiären finns inte bland aktörerna.",
        "The funder is not among the partners.",
    ),
    (
        "funding_of_one",
        "/funding/-",
        "Finansiering hör till ett projekt eller en samverkan.",
        "Funding belongs to a project or a collaboration.",
    ),
    (
        "funding_kind_known",
        "/funding/-/kind",
        "Okänt slag av finansiering.",
        "Unknown kind of funding.",
    ),
    (
        "funding_amount_not_negative",
        "/funding/-/amountSek",
        "Beloppet är negativt.",
        "The amount is negative.",
    ),
    (
        "funding_period_kind_known",
        "/funding/-/periodKind",
        "Okänt slag av period.",
        "Unknown kind of period.",
    ),
    (
        "funding_period_fits_kind",
        "/funding/-/period",
        "Läsår skrivs 2022/2023, kalenderår 2022, projekttid 2019-2022.",
        "A school year is written 2022/2023, a calendar year 2022, a project's time 2019-2022.",
    ),
    (
        "funding_position_once",
        "/funding/-",
        "Två rader på samma plats.",
        "Two lines at one position.",
    ),
    (
        "partnership_area_exists",
        "/area",
        "Platsen finns inte eller är borttagen.",
        "The place does not exist or is deleted.",
    ),
    (
        "partnership_partner_exists",
        "/partner",
        "Aktören finns inte.",
        "The partner does not exist.",
    ),
    (
        "partnership_project_exists",
        "/project",
        "Projektet finns inte.",
        "The project does not exist.",
    ),
    (
        "partnership_collaboration_exists",
        "/collaboration",
        "Samverkan finns inte.",
        "The collaboration does not exist.",
    ),
    (
        "partnership_culture_school_exists",
        "/cultureSchool",
        "Kulturskolan finns inte.",
        "The culture school does not exist.",
    ),
    (
        "partnership_of_one",
        "/project",
        "Ange projekt eller samverkan, ett av dem.",
        "Name a project or a collaboration, one of the two.",
    ),
    (
        "partnership_role_known",
        "/role",
        "Okänd roll.",
        "Unknown role.",
    ),
    (
        "partnership_form_known",
        "/form",
        "Okänd samarbetsform.",
        "Unknown form of cooperation.",
    ),
    (
        "partnership_month_order",
        "/validTo",
        "Samarbetet slutar före sin början.",
        "The partnership ends before it begins.",
    ),
    (
        "partnership_continues_project_only",
        "/continuesAfterProject",
        "Fortsättning efter projektet gäller bara samarbeten i projekt.",
        "Going on after the project is said of partnerships in projects only.",
    ),
    (
        "partnership_state_known",
        "/state",
        "Okänt tillstånd.",
        "Unknown state.",
    ),
    (
        "measure_code_format",
        "/code",
        "En kod skrivs med små bokstäver a–z, siffror och _.",
        "A code is written with lower-case a–z, digits and _.",
    ),
    (
        "measure_kind_known",
        "/kind",
        "Okänt slag av mått.",
        "Unknown kind of measure.",
    ),
    (
        "measure_unit_known",
        "/unit",
        "Okänd enhet.",
        "Unknown unit.",
    ),
    (
        "measure_numerator_exists",
        "/numerator",
        "Täljarens mått finns inte.",
        "The measure of the numerator does not exist.",
    ),
    (
        "measure_denominator_known",
        "/denominator",
        "Okänd nämnare.",
        "Unknown denominator.",
    ),
    (
        "measure_share_names_both",
        "/numerator",
        "En andel eller förändring anger täljare och nämnare; andra mått gör det inte.",
        "A share or change names its numerator and denominator; other measures do not.",
    ),
    (
        "measure_age_band_of_residents",
        "/denominatorAgeBand",
        "Åldersspann anges bara när nämnaren är personer.",
        "An age band is given only when the denominator is persons.",
    ),
    (
        "measure_age_band_format",
        "/denominatorAgeBand",
        "Ett åldersspann skrivs 6-19.",
        "An age band is written 6-19.",
    ),
    (
        "measure_share_is_percent",
        "/unit",
        "Andelar och förändringar har enheten percent, andra mått inte.",
        "Shares and changes have the unit percent, other measures do not.",
    ),
    (
        "measure_state_known",
        "/state",
        "Okänt tillstånd.",
        "Unknown state.",
    ),
    (
        "series_breaks_pkey",
        "/seriesBreaks/-/firstPeriod",
        "Ett seriebrott står två gånger.",
        "A series break stands twice.",
    ),
    (
        "series_break_measure_exists",
        "",
        "Måttet finns inte.",
        "The measure does not exist.",
    ),
    (
        "series_break_period_format",
        "/seriesBreaks/-/firstPeriod",
        "Första perioden skrivs 2018 eller 2018/2019.",
        "The first period is written 2018 or 2018/2019.",
    ),
    (
        "measure_note_measure_exists",
        "",
        "Måttet finns inte.",
        "The measure does not exist.",
    ),
    (
        "measure_note_area_exists",
        "/notes/-/area",
        "Området finns inte eller är borttaget.",
        "The area does not exist or is deleted.",
    ),
    (
        "source_area_exists",
        "/area",
        "Området finns inte eller är borttaget.",
        "The area does not exist or is deleted.",
    ),
    (
        "source_published_format",
        "/publishedOn",
        "Ett datum skrivs ÅÅÅÅ, ÅÅÅÅ-MM eller ÅÅÅÅ-MM-DD.",
        "A date is written YYYY, YYYY-MM or YYYY-MM-DD.",
    ),
    (
        "source_title_normal",
        "/title",
        "Titeln är inte normaliserad (NFC).",
        "The title is not normalised (NFC).",
    ),
    (
        "source_state_known",
        "/state",
        "Okänt tillstånd.",
        "Unknown state.",
    ),
    (
        "report_source_exists",
        "/source",
        "Källan finns inte.",
        "The source does not exist.",
    ),
    (
        "report_area_exists",
        "/area",
        "Området finns inte eller är borttaget.",
        "The area does not exist or is deleted.",
    ),
    (
        "report_state_known",
        "/state",
        "Okänt tillstånd.",
        "Unknown state.",
    ),
    (
        "report_period_kind_known",
        "/periodKind",
        "Okänt slag av period.",
        "Unknown kind of period.",
    ),
    (
        "report_period_fits_kind",
        "/period",
        "År skrivs 2022, läsår 2022/2023, termin 2022HT, intervall 2013-2016.",
        "A year is written 2022, a school year 2022/2023, a term 2022HT, a range 2013-2016.",
    ),
    (
        "report_days_given",
        "/firstDay",
        "Ange första och sista dag, utom för odaterade uppgifter.",
        "Give the first and last day, except for undated figures.",
    ),
    (
        "report_day_order",
        "/lastDay",
        "Perioden slutar före sin början.",
        "The period ends before it begins.",
    ),
    (
        "report_withdrawn_has_reason",
        "/reason",
        "Ett återkallande har ett skäl.",
        "A withdrawal has a reason.",
    ),
    (
        "report_approved_was_submitted",
        "/state",
        "Bara en inlämnad rapport kan godkännas.",
        "Only a submitted report can be approved.",
    ),
    (
        "observation_report_exists",
        "",
        "Rapporten finns inte.",
        "The report does not exist.",
    ),
    (
        "observation_measure_exists",
        "/measure",
        "Måttet finns inte.",
        "The measure does not exist.",
    ),
    (
        "observation_area_exists",
        "/area",
        "Området finns inte eller är borttaget.",
        "The area does not exist or is deleted.",
    ),
    (
        "observation_once",
        "",
        "Två observationer har samma mått, område, grund, kön, ålder, ämne och verksamhetsform.",
        "Two observations have the same measure, area, basis, gender, age, subject and form of activity.",
    ),
    (
        "observation_basis_known",
        "/basis",
        "Okänd geografisk grund.",
        "Unknown geography basis.",
    ),
    (
        "observation_gender_known",
        "/gender",
        "Okänt kön.",
        "Unknown gender.",
    ),
    (
        "observation_age_band_format",
        "/ageBand",
        "Ett åldersspann skrivs 6-19 eller all.",
        "An age band is written 6-19 or all.",
    ),
    (
        "observation_subject_known",
        "/subject",
        "Okänt ämne.",
        "Unknown subject.",
    ),
    (
        "observation_activity_form_known",
        "/activityForm",
        "Okänd verksamhetsform.",
        "Unknown form of activity.",
    ),
    (
        "observation_status_known",
        "/status",
        "Okänd status.",
        "Unknown status.",
    ),
    (
        "observation_precision_known",
        "/precision",
        "Okänd noggrannhet.",
        "Unknown precision.",
    ),
    (
        "observation_value_fits_status",
        "/value",
        "Ett rapporterat, uppskattat eller preliminärt värde finns; ett saknat värde är null.",
        "A reported, estimated or provisional value is there; a missing value is null.",
    ),
    (
        "observation_value_finite",
        "/value",
        "Värdet är för stort.",
        "The value is too large.",
    ),
    (
        "observation_value_fits_measure",
        "/value",
        "Antal är hela tal från 0, andelar 0–100 (av tillfällen från 0), flaggor 0 eller 1, rang från 1.",
        "Counts are whole numbers from 0, shares 0–100 (of occasions from 0), flags 0 or 1, ranks from 1.",
    ),
    (
        "observation_area_inside_report",
        "/area",
        "Observationens område ligger utanför rapportens.",
        "The observation's area lies outside the report's.",
    ),
    (
        "population_area_exists",
        "/area",
        "Området finns inte eller är borttaget.",
        "The area does not exist or is deleted.",
    ),
    (
        "population_source_exists",
        "/source",
        "Källan finns inte.",
        "The source does not exist.",
    ),
    (
        "population_year_range",
        "/year",
        "Folkmängd finns från 1749.",
        "Population is known from 1749.",
    ),
    (
        "population_gender_known",
        "/gender",
        "Okänt kön.",
        "Unknown gender.",
    ),
    (
        "population_age_order",
        "/ageFrom",
        "Åldrar ligger mellan 0 och 120, lägst först.",
        "Ages lie between 0 and 120, lowest first.",
    ),
    (
        "population_not_negative",
        "/value",
        "Folkmängden är negativ.",
        "The population is negative.",
    ),
    (
        "import_resource_known",
        "/type",
        "Okänt slag av import.",
        "Unknown kind of import.",
    ),
    (
        "import_format_known",
        "/format",
        "Okänt format.",
        "Unknown format.",
    ),
    (
        "import_mode_known",
        "/mode",
        "Okänt importläge.",
        "Unknown mode of an import.",
    ),
    (
        "import_strategy_known",
        "/strategy",
        "Okänd importstrategi.",
        "Unknown strategy of an import.",
    ),
    (
        "import_state_known",
        "/state",
        "Okänt tillstånd.",
        "Unknown state.",
    ),
    (
        "import_replace_is_atomic",
        "/mode",
        "Att ersätta görs helt eller inte alls: mode=atomic.",
        "Replacing is done as a whole or not at all: mode=atomic.",
    ),
    (
        "import_ended_has_time",
        "",
        "En import som slutat har en sluttid.",
        "An import that has ended has an end.",
    ),
    (
        "import_piece_import_exists",
        "",
        "Importen finns inte.",
        "The import does not exist.",
    ),
    (
        "import_row_import_exists",
        "",
        "Importen finns inte.",
        "The import does not exist.",
    ),
    (
        "import_row_outcome_known",
        "/outcome",
        "Okänt utfall.",
        "Unknown outcome.",
    ),
    (
        "client_permissions_known",
        "/permissions",
        "Okänd behörighet.",
        "Unknown permission.",
    ),
    (
        "client_has_permission",
        "/permissions",
        "En klient har minst en behörighet.",
        "A client has at least one permission.",
    ),
    (
        "client_has_area",
        "/areas",
        "En klient har minst ett område.",
        "A client has at least one area.",
    ),
];

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Query(error) => error.into(),
            other => Self::unavailable(other),
        }
    }
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        if is_broken_connection(&error) {
            return Self::unavailable(error);
        }
        match &error {
            QueryError::NotFound => Self::not_found(),
            QueryError::DatabaseError(kind, info) => {
                from_database(*kind, info.as_ref()).unwrap_or_else(|| Self::internal(&error))
            }
            _ => Self::internal(error),
        }
    }
}

/// The refusal of the `n`th row of a list in the body: its problem points at that row, from 0. Any other error stays
/// what it is.
#[must_use]
pub fn in_row(error: QueryError, n: usize) -> WriteError {
    match &error {
        QueryError::DatabaseError(_, info) => match told(info.as_ref(), Some(n)) {
            Some(problem) => problem.into(),
            None => error.into(),
        },
        _ => error.into(),
    }
}

/// The rule that was broken, in the row `n` of its list if that is known.
fn told(info: &(dyn DatabaseErrorInformation + Send + Sync), n: Option<usize>) -> Option<Problem> {
    let name = info.constraint_name()?;
    let named = |rules: &[Rule]| {
        let (name, pointer, sv, en) = rules.iter().find(|(known, ..)| *known == name)?;
        let pointer = match (pointer.split_once("/-"), n) {
            (Some((list, inside)), Some(n)) => format!("{list}/{n}{inside}"),
            (Some((list, _)), None) => list.to_owned(),
            (None, _) => (*pointer).to_owned(),
        };
        Some(Fault::at(pointer, *name, text(*sv, *en)))
    };
    if let Some(fault) = named(CONFLICTS) {
        return Some(Problem::new(ProblemKind::Conflict).fault(fault));
    }
    named(RULES).map(Problem::invalid)
}

fn from_database(
    kind: DatabaseErrorKind,
    info: &(dyn DatabaseErrorInformation + Send + Sync),
) -> Option<Problem> {
    if let Some(problem) = told(info, None) {
        return Some(problem);
    }
    let message = info.message();
    if kind == DatabaseErrorKind::ReadOnlyTransaction {
        return Some(Problem::unavailable(message));
    }
    // The server's own limits and troubles; it says them in English unless its operator chose another language.
    let passing = [
        "canceling statement",
        "deadlock detected",
        "could not obtain lock",
        "could not serialize",
        "No space left",
        "could not extend file",
        "remaining connection slots",
        "too many clients",
        "out of shared memory",
        "idle-in-transaction",
    ];
    passing
        .iter()
        .any(|start| message.contains(start))
        .then(|| Problem::unavailable(message))
}
