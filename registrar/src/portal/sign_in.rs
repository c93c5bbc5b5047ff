//! Signing in: authorization code with PKCE (RFC 7636) as a confidential client of the provider. Signing out: here, and at
//! the provider (OpenID Connect RP-Initiated Logout 1.0).
//!
//! The request names this Worker as its resource and the scope that developers need, so what comes back is an access
//! token for ourselves. It is verified like the token of any other caller: the portal and the registration endpoint
//! cannot disagree about who may register. The ID token is used for the name alone, and for nothing that decides.

use std::rc::Rc;

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use mcp_edge_oauth::{
    client_authentication::{basic, form_encode},
    denial::{Denial, Excerpt, KeysOutage, ProviderVerdict},
    provider::Provider,
    resource_server::AuthTrace,
    token_endpoint::TokenEndpointError,
};
use mcp_edge_runtime::{
    http::{RequestHead, Response},
    ports::{Fetch, HttpRequest, Method, RequestContent, Runtime, Services},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    form::Form,
    random_text::random_text,
    redirect::redirect,
    sealed::Sealer,
    session::{Session, cookie, set_cookie},
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

/// Time limit of the token request.
const TIMEOUT: Duration = Duration::from_secs(5);

/// When it makes sense to try again after an outage.
const RETRY_SECONDS: u64 = 5;

/// An answer with three tokens has 5 KB.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// A sign-in in progress.
#[derive(Serialize, Deserialize)]
struct Begun {
    state: String,
    verifier: String,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: String,
    id_token: Option<String>,
}

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The browser that came back is not known to have been sent.
    #[error("the sign-in was not begun here, or too long ago")]
    NotBegunHere,
    /// `iss` is not the provider that was asked (RFC 9207).
    #[error("the answer came from another provider")]
    AnotherProvider,
    /// The provider answered with an error (RFC 6749 §4.1.2.1).
    #[error("authorization: {error}")]
    Refused {
        /// What kind of error.
        refusal: Refusal,
        /// Its code, cut off.
        error: String,
    },
    /// The answer has neither a code nor an error.
    #[error("the answer has no code")]
    NoCode,
    /// The user lacks the permission to register clients.
    #[error("the user lacks the scope")]
    NotADeveloper {
        /// As verification said it.
        denial: Denial,
        /// Who signed in.
        account: Option<Account>,
    },
    /// The provider cannot be reached, or its answer cannot be used.
    #[error("{}", .0.reason().slug())]
    Denied(Denial),
}

/// The kinds of errors of an authorization endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The user did not want to.
    Cancelled,
    /// The provider failed.
    Outage,
    /// Anything else.
    Other,
}

impl From<Denial> for SignInError {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}

