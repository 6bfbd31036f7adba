use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use jsonwebtoken::crypto;
use serde_json::{Value, json};

use super::super::keys::tests::{KeyDir, monday};
use super::super::keys::{NOTICE, PREVIOUS_KEPT, Start};
use super::*;

/// What somebody may try who wants in.
mod attacks;

const ISS: &str = "https://api.example.se";
const AUD: &str = "https://api.example.se/v1";
const SUB: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);

/// An issuer whose keys lie in a directory of its own.
struct Desk {
    dir: KeyDir,
    issuer: Issuer,
}

impl Desk {
    fn open() -> Self {
        let dir = KeyDir::new();
        let ring = KeyRing::load_or_create(dir.path(), monday()).unwrap();
        Self {
            issuer: Issuer::new(ISS, AUD, DEFAULT_LIFETIME, ring).unwrap(),
            dir,
        }
    }

    fn issue(&self, now: DateTime<Utc>) -> IssuedToken {
        let areas = vec!["1880".to_owned(), "18".to_owned()];
        self.issuer
            .issue(
                SUB,
                "client_abcdefghijklmnop",
                "projects:read projects:write",
                areas,
                now,
            )
            .unwrap()
    }

    fn reload(&self, now: DateTime<Utc>) -> bool {
        self.issuer
            .replace_keys(KeyRing::load(self.dir.path(), now).unwrap())
    }

    /// A header as we make it.
    fn header(&self) -> Value {
        json!({"typ": "at+jwt", "alg": "EdDSA", "kid": self.issuer.keys().current(monday()).unwrap().kid()})
    }

    /// A token over exactly these texts, with a signature that is right: whoever made it had our key.
    fn sign(&self, header: &str, claims: &str) -> String {
        let message = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(claims)
        );
        let ring = self.issuer.keys();
        let key = ring.current(monday()).unwrap().signing();
        format!(
            "{message}.{}",
            crypto::sign(message.as_bytes(), key, Algorithm::EdDSA).unwrap()
        )
    }

    fn with_header(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut header = self.header();
        change(&mut header);
        self.sign(&header.to_string(), &claims().to_string())
    }

    fn with_claims(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = claims();
        change(&mut claims);
        self.sign(&self.header().to_string(), &claims.to_string())
    }

    /// The fault, which must be the same with and without the memory of verified tokens.
    fn fault(&self, token: &str) -> TokenFault {
        let fault = self.issuer.verify(token, monday()).unwrap_err();
        assert_eq!(
            self.issuer.verify_cached(token, monday()).unwrap_err(),
            fault
        );
        fault
    }
}

fn claims() -> Value {
    let now = monday().timestamp();
    json!({
        "iss": ISS, "aud": AUD, "sub": SUB, "client_id": "client_abcdefghijklmnop", "scope": "projects:read",
        "areas": ["1880"], "jti": Uuid::from_u128(7), "iat": now, "nbf": now, "exp": now + 600,
    })
}

fn remove(object: &mut Value, name: &str) {
    object.as_object_mut().unwrap().remove(name).unwrap();
}

fn add(claims: &mut Value, name: &str, seconds: i64) {
    claims[name] = (claims[name].as_i64().unwrap() + seconds).into();
}

fn seconds(n: i64) -> TimeDelta {
    TimeDelta::seconds(n)
}

#[test]
fn a_token_says_what_was_put_into_it_and_lives_ten_minutes() {
    let desk = Desk::open();
    let issued = desk.issue(monday());
    assert_eq!(issued.expires_in, 600);
    let read = desk.issuer.verify(&issued.token, monday()).unwrap();
    assert_eq!(read, issued.claims);
    assert_eq!(
        (read.iss.as_str(), read.aud.as_str(), read.sub),
        (ISS, AUD, SUB)
    );
    assert_eq!(read.scope, "projects:read projects:write");
    assert_eq!(read.areas, ["1880", "18"]);
    assert_eq!(
        (read.iat, read.nbf, read.exp),
        (1_709_539_200, 1_709_539_200, 1_709_539_800)
    );
    assert_ne!(read.jti, desk.issue(monday()).claims.jti);
}

