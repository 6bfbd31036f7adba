//! `.env.example` and the help are in step with the definition of the command line.

use std::collections::BTreeMap;

use clap::{Arg, Command, CommandFactory};
use samverkan::config::{CLIENT_SECRET, Config};

/// What `.env.example` says: by variable its value, and whether the line is in force or only an example.
fn example() -> BTreeMap<String, (String, bool)> {
    let text = include_str!("../.env.example");
    let mut settings = BTreeMap::new();
    let mut commented = false;
    for line in text.lines() {
        let (setting, in_force) = line
            .strip_prefix('#')
            .map_or((line, true), |rest| (rest, false));
        let Some((name, value)) = setting
            .split_once('=')
            .filter(|(name, _)| is_variable(name))
        else {
            commented = line.starts_with("# ") && !line.starts_with("# ---");
            continue;
        };
        assert!(commented, "{name} has no comment above it");
        let earlier = settings.insert(name.to_owned(), (value.to_owned(), in_force));
        assert_eq!(earlier, None, "{name} is listed twice");
        commented = false;
    }
    settings
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}

/// Every argument that has a variable, of the command and those below it, by variable.
fn defined(command: &Command) -> BTreeMap<String, Arg> {
    let mut settings = BTreeMap::new();
    for argument in command.get_arguments() {
        if let Some(variable) = argument.get_env() {
            settings.insert(variable.to_string_lossy().into_owned(), argument.clone());
        }
    }
    for below in command.get_subcommands() {
        settings.extend(defined(below));
    }
    settings
}

#[test]
fn the_file_lists_every_variable_and_no_other() {
    let (example, command) = (example(), Config::command());
    let listed: Vec<&str> = example.keys().map(String::as_str).collect();
    let defined = defined(&command);
    // The one that has no flag, because a flag of a process can be seen by others.
    let mut known: Vec<&str> = defined.keys().map(String::as_str).collect();
    known.push(CLIENT_SECRET);
    known.sort_unstable();
    assert_eq!(listed, known);
    assert!(listed.len() > 15, "{listed:?}");
}

#[test]
fn what_is_in_force_in_the_file_is_the_default() {
    let defined = defined(&Config::command());
    for (name, (value, in_force)) in example() {
        if name == CLIENT_SECRET {
            assert!(!in_force);
            continue;
        }
        let argument = &defined[&name];
        let default = match argument.get_default_values().first() {
            Some(default) => Some(default.to_string_lossy().into_owned()),
            None if argument.get_action().takes_values() => None,
            None => Some("false".to_owned()), // a switch
        };
        match default {
            Some(default) => assert_eq!((value, in_force), (default, true), "{name}"),
            None => assert!(
                !in_force && !value.is_empty(),
                "{name} has no default, so its line must be a comment with an example"
            ),
        }
    }
}

/// The variables of the office's own tool, which the service has no use for.
const OFFICE: [&str; 7] = [
    "SAMVERKAN_CLIENT_ID",
    "SAMVERKAN_CLIENT_SECRET_FILE",
    "SAMVERKAN_DIR",
    "SAMVERKAN_LANG",
    "SAMVERKAN_PATIENCE",
    "SAMVERKAN_TYPES",
    "SAMVERKAN_URL",
];

#[test]
fn the_help_explains_every_setting_by_flag_and_variable() {
    let mut root = Config::command();
    let settings = defined(&root);
    // Building hands the settings that are valid everywhere down to the commands.
    root.build();
    let mut help = |command: &str| {
        let command = root.find_subcommand_mut(command).unwrap();
        command.render_long_help().to_string()
    };
    let (serve, pull) = (help("serve"), help("pull"));
    for (variable, argument) in settings {
        let help = if OFFICE.contains(&variable.as_str()) {
            &pull
        } else {
            &serve
        };
        let flag = argument.get_long().unwrap();
        assert!(help.contains(&format!("--{flag}")), "--{flag} is missing");
        assert!(
            help.contains(&format!("[env: {variable}")),
            "{variable} is missing"
        );
        assert!(
            argument
                .get_help()
                .is_some_and(|text| !text.to_string().is_empty()),
            "--{flag} is not explained"
        );
    }
}

#[test]
fn a_variable_is_named_like_its_flag() {
    for (variable, argument) in defined(&Config::command()) {
        let named = format!(
            "--{}",
            variable
                .trim_start_matches("SAMVERKAN_")
                .to_lowercase()
                .replace('_', "-")
        );
        assert_eq!(named, format!("--{}", argument.get_long().unwrap()));
    }
}

#[test]
fn the_help_shows_no_value_of_a_secret() {
    let defined = defined(&Config::command());
    assert!(defined["DATABASE_URL"].is_hide_env_values_set());
}
