//! Applications: what client metadata becomes at the provider. There are three types, by Logto's names; other providers
//! have the same three.
//!
//! | redirect URIs | client authentication | type |
//! |---|---|---|
//! | any on loopback or with a private-use scheme | none | [`ApplicationType::Native`] |
//! | only https | none | [`ApplicationType::SinglePage`] |
//! | https, or loopback with a fixed port | secret | [`ApplicationType::Traditional`] |

use mcp_edge_oauth::Scopes;

use crate::client_metadata::{ClientMetadata, error::MetadataError};

/// Scopes that are between client and provider: they open no data, and no ceiling limits them.
const ALWAYS_ALLOWED: [&str; 2] = ["openid", "offline_access"];

/// The type of an application. It cannot be changed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApplicationType {
    /// Runs on the user's device; any port of a loopback address.
    Native,
    /// Runs in a browser; no secret.
    SinglePage,
    /// Runs on a server and keeps a secret.
    Traditional,
}

impl ApplicationType {
    /// The type that metadata asks for.
    #[must_use]
    pub fn of(metadata: &ClientMetadata) -> Self {
        match metadata {
            _ if metadata.token_endpoint_auth_method.has_secret() => Self::Traditional,
            _ if metadata.is_native() => Self::Native,
            _ => Self::SinglePage,
        }
    }

    /// For display.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::SinglePage => "single-page",
            Self::Traditional => "web server",
        }
    }
}

/// An application, as it is made at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// Shown on the consent page.
    pub name: String,
    /// For the operator.
    pub description: String,
    /// The type.
    pub kind: ApplicationType,
    /// Checked, at least one.
    pub redirect_uris: Vec<String>,
    /// The scopes that users may be asked for: at most those that the operator allows.
    pub ceiling: Scopes,
    /// `logo_uri`.
    pub logo: Option<String>,
    /// `tos_uri`.
    pub terms: Option<String>,
    /// `policy_uri`.
    pub privacy: Option<String>,
}

impl Application {
    /// Creates the application for `metadata`, with a ceiling that was computed by [`ceiling`].
    #[must_use]
    pub fn new(metadata: &ClientMetadata, ceiling: Scopes, description: String) -> Self {
        Self {
            name: metadata.client_name.clone(),
            description,
            kind: ApplicationType::of(metadata),
            redirect_uris: metadata.redirect_uris.clone(),
            ceiling,
            logo: metadata.logo_uri.clone(),
            terms: metadata.tos_uri.clone(),
            privacy: metadata.policy_uri.clone(),
        }
    }
}

/// The scopes that a client may ask users for: those that it requested and the operator allows, or all that the operator
/// allows if it requested none.
///
/// # Errors
/// `invalid_client_metadata` if it asked for something, and nothing of that is allowed.
pub fn ceiling(metadata: &ClientMetadata, allowed: &Scopes) -> Result<Scopes, MetadataError> {
    let Some(asked) = metadata.scopes() else { return Ok(allowed.clone()) };
    let granted: Scopes = asked.iter().filter(|name| is_allowed(name, allowed)).collect();
    if granted.is_empty() && !asked.is_empty() {
        return Err(MetadataError::metadata(
            "scope",
            format!("names nothing that is offered here, which is: {allowed}"),
        ));
    }
    Ok(granted)
}

fn is_allowed(name: &str, allowed: &Scopes) -> bool {
    allowed.contains(name) || ALWAYS_ALLOWED.contains(&name)
}

/// The scopes of a ceiling that need the user's consent.
pub fn needing_consent(ceiling: &Scopes) -> impl Iterator<Item = &str> {
    ceiling.iter().filter(|name| !ALWAYS_ALLOWED.contains(name))
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn metadata(uris: &[&str], auth: &str, scope: Option<&str>) -> ClientMetadata {
        let body = json!({"redirect_uris": uris, "token_endpoint_auth_method": auth, "scope": scope});
        ClientMetadata::parse(&body.to_string(), &[]).unwrap()
    }

    #[test]
    fn the_type_follows_from_addresses_and_authentication() {
        let kind = |uris: &[&str], auth: &str| ApplicationType::of(&metadata(uris, auth, None));
        assert_eq!(kind(&["http://127.0.0.1/cb"], "none"), ApplicationType::Native);
        assert_eq!(kind(&["https://a.example/cb", "com.example.agent:/cb"], "none"), ApplicationType::Native);
        assert_eq!(kind(&["https://a.example/cb"], "none"), ApplicationType::SinglePage);
        assert_eq!(kind(&["https://a.example/cb"], "client_secret_basic"), ApplicationType::Traditional);
        assert_eq!(kind(&["http://localhost:8080/cb"], "client_secret_post"), ApplicationType::Traditional);
    }

    #[test]
    fn nobody_gets_a_ceiling_above_the_operators() {
        let allowed = Scopes::parse("whoami:read profile");
        let of = |scope| ceiling(&metadata(&["http://127.0.0.1/cb"], "none", scope), &allowed).map(|it| it.to_string());
        assert_eq!(of(None).as_deref(), Ok("profile whoami:read"));
        assert_eq!(of(Some("whoami:read all admin")).as_deref(), Ok("whoami:read"));
        assert_eq!(of(Some("openid offline_access whoami:read")).as_deref(), Ok("offline_access openid whoami:read"));
        assert_eq!(of(Some("openid")).as_deref(), Ok("openid"));
        assert!(of(Some("all")).unwrap_err().to_string().contains("profile whoami:read"));
    }

    #[test]
    fn scopes_that_need_consent() {
        let scopes: Vec<_> = needing_consent(&Scopes::parse("openid a offline_access b")).map(str::to_owned).collect();
        assert_eq!(scopes, ["a", "b"]);
    }
}
