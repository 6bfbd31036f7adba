//! From what stands in a cell to what stands in JSON.

use std::borrow::Cow;

use chrono::{Days, NaiveDate};
use serde_json::{Value, json};
use uuid::Uuid;

use super::measures::Measures;
use super::places::{Place, place};
use super::{Column, Json, Kind, Reference, folded, numbers};
use crate::formats::read::{Cell, Members};
use crate::http::body::strict;
use crate::http::params::nearest;
use crate::problem::{Text, text};
use crate::values::{Code, CodeList, Day, OrgNumber};

/// What a cell came to: a value, and perhaps something that its sender should know.
pub(super) type Read = Result<(Value, Option<Said>), Said>;

/// A rule and its sentence.
pub(super) type Said = (&'static str, Text);

/// What else of its row a cell depends on.
pub(super) struct Around<'a> {
    /// The members of the row that were read before it.
    pub(super) members: &'a Members,
    /// The measures that there are.
    pub(super) measures: &'a Measures,
}

/// Reads a cell that is not empty.
pub(super) fn value(column: &Column, cell: &Cell, around: &Around<'_>) -> Read {
    if let Cell::Error(error) = cell {
        return Err((
            "cell_error",
            text(
                format!("Formeln gav ett fel: {error}."),
                format!("The formula came to an error: {error}."),
            ),
        ));
    }
    let written = cell.written();
    match column.kind {
        Kind::Text | Kind::Moment => Ok(plainly(written.into())),
        Kind::Label => label(cell, written),
        Kind::Ages => match super::ages::band(&written) {
            Some(band) => label(cell, band),
            None => label(cell, written),
        },
        Kind::Area => area(cell, &written),
        Kind::Areas => areas(cell, &written),
        Kind::Code(list) => code(list, &written).map(plainly),
        Kind::Codes(list) => parts(&written)
            .map(|part| code(list, part))
            .collect::<Result<Vec<Value>, Said>>()
            .map(|codes| plainly(Value::Array(codes))),
        Kind::Measure => {
            let (value, said) = label(cell, written)?;
            match value {
                Value::String(written) => Ok((around.measures.code(&written)?.into(), said)),
                other => Ok((other, said)),
            }
        }
        Kind::Number => numbers::any(cell, &written),
        Kind::Whole => numbers::whole(cell, &written),
        Kind::Day => day(cell, &written),
        Kind::Month => month(cell, written),
        Kind::PartialDate => Ok(partial_date(cell, written)),
        Kind::Bool => boolean(cell, &written),
        Kind::Reference(reference) => self::reference(reference, &written, around),
        Kind::Json(shape) => of_json(shape, &written).map(plainly),
        Kind::Id => written
            .parse::<Uuid>()
            .map(|id| plainly(id.to_string().into()))
            .map_err(|_| {
                (
                    "id_format",
                    text(
                        "Ett id är ett UUID, som 01903e2a-7b4c-7d5e-8f60-718293a4b5c6.",
                        "An id is a UUID, like 01903e2a-7b4c-7d5e-8f60-718293a4b5c6.",
                    ),
                )
            }),
    }
}

fn plainly(value: Value) -> (Value, Option<Said>) {
    (value, None)
}

/// What a spreadsheet has made a day of cannot be read back: 6-12 became the sixth of December.
fn label(cell: &Cell, written: Cow<'_, str>) -> Read {
    match cell {
        Cell::Date(_) | Cell::Moment(_) => Err((
            "cell_became_date",
            text(
                "Kalkylprogrammet har gjort ett datum av cellen. Formatera kolumnen som text och skriv värdet på nytt.",
                "The spreadsheet has made a date of the cell. Format the column as text and write the value anew.",
            ),
        )),
        _ => Ok(plainly(written.into())),
    }
}

fn area(cell: &Cell, written: &str) -> Read {
    if matches!(cell, Cell::Date(_) | Cell::Moment(_)) {
        return label(cell, written.into());
    }
    match place(written) {
        Place::Code(code) | Place::Named(code) => Ok(plainly(code.into())),
        Place::Padded(code) => Ok((
            code.into(),
            Some((
                "code_padded",
                text(
                    format!("{written} lästes som {code}: den inledande nollan saknades."),
                    format!("{written} was read as {code}: its leading zero was missing."),
                ),
            )),
        )),
        Place::Unknown(near) => Err((
            "area_unknown",
            match near {
                Some(near) => text(
                    format!(
                        "Varken en områdeskod eller ett läns eller en kommuns namn. Menade du {near}?"
                    ),
                    format!(
                        "Neither the code of an area nor the name of a county or municipality. Did you mean {near}?"
                    ),
                ),
                None => text(
                    "Varken en områdeskod eller ett läns eller en kommuns namn.",
                    "Neither the code of an area nor the name of a county or municipality.",
                ),
            },
        )),
    }
}

