//! Signing in: authorization code with PKCE (RFC 7636) as a confidential client of the provider. Signing out: here, and at
//! the provider (OpenID Connect RP-Initiated Logout 1.0).
//!
//! The request names this Worker as its resource and the scope that developers need, so what comes back is an access
//! token for ourselves. It is verified like the token of any other caller: the portal and the registration endpoint
//! cannot disagree about who may register. The ID token is used for the name alone, and for nothing that decides.

use std::rc::Rc;

use mcp_edge_oauth::{
    denial::{Denial, Excerpt, KeysOutage, ProviderVerdict},
    provider::Provider,
    resource_server::AuthTrace,
    token_endpoint::TokenEndpointError,
};
use mcp_edge_runtime::{
    http::{RequestHead, Response},
    ports::{Runtime, Services},
};
use mcp_edge_sign_in::{
    authorization::{self, AuthorizationError, AuthorizationRequest, RoundTrip},
    client::{Client, SecretMethod},
    cookie::{cookie, set_cookie},
    id_token::IdToken,
    redirect::{redirect, with_query},
    sealed::Sealer,
    session::Session,
    tokens::{self, TokenRequestError, Tokens},
};

use crate::{
    deployment::Deployment,
    platform::Platform,
    settings::{PortalClient, Settings},
};

/// The cookie of a sign-in in progress.
const COOKIE: &str = "__Host-signin";
const PURPOSE: &str = "sign-in";

/// People look for their passwords.
const SIGN_IN_SECONDS: u64 = 600;

/// Set when the next sign-in must ask who it is, even if the provider still has a session: after signing out, and for
/// users without the permission. Anybody who could set it could at most have a password asked for, so it is not sealed.
const ASK_COOKIE: &str = "sign-in-asks";

/// Longer than a session at the provider lasts (at Logto 14 days).
const ASK_SECONDS: u64 = 30 * 24 * 3_600;

/// When it makes sense to try again after an outage.
const RETRY_SECONDS: u64 = 5;

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The browser brings no code back, or not one of ours.
    #[error(transparent)]
    Authorization(AuthorizationError),
    /// The user lacks the permission to register clients.
    #[error("the user lacks the scope")]
    NotADeveloper {
        /// As verification said it.
        denial: Denial,
        /// Who signed in.
        account: Option<Box<IdToken>>,
    },
    /// The provider cannot be reached, or its answer cannot be used.
    #[error("{}", .0.reason().slug())]
    Denied(Denial),
}

impl From<AuthorizationError> for SignInError {
    fn from(error: AuthorizationError) -> Self {
        match error {
            AuthorizationError::NoEndpoint => outage(&error.to_string()).into(),
            error => Self::Authorization(error),
        }
    }
}

impl From<Denial> for SignInError {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}

/// The portal as a client of the provider.
pub struct SignIn {
    client: Client,
    key: Sealer,
    origin: String,
    issuer: String,
    resource: String,
    scopes: String,
}

impl SignIn {
    /// Creates the portal's client.
    #[must_use]
    pub fn new(client: PortalClient, key: Sealer, settings: &Settings) -> Self {
        let edge = &settings.server;
        let origin = edge.resource.origin.clone();
        let PortalClient { client_id, client_secret, .. } = client;
        Self {
            client: Client {
                client_id,
                client_secret: Some(client_secret),
                method: SecretMethod::AsSupported,
                redirect_uri: format!("{origin}/callback"),
            },
            key,
            origin,
            issuer: edge.trust.issuers.first().map(|trusted| trusted.issuer.clone()).unwrap_or_default(),
            resource: edge.resource.url.clone(),
            scopes: edge.trust.scope_prefix.requested(&edge.trust.required_scopes).to_string(),
        }
    }

    /// Sends the browser to the provider.
    pub(super) fn begin(
        &self,
        head: &RequestHead<'_>,
        provider: &Provider,
        now: u64,
        runtime: &impl Runtime,
    ) -> Result<Response, SignInError> {
        let scope = format!("openid profile {}", self.scopes);
        let request = AuthorizationRequest {
            scope: &scope,
            // Without it the token would be an opaque one for nobody in particular.
            resource: Some(&self.resource),
            // OpenID Connect Core 1.0 §3.1.2.1: the provider asks even if it knows the user.
            prompt: is_to_ask(head).then_some("login"),
            ..AuthorizationRequest::default()
        };
        let (url, begun) = authorization::begin(&self.client, provider, &request, runtime)?;
        let sealed = self.key.seal(PURPOSE, &begun, now + SIGN_IN_SECONDS, runtime);
        Ok(redirect(&url).with_header("set-cookie", set_cookie(COOKIE, &sealed, SIGN_IN_SECONDS)))
    }

