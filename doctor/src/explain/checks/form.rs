//! Form and header of the token: what is known before the claims are looked at.

use mcp_edge_providers::profiles;
use serde_json::Value;

use crate::{
    explain::{
        jwt::{self, Form, Jwt, JwtError, Object},
        settings::issuers::{POSSIBLE_TYPES, TrustedIssuer},
        step::{Check, Checked, Refusal, Section},
    },
    quote::quote,
    token::Token,
    token_kind::TokenKind,
};

/// A longer JWT is refused.
const MAX_JWT_BYTES: usize = 16 * 1024;

/// A longer opaque token is refused.
const MAX_OPAQUE_BYTES: usize = 4096;

/// Every algorithm that is accepted: those of RFC 7518 §3.1 with public keys, and `EdDSA` with its newer name.
const ALGORITHMS: [&str; 11] =
    ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"];

/// The row of [`form`].
pub(crate) static FORM: Check = Check { slug: "form", section: Section::Token, title: "The token is a signed JWT" };

/// Reads the token. `None` if it is opaque, so that the provider must be asked about it.
pub(crate) fn form(token: &Token, opaque_token_clients: Option<&str>, resource: &str) -> Checked<Option<Box<Jwt>>> {
    let text = token.expose();
    let bytes = text.len();
    let too_large = |limit: usize| {
        let fix =
            "Make the token smaller at the provider: most often a claim holds a long list of groups or permissions.";
        Refusal::new("token_too_large", format!("{bytes} bytes, and the limit is {limit}"), fix)
    };
    let send_resource = format!(
        "Use the access_token of the token response, and have the client send resource={resource} in the token request."
    );
    match jwt::parse(text) {
        _ if bytes > MAX_JWT_BYTES => Err(too_large(MAX_JWT_BYTES)),
        Ok(Form::Jwt(jwt)) => Ok((Some(jwt), format!("a signed JWT of {bytes} bytes"))),
        Ok(Form::Encrypted) => Err(Refusal::new(
            "encrypted_token",
            "an encrypted JWT (five segments): only the holder of the key can read it",
            "Turn off access token encryption for this API at the provider. Auth0 encrypts tokens for itself if a request \
             names no API: send audience, or enable its Resource Parameter Compatibility Profile and send resource.",
        )),
        Ok(Form::Opaque) => {
            let kind = match TokenKind::of(token) {
                TokenKind::NotAccessToken(kind) => Some(kind),
                _ => None,
            };
            let observed = kind.as_ref().map_or_else(
                || "an opaque token: it says nothing by itself".to_owned(),
                |kind| format!("it is {}", kind.description()),
            );
            let fix = kind.map_or(send_resource, |kind| kind.fix(resource));
            match opaque_token_clients {
                None => Err(Refusal::new(
                    "opaque_not_accepted",
                    format!("{observed}, and OPAQUE_TOKEN_CLIENTS is not set"),
                    format!("{fix} To accept opaque tokens, list the clients in OPAQUE_TOKEN_CLIENTS."),
                )),
                Some(_) if bytes > MAX_OPAQUE_BYTES => Err(too_large(MAX_OPAQUE_BYTES)),
                Some(_) => Ok((None, observed)),
            }
        }
        Err(error) => {
            let reason = if matches!(error, JwtError::Duplicate(..)) { "duplicate_member" } else { "malformed_token" };
            let fix = match error {
                JwtError::Duplicate(..) => {
                    "Look for a custom claim at the provider that has the name of a standard one."
                }
                _ => {
                    "Copy the whole token, with its two dots and without quotes. If it is whole, report it to the provider."
                }
            };
            Err(Refusal::new(reason, format!("it looks like a JWT and is none: {error}"), fix))
        }
    }
}

/// The row of [`header`].
pub(crate) static HEADER: Check =
    Check { slug: "header", section: Section::Token, title: "The header asks for nothing but a known signature" };

/// What later checks need of the header.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    /// `alg`.
    pub algorithm: String,
    /// `kid`.
    pub kid: Option<String>,
    /// `typ` in lower case.
    pub typ: Option<String>,
}

