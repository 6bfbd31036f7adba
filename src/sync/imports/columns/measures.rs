//! Measures as people write them: by code, or by their names in Swedish or English. Measures are rows of the database and
//! not a list in the code, so who reads or makes a file brings along those that there are.

use std::collections::{HashMap, HashSet};

use super::folded;
use crate::access::Reach;
use crate::db::Conn;
use crate::http::params::nearest;
use crate::participation::measures::store::{self, Named};
use crate::problem::{Text, text};
use crate::registry::codes::State;
use crate::values::MeasureCode;

use super::cells::Said;

/// So many measures are listed in a sentence; the template shows them all.
const LISTED: usize = 12;

/// The measures that a file may name.
#[derive(Clone, Debug, Default)]
pub struct Measures {
    /// Those that the client may see: their names are read, and suggested.
    offered: Vec<Named>,
    /// The codes of all that are there: a code is a code, also of a draft of others.
    codes: HashSet<String>,
    /// By the folded names, the codes that they stand for.
    by_name: HashMap<String, Vec<String>>,
}

impl Measures {
    /// Those that are there now.
    ///
    /// # Errors
    /// When the query fails.
    pub async fn load(conn: &Conn, reach: &Reach) -> diesel::QueryResult<Self> {
        Ok(Self::of(store::named(conn).await?, reach.is_national()))
    }

    /// These; drafts are seen by clients of the whole country only.
    #[must_use]
    pub fn of(all: Vec<Named>, national: bool) -> Self {
        let codes = all.iter().map(|measure| measure.code.clone()).collect();
        let mut offered = all;
        offered.retain(|measure| national || measure.state == State::Published);
        let mut by_name: HashMap<String, Vec<String>> = HashMap::new();
        for measure in &offered {
            for name in [&measure.code, &measure.label_sv, &measure.label_en] {
                let meant = by_name.entry(folded(name)).or_default();
                if !meant.contains(&measure.code) {
                    meant.push(measure.code.clone());
                }
            }
        }
        Self {
            offered,
            codes,
            by_name,
        }
    }

    /// Those to choose from, by code.
    #[must_use]
    pub fn offered(&self) -> &[Named] {
        &self.offered
    }

    /// The code that is meant. What has the form of a code and is none is left for the rules of the row: an earlier row of
    /// the file may make it.
    pub(super) fn code(&self, written: &str) -> Result<String, Said> {
        if self.codes.contains(written) || self.codes.is_empty() {
            return Ok(written.to_owned());
        }
        match self.by_name.get(&folded(written)).map(Vec::as_slice) {
            Some([code]) => return Ok(code.clone()),
            Some(codes) => return Err(("reference_ambiguous", ambiguous(codes))),
            None if written.parse::<MeasureCode>().is_ok() => return Ok(written.to_owned()),
            None => {}
        }
        let said = self.suggestion(written).unwrap_or_else(|| self.known());
        Err((
            "unknown_code",
            text(
                format!("Inget mått heter så. {}", said.sv),
                format!("No measure is called that. {}", said.en),
            ),
        ))
    }

    /// What is likely meant by something that is no code of a measure.
    #[must_use]
    pub fn suggestion(&self, written: &str) -> Option<Suggestion> {
        let names = self
            .offered
            .iter()
            .flat_map(|measure| [&measure.code, &measure.label_sv, &measure.label_en]);
        let near = nearest(written, names.map(String::as_str))?;
        let [code] = self.by_name.get(&folded(near))?.as_slice() else {
            return None;
        };
        let measure = self.offered.iter().find(|known| known.code == *code)?;
        let (sv, en) = (&measure.label_sv, &measure.label_en);
        Some(Suggestion {
            sv: format!("Menade du {code} ({sv})?"),
            en: format!("Did you mean {code} ({en})?"),
        })
    }

    fn known(&self) -> Suggestion {
        if self.offered.len() > LISTED {
            return Suggestion {
                sv: "Importmallen har dem alla.".to_owned(),
                en: "The template of the import has them all.".to_owned(),
            };
        }
        let codes: Vec<&str> = self
            .offered
            .iter()
            .map(|known| known.code.as_str())
            .collect();
        let codes = codes.join(", ");
        Suggestion {
            sv: format!("Kända: {codes}."),
            en: format!("Known: {codes}."),
        }
    }
}

/// A sentence that helps on, in both languages.
#[derive(Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// Swedish.
    pub sv: String,
    /// English.
    pub en: String,
}

fn ambiguous(codes: &[String]) -> Text {
    let codes = codes.join(", ");
    text(
        format!("Flera mått heter så; skriv koden: {codes}."),
        format!("Several measures are called that; write the code: {codes}."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::lang::Lang;
    use rstest::rstest;

    fn named(code: &str, label_sv: &str, label_en: &str, state: State) -> Named {
        Named {
            code: code.to_owned(),
            label_sv: label_sv.to_owned(),
            label_en: label_en.to_owned(),
            state,
        }
    }

    fn measures() -> Measures {
        let all = vec![
            named("pupils", "Unika elever", "Unique pupils", State::Published),
            named("queue_a", "Barn i kö", "Queue", State::Published),
            named("queue_b", "Barn i kö", "Waiting list", State::Published),
            named("secret", "Hemligt mått", "Secret", State::Draft),
        ];
        Measures::of(all, false)
    }

    #[rstest]
    #[case("pupils", "pupils")]
    #[case("Pupils", "pupils")]
    #[case("unika elever", "pupils")]
    #[case("UNIQUE PUPILS", "pupils")]
    #[case("Waiting list", "queue_b")]
    // A draft that this client does not see is written by its code only, as before.
    #[case("secret", "secret")]
    // What has the form of a code may be made by the file itself.
    #[case("pupil", "pupil")]
    fn codes_and_names_are_read(#[case] written: &str, #[case] code: &str) {
        assert_eq!(measures().code(written).unwrap(), code);
    }

    #[rstest]
    #[case(
        "Unika elver",
        "unknown_code",
        "Inget mått heter så. Menade du pupils (Unika elever)?"
    )]
    #[case(
        "Barn i kö",
        "reference_ambiguous",
        "Flera mått heter så; skriv koden: queue_a, queue_b."
    )]
    #[case(
        "Hemligt mått",
        "unknown_code",
        "Inget mått heter så. Kända: pupils, queue_a, queue_b."
    )]
    fn others_are_refused_with_what_is_likely_meant(
        #[case] written: &str,
        #[case] code: &str,
        #[case] sentence: &str,
    ) {
        let (rule, said) = measures().code(written).unwrap_err();
        assert_eq!((rule, said.get(Lang::Sv)), (code, sentence));
    }

    #[test]
    fn without_measures_everything_is_left_to_the_rules() {
        let none = Measures::default();
        assert_eq!(none.code("Unika elever").unwrap(), "Unika elever");
    }
}