/// The portal as a client of the provider.
pub struct SignIn {
    client: PortalClient,
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
        Self {
            client,
            key,
            origin: edge.resource.origin.clone(),
            issuer: edge.trust.issuers.first().map(|trusted| trusted.issuer.clone()).unwrap_or_default(),
            resource: edge.resource.url.clone(),
            scopes: edge.trust.scope_prefix.requested(&edge.trust.required_scopes).to_string(),
        }
    }

    /// Sends the browser to the provider.
    pub(super) fn begin(
        &self,
        head: &RequestHead<'_>,
        provider: Provider,
        now: u64,
        runtime: &impl Runtime,
    ) -> Result<Response, SignInError> {
        let missing = || outage("no https authorization_endpoint");
        let endpoint = provider.authorization_endpoint.ok_or_else(missing)?;
        let begun = Begun { state: random_text(runtime), verifier: random_text(runtime) };
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&begun.verifier));
        let (redirect_uri, scope) = (self.redirect_uri(), format!("openid profile {}", self.scopes));
        let mut parameters = vec![
            ("response_type", "code"),
            ("client_id", &self.client.client_id),
            ("redirect_uri", &redirect_uri),
            ("scope", &scope),
            ("resource", &self.resource),
            ("state", &begun.state),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        if is_to_ask(head) {
            // OpenID Connect Core 1.0 §3.1.2.1: the provider asks even if it knows the user.
            parameters.push(("prompt", "login"));
        }
        let sealed = self.key.seal(PURPOSE, &begun, now + SIGN_IN_SECONDS, runtime);
        Ok(redirect(&with_query(&endpoint, &parameters))
            .with_header("set-cookie", set_cookie(COOKIE, &sealed, SIGN_IN_SECONDS)))
    }

    /// Takes the browser back. Also says what verification of the access token found out.
    pub(super) async fn finish<P: Platform<Services: Services>>(
        &self,
        head: &RequestHead<'_>,
        deployment: &Deployment<P>,
        now: u64,
    ) -> (Result<Session, SignInError>, Option<AuthTrace>) {
        let tokens = match self.tokens(head, deployment, now).await {
            Ok(tokens) => tokens,
            Err(error) => return (Err(error), None),
        };
        let authorization = format!("Bearer {}", tokens.access_token);
        let as_caller = RequestHead::new("GET", "/").with_header("authorization", &authorization);
        let developer = deployment.authenticate_developer(&as_caller, now).await;
        let account = tokens.id_token.as_deref().and_then(Account::in_token);
        let session = match developer.outcome {
            Ok(identity) if identity.client_id() == Some(&self.client.client_id) => {
                let account = account.filter(|account| account.subject == identity.subject());
                let name = account.and_then(|account| account.name).unwrap_or_else(|| identity.subject().to_owned());
                let ports = deployment.platform.services();
                Ok(Session::new(identity.issuer().to_owned(), identity.subject().to_owned(), name, ports))
            }
            Ok(identity) => Err(of_another_client(identity.client_id()).into()),
            Err(denial) => Err(match Rc::unwrap_or_clone(denial) {
                denial @ Denial::InsufficientScope { .. } => SignInError::NotADeveloper { denial, account },
                denial => denial.into(),
            }),
        };
        (session, Some(developer.trace))
    }

    /// Redeems the code that the browser brings: (1) is it the one that went, (2) what did the provider say, (3) the token
    /// endpoint.
    async fn tokens<P: Platform<Services: Services>>(
        &self,
        head: &RequestHead<'_>,
        deployment: &Deployment<P>,
        now: u64,
    ) -> Result<Tokens, SignInError> {
        let answer = Form::parse(head.query());
        // (1) Otherwise the victim of a forged callback link would work in the attacker's account.
        let begun = cookie(head, COOKIE).and_then(|text| self.key.open::<Begun>(PURPOSE, text, now));
        let begun = begun.filter(|begun| begun.state == answer.first("state")).ok_or(SignInError::NotBegunHere)?;
        // (2) `iss` of RFC 9207, if the provider sends it.
        let (iss, error) = (answer.first("iss"), answer.first("error"));
        if !iss.is_empty() && iss != self.issuer {
            return Err(SignInError::AnotherProvider);
        }
        if !error.is_empty() {
            let refusal = match error {
                "access_denied" => Refusal::Cancelled,
                "temporarily_unavailable" | "server_error" => Refusal::Outage,
                _ => Refusal::Other,
            };
            return Err(SignInError::Refused { refusal, error: error.chars().take(60).collect() });
        }
        let code = answer.first("code");
        if code.is_empty() {
            return Err(SignInError::NoCode);
        }
        // (3)
        Ok(self.redeem(deployment, code, &begun.verifier, now).await?)
    }

    async fn redeem<P: Platform<Services: Services>>(
        &self,
        deployment: &Deployment<P>,
        code: &str,
        verifier: &str,
        now: u64,
    ) -> Result<Tokens, Denial> {
        let provider = deployment.provider(now).await?;
        let endpoint = provider.token_endpoint.ok_or_else(|| outage("no https token_endpoint"))?;
        // Without `resource` the token would be an opaque one for nobody in particular.
        let form = format!(
            "grant_type=authorization_code&code={}&redirect_uri={}&code_verifier={verifier}&resource={}",
            form_encode(code),
            form_encode(&self.redirect_uri()),
            form_encode(&self.resource),
        );
        let authorization = basic(&self.client.client_id, self.client.client_secret.expose());
        let call = HttpRequest {
            method: Method::POST,
            url: &endpoint,
            authorization: Some(&authorization),
            body: RequestContent::Form(&form),
            timeout: TIMEOUT,
            max_body: MAX_ANSWER_BYTES,
        };
        let reply = deployment.platform.services().fetch(call).await;
        let reply = reply.map_err(|error| outage(&format!("token request: {error}")))?;
        match reply.status {
            200 => serde_json::from_str(&reply.body).map_err(|_| outage("token request: no tokens")),
            _ => Err(refused(&TokenEndpointError::of(&reply), &self.resource)),
        }
    }

    /// Where the browser goes to end the session at the provider.
    pub(super) fn end_session(&self, endpoint: &str) -> String {
        let home = format!("{}/", self.origin);
        let parameters = [("client_id", self.client.client_id.as_str()), ("post_logout_redirect_uri", &home)];
        with_query(endpoint, &parameters)
    }

    fn redirect_uri(&self) -> String {
        format!("{}/callback", self.origin)
    }
}

/// The meaning of an error response of the token endpoint. Only `invalid_grant` is about the code; everything else of
/// OAuth's is about our own application there.
fn refused(error: &TokenEndpointError, resource: &str) -> Denial {
    let fix = match error {
        TokenEndpointError::Grant => {
            return Denial::Inactive { verdict: ProviderVerdict::Other("the code was refused") };
        }
        TokenEndpointError::Outage(status) => {
            return outage(&format!("token request: status {status} without an OAuth error"));
        }
        TokenEndpointError::Client => "check PORTAL_CLIENT_ID and PORTAL_CLIENT_SECRET".to_owned(),
        TokenEndpointError::SecretExpired => {
            "PORTAL_CLIENT_SECRET has expired: add a secret to the portal's application and set \
                                      it with `wrangler secret put PORTAL_CLIENT_SECRET`"
                .to_owned()
        }
        TokenEndpointError::Target => format!("the provider has no API resource {resource} (RESOURCE)"),
        TokenEndpointError::Other(code) => {
            format!("token request: {code}: check the portal's application at the provider")
        }
    };
    Denial::Misconfigured { error: Some(Excerpt::new(&fix)) }
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

/// The account in an ID token that came straight from the provider (OpenID Connect Core §3.1.3.7 allows to trust the
/// connection). For display only.
#[derive(Debug)]
pub struct Account {
    /// `sub`
    pub subject: String,
    /// The name at the provider.
    pub name: Option<String>,
}

impl Account {
    fn in_token(id_token: &str) -> Option<Self> {
        let claims = BASE64_URL_SAFE_NO_PAD.decode(id_token.split('.').nth(1)?).ok()?;
        let claims: Value = serde_json::from_slice(&claims).ok()?;
        let short = |text: &str| text.chars().take(60).collect();
        let name = ["name", "username", "preferred_username"].iter().find_map(|claim| claims[*claim].as_str());
        Some(Self { subject: short(claims["sub"].as_str()?), name: name.map(short) })
    }
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

/// An endpoint of the provider with parameters.
fn with_query(endpoint: &str, parameters: &[(&str, &str)]) -> String {
    let query: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={}", form_encode(value))).collect();
    let separator = if endpoint.contains('?') { '&' } else { '?' };
    format!("{endpoint}{separator}{}", query.join("&"))
}
