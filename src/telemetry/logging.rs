//! How a log record becomes one line: JSON for machines, aligned text for a terminal.
//!
//! One event is one line, whatever its text holds. Names, headers and paths come from strangers, and
//! a line break, an escape sequence or a reversed text direction in them could forge a second event
//! or hide the first (OWASP ASVS 16.4.1). Both forms write such characters as escapes.
//!
//! Lines go to standard error: the commands that print a document print it to standard output.

use std::any::Any;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Stderr, Write};
use std::sync::LazyLock;

use chrono::{DateTime, SecondsFormat, Utc};
use log::kv::{self, VisitSource};
use log::{Level, Log, Metadata, Record, SetLoggerError};
use uuid::Uuid;

use super::outlet::{Behind, Outlet};

/// What a log line looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people at a terminal.
    #[default]
    Text,
    /// One JSON object a line, for whatever collects logs.
    Json,
}

/// Starts logging, once for the process, and sends panics to the log as well.
///
/// `filter` is a filter of `env_logger`, such as `info` or `warn,samverkan=debug`; a part that cannot
/// be read is reported on standard error and left out. `now` is the clock that stamps the lines.
///
/// # Errors
/// When the process already has a logger.
pub fn init(
    format: LogFormat,
    filter: &str,
    now: fn() -> DateTime<Utc>,
) -> Result<(), SetLoggerError> {
    let filter = env_logger::Builder::new().parse_filters(filter).build();
    let level = filter.filter();
    log::set_boxed_logger(Box::new(Lines {
        format,
        filter,
        now,
    }))?;
    log::set_max_level(level);
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        log::error!(target: "panic", place; "{}", panic_text(panic.payload()));
    }));
    Ok(())
}

/// Where the lines go.
static STDERR: LazyLock<Outlet<Stderr>> = LazyLock::new(|| Outlet::new(io::stderr()));

/// Has a thread write the lines for as long as the answer lives, which a service wants that writes many.
///
/// # Errors
/// When the system allows no more threads.
pub fn write_behind() -> io::Result<Behind<Stderr>> {
    Behind::start(&STDERR)
}

/// The logger of the process.
struct Lines {
    format: LogFormat,
    filter: env_logger::Logger,
    now: fn() -> DateTime<Utc>,
}

impl Log for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.filter.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if !self.filter.matches(record) {
            return;
        }
        let mut line = Vec::with_capacity(512);
        let (now, request_id) = ((self.now)(), super::request_id());
        let written = match self.format {
            LogFormat::Text => write_text(&mut line, record, now, request_id),
            LogFormat::Json => write_json(&mut line, record, now, request_id),
        };
        if written.is_ok() {
            STDERR.add(&line, record.level() <= Level::Warn);
        }
    }

    fn flush(&self) {
        STDERR.write();
    }
}

/// What a panic said of itself.
#[must_use]
pub fn panic_text(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a text")
}

/// The five members that every line of JSON has.
const OURS: [&str; 5] = ["ts", "level", "target", "requestId", "message"];

/// Writes a record as one line of JSON: `ts` (RFC 3339, UTC, milliseconds), `level`, `target`,
/// `requestId` (or null), `message`, then the record's own members. A member that is named like one
/// of these five is written with `kv_` in front.
///
/// # Errors
/// When a text cannot be written as JSON, which does not happen in memory.
pub fn write_json(
    out: &mut Vec<u8>,
    record: &Record<'_>,
    now: DateTime<Utc>,
    request_id: Option<Uuid>,
) -> io::Result<()> {
    let start = out.len();
    write!(
        out,
        r#"{{"ts":"{}","level":"{}","target":"#,
        timestamp(now),
        record.level()
    )?;
    serde_json::to_writer(&mut *out, record.target())?;
    match request_id {
        Some(id) => write!(out, r#","requestId":"{id}","message":"#)?,
        None => out.extend_from_slice(br#","requestId":null,"message":"#),
    }
    serde_json::to_writer(&mut *out, &text_of(record))?;
    for_members(record, |name, value| {
        out.push(b',');
        if OURS.contains(&name) {
            serde_json::to_writer(&mut *out, &format!("kv_{name}"))?;
        } else {
            serde_json::to_writer(&mut *out, name)?;
        }
        out.push(b':');
        out.extend_from_slice(value);
        Ok(())
    })?;
    out.push(b'}');
    // JSON's own rules stop at U+001F; what is left can stand inside strings only.
    escape(out, start, push_utf16_escape);
    out.push(b'\n');
    Ok(())
}

/// Writes a record as one line for people: time, level, target, message, `name=value` pairs, request.
///
/// # Errors
/// When a text cannot be written as JSON, which does not happen in memory.
pub fn write_text(
    out: &mut Vec<u8>,
    record: &Record<'_>,
    now: DateTime<Utc>,
    request_id: Option<Uuid>,
) -> io::Result<()> {
    let start = out.len();
    write!(
        out,
        "{} {:<5} {} {}",
        timestamp(now),
        record.level(),
        record.target(),
        record.args()
    )?;
    for_members(record, |name, value| {
        write!(out, " {name}=")?;
        match one_word(value) {
            Some(word) => out.extend_from_slice(word.as_bytes()),
            None => out.extend_from_slice(value),
        }
        Ok(())
    })?;
    if let Some(id) = request_id {
        write!(out, " request={id}")?;
    }
    escape(out, start, |text, character| {
        text.extend(character.escape_default());
    });
    out.push(b'\n');
    Ok(())
}

fn timestamp(now: DateTime<Utc>) -> String {
    now.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn text_of<'a>(record: &Record<'a>) -> Cow<'a, str> {
    let text = record.args();
    text.as_str()
        .map_or_else(|| text.to_string().into(), Cow::Borrowed)
}

/// Replaces what is dangerous in the line that begins at `start`.
fn escape(out: &mut Vec<u8>, start: usize, push: impl Fn(&mut String, char)) {
    let written = out.get(start..).unwrap_or_default();
    if written.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        return;
    }
    let line = String::from_utf8_lossy(written).into_owned();
    let mut text = String::with_capacity(line.len());
    for character in line.chars() {
        if is_dangerous(character) {
            push(&mut text, character);
        } else {
            text.push(character);
        }
    }
    out.truncate(start);
    out.extend_from_slice(text.as_bytes());
}

