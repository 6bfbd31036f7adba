//! Every flag and variable, once: the command line, the environment, and what is checked before anything starts.
//!
//! A setting has a flag and a variable; the flag wins. What cannot be right is refused here with one line that names
//! both, so that a mistake in a deployment is found within a second and not at the first request. Nothing else in
//! the project reads the environment. `.env.example` lists every variable; a test compares it with this file.

use std::ffi::{OsStr, OsString};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;
use std::thread::available_parallelism;
use std::time::Duration;

use actix_web::http::Uri;
use clap::builder::BoolishValueParser;
use clap::{Args, CommandFactory, Parser, Subcommand};
use log::LevelFilter;
use uuid::Uuid;

use crate::access::Permission;
use crate::db::{Target, private};
use crate::http::lang::Lang;
use crate::synth::ROWS;
use crate::telemetry::logging::LogFormat;
use crate::values::{AreaCode, Faulty, Line, rule_text};

mod office;
mod refusal;

pub use office::{CLIENT_SECRET, Office, Pull, Push};
pub use refusal::Refusal;

/// What every variable of this project begins with, but for the few that other programs read as well.
const PREFIX: &str = "SAMVERKAN_";

/// Partnership and participation data around Sweden's municipal culture schools.
///
/// Samverkan is an authenticated JSON API. It keeps its data in PostgreSQL: in the database of `DATABASE_URL`, or
/// without one in a private server of its own. Every setting is a flag or a variable of the environment; the flag wins.
/// `samverkan serve --help` tells them all.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "samverkan",
    version,
    max_term_width = 120,
    arg_required_else_help = false
)]
pub struct Config {
    /// How the process tells what it does.
    #[command(flatten)]
    pub logging: Logging,
    /// What it does.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Start the API
    Serve(Box<Serve>),
    /// Bring the database up to date: the tables, Sweden's areas and the measures
    Migrate(Place),
    /// Load the demo data into an empty database
    Demo(Place),
    /// Make a publication of the approved reports
    Publish {
        /// Where they are kept.
        #[command(flatten)]
        place: Place,
        /// What to make.
        #[command(flatten)]
        wanted: Publish,
    },
    /// Load invented data of any size, to try and to measure what the service does with much of it
    ///
    /// Residents, pupils and pupil places of girls and boys of 6 to 19 years in 3 400 invented districts of all 290
    /// municipalities, 2015 to 2024. Everything is labelled SYNTETISKA DATA. The same seed makes the same people; the
    /// number of rows decides how finely they are reported: few rows are the last years, most municipalities by gender
    /// and age only; many rows are all years by district, subject and form, with zeros. A load that was interrupted
    /// goes on when it is started again.
    Synth(Synth),
    /// Keep a folder a complete, exact copy of what a client of the API may see
    ///
    /// For every kind of row the folder has a file of JSON lines and a CSV file. The first pull copies everything, the
    /// next ones what has changed; each compares the copy with the service. A pull may be killed at any moment: the folder
    /// holds one whole state, and the next pull goes on. The client needs `sync:read` and the permission to read the rows.
    /// The exit code is 0 when the copy is up to date, 1 when the service was away or another pull is at work, 2 when a
    /// setting is wrong or the client may not.
    Pull(Pull),
    /// Send a file of rows, and tell what became of each of them
    ///
    /// The same command may be given again blindly: what was sent before is written once, and answered as it was then. The
    /// client needs `imports:write` and the permission to write such rows. The exit code is 0 when everything was taken, 1
    /// when rows were refused or the service was away, 2 when a setting is wrong or the client may not.
    Push(Box<Push>),
    /// Print the OpenAPI document
    Openapi,
    /// Make, list and revoke the clients of the API
    #[command(arg_required_else_help = false)]
    Client {
        /// Where they are kept.
        #[command(flatten)]
        place: Place,
        /// What to do.
        #[command(subcommand)]
        action: ClientAction,
    },
    /// Exchange the keys that sign access tokens
    #[command(arg_required_else_help = false)]
    Keys {
        /// Where they are kept.
        #[command(flatten)]
        data: DataDir,
        /// What to do.
        #[command(subcommand)]
        action: KeysAction,
    },
    /// Print the name and the version
    Version,
}

