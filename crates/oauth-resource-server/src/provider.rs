//! The identity provider's discovery document (OpenID Connect Discovery 1.0 §4, RFC 8414).
//!
//! Its `issuer` must equal the configured string, or the document is not used (OpenID Connect Discovery §4.3, RFC 8414
//! §3.3): otherwise the operator of one issuer could act for another.

mod document_place;

use std::rc::Rc;

use mcp_edge_runtime::uri::{is_endpoint_url, origin};
use serde_json::Value;

pub use document_place::DocumentPlace;

use crate::{denial::Excerpt, json_members};

/// RFC 8414 §2. (`token_endpoint_auth_methods_supported` speaks of another endpoint.)
const AUTH_METHODS: &str = "introspection_endpoint_auth_methods_supported";

/// The discovery document, and the members that are used of it. Every URL in it is one of [`is_endpoint_url`], so that it can stand in a header
/// and in a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// `issuer`, equal to the configured one.
    pub issuer: String,
    /// `jwks_uri`.
    pub jwks_uri: String,
    /// `authorization_endpoint`.
    pub authorization_endpoint: Option<String>,
    /// `token_endpoint`.
    pub token_endpoint: Option<String>,
    /// `introspection_endpoint`.
    pub introspection_endpoint: Option<String>,
    /// Whether that one takes the client's secret in the form alone: `introspection_endpoint_auth_methods_supported`
    /// has `client_secret_post` and not `client_secret_basic`. Without that list it is HTTP Basic, which RFC 6749 §2.3.1
    /// has every server support.
    pub posts_secret: bool,
    /// `userinfo_endpoint`.
    pub userinfo_endpoint: Option<String>,
    /// `end_session_endpoint` (OpenID Connect RP-Initiated Logout 1.0 §2.1).
    pub end_session_endpoint: Option<String>,
    /// The whole document as received, with the members that we have no use for: what is mirrored, and what lies in the
    /// store.
    pub document: Rc<str>,
}

/// The document is not usable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// Not a JSON object, or without `issuer` or `jwks_uri`.
    #[error("not a discovery document")]
    Malformed,
    /// It speaks of another issuer.
    #[error("of another issuer, {issuer:?}")]
    IssuerMismatch {
        /// The one that it names.
        issuer: Excerpt,
    },
    /// An endpoint that is not a plain https URL (plain http is accepted on loopback only).
    #[error("{0} is not an https URL of visible ASCII without user information and fragment")]
    InsecureEndpoint(&'static str),
}

impl Provider {
    /// Reads the document of `issuer`.
    ///
    /// # Errors
    /// [`ProviderError`].
    pub fn parse(text: &str, issuer: &str) -> Result<Self, ProviderError> {
        let is_wanted =
            |name: &str| matches!(name, "issuer" | "jwks_uri" | AUTH_METHODS) || name.ends_with("_endpoint");
        let mut members = json_members::read(text.as_bytes(), &is_wanted).map_err(|_| ProviderError::Malformed)?;
        let posts_secret = members.get(AUTH_METHODS).is_some_and(|methods| {
            let lists = |wanted: &str| methods.as_array().is_some_and(|all| all.iter().any(|method| method == wanted));
            lists("client_secret_post") && !lists("client_secret_basic")
        });
        let mut text_of = |name: &str| match members.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let found = text_of("issuer").ok_or(ProviderError::Malformed)?;
        if found != issuer {
            return Err(ProviderError::IssuerMismatch { issuer: Excerpt::new(&found) });
        }
        let jwks_uri = text_of("jwks_uri").ok_or(ProviderError::Malformed)?;
        if !is_endpoint_url(&jwks_uri) {
            return Err(ProviderError::InsecureEndpoint("jwks_uri"));
        }
        // These are not needed to verify JWTs: an unusable one counts as none, and JWTs are verified all the same.
        let mut usable = |name: &str| text_of(name).filter(|url| is_endpoint_url(url));
        Ok(Self {
            issuer: issuer.to_owned(),
            jwks_uri,
            authorization_endpoint: usable("authorization_endpoint"),
            token_endpoint: usable("token_endpoint"),
            introspection_endpoint: usable("introspection_endpoint"),
            posts_secret,
            userinfo_endpoint: usable("userinfo_endpoint"),
            end_session_endpoint: usable("end_session_endpoint"),
            document: text.trim().into(),
        })
    }

