//! The developer portal: pages on which a signed-in developer makes and manages their applications.
//!
//! | module | contents |
//! |---|---|
//! | [`sign_in`] | authorization code with PKCE at the provider; signing out there |
//! | [`session`] | the sessions of developers |
//! | [`applications`] | what a developer does with their applications |
//! | [`form`] | forms as client metadata |
//! | [`public_error`] | errors of the portal, and what users see of each |
//! | [`pages`] | the pages |
//!
//! The client at the provider, sessions, forms and the escaping of text are those of [`mcp_edge_sign_in`].
//!
//! | address | what it is |
//! |---|---|
//! | `GET /` | one's applications; signed out: what this is, and the way in |
//! | `GET /sign-in`, `GET /callback`, `POST /sign-out` | in and out |
//! | `GET /applications/new`, `POST /applications` | a form, and making an application |
//! | `GET`, `POST /applications/{id}` | one application: look at it, change it |
//! | `POST /applications/{id}/secret`, `…/delete` | a new secret; removal, with a question first (`GET …/delete`) |
//! | `POST /check` | what is wrong with a form that is being filled in, as JSON |
//! | `GET /portal.css`, `/portal.js` | style; checks while typing, which the pages do without |
//!
//! Everything works without scripts. A developer reaches their own applications only: every page takes the record by
//! its id *and* its owner, and somebody else's is as unknown as one that does not exist.

pub mod applications;
pub mod form;
pub mod pages;
pub mod public_error;
pub mod session;
pub mod sign_in;
mod visit;

use mcp_edge_runtime::{
    http::{RequestHead, Response},
    ports::Services,
};
use mcp_edge_sign_in::{
    form::Form,
    own_page::is_from_own_page,
    redirect::redirect,
    session::{Session, Sessions},
};

use self::{pages::Pages, sign_in::SignIn, visit::Visit};
use crate::{
    client_request::ClientRequest,
    deployment::Deployment,
    handled::{Findings, Handled},
    platform::Platform,
    settings::{PortalClient, Settings},
};

const STYLE: &str = include_str!("portal.css");
const SCRIPT: &str = include_str!("portal.js");

/// The portal of this deployment.
pub struct Portal {
    origin: String,
    sessions: Sessions,
    sign_in: SignIn,
    pages: Pages,
}

impl Portal {
    /// Creates a portal that is this client at the provider.
    #[must_use]
    pub fn new(client: PortalClient, settings: &Settings) -> Self {
        let key = session::sealer(&client.session_secret, &settings.server.resource.url);
        Self {
            origin: settings.server.resource.origin.clone(),
            sessions: session::sessions(key.clone()),
            sign_in: SignIn::new(client, key, settings),
            pages: Pages::new(settings),
        }
    }

    /// Answers a request.
    pub(crate) async fn handle<P: Platform<Services: Services>>(
        &self,
        request: &ClientRequest<'_>,
        deployment: &Deployment<P>,
    ) -> Handled {
        let visit = Visit { request, deployment, pages: &self.pages };
        let head = request.head;
        let session = self.sessions.read(head, request.now);
        let segments: Vec<&str> = head.path().trim_matches('/').split('/').collect();
        match (head.method(), segments.as_slice()) {
            ("GET", ["portal.css"]) => return asset("text/css; charset=utf-8", STYLE).into(),
            ("GET", ["portal.js"]) => return asset("text/javascript; charset=utf-8", SCRIPT).into(),
            ("GET", ["sign-in"]) => return self.begin_sign_in(&visit).await,
            ("GET", ["callback"]) => return self.finish_sign_in(&visit).await,
            ("GET", [""]) if session.is_none() => return self.pages.welcome().into(),
            _ => {}
        }
        match session {
            Some(session) => {
                let mut handled = self.signed_in(&visit, &session, segments.as_slice()).await;
                handled.findings.subject = Some(session.subject);
                handled
            }
            None => self.signed_out(head, segments.as_slice()).into(),
        }
    }