/// A publication that is made from the command line.
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub struct Publish {
    /// Its name: a year and a number, such as 2025.1
    #[arg(long)]
    pub name: String,
    /// Ids of the sources in their order of precedence; repeat the flag, or separate with commas. Without it: all
    /// published sources with approved reports, official statistics first, then the newest
    #[arg(long = "sources", value_name = "ID", value_delimiter = ',')]
    pub sources: Option<Vec<Uuid>>,
    /// Acknowledge every warning; without it, warnings block as errors do
    #[arg(long)]
    pub acknowledge_all: bool,
    /// Mark it as made of invented data, in every answer
    #[arg(long)]
    pub synthetic: bool,
    /// Say what it would hold, and make none
    #[arg(long)]
    pub dry_run: bool,
}

/// What is invented.
#[derive(Clone, Debug, Args)]
pub struct Synth {
    /// Where it is loaded.
    #[command(flatten)]
    pub place: Place,
    /// How many observations, 16240 to 58072000
    #[arg(long, value_name = "NUMBER", value_parser = rows)]
    pub rows: u64,
    /// What decides the people: another number makes others
    #[arg(long, value_name = "NUMBER", default_value = "1")]
    pub seed: u64,
    /// Load even though the database holds reports or populations that are not invented
    #[arg(long)]
    pub beside_real_data: bool,
}

/// What can be done with clients.
#[derive(Clone, Debug, Subcommand)]
pub enum ClientAction {
    /// Make a client; its secret is printed once and kept by nobody
    Create {
        /// Who uses the client, such as the name of an office
        #[arg(long, value_parser = parsed::<Line>)]
        name: Line,
        /// What it may do; repeat the flag, or separate with commas
        #[arg(
            long = "permission",
            value_name = "PERMISSION",
            value_delimiter = ',',
            required = true
        )]
        permissions: Vec<Permission>,
        /// Where it may do so: `SE`, codes of counties or of municipalities; repeat the flag, or separate with commas
        #[arg(long = "area", value_name = "AREA", value_delimiter = ',', required = true, value_parser = parsed::<AreaCode>)]
        areas: Vec<AreaCode>,
        /// Print JSON: {"clientId", "clientSecret"}
        #[arg(long)]
        json: bool,
    },
    /// List the clients, without their secrets
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a new secret for a client; the newest of the earlier ones goes on working
    Rotate {
        /// The client, as in `client_…`
        client_id: String,
        /// Print JSON: {"clientId", "clientSecret"}
        #[arg(long)]
        json: bool,
    },
    /// Switch a client off: its secrets and its tokens are refused from now on
    Revoke {
        /// The client, as in `client_…`
        client_id: String,
    },
}

/// What can be done with keys.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum KeysAction {
    /// Make the next key. It is published at once and signs after 24 hours
    Rotate {
        /// Let it sign at once: for a key that has leaked
        #[arg(long)]
        now: bool,
    },
}

/// How the process tells what it does. Lines go to standard error.
#[derive(Clone, Debug, Args)]
pub struct Logging {
    /// What a log line looks like
    #[arg(
        long,
        env = "SAMVERKAN_LOG_FORMAT",
        value_name = "FORMAT",
        default_value = "text",
        global = true
    )]
    pub log_format: LogFormat,
    /// What is logged: a level, or levels by module, such as `warn,samverkan=debug`
    #[arg(long, env = "SAMVERKAN_LOG", value_name = "FILTER", default_value = "info", value_parser = log_filter, global = true)]
    pub log: String,
}

/// The directory of what is kept in files.
#[derive(Clone, Debug, Args)]
pub struct DataDir {
    /// Directory of the signing keys, and of the private database when there is one
    /// [default: ~/.local/share/samverkan; for root /var/tmp/samverkan-0]
    #[arg(
        long,
        env = "SAMVERKAN_DATA_DIR",
        value_name = "DIRECTORY",
        global = true
    )]
    data_dir: Option<PathBuf>,
}

impl DataDir {
    /// The directory itself.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.data_dir.clone().unwrap_or_else(|| {
            let directory = |name: &str| variable(name.as_ref()).map(PathBuf::from);
            private::default_data_dir(
                directory("XDG_DATA_HOME").as_deref(),
                directory("HOME").as_deref(),
            )
        })
    }

    /// The directory of the signing keys.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.path().join("keys")
    }
}

