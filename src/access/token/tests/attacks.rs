use jsonwebtoken::EncodingKey;
use rstest::rstest;

use super::*;

#[rstest]
#[case::typ_jwt(|h: &mut Value| h["typ"] = "JWT".into(), TokenFault::WrongType)]
#[case::typ_refresh(|h: &mut Value| h["typ"] = "refresh+jwt".into(), TokenFault::WrongType)]
#[case::typ_in_capitals(|h: &mut Value| h["typ"] = "AT+JWT".into(), TokenFault::WrongType)]
#[case::typ_null(|h: &mut Value| h["typ"] = Value::Null, TokenFault::WrongType)]
#[case::typ_missing(|h: &mut Value| remove(h, "typ"), TokenFault::WrongType)]
#[case::typ_number(|h: &mut Value| h["typ"] = 1.into(), TokenFault::Malformed)]
#[case::alg_none(|h: &mut Value| h["alg"] = "none".into(), TokenFault::WrongAlgorithm)]
#[case::alg_none_in_capitals(|h: &mut Value| h["alg"] = "NONE".into(), TokenFault::WrongAlgorithm)]
#[case::alg_missing(|h: &mut Value| remove(h, "alg"), TokenFault::WrongAlgorithm)]
#[case::alg_lower_case(|h: &mut Value| h["alg"] = "eddsa".into(), TokenFault::WrongAlgorithm)]
#[case::alg_es256(|h: &mut Value| h["alg"] = "ES256".into(), TokenFault::WrongAlgorithm)]
#[case::alg_list(|h: &mut Value| h["alg"] = json!(["EdDSA"]), TokenFault::Malformed)]
#[case::kid_missing(|h: &mut Value| remove(h, "kid"), TokenFault::UnknownKey)]
#[case::kid_null(|h: &mut Value| h["kid"] = Value::Null, TokenFault::UnknownKey)]
#[case::kid_empty(|h: &mut Value| h["kid"] = "".into(), TokenFault::UnknownKey)]
#[case::kid_of_another(|h: &mut Value| h["kid"] = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k".into(), TokenFault::UnknownKey)]
#[case::kid_path(|h: &mut Value| h["kid"] = "../../dev/null".into(), TokenFault::UnknownKey)]
#[case::kid_with_a_blank(|h: &mut Value| h["kid"] = format!("{} ", h["kid"].as_str().unwrap()).into(), TokenFault::UnknownKey)]
#[case::kid_number(|h: &mut Value| h["kid"] = 0.into(), TokenFault::Malformed)]
#[case::crit(|h: &mut Value| h["crit"] = json!(["exp"]), TokenFault::CriticalHeader)]
#[case::crit_empty(|h: &mut Value| h["crit"] = json!([]), TokenFault::CriticalHeader)]
#[case::crit_null(|h: &mut Value| h["crit"] = Value::Null, TokenFault::CriticalHeader)]
#[case::crit_b64(|h: &mut Value| { h["crit"] = json!(["b64"]); h["b64"] = false.into(); }, TokenFault::CriticalHeader)]
#[case::b64_false(|h: &mut Value| h["b64"] = false.into(), TokenFault::ForbiddenHeader)]
#[case::b64_true(|h: &mut Value| h["b64"] = true.into(), TokenFault::ForbiddenHeader)]
#[case::zip(|h: &mut Value| h["zip"] = "DEF".into(), TokenFault::ForbiddenHeader)]
#[case::jku(|h: &mut Value| h["jku"] = "https://evil.example/jwks.json".into(), TokenFault::ForbiddenHeader)]
#[case::x5u(|h: &mut Value| h["x5u"] = "https://evil.example/cert.pem".into(), TokenFault::ForbiddenHeader)]
#[case::x5c(|h: &mut Value| h["x5c"] = json!(["MIIB"]), TokenFault::ForbiddenHeader)]
#[case::x5t(|h: &mut Value| h["x5t"] = "AAAA".into(), TokenFault::ForbiddenHeader)]
#[case::jwk(|h: &mut Value| h["jwk"] = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}), TokenFault::ForbiddenHeader)]
#[case::jwk_null(|h: &mut Value| h["jwk"] = Value::Null, TokenFault::ForbiddenHeader)]
#[case::cty(|h: &mut Value| h["cty"] = "JWT".into(), TokenFault::ForbiddenHeader)]
#[case::enc(|h: &mut Value| h["enc"] = "A128GCM".into(), TokenFault::ForbiddenHeader)]
#[case::list(|h: &mut Value| *h = json!([]), TokenFault::Malformed)]
#[case::null(|h: &mut Value| *h = Value::Null, TokenFault::Malformed)]
fn a_header_other_than_ours_is_refused_although_the_signature_is_right(
    #[case] change: fn(&mut Value),
    #[case] expected: TokenFault,
) {
    let desk = Desk::open();
    assert_eq!(desk.fault(&desk.with_header(change)), expected);
}

