//! The pages and addresses below `/account`.
//!
//! | address | what it is |
//! |---|---|
//! | `GET /account` | leads to the connected accounts if there are any to connect, or else to the keys |
//! | `GET /account/sign-in`, `GET /account/callback`, `POST /account/sign-out` | in and out |
//! | `GET`, `POST /account/keys` | one's keys; making one |
//! | `GET`, `POST /account/keys/{id}` | one key; replacing and revoking it, with a question first (`GET …?action=…`) |
//! | `POST /account/keys/revoke` | revokes the key in the form (RFC 7009) |
//! | `POST /account/keys/github-alert` | revokes the keys that GitHub found |
//! | `POST /account/administration` | commands of the operator |
//! | `/account/connect/{id}`, `/account/connections…` | connected accounts, if there are any to connect, or may be some left: see [`connect`] |
//! | `GET /account/style.css`, `/account/script.js` | style and script |
//!
//! An endpoint passes requests on, and is not believed about who sends them: neither `authorization` nor the host nor
//! any header but the cookies of a browser says who the user is. Everything works without scripts.

use std::rc::Rc;

use mcp_edge_oauth::denial::Denial;
use mcp_edge_runtime::{
    app::{self, App},
    context::RequestContext,
    http::{BodyError, HeaderNames, RequestBody, RequestHead, Response},
    log::LogSettings,
};
use mcp_edge_sign_in::{
    form::Form,
    own_page::is_from_own_page,
    redirect::redirect,
    sealed::Sealer,
    session::{Session, SessionKind, Sessions},
};
use serde_json::json;

use crate::{
    administration::{self, Remembered},
    connect::{self, route::ConnectRoute, servers::Servers},
    deployment::Deployment,
    pages::{CONNECTIONS_PATH, KEYS_PATH, Pages, SCRIPT_PATH, STYLE_PATH, message::Failure},
    platform::Platform,
    revocation,
    settings::{CALLBACK_PATH, Settings},
    sign_in::{self, pending::PendingCookies},
    user_keys,
    visit::{Outcome, Visit},
};

/// The longest body: an alert with a hundred findings.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// Separates the keys that cookies are sealed with from others made of `VAULT_SECRET`.
const SEALING_LABEL: &str = "mcp-edge account cookie v1 ";

/// Sessions last an hour; signing in again takes no password as long as the provider remembers its user.
const SESSION: SessionKind = SessionKind { cookie: "__Host-account", purpose: "session", seconds: 3_600 };

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// The vault's pages. Created once per isolate.
pub struct Vault<P> {
    deployment: Deployment<P>,
    pages: Pages,
    sessions: Sessions,
    pending: PendingCookies,
    remembered: Remembered,
    /// `None`: no accounts can be connected, and none are left.
    servers: Option<Rc<dyn Servers>>,
}

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route<'a> {
    Account,
    Style,
    Script,
    SignIn,
    Callback,
    SignOut,
    Keys,
    Key(&'a str),
    RevokeByHolder,
    Alert,
    Administration,
    Connect(ConnectRoute<'a>),
}

impl<'a> Route<'a> {
    /// `None`: there is no such page.
    fn of(path: &'a str) -> Option<Self> {
        Some(match path {
            "/account" | "/account/" => Self::Account,
            STYLE_PATH => Self::Style,
            SCRIPT_PATH => Self::Script,
            "/account/sign-in" => Self::SignIn,
            CALLBACK_PATH => Self::Callback,
            "/account/sign-out" => Self::SignOut,
            KEYS_PATH => Self::Keys,
            "/account/keys/revoke" => Self::RevokeByHolder,
            "/account/keys/github-alert" => Self::Alert,
            "/account/administration" => Self::Administration,
            _ => match path.strip_prefix("/account/keys/") {
                Some(id) if id.bytes().all(|byte| byte.is_ascii_alphanumeric()) => Self::Key(id),
                _ => Self::Connect(ConnectRoute::of(path)?),
            },
        })
    }

    /// The methods that it has.
    const fn methods(self) -> &'static str {
        match self {
            Self::Keys | Self::Key(_) => "GET, POST",
            Self::SignOut | Self::RevokeByHolder | Self::Alert | Self::Administration => "POST",
            Self::Account | Self::Style | Self::Script | Self::SignIn | Self::Callback => "GET",
            Self::Connect(route) => route.methods(),
        }
    }

    /// The media type that a body must have. One of a form is what a page of another site could send as well; then nothing
    /// but the token of the session counts.
    const fn media_type(self) -> &'static str {
        match self {
            Self::Alert | Self::Administration => JSON,
            _ => FORM,
        }
    }
}

