//! `samverkan push`: a file is imported, and every row that was refused is told.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};

use super::pull::access;
use super::{Failure, print};
use crate::config::Push;
use crate::http::lang::Lang;
use crate::office::answers::{ImportError, ImportRow, Message};
use crate::office::push::{self, Pushed, Step, Tell, Wanted};

/// Where there is no terminal, progress is told each time that so many percent more are done.
const PERCENT: u64 = 10;

pub(super) async fn run(asked: Push) -> Result<(), Failure> {
    let access = access(&asked.office)?;
    let lang = access.lang;
    let wanted = Wanted {
        query: asked.query(),
        kind: asked.kind()?,
        file: asked.file,
        again: asked.again,
        rejected: asked.rejected,
        most: asked.show.into(),
    };
    let bar = io::stderr().is_terminal().then(ProgressBar::no_length);
    let outcome = push::push(access, &wanted, &progress(bar.clone())).await;
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    let pushed = outcome?;
    print(&report(&wanted.file, &pushed, lang))?;
    if pushed.is_well() {
        return Ok(());
    }
    Err(Failure::other(lang.pick(
        format!("{}: allt kom inte in", wanted.file.display()),
        format!("{}: not everything was taken", wanted.file.display()),
    )))
}

/// A bar for people, lines for a log.
fn progress(bar: Option<ProgressBar>) -> Tell {
    let Some(bar) = bar else {
        let told = Mutex::new((None, 0));
        return Arc::new(move |step| {
            let (what, done, all) = match step {
                Step::Sent(sent, size) => ("sent", sent, size),
                Step::Done(done, total) => ("rows done", done, total.unwrap_or(0)),
            };
            let percent = (done * 100).checked_div(all).unwrap_or(0) / PERCENT * PERCENT;
            let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
            if *told != (Some(what), percent) {
                *told = (Some(what), percent);
                log::info!("{what}: {done} of {all}");
            }
        });
    };
    let style = |template: &str| {
        // The templates are ours; a bar without style is a bar still.
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
    };
    bar.set_style(style("{bar:30} {bytes} / {total_bytes}  {eta}"));
    let rows = style("{bar:30} {human_pos} / {human_len} rows  {elapsed}");
    Arc::new(move |step| match step {
        Step::Sent(sent, size) => {
            bar.set_length(size);
            bar.set_position(sent);
        }
        Step::Done(done, total) => {
            bar.set_style(rows.clone());
            bar.set_length(total.unwrap_or(0));
            bar.set_position(done);
        }
    })
}

/// What became of the rows, for a person.
fn report(file: &Path, pushed: &Pushed, lang: Lang) -> String {
    let import = &pushed.import;
    let mut text = String::new();
    let rows = import
        .total
        .map_or_else(|| "?".to_owned(), |total| total.to_string());
    // A String takes everything.
    let _ = writeln!(
        text,
        "{}: {rows} {}, {}",
        file.display(),
        lang.pick("rader", "rows"),
        ended(&import.state, import.dry_run, lang)
    );
    if pushed.replayed {
        text.push_str(lang.pick(
            "Samma fil har skickats förut, och detta är svaret från då; inget skrevs nu. Skicka den på nytt med --again.\n",
            "The same file was sent before, and this is the answer of then; nothing was written now. Send it anew with --again.\n",
        ));
    }
    for (outcome, count) in &import.counts {
        if let Some(count) = count.as_u64().filter(|count| *count > 0) {
            let _ = writeln!(text, "{count:>9}  {}", label(outcome, lang));
        }
    }
    for fault in &import.faults {
        let place = place(fault.line, fault.column.as_deref(), None, lang);
        let _ = writeln!(text, "{place}{}", say(&fault.message, lang));
    }
    for row in &pushed.refused {
        text.push_str(&refused(row, lang));
    }
    let rest = import.refused().saturating_sub(pushed.refused.len() as u64);
    if rest > 0 {
        let all = match &import.id {
            Some(id) => format!("/imports/{id}/rows"),
            None => "--show".to_owned(),
        };
        let _ = writeln!(
            text,
            "{}",
            lang.pick(
                format!("… och {rest} till; alla: {all}"),
                format!("… and {rest} more; all of them: {all}"),
            )
        );
    }
    match &pushed.saved {
        Some(Ok(saved)) => {
            let saved = saved.display();
            let _ = writeln!(
                text,
                "{}",
                lang.pick(
                    format!("De avvisade raderna finns i {saved}."),
                    format!("The refused rows are in {saved}."),
                )
            );
        }
        Some(Err(error)) => {
            let _ = writeln!(
                text,
                "{}",
                lang.pick(
                    format!("De avvisade raderna kunde inte sparas: {error}"),
                    format!("The refused rows could not be saved: {error}"),
                )
            );
        }
        None => {}
    }
    text
}

