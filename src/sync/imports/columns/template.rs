//! A workbook to fill in: the columns of a kind of row with their headings, the allowed codes as drop-downs, code columns
//! as text so that zeros survive, and a sheet that explains each column.

use rust_xlsxwriter::{
    DataValidation, DataValidationErrorStyle, DocProperties, ExcelDateTime, Format, FormatAlign,
    Formula, Workbook, Worksheet, XlsxError,
};

use super::measures::Measures;
use super::places::offered;
use super::{Column, Empty, Json, Kind, Use, columns};
use crate::http::lang::Lang;
use crate::problem::{ApiResult, Problem, text};
use crate::sync::imports::types::ImportType;
use crate::values::CodeList;

/// The last row of a sheet, from 0.
const LAST_ROW: u32 = 1_048_575;
/// The longest list that stands in the rule of a cell itself, characters with its commas (Excel's own limit).
const INLINE: usize = 255;
/// The longest help text of a cell, characters (Excel's own limit).
const HELP: usize = 255;
/// The sheet of longer lists.
const LISTS: &str = "_lists";

/// Writes the template of a kind of row, with these measures to choose from.
///
/// # Errors
/// When writing fails.
pub fn template(resource: ImportType, lang: Lang, measures: &Measures) -> ApiResult<Vec<u8>> {
    written(resource, lang, measures).map_err(Problem::internal)
}

/// The columns of a template: what can be written, once. Objects stand as their parts, names beside ids do not.
fn asked_for(resource: ImportType) -> impl Iterator<Item = &'static Column> {
    columns(resource).iter().filter(|column| {
        let whole_object = matches!(column.kind, Kind::Json(Json::Object));
        match column.role {
            Use::Content => !whole_object,
            Use::Key => column.field == "id",
            Use::InsteadOf(_) | Use::ReadOnly => false,
        }
    })
}

fn written(resource: ImportType, lang: Lang, measures: &Measures) -> Result<Vec<u8>, XlsxError> {
    let (sv, en) = resource.labels();
    let mut book = Workbook::new();
    // The same bytes each time: no clock.
    book.set_properties(
        &DocProperties::new()
            .set_title(lang.pick(sv, en))
            .set_creation_datetime(&ExcelDateTime::from_timestamp(0)?),
    );
    let mut lists = Lists::default();
    let offer = Offer { lang, measures };
    data(book.add_worksheet(), resource, &offer, &mut lists)?;
    explanations(book.add_worksheet(), resource, &offer)?;
    if !lists.columns.is_empty() {
        lists.write(book.add_worksheet())?;
    }
    book.save_to_buffer()
}

/// What a template is made for.
struct Offer<'a> {
    lang: Lang,
    measures: &'a Measures,
}

fn heading(column: &Column, lang: Lang) -> String {
    let name = lang.pick(column.sv, column.en);
    if column.is_required() {
        format!("{name} *")
    } else {
        name.to_owned()
    }
}

fn data(
    sheet: &mut Worksheet,
    resource: ImportType,
    offer: &Offer<'_>,
    lists: &mut Lists,
) -> Result<(), XlsxError> {
    let lang = offer.lang;
    let (sv, en) = resource.labels();
    sheet.set_name(lang.pick(sv, en))?;
    let usual = Format::new().set_bold().set_text_wrap();
    let required = usual.clone().set_background_color("#FFE699");
    for (place, column) in (0..).zip(asked_for(resource)) {
        let heading = heading(column, lang);
        let format = if column.is_required() {
            &required
        } else {
            &usual
        };
        sheet.write_string_with_format(0, place, &heading, format)?;
        let width = u32::try_from(heading.chars().count().clamp(12, 40)).unwrap_or(40);
        sheet.set_column_width(place, f64::from(width) + 2.0)?;
        sheet.set_column_format(
            place,
            &Format::new().set_num_format(number_format(column.kind)),
        )?;
        let rule = rule(column, offer, lists)?;
        sheet.add_data_validation(1, place, LAST_ROW, place, &rule)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    Ok(())
}

fn number_format(kind: Kind) -> &'static str {
    match kind {
        Kind::Number => "General",
        Kind::Whole => "0",
        Kind::Day => "yyyy-mm-dd",
        _ => "@",
    }
}