impl<P: Platform> Vault<P> {
    /// Creates a vault without anything cached.
    #[must_use]
    pub fn new(settings: Settings, platform: P) -> Self {
        Self::of(Deployment::new(settings, platform))
    }

    /// Creates the pages of a deployment without connected accounts.
    #[must_use]
    pub fn of(deployment: Deployment<P>) -> Self {
        Self::connecting(deployment, None)
    }

    /// The same with connected accounts, at these authorization servers, if the settings name any that can be connected, or what
    /// is left of earlier ones is sealed with: its users can still disconnect it.
    #[must_use]
    pub fn connecting(deployment: Deployment<P>, servers: Option<Rc<dyn Servers>>) -> Self {
        let Settings { connections, connections_secret, .. } = &deployment.settings;
        let has_connections = connections.of_accounts().next().is_some();
        let servers = servers.filter(|_| has_connections || connections_secret.is_some());
        let pages = Pages::new(&deployment.settings, servers.is_some());
        let sealer = Sealer::new(SEALING_LABEL, &deployment.settings.secret, &deployment.settings.server.resource.url);
        Self {
            sessions: Sessions::new(sealer.clone(), SESSION),
            pending: PendingCookies::new(sealer),
            remembered: Remembered::default(),
            servers,
            pages,
            deployment,
        }
    }

    async fn route(&self, head: &RequestHead<'_>, body: impl RequestBody, now: u64) -> Outcome {
        let session = self.sessions.read(head, now);
        let visit = Visit {
            head,
            now,
            deployment: &self.deployment,
            pages: &self.pages,
            sessions: &self.sessions,
            pending: &self.pending,
            session,
        };
        let subject = visit.session.as_ref().map(|session| session.subject.clone());
        let mut outcome = self.answer(&visit, body).await;
        outcome.subject = outcome.subject.or(subject);
        outcome
    }

    async fn answer(&self, visit: &Visit<'_, P>, body: impl RequestBody) -> Outcome {
        let (head, session) = (visit.head, visit.session.as_ref());
        let route = Route::of(head.path());
        let route = route.filter(|route| self.servers.is_some() || !matches!(route, Route::Connect(_)));
        let Some(route) = route else { return self.pages.not_found(session).into() };
        let admin_secret = self.deployment.settings.admin_secret.as_ref();
        if route == Route::Administration && admin_secret.is_none() {
            return self.pages.not_found(session).into();
        }
        if !route.methods().split(", ").any(|method| method == head.method()) {
            return Response::empty(405).with_header("allow", route.methods()).into();
        }
        match head.method() {
            "GET" => return self.get(visit, route).await,
            "HEAD" => return without_body(self.get(visit, route).await),
            _ => {}
        }
        let media_type = head.header("content-type").unwrap_or_default();
        let media_type = media_type.split(';').next().unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case(route.media_type()) {
            let why = format!("The body must be {}.", route.media_type());
            return self.pages.failure(session, &Failure::new(415, "Not done", why)).into();
        }
        let body = match body.text(MAX_BODY_BYTES).await {
            Ok(body) => body,
            Err(error) => {
                let status = if error == BodyError::TooLarge { 413 } else { 400 };
                let page =
                    self.pages.failure(session, &Failure::new(status, "Not done", "The form could not be read."));
                return Outcome::from(page).because(error.to_string());
            }
        };
        match route {
            Route::RevokeByHolder => revocation::by_holder(&self.deployment, &Form::parse(&body)).await,
            Route::Alert => revocation::by_alert(&self.deployment, &body).await,
            Route::Administration => {
                let Some(secret) = admin_secret else { return self.pages.not_found(session).into() };
                administration::handle(&self.deployment, secret, &self.remembered, &body, visit.now).await
            }
            _ => self.post(visit, route, &Form::parse(&body)).await,
        }
    }

