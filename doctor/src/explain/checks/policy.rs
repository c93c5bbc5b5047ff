//! What the operator allows this caller, and what of its claims tools and `whoami` get.

use std::{collections::BTreeSet, fmt::Write};

use serde_json::Value;

use crate::{
    explain::{
        jwt::Object,
        settings::{Settings, lists::Grants, scope_prefix::ScopePrefix},
        step::{Check, Checked, Refusal, Section},
    },
    quote::{examples, quote},
};

/// The row of [`clients`].
pub(crate) static CLIENTS: Check =
    Check { slug: "clients", section: Section::Permission, title: "The client may come" };

/// Checks `DENIED_CLIENTS` and `ALLOWED_CLIENTS`.
///
/// `is_own` is whether the issuer is `ISSUER`: what another one calls a client may be any software.
pub(crate) fn clients(client: Option<&str>, settings: &Settings, is_own: bool) -> Checked<bool> {
    let Settings { allowed_clients: allowed, denied_clients: denied, first_party_clients: first, .. } = settings;
    let Some(client) = client else {
        return if allowed.is_empty() && denied.is_empty() {
            Ok((
                false,
                "ALLOWED_CLIENTS and DENIED_CLIENTS are not set; third-party, as the token names no client".to_owned(),
            ))
        } else {
            Err(Refusal::new(
                "client_not_allowed",
                "the token names no client, and there is a list of clients",
                "Set PROVIDER, or CLIENT_ID_CLAIMS to the claim in which the provider writes the client's id.",
            ))
        };
    };
    if denied.contains(client) {
        let fix = "As you decided: remove the client, or its host, from DENIED_CLIENTS to let it in.";
        return Err(Refusal::new("client_denied", format!("{} is in DENIED_CLIENTS", quote(client)), fix));
    }
    if !allowed.is_empty() && !allowed.contains(client) {
        return Err(Refusal::new(
            "client_not_allowed",
            format!("{} is not in ALLOWED_CLIENTS", quote(client)),
            format!("Add {} to ALLOWED_CLIENTS, or its host if it is a URL, to let it in.", quote(client)),
        ));
    }
    let is_first = is_own && first.contains(client);
    let party = if is_first { "first-party, as FIRST_PARTY_CLIENTS has it" } else { "third-party" };
    let list = if allowed.is_empty() { "ALLOWED_CLIENTS is not set" } else { "in ALLOWED_CLIENTS" };
    Ok((is_first, format!("{list}; {party}")))
}

/// The row of [`organizations`].
pub(crate) static ORGANIZATIONS: Check =
    Check { slug: "organizations", section: Section::Permission, title: "The organization may come" };

/// Checks `ALLOWED_ORGANIZATIONS`.
pub(crate) fn organizations(organization: Option<&str>, allowed: &[String]) -> Checked<()> {
    if allowed.is_empty() {
        return Ok(((), "ALLOWED_ORGANIZATIONS is not set".to_owned()));
    }
    match organization {
        Some(organization) if allowed.iter().any(|one| one == organization) => {
            Ok(((), "in ALLOWED_ORGANIZATIONS".to_owned()))
        }
        Some(organization) => Err(Refusal::new(
            "organization_not_allowed",
            format!("{} is not in ALLOWED_ORGANIZATIONS", quote(organization)),
            format!("Add {} to ALLOWED_ORGANIZATIONS to let its members in.", quote(organization)),
        )),
        None => Err(Refusal::new(
            "organization_not_allowed",
            "the token has no organization, and ALLOWED_ORGANIZATIONS is set",
            "Have the client ask for a token of an organization; set ORGANIZATION_CLAIM if the provider writes it into \
             another claim.",
        )),
    }
}

/// The row of [`required_scopes`].
pub(crate) static REQUIRED_SCOPES: Check =
    Check { slug: "required_scopes", section: Section::Permission, title: "The token has the scopes of every request" };

/// Checks `REQUIRED_SCOPES`.
pub(crate) fn required_scopes(
    scopes: &BTreeSet<String>,
    required: &[String],
    prefix: &ScopePrefix,
    page: &str,
) -> Checked<()> {
    if required.is_empty() {
        return Ok(((), "REQUIRED_SCOPES is not set".to_owned()));
    }
    has_all(scopes, required, prefix, page).map(|()| ((), format!("it has {}", required.join(" "))))
}

/// The row of [`tool_scopes`].
pub(crate) static TOOL_SCOPES: Check = Check {
    slug: "tool_scopes",
    section: Section::Permission,
    title: "A tool with the scopes of --scopes would be allowed",
};

/// Checks the scopes of a tool.
pub(crate) fn tool_scopes(
    scopes: &BTreeSet<String>,
    needed: &[String],
    prefix: &ScopePrefix,
    page: &str,
) -> Checked<()> {
    has_all(scopes, needed, prefix, page).map(|()| ((), format!("a tool that needs {} is allowed", needed.join(" "))))
}

fn has_all(scopes: &BTreeSet<String>, needed: &[String], prefix: &ScopePrefix, page: &str) -> Result<(), Refusal> {
    let missing: Vec<_> = needed.iter().filter(|scope| !scopes.contains(*scope)).cloned().collect();
    if missing.is_empty() {
        return Ok(());
    }
    let asked: Vec<_> = missing.iter().map(|scope| prefix.asked(scope)).collect();
    Err(Refusal::new(
        "insufficient_scope",
        format!("it lacks {}", missing.join(" ")),
        format!(
            "Have the client ask for {}. If it does, the provider does not grant it: give the user a role with it, and the \
             client permission to ask for it ({page}). If the provider writes scopes into another claim, set SCOPE_CLAIMS.",
            asked.join(" ")
        ),
    ))
}

/// The row of [`disclosure`].
pub(crate) static DISCLOSURE: Check =
    Check { slug: "disclosure", section: Section::Permission, title: "Claims that granted scopes disclose" };

/// Which claims a standard scope discloses (OpenID Connect Core §5.4).
const STANDARD: [(&str, &[&str]); 4] = [
    (
        "profile",
        &[
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
    ),
    ("email", &["email", "email_verified"]),
    ("phone", &["phone_number", "phone_number_verified"]),
    ("address", &["address"]),
];

/// The names of the claims that tools get: those that a granted scope covers. What a scope implies discloses nothing,
/// because users did not consent to it.
#[must_use]
pub(crate) fn disclosure(claims: &Object, granted: &BTreeSet<String>, claim_scopes: &Grants) -> (Vec<String>, String) {
    let covers = |claim: &str| {
        granted.iter().any(|scope| {
            let of_standard = STANDARD.iter().find(|(standard, _)| standard == scope);
            of_standard.is_some_and(|(_, names)| names.contains(&claim))
                || claim_scopes.of(scope).any(|name| name == claim)
        })
    };
    let has_value = |value: &Value| !value.is_null();
    let disclosed: BTreeSet<String> =
        claims.iter().filter(|(name, value)| has_value(value) && covers(name)).map(|(name, _)| name.clone()).collect();
    let disclosed: Vec<_> = disclosed.into_iter().collect();
    let covered = |name: &&String| !disclosed.contains(name);
    let personal: Vec<String> = claims
        .keys()
        .filter(|name| STANDARD.iter().any(|(_, names)| names.contains(&name.as_str())))
        .filter(covered)
        .cloned()
        .collect();
    let mut observed = if disclosed.is_empty() { "none".to_owned() } else { disclosed.join(", ") };
    if !personal.is_empty() {
        let _ = write!(observed, "; not {}, which no granted scope covers (CLAIM_SCOPES)", examples(&personal));
    }
    (disclosed, observed)
}
