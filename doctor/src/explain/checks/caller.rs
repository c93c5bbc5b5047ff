//! Who sends the token: client, kind of caller, scopes, organization.

use std::{collections::BTreeSet, fmt::Write};

use mcp_edge_providers::{AudienceRule, Profile, profiles};
use serde_json::Value;

use super::claims::Client;
use crate::{
    explain::{
        explanation::CallerKind,
        jwt::{Object, member, text},
        settings::{
            issuers::TrustedIssuer,
            lists::Grants,
            scope_prefix::{ScopePrefix, is_openid},
        },
        sign::{describe, is_empty, proof, scopes_in},
        step::{Check, Section},
    },
    quote::quote,
};

/// The row of [`client`].
pub(crate) static CLIENT: Check =
    Check { slug: "client", section: Section::Caller, title: "The token names its client" };

/// What there is to say about the client, and what to do if there is none.
#[must_use]
pub(crate) fn client(client: &Client, names: &[String]) -> (String, Option<String>) {
    match client {
        Some((id, claim)) => (format!("{}, in {claim}", quote(id)), None),
        None => (
            format!("none of {} has a client's id", names.join(", ")),
            Some("Set PROVIDER, or CLIENT_ID_CLAIMS to the claim in which the provider writes it.".to_owned()),
        ),
    }
}

/// The row of [`kind`].
pub(crate) static KIND: Check =
    Check { slug: "kind", section: Section::Caller, title: "The token proves a user or a machine" };

/// Tells a user from a machine, with the sign that proves it.
#[must_use]
pub(crate) fn kind(claims: &Object, issuer: &TrustedIssuer, client: Option<&str>) -> (CallerKind, String) {
    let profile = issuer.profile;
    let find = |signs: &[mcp_edge_providers::Sign]| signs.iter().find_map(|sign| proof(sign, claims));
    if let Some(sign) = find(profile.machine_signs) {
        return (CallerKind::Machine, format!("a machine, because {sign}"));
    }
    if let Some(sign) = find(profile.user_signs) {
        return (CallerKind::User, format!("a user, because {sign}"));
    }
    if issuer.user_by_subject && client.is_some_and(|client| text(claims, "sub") != Some(client)) {
        return (CallerKind::User, "a user, because sub is another than the client (USER_BY_SUBJECT)".to_owned());
    }
    let signs: Vec<_> = profile.user_signs.iter().map(describe).collect();
    (CallerKind::Unknown, format!("unknown: a user is proven if {}", signs.join(", or ")))
}

/// What to do about a caller whose kind is unknown.
#[must_use]
pub(crate) fn fix_of_unknown(profile: &Profile) -> String {
    if profile.name == profiles::GENERIC.name {
        return "Tools that need a user refuse this token. Set PROVIDER if it has a profile; otherwise have the provider put \
                auth_time, acr or amr into access tokens, or, if sub of its machines is always their client id, set \
                USER_BY_SUBJECT = \"true\"."
            .to_owned();
    }
    format!(
        "Tools that need a user refuse this token. See docs/providers/{}.md for what {} has to put into it.",
        profile.name, profile.title
    )
}

/// The row of [`scopes`].
pub(crate) static SCOPES: Check = Check { slug: "scopes", section: Section::Caller, title: "The token has scopes" };

/// The scopes of a token, as its claim has them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Granted {
    /// The claim that has them.
    pub claim: Option<String>,
    /// In the order of the claim.
    pub scopes: Vec<String>,
}

/// Reads scopes from the first of these claims that is there and not empty, of any type.
#[must_use]
pub(crate) fn granted(claims: &Object, names: &[String]) -> Granted {
    let is_there = |value: &&Value| !is_empty(value);
    let found = names.iter().find_map(|name| Some((name, member(claims, name).filter(is_there)?)));
    let Some((claim, value)) = found else { return Granted::default() };
    Granted { claim: Some(claim.clone()), scopes: scopes_in(value) }
}

/// Takes the prefix off, and adds what scopes imply. Returns the scopes that were granted, those with what they imply,
/// both sorted, and what was observed.
#[must_use]
pub(crate) fn scopes(
    granted: &Granted,
    audience: AudienceRule,
    prefix: &ScopePrefix,
    hierarchy: &Grants,
) -> (BTreeSet<String>, BTreeSet<String>, String) {
    let own: BTreeSet<String> = match audience {
        // Every scope names its resource: those of another one are not granted here.
        AudienceRule::ClaimOrScopePrefix if !prefix.0.is_empty() => {
            let own = granted.scopes.iter().filter_map(|scope| prefix.strip_own(scope));
            own.chain(granted.scopes.iter().map(String::as_str).filter(|scope| is_openid(scope)))
                .map(str::to_owned)
                .collect()
        }
        _ => granted.scopes.iter().map(|scope| prefix.strip(scope).unwrap_or(scope).to_owned()).collect(),
    };
    let mut all = own.clone();
    let mut open: Vec<String> = own.iter().cloned().collect();
    while let Some(scope) = open.pop() {
        for implied in hierarchy.of(&scope) {
            if all.insert(implied.to_owned()) {
                open.push(implied.to_owned());
            }
        }
    }
    let list = |scopes: &BTreeSet<String>| scopes.iter().cloned().collect::<Vec<_>>();
    let mut observed = match &granted.claim {
        None => "none".to_owned(),
        Some(claim) if own.is_empty() => format!("none: {claim} grants nothing"),
        Some(claim) => format!("{}, in {claim}", list(&own).join(" ")),
    };
    if granted.scopes.iter().any(|scope| prefix.strip(scope).is_some()) {
        let _ = write!(observed, " (without {})", quote(&prefix.0));
    }
    let implied: Vec<_> = all.difference(&own).cloned().collect();
    if !implied.is_empty() {
        let _ = write!(observed, "; implied: {}", implied.join(" "));
    }
    (own, all, observed)
}

/// The row of [`organization`].
pub(crate) static ORGANIZATION: Check =
    Check { slug: "organization", section: Section::Caller, title: "The organization is read" };

/// Reads the organization.
#[must_use]
pub(crate) fn organization(claims: &Object, issuer: &TrustedIssuer) -> (Option<String>, String) {
    let Some(claim) = &issuer.organization_claim else {
        return (
            None,
            format!(
                "none: the profile {} knows no claim of it, and ORGANIZATION_CLAIM is not set",
                issuer.profile.name
            ),
        );
    };
    let name = match member(claims, claim) {
        None => return (None, format!("none: the token has no {claim}")),
        // Of several, none is the one that the user acts for.
        Some(Value::Array(several)) if several.len() == 1 => several.first().and_then(Value::as_str),
        // Keycloak: its name, with what else there is to say of it.
        Some(Value::Object(several)) if several.len() == 1 => several.keys().next().map(String::as_str),
        Some(value) => value.as_str(),
    };
    match name.filter(|id| !id.is_empty()) {
        Some(id) => (Some(id.to_owned()), format!("{}, in {claim}", quote(id))),
        None => (None, format!("none: {claim} is not the name of one organization")),
    }
}
