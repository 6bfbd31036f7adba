//! The settings of the office's own tool.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use actix_web::http::Uri;
use clap::Args;

use super::{Refusal, filled, number, parsed, variable, web_address};
use crate::access::secret::SecretText;
use crate::formats::read::FileKind;
use crate::http::BASE_PATH;
use crate::http::lang::Lang;
use crate::sync::imports::codes::{ImportMode, ImportStrategy};
use crate::sync::imports::types::ImportType;
use crate::sync::types::EntityType;
use crate::values::AreaCode;

/// The variable without a flag: the secret of the client that the office's own tool is.
pub const CLIENT_SECRET: &str = "SAMVERKAN_CLIENT_SECRET";

/// Which service the office's own tool speaks with, and as whom.
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub struct Office {
    /// Address of the service, as `https://host`. Over `http://` only on this machine: a secret travels there
    #[arg(long, env = "SAMVERKAN_URL", value_name = "URL", value_parser = service)]
    pub url: String,
    /// The client, as in `client_…`
    #[arg(long, env = "SAMVERKAN_CLIENT_ID", value_name = "ID", value_parser = filled)]
    pub client_id: String,
    /// File with the secret of the client; without it the variable `SAMVERKAN_CLIENT_SECRET` must hold it. There is no flag
    /// for the secret itself, because other users of this machine see the flags of a process
    #[arg(long, env = "SAMVERKAN_CLIENT_SECRET_FILE", value_name = "FILE")]
    client_secret_file: Option<PathBuf>,
    /// For how long to try again when the service is away or asks to wait, in seconds
    #[arg(long, env = "SAMVERKAN_PATIENCE", value_name = "SECONDS", default_value = "300", value_parser = number::<0, 65_535>)]
    patience: u16,
    /// Language of what the service says, sv or en
    #[arg(long, env = "SAMVERKAN_LANG", value_name = "LANGUAGE", default_value = "sv", value_parser = language)]
    pub lang: Lang,
}

/// A copy that is kept.
#[derive(Clone, Debug, Args)]
pub struct Pull {
    /// Of which service.
    #[command(flatten)]
    pub office: Office,
    /// Folder of the copy; made if there is none
    #[arg(long, env = "SAMVERKAN_DIR", value_name = "DIRECTORY")]
    pub dir: PathBuf,
    /// Kinds of row to copy, such as partners; repeat the flag, or separate with commas [default: all that the client may
    /// read]
    #[arg(
        long,
        env = "SAMVERKAN_TYPES",
        value_name = "TYPE",
        value_delimiter = ','
    )]
    pub types: Vec<EntityType>,
    /// Go on until stopped, and take in each change as it comes
    #[arg(long)]
    pub follow: bool,
}

/// A file that is sent.
#[derive(Clone, Debug, Args)]
pub struct Push {
    /// To which service.
    #[command(flatten)]
    pub office: Office,
    /// The file: .csv, .xlsx, .json or .ndjson
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// What its rows are, such as observations
    #[arg(long = "type", value_name = "TYPE")]
    resource: ImportType,
    /// All rows or none, or those that are good [default: atomic]
    #[arg(long, value_name = "MODE")]
    mode: Option<ImportMode>,
    /// What is done with a row that is there already, or is not [default: upsert]
    #[arg(long, value_name = "STRATEGY")]
    strategy: Option<ImportStrategy>,
    /// Say what would become of the rows, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Submit the reports of a file of observations
    #[arg(long)]
    submit: bool,
    /// With `--strategy replace`: the areas that the file is all of; repeat the flag, or separate with commas
    #[arg(long, value_name = "AREA", value_delimiter = ',', value_parser = parsed::<AreaCode>)]
    scope: Vec<AreaCode>,
    /// With `--strategy replace`: how many rows the file deletes, if that is more than a fifth
    #[arg(long, value_name = "NUMBER")]
    confirm_delete: Option<u32>,
    /// Make an import of its own even though the same file was sent before
    #[arg(long)]
    pub again: bool,
    /// Save the refused rows to this file, in the format they came in, with the reasons beside them
    #[arg(long, value_name = "FILE")]
    pub rejected: Option<PathBuf>,
    /// How many refused rows are told of
    #[arg(long, value_name = "NUMBER", default_value = "20", value_parser = number::<0, 1000>)]
    pub show: u16,
}