    /// Answers a request without a session for what needs one: a form that was filled in for longer than a session lasts,
    /// for example.
    fn signed_out(&self, head: &RequestHead<'_>, segments: &[&str]) -> Response {
        match (head.method(), segments) {
            ("GET", _) => redirect("/sign-in"),
            // It is not known any more whose form it is, so the session at the provider is left alone, and the next
            // sign-in asks. A page of somebody else's must not cause that.
            ("POST", ["sign-out"]) if self.is_from_here(head) => {
                self.pages.signed_out(403).with_header("set-cookie", sign_in::must_ask())
            }
            _ => self.pages.signed_out(403),
        }
    }

    async fn signed_in<P: Platform<Services: Services>>(
        &self,
        visit: &Visit<'_, P>,
        session: &Session,
        segments: &[&str],
    ) -> Handled {
        let method = visit.request.head.method();
        let form = match method {
            "GET" => Form::default(),
            "POST" => match self.trusted_form(visit, session) {
                Some(form) => form,
                None => return self.pages.not_from_here(session).into(),
            },
            _ => return Response::empty(405).with_header("allow", "GET, POST").into(),
        };
        match (method, segments) {
            ("POST", ["sign-out"]) => self.sign_out(visit).await.into(),
            _ => applications::handle(visit, session, method, segments, form).await,
        }
    }

    /// A form that one of our own pages sent: from our origin, with the session's token.
    fn trusted_form<P>(&self, visit: &Visit<'_, P>, session: &Session) -> Option<Form> {
        let body = visit.request.body.as_ref().ok()?;
        let form = Form::parse(body);
        (self.is_from_here(visit.request.head) && session.is_token(form.first("csrf"))).then_some(form)
    }

    fn is_from_here(&self, head: &RequestHead<'_>) -> bool {
        is_from_own_page(head, &self.origin)
    }

    /// Sends the browser to the provider.
    async fn begin_sign_in<P: Platform<Services: Services>>(&self, visit: &Visit<'_, P>) -> Handled {
        let ports = visit.deployment.platform.services();
        let begun = match visit.deployment.provider(visit.request.now).await {
            Ok(provider) => self.sign_in.begin(visit.request.head, &provider, visit.request.now, ports),
            Err(denial) => Err(denial.into()),
        };
        begun.map_or_else(|error| error.into_handled(&self.pages), Handled::from)
    }

    /// Takes the browser back and begins a session.
    async fn finish_sign_in<P: Platform<Services: Services>>(&self, visit: &Visit<'_, P>) -> Handled {
        let (finished, trace) = self.sign_in.finish(visit.request.head, visit.deployment, visit.request.now).await;
        let ports = visit.deployment.platform.services();
        let mut handled = match finished {
            Ok(session) => {
                let mut response = redirect("/");
                let begun = self.sessions.begun(&session, visit.request.now, ports);
                for cookie in [sign_in::ended(), sign_in::need_not_ask(), begun] {
                    response.headers.push(("set-cookie", cookie.into()));
                }
                response.into()
            }
            Err(error) => error.into_handled(&self.pages),
        };
        handled.findings = Findings { trace, ..handled.findings };
        handled
    }

    /// Ends the session here, then at the provider, and has the next sign-in ask in any case: the provider may not know our
    /// address after signing out, or may not offer to sign out at all.
    async fn sign_out<P: Platform<Services: Services>>(&self, visit: &Visit<'_, P>) -> Response {
        let provider = visit.deployment.provider(visit.request.now).await;
        let mut response = match provider.ok().and_then(|provider| provider.end_session_endpoint) {
            Some(endpoint) => self.pages.signing_out(&self.sign_in.end_session(&endpoint)),
            None => redirect("/"),
        };
        response.headers.push(("set-cookie", self.sessions.cleared().into()));
        response.headers.push(("set-cookie", sign_in::must_ask().into()));
        response
    }
}

fn asset(media_type: &'static str, text: &'static str) -> Response {
    let mut response = Response::json(200, text);
    response.headers = vec![
        ("content-type", media_type.into()),
        ("cache-control", "public, max-age=300".into()),
        ("x-content-type-options", "nosniff".into()),
    ];
    response
}
