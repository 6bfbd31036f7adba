//! What a heading that stands for no column was likely meant to be. It is never read as that: who misspells one column has
//! perhaps misspelt what stands under it.

use super::{Column, columns, folded};
use crate::sync::imports::types::ImportType;

/// What offices call members whose columns are called otherwise here, folded.
const ALSO_CALLED: &[(&str, &[&str])] = &[
    (
        "ageBand",
        &["åldersgrupp", "åldersspann", "agegroup", "ages"],
    ),
    ("ageFrom", &["lägstaålder", "minålder", "minage"]),
    ("ageTo", &["högstaålder", "maxålder", "maxage"]),
    (
        "area",
        &[
            "kommun",
            "kommunkod",
            "kommunnamn",
            "län",
            "länskod",
            "region",
            "regionkod",
            "områdeskod",
            "municipality",
            "county",
            "areacode",
        ],
    ),
    ("category", &["typ", "sort", "type"]),
    ("description", &["om", "about"]),
    ("gender", &["sex"]),
    ("measure", &["nyckeltal", "indikator", "indicator"]),
    (
        "municipality",
        &["kommunkod", "kommunnamn", "område", "area"],
    ),
    (
        "name",
        &["benämning", "förening", "organisation", "organization"],
    ),
    ("note", &["kommentar", "notering", "comment", "remark"]),
    ("orgNumber", &["organizationnumber", "registrationnumber"]),
    (
        "period",
        &["år", "läsår", "termin", "year", "schoolyear", "term"],
    ),
    (
        "referenceDate",
        &["referensdatum", "referensdag", "mätdatum", "datum", "date"],
    ),
    ("title", &["rubrik", "projektnamn"]),
    (
        "value",
        &[
            "antal",
            "antalelever",
            "elever",
            "folkmängd",
            "befolkning",
            "invånare",
            "summa",
            "population",
            "number",
            "count",
            "pupils",
        ],
    ),
    (
        "website",
        &["hemsida", "webb", "webbadress", "homepage", "url"],
    ),
    ("year", &["årtal", "period"]),
];

/// The most letters that a misspelling changes.
const CHANGED: usize = 3;
/// The fewest letters of an abbreviation.
const SHORTENED: usize = 3;

/// The column that was likely meant: one that is called so elsewhere, whose words stand in another order or are misspelt,
/// or whose name is shortened (`Orgnr`).
pub(super) fn meant(resource: ImportType, heading: &str) -> Option<&'static Column> {
    let wanted = folded(heading);
    let all = columns(resource);
    let called = |column: &&Column| also_called(column).any(|name| name == wanted);
    all.iter()
        .find(called)
        .or_else(|| misspelt(all, heading))
        .or_else(|| shortened(all, &wanted))
}

fn also_called(column: &Column) -> impl Iterator<Item = &'static str> + use<> {
    let field = column.field;
    let known = ALSO_CALLED.iter().filter(move |(own, _)| *own == field);
    known.flat_map(|(_, names)| names.iter().copied())
}

/// The column with the nearest name; of two that are as near, one that is written.
fn misspelt(all: &'static [Column], heading: &str) -> Option<&'static Column> {
    let (wanted, in_order) = (folded(heading), words(heading));
    let most = CHANGED.min(wanted.chars().count() / 2);
    let distance = |column: &Column| {
        let own = column.names().into_iter().flat_map(|name| {
            let straight = strsim::damerau_levenshtein(&wanted, &folded(name));
            [
                straight,
                strsim::damerau_levenshtein(&in_order, &words(name)),
            ]
        });
        let other = also_called(column).map(|name| strsim::damerau_levenshtein(&wanted, name));
        // Words of others are many: what is more than a slip away from one is rather a name of ours, shortened.
        own.chain(other.filter(|distance| *distance <= 1)).min()
    };
    all.iter()
        .filter_map(|column| Some((distance(column)?, !column.is_written(), column)))
        .filter(|(distance, ..)| *distance <= most)
        .min_by_key(|(distance, read_only, _)| (*distance, *read_only))
        .map(|(.., column)| column)
}

/// The words of a heading in the order of the alphabet, as one text.
fn words(heading: &str) -> String {
    let mut words: Vec<String> = heading.split_whitespace().map(folded).collect();
    words.sort_unstable();
    words.concat()
}

/// The column whose name is left when letters are taken out of it, but not the first: the shortest such name.
fn shortened(all: &'static [Column], wanted: &str) -> Option<&'static Column> {
    let letters: Vec<char> = wanted.chars().filter(|c| c.is_alphanumeric()).collect();
    if letters.len() < SHORTENED {
        return None;
    }
    let shortens = |name: &str| {
        let mut rest = name.chars();
        let first = letters.first() == name.chars().next().as_ref();
        first && letters.iter().all(|letter| rest.any(|c| c == *letter))
    };
    let length = |column: &Column| {
        let names = column.names().map(folded).into_iter();
        names
            .filter(|name| shortens(name))
            .map(|name| name.chars().count())
            .min()
    };
    all.iter()
        .filter_map(|column| Some((length(column)?, !column.is_written(), column)))
        .min_by_key(|(length, read_only, _)| (*length, *read_only))
        .map(|(.., column)| column)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(ImportType::Partners, "Orgnr", Some("orgNumber"))]
    #[case(ImportType::Partners, "Org.nr", Some("orgNumber"))]
    #[case(ImportType::Partners, "Organisationsnr", Some("orgNumber"))]
    #[case(ImportType::Partners, "Organisatonsnumer", Some("orgNumber"))]
    #[case(ImportType::Partners, "Kommun", Some("area"))]
    #[case(ImportType::Partners, "Namm *", Some("name"))]
    #[case(ImportType::Partners, "Hemsida", Some("website"))]
    #[case(ImportType::Partners, "Besk", Some("description"))]
    #[case(ImportType::Populations, "Ålder från", Some("ageFrom"))]
    #[case(ImportType::Populations, "Ålder til", Some("ageTo"))]
    #[case(ImportType::Populations, "Referensdatum", Some("referenceDate"))]
    #[case(ImportType::Populations, "Referensdatun", Some("referenceDate"))]
    #[case(ImportType::Populations, "Datum", Some("referenceDate"))]
    #[case(ImportType::Observations, "Kon", Some("gender"))]
    #[case(ImportType::Observations, "Läsår", Some("period"))]
    #[case(ImportType::Observations, "Antal", Some("value"))]
    #[case(ImportType::Observations, "Antla", Some("value"))]
    #[case(ImportType::Observations, "Elevr", Some("value"))]
    #[case(ImportType::CultureSchools, "Område", Some("municipality"))]
    #[case(ImportType::Partners, "Skostorlek", None)]
    #[case(ImportType::Partners, "X", None)]
    fn what_was_meant_is_found(
        #[case] resource: ImportType,
        #[case] heading: &str,
        #[case] field: Option<&str>,
    ) {
        let found = meant(resource, heading);
        assert_eq!(found.map(|column| column.field), field);
    }

    #[test]
    fn other_words_are_folded_and_of_columns_that_there_are() {
        let fields: Vec<&str> = ImportType::ALL
            .iter()
            .flat_map(|resource| columns(*resource))
            .map(|column| column.field)
            .collect();
        for (field, names) in ALSO_CALLED {
            assert!(fields.contains(field), "{field} is no column");
            for name in *names {
                assert_eq!(folded(name), *name);
            }
        }
    }
}
