//! What can speak against a file, in both languages.

use super::{MAX_COLUMNS, MAX_ROW, MAX_ROWS, ReadFault, letter};
use crate::problem::{Text, text};

fn fault(code: &'static str, row: Option<u32>, column: Option<u16>, text: Text) -> ReadFault {
    ReadFault {
        code,
        row,
        column: column.map(letter),
        text,
    }
}

/// The file could not be read where it lies: a fault of ours, not of the file.
pub(super) fn io(error: std::io::Error) -> ReadFault {
    log::error!("a file that was taken in cannot be read: {error}");
    fault(
        "file_unreadable",
        None,
        None,
        text(
            "Filen gick inte att läsa hos oss. Skicka den igen.",
            "The file could not be read here. Send it again.",
        ),
    )
}

pub(super) fn empty_file() -> ReadFault {
    fault(
        "empty_file",
        None,
        None,
        text("Filen är tom.", "The file is empty."),
    )
}

pub(super) fn too_large(what: &str, most: u64) -> ReadFault {
    fault(
        "file_too_large",
        None,
        None,
        text(
            format!(
                "Filen är för stor: {what} får ha högst {most} byte. Dela den, eller skicka CSV."
            ),
            format!(
                "The file is too large: {what} may have {most} bytes at the most. Split it, or send CSV."
            ),
        ),
    )
}

pub(super) fn too_many_rows() -> ReadFault {
    fault(
        "too_many_rows",
        None,
        None,
        text(
            format!("Filen har fler än {MAX_ROWS} rader. Dela den."),
            format!("The file has more than {MAX_ROWS} rows. Split it."),
        ),
    )
}

pub(super) fn too_many_cells() -> ReadFault {
    fault(
        "too_many_cells",
        None,
        None,
        text(
            "Bladet har för många celler. Dela det, eller skicka CSV.",
            "The sheet has too many cells. Split it, or send CSV.",
        ),
    )
}

pub(super) fn too_many_columns(row: u32) -> ReadFault {
    fault(
        "too_many_columns",
        Some(row),
        None,
        text(
            format!("Rad {row} har fler än {MAX_COLUMNS} kolumner."),
            format!("Row {row} has more than {MAX_COLUMNS} columns."),
        ),
    )
}

pub(super) fn row_too_long(row: u32) -> ReadFault {
    fault(
        "row_too_long",
        Some(row),
        None,
        text(
            format!("Rad {row} är längre än {MAX_ROW} byte."),
            format!("Row {row} is longer than {MAX_ROW} bytes."),
        ),
    )
}

pub(super) fn open_quote(row: u32) -> ReadFault {
    fault(
        "open_quote",
        Some(row),
        None,
        text(
            format!("Ett citattecken som öppnas på rad {row} stängs aldrig."),
            format!("A quotation mark that is opened in row {row} is never closed."),
        ),
    )
}

pub(super) fn not_text() -> ReadFault {
    fault(
        "not_text",
        None,
        None,
        text(
            "Filen är inte text. En CSV-fil ska vara UTF-8, UTF-16 med BOM eller Windows-1252.",
            "The file is not text. A CSV file must be UTF-8, UTF-16 with BOM, or Windows-1252.",
        ),
    )
}

pub(super) fn packed() -> ReadFault {
    fault(
        "other_format",
        None,
        None,
        text(
            "Filen är ett kalkylblad (xlsx), inte text. Skicka den med typen för xlsx.",
            "The file is a workbook (xlsx), not text. Send it with the type of xlsx.",
        ),
    )
}

pub(super) fn old_or_locked() -> ReadFault {
    fault(
        "old_or_locked",
        None,
        None,
        text(
            "Filen är av Excels gamla format (xls) eller låst med lösenord. Spara den som xlsx utan lösenord.",
            "The file has Excel's old format (xls) or is locked with a password. Save it as xlsx without a password.",
        ),
    )
}

pub(super) fn broken_workbook() -> ReadFault {
    fault(
        "broken_workbook",
        None,
        None,
        text(
            "Filen är inte en hel xlsx-fil. Öppna den i ett kalkylprogram och spara den på nytt.",
            "The file is no whole xlsx file. Open it in a spreadsheet program and save it anew.",
        ),
    )
}

