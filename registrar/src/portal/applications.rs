//! The pages and actions for a developer's applications.

use mcp_edge_runtime::{http::Response, ports::Services};
use mcp_edge_sign_in::{redirect::redirect, session::Session};
use serde_json::{Map, Value};

use super::{
    form::{self, Form, MetadataForm, Problem},
    public_error::PortalError,
    session::label,
    visit::Visit,
};
use crate::{
    audit::Event,
    client_metadata::ClientMetadata,
    clients::{
        delete::delete,
        register::{RegisterError, Registration, Via, register},
        rotate_secret::rotate_secret,
        update::{UpdateError, update},
    },
    handled::Handled,
    platform::Platform,
    policy::Registrant,
    record::{Record, is_client_id},
};

/// One application of the developer who is signed in.
struct Own<'a> {
    session: &'a Session,
    client_id: &'a str,
    record: Record,
}

/// Answers a request of a developer who is signed in. Forms were sent by one of our own pages.
pub(super) async fn handle<P: Platform<Services: Services>>(
    visit: &Visit<'_, P>,
    session: &Session,
    method: &str,
    segments: &[&str],
    form: Form,
) -> Handled {
    let pages = visit.pages;
    let outcome = match (method, segments) {
        ("GET", [""]) => list(visit, session).await,
        ("POST", ["check"]) => Ok(check(visit, &form)),
        ("GET", ["applications", "new"]) => Ok(pages.new_application(session, &new_form(visit), &[], 200)),
        ("POST", ["applications"]) => match create(visit, session, &form).await {
            Ok(handled) => return handled,
            Err(error) => Err(error),
        },
        (method, ["applications", client_id, rest @ ..]) => match own(visit, session, client_id).await {
            Ok(own) => {
                let outcome = application(visit, &own, method, rest, form).await;
                return outcome.map_or_else(|error| error.into_handled(pages, session), Handled::from).about(client_id);
            }
            Err(error) => Err(error),
        },
        _ => Ok(pages.not_found(session)),
    };
    outcome.map_or_else(|error| error.into_handled(pages, session), Handled::from)
}

async fn list<P: Platform>(visit: &Visit<'_, P>, session: &Session) -> Result<Response, PortalError> {
    let clients = visit.deployment.records().list(&session.issuer, &session.subject).await?;
    Ok(visit.pages.list(session, &clients, visit.request.now))
}

/// Validates a form that is being filled in, by the same rules as the finished one.
fn check<P>(visit: &Visit<'_, P>, form: &Form) -> Response {
    let problems = metadata(visit, form).err().unwrap_or_default();
    // `collect` would sort first, which is 4 KB of code; `extend` does not.
    let mut body: Map<String, Value> = Map::new();
    body.extend(problems.iter().map(|(field, text)| ((*field).to_owned(), form::sentence(text).into())));
    Response::json(200, Value::Object(body).to_string()).with_header("cache-control", "no-store")
}

async fn create<P: Platform<Services: Services>>(
    visit: &Visit<'_, P>,
    session: &Session,
    form: &Form,
) -> Result<Handled, PortalError> {
    let metadata = match metadata(visit, form) {
        Ok(metadata) => metadata,
        Err(problems) => return Ok(visit.pages.new_application(session, form, &problems, 422).into()),
    };
    let registrant = Registrant::Developer { issuer: session.issuer.clone(), subject: session.subject.clone() };
    // The number of the form: what is sent again makes no second application.
    let via = Via::Portal { form: form.first("once") };
    let applications = visit.deployment.applications(visit.request.now).await?;
    let context = visit.deployment.context(&applications, visit.request.now, visit.deployment.audit());
    match register(&context, Registration { metadata, registrant, via, reservation: None }).await {
        Ok(registered) => {
            let done = if registered.is_repeated { "This form had created it already." } else { "Created." };
            let (once, secret) = (new_form(visit), registered.secret.as_ref());
            let client_id = &registered.client_id;
            let page = visit.pages.application(session, client_id, &registered.record, &once, secret, Some(done));
            Ok(Handled::from(page).about(client_id))
        }
        Err(RegisterError::Metadata(error)) => {
            Ok(visit.pages.new_application(session, form, &[form::in_words(&error)], 422).into())
        }
        Err(error) => Err(error.into()),
    }
}