#[rstest]
#[case::no_iss(|c: &mut Value| remove(c, "iss"), TokenFault::MissingClaim("iss"))]
#[case::no_aud(|c: &mut Value| remove(c, "aud"), TokenFault::MissingClaim("aud"))]
#[case::no_sub(|c: &mut Value| remove(c, "sub"), TokenFault::MissingClaim("sub"))]
#[case::no_client_id(|c: &mut Value| remove(c, "client_id"), TokenFault::MissingClaim("client_id"))]
#[case::no_scope(|c: &mut Value| remove(c, "scope"), TokenFault::MissingClaim("scope"))]
#[case::no_areas(|c: &mut Value| remove(c, "areas"), TokenFault::MissingClaim("areas"))]
#[case::no_jti(|c: &mut Value| remove(c, "jti"), TokenFault::MissingClaim("jti"))]
#[case::no_iat(|c: &mut Value| remove(c, "iat"), TokenFault::MissingClaim("iat"))]
#[case::no_nbf(|c: &mut Value| remove(c, "nbf"), TokenFault::MissingClaim("nbf"))]
#[case::no_exp(|c: &mut Value| remove(c, "exp"), TokenFault::MissingClaim("exp"))]
#[case::iss_null(|c: &mut Value| c["iss"] = Value::Null, TokenFault::MissingClaim("iss"))]
#[case::iss_of_another(|c: &mut Value| c["iss"] = "https://evil.example".into(), TokenFault::WrongIssuer)]
#[case::iss_with_a_slash(|c: &mut Value| c["iss"] = format!("{ISS}/").into(), TokenFault::WrongIssuer)]
#[case::iss_empty(|c: &mut Value| c["iss"] = "".into(), TokenFault::WrongIssuer)]
#[case::iss_list(|c: &mut Value| c["iss"] = json!([ISS]), TokenFault::WrongClaim)]
#[case::iss_number(|c: &mut Value| c["iss"] = 1.into(), TokenFault::WrongClaim)]
#[case::aud_null(|c: &mut Value| c["aud"] = Value::Null, TokenFault::MissingClaim("aud"))]
#[case::aud_of_another(|c: &mut Value| c["aud"] = "https://other.example.se".into(), TokenFault::WrongAudience)]
#[case::aud_is_the_issuer(|c: &mut Value| c["aud"] = ISS.into(), TokenFault::WrongAudience)]
#[case::aud_in_capitals(|c: &mut Value| c["aud"] = AUD.to_uppercase().into(), TokenFault::WrongAudience)]
#[case::aud_number(|c: &mut Value| c["aud"] = 123.into(), TokenFault::WrongClaim)]
#[case::aud_object(|c: &mut Value| c["aud"] = json!({}), TokenFault::WrongClaim)]
#[case::aud_list(|c: &mut Value| c["aud"] = json!([AUD]), TokenFault::WrongClaim)]
#[case::aud_list_with_others(|c: &mut Value| c["aud"] = json!([AUD, "https://other.example.se"]), TokenFault::WrongClaim)]
#[case::aud_empty_list(|c: &mut Value| c["aud"] = json!([]), TokenFault::WrongClaim)]
#[case::sub_null(|c: &mut Value| c["sub"] = Value::Null, TokenFault::MissingClaim("sub"))]
#[case::sub_no_uuid(|c: &mut Value| c["sub"] = "admin".into(), TokenFault::WrongClaim)]
#[case::sub_empty(|c: &mut Value| c["sub"] = "".into(), TokenFault::WrongClaim)]
#[case::sub_number(|c: &mut Value| c["sub"] = 1.into(), TokenFault::WrongClaim)]
#[case::scope_number(|c: &mut Value| c["scope"] = 1.into(), TokenFault::WrongClaim)]
#[case::scope_list(|c: &mut Value| c["scope"] = json!(["projects:read"]), TokenFault::WrongClaim)]
#[case::areas_text(|c: &mut Value| c["areas"] = "1880".into(), TokenFault::WrongClaim)]
#[case::areas_of_numbers(|c: &mut Value| c["areas"] = json!([1880]), TokenFault::WrongClaim)]
#[case::jti_no_uuid(|c: &mut Value| c["jti"] = "1".into(), TokenFault::WrongClaim)]
#[case::exp_text(|c: &mut Value| c["exp"] = c["exp"].to_string().into(), TokenFault::WrongClaim)]
#[case::exp_float(|c: &mut Value| c["exp"] = (c["exp"].as_f64().unwrap() + 0.5).into(), TokenFault::WrongClaim)]
#[case::exp_beyond_i64(|c: &mut Value| c["exp"] = u64::MAX.into(), TokenFault::WrongClaim)]
#[case::exp_null(|c: &mut Value| c["exp"] = Value::Null, TokenFault::MissingClaim("exp"))]
#[case::exp_negative(|c: &mut Value| c["exp"] = (-1).into(), TokenFault::MissingClaim("exp"))]
#[case::nbf_text(|c: &mut Value| c["nbf"] = "0".into(), TokenFault::WrongClaim)]
#[case::nbf_an_hour_ahead(|c: &mut Value| add(c, "nbf", 3600), TokenFault::NotYetValid)]
#[case::nbf_beyond_the_leeway(|c: &mut Value| add(c, "nbf", 6), TokenFault::NotYetValid)]
#[case::nbf_greatest(|c: &mut Value| c["nbf"] = i64::MAX.into(), TokenFault::NotYetValid)]
#[case::iat_in_the_future(|c: &mut Value| add(c, "iat", 6), TokenFault::IssuedInFuture)]
#[case::iat_text(|c: &mut Value| c["iat"] = "0".into(), TokenFault::WrongClaim)]
#[case::iat_lowest(|c: &mut Value| c["iat"] = i64::MIN.into(), TokenFault::WrongLifetime)]
#[case::lifetime_too_long(|c: &mut Value| add(c, "exp", 301), TokenFault::WrongLifetime)]
#[case::lifetime_endless(|c: &mut Value| c["exp"] = i64::MAX.into(), TokenFault::WrongLifetime)]
#[case::lifetime_of_nothing(|c: &mut Value| add(c, "exp", -600), TokenFault::WrongLifetime)]
#[case::expired(|c: &mut Value| { add(c, "iat", -605); add(c, "nbf", -605); add(c, "exp", -605); }, TokenFault::Expired)]
#[case::list(|c: &mut Value| *c = json!([]), TokenFault::WrongClaim)]
#[case::text(|c: &mut Value| *c = "claims".into(), TokenFault::WrongClaim)]
fn claims_other_than_ours_are_refused_although_the_signature_is_right(
    #[case] change: fn(&mut Value),
    #[case] expected: TokenFault,
) {
    let desk = Desk::open();
    assert_eq!(desk.fault(&desk.with_claims(change)), expected);
}