    /// Takes the browser back. Also says what verification of the access token found out.
    pub(super) async fn finish<P: Platform<Services: Services>>(
        &self,
        head: &RequestHead<'_>,
        deployment: &Deployment<P>,
        now: u64,
    ) -> (Result<Session, SignInError>, Option<AuthTrace>) {
        let (tokens, nonce) = match self.tokens(head, deployment, now).await {
            Ok(tokens) => tokens,
            Err(error) => return (Err(error), None),
        };
        let authorization = format!("Bearer {}", tokens.access_token.expose());
        let as_caller = RequestHead::new("GET", "/").with_header("authorization", &authorization);
        let developer = deployment.authenticate_developer(&as_caller, now).await;
        // For the name alone: without a good ID token there is none.
        let account = match &tokens.id_token {
            Some(id_token) => deployment.verify_id_token(id_token, &self.client.client_id, &nonce, now).await,
            None => None,
        };
        let session = match developer.outcome {
            Ok(identity) if identity.client_id() == Some(&self.client.client_id) => {
                let account = account.filter(|account| account.subject == identity.subject());
                let name = account.and_then(|account| account.name).unwrap_or_else(|| identity.subject().to_owned());
                let ports = deployment.platform.services();
                Ok(Session::new(identity.issuer().to_owned(), identity.subject().to_owned(), name, ports))
            }
            Ok(identity) => Err(of_another_client(identity.client_id()).into()),
            Err(denial) => Err(match Rc::unwrap_or_clone(denial) {
                denial @ Denial::InsufficientScope { .. } => {
                    SignInError::NotADeveloper { denial, account: account.map(Box::new) }
                }
                denial => denial.into(),
            }),
        };
        (session, Some(developer.trace))
    }

    /// Redeems the code that the browser brings. Also returns the nonce of the ID token.
    async fn tokens<P: Platform<Services: Services>>(
        &self,
        head: &RequestHead<'_>,
        deployment: &Deployment<P>,
        now: u64,
    ) -> Result<(Tokens, String), SignInError> {
        let begun = cookie(head, COOKIE).and_then(|text| self.key.open::<RoundTrip>(PURPOSE, text, now));
        let code = authorization::finish(head, begun.as_ref(), &self.issuer)?;
        let RoundTrip { verifier, nonce, .. } = begun.ok_or(AuthorizationError::NotBegunHere)?;
        let provider = deployment.provider(now).await?;
        let (resource, services) = (self.resource.as_str(), deployment.platform.services());
        let tokens = tokens::redeem(&provider, &self.client, &code, &verifier, Some(resource), services).await;
        let tokens = tokens.map_err(|error| self.refused(&error))?;
        Ok((tokens, nonce))
    }

    /// Where the browser goes to end the session at the provider.
    pub(super) fn end_session(&self, endpoint: &str) -> String {
        let home = format!("{}/", self.origin);
        let parameters = [("client_id", self.client.client_id.as_str()), ("post_logout_redirect_uri", &home)];
        with_query(endpoint, &parameters)
    }

    /// The meaning of a token request without tokens. Only `invalid_grant` is about the code; everything else of OAuth's is
    /// about our own application there.
    fn refused(&self, error: &TokenRequestError) -> Denial {
        let error = match error {
            TokenRequestError::Refused(error) => error,
            TokenRequestError::NoEndpoint => return outage("no https token_endpoint"),
            error => return outage(&format!("token request: {error}")),
        };
        let fix = match error {
            TokenEndpointError::Grant => {
                return Denial::Inactive { verdict: ProviderVerdict::Other("the code was refused") };
            }
            TokenEndpointError::Outage(status) => {
                return outage(&format!("token request: status {status}"));
            }
            TokenEndpointError::Client => "check PORTAL_CLIENT_ID and PORTAL_CLIENT_SECRET".to_owned(),
            TokenEndpointError::SecretExpired => {
                "PORTAL_CLIENT_SECRET has expired: add a secret to the portal's application and set \
                                      it with `wrangler secret put PORTAL_CLIENT_SECRET`"
                    .to_owned()
            }
            TokenEndpointError::Target => format!("the provider has no API resource {} (RESOURCE)", self.resource),
            TokenEndpointError::Other(code) => {
                format!("token request: {code}: check the portal's application at the provider")
            }
        };
        Denial::Misconfigured { error: Some(Excerpt::new(&fix)) }
    }
}

/// The provider cannot be asked, for now.
fn outage(failure: &str) -> Denial {
    Denial::KeysUnavailable { cause: KeysOutage::Provider(Excerpt::new(failure)), retry_after: RETRY_SECONDS }
}

/// The access token is good, and was issued to another client than the portal.
fn of_another_client(client_id: Option<&str>) -> Denial {
    let client = client_id.map_or_else(|| "no client".to_owned(), |client| format!("client {client:?}"));
    Denial::WrongAudience { aud: Some(Excerpt::new(&client)) }
}

/// The value of `Set-Cookie` that ends a sign-in in progress.
pub(super) fn ended() -> String {
    set_cookie(COOKIE, "", 0)
}

/// The value of `Set-Cookie` that has the next sign-in not ask.
pub(super) fn need_not_ask() -> String {
    set_cookie(ASK_COOKIE, "", 0)
}

/// The value of `Set-Cookie` that has the next sign-in ask who it is.
pub(crate) fn must_ask() -> String {
    set_cookie(ASK_COOKIE, "1", ASK_SECONDS)
}

/// Whether [`must_ask`] was sent, however often the cookie comes.
fn is_to_ask(head: &RequestHead<'_>) -> bool {
    let mut names = head.header("cookie").unwrap_or_default().split(';').filter_map(|pair| pair.trim().split_once('='));
    names.any(|(name, _)| name == ASK_COOKIE)
}
