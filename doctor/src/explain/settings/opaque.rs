//! `OPAQUE_TOKEN_*` and `INTROSPECTION_URL`: what is decided before the provider is asked.

use mcp_edge_providers::TENANT_PLACEHOLDER;

use super::{urls::is_endpoint, values::Values};

/// The longest use of an answer, in seconds.
const MAX_SECONDS: u64 = 600;

/// Checks them; errors go into `errors`. The secrets that they need are not read.
pub fn check(values: &Values, errors: &mut Vec<String>) {
    let (clients, check) = (values.text("OPAQUE_TOKEN_CLIENTS"), values.text("OPAQUE_TOKEN_CHECK"));
    let is_userinfo = check.as_deref() == Some("userinfo");
    let url = values.text("INTROSPECTION_URL");
    if let Some(url) = url.as_ref().filter(|url| !is_endpoint(url)) {
        errors.push(format!(
            "INTROSPECTION_URL = {url:?} must be an https URL without fragment, or http on this machine"
        ));
    } else if url.is_some() && (clients.is_none() || is_userinfo) {
        errors.push(
            "INTROSPECTION_URL is for opaque tokens: it needs OPAQUE_TOKEN_CLIENTS, and OPAQUE_TOKEN_CHECK = \"introspection\""
                .to_owned(),
        );
    }
    if is_userinfo && !values.words("ALLOWED_ORGANIZATIONS").is_empty() {
        errors.push(
            "ALLOWED_ORGANIZATIONS: OPAQUE_TOKEN_CHECK = \"userinfo\" does not say of which organization a token is"
                .to_owned(),
        );
    }
    let Some(clients) = clients else { return };
    match check.as_deref() {
        None | Some("introspection") => {}
        Some("userinfo") if clients == "*" => {}
        Some("userinfo") => errors.push(
            "OPAQUE_TOKEN_CHECK = \"userinfo\" does not say whose token it is: it needs OPAQUE_TOKEN_CLIENTS = \"*\""
                .to_owned(),
        ),
        Some(other) => {
            errors.push(format!("OPAQUE_TOKEN_CHECK = {other:?} must be \"introspection\" or \"userinfo\""));
        }
    }
    let is_number = |text: &String| text.parse::<u64>().is_ok_and(|seconds| seconds <= MAX_SECONDS);
    if let Some(seconds) = values.text("OPAQUE_TOKEN_SECONDS").filter(|text| !is_number(text)) {
        errors
            .push(format!("OPAQUE_TOKEN_SECONDS = {seconds:?} must be a whole number of seconds up to {MAX_SECONDS}"));
    }
    if let Some(issuer) = values.text("ISSUER").filter(|issuer| issuer.contains(TENANT_PLACEHOLDER)) {
        errors.push(format!(
            "OPAQUE_TOKEN_CLIENTS: {issuer:?} is of all tenants, and nobody could say of which an opaque token is"
        ));
    }
}