impl Push {
    /// What is to be done with the file, as parameters of `POST /imports`.
    #[must_use]
    pub fn query(&self) -> Vec<(&'static str, String)> {
        let scope: Vec<&str> = self.scope.iter().map(AreaCode::as_str).collect();
        let given = [
            ("type", Some(self.resource.to_string())),
            ("mode", self.mode.map(|mode| mode.to_string())),
            ("strategy", self.strategy.map(|way| way.to_string())),
            ("dryRun", self.dry_run.then(|| "true".to_owned())),
            ("submit", self.submit.then(|| "true".to_owned())),
            ("scope", (!scope.is_empty()).then(|| scope.join(","))),
            ("confirmDelete", self.confirm_delete.map(|n| n.to_string())),
        ];
        given
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }

    /// What the file is, by the ending of its name.
    ///
    /// # Errors
    /// [`Refusal`] for a file that is not there, or has another ending.
    pub fn kind(&self) -> Result<FileKind, Refusal> {
        let refuse = |why: &str| Refusal::Wrong(format!("{}: {why}", self.file.display()));
        let ending = self.file.extension().unwrap_or_default();
        let kind = FileKind::ALL
            .into_iter()
            .find(|kind| ending.eq_ignore_ascii_case(kind.extension()));
        let kind = kind.ok_or_else(|| {
            let known = FileKind::ALL.map(|kind| format!(".{}", kind.extension()));
            refuse(&format!(
                "its name must say what it is, with the ending {}",
                known.join(", ")
            ))
        })?;
        if self.file.is_file() {
            return Ok(kind);
        }
        Err(refuse("there is no such file"))
    }
}

impl Office {
    /// The secret of the client.
    ///
    /// # Errors
    /// [`Refusal`] when there is none.
    pub fn secret(&self) -> Result<SecretText, Refusal> {
        let refuse = |reason: &str| Refusal::of_setting("client_secret_file", reason);
        let text = match &self.client_secret_file {
            Some(file) => std::fs::read_to_string(file)
                .map_err(|error| refuse(&format!("{}: {error}", file.display())))?,
            None => variable(CLIENT_SECRET.as_ref())
                .and_then(|secret| secret.into_string().ok())
                .unwrap_or_default(),
        };
        let text = text.trim();
        if text.is_empty() {
            return Err(refuse(&format!(
                "there is no secret; give a file that holds it, or the variable {CLIENT_SECRET}"
            )));
        }
        Ok(text.to_owned().into())
    }

    /// For how long to try again.
    #[must_use]
    pub fn patience(&self) -> Duration {
        Duration::from_secs(self.patience.into())
    }
}

/// The address of a service that is told a secret: encrypted, or on this machine. The API's own path may be a part of it.
fn service(text: &str) -> Result<String, &'static str> {
    let text = web_address(text)?;
    let address: Uri = text.parse().map_err(|_| "it must be like https://host")?;
    let host = address.host().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let here = host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if address.scheme_str() == Some("http") && !here {
        return Err(
            "the secret would be sent where others can read it; it must begin with https://",
        );
    }
    let root = text.strip_suffix(BASE_PATH).unwrap_or(&text);
    Ok(root.to_owned())
}

fn language(text: &str) -> Result<Lang, &'static str> {
    [Lang::Sv, Lang::En]
        .into_iter()
        .find(|lang| lang.as_str() == text)
        .ok_or("it must be sv or en")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://api.example.se/", Some("https://api.example.se"))]
    #[case(
        "https://example.se/kultur/samverkan/v1",
        Some("https://example.se/kultur")
    )]
    #[case("http://localhost:8080", Some("http://localhost:8080"))]
    #[case("http://127.0.0.1:8080/samverkan/v1/", Some("http://127.0.0.1:8080"))]
    #[case("http://[::1]:8080", Some("http://[::1]:8080"))]
    #[case("http://api.example.se", None)]
    #[case("http://127.0.0.1.example.se", None)]
    #[case("http://10.0.0.7", None)]
    fn a_secret_is_sent_in_clear_on_this_machine_only(
        #[case] text: &str,
        #[case] read: Option<&str>,
    ) {
        assert_eq!(service(text).ok().as_deref(), read);
    }
}