fn areas(cell: &Cell, written: &str) -> Read {
    if written.starts_with('[') {
        return Ok(plainly(codes_of(json_of(written)?)));
    }
    let mut codes = Vec::new();
    let mut said = None;
    let cells = parts(written).map(|part| match cell {
        Cell::Text(_) => Cell::Text(part.into()),
        other => other.clone(),
    });
    for cell in cells {
        let (code, note) = area(&cell, &cell.written())?;
        codes.push(code);
        said = said.or(note);
    }
    Ok((Value::Array(codes), said))
}

/// Areas are shown with code and name, and written as codes.
pub(super) fn codes_of(value: Value) -> Value {
    match value {
        Value::Array(items) => items
            .into_iter()
            .map(|item| match item {
                Value::Object(mut area) if area.contains_key("code") => {
                    area.remove("code").unwrap_or_default()
                }
                other => other,
            })
            .collect(),
        other => other,
    }
}

/// The parts of a joined list, without blanks.
fn parts(written: &str) -> impl Iterator<Item = &str> {
    written
        .split(['|', ';', '\n'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

fn code(list: CodeList, written: &str) -> Result<Value, Said> {
    if let Some(code) = list.find(written) {
        return Ok(code.code.into());
    }
    let wanted = folded(written);
    let named = |name: fn(&Code) -> &'static str| {
        list.codes.iter().find(|code| folded(name(code)) == wanted)
    };
    let found = named(|code| code.code)
        .or_else(|| named(|code| code.label_sv))
        .or_else(|| named(|code| code.label_en));
    if let Some(code) = found {
        return Ok(code.code.into());
    }
    let known = list
        .codes
        .iter()
        .flat_map(|code| [code.code, code.label_sv, code.label_en]);
    // What several begin with is none of them rather than another.
    let begun = begun(list, &wanted);
    let near = nearest(written, known).filter(|_| begun.len() < 2);
    let near = near.map(|near| {
        // A code has no language; a name is said in the language of the sentence.
        let labelled = list
            .codes
            .iter()
            .find(|code| code.code != near && [code.label_sv, code.label_en].contains(&near));
        let (sv, en) = labelled.map_or((near, near), |code| (code.label_sv, code.label_en));
        (sv.to_owned(), en.to_owned())
    });
    let detail = if let Some((sv, en)) = near.or_else(|| either(&begun)) {
        text(
            format!("Finns inte i listan. Menade du {sv}?"),
            format!("Not in the list. Did you mean {en}?"),
        )
    } else {
        let all = |name: fn(&Code) -> &'static str| {
            list.codes.iter().map(name).collect::<Vec<_>>().join(", ")
        };
        text(
            format!(
                "Finns inte i listan. Tillåtna: {}.",
                all(|code| code.label_sv)
            ),
            format!("Not in the list. Allowed: {}.", all(|code| code.label_en)),
        )
    };
    Err(("unknown_code", detail))
}

/// The codes that begin like this, or whose names do.
fn begun(list: CodeList, wanted: &str) -> Vec<&'static Code> {
    if wanted.chars().count() < BEGUN {
        return Vec::new();
    }
    let begins = |code: &&Code| {
        [code.code, code.label_sv, code.label_en]
            .iter()
            .any(|name| folded(name).starts_with(wanted))
    };
    list.codes.iter().filter(begins).collect()
}

/// The names of codes of which one is meant, in Swedish and English.
fn either(codes: &[&Code]) -> Option<(String, String)> {
    let (end, others) = codes.split_last()?;
    let all = |name: fn(&Code) -> &'static str, or: &str| {
        let others: Vec<&str> = others.iter().map(|code| name(code)).collect();
        match others.as_slice() {
            [] => name(end).to_owned(),
            others => format!("{} {or} {}", others.join(", "), name(end)),
        }
    };
    Some((
        all(|code| code.label_sv, "eller"),
        all(|code| code.label_en, "or"),
    ))
}

/// So many letters are a beginning.
const BEGUN: usize = 3;