#[rstest]
#[case::nbf(|c: &mut Value| add(c, "nbf", 5))]
#[case::iat(|c: &mut Value| { add(c, "iat", 5); add(c, "nbf", 5); })]
#[case::exp(|c: &mut Value| { add(c, "iat", -604); add(c, "exp", -604); })]
#[case::lifetime(|c: &mut Value| add(c, "exp", 300))]
fn what_lies_just_inside_a_limit_is_accepted(#[case] change: fn(&mut Value)) {
    let desk = Desk::open();
    desk.issuer
        .verify(&desk.with_claims(change), monday())
        .unwrap();
}

#[rstest]
#[case::iss("iss", "\"https://api.example.se\"")]
#[case::aud("aud", "\"https://api.example.se/v1\"")]
#[case::sub("sub", "\"01900000-0000-7000-8000-000000000001\"")]
#[case::scope("scope", "\"admin\"")]
#[case::areas("areas", "[\"01\"]")]
#[case::exp("exp", "9999999999")]
fn a_claim_that_comes_twice_is_refused(#[case] name: &str, #[case] value: &str) {
    let desk = Desk::open();
    let once = claims().to_string();
    let before = format!("{{\"{name}\":{value},{}", &once[1..]);
    let after = format!("{},\"{name}\":{value}}}", &once[..once.len() - 1]);
    for twice in [before, after] {
        assert_eq!(
            desk.fault(&desk.sign(&desk.header().to_string(), &twice)),
            TokenFault::WrongClaim
        );
    }
}

