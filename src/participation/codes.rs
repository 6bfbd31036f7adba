//! The closed vocabularies of participation.

use crate::code_list;
use crate::values::CodeList;

/// All of them, for `/code-lists`.
pub const LISTS: &[CodeList] = &[
    MeasureKind::LIST,
    MeasureUnit::LIST,
    Denominator::LIST,
    ReportState::LIST,
    PeriodKind::LIST,
    GeographyBasis::LIST,
    Gender::LIST,
    Subject::LIST,
    ActivityForm::LIST,
    ObservationStatus::LIST,
    Precision::LIST,
];

code_list! {
    /// What kind of number a measure is: decides which values are possible.
    MeasureKind = "measure-kind", "Slag av mått", "Kind of measure", check Some("measure_kind_known");
    /// A whole number from 0.
    Count = "count", "Antal", "Count";
    /// Percent of a stated denominator: 0–100, or from 0 if occasions are counted, of which one person can have several.
    Share = "share", "Andel", "Share";
    /// Percent, up or down, from an earlier period.
    Change = "change", "Förändring", "Change";
    /// Swedish kronor, from 0.
    Money = "money", "Belopp", "Amount of money";
    /// A place in a ranking: a whole number from 1.
    Rank = "rank", "Rangplats", "Rank";
    /// 0 or 1.
    Flag = "flag", "Ja eller nej", "Yes or no";
}

code_list! {
    /// What a measure counts.
    MeasureUnit = "measure-unit", "Måttenhet", "Unit of a measure", check Some("measure_unit_known");
    /// Each person once.
    Persons = "persons", "Personer", "Persons";
    /// One person can hold several.
    Places = "places", "Platser", "Places";
    /// Each time that somebody took part.
    Occasions = "occasions", "Tillfällen", "Occasions";
    Percent = "percent", "Procent", "Percent";
    Sek = "sek", "Kronor", "Swedish kronor";
    Municipalities = "municipalities", "Kommuner", "Municipalities";
    Subjects = "subjects", "Ämnen", "Subjects";
    Categories = "categories", "Kategorier", "Categories";
    Rank = "rank", "Plats i en rangordning", "Place in a ranking";
    /// 1 is yes, 0 is no.
    Boolean = "boolean", "Ja eller nej", "Yes or no";
}

code_list! {
    /// What a share is a share of.
    Denominator = "denominator", "Nämnare", "Denominator", check Some("measure_denominator_known");
    Residents = "residents", "Invånare", "Residents";
    Municipalities = "municipalities", "Kommuner", "Municipalities";
    Pupils = "pupils", "Elever (personer)", "Pupils (persons)";
    PupilPlaces = "pupil_places", "Elevplatser", "Pupil places";
    Schools = "schools", "Kulturskolor", "Culture schools";
    EarlierPeriod = "earlier_period", "En tidigare period", "An earlier period";
    /// The source does not say.
    NotStated = "not_stated", "Inte angiven", "Not stated";
}

code_list! {
    /// Where a report stands on its way from draft to approved.
    ReportState = "report-state", "Rapporttillstånd", "State of a report", check Some("report_state_known");
    /// Can be changed.
    Draft = "draft", "Utkast", "Draft";
    /// Waits for approval; can go back to draft.
    Submitted = "submitted", "Inlämnad", "Submitted";
    /// What publications are made from.
    Approved = "approved", "Godkänd", "Approved";
    /// Was approved and turned out to be wrong; the reason is stated.
    Withdrawn = "withdrawn", "Återkallad", "Withdrawn";
}

code_list! {
    /// What time a report is about.
    PeriodKind = "period-kind", "Slag av period", "Kind of period", check Some("report_period_kind_known");
    /// Written `2022`.
    Year = "year", "Kalenderår", "Calendar year";
    /// Written `2022/2023`.
    SchoolYear = "school_year", "Läsår", "School year";
    /// Written `2022VT` (spring) or `2022HT` (autumn).
    Term = "term", "Termin", "Term";
    /// Written `2013-2016`, or `2019-03--2022-03` with months.
    Range = "range", "Intervall", "Range";
    /// The source gives no date; the period is a label.
    Undated = "undated", "Odaterad", "Undated";
}

code_list! {
    /// By which place people are counted. Some municipalities teach residents of others, so the two differ.
    #[derive(Default)]
    GeographyBasis = "geography-basis", "Geografisk grund", "Geography basis", check Some("observation_basis_known");
    Provider = "provider", "Där verksamheten ges", "Where the activity is provided";
    Residence = "residence", "Där deltagaren bor", "Where the participant lives";
    /// The source does not say.
    #[default]
    NotStated = "not_stated", "Inte angiven", "Not stated";
}

code_list! {
    /// Girls and boys, as the sources count them.
    #[derive(Default)]
    Gender = "gender", "Kön", "Gender", check Some("observation_gender_known");
    #[default]
    Total = "total", "Totalt", "Total";
    Girls = "girls", "Flickor", "Girls";
    Boys = "boys", "Pojkar", "Boys";
    Other = "other", "Annat", "Other";
}