/// Reads the header.
pub(crate) fn header(jwt: &Jwt) -> Checked<Header> {
    let text = |name: &str| match jwt.header.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(Refusal::new(
            "malformed_token",
            format!("{name} of the header is {}, and must be a string", kind_of(other)),
            "Report it to the provider: RFC 7515 §4.1 has strings there.",
        )),
    };
    let (algorithm, kid, typ) = (text("alg")?, text("kid")?, text("typ")?);
    if let Some(name) = unsupported(&jwt.header) {
        return Err(Refusal::new(
            "unsupported_header",
            format!("the header has {name}, which asks for a processing that the server does not do"),
            "Change the token format at the provider: a plain JWS, without extensions.",
        ));
    }
    let typ = typ.map(|typ| typ.to_ascii_lowercase());
    if let Some(typ) = typ.as_ref().filter(|typ| typ.is_empty() || !POSSIBLE_TYPES.contains(&typ.as_str())) {
        return Err(Refusal::new(
            "wrong_type",
            format!("typ is {}, which no access token has", quote(typ)),
            "Send the access_token of the token response: this is another kind of token.",
        ));
    }
    let Some(algorithm) = algorithm else {
        return Err(Refusal::new("malformed_token", "the header has no alg", "Report it to the provider."));
    };
    if !ALGORITHMS.contains(&algorithm.as_str()) {
        let observed = format!("alg is {}", quote(&algorithm));
        let fix = match algorithm.as_str() {
            "HS256" | "HS384" | "HS512" => {
                "It is signed with a shared secret, which the server cannot have. Choose RS256, ES256 or ES384 for this \
                 API at the provider (Supabase: migrate the project to asymmetric signing keys)."
            }
            _ => "Choose RS256, ES256 or ES384 for this API at the provider.",
        };
        return Err(Refusal::new("unsupported_algorithm", observed, fix));
    }
    let shown = |value: &Option<String>| value.as_deref().map_or_else(|| "absent".to_owned(), quote);
    let observed = format!("alg {}, kid {}", quote(&algorithm), shown(&kid));
    Ok((Header { algorithm, kid, typ }, observed))
}

/// A member that changes what the token means (RFC 7515 §4.1.11, RFC 7797, RFC 7516 §4.1.3, RFC 7519 §5.2).
fn unsupported(header: &Object) -> Option<&'static str> {
    // What is no media type may mean anything.
    let is_nested = header.get("cty").is_some_and(|cty| {
        cty.as_str().is_none_or(|cty| {
            let cty = cty.to_ascii_lowercase();
            cty.is_empty() || ["jwt", "jose", "jose+json"].iter().any(|end| cty.ends_with(end))
        })
    });
    // `true` is what its absence means.
    let is_unencoded = header.get("b64").is_some_and(|b64| *b64 != Value::Bool(true));
    let found = [
        (header.contains_key("crit"), "crit"),
        (header.contains_key("zip"), "zip"),
        (is_unencoded, "b64"),
        (is_nested, "cty"),
    ];
    found.into_iter().find_map(|(is_there, name)| is_there.then_some(name))
}

/// The kind of a JSON value, for a message.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// The row of [`typ`].
pub(crate) static TYPE: Check =
    Check { slug: "type", section: Section::Token, title: "typ is that of an access token" };

/// Checks `typ` (RFC 9068 §2.1, RFC 8725 §3.11).
pub(crate) fn typ(header: &Header, issuer: &TrustedIssuer, resource: &str) -> Checked<()> {
    let TrustedIssuer { token_types: accepted, profile, .. } = issuer;
    let name = |typ: &str| if typ.is_empty() { "no typ".to_owned() } else { format!("typ {}", quote(typ)) };
    let typ = header.typ.as_deref().unwrap_or_default();
    if accepted.iter().any(|one| one == typ) {
        return Ok(((), name(typ)));
    }
    let list: Vec<_> = accepted.iter().map(|typ| name(typ)).collect();
    let observed = format!("{}, and accepted is {}", name(typ), list.join(" or "));
    let access_token = format!("send the access_token of the token response, got with resource={resource}");
    let fix = match typ {
        "" | "jwt" | "application/jwt" if profile.name == profiles::GENERIC.name && !issuer.has_own_types => {
            let setting = if typ.is_empty() { "none" } else { typ };
            format!(
                "If it is an ID token, {access_token}. If the provider issues access tokens so, set PROVIDER, or add {setting} \
                 to TOKEN_TYPES if it has no profile; then make sure that no ID token can have your audience."
            )
        }
        "" | "jwt" | "application/jwt" | "at+jwt" | "application/at+jwt" if issuer.has_own_types => {
            let setting = if typ.is_empty() { "none" } else { typ };
            format!(
                "If it is an ID token, {access_token}. If not, add {setting} to TOKEN_TYPES, which stands in place of the types \
                 of the profile {}.",
                profile.name
            )
        }
        _ => format!(
            "Access tokens of {} are of another type (docs/providers/{}.md). If it is an ID token, {access_token}.",
            profile.title, profile.name
        ),
    };
    Err(Refusal::new("wrong_type", observed, fix))
}