    async fn get(&self, visit: &Visit<'_, P>, route: Route<'_>) -> Outcome {
        match (route, visit.session.as_ref()) {
            (Route::Style, _) => self.pages.style().into(),
            (Route::Script, _) => Pages::script().into(),
            (Route::Account, _) => {
                let is_offered = self.servers.is_some() && visit.connections().next().is_some();
                redirect(if is_offered { CONNECTIONS_PATH } else { KEYS_PATH }).into()
            }
            (Route::SignIn, _) => sign_in::begin(visit).await,
            (Route::Callback, _) => sign_in::finish(visit).await,
            (Route::Keys, Some(session)) => user_keys::list(visit, session, (&Form::default(), &[])).await,
            (Route::Key(id), Some(session)) => user_keys::one(visit, session, id).await,
            (Route::Keys, None) => self.pages.welcome().into(),
            (Route::Key(_), None) => redirect("/account/sign-in").into(),
            (Route::Connect(route), _) => match &self.servers {
                Some(servers) => connect::get(visit, &**servers, route).await,
                None => self.pages.not_found(None).into(),
            },
            _ => self.pages.not_found(None).into(),
        }
    }

    /// Carries out a form of one of our own pages: from our origin, with the session's token.
    async fn post(&self, visit: &Visit<'_, P>, route: Route<'_>, form: &Form) -> Outcome {
        let Some(session) = visit.session.as_ref().filter(|session| self.is_trusted(visit.head, session, form)) else {
            let destination = match route {
                Route::Connect(route) => Some(route.destination()),
                _ => None,
            };
            return self.pages.not_from_here(visit.session.as_ref(), destination.as_ref()).into();
        };
        match route {
            Route::SignOut => sign_in::sign_out(visit).await,
            Route::Keys => user_keys::create(visit, session, form).await,
            Route::Key(id) => user_keys::change(visit, session, id, form).await,
            Route::Connect(route) => match &self.servers {
                Some(servers) => connect::post(visit, &**servers, session, route, form).await,
                None => self.pages.not_found(Some(session)).into(),
            },
            _ => self.pages.not_found(Some(session)).into(),
        }
    }

    /// Whether a form is one of this session, and not known to come from elsewhere.
    fn is_trusted(&self, head: &RequestHead<'_>, session: &Session, form: &Form) -> bool {
        is_from_own_page(head, &self.deployment.settings.server.resource.origin) && session.is_token(form.first("csrf"))
    }
}

impl<P: Platform> App for Vault<P> {
    /// Browsers go away, and a key that is being made must not stay half done.
    const CONTINUES_AFTER_DISCONNECT: bool = true;

    fn header_names(&self) -> HeaderNames {
        let always = ["content-type", "cookie", "origin", "sec-fetch-site"];
        HeaderNames { always: always.map(str::to_owned).into(), of_messages: Vec::new(), of_others: Vec::new() }
    }

    fn log_settings(&self) -> LogSettings {
        self.deployment.settings.log
    }

    async fn handle(&self, head: &RequestHead<'_>, body: impl RequestBody, context: &RequestContext) -> app::Handled {
        let with_subject = self.deployment.settings.log.subject;
        match self.deployment.issuer(context.now) {
            Ok(_) => self.route(head, body, context.now).await.into_handled(with_subject),
            Err(denial) => {
                let detail = denial.detail().unwrap_or_default();
                Outcome::from(misconfigured()).because(detail).into_handled(with_subject)
            }
        }
    }

    fn misconfigured(_: &RequestHead<'_>) -> Response {
        misconfigured()
    }
}

/// What a HEAD is answered with: the headers of the page.
fn without_body(mut outcome: Outcome) -> Outcome {
    outcome.response.body = Response::empty(200).body;
    outcome
}

/// The response while the settings are wrong. The log says which.
fn misconfigured() -> Response {
    let public = Denial::Misconfigured { error: None }.reason().to_public();
    let body = json!({ "error": public.error, "error_description": public.description });
    Response::json(public.status, body.to_string()).with_header("cache-control", "no-store")
}

#[cfg(test)]
mod tests;
