//! Requests to the provider about an opaque token.

use std::rc::Rc;

use serde_json::{Map, Value};

use super::policy::{TrustPolicy, TrustedIssuer};
use crate::{
    bearer::BearerToken,
    denial::{Denial, Endpoint, Excerpt, IntrospectionError},
    keys::jwks_cache::IssuerKeys,
    provider::Provider,
    token::{
        caller_kind::Source,
        opaque::{self, CheckMethod, OpaquePolicy},
        validity::Validity,
    },
};
use mcp_edge_identity::Identity;
use mcp_edge_runtime::ports::{FetchError, Services};

/// Who an opaque token stands for, and when it is valid.
pub(super) type Verdict = Result<(Rc<Identity>, Validity), Rc<Denial>>;

/// Asks the provider what an opaque token is. These tokens come from the first issuer, whose keys are `keys`: the others
/// have no credentials of ours.
pub(super) async fn introspect(
    token: BearerToken<'_>,
    trust: &TrustPolicy,
    policy: &OpaquePolicy,
    keys: &Rc<IssuerKeys>,
    now: u64,
    services: &impl Services,
) -> Verdict {
    let trusted = &trust.issuers[0];
    let wanted = |name: &str| trust.wants(name);
    let provider = keys.opaque_token_endpoints(now, services).await?;
    match &policy.method {
        CheckMethod::Introspection { client_id, client_secret } => {
            let url = endpoint_url(provider.introspection_endpoint.as_ref(), Endpoint::Introspection)?;
            let (form, authorization) =
                opaque::introspection_form(token.expose(), client_id, client_secret, provider.posts_secret);
            let response = services.fetch(opaque::request(url, authorization.as_deref(), Some(&form))).await;
            let response = response.map_err(|error| no_response(Endpoint::Introspection, &error))?;
            let TrustedIssuer { issuer, audiences, profile: token_profile, .. } = trusted;
            let claims =
                opaque::read_introspection(&response, client_id, issuer, audiences, token_profile, now, &wanted)?;
            trust.check_claims(0, &claims)?;
            policy.clients.check(claims.client_id.as_deref())?;
            // The profile is a courtesy: without it the identity has fewer claims, and no wrong ones.
            let profile = if trust.disclosure.covers_anything(&trust.scope_prefix.strip(&claims.scopes)) {
                profile(token, &provider, &wanted, services).await.unwrap_or_default()
            } else {
                Map::new()
            };
            let is_of_subject = profile.get("sub").and_then(Value::as_str) == Some(&claims.subject);
            let profile = if is_of_subject { profile } else { Map::new() };
            let validity = claims.validity();
            Ok((Rc::new(trust.identify(0, claims, Source::Introspection, profile)), validity))
        }
        CheckMethod::Userinfo => {
            policy.clients.check(None)?;
            let profile = profile(token, &provider, &wanted, services).await?;
            let until = now + policy.positive_ttl_seconds;
            let TrustedIssuer { issuer, audiences, profile: token_profile, .. } = trusted;
            let claims = opaque::claims_of_userinfo(profile, issuer, audiences, token_profile, until)?;
            let validity = claims.validity();
            Ok((Rc::new(trust.identify(0, claims, Source::Userinfo, Map::new())), validity))
        }
    }
}

/// What the userinfo endpoint says of the user, as far as it is wanted.
async fn profile(
    token: BearerToken<'_>,
    provider: &Provider,
    wanted: &dyn Fn(&str) -> bool,
    services: &impl Services,
) -> Result<Map<String, Value>, Denial> {
    let url = endpoint_url(provider.userinfo_endpoint.as_ref(), Endpoint::Userinfo)?;
    let authorization = format!("Bearer {}", token.expose());
    let response = services.fetch(opaque::request(url, Some(&authorization), None)).await;
    let response = response.map_err(|error| no_response(Endpoint::Userinfo, &error))?;
    opaque::read_userinfo(&response, wanted)
}

fn endpoint_url(url: Option<&String>, endpoint: Endpoint) -> Result<&str, Denial> {
    url.map(String::as_str).ok_or_else(|| opaque::unavailable(IntrospectionError::NoEndpoint(endpoint)))
}

fn no_response(endpoint: Endpoint, error: &FetchError) -> Denial {
    opaque::unavailable(IntrospectionError::Fetch { endpoint, error: Excerpt::new(&error.to_string()) })
}