/// Control characters (ESC and the C1 set among them), line separators, and the marks that turn the
/// direction of text.
fn is_dangerous(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}')
}

fn push_utf16_escape(text: &mut String, character: char) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        let _ = write!(text, "\\u{unit:04x}");
    }
}

/// The text of a JSON string, if people can read it without its quotes.
fn one_word(json: &[u8]) -> Option<Cow<'_, str>> {
    let inside = json.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let text = if inside.contains(&b'\\') {
        Cow::Owned(serde_json::from_slice(json).ok()?)
    } else {
        Cow::Borrowed(str::from_utf8(inside).ok()?)
    };
    (!text.is_empty()
        && !text.contains(|character: char| {
            character.is_whitespace() || matches!(character, '"' | '=')
        }))
    .then_some(text)
}

/// The record's own members as JSON, in the order in which the call names them; absent values are left out.
fn for_members(
    record: &Record<'_>,
    write: impl FnMut(&str, &[u8]) -> io::Result<()>,
) -> io::Result<()> {
    struct Members<F> {
        write: F,
        value: Vec<u8>,
        outcome: io::Result<()>,
    }

    impl<'kvs, F: FnMut(&str, &[u8]) -> io::Result<()>> VisitSource<'kvs> for Members<F> {
        fn visit_pair(
            &mut self,
            key: kv::Key<'kvs>,
            value: kv::Value<'kvs>,
        ) -> Result<(), kv::Error> {
            self.value.clear();
            let mut written = match value.to_borrowed_str() {
                Some(text) => serde_json::to_writer(&mut self.value, text),
                None => serde_json::to_writer(&mut self.value, &value),
            };
            if written.is_err() {
                self.value.clear();
                written = serde_json::to_writer(&mut self.value, &value.to_string());
            }
            if self.outcome.is_ok() && self.value != b"null" {
                self.outcome = written
                    .map_err(io::Error::from)
                    .and_then(|()| (self.write)(key.as_str(), &self.value));
            }
            Ok(())
        }
    }

    let mut members = Members {
        write,
        value: Vec::new(),
        outcome: Ok(()),
    };
    // The visitor above never fails, and a source that does has given what it could.
    let _ = record.key_values().visit(&mut members);
    members.outcome
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::Value;

    use super::*;

    type Writer = fn(&mut Vec<u8>, &Record<'_>, DateTime<Utc>, Option<Uuid>) -> io::Result<()>;
    const JSON: Writer = write_json;
    const TEXT: Writer = write_text;

    fn now() -> DateTime<Utc> {
        "2026-03-04T05:06:07.0809Z".parse().unwrap()
    }

    fn id() -> Uuid {
        "01900000-0000-7000-8000-000000000001".parse().unwrap()
    }

    fn line(
        writer: Writer,
        message: &str,
        members: &[(&str, kv::Value<'_>)],
        id: Option<Uuid>,
    ) -> String {
        let mut out = Vec::new();
        let write = |record: &Record<'_>| writer(&mut out, record, now(), id);
        let mut write = write;
        write(
            &Record::builder()
                .level(Level::Warn)
                .target("samverkan::sync")
                .key_values(&members)
                .args(format_args!("{message}"))
                .build(),
        )
        .unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn json_has_its_five_members_and_then_the_records_own() {
        let members = [
            ("rows", kv::Value::from(12)),
            ("share", kv::Value::from(0.5)),
            ("done", kv::Value::from(true)),
        ];
        assert_eq!(
            line(JSON, "imported 12 observations", &members, Some(id())),
            concat!(
                r#"{"ts":"2026-03-04T05:06:07.080Z","level":"WARN","target":"samverkan::sync","#,
                r#""requestId":"01900000-0000-7000-8000-000000000001","message":"imported 12 observations","#,
                r#""rows":12,"share":0.5,"done":true}"#,
                "\n"
            )
        );
    }

    #[test]
    fn text_is_readable_and_quotes_what_is_not_one_word() {
        let members = [
            ("rows", kv::Value::from(12)),
            ("name", kv::Value::from("two words")),
            ("caller", kv::Value::from("c1")),
        ];
        assert_eq!(
            line(TEXT, "imported", &members, Some(id())),
            "2026-03-04T05:06:07.080Z WARN  samverkan::sync imported rows=12 name=\"two words\" caller=c1 \
             request=01900000-0000-7000-8000-000000000001\n"
        );
        assert!(line(TEXT, "imported", &[], None).ends_with("samverkan::sync imported\n"));
        let members = [
            ("path", kv::Value::from("a\\b")),
            ("empty", kv::Value::from("")),
            ("sum", kv::Value::from("1=1")),
            ("place", kv::Value::from("Örebro")),
        ];
        assert!(
            line(TEXT, "x", &members, None)
                .ends_with(" x path=a\\b empty=\"\" sum=\"1=1\" place=Örebro\n")
        );
    }

    #[test]
    fn outside_a_request_the_id_is_null_and_absent_values_are_left_out() {
        let written: Value =
            serde_json::from_str(&line(JSON, "x", &[("cause", kv::Value::null())], None)).unwrap();
        assert_eq!(written.get("requestId"), Some(&Value::Null));
        assert_eq!(written.get("cause"), None);
    }

    #[test]
    fn a_member_cannot_replace_one_of_the_five() {
        let written = line(
            JSON,
            "true story",
            &[
                ("level", kv::Value::from("INFO")),
                ("ts", kv::Value::from(1)),
            ],
            None,
        );
        let written: Value = serde_json::from_str(&written).unwrap();
        assert_eq!(written["level"], "WARN");
        assert_eq!(written["kv_level"], "INFO");
        assert_eq!(written["kv_ts"], 1);
    }

    #[rstest]
    #[case::line_feed("a\nb")]
    #[case::carriage_return("a\r\nb")]
    #[case::forged_json(
        "x\"}\r\n{\"ts\":\"2026-01-01T00:00:00Z\",\"level\":\"ERROR\",\"message\":\"forged\"}"
    )]
    #[case::escape_sequence("\u{1b}[2J\u{1b}[31mred")]
    #[case::eight_bit_escape("\u{9b}31m")]
    #[case::null_and_delete("\0\u{7f}")]
    #[case::line_separators("a\u{2028}b\u{2029}c\u{85}d")]
    #[case::turned_text("abc\u{202e}cba\u{2066}x")]
    fn one_event_is_always_one_line(#[case] hostile: &str, #[values(JSON, TEXT)] writer: Writer) {
        let members = [
            ("name", kv::Value::from(hostile)),
            ("plain", kv::Value::from_display(&hostile)),
        ];
        let line = line(writer, hostile, &members, None);
        let (last, rest) = line.as_bytes().split_last().unwrap();
        assert_eq!(*last, b'\n');
        let rest = std::str::from_utf8(rest).unwrap();
        assert_eq!(
            rest.chars().find(|character| is_dangerous(*character)),
            None,
            "{rest:?}"
        );
    }

    #[rstest]
    #[case("a\r\n{\"level\":\"ERROR\"}\u{1b}[0m\u{2028}å\u{202e}")]
    fn json_gives_a_hostile_text_back_unchanged(#[case] hostile: &str) {
        let written = line(JSON, hostile, &[("name", kv::Value::from(hostile))], None);
        let written: Value = serde_json::from_str(&written).unwrap();
        assert_eq!(written["message"], hostile);
        assert_eq!(written["name"], hostile);
        assert_eq!(written["level"], "WARN");
    }

    #[test]
    fn a_panic_tells_its_text() {
        let text = |panic: Box<dyn Any + Send>| panic_text(&*panic).to_owned();
        assert_eq!(text(Box::new("plain")), "plain");
        assert_eq!(text(Box::new("formatted".to_owned())), "formatted");
        assert_eq!(text(Box::new(7)), "a panic without a text");
    }
}
