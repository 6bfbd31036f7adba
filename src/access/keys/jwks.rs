//! Public keys as they are published (RFC 7517, RFC 8037), and the id that follows from one (RFC 7638).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// The public half of a key as RFC 8037 writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Jwk {
    /// Key type: always `OKP`.
    pub kty: &'static str,
    /// Curve: always `Ed25519`.
    pub crv: &'static str,
    /// The public key, base64url.
    pub x: String,
    /// The key's id, as in the header of each token.
    pub kid: String,
    /// Algorithm: always `EdDSA`.
    pub alg: &'static str,
    /// What the key is for: always `sig`.
    #[serde(rename = "use")]
    pub usage: &'static str,
}

impl Jwk {
    pub(super) fn new(kid: &str, x: &str) -> Self {
        Self {
            kty: "OKP",
            crv: "Ed25519",
            x: x.to_owned(),
            kid: kid.to_owned(),
            alg: "EdDSA",
            usage: "sig",
        }
    }
}

/// The published key set (RFC 7517): everyone can check our tokens with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Jwks {
    /// Previous, current and next key, oldest first.
    pub keys: Vec<Jwk>,
}

/// RFC 7638: SHA-256 of the required members in alphabetical order, without blanks.
pub(super) fn thumbprint(x: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!(
        r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#
    )))
}
