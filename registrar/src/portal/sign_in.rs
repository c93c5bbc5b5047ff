//! Signing in: authorization code with PKCE (RFC 7636) as a confidential client of the provider. Signing out: here, and at
//! the provider (OpenID Connect RP-Initiated Logout 1.0).
//!
//! The request names this Worker as its resource and the scope that developers need, so what comes back is an access
//! token for ourselves. It is verified like the token of any other caller: the portal and the registration endpoint
//! cannot disagree about who may register. The ID token is used for the name alone, and for nothing that decides.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use mcp_edge::{
    http::{RequestHead, Response},
    log::AccessLog,
    oauth::{
        client_authentication::{basic, form_encode},
        denial::{Denial, Reason},
    },
    ports::{Content, Method, Outgoing, Ports},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    Portal, Visit,
    form::Form,
    random_text, redirect,
    session::{Session, Sessions, cookie, set_cookie},
};
use crate::{store::RegistrationStore, token_endpoint::TokenError};

/// What a sign-in that has begun is remembered by.
const COOKIE: &str = "__Host-signin";
const PURPOSE: &str = "sign-in";

/// People look for their passwords.
const SIGN_IN_SECONDS: u64 = 600;

/// Set when the next sign-in must ask who it is, whatever session the provider still has: after signing out, and for
/// whoever lacks the permission. Anybody who could set it could at most have a password asked for, so it is not sealed.
const ASK_COOKIE: &str = "sign-in-asks";

/// Longer than a session at the provider lasts (at Logto 14 days).
const ASK_SECONDS: u64 = 30 * 24 * 3_600;

/// For the token request.
const TIMEOUT: Duration = Duration::from_secs(5);

/// When it makes sense to try again after an outage.
const RETRY_SECONDS: u64 = 5;

/// An answer with three tokens has 5 KB.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// What must be the same when the browser comes back.
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

impl Portal {
    /// Sends the browser to the provider.
    pub(crate) async fn begin_sign_in<S: RegistrationStore, P: Ports>(
        &self,
        visit: &Visit<'_, S, P>,
        log: &mut AccessLog,
    ) -> Response {
        let Visit { registrar, exchange, .. } = visit;
        let endpoint = match registrar.provider(exchange).await {
            Ok(provider) => provider.authorization_endpoint,
            Err(denial) => return self.denied(&denial, log),
        };
        let Some(endpoint) = endpoint else {
            return self.denied(&Denial::new(Reason::KeysUnavailable, "no https authorization_endpoint"), log);
        };
        let begun = Begun { state: random_text(&exchange.ports), verifier: random_text(&exchange.ports) };
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
        if is_to_ask(visit.head) {
            // OpenID Connect Core 1.0 §3.1.2.1: the provider asks even if it knows the user.
            parameters.push(("prompt", "login"));
        }
        let sealed = self.sessions.key().seal(PURPOSE, &begun, exchange.now + SIGN_IN_SECONDS, &exchange.ports);
        redirect(&with_query(&endpoint, &parameters))
            .with_header("set-cookie", set_cookie(COOKIE, &sealed, SIGN_IN_SECONDS))
    }

    /// Takes the browser back: (1) is it the one that went, (2) what did the provider say, (3) redeem the code,
    /// (4) verify the token, (5) begin a session.
    pub(crate) async fn finish_sign_in<S: RegistrationStore, P: Ports>(
        &self,
        visit: &Visit<'_, S, P>,
        log: &mut AccessLog,
    ) -> Response {
        let Visit { head, registrar, exchange } = visit;
        let answer = Form::parse(head.query());
        // (1) Whoever follows a link of somebody else's sign-in would work in that somebody's account.
        let begun =
            cookie(head, COOKIE).and_then(|text| self.sessions.key().open::<Begun>(PURPOSE, text, exchange.now));
        let Some(begun) = begun.filter(|begun| begun.state == answer.first("state")) else {
            return self.pages.sign_in_failed(400, "This sign-in was begun in another window, or too long ago.");
        };
        // (2) `iss` of RFC 9207, if the provider sends it.
        let issuer = &registrar.settings.edge.trust.issuers[0].issuer;
        let (iss, error) = (answer.first("iss"), answer.first("error"));
        if !iss.is_empty() && iss != issuer {
            return self.pages.sign_in_failed(400, "The answer came from another provider than was asked.");
        }
        if !error.is_empty() {
            let (status, explanation) = match error {
                "access_denied" => (403, "The sign-in was cancelled."),
                "temporarily_unavailable" | "server_error" => (503, "The identity provider failed, try again later."),
                _ => (403, "The identity provider refused the sign-in; the operator's log says more."),
            };
            log.detail = Some(format!("authorization: {}", error.chars().take(60).collect::<String>()));
            return self.pages.sign_in_failed(status, explanation);
        }
        let code = answer.first("code");
        if code.is_empty() {
            return self.pages.sign_in_failed(400, "The answer has no code.");
        }
        // (3)
        let tokens = match self.redeem(visit, code, &begun.verifier).await {
            Ok(tokens) => tokens,
            Err(denial) => return self.denied(&denial, log),
        };
        // (4)
        let authorization = format!("Bearer {}", tokens.access_token);
        let as_caller = RequestHead::new("GET", "/").with_header("authorization", &authorization);
        let identity = match registrar.developer(&as_caller, exchange, log).await {
            Ok(identity) if identity.client_id.as_deref() == Some(&self.client.client_id) => identity,
            Ok(_) => return self.denied(&Denial::new(Reason::WrongAudience, "a token of another client"), log),
            Err(denial) if denial.reason == Reason::InsufficientScope => {
                log.note_denial(&denial);
                let account = tokens.id_token.as_deref().and_then(Account::in_token);
                return self.pages.not_a_developer(account.as_ref()).with_header("set-cookie", must_ask());
            }
            Err(denial) => return self.denied(&denial, log),
        };
        // (5)
        let account = tokens.id_token.as_deref().and_then(Account::in_token);
        let account = account.filter(|account| account.subject == identity.subject);
        let name = account.and_then(|account| account.name).unwrap_or_else(|| identity.subject.clone());
        let session = Session::new(identity.issuer.clone(), identity.subject.clone(), name, &exchange.ports);
        let mut response = redirect("/");
        response.headers.push(("set-cookie", set_cookie(COOKIE, "", 0).into()));
        response.headers.push(("set-cookie", set_cookie(ASK_COOKIE, "", 0).into()));
        response.headers.push(("set-cookie", self.sessions.begun(&session, exchange.now, &exchange.ports).into()));
        response
    }

