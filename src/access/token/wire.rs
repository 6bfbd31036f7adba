//! A token's header and claims as they come in, before anything is believed of them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{AccessClaims, TOKEN_TYPE, TokenFault};

/// The header of a token. The members we know may come once, and the others are kept so that they can be refused, even when null.
#[derive(Deserialize)]
struct TokenHeader {
    alg: Option<String>,
    typ: Option<String>,
    kid: Option<String>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// Checks the header and gives the key's id.
pub(super) fn check_header(token: &str) -> Result<String, TokenFault> {
    let (header, _) = token.split_once('.').ok_or(TokenFault::Malformed)?;
    let header = URL_SAFE_NO_PAD
        .decode(header)
        .map_err(|_| TokenFault::Malformed)?;
    let TokenHeader {
        alg,
        typ,
        kid,
        others,
    } = serde_json::from_slice(&header).map_err(|_| TokenFault::Malformed)?;
    if alg.as_deref() != Some("EdDSA") {
        return Err(TokenFault::WrongAlgorithm);
    }
    if typ.as_deref() != Some(TOKEN_TYPE) {
        return Err(TokenFault::WrongType);
    }
    if others.contains_key("crit") {
        return Err(TokenFault::CriticalHeader);
    }
    if !others.is_empty() {
        return Err(TokenFault::ForbiddenHeader);
    }
    kid.ok_or(TokenFault::UnknownKey)
}

/// The claims as they come: each may be absent, none may be of another type or come twice.
#[derive(Deserialize)]
pub(super) struct WireClaims {
    iss: Option<String>,
    aud: Option<String>,
    sub: Option<Uuid>,
    client_id: Option<String>,
    scope: Option<String>,
    areas: Option<Vec<String>>,
    jti: Option<Uuid>,
    iat: Option<i64>,
    nbf: Option<i64>,
    exp: Option<i64>,
}

impl WireClaims {
    /// Our claims, if none is missing.
    pub(super) fn complete(self) -> Result<AccessClaims, TokenFault> {
        let missing = TokenFault::MissingClaim;
        Ok(AccessClaims {
            iss: self.iss.ok_or(missing("iss"))?,
            aud: self.aud.ok_or(missing("aud"))?,
            sub: self.sub.ok_or(missing("sub"))?,
            client_id: self.client_id.ok_or(missing("client_id"))?,
            scope: self.scope.ok_or(missing("scope"))?,
            areas: self.areas.ok_or(missing("areas"))?,
            jti: self.jti.ok_or(missing("jti"))?,
            iat: self.iat.ok_or(missing("iat"))?,
            nbf: self.nbf.ok_or(missing("nbf"))?,
            exp: self.exp.ok_or(missing("exp"))?,
        })
    }
}
