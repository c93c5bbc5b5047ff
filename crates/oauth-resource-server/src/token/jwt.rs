//! The compact form of a signed JWT (RFC 7515 §3.1), read strictly.
//!
//! Strict where laxity has been an attack: unpadded canonical base64url, no member twice, no unsupported processing
//! (`crit`, `b64`, `zip`, nested tokens), explicit typing, an algorithm from the list. Key material in the header
//! (`jwk`, `jku`, `x5c`, `x5u`) is never looked at: keys come from the provider alone.

use serde_json::{Map, Value};

use crate::{
    denial::{Denial, Excerpt, Segment, TokenError},
    json_members::{self, MembersError},
};
use mcp_edge_runtime::{
    base64::{URL_SAFE_NO_PAD, decode_leniently},
    crypto::Algorithm,
};

/// Every `typ` that an access token may have, in lower case: that of RFC 9068 §4, with and without `application/`, and
/// what providers use that do not follow it; the empty one stands for none. Any other names a token of another profile (a logout token, a security event, a `DPoP` proof), which no
/// policy makes an access token.
pub const POSSIBLE_TYPES: [&str; 5] = ["at+jwt", "application/at+jwt", "jwt", "application/jwt", ""];

/// The members of a header that are looked at.
const HEADER: [&str; 7] = ["alg", "b64", "crit", "cty", "kid", "typ", "zip"];

/// A JWT that is understood completely and proven in nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct UnverifiedJwt<'a> {
    /// `alg`, from the list.
    pub algorithm: Algorithm,
    /// `kid`, if there is one. Untrusted input: it selects among the provider's keys and nothing else.
    pub kid: Option<String>,
    /// `typ`, if there is one; in lower case it is one of [`POSSIBLE_TYPES`].
    pub typ: Option<String>,
    /// The claims that were wanted, unchecked; `null` for each of the others.
    pub claims: Map<String, Value>,
    /// What was signed.
    pub signing_input: &'a str,
    /// The signature's bytes.
    pub signature: Vec<u8>,
}

/// How a token looks from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A signed JWT, perhaps a broken one.
    Jwt,
    /// An encrypted JWT (RFC 7516): five segments.
    Encrypted,
    /// Anything else.
    Opaque,
}

/// Tells the forms apart without trusting anything. A JWT has dots, and its first segment encodes a JSON object.
///
/// What only resembles a JWT counts as one and fails as one: a broken JWT must not be handed to the introspection
/// endpoint. With three or five segments, resemblance is a first segment that decodes, by the most lenient reading, to
/// something that begins with a brace; with another number of them it must be a JOSE header, since opaque tokens may
/// have dots as well, and one in 256 begins with a brace by chance.
#[must_use]
pub fn form_of(token: &str) -> Form {
    let mut segments = token.split('.');
    let header = segments.next().unwrap_or_default();
    match segments.count() {
        2 if begins_with_brace(header) => Form::Jwt,
        4 if begins_with_brace(header) => Form::Encrypted,
        _ if header_of(header).is_ok_and(|header| header.contains_key("alg")) => Form::Jwt,
        _ => Form::Opaque,
    }
}

/// Whether anybody's decoder could take the segment for a JSON object.
fn begins_with_brace(segment: &str) -> bool {
    let decoded = decode_leniently(segment);
    segment.starts_with("eyJ") || decoded.is_some_and(|bytes| bytes.trim_ascii_start().first() == Some(&b'{'))
}

