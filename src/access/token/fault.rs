//! Why a token was refused.

use std::fmt;

use jsonwebtoken::errors::ErrorKind;

/// The claims that the library is told to require.
pub(super) const REQUIRED: [&str; 5] = ["exp", "nbf", "aud", "iss", "sub"];

/// Why a token was refused. For the log: the client is told the same for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenFault {
    /// Not three parts of base64url, or the header or the claims are not a JSON object without doubled members.
    Malformed,
    /// Longer than [`MAX_TOKEN_BYTES`](super::MAX_TOKEN_BYTES).
    TooLong,
    /// `typ` is not `at+jwt`.
    WrongType,
    /// `alg` is not `EdDSA`.
    WrongAlgorithm,
    /// `crit`: an extension that must be understood, and we have none.
    CriticalHeader,
    /// A header member other than `typ`, `alg` and `kid`.
    ForbiddenHeader,
    /// No `kid`, or one whose key is not, or no longer, in the ring.
    UnknownKey,
    /// The signature is not that key's.
    BadSignature,
    /// `exp` has passed.
    Expired,
    /// `nbf` is still to come.
    NotYetValid,
    /// `iat` is still to come.
    IssuedInFuture,
    /// Valid for longer than [`MAX_LIFETIME`](super::MAX_LIFETIME), or for no time at all.
    WrongLifetime,
    /// From another issuer.
    WrongIssuer,
    /// For another audience.
    WrongAudience,
    /// A claim is absent or null.
    MissingClaim(&'static str),
    /// A claim is of another type than ours, or given twice.
    WrongClaim,
}

impl TokenFault {
    /// The cause in a few words, for the log. Holds nothing of the token itself.
    #[must_use]
    pub fn cause(&self) -> &'static str {
        match self {
            Self::Malformed => "token malformed",
            Self::TooLong => "token too long",
            Self::WrongType => "token of another type",
            Self::WrongAlgorithm => "token algorithm not accepted",
            Self::CriticalHeader => "token header has crit",
            Self::ForbiddenHeader => "token header has a forbidden member",
            Self::UnknownKey => "token key unknown",
            Self::BadSignature => "token signature wrong",
            Self::Expired => "token expired",
            Self::NotYetValid => "token not yet valid",
            Self::IssuedInFuture => "token issued in the future",
            Self::WrongLifetime => "token lifetime not accepted",
            Self::WrongIssuer => "token from another issuer",
            Self::WrongAudience => "token for another audience",
            Self::MissingClaim(_) => "token lacks a claim",
            Self::WrongClaim => "token claim of the wrong type",
        }
    }
}

impl fmt::Display for TokenFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.cause())?;
        if let Self::MissingClaim(name) = self {
            write!(f, ": {name}")
        } else {
            Ok(())
        }
    }
}

impl std::error::Error for TokenFault {}

/// Translates the library's refusal.
pub(super) fn of_library(kind: &ErrorKind) -> TokenFault {
    match kind {
        ErrorKind::InvalidSignature => TokenFault::BadSignature,
        ErrorKind::InvalidAlgorithm => TokenFault::WrongAlgorithm,
        ErrorKind::InvalidIssuer => TokenFault::WrongIssuer,
        ErrorKind::InvalidAudience => TokenFault::WrongAudience,
        // Of the five, the one that it names; it names no other.
        ErrorKind::MissingRequiredClaim(name) => REQUIRED
            .into_iter()
            .find(|claim| claim == name)
            .map_or(TokenFault::WrongClaim, TokenFault::MissingClaim),
        // The header has been read before, so this is the claims.
        ErrorKind::Json(_) => TokenFault::WrongClaim,
        _ => TokenFault::Malformed,
    }
}