    /// Whether all endpoints that credentials or users are sent to are there, and on the issuer's own origin.
    #[must_use]
    pub fn has_own_endpoints(&self) -> bool {
        let [needed @ .., end_session] = self.endpoints();
        let is_own = |endpoint| self.is_on_own_origin(endpoint);
        needed.iter().all(|endpoint| endpoint.is_some_and(is_own)) && end_session.is_none_or(is_own)
    }

    /// Whether nothing in the document, also of what is not read here, leads away from the issuer's own origin.
    #[must_use]
    pub fn names_own_origin_only(&self) -> bool {
        serde_json::from_str(&self.document).is_ok_and(|document| self.is_own(&document))
    }

    /// Whether a part of the document leads nowhere else. Everything with a colon or a slash may be read as a URL by
    /// somebody, except URNs: the names of grants and scopes.
    fn is_own(&self, part: &Value) -> bool {
        match part {
            Value::String(text) => {
                !text.contains([':', '/', '\\']) || text.starts_with("urn:") || self.is_on_own_origin(text)
            }
            Value::Array(parts) => parts.iter().all(|part| self.is_own(part)),
            Value::Object(members) => members.values().all(|part| self.is_own(part)),
            Value::Null | Value::Bool(_) | Value::Number(_) => true,
        }
    }

    /// Whether a URL is on the issuer's own origin.
    #[must_use]
    pub fn is_on_own_origin(&self, url: &str) -> bool {
        origin(url).is_some_and(|of_url| origin(&self.issuer) == Some(of_url))
    }