/// Where the data is kept.
#[derive(Clone, Debug, Args)]
pub struct Place {
    /// Files.
    #[command(flatten)]
    pub data: DataDir,
    /// PostgreSQL 15 or newer to keep the data in, as `postgres://user:password@host/database`; without it a private
    /// server is started, and stopped again
    #[arg(long, env = "DATABASE_URL", value_name = "URL", hide_env_values = true, value_parser = database, global = true)]
    pub database_url: Option<Target>,
    /// Directory of the programs `initdb` and `postgres` for the private server [default: found by itself]
    #[arg(long, env = "PG_BIN_DIR", value_name = "DIRECTORY", value_parser = directory, global = true)]
    pub pg_bin_dir: Option<PathBuf>,
}

/// The settings of the server.
#[derive(Clone, Debug, Args)]
pub struct Serve {
    /// Where the data is kept.
    #[command(flatten)]
    pub place: Place,
    /// Address and port of the API; with port 0 the system chooses one, and the start text tells it
    #[arg(long, env = "SAMVERKAN_BIND", value_name = "ADDRESS", default_value = "127.0.0.1:8080", value_parser = socket)]
    pub bind: SocketAddr,
    /// Address and port of the numbers for Prometheus (`/metrics`), which must not be public [default: none]
    #[arg(long, env = "SAMVERKAN_METRICS_BIND", value_name = "ADDRESS", value_parser = socket)]
    pub metrics_bind: Option<SocketAddr>,
    /// Load the demo data if the database is empty, and print a client with a new secret
    #[arg(long, env = "SAMVERKAN_DEMO", value_parser = BoolishValueParser::new())]
    pub demo: bool,
    /// Where clients reach the API, as `https://host`: links begin with it [default: what the request says]
    #[arg(long, env = "SAMVERKAN_PUBLIC_URL", value_name = "URL", value_parser = web_address)]
    pub public_url: Option<String>,
    /// Origin of a front end that browsers may call from, as `https://host`; repeat the flag, or separate with commas
    #[arg(long = "cors-origin", env = "SAMVERKAN_CORS_ORIGIN", value_name = "ORIGIN", value_delimiter = ',', value_parser = origin)]
    pub cors_origins: Vec<String>,
    /// Who issues the access tokens (`iss`) [default: the public URL, or `http://samverkan.local`]
    #[arg(long, env = "SAMVERKAN_ISSUER", value_name = "URL", value_parser = web_address)]
    issuer: Option<String>,
    /// For whom the access tokens are (`aud`)
    #[arg(long, env = "SAMVERKAN_AUDIENCE", value_name = "NAME", default_value = "samverkan", value_parser = filled)]
    pub audience: String,
    /// Threads that answer requests [default: one for each processor core]
    #[arg(long, env = "SAMVERKAN_WORKERS", value_name = "NUMBER", value_parser = number::<1, 256>)]
    workers: Option<u16>,
    /// Database connections for writes and other transactions; each worker has two more for reads
    #[arg(long, env = "SAMVERKAN_POOL_SIZE", value_name = "NUMBER", default_value = "4", value_parser = number::<1, 256>)]
    pool_size: u16,
    /// Exports at a time, each on a database connection of its own
    #[arg(long, env = "SAMVERKAN_EXPORTS", value_name = "NUMBER", default_value = "4", value_parser = number::<1, 64>)]
    exports: u16,
    /// Memory for answers of statistics that are kept to be answered again, in MiB; 0 keeps none
    #[arg(long, env = "SAMVERKAN_STATISTICS_CACHE_MIB", value_name = "MIB", default_value = "64", value_parser = number::<0, 65_535>)]
    statistics_cache_mib: u16,
    /// The largest file that can be imported, in MiB
    #[arg(long, env = "SAMVERKAN_IMPORT_MAX_MIB", value_name = "MIB", default_value = "64", value_parser = number::<1, 4_096>)]
    import_max_mib: u16,
    /// Do not serve the pages at /docs
    #[arg(long, env = "SAMVERKAN_NO_DOCS", value_parser = BoolishValueParser::new())]
    pub no_docs: bool,
    /// How long requests under way may take after SIGTERM or Ctrl-C, in seconds
    #[arg(long, env = "SAMVERKAN_DRAIN_SECONDS", value_name = "SECONDS", default_value = "25", value_parser = number::<0, 3600>)]
    drain_seconds: u16,
    /// How long new requests are still taken after SIGTERM, while /health/ready already says 503, in seconds: what a
    /// load balancer needs to notice
    #[arg(long, env = "SAMVERKAN_DRAIN_DELAY_SECONDS", value_name = "SECONDS", default_value = "0", value_parser = number::<0, 3600>)]
    drain_delay_seconds: u16,
}