/// Reads a token that looks like a signed JWT. Of the claims those are built whose names are `wanted`.
///
/// Checks, in order: three segments; header is base64url and a JSON object without duplicates; `crit`, `b64`, `zip`,
/// `cty` ask for nothing; `typ` is one of [`POSSIBLE_TYPES`]; `alg`; `kid` is a string; signature is
/// base64url; claims are base64url and a JSON object without duplicates.
///
/// # Errors
/// [`Denial::MalformedToken`], [`Denial::DuplicateMember`], [`Denial::UnsupportedHeader`], [`Denial::WrongType`],
/// [`Denial::UnsupportedAlgorithm`].
pub fn parse<'a>(token: &'a str, wanted: &dyn Fn(&str) -> bool) -> Result<UnverifiedJwt<'a>, Denial> {
    let (signing_input, signature) = token.rsplit_once('.').ok_or_else(|| malformed(TokenError::Segments))?;
    let (header, claims) = signing_input.split_once('.').ok_or_else(|| malformed(TokenError::Segments))?;
    if claims.contains('.') {
        return Err(malformed(TokenError::Segments));
    }
    let mut header = header_of(header)?;
    if let Some(member) = unsupported(&header) {
        return Err(Denial::UnsupportedHeader { member });
    }

    let typ = match header.remove("typ") {
        None => None,
        Some(Value::String(typ)) => Some(typ),
        Some(_) => return Err(malformed(TokenError::NotAString("typ"))),
    };
    check_type(typ.as_deref(), &POSSIBLE_TYPES)?;

    let algorithm = match header.get("alg") {
        Some(Value::String(name)) => {
            Algorithm::from_name(name).ok_or_else(|| Denial::UnsupportedAlgorithm { alg: Excerpt::new(name) })?
        }
        _ => return Err(malformed(TokenError::NotAString("alg"))),
    };
    let kid = match header.get("kid") {
        None => None,
        Some(Value::String(kid)) => Some(kid.clone()),
        Some(_) => return Err(malformed(TokenError::NotAString("kid"))),
    };

    let signature = URL_SAFE_NO_PAD.decode(signature);
    let signature = signature.ok_or_else(|| malformed(TokenError::Encoding(Segment::Signature)))?;
    let claims = object(claims, Segment::Claims, wanted)?;
    Ok(UnverifiedJwt { algorithm, kid, typ, claims, signing_input, signature })
}

/// Checks that `typ` is one of `types`, which are in lower case; the empty one among them accepts its absence.
///
/// # Errors
/// [`Denial::WrongType`].
pub fn check_type<T: AsRef<str>>(typ: Option<&str>, types: &[T]) -> Result<(), Denial> {
    // An empty `typ` is not an absent one.
    let is_one =
        |one: &T| typ.map_or(one.as_ref().is_empty(), |typ| !typ.is_empty() && typ.eq_ignore_ascii_case(one.as_ref()));
    if types.iter().any(is_one) { Ok(()) } else { Err(Denial::WrongType { typ: typ.map(Excerpt::new) }) }
}

#[cold]
#[inline(never)]
fn malformed(error: TokenError) -> Denial {
    Denial::MalformedToken { error }
}

/// The member that asks for a processing that is not supported, if there is one.
fn unsupported(header: &Map<String, Value>) -> Option<&'static str> {
    if header.contains_key("crit") {
        Some("crit")
    } else if header.contains_key("zip") {
        Some("zip")
    } else if header.get("b64").is_some_and(|b64| *b64 != Value::Bool(true)) {
        Some("b64")
    } else if header.get("cty").is_some_and(|cty| cty.as_str().is_none_or(names_jwt)) {
        Some("cty")
    } else {
        None
    }
}

/// Whether a `cty` announces a nested token. An empty `cty` cannot mean anything else we support, so it counts too.
fn names_jwt(cty: &str) -> bool {
    let cty = cty.to_ascii_lowercase();
    cty.is_empty() || cty.ends_with("jwt") || cty.ends_with("jose") || cty.ends_with("jose+json")
}

/// Decodes the header.
fn header_of(segment: &str) -> Result<Map<String, Value>, Denial> {
    object(segment, Segment::Header, &|name| HEADER.contains(&name))
}