/// What may stand in a cell, and the help that shows when it is chosen. Names are read as well as codes, so a value
/// outside the list is questioned, not refused.
fn rule(
    column: &Column,
    offer: &Offer<'_>,
    lists: &mut Lists,
) -> Result<DataValidation, XlsxError> {
    let lang = offer.lang;
    let measures = offer.measures.offered();
    let allowed: Vec<String> = match column.kind {
        Kind::Code(list) => list.codes.iter().map(|code| code.code.to_owned()).collect(),
        Kind::Bool => [lang.pick("ja", "yes"), lang.pick("nej", "no")]
            .map(str::to_owned)
            .into(),
        Kind::Area => offered(),
        Kind::Measure => measures.iter().map(|known| known.code.clone()).collect(),
        _ => Vec::new(),
    };
    let rule = DataValidation::new();
    let length: usize = allowed.iter().map(|code| code.len() + 1).sum();
    let rule = if allowed.is_empty() {
        rule.allow_any_value()
    } else if length <= INLINE {
        rule.allow_list_strings(&allowed)?
    } else {
        rule.allow_list_formula(lists.add(allowed))
    };
    let help: String = help(column).get(lang).chars().take(HELP).collect();
    rule.set_error_style(DataValidationErrorStyle::Warning)
        .set_input_message(help)
}

fn help(column: &Column) -> crate::problem::Text {
    let explained = column.explanation();
    let (sv, en) = match column.empty {
        Empty::Refused => ("Måste fyllas i. ", "Must be filled in. "),
        Empty::None | Empty::EmptyList | Empty::Silent => ("", ""),
    };
    text(
        format!("{sv}{}", explained.get(Lang::Sv)),
        format!("{en}{}", explained.get(Lang::En)),
    )
}

/// Lists too long for the rule of a cell.
#[derive(Default)]
struct Lists {
    columns: Vec<Vec<String>>,
}

impl Lists {
    /// The place of a list; several columns may share it.
    fn add(&mut self, allowed: Vec<String>) -> Formula {
        let length = allowed.len();
        let known = self.columns.iter().position(|list| *list == allowed);
        let place = known.unwrap_or_else(|| {
            self.columns.push(allowed);
            self.columns.len() - 1
        });
        let letter = crate::formats::read::letter(u16::try_from(place).unwrap_or(u16::MAX));
        Formula::new(format!("='{LISTS}'!${letter}$1:${letter}${length}"))
    }

    fn write(&self, sheet: &mut Worksheet) -> Result<(), XlsxError> {
        sheet.set_name(LISTS)?;
        for (place, list) in (0..).zip(&self.columns) {
            for (line, code) in (0..).zip(list) {
                sheet.write_string(line, place, code)?;
            }
        }
        sheet.set_hidden(true);
        Ok(())
    }
}

/// Each column in both languages, then the codes with their names.
fn explanations(
    sheet: &mut Worksheet,
    resource: ImportType,
    offer: &Offer<'_>,
) -> Result<(), XlsxError> {
    let lang = offer.lang;
    sheet.set_name(lang.pick("Förklaringar", "Explanations"))?;
    let bold = Format::new().set_bold();
    let wrapped = Format::new().set_text_wrap().set_align(FormatAlign::Top);
    for (place, (title, width)) in (0..).zip([
        ("Kolumn", 32.0),
        ("Column", 32.0),
        ("Fält / Field", 28.0),
        ("Förklaring", 70.0),
        ("Explanation", 70.0),
    ]) {
        sheet.set_column_width(place, width)?;
        sheet.write_string_with_format(0, place, title, &bold)?;
    }
    let mut line = 1;
    let mut tell = |texts: [&str; 5]| -> Result<(), XlsxError> {
        for (place, text) in (0..).zip(texts) {
            sheet.write_string_with_format(line, place, text, &wrapped)?;
        }
        line += 1;
        Ok(())
    };
    let mut lists: Vec<(&Column, CodeList)> = Vec::new();
    let mut measured = Vec::new();
    for column in asked_for(resource) {
        let help = help(column);
        tell([
            &heading(column, Lang::Sv),
            &heading(column, Lang::En),
            column.field,
            help.get(Lang::Sv),
            help.get(Lang::En),
        ])?;
        if let Kind::Code(list) | Kind::Codes(list) = column.kind {
            lists.push((column, list));
        }
        if matches!(column.kind, Kind::Measure) {
            measured.push(column);
        }
    }
    for (column, list) in lists {
        tell(["", "", "", "", ""])?;
        tell([
            column.sv,
            column.en,
            column.field,
            list.title_sv,
            list.title_en,
        ])?;
        for code in list.codes {
            tell(["", "", code.code, code.label_sv, code.label_en])?;
        }
    }
    for column in measured {
        tell(["", "", "", "", ""])?;
        tell([column.sv, column.en, column.field, "Mått", "Measure"])?;
        for known in offer.measures.offered() {
            tell(["", "", &known.code, &known.label_sv, &known.label_en])?;
        }
    }
    Ok(())
}
