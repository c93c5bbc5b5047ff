//! The order of the checks: what the deployment makes of a token, step by step, up to the first refusal.

use super::{
    checks::{self, caller, claims, deployment, form, key, policy, token_use},
    explanation::{Caller, CallerKind, Explanation},
    jwt::Jwt,
    keys::fetch::Keys,
    settings::{Settings, issuers::TrustedIssuer, values::Values},
    step::{Check, Steps},
};
use crate::token::Token;

/// What is explained.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The token.
    pub token: &'a Token,
    /// The settings of the deployment.
    pub values: &'a Values,
    /// The scopes that a tool would need; empty if nobody asks.
    pub tool_scopes: &'a [String],
    /// Seconds since 1970.
    pub now: u64,
    /// How the keys of an issuer are had. Called once at most, when everything else is well.
    pub keys: &'a dyn Fn(&TrustedIssuer) -> Keys,
}

/// Explains what the deployment makes of a token.
#[must_use]
pub fn explain(question: &Question<'_>) -> Explanation {
    let mut steps = Steps::default();
    let caller = follow(question, &mut steps);
    let is_asked = |check: &&'static Check| !question.tool_scopes.is_empty() || check.slug != policy::TOOL_SCOPES.slug;
    Explanation { steps: steps.finish(checks::all().filter(is_asked)), caller }
}

fn follow(question: &Question<'_>, steps: &mut Steps) -> Option<Caller> {
    let settings = steps.record(&deployment::SETTINGS, deployment::settings(question.values))?;
    match deployment::provider(&settings.issuers) {
        (observed, None) => drop(steps.record(&deployment::PROVIDER, Ok(((), observed)))),
        (observed, Some(fix)) => steps.warn(&deployment::PROVIDER, observed, fix),
    }
    let opaque = settings.opaque_token_clients.as_deref();
    let form = form::form(question.token, opaque, &settings.resource);
    let Ok((None, observed)) = form else {
        let jwt = steps.record(&form::FORM, form)??;
        return of_jwt(&jwt, &settings, question, steps);
    };
    let fix = format!(
        "Only the provider can tell ({} with the deployment's own secret). Send the token to the endpoint: make doctor (npx mcp-edge \
         doctor), with {} set.",
        settings.opaque_token_check,
        crate::token::TOKEN_VARIABLE
    );
    steps.not_checked(&form::FORM, format!("{observed}; the deployment asks the provider about it"), None, fix);
    None
}