fn day(cell: &Cell, written: &str) -> Read {
    if let Cell::Date(day) = cell {
        return Ok(plainly(day.to_string().into()));
    }
    // Midnight is how programs write a day that they hold as a moment.
    let day = ["T00:00:00", " 00:00:00", " 00:00"]
        .iter()
        .find_map(|midnight| written.strip_suffix(midnight))
        .unwrap_or(written);
    let compact = match (day.get(..4), day.get(4..6), day.get(6..)) {
        (Some(year), Some(month), Some(last))
            if day.len() == 8 && day.bytes().all(|b| b.is_ascii_digit()) =>
        {
            format!("{year}-{month}-{last}")
        }
        _ => day.to_owned(),
    };
    if let Some(day) = serial(cell, &compact) {
        let said = (
            "read_as_day",
            text(
                format!("{written} lästes som kalkylprogrammets dag {day}."),
                format!("{written} was read as the spreadsheet's day {day}."),
            ),
        );
        return Ok((day.to_string().into(), Some(said)));
    }
    if let Some(day) = pointed(&compact) {
        let said = (
            "read_as_day",
            text(
                format!("{written} lästes som {day}."),
                format!("{written} was read as {day}."),
            ),
        );
        return Ok((day.to_string().into(), Some(said)));
    }
    match compact.parse::<Day>() {
        Ok(_) => Ok(plainly(compact.into())),
        Err(_) => Err((
            "date_format",
            text(
                "Ett datum skrivs ÅÅÅÅ-MM-DD. Dag och månad i annan ordning gissas inte.",
                "A date is written YYYY-MM-DD. Day and month in another order are not guessed.",
            ),
        )),
    }
}

/// The day that `31.12.2031` means: day, month and a year of four digits with points between. None where the first two
/// could be the other way round.
fn pointed(written: &str) -> Option<NaiveDate> {
    let mut parts = written.split('.');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let digits = |text: &str, most: usize| {
        !text.is_empty() && text.len() <= most && text.bytes().all(|b| b.is_ascii_digit())
    };
    if parts.next().is_some()
        || !digits(day, 2)
        || !digits(month, 2)
        || year.len() != 4
        || !digits(year, 4)
    {
        return None;
    }
    let (day, month): (u32, u32) = (day.parse().ok()?, month.parse().ok()?);
    let date = NaiveDate::from_ymd_opt(year.parse().ok()?, month, day)?;
    (day > 12 || day == month).then_some(date)
}

/// The day that a spreadsheet means by a whole number of five digits: so many days after 30 December 1899, as it shows a
/// date whose cell has lost its format. Nothing else that means a day has five digits.
fn serial(cell: &Cell, written: &str) -> Option<NaiveDate> {
    if !matches!(cell, Cell::Number { .. } | Cell::Text(_)) || written.len() != 5 {
        return None;
    }
    let days = written
        .bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| written.parse().ok())??;
    NaiveDate::from_ymd_opt(1899, 12, 30)?.checked_add_days(Days::new(days))
}

/// A spreadsheet makes the first day of the month of `2025-01`.
fn month(cell: &Cell, written: Cow<'_, str>) -> Read {
    match cell {
        Cell::Date(_) => match written.strip_suffix("-01") {
            Some(month) => Ok(plainly(month.to_owned().into())),
            None => Err((
                "month_format",
                text("En månad skrivs ÅÅÅÅ-MM.", "A month is written YYYY-MM."),
            )),
        },
        _ => Ok(plainly(written.into())),
    }
}

fn partial_date(cell: &Cell, written: Cow<'_, str>) -> (Value, Option<Said>) {
    let said = matches!(cell, Cell::Date(_)).then(|| {
        (
            "read_as_day",
            text(
                format!("Lästes som dagen {written}. Menas en månad eller ett år, formatera cellen som text."),
                format!("Was read as the day {written}. If a month or a year is meant, format the cell as text."),
            ),
        )
    });
    (written.into(), said)
}

fn boolean(cell: &Cell, written: &str) -> Read {
    let value = match cell {
        Cell::Bool(value) => Some(*value),
        _ => match folded(written).as_str() {
            "ja" | "yes" | "true" | "sant" | "1" | "j" | "y" | "x" => Some(true),
            "nej" | "no" | "false" | "falskt" | "0" | "n" => Some(false),
            _ => None,
        },
    };
    value
        .map(|value| plainly(value.into()))
        .ok_or_else(|| ("yes_or_no", text("Skriv ja eller nej.", "Write yes or no.")))
}

fn reference(reference: Reference, written: &str, around: &Around<'_>) -> Read {
    if let Ok(id) = written.parse::<Uuid>() {
        return Ok(plainly(id.to_string().into()));
    }
    let value = match reference {
        Reference::Partner if written.parse::<OrgNumber>().is_ok() => {
            json!({"orgNumber": written})
        }
        Reference::Partner | Reference::Collaboration => json!({"name": written}),
        Reference::Source if written.starts_with("http://") || written.starts_with("https://") => {
            json!({"url": written})
        }
        Reference::Project | Reference::Source => json!({"title": written}),
        Reference::CultureSchool => return school(written, around),
    };
    Ok(plainly(value))
}