#[rstest]
#[case("\"alg\":\"none\"")]
#[case("\"alg\":\"EdDSA\"")]
#[case("\"typ\":\"at+jwt\"")]
#[case("\"kid\":\"other\"")]
fn a_header_member_that_comes_twice_is_refused(#[case] member: &str) {
    let desk = Desk::open();
    let once = desk.header().to_string();
    let twice = format!("{},{member}}}", &once[..once.len() - 1]);
    assert_eq!(
        desk.fault(&desk.sign(&twice, &claims().to_string())),
        TokenFault::Malformed
    );
}

#[test]
fn a_token_without_a_signature_is_refused() {
    let desk = Desk::open();
    let good = desk.issue(monday()).token;
    let (message, _) = good.rsplit_once('.').unwrap();
    assert_eq!(desk.fault(&format!("{message}.")), TokenFault::BadSignature);

    let none = URL_SAFE_NO_PAD.encode(json!({"typ": "at+jwt", "alg": "none"}).to_string());
    let payload = URL_SAFE_NO_PAD.encode(claims().to_string());
    assert_eq!(
        desk.fault(&format!("{none}.{payload}.")),
        TokenFault::WrongAlgorithm
    );
}

#[test]
fn a_token_signed_with_our_public_key_as_an_hmac_secret_is_refused() {
    let desk = Desk::open();
    let x = desk.issuer.jwks().keys[0].x.clone();
    let raw = URL_SAFE_NO_PAD.decode(&x).unwrap();
    for secret in [raw.as_slice(), x.as_bytes()] {
        let mut header = desk.header();
        header["alg"] = "HS256".into();
        let message = [header.to_string(), claims().to_string()]
            .map(|part| URL_SAFE_NO_PAD.encode(part))
            .join(".");
        let key = EncodingKey::from_secret(secret);
        let hs256 = crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
        assert_eq!(
            desk.fault(&format!("{message}.{hs256}")),
            TokenFault::WrongAlgorithm
        );

        // And the same under the right name.
        let message = [desk.header().to_string(), claims().to_string()]
            .map(|part| URL_SAFE_NO_PAD.encode(part))
            .join(".");
        let mac = crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
        assert_eq!(
            desk.fault(&format!("{message}.{mac}")),
            TokenFault::BadSignature
        );
    }
}