fn of_jwt(jwt: &Jwt, settings: &Settings, question: &Question<'_>, steps: &mut Steps) -> Option<Caller> {
    let header = steps.record(&form::HEADER, form::header(jwt))?;
    let issuer = steps.record(&claims::ISSUER, claims::issuer(&jwt.claims, settings))?;
    let profile = issuer.profile;
    let page = format!("docs/providers/{}.md", profile.name);
    steps.record(&form::TYPE, form::typ(&header, issuer, &settings.resource))?;
    let read = steps.record(&claims::CLAIMS, claims::read(&jwt.claims, issuer, &settings.resource))?;
    // Read here, as the audience may depend on them, and reported with what they say of the caller.
    let mut granted = caller::granted(&jwt.claims, &issuer.scope_claims);
    steps.record(&claims::AUDIENCE, claims::audience(&read, issuer, settings, &granted.scopes))?;
    steps.record(&token_use::TOKEN_USE, token_use::token_use(&jwt.claims, &settings.resource))?;
    steps.record(&token_use::REQUIREMENTS, token_use::requirements(&jwt.claims, profile))?;
    steps.record(&claims::TIME, claims::time(&read, question.now))?;
    steps.record(&claims::CUTOFF, claims::cutoff(read.issued, settings.denied_issued_before))?;
    verify(jwt, &header, issuer, settings, question, steps)?;

    let (kind, observed) = caller::kind(&jwt.claims, issuer, read.client.as_ref().map(|(id, _)| id.as_str()));
    match kind {
        CallerKind::Unknown => steps.warn(&caller::KIND, observed, caller::fix_of_unknown(profile)),
        _ => drop(steps.record(&caller::KIND, Ok(((), observed)))),
    }
    match caller::client(&read.client, &issuer.client_id_claims) {
        (observed, None) => drop(steps.record(&caller::CLIENT, Ok(((), observed)))),
        (observed, Some(fix)) => steps.warn(&caller::CLIENT, observed, fix),
    }
    if kind == CallerKind::Machine && granted.scopes.is_empty() {
        granted = caller::granted(&jwt.claims, &issuer.machine_scope_claims);
    }
    let prefix = &settings.scope_prefix;
    let (own, scopes, observed) = caller::scopes(&granted, profile.audience, prefix, &settings.hierarchy);
    steps.record(&caller::SCOPES, Ok(((), observed)));
    let (organization, observed) = caller::organization(&jwt.claims, issuer);
    steps.record(&caller::ORGANIZATION, Ok(((), observed)));

    let (disclosed, disclosure) = policy::disclosure(&jwt.claims, &own, &settings.claim_scopes);
    let mut found = Caller {
        issuer: super::jwt::text(&jwt.claims, "iss").unwrap_or_default().to_owned(),
        subject: read.subject,
        kind,
        client: read.client,
        is_first_party: false,
        scopes: scopes.iter().cloned().collect(),
        organization,
        disclosed,
    };
    let client_id = found.client.as_ref().map(|(id, _)| id.as_str());
    let allowed = policy::clients(client_id, settings, settings.is_own(issuer));
    let Some(is_first_party) = steps.record(&policy::CLIENTS, allowed) else { return Some(found) };
    found.is_first_party = is_first_party;
    let allowed = policy::organizations(found.organization.as_deref(), &settings.allowed_organizations);
    if steps.record(&policy::ORGANIZATIONS, allowed).is_none() {
        return Some(found);
    }
    let required = policy::required_scopes(&scopes, &settings.required_scopes, prefix, &page);
    if steps.record(&policy::REQUIRED_SCOPES, required).is_none() {
        return Some(found);
    }
    let tool = policy::tool_scopes(&scopes, question.tool_scopes, prefix, &page);
    if !question.tool_scopes.is_empty() && steps.record(&policy::TOOL_SCOPES, tool).is_none() {
        return Some(found);
    }
    steps.record(&policy::DISCLOSURE, Ok(((), disclosure)));
    Some(found)
}

/// Finds the key and verifies the signature. Without keys, says that it did not.
fn verify(
    jwt: &Jwt,
    header: &form::Header,
    issuer: &TrustedIssuer,
    settings: &Settings,
    question: &Question<'_>,
    steps: &mut Steps,
) -> Option<()> {
    steps.record(&key::DENIED_KEYS, key::key_name(header, &settings.denied_keys))?;
    match (question.keys)(issuer) {
        Keys::Found(set, place) => {
            let key = key::key(jwt, header, &set, &place, issuer.profile, &settings.denied_keys);
            let key = steps.record(&key::KEY, key)?;
            steps.record(&key::SIGNATURE, key::signature(jwt, header, &key))
        }
        Keys::Offline => {
            let fix = "Run it without --offline, or with --jwks FILE: the provider's key set.";
            steps.not_checked(&key::KEY, "--offline: the keys were not fetched", None, fix);
            steps.not_checked(&key::SIGNATURE, "not checked: anybody could have written this token", None, "");
            Some(())
        }
        Keys::Unavailable(problem) => {
            let fix = "If the Worker sees the same, it answers 503: make sure that the provider is running and that ISSUER, \
                       DISCOVERY_URL and JWKS_URL lead to it.";
            steps.not_checked(&key::KEY, problem, Some("keys_unavailable"), fix);
            steps.not_checked(&key::SIGNATURE, "not checked: anybody could have written this token", None, "");
            Some(())
        }
    }
}
