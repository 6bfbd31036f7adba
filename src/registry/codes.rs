//! The closed vocabularies of the registry.

use crate::code_list;
use crate::values::CodeList;

/// All of them, for `/code-lists`.
pub const LISTS: &[CodeList] = &[
    State::LIST,
    PartnerCategory::LIST,
    CultureSchoolKind::LIST,
    ProjectScope::LIST,
    Continuation::LIST,
    Theme::LIST,
    ProjectStatus::LIST,
    crate::registry::partners::network::Relation::LIST,
    FundingKind::LIST,
    FundingPeriodKind::LIST,
    MemberRole::LIST,
    Audience::LIST,
    PartnershipRole::LIST,
    CooperationForm::LIST,
];

code_list! {
    /// Whether a row is public.
    State = "row-state", "Publiceringstillstånd", "Publication state", check Some("partner_state_known");
    /// Seen by the offices of its area only.
    Draft = "draft", "Utkast", "Draft";
    /// Seen by every reader.
    Published = "published", "Publicerad", "Published";
}

code_list! {
    /// What kind of organisation a partner is. Civil society comes first.
    PartnerCategory = "partner-category", "Aktörskategori", "Partner category", check Some("partner_category_known");
    SportsAssociation = "sports_association", "Idrottsförening", "Sports association";
    ChildYouthAssociation = "child_youth_association", "Barn- och ungdomsförening", "Children's and youth association";
    CulturalAssociation = "cultural_association", "Kulturförening", "Cultural association";
    EthnicAssociation = "ethnic_association", "Etnisk förening", "Ethnic association";
    DisabilityOrganization = "disability_organization", "Funktionshindersorganisation", "Disability organisation";
    FaithCommunity = "faith_community", "Trossamfund", "Faith community";
    AdultEducationAssociation = "adult_education_association", "Studieförbund och folkbildning", "Adult education association";
    RegionalInstitution = "regional_institution", "Regional institution", "Regional institution";
    Municipality = "municipality", "Kommun", "Municipality";
    StateAgency = "state_agency", "Statlig myndighet", "State agency";
    Foundation = "foundation", "Stiftelse eller fond", "Foundation or fund";
    Council = "council", "Råd eller intresseorganisation", "Council or interest organisation";
    Other = "other", "Annan", "Other";
}

code_list! {
    /// What kind of school it is.
    CultureSchoolKind = "culture-school-kind", "Skolslag", "Kind of school", check Some("culture_school_kind_known");
    MusicSchool = "music_school", "Musikskola", "Music school";
    CultureSchool = "culture_school", "Kulturskola", "Culture school";
}

code_list! {
    /// How far a project reaches.
    ProjectScope = "project-scope", "Geografisk räckvidd", "Geographic scope", check Some("project_scope_known");
    National = "national", "Nationell", "National";
    Regional = "regional", "Regional", "Regional";
    Local = "local", "Lokal", "Local";
}

code_list! {
    /// What goes on after the project.
    Continuation = "continuation", "Fortsättning efter projektet", "Continuation after the project", check Some("project_continuation_known");
    All = "all", "All verksamhet fortsätter", "All activities go on";
    Partly = "partly", "En del fortsätter", "Some activities go on";
    Ended = "ended", "Avslutad", "Ended";
    Unknown = "unknown", "Okänt", "Unknown";
}

code_list! {
    /// What a project is about.
    Theme = "project-theme", "Tema", "Theme", check Some("project_themes_known");
    BroadenedParticipation = "broadened_participation", "Breddat deltagande", "Broadened participation";
    Inclusion = "inclusion", "Inkludering", "Inclusion";
    YouthInfluence = "youth_influence", "Ungas inflytande", "Young people's influence";
    BreakingExclusion = "breaking_exclusion", "Bryta utanförskap", "Breaking exclusion";
    SustainableDevelopment = "sustainable_development", "Hållbar utveckling", "Sustainable development";
    Accessibility = "accessibility", "Tillgänglighet", "Accessibility";
    CivilSocietyCooperation = "civil_society_cooperation", "Samverkan med civilsamhället", "Cooperation with civil society";
    MethodDevelopment = "method_development", "Metodutveckling", "Development of methods";
    KnowledgeExchange = "knowledge_exchange", "Kunskapsutbyte", "Exchange of knowledge";
    CompetenceDevelopment = "competence_development", "Kompetensutveckling", "Competence development";
}