fn school(written: &str, around: &Around<'_>) -> Read {
    let is_municipality = |code: &str| code.len() == 4 && code.bytes().all(|b| b.is_ascii_digit());
    if let Some((code, name)) = written.split_once(char::is_whitespace)
        && is_municipality(code)
    {
        return Ok(plainly(json!({"municipality": code, "name": name.trim()})));
    }
    let area = around.members.get("area").and_then(Value::as_str);
    match area.and_then(|area| area.get(..4)) {
        Some(code) if is_municipality(code) => {
            Ok(plainly(json!({"municipality": code, "name": written})))
        }
        _ => Err((
            "school_municipality",
            text(
                "Skriv kulturskolans id, eller kommunens kod och namnet: 1880 Örebro kulturskola.",
                "Write the id of the culture school, or the code of its municipality and the name: 1880 Örebro kulturskola.",
            ),
        )),
    }
}

fn json_of(written: &str) -> Result<Value, Said> {
    strict(written.as_bytes()).map_err(|error| {
        (
            "json",
            text(
                format!("Cellen är inte JSON som godtas: {error}."),
                format!("The cell is not JSON that is accepted: {error}."),
            ),
        )
    })
}

fn of_json(shape: Json, written: &str) -> Result<Value, Said> {
    Ok(writable(shape, json_of(written)?))
}

/// Takes out what is exported and cannot be written.
pub(super) fn writable(shape: Json, mut value: Value) -> Value {
    if let (Json::Without(members), Value::Array(items)) = (shape, &mut value) {
        for item in items.iter_mut().filter_map(Value::as_object_mut) {
            item.retain(|name, _| !members.contains(&name.as_str()));
        }
    }
    value
}

/// What follows from the rest: the kind of a period, where its form shows it.
pub(super) fn complete(members: &mut Members) {
    if members.contains("periodKind") {
        return;
    }
    let Some(period) = members.get("period").and_then(Value::as_str) else {
        return;
    };
    let digits = |text: &str| text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit());
    let kind = match period.split_at_checked(4) {
        Some((year, "")) if digits(year) => "year",
        Some((year, "VT" | "HT")) if digits(year) => "term",
        Some((year, rest)) if digits(year) && rest.strip_prefix('/').is_some_and(digits) => {
            "school_year"
        }
        _ => return,
    };
    members.push("periodKind", kind.into());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::lang::Lang;
    use crate::participation::codes::Subject;
    use rstest::rstest;

    #[rstest]
    #[case("2025-12-31", Some("2025-12-31"))]
    #[case("20251231", Some("2025-12-31"))]
    #[case("46022", Some("2025-12-31"))]
    #[case("1", None)]
    #[case("31/12/2025", None)]
    #[case("31.12.2031", Some("2031-12-31"))]
    #[case("5.5.2031", Some("2031-05-05"))]
    #[case("05.06.2031", None)]
    #[case("12.31.2031", None)]
    #[case("30.2.2031", None)]
    #[case("31.12.31", None)]
    #[case("31.12.2031.", None)]
    fn days(#[case] written: &str, #[case] expected: Option<&str>) {
        let number = Cell::Number {
            value: 0.0,
            text: written.to_owned(),
        };
        for cell in [Cell::Text(written.into()), number] {
            let read = day(&cell, written).ok().map(|(day, _)| day);
            assert_eq!(read, expected.map(Value::from), "{cell:?}");
        }
    }

    #[rstest]
    #[case(
        "music",
        "Did you mean Music – instrument and song, Music – ensemble, orchestra, choir, band or Musical?"
    )]
    #[case("danc", "Did you mean Dance?")]
    #[case("qqqqqqqqqq", "Allowed: ")]
    fn a_code_is_suggested_by_its_beginning(#[case] written: &str, #[case] expected: &str) {
        let (rule, said) = code(Subject::LIST, written).unwrap_err();
        assert_eq!(rule, "unknown_code");
        assert!(said.get(Lang::En).contains(expected), "{said:?}");
    }

    #[rstest]
    #[case("2022", Some("year"))]
    #[case("2022/2023", Some("school_year"))]
    #[case("2022HT", Some("term"))]
    #[case("2013-2016", None)]
    #[case("åååå", None)]
    fn the_form_of_a_period_tells_its_kind(#[case] period: &str, #[case] kind: Option<&str>) {
        let mut members = Members::default();
        members.push("period", period.into());
        complete(&mut members);
        assert_eq!(members.get("periodKind").and_then(Value::as_str), kind);
    }
}