#[test]
fn a_token_holds_exactly_the_documented_header_and_claims() {
    let desk = Desk::open();
    let token = desk.issue(monday()).token;
    let parts: Vec<Value> = token
        .split('.')
        .take(2)
        .map(|p| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(p).unwrap()).unwrap())
        .collect();
    assert_eq!(parts[0], desk.header());
    let mut names: Vec<&String> = parts[1].as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(
        names,
        [
            "areas",
            "aud",
            "client_id",
            "exp",
            "iat",
            "iss",
            "jti",
            "nbf",
            "scope",
            "sub"
        ]
    );
}

#[test]
fn the_tokens_that_these_tests_make_by_hand_are_good_ones() {
    let desk = Desk::open();
    desk.issuer
        .verify(&desk.with_claims(|_| ()), monday())
        .unwrap();
    desk.issuer
        .verify(&desk.with_claims(|c| c["scope"] = "".into()), monday())
        .unwrap();
    desk.issuer
        .verify(&desk.with_claims(|c| c["added_later"] = 1.into()), monday())
        .unwrap();
}

#[test]
fn an_issuer_needs_a_name_an_audience_and_a_lifetime_that_it_would_accept_itself() {
    let dir = KeyDir::new();
    let new = |iss, aud, lifetime| {
        let ring = KeyRing::load_or_create(dir.path(), monday()).unwrap();
        Issuer::new(iss, aud, Duration::from_millis(lifetime), ring)
    };
    assert!(matches!(
        new("", AUD, 600_000),
        Err(TokenError::Unnamed("issuer"))
    ));
    assert!(matches!(
        new(ISS, "", 600_000),
        Err(TokenError::Unnamed("audience"))
    ));
    assert!(matches!(new(ISS, AUD, 999), Err(TokenError::Lifetime(0))));
    assert!(matches!(
        new(ISS, AUD, 901_000),
        Err(TokenError::Lifetime(901))
    ));
    for lifetime in [1000, 900_000] {
        let issuer = new(ISS, AUD, lifetime).unwrap();
        let token = issuer.issue(SUB, "c", "s", vec![], monday()).unwrap();
        assert_eq!(token.expires_in * 1000, lifetime);
        issuer.verify(&token.token, monday()).unwrap();
    }
}

#[test]
fn a_token_ends_at_its_expiry_and_the_leeway_also_when_it_is_remembered() {
    let desk = Desk::open();
    let token = desk.issue(monday()).token;
    let cached = |after: i64| desk.issuer.verify_cached(&token, monday() + seconds(after));
    let first = cached(0).unwrap();
    assert!(
        Arc::ptr_eq(&first, &cached(1).unwrap()),
        "the second look must come from memory"
    );
    for (after, expected) in [
        (604, Ok(())),
        (605, Err(TokenFault::Expired)),
        (3600, Err(TokenFault::Expired)),
    ] {
        assert_eq!(cached(after).map(|_| ()), expected);
        assert_eq!(
            desk.issuer
                .verify(&token, monday() + seconds(after))
                .map(|_| ()),
            expected
        );
    }
}

#[test]
fn a_remembered_token_is_refused_when_the_clock_is_set_back() {
    let desk = Desk::open();
    let token = desk.issue(monday()).token;
    desk.issuer.verify_cached(&token, monday()).unwrap();
    let earlier = desk.issuer.verify_cached(&token, monday() - seconds(60));
    assert_eq!(earlier.unwrap_err(), TokenFault::NotYetValid);
}

#[test]
fn a_remembered_token_is_refused_once_its_key_has_left_the_ring() {
    let desk = Desk::open();
    let token = desk.issue(monday()).token;
    desk.issuer.verify_cached(&token, monday()).unwrap();

    let leaked = desk.issuer.jwks().keys[0].kid.clone();
    KeyRing::rotate(desk.dir.path(), monday(), Start::AtOnce).unwrap();
    assert!(desk.reload(monday()));
    desk.issuer.verify_cached(&token, monday()).unwrap();

    std::fs::remove_file(desk.dir.path().join(format!("key-{leaked}.pem"))).unwrap();
    assert!(desk.reload(monday()));
    assert_eq!(desk.fault(&token), TokenFault::UnknownKey);
    desk.issuer
        .verify_cached(&desk.issue(monday()).token, monday())
        .unwrap();
}