impl Serve {
    /// Who issues the access tokens.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.issuer
            .as_deref()
            .or(self.public_url.as_deref())
            .unwrap_or("http://samverkan.local")
    }

    /// How many threads answer requests.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.workers.map_or_else(
            || available_parallelism().map_or(1, NonZeroUsize::get),
            usize::from,
        )
    }

    /// How many connections the exclusive lane has.
    #[must_use]
    pub fn pool_size(&self) -> usize {
        self.pool_size.into()
    }

    /// How many exports are made at a time.
    #[must_use]
    pub fn exports(&self) -> usize {
        self.exports.into()
    }

    /// How many bytes an imported file may have.
    #[must_use]
    pub fn import_limit(&self) -> u64 {
        u64::from(self.import_max_mib) * 1024 * 1024
    }

    /// How many bytes of answers are kept.
    #[must_use]
    pub fn statistics_cache(&self) -> u64 {
        u64::from(self.statistics_cache_mib) * 1024 * 1024
    }

    /// How long requests under way may take when the service stops.
    #[must_use]
    pub fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_seconds.into())
    }

    /// How long new requests are still taken when the service is asked to stop.
    #[must_use]
    pub fn drain_delay(&self) -> Duration {
        Duration::from_secs(self.drain_delay_seconds.into())
    }
}

/// Reads the command line and the environment.
///
/// # Errors
/// [`Refusal`]: one line that names the setting; or the text of `--help` or `--version`.
pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Config, Refusal> {
    let config = Config::try_parse_from(arguments).map_err(|error| refusal::of(&error))?;
    if let Command::Serve(serve) = &config.command
        && serve
            .metrics_bind
            .is_some_and(|metrics| metrics == serve.bind && metrics.port() != 0)
    {
        return Err(Refusal::of_setting(
            "metrics_bind",
            &format!(
                "{} is the address of the API, and the numbers must have one of their own",
                serve.bind
            ),
        ));
    }
    Ok(config)
}

/// A line for each variable of the environment that looks like one of ours and is none: most likely a typing error.
#[must_use]
pub fn unknown_variables() -> Vec<String> {
    let mut known = variables(&Config::command());
    known.push(CLIENT_SECRET.to_owned());
    let given = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut unknown: Vec<String> = given
        .filter(|name| name.starts_with(PREFIX) && !known.contains(name))
        .collect();
    unknown.sort();
    unknown
        .iter()
        .map(|name| unknown_variable(name, &known))
        .collect()
}

fn unknown_variable(name: &str, known: &[String]) -> String {
    let nearest = known
        .iter()
        .max_by(|a, b| strsim::jaro_winkler(name, a).total_cmp(&strsim::jaro_winkler(name, b)));
    let nearest = nearest.map_or("", String::as_str);
    format!("the variable {name} has no meaning and is ignored; did you mean {nearest}?")
}

/// One variable of the environment.
fn variable(name: &OsStr) -> Option<OsString> {
    std::env::var_os(name)
}

/// The variables that a command and those below it read.
fn variables(command: &clap::Command) -> Vec<String> {
    let own = command
        .get_arguments()
        .filter_map(|argument| Some(argument.get_env()?.to_string_lossy().into_owned()));
    own.chain(command.get_subcommands().flat_map(variables))
        .collect()
}

fn socket(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse()
        .map_err(|_| "it must be an IP address and a port, like 127.0.0.1:8080")
}

fn filled(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        return Err("it must be a text of one line");
    }
    Ok(text.trim().to_owned())
}

/// A value of the API, with the API's sentence about what it must be.
fn parsed<T: FromStr<Err = Faulty>>(text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|Faulty(code)| rule_text(code).get(Lang::En).to_owned())
}

fn database(url: &str) -> Result<Target, String> {
    let config: tokio_postgres::Config = url.parse().map_err(|_| DATABASE_URL_FORM.to_owned())?;
    if config.get_hosts().is_empty() {
        return Err(DATABASE_URL_FORM.to_owned());
    }
    Target::parse(url).map_err(|error| error.to_string())
}

/// Says nothing of the text that was given, which may hold a password.
const DATABASE_URL_FORM: &str = "it must be like postgres://user:password@host/database";

fn directory(path: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(path);
    if !path.is_dir() {
        return Err(format!("there is no directory {}", path.display()));
    }
    Ok(path)
}