pub(super) fn no_sheet() -> ReadFault {
    fault(
        "no_sheet",
        None,
        None,
        text(
            "Arbetsboken har inget synligt blad.",
            "The workbook has no visible sheet.",
        ),
    )
}

pub(super) fn several_sheets(filled: &[String], names: &[&str]) -> ReadFault {
    let (filled, names) = (filled.join(", "), names.join(", "));
    fault(
        "several_sheets",
        None,
        None,
        text(
            format!(
                "Flera blad har innehåll: {filled}. Ge bladet med raderna ett av namnen {names}, eller skicka ett blad i taget."
            ),
            format!(
                "Several sheets hold something: {filled}. Give the sheet with the rows one of the names {names}, or send one sheet at a time."
            ),
        ),
    )
}

pub(super) fn garbled(row: u32, column: u16) -> ReadFault {
    let place = letter(column);
    fault(
        "garbled_text",
        Some(row),
        Some(column),
        text(
            format!(
                "Å, ä och ö är förvanskade på rad {row}, kolumn {place}: filen är sparad med en annan teckenkodning. Spara den som ”CSV UTF-8”."
            ),
            format!(
                "Å, ä and ö are garbled in row {row}, column {place}: the file was saved with another encoding. Save it as “CSV UTF-8”."
            ),
        ),
    )
}

pub(super) fn title_row(row: u32, headings: u32) -> ReadFault {
    fault(
        "title_row",
        Some(row),
        None,
        text(
            format!(
                "Rad {row} är en titel. Rubrikerna ska stå på första raden; ta bort raderna ovanför rad {headings}."
            ),
            format!(
                "Row {row} is a title. The headings must be in the first row; remove the rows above row {headings}."
            ),
        ),
    )
}

pub(super) fn merged_cells(row: u32, range: &str) -> ReadFault {
    fault(
        "merged_cells",
        Some(row),
        None,
        text(
            format!(
                "Cellerna {range} på rad {row} är sammanfogade. Dela dem, och fyll i varje rad och kolumn för sig; en titel ovanför rubrikerna tas bort."
            ),
            format!(
                "The cells {range} in row {row} are merged. Split them and fill in each row and column on its own; a title above the headings must go."
            ),
        ),
    )
}

pub(super) fn heading_empty(heading_row: u32, row: u32, column: u16) -> ReadFault {
    let place = letter(column);
    fault(
        "heading_empty",
        Some(heading_row),
        Some(column),
        text(
            format!("Kolumn {place} har ett värde på rad {row} men ingen rubrik."),
            format!("Column {place} has a value in row {row} but no heading."),
        ),
    )
}

pub(super) fn personal_numbers(row: u32, column: Option<u16>, member: Option<&str>) -> ReadFault {
    let place = match (column, member) {
        (Some(column), _) => letter(column),
        (None, member) => member.unwrap_or_default().to_owned(),
    };
    ReadFault {
        code: "personal_identity_numbers",
        row: Some(row),
        text: text(
            format!(
                "Kolumn {place} innehåller något som ser ut som personnummer eller samordningsnummer (först på rad {row}). Uppgifter om enskilda personer tas inte emot; ingenting av filen är läst in."
            ),
            format!(
                "Column {place} holds what looks like personal identity numbers or coordination numbers (first in row {row}). Data of single persons are not taken; nothing of the file was read in."
            ),
        ),
        column: Some(place),
    }
}

pub(super) fn formula_without_value(row: u32, column: u16) -> ReadFault {
    let place = letter(column);
    fault(
        "formula_without_value",
        Some(row),
        Some(column),
        text(
            format!(
                "Formeln i {place}{row} har inget uträknat värde. Öppna filen i ett kalkylprogram och spara den."
            ),
            format!(
                "The formula in {place}{row} has no computed value. Open the file in a spreadsheet program and save it."
            ),
        ),
    )
}

pub(super) fn not_json(row: Option<u32>, error: &str) -> ReadFault {
    fault(
        "json",
        row,
        None,
        text(
            format!("Innehållet är inte JSON som godtas: {error}."),
            format!("The content is not JSON that is accepted: {error}."),
        ),
    )
}