code_list! {
    /// The art forms (konstområden) of the culture-school statistics from data year 2018, with a rest category.
    #[derive(Default)]
    Subject = "subject", "Ämne", "Subject", check Some("observation_subject_known");
    #[default]
    All = "all", "Alla ämnen", "All subjects";
    VisualArts = "visual_arts", "Bild och form", "Visual arts";
    Circus = "circus", "Cirkus", "Circus";
    Dance = "dance", "Dans", "Dance";
    FilmAnimation = "film_animation", "Film och animation", "Film and animation";
    Photography = "photography", "Foto", "Photography";
    MusicInstrumentVocal = "music_instrument_vocal", "Musik – instrument och sång", "Music – instrument and song";
    MusicEnsemble = "music_ensemble", "Musik – ensemble, orkester, kör, musikgrupp", "Music – ensemble, orchestra, choir, band";
    Musical = "musical", "Musikal", "Musical";
    Writing = "writing", "Skrivande och berättande", "Writing and storytelling";
    Crafts = "crafts", "Slöjd och hantverk", "Crafts";
    TheatreDrama = "theatre_drama", "Teater och drama", "Theatre and drama";
    Other = "other", "Övriga områden", "Other fields";
}

code_list! {
    /// How the culture school works with its participants.
    #[derive(Default)]
    ActivityForm = "activity-form", "Verksamhetsform", "Form of activity", check Some("observation_activity_form_known");
    #[default]
    All = "all", "All verksamhet", "All activities";
    /// Regular and voluntary.
    SubjectCourse = "subject_course", "Ämneskurs", "Subject course";
    SubjectCourseLong = "subject_course_long", "Ämneskurs, lång", "Subject course, long";
    SubjectCourseShort = "subject_course_short", "Ämneskurs, kort", "Subject course, short";
    /// Not always with enrolment.
    OpenActivity = "open_activity", "Öppen verksamhet", "Open activity";
    /// For particular target groups.
    TargetedActivity = "targeted_activity", "Riktad verksamhet", "Targeted activity";
    /// Done for schools.
    CommissionedActivity = "commissioned_activity", "Uppdragsverksamhet", "Commissioned activity";
    VoluntaryActivity = "voluntary_activity", "Frivillig verksamhet", "Voluntary activity";
}

code_list! {
    /// Whether there is a value, and if not, why.
    #[derive(Default)]
    ObservationStatus = "observation-status", "Observationsstatus", "Status of an observation", check Some("observation_status_known");
    #[default]
    Reported = "reported", "Rapporterad", "Reported";
    Estimated = "estimated", "Uppskattad", "Estimated";
    Provisional = "provisional", "Preliminär", "Provisional";
    MissingNotSubmitted = "missing_not_submitted", "Saknas: inte inlämnad", "Missing: not submitted";
    NotCollected = "not_collected", "Inte insamlad", "Not collected";
    NotYetPublished = "not_yet_published", "Ännu inte publicerad", "Not yet published";
    NotApplicable = "not_applicable", "Inte tillämplig", "Not applicable";
}

code_list! {
    /// How exact the source's own words are.
    #[derive(Default)]
    Precision = "precision", "Noggrannhet", "Precision", check Some("observation_precision_known");
    /// As published, rounded or not.
    #[default]
    Exact = "exact", "Exakt som publicerad", "Exactly as published";
    About = "about", "Omkring", "About";
    MoreThan = "more_than", "Mer än", "More than";
    LessThan = "less_than", "Mindre än", "Less than";
}

impl ReportState {
    /// Whether a report of this state may become `next`: draft, submitted, approved, withdrawn, in this order, and from
    /// submitted back to draft. A withdrawn report stays so; a new report takes its place.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Draft, Self::Submitted)
                | (Self::Submitted, Self::Draft | Self::Approved)
                | (Self::Approved, Self::Withdrawn)
        )
    }
}

impl ObservationStatus {
    /// Whether an observation of this status has a value; any other status says why there is none.
    #[must_use]
    pub const fn has_value(self) -> bool {
        matches!(self, Self::Reported | Self::Estimated | Self::Provisional)
    }
}

impl MeasureKind {
    /// Whether a measure of this kind can have the value. Shares of occasions can have more than 100; who knows the
    /// numerator asks `measures::store::Possible`.
    #[must_use]
    pub fn allows(self, value: f64) -> bool {
        let whole = value.fract() == 0.0;
        match self {
            Self::Count => whole && value >= 0.0,
            Self::Rank => whole && value >= 1.0,
            Self::Share => (0.0..=100.0).contains(&value),
            Self::Money => value >= 0.0,
            Self::Flag => [0.0, 1.0].contains(&value),
            Self::Change => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn a_report_goes_one_way_and_back_to_draft_only_while_it_waits() {
        use ReportState::{Approved, Draft, Submitted, Withdrawn};
        let all = [Draft, Submitted, Approved, Withdrawn];
        let ways: Vec<_> = all
            .into_iter()
            .flat_map(|from| all.map(|to| (from, to)))
            .filter(|(from, to)| from.may_become(*to))
            .collect();
        let expected = [
            (Draft, Submitted),
            (Submitted, Draft),
            (Submitted, Approved),
            (Approved, Withdrawn),
        ];
        assert_eq!(ways, expected);
    }

    #[rstest]
    #[case(MeasureKind::Count, 0.0, true)]
    #[case(MeasureKind::Count, 1.5, false)]
    #[case(MeasureKind::Count, -1.0, false)]
    #[case(MeasureKind::Rank, 0.0, false)]
    #[case(MeasureKind::Rank, 1.0, true)]
    #[case(MeasureKind::Share, 100.0, true)]
    #[case(MeasureKind::Share, 100.1, false)]
    #[case(MeasureKind::Money, -0.5, false)]
    #[case(MeasureKind::Flag, 1.0, true)]
    #[case(MeasureKind::Flag, 2.0, false)]
    #[case(MeasureKind::Change, -12.5, true)]
    fn a_kind_decides_which_values_are_possible(
        #[case] kind: MeasureKind,
        #[case] value: f64,
        #[case] possible: bool,
    ) {
        assert_eq!(kind.allows(value), possible);
    }
}