#[test]
fn a_token_of_another_issuer_with_our_key_id_is_refused() {
    let (ours, theirs) = (Desk::open(), Desk::open());
    assert_eq!(
        ours.fault(&theirs.issue(monday()).token),
        TokenFault::UnknownKey
    );
    let forged = theirs.sign(&ours.header().to_string(), &claims().to_string());
    assert_eq!(ours.fault(&forged), TokenFault::BadSignature);
}

#[test]
fn a_changed_header_claim_or_signature_breaks_the_signature() {
    let desk = Desk::open();
    let good = desk.issue(monday()).token;
    let parts: Vec<&str> = good.split('.').collect();
    let mut stronger = claims();
    stronger["scope"] = "admin".into();
    let stronger = URL_SAFE_NO_PAD.encode(stronger.to_string());
    assert_eq!(
        desk.fault(&[parts[0], &stronger, parts[2]].join(".")),
        TokenFault::BadSignature
    );
    let other = desk.issue(monday()).token;
    let other_signature = other.rsplit_once('.').unwrap().1;
    assert_eq!(
        desk.fault(&[parts[0], parts[1], other_signature].join(".")),
        TokenFault::BadSignature
    );
    // The same header with a blank in it: equal in meaning, but not what was signed.
    let header = URL_SAFE_NO_PAD.encode(desk.header().to_string().replacen(':', ": ", 1));
    assert_eq!(
        desk.fault(&[&header, parts[1], parts[2]].join(".")),
        TokenFault::BadSignature
    );
}

#[test]
fn a_text_that_is_no_token_is_refused() {
    let desk = Desk::open();
    let good = desk.issue(monday()).token;
    let (header, rest) = good.split_once('.').unwrap();
    let (payload, signature) = rest.split_once('.').unwrap();
    let texts = [
        String::new(),
        ".".into(),
        "..".into(),
        "...".into(),
        "token".into(),
        header.into(),
        format!("{header}{payload}{signature}"),
        format!("{header}.{payload}{signature}"),
        format!("{header}.{payload}.{signature}."),
        format!("{good}.{signature}"),
        format!(".{payload}.{signature}"),
        format!("{good}="),
        format!("{good} "),
        format!(" {good}"),
        format!("{good}\n"),
        format!("Bearer {good}"),
        format!("{header}=.{payload}.{signature}"),
        format!("{header}.{payload}.{signature}å"),
        format!("åäö.{payload}.{signature}"),
    ];
    for text in texts {
        assert_eq!(desk.fault(&text), TokenFault::Malformed, "{text:?}");
    }
}

#[test]
fn a_token_of_more_than_four_kilobytes_is_neither_read_nor_issued() {
    let desk = Desk::open();
    let long = desk.with_claims(|c| c["scope"] = "x".repeat(5000).into());
    assert_eq!(desk.fault(&long), TokenFault::TooLong);
    assert_eq!(
        desk.fault(&"x".repeat(MAX_TOKEN_BYTES + 1)),
        TokenFault::TooLong
    );
    assert_eq!(
        desk.fault(&"x".repeat(MAX_TOKEN_BYTES)),
        TokenFault::Malformed
    );

    let all_municipalities: Vec<String> = (0..290).map(|n| format!("{:04}", 114 + n)).collect();
    let wide = desk.issuer.issue(
        SUB,
        "client_abcdefghijklmnop",
        "projects:read",
        all_municipalities.clone(),
        monday(),
    );
    desk.issuer.verify(&wide.unwrap().token, monday()).unwrap();
    let too_wide = desk.issuer.issue(
        SUB,
        "c",
        "s",
        [&all_municipalities[..]; 2].concat(),
        monday(),
    );
    assert!(matches!(too_wide, Err(TokenError::TooLong(bytes)) if bytes > MAX_TOKEN_BYTES));
}
