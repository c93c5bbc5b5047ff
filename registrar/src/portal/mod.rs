//! The developer portal: pages on which a signed-in developer makes and manages their applications.
//!
//! | module | what it does |
//! |---|---|
//! | [`sign_in`] | authorization code with PKCE at the provider, and back; signing out there |
//! | [`session`] | who is signed in: a sealed cookie; forms that only our own pages can send |
//! | [`form`] | what a form says, as client metadata |
//! | [`pages`], [`html`] | what people see |
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

pub mod form;
pub mod html;
pub mod pages;
pub mod session;
pub mod sign_in;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use mcp_edge::{
    http::{RequestHead, Response},
    log::AccessLog,
    ports::{Ports, Runtime},
};
use serde_json::{Map, Value};

use self::{
    form::{Form, Problem},
    pages::Pages,
    session::{Session, Sessions},
};
use crate::{
    audit::Event,
    policy::Registrant,
    record::{Record, is_client_id},
    registrar::{Exchange, Registrar, face},
    registration::metadata::ClientMetadata,
    registry::{Failure, Request, Via},
    seal::SealingKey,
    settings::PortalClient,
    store::RegistrationStore,
};

const STYLE: &str = include_str!("portal.css");
const SCRIPT: &str = include_str!("portal.js");

/// The portal of this deployment.
pub struct Portal {
    pub(crate) client: PortalClient,
    pub(crate) origin: String,
    pub(crate) resource: String,
    pub(crate) scopes: String,
    pub(crate) sessions: Sessions,
    pages: Pages,
}

/// A request in the portal with everything around it.
pub(crate) struct Visit<'a, S, P> {
    pub head: &'a RequestHead<'a>,
    pub registrar: &'a Registrar,
    pub exchange: &'a Exchange<S, P>,
}

impl Portal {
    /// Knows the settings.
    #[must_use]
    pub fn new(client: PortalClient, settings: &crate::settings::Settings) -> Self {
        let edge = &settings.edge;
        Self {
            sessions: Sessions::new(SealingKey::derive(&client.session_secret, &edge.resource.url)),
            origin: edge.resource.origin.clone(),
            resource: edge.resource.url.clone(),
            scopes: edge.trust.required_scopes.to_string(),
            pages: Pages::new(settings),
            client,
        }
    }

    /// Answers a request.
    pub(crate) async fn handle<S: RegistrationStore, P: Ports>(
        &self,
        head: &RequestHead<'_>,
        registrar: &Registrar,
        exchange: &Exchange<S, P>,
        log: &mut AccessLog,
    ) -> Response {
        let visit = Visit { head, registrar, exchange };
        let session = self.sessions.read(head, exchange.now);
        let segments: Vec<&str> = head.path().trim_matches('/').split('/').collect();
        match (head.method(), segments.as_slice()) {
            ("GET", ["portal.css"]) => return asset("text/css; charset=utf-8", STYLE),
            ("GET", ["portal.js"]) => return asset("text/javascript; charset=utf-8", SCRIPT),
            ("GET", ["sign-in"]) => return self.begin_sign_in(&visit, log).await,
            ("GET", ["callback"]) => return self.finish_sign_in(&visit, log).await,
            ("GET", [""]) if session.is_none() => return self.pages.welcome(),
            _ => {}
        }
        let Some(session) = session else {
            // A form that was filled in for longer than a session lasts.
            return match (head.method(), segments.as_slice()) {
                ("GET", _) => redirect("/sign-in"),
                // Whose form it is cannot be told any more, so the session at the provider is left alone.
                ("POST", ["sign-out"]) => self.pages.signed_out(403).with_header("set-cookie", sign_in::must_ask()),
                _ => self.pages.signed_out(403),
            };
        };
        log.sub = Some(session.subject.clone()).filter(|_| registrar.settings.edge.log_subject);
        let form = match head.method() {
            "GET" => Form::default(),
            "POST" => match self.trusted_form(&visit, &session) {
                Some(form) => form,
                None => return self.pages.not_from_here(&session),
            },
            _ => return Response::empty(405).with_header("allow", "GET, POST"),
        };
        match (head.method(), segments.as_slice()) {
            ("GET", [""]) => self.list(&visit, &session, log).await,
            ("POST", ["sign-out"]) => self.sign_out(&visit).await,
            ("POST", ["check"]) => Self::check(&visit, &form),
            ("GET", ["applications", "new"]) => {
                self.pages.new_application(&session, &Form::for_new(&exchange.ports), &[], 200)
            }
            ("POST", ["applications"]) => self.create(&visit, &session, form, log).await,
            (method, ["applications", client_id, rest @ ..]) => {
                self.application(&visit, &session, method, client_id, rest, form, log).await
            }
            _ => self.pages.not_found(&session),
        }
    }

