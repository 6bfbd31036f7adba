//! What can be imported.

use crate::code_list;

code_list! {
    /// What the rows of a file are. The codes are the paths of the resources; rows of observations make reports.
    ImportType = "import-type", "Slag av import", "Kind of import", check Some("import_resource_known");
    CultureSchools = "culture-schools", "Kulturskolor", "Culture schools";
    Partners = "partners", "Samarbetsparter", "Partners";
    Projects = "projects", "Projekt", "Projects";
    Collaborations = "collaborations", "Samverkan", "Collaborations";
    Partnerships = "partnerships", "Samarbeten", "Partnerships";
    Measures = "measures", "Mått", "Measures";
    Sources = "sources", "Källor", "Sources";
    Observations = "observations", "Observationer", "Observations";
    Populations = "populations", "Befolkning", "Populations";
    Districts = "districts", "Stadsdelar", "Districts";
}

impl ImportType {
    /// Every type, in the order of the list.
    pub const ALL: [Self; 10] = [
        Self::CultureSchools,
        Self::Partners,
        Self::Projects,
        Self::Collaborations,
        Self::Partnerships,
        Self::Measures,
        Self::Sources,
        Self::Observations,
        Self::Populations,
        Self::Districts,
    ];

    /// Its names in both languages.
    #[must_use]
    pub fn labels(self) -> (&'static str, &'static str) {
        let code = Self::LIST.find(self.as_str());
        code.map_or((self.as_str(), self.as_str()), |code| {
            (code.label_sv, code.label_en)
        })
    }

    /// The names that a sheet with such rows may have.
    #[must_use]
    pub fn sheet_names(self) -> [&'static str; 3] {
        let (sv, en) = self.labels();
        [self.as_str(), sv, en]
    }
}
