//! What users do with their keys: look at them, make, replace and revoke them.

use mcp_edge_sign_in::{form::Form, session::Session};

use crate::{
    key::message::{Answer as KeyAnswer, Description, Request as KeyRequest},
    keyring::{RevokedKey, is_of, keys_of, revoke},
    pages::{message::Failure, one::Action, status::Status},
    platform::{ObjectError, Platform},
    requested_key::{Problem, RequestedKey},
    sign_in::{begin_key, pending::Purpose},
    visit::{Outcome, Visit, owner_of},
};

/// When it makes sense to try again after an outage, in seconds.
const RETRY_SECONDS: u64 = 10;

/// The page with the list, and with what is wrong with a form that was sent.
pub async fn list<P: Platform>(
    visit: &Visit<'_, P>,
    session: &Session,
    (form, problems): (&Form, &[Problem]),
) -> Outcome {
    match keys_of(visit.deployment, &owner_of(session)).await {
        Ok(keys) => visit.pages.list(session, &keys, (form, problems), visit.now).into(),
        Err(error) => unavailable(visit, session, &error),
    }
}

/// Begins to make a key.
pub async fn create<P: Platform>(visit: &Visit<'_, P>, session: &Session, form: &Form) -> Outcome {
    let key = match RequestedKey::of(form, &visit.deployment.settings) {
        Ok(key) => key,
        Err(problems) => return list(visit, session, (form, &problems)).await,
    };
    let purpose = Purpose::Create { owner: owner_of(session), key: key.clone() };
    if let Ok(outcome) = begin_key(visit, &key, purpose).await {
        return outcome;
    }
    let problem = ("tools", "These are too many tools for one key: name fewer.".to_owned());
    list(visit, session, (form, &[problem])).await
}

/// One key, or the question before an action (`?action=…`).
pub async fn one<P: Platform>(visit: &Visit<'_, P>, session: &Session, id: &str) -> Outcome {
    let key = match own_key(visit, session, id).await {
        Ok(key) => key,
        Err(outcome) => return *outcome,
    };
    let query = Form::parse(visit.head.query());
    let is_active = status_of(visit, &key) == Status::Active;
    let page = match Action::named(query.first("action")) {
        Some(action) if is_active => visit.pages.question(session, id, &key, action),
        _ => visit.pages.one(session, id, &key, visit.now),
    };
    Outcome::from(page).about(id)
}

/// Replaces or revokes a key.
pub async fn change<P: Platform>(visit: &Visit<'_, P>, session: &Session, id: &str, form: &Form) -> Outcome {
    let key = match own_key(visit, session, id).await {
        Ok(key) => key,
        Err(outcome) => return *outcome,
    };
    match Action::named(form.first("action")) {
        Some(Action::Revoke) => match revoke(visit.deployment, id, "user", None).await {
            Ok(RevokedKey::Revoked { key, grant }) => {
                Outcome::from(visit.pages.revoked(session, &key.name, grant)).about(id)
            }
            Ok(RevokedKey::Unknown) => visit.pages.not_found(Some(session)).into(),
            Err(error) => unavailable(visit, session, &error).about(id),
        },
        Some(Action::Rotate) if status_of(visit, &key) == Status::Active => {
            rotate(visit, session, id, *key).await.about(id)
        }
        Some(Action::Rotate) => {
            let why = "The key works no longer, so there is nothing to replace. Make a new one.";
            Outcome::from(visit.pages.failure(Some(session), &Failure::new(409, "Not replaced", why))).about(id)
        }
        None => visit.pages.not_found(Some(session)).into(),
    }
}

/// Begins to make a key like this one, which is revoked afterwards.
async fn rotate<P: Platform>(visit: &Visit<'_, P>, session: &Session, id: &str, old: Description) -> Outcome {
    let settings = &visit.deployment.settings;
    // What is not offered any more, or is longer than allowed now, does not live on by being replaced.
    let required = &settings.server.trust.required_scopes;
    let is_kept = |scope: &&String| required.contains(scope) || old.scopes.split(' ').any(|known| known == *scope);
    let scopes: Vec<&str> = settings.key_scopes.iter().filter(is_kept).map(String::as_str).collect();
    if scopes.is_empty() {
        let why = "None of its scopes is offered any more. Make a new key.";
        return visit.pages.failure(Some(session), &Failure::new(409, "Not replaced", why)).into();
    }
    let scopes = scopes.join(" ");
    let lifetime = old.expires_at.saturating_sub(old.created_at).min(settings.max_days * 86_400);
    let key = RequestedKey { name: old.name, scopes, tools: old.tools, lifetime };
    let purpose = Purpose::Rotate { owner: owner_of(session), key: key.clone(), old: id.to_owned() };
    if let Ok(outcome) = begin_key(visit, &key, purpose).await {
        return outcome;
    }
    let why = "It has too many tools to be replaced. Make a new key.";
    visit.pages.failure(Some(session), &Failure::new(409, "Not replaced", why)).into()
}

/// A key of the user; somebody else's is as unknown as one that does not exist.
async fn own_key<P: Platform>(
    visit: &Visit<'_, P>,
    session: &Session,
    id: &str,
) -> Result<Box<Description>, Box<Outcome>> {
    let not_found = || Err(Box::new(visit.pages.not_found(Some(session)).into()));
    if !visit.deployment.secrets.is_own_id(id) {
        return not_found();
    }
    match visit.deployment.key(id, KeyRequest::Describe).await {
        Ok(KeyAnswer::Key(key)) if is_of(&key, &owner_of(session)) => Ok(key),
        Ok(_) => not_found(),
        Err(error) => Err(Box::new(unavailable(visit, session, &error))),
    }
}

fn status_of<P: Platform>(visit: &Visit<'_, P>, key: &Description) -> Status {
    Status::of(key, visit.deployment.settings.not_before, visit.now)
}

fn unavailable<P>(visit: &Visit<'_, P>, session: &Session, error: &ObjectError) -> Outcome {
    let why = "Keys cannot be read or changed right now. It is not known whether what you asked for was done: try again in a \
               moment.";
    let failure = Failure::new(503, "Not now", why).with_retry(RETRY_SECONDS);
    Outcome::from(visit.pages.failure(Some(session), &failure)).because(error.to_string())
}