code_list! {
    /// Where a project stands in time; follows from its months and the day of asking.
    ProjectStatus = "project-status", "Projektstatus", "Project status", check None;
    Planned = "planned", "Planerat", "Planned";
    Ongoing = "ongoing", "Pågående", "Ongoing";
    Ended = "ended", "Avslutat", "Ended";
    Undated = "undated", "Odaterat", "Undated";
}

code_list! {
    /// Where money comes from.
    FundingKind = "funding-kind", "Slag av finansiering", "Kind of funding", check Some("funding_kind_known");
    Members = "members", "Medlemskommunerna gemensamt", "The member municipalities jointly";
    DevelopmentGrant = "development_grant", "Utvecklingsbidrag", "Development grant";
    ProjectGrant = "project_grant", "Projektstöd", "Project grant";
    Fund = "fund", "Fond", "Fund";
    OwnFunds = "own_funds", "Egna medel", "Own funds";
    Other = "other", "Annat", "Other";
}

code_list! {
    /// What time a funding line is for.
    FundingPeriodKind = "funding-period-kind", "Finansieringsperiod", "Funding period", check Some("funding_period_kind_known");
    SchoolYear = "school_year", "Läsår", "School year";
    CalendarYear = "calendar_year", "Kalenderår", "Calendar year";
    Project = "project", "Projekttid", "The project's time";
}

code_list! {
    /// What a municipality is in a collaboration.
    MemberRole = "member-role", "Medlemsroll", "Member role", check Some("member_role_known");
    Member = "member", "Medlem", "Member";
    AdministrativeHost = "administrative_host", "Administrativ huvudman", "Administrative host";
}

code_list! {
    /// Whom a goal is for.
    Audience = "goal-audience", "Målgrupp för mål", "Audience of a goal", check Some("goal_audience_known");
    ChildrenAndYoungPeople = "children_and_young_people", "Barn och unga", "Children and young people";
    TeachersAndManagers = "teachers_and_managers", "Lärare och ledare", "Teachers and managers";
    ExternalCulturalActors = "external_cultural_actors", "Externa kulturaktörer", "External cultural actors";
}

code_list! {
    /// What a partner is in a partnership.
    PartnershipRole = "partnership-role", "Roll i samarbete", "Role in a partnership", check Some("partnership_role_known");
    Owner = "owner", "Ägare", "Owner";
    Funder = "funder", "Finansiär", "Funder";
    Partner = "partner", "Samarbetspart", "Partner";
    ReferenceGroup = "reference_group", "Referensgrupp", "Reference group";
    Host = "host", "Värd", "Host";
    StrategistEmployer = "strategist_employer", "Arbetsgivare för samverkansstrateg", "Employer of the collaboration strategist";
    Coordinator = "coordinator", "Samordnare", "Coordinator";
    Principal = "principal", "Huvudman", "Principal";
    Participant = "participant", "Deltagare", "Participant";
}

code_list! {
    /// How partners work together.
    CooperationForm = "cooperation-form", "Samarbetsform", "Form of cooperation", check Some("partnership_form_known");
    JointActivity = "joint_activity", "Gemensam verksamhet", "Joint activity";
    SharedPremises = "shared_premises", "Delade lokaler", "Shared premises";
    Recruitment = "recruitment", "Rekrytering", "Recruitment";
    KnowledgeExchange = "knowledge_exchange", "Kunskapsutbyte", "Exchange of knowledge";
    Outreach = "outreach", "Uppsökande verksamhet", "Outreach";
    Other = "other", "Annat", "Other";
}

impl State {
    /// What a new row is, unless it says otherwise.
    #[must_use]
    pub fn published() -> Self {
        Self::Published
    }
}