    /// A form that one of our own pages sent: from our origin, with the session's token.
    fn trusted_form<S, P>(&self, visit: &Visit<'_, S, P>, session: &Session) -> Option<Form> {
        // A browser says where a form comes from; what says nothing of the kind is no browser.
        let origin = visit.head.header("origin");
        let site = visit.head.header("sec-fetch-site");
        let is_from_here = origin.is_none_or(|origin| origin == self.origin)
            && site.is_none_or(|site| site == "same-origin" || site == "none");
        let body = visit.exchange.body.as_ref().ok()?;
        let form = Form::parse(body);
        (is_from_here && session.is_token(form.first("csrf"))).then_some(form)
    }

    async fn list<S: RegistrationStore, P: Ports>(
        &self,
        visit: &Visit<'_, S, P>,
        session: &Session,
        log: &mut AccessLog,
    ) -> Response {
        let clients = visit.registrar.records(visit.exchange).list(&session.issuer, &session.subject).await;
        match clients {
            Ok(clients) => self.pages.list(session, &clients, visit.exchange.now),
            Err(failure) => self.failed(session, &failure, log),
        }
    }

    /// What is wrong with a form that is being filled in. The same rules as for the finished one, so the page cannot
    /// promise what the server then refuses.
    fn check<S, P>(visit: &Visit<'_, S, P>, form: &Form) -> Response {
        let problems = metadata(visit, form).err().unwrap_or_default();
        // `collect` would sort first, which is 4 KB of code; `extend` does not.
        let mut body: Map<String, Value> = Map::new();
        body.extend(problems.iter().map(|(field, text)| ((*field).to_owned(), pages::sentence(text).into())));
        Response::json(200, Value::Object(body).to_string()).with_header("cache-control", "no-store")
    }

    async fn create<S: RegistrationStore, P: Ports>(
        &self,
        visit: &Visit<'_, S, P>,
        session: &Session,
        form: Form,
        log: &mut AccessLog,
    ) -> Response {
        let metadata = match metadata(visit, &form) {
            Ok(metadata) => metadata,
            Err(problems) => return self.pages.new_application(session, &form, &problems, 422),
        };
        let registrant = Registrant::Developer { issuer: session.issuer.clone(), subject: session.subject.clone() };
        // The number of the form: what is sent again makes no second application.
        let once = form.first("once").to_owned();
        let registered = visit.registrar.with_registry(visit.exchange, async |registry| {
            registry.register(Request { metadata, registrant, via: Via::Portal { form: &once } }).await
        });
        match registered.await {
            Ok(registered) => {
                log.client_id = Some(registered.client_id.clone());
                let once = Form::for_new(&visit.exchange.ports);
                let secret = registered.secret.as_ref();
                self.pages.application(
                    session,
                    &registered.client_id,
                    &registered.record,
                    &once,
                    secret,
                    Some("Created."),
                )
            }
            Err(Failure::Metadata(error)) => self.pages.new_application(session, &form, &[form::in_words(&error)], 422),
            Err(failure) => self.failed(session, &failure, log),
        }
    }

    /// Everything about one application, once it is clear that it is this developer's.
    #[allow(clippy::too_many_arguments, reason = "one request, taken apart")]
    async fn application<S: RegistrationStore, P: Ports>(
        &self,
        visit: &Visit<'_, S, P>,
        session: &Session,
        method: &str,
        client_id: &str,
        rest: &[&str],
        form: Form,
        log: &mut AccessLog,
    ) -> Response {
        if !is_client_id(client_id) {
            return self.pages.not_found(session);
        }
        let record = match visit.registrar.records(visit.exchange).find(client_id).await {
            Ok(Some(record)) if record.belongs_to(&session.issuer, &session.subject) => record,
            // Somebody else's is as unknown as one that does not exist.
            Ok(_) => return self.pages.not_found(session),
            Err(failure) => return self.failed(session, &failure, log),
        };
        log.client_id = Some(client_id.to_owned());
        let once = Form::for_new(&visit.exchange.ports);
        match (method, rest) {
            ("GET", []) => self.pages.application(session, client_id, &record, &once, None, None),
            ("GET", ["delete"]) => self.pages.confirm_removal(session, client_id, &record),
            ("POST", []) => self.change(visit, session, client_id, &record, form, log).await,
            ("POST", ["secret"]) => self.rotate(visit, session, client_id, &record, &form, log).await,
            ("POST", ["delete"]) => self.remove(visit, session, client_id, &record, log).await,
            _ => self.pages.not_found(session),
        }
    }

