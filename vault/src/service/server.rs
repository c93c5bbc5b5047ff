//! The authorization server of a service, as far as its client has to know it.

use mcp_edge_oauth::{
    json_members,
    provider::{Provider, ProviderLocation},
};
use serde_json::{Map, Value};

use super::{ServiceError, hosts::Hosts};

/// The members of its metadata that are read here (RFC 8414 §2, RFC 7591 §3, RFC 7009, OpenID Connect Discovery §3, OAuth
/// Client ID Metadata Document §5).
const MEMBERS: [&str; 11] = [
    "authorization_endpoint",
    "token_endpoint",
    "revocation_endpoint",
    "registration_endpoint",
    "userinfo_endpoint",
    "jwks_uri",
    "client_id_metadata_document_supported",
    "token_endpoint_auth_methods_supported",
    "code_challenge_methods_supported",
    "prompt_values_supported",
    "scopes_supported",
];

/// An endpoint that is there and may be used, that is not there, or that may not be used.
type Endpoint = Result<Option<String>, ServiceError>;

/// An authorization server. Its authorization endpoint and its token endpoint are there, and may be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationServer {
    /// Its endpoints that may be used. The issuer is empty if it has no metadata; so is `jwks_uri` if it may not be used.
    pub provider: Provider,
    /// `revocation_endpoint` (RFC 7009).
    pub revocation: Endpoint,
    /// `registration_endpoint` (RFC 7591).
    pub registration: Endpoint,
    /// Whether a URL can be a `client_id`, and a client public: `client_id_metadata_document_supported`, and `none` among the
    /// methods of the token endpoint if there is a list.
    pub takes_client_documents: bool,
    /// `token_endpoint_auth_methods_supported`.
    pub methods: Option<Vec<String>>,
    /// `prompt_values_supported` (Initiating User Registration via OpenID Connect 1.0 §4).
    pub prompts: Vec<String>,
    /// Whether it is an OpenID provider: it has keys, and `openid` among its scopes if it lists them.
    pub is_openid: bool,
}

impl AuthorizationServer {
    /// Reads metadata that was found to be of its issuer. `connection` names it for the operator.
    ///
    /// # Errors
    /// [`ServiceError::ForeignEndpoint`] of the authorization endpoint or the token endpoint; [`ServiceError::Unavailable`] if
    /// it has none, or does not support PKCE with S256.
    pub fn of_metadata(found: &Provider, hosts: &Hosts, connection: &str) -> Result<Self, ServiceError> {
        let document = found.document.as_deref().unwrap_or_default();
        let members = json_members::read(document.as_bytes(), &|name| MEMBERS.contains(&name));
        let members = members.map_err(|error| unusable(connection, &error.to_string()))?;
        let endpoint = |name: &'static str| match members.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(url)) => hosts.check(name, url).map(|()| Some(url.clone())),
            Some(_) => hosts.check(name, "").map(|()| None),
        };
        let needed = |name: &'static str| match endpoint(name) {
            Ok(None) => Err(unusable(connection, &["there is no ", name].concat())),
            found => found,
        };
        let challenges = strings(&members, "code_challenge_methods_supported");
        if challenges.is_some_and(|methods| !methods.iter().any(|method| method == "S256")) {
            return Err(unusable(connection, "code_challenge_methods_supported has no S256"));
        }
        let methods = strings(&members, "token_endpoint_auth_methods_supported");
        let is_public = methods.as_ref().is_none_or(|methods| methods.iter().any(|method| method == "none"));
        let takes_url = members.get("client_id_metadata_document_supported") == Some(&Value::Bool(true));
        let jwks_uri = endpoint("jwks_uri").ok().flatten().unwrap_or_default();
        let scopes = strings(&members, "scopes_supported");
        let mut provider = found.clone();
        provider.authorization_endpoint = needed("authorization_endpoint")?;
        provider.token_endpoint = needed("token_endpoint")?;
        provider.revocation_endpoint = endpoint("revocation_endpoint").ok().flatten();
        provider.userinfo_endpoint = endpoint("userinfo_endpoint").ok().flatten();
        provider.jwks_uri.clone_from(&jwks_uri);
        Ok(Self {
            revocation: endpoint("revocation_endpoint"),
            registration: endpoint("registration_endpoint"),
            takes_client_documents: takes_url && is_public,
            prompts: strings(&members, "prompt_values_supported").unwrap_or_default(),
            is_openid: !jwks_uri.is_empty() && scopes.is_none_or(|scopes| scopes.iter().any(|scope| scope == "openid")),
            provider,
            methods,
        })
    }

    /// Creates a server without metadata, from the endpoints of the settings.
    ///
    /// # Errors
    /// [`ServiceError::ForeignEndpoint`].
    pub fn of_endpoints(
        authorization: &str,
        token: &str,
        revocation: Option<&str>,
        hosts: &Hosts,
    ) -> Result<Self, ServiceError> {
        hosts.check("authorization_endpoint", authorization)?;
        hosts.check("token_endpoint", token)?;
        if let Some(url) = revocation {
            hosts.check("revocation_endpoint", url)?;
        }
        let mut provider = Provider::without_document(&ProviderLocation::of_issuer(""));
        provider.authorization_endpoint = Some(authorization.to_owned());
        provider.token_endpoint = Some(token.to_owned());
        provider.revocation_endpoint = revocation.map(str::to_owned);
        Ok(Self {
            revocation: Ok(provider.revocation_endpoint.clone()),
            provider,
            registration: Ok(None),
            takes_client_documents: false,
            methods: None,
            prompts: Vec::new(),
            is_openid: false,
        })
    }

    /// `prompt` for a user who wants to choose another account than the one that the service knows the browser by. What
    /// has no list is asked for a sign-in if it is an OpenID provider, where `login` is the value that all have (OpenID Connect
    /// Core §15.1). `given` is what the operator wants in any case, such as `consent`.
    #[must_use]
    pub fn prompt_for_another_account(&self, given: &str) -> String {
        let has = |value: &str| self.prompts.iter().any(|prompt| prompt == value);
        let asks = if has("select_account") || (!self.is_openid && !has("login")) { "select_account" } else { "login" };
        // `none` goes together with nothing.
        let kept = given.split_ascii_whitespace().filter(|prompt| *prompt != "none" && *prompt != asks);
        kept.chain([asks]).collect::<Vec<_>>().join(" ")
    }
}

fn unusable(connection: &str, why: &str) -> ServiceError {
    ServiceError::Unavailable(format!("connection {connection}: the metadata of its authorization server: {why}"))
}

/// A list of strings; what is another list has none of them.
fn strings(members: &Map<String, Value>, name: &str) -> Option<Vec<String>> {
    let all = members.get(name)?.as_array()?;
    Some(all.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect())
}