/// The application, if it is this developer's. Somebody else's is as unknown as one that does not exist.
async fn own<'a, P: Platform>(
    visit: &Visit<'_, P>,
    session: &'a Session,
    client_id: &'a str,
) -> Result<Own<'a>, PortalError> {
    if !is_client_id(client_id) {
        return Err(PortalError::NotFound);
    }
    let record = visit.deployment.records().find(client_id).await?;
    let record = record.filter(|record| record.belongs_to(&session.issuer, &session.subject));
    record.map(|record| Own { session, client_id, record }).ok_or(PortalError::NotFound)
}

async fn application<P: Platform<Services: Services>>(
    visit: &Visit<'_, P>,
    own: &Own<'_>,
    method: &str,
    rest: &[&str],
    form: Form,
) -> Result<Response, PortalError> {
    let Own { session, client_id, record } = own;
    match (method, rest) {
        ("GET", []) => Ok(visit.pages.application(session, client_id, record, &new_form(visit), None, None)),
        ("GET", ["delete"]) => Ok(visit.pages.confirm_removal(session, client_id, record)),
        ("POST", []) => change(visit, own, form).await,
        ("POST", ["secret"]) => rotate(visit, own, &form).await,
        ("POST", ["delete"]) => remove(visit, own).await,
        _ => Err(PortalError::NotFound),
    }
}

async fn change<P: Platform<Services: Services>>(
    visit: &Visit<'_, P>,
    Own { session, client_id, record }: &Own<'_>,
    form: Form,
) -> Result<Response, PortalError> {
    // The type stays, so the form does not ask for it again.
    let form = form.with_kind_of(&record.metadata);
    let metadata = match metadata(visit, &form) {
        Ok(metadata) => form.keeping(metadata, &record.metadata),
        Err(problems) => return Ok(visit.pages.edit(session, client_id, record, &form, &problems)),
    };
    let applications = visit.deployment.applications(visit.request.now).await?;
    let context = visit.deployment.context(&applications, visit.request.now, visit.deployment.audit());
    match update(&context, client_id, record, metadata, &label(session)).await {
        Ok(_) => Ok(redirect(&format!("/applications/{client_id}"))),
        Err(UpdateError::Metadata(error)) => {
            Ok(visit.pages.edit(session, client_id, record, &form, &[form::in_words(&error)]))
        }
        Err(error) => Err(error.into()),
    }
}

async fn rotate<P: Platform<Services: Services>>(
    visit: &Visit<'_, P>,
    Own { session, client_id, record }: &Own<'_>,
    form: &Form,
) -> Result<Response, PortalError> {
    // Each form has a number of its own, and the same one leads to the same secret.
    let once = form.first("once");
    if !record.metadata.token_endpoint_auth_method.has_secret() || once.is_empty() {
        return Err(PortalError::NotFound);
    }
    let applications = visit.deployment.applications(visit.request.now).await?;
    let context = visit.deployment.context(&applications, visit.request.now, visit.deployment.audit());
    let secret = rotate_secret(&context, client_id, once, &label(session)).await?;
    let done = "The client secret was replaced. The old one has stopped working.";
    Ok(visit.pages.application(session, client_id, record, &new_form(visit), Some(&secret), Some(done)))
}

async fn remove<P: Platform<Services: Services>>(
    visit: &Visit<'_, P>,
    Own { session, client_id, record }: &Own<'_>,
) -> Result<Response, PortalError> {
    let applications = visit.deployment.applications(visit.request.now).await?;
    let context = visit.deployment.context(&applications, visit.request.now, visit.deployment.audit());
    delete(&context, client_id, record, Event::ClientRemoved, &label(session)).await?;
    Ok(redirect("/"))
}

fn new_form<P: Platform>(visit: &Visit<'_, P>) -> Form {
    Form::for_new(visit.deployment.platform.services())
}

/// The metadata that a form asks for, or what is wrong with it.
fn metadata<P>(visit: &Visit<'_, P>, form: &Form) -> Result<ClientMetadata, Vec<Problem>> {
    form.to_metadata(&visit.deployment.settings.policy.private_use_schemes)
}
