//! `PROVIDER` and what overrides its profile: how the tokens of an issuer are read.

use mcp_edge_providers::{IssuerMismatch, Profile, check_issuer, named, profiles};
use mcp_edge_runtime::settings::{Reader, words};

use crate::token::{jwt::POSSIBLE_TYPES, profile::TokenProfile};

/// Reads `PROVIDER`, `TOKEN_TYPES`, `CLIENT_ID_CLAIMS`, `SCOPE_CLAIMS`, `ORGANIZATION_CLAIM` and `USER_BY_SUBJECT` of an issuer. `setting`
/// returns the value of a setting for this issuer; errors begin with `place`.
pub(super) fn token_profile(
    reader: &mut Reader<'_>,
    place: &str,
    issuer: &str,
    setting: &dyn Fn(&Reader<'_>, &str) -> Option<String>,
) -> TokenProfile {
    let provider = provider(reader, place, issuer, setting(reader, "PROVIDER").as_deref());
    let mut profile = TokenProfile::new(provider);
    let words = |reader: &Reader<'_>, name: &str| setting(reader, name).map(|text| words(&text));
    if let Some(types) = words(reader, "TOKEN_TYPES") {
        profile.token_types = token_types(reader, place, types);
    }
    if let Some(names) = words(reader, "CLIENT_ID_CLAIMS") {
        profile.client_id_claims = names;
    }
    if let Some(names) = words(reader, "SCOPE_CLAIMS") {
        profile.scope_claims = names;
        profile.machine_scope_claims = Vec::new();
    }
    if let Some(claim) = setting(reader, "ORGANIZATION_CLAIM") {
        if claim.contains(' ') {
            reader.error(format!("{place}ORGANIZATION_CLAIM = {claim:?} must be the name of one claim"));
        }
        profile.organization_claim = Some(claim);
    }
    if let Some(value) = setting(reader, "USER_BY_SUBJECT") {
        profile.user_by_subject = value == "true";
        if !matches!(&*value, "true" | "false") {
            reader.error(format!("{place}USER_BY_SUBJECT = {value:?} must be \"true\" or \"false\""));
        }
    }
    profile
}

/// The profile of a name, which must be able to have issued `issuer`'s tokens.
fn provider(reader: &mut Reader<'_>, place: &str, issuer: &str, name: Option<&str>) -> &'static Profile {
    let Some(name) = name else { return &profiles::GENERIC };
    let Some(profile) = named(name) else {
        let names = profiles::ALL.map(|profile| profile.name).join(", ");
        reader.error(format!("{place}PROVIDER = {name:?} must be one of {names}"));
        return &profiles::GENERIC;
    };
    match check_issuer(profile, issuer) {
        Ok(()) => {}
        Err(IssuerMismatch::OtherProvider { other }) => reader.error(format!(
            "{place}PROVIDER = {name:?} does not fit the issuer {issuer:?}, which is one of {}: set PROVIDER = {:?}",
            other.title, other.name
        )),
        Err(IssuerMismatch::Form { example }) => reader.error(format!(
            "{place}the issuer {issuer:?} has not the form of {}'s, which is for example {example}",
            profile.title
        )),
    }
    profile
}

/// `typ` values in lower case; `none` stands for an absent `typ`.
fn token_types(reader: &mut Reader<'_>, place: &str, mut types: Vec<String>) -> Vec<String> {
    for typ in &mut types {
        typ.make_ascii_lowercase();
        if typ == "none" {
            typ.clear();
        }
        if !POSSIBLE_TYPES.contains(&&**typ) {
            reader.error(format!(
                "{place}TOKEN_TYPES: {typ:?} is not the type of an access token: use at+jwt, jwt, or none for tokens without typ"
            ));
        }
    }
    types
}
