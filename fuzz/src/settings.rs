//! Settings with any content, of the MCP server and of the registrar: either every error is said, without the secrets,
//! or the settings are as strict as their documentation says.

use mcp_edge::settings::Settings;
use mcp_edge_oauth::is_scope_token;
use mcp_edge_runtime::{
    cors::Origins,
    settings::{SettingsError, check_url},
};

use crate::with_text;

/// Is added to every secret, so that it is known in errors and `Debug`.
const MARK: &str = "#s3cret-mark";

/// A set of settings that is accepted.
type Accepted = &'static [(&'static str, &'static str)];

const ENDPOINT: Accepted = &[("ISSUER", "https://tenant.example/oidc"), ("RESOURCE", "https://mcp.example.com/mcp")];

const REGISTRAR: Accepted = &[
    ("ISSUER", "https://tenant.example/oidc"),
    ("RESOURCE", "https://apps.example.com/register"),
    ("REQUIRED_SCOPES", "apps:write"),
    ("MANAGEMENT_API", "https://tenant.example/api"),
    ("MANAGEMENT_CLIENT_ID", "machine"),
    ("MANAGEMENT_CLIENT_SECRET", "machine-secret"),
    ("MCP_RESOURCE", "https://mcp.example.dev/mcp"),
    ("CLIENT_SCOPES", "profile whoami:read"),
];

/// Each line is `NAME=value`, which replaces what is accepted; `\n` in a value is a line break.
pub fn check(input: &[u8]) {
    with_text(input, |input| {
        let changes: Vec<(&str, String)> = input
            .split('\n')
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name, value.replace("\\n", "\n")))
            .collect();
        let get = |accepted: Accepted, name: &str| {
            let changed = changes.iter().rev().find(|(changed, _)| *changed == name).map(|(_, value)| value.clone());
            let value = changed
                .or_else(|| accepted.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))?;
            Some(if name.ends_with("SECRET") { value + MARK } else { value })
        };
        match Settings::parse(|name| get(ENDPOINT, name)) {
            Ok(settings) => check_endpoint(&settings),
            Err(errors) => check_errors(&errors),
        }
        match registrar::settings::Settings::parse(|name| get(REGISTRAR, name)) {
            Ok(settings) => check_registrar(&settings),
            Err(errors) => check_errors(&errors),
        }
    });
}

fn check_errors(SettingsError(errors): &SettingsError) {
    assert!(!errors.is_empty(), "refused without an error");
    for error in errors {
        assert!(!error.trim().is_empty());
        assert!(!error.contains(MARK), "an error shows a secret: {error}");
    }
}

fn check_endpoint(settings: &Settings) {
    assert!(!format!("{settings:?}").contains(MARK), "Debug shows a secret");
    check_server(&settings.resource.url, &settings.resource.path, &settings.trust);
    if let Origins::Listed(origins) = &settings.origins {
        for origin in origins {
            // Safari writes the ids of its extensions with capitals.
            let is_normal = *origin == origin.to_ascii_lowercase() || origin.starts_with("safari-web-extension://");
            assert!(!origin.contains('*') && is_normal, "{origin:?}");
            assert!(
                origin.split_once("://").is_some_and(|(_, host)| !host.contains(['/', '?', '#', '@'])),
                "{origin:?}"
            );
        }
    }
    assert!(settings.state_secret.as_ref().is_none_or(|secret| secret.expose().len() >= 32));
    assert!(!settings.server_card || settings.registry_entry.is_some());
    let urls = [&settings.logo, &settings.display.documentation, &settings.display.privacy_policy];
    for url in urls.into_iter().flatten() {
        assert_eq!(check_url(url), Ok(()), "{url:?}");
    }
}

fn check_registrar(settings: &registrar::settings::Settings) {
    let server = &settings.server;
    check_server(&server.resource.url, &server.resource.path, &server.trust);
    assert_eq!(server.resource.path, "/register");
    assert!(!server.trust.required_scopes.is_empty(), "anybody could register");
    assert_ne!(settings.tenant.mcp_resource, server.resource.url);
    assert_eq!(check_url(&settings.tenant.api), Ok(()));
    let policy = &settings.policy;
    assert!(!policy.allowed_scopes.is_empty());
    for scheme in &policy.private_use_schemes {
        assert!(!matches!(scheme.as_str(), "javascript" | "data" | "file" | "http" | "https"), "{scheme:?}");
        assert!(scheme.starts_with(|first: char| first.is_ascii_lowercase()), "{scheme:?}");
    }
    let limits = &policy.limits;
    for limit in
        [limits.per_address_and_hour, limits.clients, limits.per_developer, limits.unused_days, limits.idle_days]
    {
        assert!((1..=10_000).contains(&limit));
    }
    if let Some(portal) = &settings.portal {
        assert!(portal.session_secret.expose().len() >= 32);
    }
}

fn check_server(resource: &str, path: &str, trust: &mcp_edge_oauth::resource_server::TrustPolicy) {
    assert_eq!(check_url(resource), Ok(()), "{resource:?}");
    assert!(path.starts_with('/') && path.len() > 1 && resource.ends_with(path), "{resource:?}");
    // Not looked at: the spellings of IP addresses, which nobody has for a name that certificates are issued for.
    let host = resource.split(['/', ':']).nth(3).unwrap_or_default();
    let is_name = host
        .rsplit('.')
        .find(|label| !label.is_empty())
        .is_some_and(|last| last.starts_with(|it: char| it.is_ascii_alphabetic()));
    if let Ok(parsed) = url::Url::parse(resource)
        && is_name
    {
        assert_eq!(parsed.as_str(), resource, "clients write it in another way");
    }
    assert!(!trust.issuers.is_empty());
    for (at, trusted) in trust.issuers.iter().enumerate() {
        assert_eq!(check_url(&trusted.issuer), Ok(()), "{:?}", trusted.issuer);
        assert!(trust.issuers[..at].iter().all(|other| other.issuer != trusted.issuer), "twice");
        assert!(!trusted.audiences.is_empty(), "tokens for anybody are accepted");
    }
    assert!(trust.required_scopes.iter().all(is_scope_token));
    assert!(
        trust.issuers.iter().all(|trusted| !trusted.accepted.is_empty() && !trusted.profile.token_types.is_empty())
    );
}