/// Decodes one segment into a JSON object whose member names are unique (RFC 7515 §4, RFC 7519 §4).
#[inline(never)]
fn object(text: &str, segment: Segment, wanted: &dyn Fn(&str) -> bool) -> Result<Map<String, Value>, Denial> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok_or_else(|| malformed(TokenError::Encoding(segment)))?;
    json_members::read(&bytes, wanted).map_err(|error| match error {
        MembersError::Malformed => malformed(TokenError::NotAnObject(segment)),
        MembersError::Duplicate => Denial::DuplicateMember { segment },
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::denial::Reason;

    /// Reads all of a token whose type is that of RFC 9068, for the cause alone: most tests are about it.
    fn parse(token: &str) -> Result<UnverifiedJwt<'_>, Reason> {
        parse_as(token, &["at+jwt", "application/at+jwt"]).map_err(|denial| denial.reason())
    }

    fn parse_as<'a>(token: &'a str, types: &[&str]) -> Result<UnverifiedJwt<'a>, Denial> {
        let jwt = super::parse(token, &|_| true)?;
        check_type(jwt.typ.as_deref(), types)?;
        Ok(jwt)
    }

    fn detail(header: &str) -> String {
        let denial = parse_as(&token(header, "{}"), &["at+jwt"]).unwrap_err();
        denial.detail().unwrap_or_default()
    }

    #[test]
    fn the_operator_reads_what_was_wrong() {
        for (header, expected) in [
            (r#"{"alg":"RS256","typ":"JWT"}"#, r#"typ "JWT""#),
            (r#"{"alg":"RS256"}"#, "typ none"),
            (r#"{"alg":"HS256","typ":"at+jwt"}"#, r#"alg "HS256""#),
            (r#"{"alg":"RS256","typ":"at+jwt","kid":1}"#, "kid must be a string"),
            (r#"{"alg":"RS256","typ":"at+jwt","zip":"DEF"}"#, "header member zip"),
            (r#"{"alg":"RS256","alg":"RS256"}"#, "in the header"),
            ("[]", "the header must be a JSON object"),
        ] {
            assert_eq!(detail(header), expected, "{header}");
        }
    }

    fn token(header: &str, claims: &str) -> String {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.{}", encode(header), encode(claims), encode("signature"))
    }

    fn outcome(header: &str) -> Result<Algorithm, Reason> {
        parse(&token(header, r#"{"sub":"alice"}"#)).map(|jwt| jwt.algorithm)
    }

    #[test]
    fn a_good_token_is_taken_apart() {
        let token = token(r#"{"alg":"ES384","typ":"at+jwt","kid":"k"}"#, r#"{"sub":"alice"}"#);
        let jwt = parse(&token).unwrap();
        assert_eq!(jwt.algorithm, Algorithm::ES384);
        assert_eq!(jwt.kid.as_deref(), Some("k"));
        assert_eq!(jwt.claims["sub"], "alice");
        assert_eq!(jwt.signature, b"signature");
        assert!(token.starts_with(jwt.signing_input));
    }

    #[test]
    fn typ_is_that_of_an_access_token_in_any_case() {
        assert!(outcome(r#"{"alg":"RS256","typ":"AT+JWT"}"#).is_ok());
        assert!(outcome(r#"{"alg":"RS256","typ":"application/at+jwt"}"#).is_ok());
        for header in [r#"{"alg":"RS256"}"#, r#"{"alg":"RS256","typ":"JWT"}"#, r#"{"alg":"RS256","typ":"logout+jwt"}"#]
        {
            assert_eq!(outcome(header), Err(Reason::WrongType), "{header}");
        }
        assert_eq!(outcome(r#"{"alg":"RS256","typ":null}"#), Err(Reason::MalformedToken));
    }

    #[test]
    fn an_absent_typ_passes_only_where_it_is_accepted() {
        let absent = token(r#"{"alg":"RS256"}"#, "{}");
        assert!(parse_as(&absent, &["at+jwt", ""]).is_ok());
        assert_eq!(parse(&absent), Err(Reason::WrongType));
        // An empty one is not an absent one.
        let empty = token(r#"{"alg":"RS256","typ":""}"#, "{}");
        assert_eq!(parse_as(&empty, &["at+jwt", ""]).map_err(|denial| denial.reason()), Err(Reason::WrongType));
    }

    #[test]
    fn a_type_of_another_profile_passes_nowhere() {
        let logout = token(r#"{"alg":"RS256","typ":"logout+jwt"}"#, "{}");
        let denial = parse_as(&logout, &["logout+jwt"]).unwrap_err();
        assert_eq!(denial, Denial::WrongType { typ: Some(Excerpt::new("logout+jwt")) });
    }

    #[test]
    fn unsigned_and_symmetric_tokens_are_refused() {
        for alg in ["none", "None", "nOnE", "HS256", "HS512", "ES256K", "RSA1_5"] {
            let header = format!(r#"{{"alg":"{alg}","typ":"at+jwt"}}"#);
            assert_eq!(outcome(&header), Err(Reason::UnsupportedAlgorithm), "{alg}");
        }
        for header in [r#"{"typ":"at+jwt"}"#, r#"{"typ":"at+jwt","alg":null}"#, r#"{"typ":"at+jwt","alg":["RS256"]}"#] {
            assert_eq!(outcome(header), Err(Reason::MalformedToken), "{header}");
        }
    }

    #[test]
    fn a_header_that_asks_for_more_is_refused() {
        for extra in
            [r#""crit":["exp"]"#, r#""crit":[]"#, r#""b64":false"#, r#""zip":"DEF""#, r#""cty":"JWT""#, r#""cty":1"#]
        {
            let header = format!(r#"{{"alg":"RS256","typ":"at+jwt",{extra}}}"#);
            assert_eq!(outcome(&header), Err(Reason::UnsupportedHeader), "{extra}");
        }
        assert!(outcome(r#"{"alg":"RS256","typ":"at+jwt","b64":true}"#).is_ok());
    }

    #[test]
    fn a_content_type_is_refused_if_it_announces_a_nested_token() {
        let with_cty = |cty: &str| outcome(&format!(r#"{{"alg":"RS256","typ":"at+jwt","cty":"{cty}"}}"#));
        for nested in ["", "JWT", "application/jwt", "at+jwt", "JOSE", "application/jose", "jose+json"] {
            assert_eq!(with_cty(nested), Err(Reason::UnsupportedHeader), "{nested}");
        }
        for other in ["json", "application/json", "text/plain"] {
            assert!(with_cty(other).is_ok(), "{other}");
        }
    }

    #[test]
    fn key_material_in_the_header_is_not_looked_at() {
        let header =
            r#"{"alg":"RS256","typ":"at+jwt","jwk":{"kty":"oct"},"jku":"https://evil.example/","x5c":["a"],"x5u":"b"}"#;
        assert!(outcome(header).is_ok());
    }

    #[test]
    fn no_member_may_occur_twice() {
        assert_eq!(outcome(r#"{"alg":"RS256","typ":"at+jwt","alg":"none"}"#), Err(Reason::DuplicateMember));
        let twice = token(r#"{"alg":"RS256","typ":"at+jwt"}"#, r#"{"sub":"alice","sub":"bob"}"#);
        assert_eq!(parse(&twice), Err(Reason::DuplicateMember));
        // The same name, spelled with an escape.
        let twice = token(r#"{"alg":"RS256","typ":"at+jwt"}"#, r#"{"sub":"alice","\u0073ub":"bob"}"#);
        assert_eq!(parse(&twice), Err(Reason::DuplicateMember));
    }

    #[test]
    fn segments_are_unpadded_canonical_base64url() {
        let good = token(r#"{"alg":"RS256","typ":"at+jwt"}"#, "{}");
        assert!(parse(&good).is_ok());
        for bad in [
            good.replacen('.', "=.", 1),
            format!("{good}="),
            format!("{good}+"),
            // Six characters carry four bytes and four stray bits, which a lenient decoder drops.
            good.rsplit_once('.').map_or("", |(input, _)| input).to_owned() + ".AAAAAB",
            good.replace('.', ""),
            format!("{good}.AAAA"),
        ] {
            let reason = parse(&bad).unwrap_err();
            assert_eq!(reason, Reason::MalformedToken, "{bad}");
        }
    }

    #[test]
    fn claims_are_an_object() {
        for claims in ["", "null", "[]", "\"sub\"", "{", "{\"sub\":1}x"] {
            let token = token(r#"{"alg":"RS256","typ":"at+jwt"}"#, claims);
            assert_eq!(parse(&token), Err(Reason::MalformedToken), "{claims}");
        }
    }

    #[test]
    fn forms_are_distinguished() {
        assert_eq!(form_of(&token("{}", "{}")), Form::Jwt);
        assert_eq!(form_of(&format!("{}.a.b.c.d", URL_SAFE_NO_PAD.encode("{}"))), Form::Encrypted);
        assert_eq!(form_of(&format!("{}.a", URL_SAFE_NO_PAD.encode(r#"{"alg":"ES384"}"#))), Form::Jwt, "cut short");
        assert_eq!(form_of(&URL_SAFE_NO_PAD.encode(r#"{"alg":"ES384"}"#)), Form::Jwt, "cut shorter");
        assert_eq!(form_of("IHsiYWxnIjoxfQ.e30.AA"), Form::Jwt, "white space before the brace");
        assert_eq!(form_of("eyJhbGciOiJ.e30.AA"), Form::Jwt, "a broken header");
        // The last two begin with a brace by chance.
        for opaque in
            ["VXpE0vCeh2tNZGWy1_Qm3dDUTF1f6xDqE4mYk8Nb2sQ", "pat_abc", "a.b.c", "a.b.c.d.e", "", "e2Fi", "e2Fi.e2Fi"]
        {
            assert_eq!(form_of(opaque), Form::Opaque, "{opaque}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(token in "[A-Za-z0-9_.=-]{0,80}") {
            let _ = form_of(&token);
            let _ = parse(&token);
        }

        #[test]
        fn only_what_is_signed_is_read(header in "[ -~]{0,60}", claims in "[ -~]{0,60}") {
            let token = token(&header, &claims);
            if let Ok(jwt) = parse(&token) {
                prop_assert!(token.starts_with(jwt.signing_input));
                prop_assert_eq!(Some(jwt.claims), serde_json::from_str(&claims).ok());
            }
        }
    }
}
