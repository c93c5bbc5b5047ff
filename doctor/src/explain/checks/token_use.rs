//! What the token is for: whether it may be sent as a bearer token, is an access token, and what its provider's access
//! tokens have.

use mcp_edge_providers::{Profile, Sign};
use serde_json::Value;

use crate::explain::{
    jwt::{Object, member},
    sign::{describe, proof},
    step::{Check, Checked, Refusal, Section},
};

/// The row of [`token_use`].
pub(crate) static TOKEN_USE: Check =
    Check { slug: "use", section: Section::Token, title: "The claims are those of an access token for its bearer" };

/// Checks that the token is not bound to a key, and not of another kind.
pub(crate) fn token_use(claims: &Object, resource: &str) -> Checked<()> {
    if member(claims, "cnf").is_some() {
        return Err(Refusal::new(
            "sender_constrained",
            "it is bound to a key (cnf), and its sender would have to prove that they have the key",
            "Turn off DPoP or certificate-bound access tokens for this client or this API at the provider.",
        ));
    }
    match claim_of_another_kind(claims) {
        None => Ok(((), "no sign of an ID token, a refresh token or another kind".to_owned())),
        Some(observed) => Err(Refusal::new(
            "not_an_access_token",
            observed,
            format!("Send the access_token of the token response, got with resource={resource}."),
        )),
    }
}

/// The claim that says that a token is an ID token, a refresh token or another kind.
fn claim_of_another_kind(claims: &Object) -> Option<String> {
    let says = |claim: &str, kinds: &[&str]| {
        let text = claims.get(claim).and_then(Value::as_str);
        text.is_some_and(|text| kinds.iter().any(|kind| text.eq_ignore_ascii_case(kind)))
    };
    // Keycloak; Cognito and Hydra. They have no other meaning.
    let own: [(&str, &[&str]); 2] = [("typ", &["bearer", "jwt", "at+jwt"]), ("token_use", &["access", "access_token"])];
    let another = own.into_iter().find(|(claim, kinds)| member(claims, claim).is_some() && !says(claim, kinds));
    // Other providers'. A custom claim may have the same name, so only what is known is refused.
    let known = ["id", "id_token", "id-token", "refresh", "refresh_token", "refresh-token"];
    let another = another.map(|(claim, _)| claim);
    let another =
        another.or_else(|| ["token_type", "tokenType", "tokenName"].into_iter().find(|claim| says(claim, &known)));
    if let Some(claim) = another {
        return Some(format!("the claim {claim} says that it is another kind of token"));
    }
    // OpenID Connect Core §3.1.3.6 and §3.3.2.11, Financial-grade API 1.0 Part 2 §5.1.
    let is_there = |name: &&str| member(claims, name).is_some();
    if let Some(hash) = ["at_hash", "c_hash", "s_hash"].into_iter().find(is_there) {
        return Some(format!("it has {hash}, as ID tokens have"));
    }
    // RFC 8417 §2.2.
    let is_event = claims.get("events").is_some_and(Value::is_object);
    is_event.then(|| "it has events, as security event and logout tokens have".to_owned())
}

/// The row of [`requirements`].
pub(crate) static REQUIREMENTS: Check = Check {
    slug: "requirements",
    section: Section::Token,
    title: "The claims are those of the provider's access tokens",
};

/// Checks what the profile requires.
pub(crate) fn requirements(claims: &Object, profile: &Profile) -> Checked<()> {
    if profile.requirements.is_empty() {
        return Ok(((), format!("the profile {} requires nothing more", profile.name)));
    }
    let mut held = Vec::new();
    for sign in profile.requirements {
        match proof(sign, claims) {
            Some(proof) => held.push(proof),
            None => return Err(missing(sign, profile)),
        }
    }
    Ok(((), held.join(", ")))
}

fn missing(sign: &Sign, profile: &Profile) -> Refusal {
    let names = sign.claims();
    let is = |claim: &str| names.contains(&claim);
    let hint = match profile.name {
        "supabase" if is("client_id") => {
            "It is the token of an ordinary session of your product, which no agent was given: sign in through the OAuth \
             server of Supabase. "
        }
        "entra" if is("tid") => "The tenant in tid is not the one in iss. ",
        _ if is("token_use") || is("typ") || is("cid") || is("client_id") || is("azp") => {
            "Probably an ID token or a refresh token: send the access_token of the token response. "
        }
        _ => "",
    };
    Refusal::new(
        "claim_required",
        format!("of access tokens of {} it holds that {}, and of this one it does not", profile.title, describe(sign)),
        format!(
            "{hint}If your provider is another one than {}, set PROVIDER; see docs/providers/{}.md.",
            profile.title, profile.name
        ),
    )
}
