//! `PROVIDER` and what overrides its profile: how the tokens of an issuer are read.

use mcp_edge_providers::{IssuerMismatch, Profile, check_issuer, named, profiles};
use mcp_edge_runtime::settings::Reader;

use crate::token::{jwt::POSSIBLE_TYPES, profile::TokenProfile};

/// Reads `PROVIDER`, `TOKEN_TYPES`, `CLIENT_ID_CLAIMS`, `SCOPE_CLAIMS`, `ORGANIZATION_CLAIM` and `USER_BY_SUBJECT` of an issuer.
pub(super) fn token_profile(reader: &mut Reader<'_>, issuer: &str) -> TokenProfile {
    let mut profile = TokenProfile::new(provider(reader, issuer));
    let types = token_types(reader);
    if !types.is_empty() {
        profile.token_types = types;
    }
    let names = reader.words("CLIENT_ID_CLAIMS");
    if !names.is_empty() {
        profile.client_id_claims = names;
    }
    let names = reader.words("SCOPE_CLAIMS");
    if !names.is_empty() {
        profile.scope_claims = names;
        profile.machine_scope_claims = Vec::new();
    }
    if let Some(claim) = reader.text("ORGANIZATION_CLAIM") {
        if claim.contains(' ') {
            reader.wrong_value("ORGANIZATION_CLAIM", &claim, "must be the name of one claim");
        }
        profile.organization_claim = Some(claim);
    }
    profile.user_by_subject = reader.flag("USER_BY_SUBJECT", profile.user_by_subject);
    profile
}

/// The profile of `PROVIDER`, which must be able to have issued `issuer`'s tokens.
fn provider(reader: &mut Reader<'_>, issuer: &str) -> &'static Profile {
    let Some(name) = reader.text("PROVIDER") else { return &profiles::GENERIC };
    let Some(profile) = named(&name) else {
        let names = profiles::ALL.map(|profile| profile.name).join(", ");
        reader.wrong_value("PROVIDER", &name, &["must be one of ", &names].concat());
        return &profiles::GENERIC;
    };
    match check_issuer(profile, issuer) {
        Ok(()) => {}
        Err(IssuerMismatch::OtherProvider { other }) => reader.error(format!(
            "PROVIDER = {name:?} does not fit the issuer {issuer:?}, which is one of {}: set PROVIDER = {:?}",
            other.title, other.name
        )),
        Err(IssuerMismatch::Form { example }) => reader.error(format!(
            "the issuer {issuer:?} has not the form of {}'s, which is for example {example}",
            profile.title
        )),
    }
    profile
}

/// `TOKEN_TYPES` in lower case; `none` stands for an absent `typ`.
fn token_types(reader: &mut Reader<'_>) -> Vec<String> {
    let mut types = reader.words("TOKEN_TYPES");
    for typ in &mut types {
        typ.make_ascii_lowercase();
        if typ == "none" {
            typ.clear();
        }
        if !POSSIBLE_TYPES.contains(&&**typ) {
            reader.wrong_entry(
                "TOKEN_TYPES",
                typ,
                "is not the type of an access token: use at+jwt, jwt, or none for tokens without typ",
            );
        }
    }
    types
}