/// A row with each of its faults, one a line.
fn refused(row: &ImportRow, lang: Lang) -> String {
    let line = |error: Option<&ImportError>| {
        let place = place(
            row.line,
            error.and_then(|error| error.column.as_deref()),
            error.and_then(|error| {
                error
                    .heading
                    .as_deref()
                    .or(error.pointer.as_deref().filter(|at| !at.is_empty()))
            }),
            lang,
        );
        let value = error
            .and_then(|error| error.value.as_deref())
            .map_or_else(String::new, |value| format!("»{value}« "));
        let said = error.map_or_else(
            || label(&row.outcome, lang).to_owned(),
            |error| say(&error.message, lang).to_owned(),
        );
        format!("{place}{value}{said}\n")
    };
    if row.errors.is_empty() {
        return line(None);
    }
    row.errors.iter().map(|error| line(Some(error))).collect()
}

/// `rad 17, kolumn C (Område): `
fn place(line: Option<u64>, column: Option<&str>, heading: Option<&str>, lang: Lang) -> String {
    let line = line.map(|line| format!("{} {line}", lang.pick("rad", "line")));
    let column = column.map(|column| format!("{} {column}", lang.pick("kolumn", "column")));
    let parts: Vec<String> = [line, column].into_iter().flatten().collect();
    let heading = heading.map(|heading| format!("({heading})"));
    let all: Vec<String> = [Some(parts.join(", ")), heading]
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .collect();
    if all.is_empty() {
        return String::new();
    }
    format!("{}: ", all.join(" "))
}

fn say(message: &Message, lang: Lang) -> &str {
    lang.pick(&message.sv, &message.en)
}

/// How an import ended.
fn ended(state: &str, dry_run: bool, lang: Lang) -> &str {
    match (state, dry_run) {
        ("done", false) => lang.pick("klart", "done"),
        ("done", true) => lang.pick("på prov: inget skrevs", "tried: nothing was written"),
        ("refused", _) => lang.pick("avvisat: inget skrevs", "refused: nothing was written"),
        ("failed", _) => lang.pick("misslyckades", "failed"),
        ("cancelled", _) => lang.pick("avbrutet", "cancelled"),
        (other, _) => other,
    }
}

/// What an outcome is called; one of a later version of the service by its code.
fn label(outcome: &str, lang: Lang) -> &str {
    match outcome {
        "created" => lang.pick("skapade", "created"),
        "updated" => lang.pick("ändrade", "changed"),
        "unchanged" => lang.pick("oförändrade", "unchanged"),
        "deleted" => lang.pick("borttagna", "deleted"),
        "conflict" => lang.pick("krockar", "in conflict"),
        "invalid" => lang.pick("ogiltiga", "invalid"),
        "forbidden" => lang.pick("utanför behörigheten", "not permitted"),
        "gone" => lang.pick("redan borttagna", "deleted before"),
        "notWritten" => lang.pick("inte skrivna", "not written"),
        other => other,
    }
}
