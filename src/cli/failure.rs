//! Why a command failed: one line, and the exit code.

use std::fmt;
use std::process::ExitCode;

use crate::access::keys::KeyError;
use crate::config::Refusal;
use crate::db::private::PrivateError;
use crate::http::lang::Lang;
use crate::office::OfficeError;
use crate::problem::Problem;
use crate::synth::SynthError;

/// See the module.
#[derive(Debug)]
pub(super) struct Failure {
    line: String,
    /// Whether a setting is to blame.
    setting: bool,
}

impl Failure {
    /// A setting is missing or wrong.
    pub(super) fn wrong(line: impl fmt::Display) -> Self {
        Self {
            line: line.to_string(),
            setting: true,
        }
    }

    /// The setting with this field name has a value that does not work.
    pub(super) fn setting(field: &str, reason: impl fmt::Display) -> Self {
        Self::wrong(Refusal::of_setting(field, &reason.to_string()))
    }

    /// Something else.
    pub(super) fn other(line: impl fmt::Display) -> Self {
        Self {
            line: line.to_string(),
            setting: false,
        }
    }

    /// It may work later with the same settings.
    pub(super) fn for_now(self) -> Self {
        Self {
            setting: false,
            ..self
        }
    }

    /// 2 for settings, 1 for the rest.
    pub(super) fn exit_code(&self) -> ExitCode {
        ExitCode::from(if self.setting { 2 } else { 1 })
    }
}

impl fmt::Display for Failure {
    /// On one line, whatever PostgreSQL or the operating system put into it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.line.split_whitespace().collect();
        f.write_str(&words.join(" "))
    }
}

impl From<PrivateError> for Failure {
    fn from(error: PrivateError) -> Self {
        match error {
            // These name their settings themselves.
            PrivateError::NoBinaries { .. } | PrivateError::WrongVersion { .. } => {
                Self::wrong(error)
            }
            PrivateError::NotOurs { .. }
            | PrivateError::Unreachable { .. }
            | PrivateError::Running { serving: true, .. }
            | PrivateError::Io { .. } => Self::setting("data_dir", error),
            PrivateError::Running { serving: false, .. }
            | PrivateError::NoServerUser
            | PrivateError::NotStarted { .. }
            | PrivateError::NotReady { .. }
            | PrivateError::NotStopped { .. }
            | PrivateError::Program { .. } => Self::other(error),
        }
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::File { .. }
            | KeyError::FileTooOpen { .. }
            | KeyError::DirectoryTooOpen { .. }
            | KeyError::Damaged { .. }
            | KeyError::Empty { .. } => Self::setting("data_dir", error),
            KeyError::AlreadyWaiting { .. } | KeyError::Generate | KeyError::SelfTest { .. } => {
                Self::other(error)
            }
        }
    }
}

impl From<SynthError> for Failure {
    fn from(error: SynthError) -> Self {
        match error {
            SynthError::RealData => Self::wrong(error),
            SynthError::Connect(_)
            | SynthError::Database(_)
            | SynthError::NoSweden
            | SynthError::Busy
            | SynthError::Taken(_) => Self::other(error),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::wrong(refusal)
    }
}

impl From<OfficeError> for Failure {
    fn from(error: OfficeError) -> Self {
        match error {
            OfficeError::Credentials { .. } => Self::setting("client_id", error),
            OfficeError::Strange { .. } | OfficeError::Refused { status: 404, .. } => {
                Self::setting("url", error)
            }
            OfficeError::NotOurs { .. } => Self::setting("dir", error),
            // What was asked for, or who asks, is wrong.
            OfficeError::Refused {
                status: 400 | 403, ..
            } => Self::wrong(error),
            OfficeError::Refused { .. }
            | OfficeError::Away { .. }
            | OfficeError::Busy { .. }
            | OfficeError::File { .. }
            | OfficeError::Differs { .. } => Self::other(error),
        }
    }
}

impl From<Problem> for Failure {
    /// With every fault, as a client would read it; the cause of a fault of ours, which a client never sees.
    fn from(problem: Problem) -> Self {
        let said = problem.sentences();
        Self::other(format!("{problem}: {}", said.get(Lang::En)))
    }
}

macro_rules! others {
    ($($error:ty),+ $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::other(error)
            }
        })+
    };
}

others!(
    std::io::Error,
    log::SetLoggerError,
    prometheus::Error,
    serde_json::Error,
    tokio::task::JoinError,
    crate::access::token::TokenError,
    crate::db::ConnectError,
    crate::db::DbError,
    crate::db::migrate::MigrateError,
);
