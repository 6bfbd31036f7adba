//! What the service answers, as far as the tool reads it. Members that it does not know are passed over: the API only
//! ever gains some.

use serde::Deserialize;
use serde_json::value::RawValue;

/// `/sync`
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Discovery {
    /// The kinds of row.
    pub types: Vec<Kind>,
    /// The most rows that a page may have.
    pub max_limit: u64,
    /// The longest wait for a change, in seconds.
    pub max_wait: u64,
}

/// A kind of row that can be copied.
#[derive(Debug, Deserialize)]
pub struct Kind {
    /// Its name: the path of its resource.
    #[serde(rename = "type")]
    pub of: String,
    /// Whether this client may read it.
    pub readable: bool,
}

/// A page of `/snapshot`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotPage {
    /// The rows.
    pub items: Vec<Row>,
    /// Where to follow the feed from once all pages are stored.
    pub feed_cursor: String,
    /// The next page; none after the last one.
    pub next_cursor: Option<String>,
}

/// A row of a snapshot.
#[derive(Debug, Deserialize)]
pub struct Row {
    /// Its kind.
    #[serde(rename = "type")]
    pub of: String,
    /// Its key.
    pub key: String,
    /// The row, in the bytes of the service.
    pub data: Box<RawValue>,
}

/// An answer of `/changes`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangesPage {
    /// What changed.
    pub items: Vec<Change>,
    /// Where to go on.
    pub next_cursor: String,
    /// Whether there is more already.
    pub has_more: bool,
}

/// What became of a row.
#[derive(Debug, Deserialize)]
pub struct Change {
    /// Its kind.
    #[serde(rename = "type")]
    pub of: String,
    /// Its key.
    pub key: String,
    /// `upsert`, `delete` or `leave`.
    pub op: String,
    /// The row, if it is there.
    pub data: Option<Box<RawValue>>,
}

/// `/sync/digest`
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Digest {
    /// Whether there is nothing after the cursor.
    pub up_to_date: Option<bool>,
    /// By kind.
    pub types: Vec<KindDigest>,
}

/// What the rows of a kind add up to.
#[derive(Debug, Deserialize)]
pub struct KindDigest {
    /// The kind.
    #[serde(rename = "type")]
    pub of: String,
    /// How many they are.
    pub rows: u64,
    /// Their digest, 16 hexadecimal digits.
    pub digest: String,
}

/// The token desk's answer (RFC 6749 section 5.1).
#[derive(Debug, Deserialize)]
pub struct Token {
    /// The token.
    pub access_token: crate::access::secret::SecretText,
    /// For how many seconds it is good.
    pub expires_in: u64,
}

/// The token desk's refusal (RFC 6749 section 5.2).
#[derive(Debug, Deserialize)]
pub struct TokenRefusal {
    /// Its code.
    pub error: String,
    /// Its sentence.
    pub error_description: Option<String>,
}

/// A problem (RFC 9457).
#[derive(Debug, Deserialize)]
pub struct Problem {
    /// The kind of problem.
    pub title: String,
    /// What happened this time.
    pub detail: Option<String>,
    /// Every single fault.
    #[serde(default)]
    pub errors: Vec<Fault>,
}

/// One fault of a problem.
#[derive(Debug, Deserialize)]
pub struct Fault {
    /// The member at fault, as a JSON pointer.
    pub pointer: Option<String>,
    /// The parameter at fault.
    pub parameter: Option<String>,
    /// The header at fault.
    pub header: Option<String>,
    /// The code of the rule.
    pub code: String,
    /// The rule.
    pub detail: String,
}

/// An import.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Import {
    /// Its id; none after a small dry run, of which nothing is kept.
    pub id: Option<String>,
    /// `waiting`, `running`, or how it ended.
    pub state: String,
    /// Whether it was only tried.
    pub dry_run: bool,
    /// How many rows the file has.
    pub total: Option<u64>,
    /// How many of them are done.
    pub done: u64,
    /// How many rows have which outcome.
    pub counts: serde_json::Map<String, serde_json::Value>,
    /// Why all of it was refused.
    #[serde(default)]
    pub faults: Vec<ImportFault>,
    /// What became of each row, if it was done at once.
    pub rows: Option<Vec<ImportRow>>,
}

impl Import {
    /// Whether it has not ended yet.
    #[must_use]
    pub fn is_going_on(&self) -> bool {
        self.state == "waiting" || self.state == "running"
    }

    /// How many rows were refused.
    #[must_use]
    pub fn refused(&self) -> u64 {
        ["conflict", "invalid", "forbidden", "gone"]
            .into_iter()
            .filter_map(|outcome| self.counts.get(outcome)?.as_u64())
            .sum()
    }
}

/// What is wrong with a file as a whole.
#[derive(Clone, Debug, Deserialize)]
pub struct ImportFault {
    /// The line of the spreadsheet where it is seen.
    pub line: Option<u64>,
    /// The column.
    pub column: Option<String>,
    /// The rule.
    pub message: Message,
}

/// A sentence in both languages.
#[derive(Clone, Debug, Deserialize)]
pub struct Message {
    /// Swedish.
    pub sv: String,
    /// English.
    pub en: String,
}

/// A page of the rows of an import.
#[derive(Clone, Debug, Deserialize)]
pub struct ImportRows {
    /// The rows.
    pub items: Vec<ImportRow>,
}

/// What became of a row.
#[derive(Clone, Debug, Deserialize)]
pub struct ImportRow {
    /// Its line in the spreadsheet, or its number.
    pub line: Option<u64>,
    /// What became of it.
    pub outcome: String,
    /// What is wrong with it.
    #[serde(default)]
    pub errors: Vec<ImportError>,
}

impl ImportRow {
    /// Whether it was refused.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(
            self.outcome.as_str(),
            "conflict" | "invalid" | "forbidden" | "gone"
        )
    }
}

/// One thing that is wrong with a row.
#[derive(Clone, Debug, Deserialize)]
pub struct ImportError {
    /// The member, as a JSON pointer.
    pub pointer: Option<String>,
    /// The column of the spreadsheet, as it letters them.
    pub column: Option<String>,
    /// Its heading.
    pub heading: Option<String>,
    /// The value that was refused.
    pub value: Option<String>,
    /// The rule.
    pub message: Message,
}