    /// Ends the session here, then at the provider, and has the next sign-in ask in any case: the provider may not know our
    /// address after signing out, or may not offer to sign out at all.
    pub(crate) async fn sign_out<S: RegistrationStore, P: Ports>(&self, visit: &Visit<'_, S, P>) -> Response {
        let provider = visit.registrar.provider(visit.exchange).await;
        let mut response = match provider.ok().and_then(|provider| provider.end_session_endpoint) {
            Some(endpoint) => {
                let home = format!("{}/", self.origin);
                let parameters = [("client_id", self.client.client_id.as_str()), ("post_logout_redirect_uri", &home)];
                self.pages.signing_out(&with_query(&endpoint, &parameters))
            }
            None => redirect("/"),
        };
        response.headers.push(("set-cookie", Sessions::cleared().into()));
        response.headers.push(("set-cookie", must_ask().into()));
        response
    }

    async fn redeem<S: RegistrationStore, P: Ports>(
        &self,
        visit: &Visit<'_, S, P>,
        code: &str,
        verifier: &str,
    ) -> Result<Tokens, Denial> {
        let outage = |detail: String| Denial::unavailable(Reason::KeysUnavailable, RETRY_SECONDS, detail);
        let provider = visit.registrar.provider(visit.exchange).await?;
        let endpoint = provider.token_endpoint.ok_or_else(|| outage("no https token_endpoint".to_owned()))?;
        // Without `resource` the token would be an opaque one for nobody in particular.
        let form = format!(
            "grant_type=authorization_code&code={}&redirect_uri={}&code_verifier={verifier}&resource={}",
            form_encode(code),
            form_encode(&self.redirect_uri()),
            form_encode(&self.resource),
        );
        let authorization = basic(&self.client.client_id, self.client.client_secret.expose());
        let call = Outgoing {
            method: Method::Post,
            url: &endpoint,
            authorization: Some(&authorization),
            content: Content::Form(&form),
            timeout: TIMEOUT,
            max_body: MAX_ANSWER_BYTES,
        };
        let reply =
            visit.exchange.ports.fetch(call).await.map_err(|error| outage(format!("token request: {error}")))?;
        match reply.status {
            200 => serde_json::from_str(&reply.body).map_err(|_| outage("token request: no tokens".to_owned())),
            _ => Err(refused(&TokenError::of(&reply), &self.resource)),
        }
    }

    fn redirect_uri(&self) -> String {
        format!("{}/callback", self.origin)
    }

    fn denied(&self, denial: &Denial, log: &mut AccessLog) -> Response {
        log.note_denial(denial);
        let face = denial.reason.face();
        let explanation = match face.status {
            503 => "The identity provider cannot be reached right now.",
            500 => "This server is not set up correctly; its log says what to mend.",
            _ => "The identity provider's answer could not be used.",
        };
        self.pages.sign_in_failed(face.status.max(400), explanation)
    }
}

/// What an answer of the token endpoint without tokens means. Only `invalid_grant` is about the code; everything else of
/// OAuth's is about our own application there.
fn refused(error: &TokenError, resource: &str) -> Denial {
    let fix = match error {
        TokenError::Grant => return Denial::new(Reason::Inactive, "the code was refused"),
        TokenError::Outage(status) => {
            let detail = format!("token request: status {status} without an OAuth error");
            return Denial::unavailable(Reason::KeysUnavailable, RETRY_SECONDS, detail);
        }
        TokenError::Client => "check PORTAL_CLIENT_ID and PORTAL_CLIENT_SECRET".to_owned(),
        TokenError::SecretExpired => {
            "PORTAL_CLIENT_SECRET has expired: add a secret to the portal's application and set \
                                      it with `wrangler secret put PORTAL_CLIENT_SECRET`"
                .to_owned()
        }
        TokenError::Target => format!("the provider has no API resource {resource} (RESOURCE)"),
        TokenError::Other(code) => format!("token request: {code}: check the portal's application at the provider"),
    };
    Denial::new(Reason::Misconfigured, fix)
}

/// The account in an ID token that came straight from the provider (OpenID Connect Core §3.1.3.7 allows to trust the
/// connection). For display only.
pub struct Account {
    /// `sub`
    pub subject: String,
    /// What the provider calls it.
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
