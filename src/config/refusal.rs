//! From clap's errors, which take several lines and know flags only, to one line that names flag and variable.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, CommandFactory};

use super::Config;

/// Why the command line does not lead to a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It asks for a text: the help or the version.
    #[error("{0}")]
    Text(String),
    /// A setting is missing or wrong: one line.
    #[error("{0}")]
    Wrong(String),
}

impl Refusal {
    /// A setting, named by its field in [`Config`], with the reason why its value will not do.
    #[must_use]
    pub fn of_setting(field: &str, reason: &str) -> Self {
        Self::Wrong(setting(field, reason))
    }
}

/// `SAMVERKAN_BIND (--bind): reason`, for the setting with this field name.
pub(crate) fn setting(field: &str, reason: &str) -> String {
    let name = find(&Config::command(), &|argument| argument.get_id() == field)
        .map_or_else(|| field.to_owned(), |a| name_of(&a));
    line(&format!("{name}: {reason}"))
}

/// Reads one of clap's errors.
pub(super) fn of(error: &clap::Error) -> Refusal {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            return Refusal::Text(error.render().to_string());
        }
        ErrorKind::MissingSubcommand => {
            let commands: Vec<String> = match error.get(ContextKind::ValidSubcommand) {
                Some(ContextValue::Strings(names)) => names
                    .iter()
                    .filter(|name| *name != "help")
                    .cloned()
                    .collect(),
                _ => Vec::new(),
            };
            return Refusal::Wrong(format!(
                "a command is missing, one of: {}; see --help",
                commands.join(", ")
            ));
        }
        _ => {}
    }
    let flag = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(usage)) => usage
            .split([' ', '='])
            .next()
            .and_then(|flag| flag.strip_prefix("--")),
        _ => None,
    };
    let root = Config::command();
    if error.kind() == ErrorKind::MissingRequiredArgument
        && let Some(ContextValue::Strings(missing)) = error.get(ContextKind::InvalidArg)
    {
        let named = missing.iter().map(|usage| missing_name(&root, usage));
        return Refusal::Wrong(line(&format!(
            "missing: {}; see --help",
            named.collect::<Vec<_>>().join(", ")
        )));
    }
    let argument = match error.kind() {
        ErrorKind::InvalidUtf8 => find(&root, &|argument| {
            let value = argument.get_env().and_then(super::variable);
            value.is_some_and(|value| value.to_str().is_none())
        }),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            flag.and_then(|flag| find(&root, &|argument| argument.get_long() == Some(flag)))
        }
        _ => None,
    };
    let Some(argument) = argument else {
        return Refusal::Wrong(own_words(error));
    };
    let given = match error.get(ContextKind::InvalidValue) {
        // Its value may hold a password.
        Some(ContextValue::String(value)) if !argument.is_hide_env_values_set() => {
            format!("'{value}' is not accepted")
        }
        _ => "its value is not accepted".to_owned(),
    };
    let reason = match (
        std::error::Error::source(error),
        error.get(ContextKind::ValidValue),
    ) {
        (Some(reason), _) => format!(": {reason}"),
        (None, Some(ContextValue::Strings(valid))) if !valid.is_empty() => {
            format!(": it must be one of {}", valid.join(", "))
        }
        _ if error.kind() == ErrorKind::InvalidUtf8 => ": it is not UTF-8".to_owned(),
        _ => String::new(),
    };
    Refusal::Wrong(line(&format!("{}: {given}{reason}", name_of(&argument))))
}

/// What is missing by flag and variable; clap tells the flag with what comes after it.
fn missing_name(root: &Command, usage: &str) -> String {
    let flag = usage.split([' ', '=']).next().unwrap_or_default();
    let fits = |argument: &Arg| argument.get_long() == flag.strip_prefix("--");
    match find(root, &fits) {
        Some(argument) if flag.starts_with("--") => name_of(&argument),
        _ => usage.to_owned(),
    }
}

/// `SAMVERKAN_BIND (--bind)`, or `--name` for what has no variable.
fn name_of(argument: &Arg) -> String {
    let flag = argument.get_long().unwrap_or_default();
    match argument.get_env() {
        Some(variable) => format!("{} (--{flag})", variable.to_string_lossy()),
        None => format!("--{flag}"),
    }
}

/// The first argument that fits, of a command or one below it.
fn find(command: &Command, fits: &dyn Fn(&Arg) -> bool) -> Option<Arg> {
    let own = command
        .get_arguments()
        .find(|argument| fits(argument))
        .cloned();
    own.or_else(|| {
        command
            .get_subcommands()
            .find_map(|below| find(below, fits))
    })
}

/// What clap says, without its advice on usage.
fn own_words(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let told = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
    let told: Vec<&str> = told
        .filter(|line| !line.is_empty())
        .map(|line| line.trim_start_matches("error: "))
        .collect();
    line(&format!("{}; see --help", told.join(" ")))
}

/// Values come from outside and may hold anything, line breaks included.
fn line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
