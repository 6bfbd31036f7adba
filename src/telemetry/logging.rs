//! How a log record becomes one line: JSON for machines, aligned text for a terminal.
//!
//! One event is one line, whatever its text holds. Names, headers and paths come from strangers, and
//! a line break, an escape sequence or a reversed text direction in them could forge a second event
//! or hide the first (OWASP ASVS 16.4.1). Both forms write such characters as escapes.
//!
//! Lines go to standard error: the commands that print a document print it to standard output.

use std::any::Any;
use std::fmt::Write as _;
use std::io::{self, Write};

use chrono::{DateTime, SecondsFormat, Utc};
use log::kv::{self, VisitSource};
use log::{Record, SetLoggerError};
use serde_json::{Map, Value};
use uuid::Uuid;

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
    env_logger::Builder::new()
        .parse_filters(filter)
        .format(move |out, record| match format {
            LogFormat::Text => write_text(out, record, now(), super::request_id()),
            LogFormat::Json => write_json(out, record, now(), super::request_id()),
        })
        .try_init()?;
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        log::error!(target: "panic", place; "{}", panic_text(panic.payload()));
    }));
    Ok(())
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

/// Writes a record as one line of JSON: `ts` (RFC 3339, UTC, milliseconds), `level`, `target`,
/// `requestId` (or null), `message`, then the record's own members. A member that is named like one
/// of these five is written with `kv_` in front.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write_json(
    out: &mut impl Write,
    record: &Record<'_>,
    now: DateTime<Utc>,
    request_id: Option<Uuid>,
) -> io::Result<()> {
    let mut line = Map::new();
    let mut put = |name: &str, value: Value| line.insert(name.to_owned(), value);
    put("ts", timestamp(now).into());
    put("level", record.level().as_str().into());
    put("target", record.target().into());
    put("requestId", request_id.map(|id| id.to_string()).into());
    put("message", record.args().to_string().into());
    for (name, value) in members(record) {
        let name = if line.contains_key(&name) {
            format!("kv_{name}")
        } else {
            name
        };
        line.insert(name, value);
    }
    let mut text = String::new();
    for character in Value::Object(line).to_string().chars() {
        // JSON's own rules stop at U+001F; what is left can stand inside strings only.
        if is_dangerous(character) {
            push_utf16_escape(&mut text, character);
        } else {
            text.push(character);
        }
    }
    writeln!(out, "{text}")
}

/// Writes a record as one line for people: time, level, target, message, `name=value` pairs, request.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write_text(
    out: &mut impl Write,
    record: &Record<'_>,
    now: DateTime<Utc>,
    request_id: Option<Uuid>,
) -> io::Result<()> {
    let mut line = format!(
        "{} {:<5} {} {}",
        timestamp(now),
        record.level(),
        record.target(),
        record.args()
    );
    let request = request_id.map(|id| ("request".to_owned(), Value::String(id.to_string())));
    for (name, value) in members(record).into_iter().chain(request) {
        let _ = match value {
            Value::String(text) if is_one_word(&text) => write!(line, " {name}={text}"),
            value => write!(line, " {name}={value}"),
        };
    }
    let mut text = String::new();
    for character in line.chars() {
        if is_dangerous(character) {
            text.extend(character.escape_default());
        } else {
            text.push(character);
        }
    }
    writeln!(out, "{text}")
}

fn timestamp(now: DateTime<Utc>) -> String {
    now.to_rfc3339_opts(SecondsFormat::Millis, true)
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

fn is_one_word(text: &str) -> bool {
    !text.is_empty()
        && !text
            .contains(|character: char| character.is_whitespace() || matches!(character, '"' | '='))
}

/// The record's own members, in the order in which the call names them; absent values are left out.
fn members(record: &Record<'_>) -> Vec<(String, Value)> {
    struct Members(Vec<(String, Value)>);

    impl<'kvs> VisitSource<'kvs> for Members {
        fn visit_pair(
            &mut self,
            key: kv::Key<'kvs>,
            value: kv::Value<'kvs>,
        ) -> Result<(), kv::Error> {
            let value =
                serde_json::to_value(&value).unwrap_or_else(|_| Value::String(value.to_string()));
            if !value.is_null() {
                self.0.push((key.as_str().to_owned(), value));
            }
            Ok(())
        }
    }

    let mut members = Members(Vec::new());
    // The visitor above never fails, and a source that does has given what it could.
    let _ = record.key_values().visit(&mut members);
    members.0
}

#[cfg(test)]
mod tests {
    use log::Level;
    use rstest::rstest;

    use super::*;

    type Writer = fn(&mut Vec<u8>, &Record<'_>, DateTime<Utc>, Option<Uuid>) -> io::Result<()>;
    const JSON: Writer = |out, record, now, id| write_json(out, record, now, id);
    const TEXT: Writer = |out, record, now, id| write_text(out, record, now, id);

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
