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
pub static TOKEN_USE: Check =
    Check { slug: "use", section: Section::Token, title: "The claims are those of an access token for its bearer" };

/// Checks that the token is not bound to a key, and not of another kind.
pub fn token_use(claims: &Object, resource: &str) -> Checked<()> {
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
    // Keycloak, Cognito, introspection answers, ForgeRock.
    let declared: [(&str, &[&str]); 4] = [
        ("typ", &["bearer", "jwt", "at+jwt"]),
        ("token_use", &["access", "access_token"]),
        ("token_type", &["bearer", "access_token"]),
        ("tokenName", &["access_token"]),
    ];
    for (claim, of_access_tokens) in declared {
        let Some(value) = member(claims, claim) else { continue };
        let is_access = value.as_str().is_some_and(|text| of_access_tokens.contains(&text.to_lowercase().as_str()));
        if !is_access {
            return Some(format!("the claim {claim} says that it is another kind of token"));
        }
    }
    let has = |name: &str| member(claims, name).is_some();
    // OpenID Connect Core §3.1.3.6 and §3.3.2.11, Financial-grade API 1.0 Part 2 §5.1.
    if has("nonce") && has("at_hash") {
        return Some("it has nonce and at_hash, as ID tokens have".to_owned());
    }
    if let Some(hash) = ["c_hash", "s_hash"].into_iter().find(|name| has(name)) {
        return Some(format!("it has {hash}, as ID tokens have"));
    }
    // RFC 8417 §2.2.
    let is_event = claims.get("events").is_some_and(Value::is_object);
    is_event.then(|| "it has events, as security event and logout tokens have".to_owned())
}

/// The row of [`requirements`].
pub static REQUIREMENTS: Check = Check {
    slug: "requirements",
    section: Section::Token,
    title: "The claims are those of the provider's access tokens",
};

/// Checks what the profile requires.
pub fn requirements(claims: &Object, profile: &Profile) -> Checked<()> {
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