    /// Whether both documents say the same of what is used of them, regardless of other members and of their order.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        (&self.issuer, &self.jwks_uri, self.endpoints(), self.posts_secret)
            == (&other.issuer, &other.jwks_uri, other.endpoints(), other.posts_secret)
    }

    fn endpoints(&self) -> [Option<&str>; 5] {
        let endpoints = [
            &self.authorization_endpoint,
            &self.token_endpoint,
            &self.introspection_endpoint,
            &self.userinfo_endpoint,
            &self.end_session_endpoint,
        ];
        endpoints.map(Option::as_deref)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ISSUER: &str = "https://tenant.example/oidc";

    fn parse(change: impl FnOnce(&mut Value)) -> Result<Provider, ProviderError> {
        let mut document = json!({
            "issuer": ISSUER, "jwks_uri": "https://tenant.example/oidc/jwks",
            "authorization_endpoint": "https://tenant.example/oidc/auth",
            "token_endpoint": "https://tenant.example/oidc/token",
            "userinfo_endpoint": "https://tenant.example/oidc/me",
            "introspection_endpoint": "https://tenant.example/oidc/token/introspection", "other": {"a": 1},
        });
        change(&mut document);
        Provider::parse(&document.to_string(), ISSUER)
    }

    #[test]
    fn the_issuer_must_be_the_configured_string() {
        assert!(parse(|_| ()).is_ok());
        for other in ["https://tenant.example/oidc/", "https://TENANT.example/oidc", "https://evil.example/oidc", ""] {
            let issuer = Excerpt::new(other);
            assert_eq!(parse(|it| it["issuer"] = other.into()), Err(ProviderError::IssuerMismatch { issuer }));
        }
    }

    #[test]
    fn endpoints_are_https_or_loopback() {
        for good in
            ["https://keys.example/jwks", "http://localhost:3000/jwks", "http://127.0.0.1/", "http://[::1]:3000/"]
        {
            assert!(parse(|it| it["jwks_uri"] = good.into()).is_ok(), "{good}");
        }
        for bad in [
            "http://tenant.example/jwks",
            "http://localhost.evil.example/",
            "http://127.0.0.1@evil.example/",
            "ftp://localhost/",
            "http://127.0.0.2/",
            "javascript:1",
            "https://",
            "https://user@host/",
            "/jwks",
            "",
        ] {
            assert_eq!(
                parse(|it| it["jwks_uri"] = bad.into()),
                Err(ProviderError::InsecureEndpoint("jwks_uri")),
                "{bad}"
            );
        }
    }

    #[test]
    fn an_insecure_endpoint_that_jwts_do_not_need_counts_as_none() {
        let endpoints = |change: fn(&mut Value)| {
            let provider = parse(change).unwrap();
            (provider.introspection_endpoint.is_some(), provider.userinfo_endpoint.is_some())
        };
        assert_eq!(endpoints(|_| ()), (true, true));
        assert_eq!(endpoints(|it| it["introspection_endpoint"] = "http://tenant.example/x".into()), (false, true));
        assert_eq!(endpoints(|it| it["userinfo_endpoint"] = "http://tenant.example/x".into()), (true, false));
        assert_eq!(endpoints(|it| it["userinfo_endpoint"] = json!({})), (true, false));
    }

    #[test]
    fn an_endpoint_is_one_plain_url_or_none() {
        for bad in [
            "https://tenant.example/oidc/auth\r\nset-cookie: __Host-session=x",
            "https://tenant.example/oidc/auth\n",
            "https://tenant.example/oidc/au th",
            "https://tenant.example/oidc/auth\t",
            "https://tenant.example/oidc/auth\u{0}",
            "https://tenant.example/oidc/auth\u{7f}",
            "https://tenant.example/oidc/auth\u{2028}",
            "https://tenant.example/oidc/äuth",
            "https://tenänt.example/oidc/auth",
            "https://tenant.example/oidc/\"auth",
            "https://tenant.example/oidc/'auth",
            "https://tenant.example/<auth>",
            "https://tenant.example\\@evil.example/auth",
            "https://user@tenant.example/auth",
            "https://user:password@tenant.example/auth",
            "https://tenant.example/auth#fragment",
            "https://tenant.example:port/auth",
            "https://tenant.example:/auth",
            "https://tenant.example:0/auth",
            "https://tenant.example:65536/auth",
            "https://:443/auth",
            "https://tenant_.exa mple/auth",
            "https://tenant.example%2eevil/auth",
            "https://[::1/auth",
            "https://[evil.example]/auth",
            "http://[::1].evil.example/auth",
            "http://localhost:3000:4000/auth",
            "https:///auth",
            " https://tenant.example/auth",
            "HTTPS//tenant.example/auth",
        ] {
            for member in [
                "authorization_endpoint",
                "token_endpoint",
                "introspection_endpoint",
                "userinfo_endpoint",
                "end_session_endpoint",
            ] {
                let provider = parse(|it| it[member] = bad.into()).unwrap();
                let endpoint = match member {
                    "authorization_endpoint" => provider.authorization_endpoint,
                    "token_endpoint" => provider.token_endpoint,
                    "introspection_endpoint" => provider.introspection_endpoint,
                    "userinfo_endpoint" => provider.userinfo_endpoint,
                    _ => provider.end_session_endpoint,
                };
                assert_eq!(endpoint, None, "{member} {bad:?}");
            }
            let keys = parse(|it| it["jwks_uri"] = bad.into());
            assert_eq!(keys, Err(ProviderError::InsecureEndpoint("jwks_uri")), "{bad:?}");
        }
        for good in [
            "https://tenant.example",
            "https://tenant.example:8443/auth?tenant=a&b=%20c",
            "https://xn--tennt-gra.example/~a/b_c/(d);e=f,g",
            "https://192.0.2.1/auth",
            "https://[2001:db8::1]:8443/auth",
            "http://localhost:3000/oidc/auth",
        ] {
            let provider = parse(|it| it["authorization_endpoint"] = good.into()).unwrap();
            assert_eq!(provider.authorization_endpoint.as_deref(), Some(good));
        }
    }

    #[test]
    fn what_leads_away_from_the_issuers_origin_is_reported() {
        let own = |change: fn(&mut Value)| {
            let provider = parse(change).unwrap();
            (provider.has_own_endpoints(), provider.names_own_origin_only())
        };
        assert_eq!(own(|_| ()), (true, true));
        assert_eq!(own(|it| it["grant_types_supported"] = json!(["urn:ietf:params:oauth:grant-type:x"])), (true, true));
        assert_eq!(own(|it| it["token_endpoint"] = "https://evil.example/oidc/token".into()), (false, false));
        assert_eq!(own(|it| it["end_session_endpoint"] = "https://tenant.example:8443/".into()), (false, false));
        assert_eq!(own(|it| it["introspection_endpoint"] = Value::Null), (false, true), "the issuer may have one");
        assert_eq!(own(|it| it["registration_endpoint"] = "https://evil.example/reg".into()), (true, false));
        for hidden in ["//evil.example/x", "https:evil.example", "\\\\evil.example", " https://tenant.example/x"] {
            let provider = parse(|it| it["mtls_endpoint_aliases"] = json!({"token_endpoint": [hidden]})).unwrap();
            assert!(!provider.names_own_origin_only(), "{hidden}");
        }
    }

    #[test]
    fn documents_are_the_same_if_they_name_the_same_places() {
        let provider = parse(|_| ()).unwrap();
        assert!(provider.is_same_as(&parse(|it| it["other"] = json!("changed")).unwrap()));
        for member in
            ["jwks_uri", "authorization_endpoint", "token_endpoint", "introspection_endpoint", "userinfo_endpoint"]
        {
            let changed = parse(|it| it[member] = "https://tenant.example/elsewhere".into()).unwrap();
            assert!(!provider.is_same_as(&changed), "{member}");
        }
    }

    #[test]
    fn the_document_is_kept_as_it_was_received() {
        let text = "\n{ \"issuer\" : \"https://tenant.example/oidc\",\n\"jwks_uri\":\"https://tenant.example/jwks\", \"x\": 1.50 }\n";
        let provider = Provider::parse(text, ISSUER).unwrap();
        assert_eq!(&*provider.document, text.trim());
        assert_eq!(Provider::parse(&provider.document, ISSUER), Ok(provider));
    }

    #[test]
    fn documents_without_keys_are_malformed() {
        assert_eq!(parse(|it| it["jwks_uri"] = Value::Null), Err(ProviderError::Malformed));
        assert_eq!(Provider::parse("<html>", ISSUER), Err(ProviderError::Malformed));
    }

    #[test]
    fn members_that_jwts_do_not_need_may_be_of_any_type() {
        let optional = ["authorization_endpoint", "token_endpoint", "introspection_endpoint", "end_session_endpoint"];
        let others = [
            "scopes_supported",
            "grant_types_supported",
            AUTH_METHODS,
            "registration_endpoint",
            "mtls_endpoint_aliases",
        ];
        for name in optional.into_iter().chain(others) {
            for odd in [json!(null), json!(7), json!(true), json!({}), json!([]), json!([7, null]), json!("")] {
                let provider = parse(|it| it[name] = odd.clone());
                assert!(provider.is_ok_and(|provider| !provider.posts_secret), "{name} {odd}");
            }
        }
    }

    #[test]
    fn the_secret_is_posted_only_where_basic_is_not_listed() {
        let posts = |methods: Value| parse(|it| it[AUTH_METHODS] = methods).unwrap().posts_secret;
        assert!(posts(json!(["client_secret_post"])));
        assert!(posts(json!(["private_key_jwt", "client_secret_post", "none"])));
        for methods in [
            json!(["client_secret_basic", "client_secret_post"]),
            json!(["client_secret_post", "client_secret_basic"]),
            json!(["client_secret_basic"]),
            json!(["private_key_jwt"]),
            json!(["CLIENT_SECRET_POST"]),
            json!("client_secret_post"),
            json!([["client_secret_post"]]),
        ] {
            assert!(!posts(methods.clone()), "{methods}");
        }
        // What another endpoint takes says nothing of this one.
        let other = parse(|it| it["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"]));
        assert!(!other.unwrap().posts_secret);
        // It decides how a secret is sent, so a stored document without it is another one.
        let [one, other] =
            [json!(["client_secret_post"]), json!([])].map(|methods| parse(|it| it[AUTH_METHODS] = methods));
        assert!(!one.unwrap().is_same_as(&other.unwrap()));
    }
}