fn number<const MIN: u16, const MAX: u16>(text: &str) -> Result<u16, String> {
    let number = text
        .parse()
        .ok()
        .filter(|number| (MIN..=MAX).contains(number));
    number.ok_or_else(|| format!("it must be a whole number from {MIN} to {MAX}"))
}

fn rows(text: &str) -> Result<u64, String> {
    let rows = text.parse().ok().filter(|rows| ROWS.contains(rows));
    rows.ok_or_else(|| {
        format!(
            "it must be a whole number from {} to {}",
            ROWS.start(),
            ROWS.end()
        )
    })
}

/// `http://` or `https://`, a host, perhaps a path; returned without a slash at the end.
fn web_address(text: &str) -> Result<String, &'static str> {
    const FORM: &str = "it must be like https://host, without a query";
    let address: Uri = text.parse().map_err(|_| FORM)?;
    let http = matches!(address.scheme_str(), Some("http" | "https"));
    let host = address.host().is_some_and(|host| !host.is_empty());
    let named = address
        .authority()
        .is_some_and(|authority| !authority.as_str().contains('@'));
    if !http || !host || !named || text.contains(['?', '#']) {
        return Err(FORM);
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// A web address without a path, exactly as a browser writes it into the header `Origin` (RFC 6454).
fn origin(text: &str) -> Result<String, &'static str> {
    const FORM: &str = "it must be an origin like https://host, without a path and not *";
    let text = web_address(text).map_err(|_| FORM)?.to_ascii_lowercase();
    if text.matches('/').count() != 2 {
        return Err(FORM);
    }
    Ok(text)
}

/// Stricter than `env_logger`, which takes a misspelt level for the name of a module and logs nothing.
fn log_filter(text: &str) -> Result<String, &'static str> {
    let is_level = |level: &str| level.trim().parse::<LevelFilter>().is_ok();
    let reads = |part: &str| {
        part.split_once('=')
            .map_or(is_level(part), |(module, level)| {
                !module.trim().is_empty() && is_level(level)
            })
    };
    if !text.split(',').all(reads) {
        return Err(
            "it must be a level (off, error, warn, info, debug, trace), or levels by module like warn,samverkan=debug",
        );
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn the_definition_holds_together() {
        Config::command().debug_assert();
    }

    #[rstest]
    #[case("https://api.example.se", Some("https://api.example.se"))]
    #[case("http://localhost:8080/", Some("http://localhost:8080"))]
    #[case("https://example.se/kultur/", Some("https://example.se/kultur"))]
    #[case("", None)]
    #[case("api.example.se", None)]
    #[case("ftp://example.se", None)]
    #[case("https://", None)]
    #[case("https://user@example.se", None)]
    #[case("https://example.se?a=b", None)]
    #[case("https://example.se#top", None)]
    fn a_web_address_has_a_scheme_and_a_host(#[case] text: &str, #[case] read: Option<&str>) {
        assert_eq!(web_address(text).ok().as_deref(), read);
    }

    #[rstest]
    #[case("https://front.example.se", Some("https://front.example.se"))]
    #[case(
        "HTTPS://Front.example.se:8443/",
        Some("https://front.example.se:8443")
    )]
    #[case("https://example.se/app", None)]
    #[case("*", None)]
    #[case("null", None)]
    fn an_origin_has_no_path(#[case] text: &str, #[case] read: Option<&str>) {
        assert_eq!(origin(text).ok().as_deref(), read);
    }

    #[rstest]
    #[case("info", true)]
    #[case("WARN,samverkan=debug,actix_web=off", true)]
    #[case("inof", false)]
    #[case("samverkan", false)]
    #[case("samverkan=loud", false)]
    #[case("=info", false)]
    #[case("", false)]
    #[case("info,", false)]
    fn a_log_filter_is_made_of_levels(#[case] text: &str, #[case] good: bool) {
        assert_eq!(log_filter(text).is_ok(), good);
    }

    #[rstest]
    #[case("SAMVERKAN_DATADIR", "SAMVERKAN_DATA_DIR")]
    #[case("SAMVERKAN_BINDS", "SAMVERKAN_BIND")]
    #[case("SAMVERKAN_CORS_ORIGINS", "SAMVERKAN_CORS_ORIGIN")]
    fn a_misspelt_variable_is_told_the_nearest_one(#[case] given: &str, #[case] meant: &str) {
        let line = unknown_variable(given, &variables(&Config::command()));
        assert!(
            line.contains(given) && line.ends_with(&format!("did you mean {meant}?")),
            "{line}"
        );
    }
}