#[test]
fn a_remembered_token_is_refused_once_its_key_is_no_longer_accepted() {
    let desk = Desk::open();
    KeyRing::rotate(desk.dir.path(), monday(), Start::AfterNotice).unwrap();
    desk.reload(monday());
    let end = monday() + NOTICE + PREVIOUS_KEPT;
    // What somebody could make who has the old key, shortly before it ends.
    let iat = (end - seconds(10)).timestamp();
    let forged = desk.with_claims(|c| {
        for (name, at) in [("iat", iat), ("nbf", iat), ("exp", iat + 900)] {
            c[name] = at.into();
        }
    });
    desk.issuer
        .verify_cached(&forged, end - seconds(1))
        .unwrap();
    assert_eq!(
        desk.issuer.verify_cached(&forged, end).unwrap_err(),
        TokenFault::UnknownKey
    );
    assert_eq!(
        desk.issuer.verify(&forged, end).unwrap_err(),
        TokenFault::UnknownKey
    );
}

#[test]
fn a_token_that_one_issuer_remembers_is_unknown_to_another() {
    let ours = Desk::open();
    let token = ours.issue(monday()).token;
    ours.issuer.verify_cached(&token, monday()).unwrap();
    // The same keys, another audience, the same thread.
    let ring = KeyRing::load(ours.dir.path(), monday()).unwrap();
    let neighbour = Issuer::new(ISS, "https://other.example.se", DEFAULT_LIFETIME, ring).unwrap();
    assert_eq!(
        neighbour.verify_cached(&token, monday()).unwrap_err(),
        TokenFault::WrongAudience
    );
}

#[test]
fn the_memory_is_bounded_and_stays_right_when_it_overflows() {
    let desk = Desk::open();
    let first = desk.issue(monday()).token;
    desk.issuer.verify_cached(&first, monday()).unwrap();
    for _ in 0..REMEMBERED + 10 {
        desk.issuer
            .verify_cached(&desk.issue(monday()).token, monday())
            .unwrap();
        assert!(SEEN.with_borrow(HashMap::len) <= REMEMBERED);
    }
    assert!(
        !SEEN.with_borrow(|seen| seen.values().any(|seen| *seen.token == *first)),
        "it was emptied on the way"
    );
    desk.issuer.verify_cached(&first, monday()).unwrap();
}

#[test]
fn a_refused_token_is_not_remembered() {
    let desk = Desk::open();
    let before = SEEN.with_borrow(HashMap::len);
    desk.fault(&desk.with_claims(|c| add(c, "nbf", 6)));
    desk.fault("a.b.c");
    assert_eq!(SEEN.with_borrow(HashMap::len), before);
}

#[test]
fn no_token_is_refused_while_keys_are_rotated() {
    let desk = Desk::open();
    KeyRing::rotate(desk.dir.path(), monday(), Start::AfterNotice).unwrap();
    assert!(desk.reload(monday()));
    assert_eq!(
        desk.issuer.jwks().keys.len(),
        2,
        "the next key is published at once"
    );
    assert!(!desk.reload(monday()), "nothing has changed since");

    let change = monday() + NOTICE;
    let mut kids = std::collections::BTreeSet::new();
    for step in -20..20 {
        let now = change + TimeDelta::minutes(step);
        let token = desk.issue(now).token;
        kids.insert(token.split('.').next().unwrap().to_owned());
        for age in [0, 599] {
            desk.issuer.verify(&token, now + seconds(age)).unwrap();
            desk.issuer
                .verify_cached(&token, now + seconds(age))
                .unwrap();
        }
    }
    assert_eq!(kids.len(), 2, "both keys have signed");
}

#[test]
fn debug_of_an_issued_token_does_not_show_it() {
    let issued = Desk::open().issue(monday());
    let shown = format!("{issued:?}");
    assert!(shown.contains("client_abcdefghijklmnop") && shown.contains("[redacted]"));
    assert!(!shown.contains(issued.token.rsplit_once('.').unwrap().1));
}

#[test]
fn a_fault_has_a_cause_for_the_log_and_names_the_missing_claim() {
    assert_eq!(TokenFault::Expired.cause(), "token expired");
    assert_eq!(
        TokenFault::MissingClaim("scope").cause(),
        "token lacks a claim"
    );
    assert_eq!(
        TokenFault::MissingClaim("scope").to_string(),
        "token lacks a claim: scope"
    );
}
