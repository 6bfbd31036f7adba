//! Secrets of API clients, and the ids that go with them.
//!
//! A client secret is 256 bits from the operating system, shown once:
//!
//! ```text
//! smv_k3v7q2mzt5ab_Xo3v…(43 characters)
//! │   │            └ the secret itself, base64url
//! │   └ public id: finds the row, may be logged and shown in lists
//! └ fixed prefix: lets secret scanners recognise a leaked one
//! ```
//!
//! Only the SHA-256 of the whole text is stored. A slow password hash would add nothing: OWASP ASVS 5.0, 6.5.2 accepts
//! a plain hash from 112 bits of entropy, and a cheap check cannot be used to exhaust the processor.

use std::fmt;

use aws_lc_rs::rand;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// What every client secret begins with.
pub const SECRET_PREFIX: &str = "smv_";
/// What every client id begins with.
pub const CLIENT_ID_PREFIX: &str = "client_";

const PUBLIC_ID_CHARS: usize = 12;
const CLIENT_ID_CHARS: usize = 16;
const SECRET_BYTES: usize = 32;

/// The operating system gave no random bytes. Nothing that needs a secret may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system's random number generator failed")]
pub struct NoRandomness;

/// Text that must not be printed: its `Debug` is redacted and it has no `Display`.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct SecretText(String);

impl SecretText {
    /// The text itself. Every call is a place where a secret leaves its wrapping.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText([redacted])")
    }
}

/// The SHA-256 of a client secret's text: the only form that is stored.
#[derive(Debug, Clone, Copy)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// The 32 bytes to store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A secret that has just been made. The text is shown to its owner and then forgotten.
#[derive(Debug)]
pub struct NewSecret {
    /// Finds the stored row; not secret.
    pub public_id: String,
    /// The whole text, for the client only.
    pub text: SecretText,
    /// What is stored.
    pub hash: SecretHash,
}

impl NewSecret {
    /// Makes a secret from 256 random bits.
    ///
    /// # Errors
    /// [`NoRandomness`] when the operating system gives none.
    pub fn generate() -> Result<Self, NoRandomness> {
        let public_id = random_base32(PUBLIC_ID_CHARS)?;
        let secret = URL_SAFE_NO_PAD.encode(random_bytes::<SECRET_BYTES>()?);
        let text = format!("{SECRET_PREFIX}{public_id}_{secret}");
        let hash = SecretHash::of(&text);
        Ok(Self {
            public_id,
            text: SecretText(text),
            hash,
        })
    }
}

/// A secret as a client sent it: well formed, not yet known to be right.
#[derive(Debug)]
pub struct PresentedSecret {
    public_id: String,
    hash: SecretHash,
}

impl PresentedSecret {
    /// Reads a secret; `None` unless it has exactly the form that [`NewSecret::generate`] gives.
    ///
    /// The hash is computed here, before anything is looked up, so an unknown client costs the same as a known one.
    #[must_use]
    pub fn parse(presented: &SecretText) -> Option<Self> {
        let text = presented.expose();
        // By length, not by `_`: the base64url alphabet has that character too.
        let (public_id, rest) = text
            .strip_prefix(SECRET_PREFIX)?
            .split_at_checked(PUBLIC_ID_CHARS)?;
        if !public_id
            .bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7'))
        {
            return None;
        }
        let secret = URL_SAFE_NO_PAD.decode(rest.strip_prefix('_')?).ok()?;
        (secret.len() == SECRET_BYTES).then(|| Self {
            public_id: public_id.to_owned(),
            hash: SecretHash::of(text),
        })
    }

    /// The id by which the stored hashes are found.
    #[must_use]
    pub fn public_id(&self) -> &str {
        &self.public_id
    }

    /// Whether this secret is one of the stored ones: a client may have two, so that it can change over without an outage.
    ///
    /// Takes the same time whichever of them fits, and however many leading bytes are right.
    #[must_use]
    pub fn is_one_of<'a>(&self, stored: impl IntoIterator<Item = &'a [u8]>) -> bool {
        stored
            .into_iter()
            .fold(Choice::from(0), |found, hash| {
                found | self.hash.as_bytes().ct_eq(hash)
            })
            .into()
    }
}

/// A new client id, `client_` and 80 random bits. An id is not a secret; it is random so that it tells nothing.
///
/// # Errors
/// [`NoRandomness`] when the operating system gives none.
pub fn new_client_id() -> Result<String, NoRandomness> {
    Ok(format!(
        "{CLIENT_ID_PREFIX}{}",
        random_base32(CLIENT_ID_CHARS)?
    ))
}