    async fn change<S: RegistrationStore, P: Ports>(
        &self,
        visit: &Visit<'_, S, P>,
        session: &Session,
        client_id: &str,
        record: &Record,
        form: Form,
        log: &mut AccessLog,
    ) -> Response {
        // The type stays, so the form does not ask for it again.
        let form = form.with_kind_of(&record.metadata);
        let metadata = match metadata(visit, &form) {
            Ok(metadata) => form.keeping(metadata, &record.metadata),
            Err(problems) => return self.pages.edit(session, client_id, record, &form, &problems),
        };
        let changed = visit.registrar.with_registry(visit.exchange, async |registry| {
            registry.update(client_id, record, metadata, &session.label()).await
        });
        match changed.await {
            Ok(_) => redirect(&format!("/applications/{client_id}")),
            Err(Failure::Metadata(error)) => {
                self.pages.edit(session, client_id, record, &form, &[form::in_words(&error)])
            }
            Err(failure) => self.failed(session, &failure, log),
        }
    }

    async fn rotate<S: RegistrationStore, P: Ports>(
        &self,
        visit: &Visit<'_, S, P>,
        session: &Session,
        client_id: &str,
        record: &Record,
        form: &Form,
        log: &mut AccessLog,
    ) -> Response {
        if !record.metadata.token_endpoint_auth_method.has_secret() {
            return self.pages.not_found(session);
        }
        // Each form has one of its own, and the same one leads to the same secret.
        if form.first("once").is_empty() {
            return self.pages.not_found(session);
        }
        let rotated = visit.registrar.with_registry(visit.exchange, async |registry| {
            registry.rotate_secret(client_id, form.first("once"), &session.label()).await
        });
        let once = Form::for_new(&visit.exchange.ports);
        match rotated.await {
            Ok(secret) => {
                let done = "The client secret was replaced. The old one has stopped working.";
                self.pages.application(session, client_id, record, &once, Some(&secret), Some(done))
            }
            Err(failure) => self.failed(session, &failure, log),
        }
    }

    async fn remove<S: RegistrationStore, P: Ports>(
        &self,
        visit: &Visit<'_, S, P>,
        session: &Session,
        client_id: &str,
        record: &Record,
        log: &mut AccessLog,
    ) -> Response {
        let removed = visit.registrar.with_registry(visit.exchange, async |registry| {
            registry.remove(client_id, record, Event::ClientRemoved, &session.label()).await
        });
        match removed.await {
            Ok(()) => redirect("/"),
            Err(failure) => self.failed(session, &failure, log),
        }
    }

    fn failed(&self, session: &Session, failure: &Failure, log: &mut AccessLog) -> Response {
        log.detail = Some(failure.to_string());
        if *failure == Failure::Gone {
            return self.pages.not_found(session);
        }
        let (status, _, description, retry_after) = face(failure);
        let response = self.pages.failed(Some(session), status, description);
        match retry_after {
            Some(seconds) => response.with_header("retry-after", seconds.to_string()),
            None => response,
        }
    }
}

/// The metadata that a form asks for, or what is wrong with it.
fn metadata<S, P>(visit: &Visit<'_, S, P>, form: &Form) -> Result<ClientMetadata, Vec<Problem>> {
    form.to_metadata(&visit.registrar.settings.policy.private_use_schemes)
}

/// 256 random bits as text: form tokens, numbers of forms, states and verifiers. They are no credentials, so they do not
/// begin as registration access tokens do, which scanners of leaked secrets look for.
pub(crate) fn random_text(runtime: &(impl Runtime + ?Sized)) -> String {
    let mut bytes = [0; 32];
    runtime.random(&mut bytes);
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// After a form: the browser goes on with a GET, so that a reload sends nothing again.
pub(crate) fn redirect(location: &str) -> Response {
    Response::empty(303).with_header("location", location.to_owned()).with_header("cache-control", "no-store")
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