/// `N` random bytes from the operating system.
pub(super) fn random_bytes<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// `chars` characters of the lower-case base32 alphabet (RFC 4648), five random bits in each.
fn random_base32(chars: usize) -> Result<String, NoRandomness> {
    let mut bytes = vec![0; chars];
    rand::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes
        .into_iter()
        .map(|byte| match byte & 31 {
            letter @ 0..=25 => char::from(b'a' + letter),
            digit => char::from(b'2' + (digit - 26)),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: impl Into<String>) -> SecretText {
        SecretText::from(text.into())
    }

    #[test]
    fn a_new_secret_has_the_documented_form_and_is_recognised() {
        let new = NewSecret::generate().unwrap();
        let text = new.text.expose();
        assert_eq!(text.len(), 4 + 12 + 1 + 43);
        assert!(text.starts_with(&format!("smv_{}_", new.public_id)));

        let presented = PresentedSecret::parse(&new.text).unwrap();
        assert_eq!(presented.public_id(), new.public_id);
        assert!(presented.is_one_of([new.hash.as_bytes()]));
    }

    #[test]
    fn what_is_stored_is_the_sha256_of_the_whole_text() {
        // `printf 'smv_…' | sha256sum`
        let text = "smv_abcdefghijkl_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let hash = PresentedSecret::parse(&secret(text)).unwrap().hash;
        let hex = hash
            .as_bytes()
            .iter()
            .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        assert_eq!(
            hex,
            "7a2e17b411164eddc3e1cf21316c20cfbf5b77fbdee3ab2fca94f9dd4ead3b13"
        );
    }

    #[test]
    fn each_of_two_stored_secrets_fits_and_a_third_does_not() {
        let [a, b, c] = [(); 3].map(|()| NewSecret::generate().unwrap());
        let stored = || [a.hash.as_bytes(), b.hash.as_bytes()];
        assert!(PresentedSecret::parse(&a.text).unwrap().is_one_of(stored()));
        assert!(PresentedSecret::parse(&b.text).unwrap().is_one_of(stored()));
        assert!(!PresentedSecret::parse(&c.text).unwrap().is_one_of(stored()));
    }

    #[test]
    fn nothing_stored_and_a_stored_hash_of_the_wrong_length_fit_nothing() {
        let new = NewSecret::generate().unwrap();
        let presented = PresentedSecret::parse(&new.text).unwrap();
        assert!(!presented.is_one_of([]));
        assert!(!presented.is_one_of([&[][..]]));
        assert!(!presented.is_one_of([&new.hash.as_bytes()[..31]]));
    }

    #[test]
    fn the_public_id_is_part_of_what_is_checked() {
        let new = NewSecret::generate().unwrap();
        let other = NewSecret::generate().unwrap();
        let swapped = secret(new.text.expose().replace(&new.public_id, &other.public_id));
        let presented = PresentedSecret::parse(&swapped).unwrap();
        assert_eq!(presented.public_id(), other.public_id);
        assert!(!presented.is_one_of([new.hash.as_bytes(), other.hash.as_bytes()]));
    }

    #[rstest::rstest]
    #[case::empty("")]
    #[case::prefix_only("smv_")]
    #[case::another_prefix("kcx_abcdefghijkl_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    #[case::upper_case_id("smv_ABCDEFGHIJKL_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    #[case::digit_outside_base32("smv_abcdefghijk1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    #[case::no_separator("smv_abcdefghijklmAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    #[case::one_character_short("smv_abcdefghijkl_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    #[case::one_character_long("smv_abcdefghijkl_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    #[case::spare_bits_set("smv_abcdefghijkl_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB")]
    #[case::plain_base64("smv_abcdefghijkl_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA+/")]
    #[case::trailing_newline("smv_abcdefghijkl_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n")]
    #[case::cut_inside_a_character("smv_abcdefghijkå_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    fn a_text_of_another_form_is_no_secret(#[case] text: &str) {
        assert!(PresentedSecret::parse(&secret(text)).is_none());
    }

    #[test]
    fn debug_shows_no_secret() {
        let new = NewSecret::generate().unwrap();
        let shown = format!("{:?} {:?}", new.text, new);
        assert!(shown.contains("[redacted]"));
        assert!(!shown.contains(new.text.expose()));
        assert!(!shown.contains(&new.text.expose()[17..]));
    }

    #[test]
    fn client_ids_are_sixteen_base32_characters_and_differ() {
        let a = new_client_id().unwrap();
        let id = a.strip_prefix("client_").unwrap();
        assert_eq!(id.len(), 16);
        assert!(
            id.bytes()
                .all(|b| b"abcdefghijklmnopqrstuvwxyz234567".contains(&b))
        );
        assert_ne!(a, new_client_id().unwrap());
    }

    #[test]
    fn the_whole_base32_alphabet_is_used() {
        let seen: std::collections::BTreeSet<char> = random_base32(4096).unwrap().chars().collect();
        assert_eq!(
            seen.into_iter().collect::<String>(),
            "234567abcdefghijklmnopqrstuvwxyz"
        );
    }
}
