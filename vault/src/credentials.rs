//! Access keys and personal access tokens, exchanged for access tokens by their objects.
//!
//! A credential is looked at before any object is addressed: form, checksum and the authentication code of the id of a key.
//! An object that does not answer is an outage, and never a refusal.

use std::rc::Rc;

use mcp_edge_access_keys::{
    format,
    vault_call::{Answer, KeyToken, Refusal, Request},
};
use mcp_edge_runtime::{
    ports::Background,
    secret::Secret,
    service_call::{CallError, CallService},
};

use crate::{
    account,
    audit::{AuditLog, Event},
    key::{
        self,
        message::{Answer as OfKey, Description, State},
    },
    personal_token::{self, message::Answer as OfToken},
    platform::{ObjectError, Platform},
    secrets::VaultSecrets,
};

/// Seconds until it makes sense to ask again, if an object does not answer.
const RETRY_AFTER: u64 = 5;

/// Exchanges credentials.
pub struct Credentials<P> {
    platform: Rc<P>,
    secrets: VaultSecrets,
    settings: InternalSettings,
}

/// What an operator decides about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InternalSettings {
    /// `KEY_PREFIX`.
    pub key_prefix: String,
    /// `PAT_SCOPES`, separated by spaces; `None`: personal access tokens are not exchanged.
    pub personal_token_scopes: Option<String>,
    /// `LOG_SUBJECT`.
    pub logs_subjects: bool,
}

impl<P: Platform> Credentials<P> {
    /// Creates the exchange.
    #[must_use]
    pub const fn new(platform: Rc<P>, secrets: VaultSecrets, settings: InternalSettings) -> Self {
        Self { platform, secrets, settings }
    }

    /// Answers what an endpoint asks, or the vault itself.
    pub async fn answer(&self, request: &Request) -> Answer {
        match request {
            Request::UseKey { key } => self.use_key(key).await,
            Request::ExchangePersonalToken { token } => self.exchange(token).await,
        }
    }

    async fn use_key(&self, key: &Secret) -> Answer {
        let Ok(parts) = format::parse(key.expose(), &self.settings.key_prefix) else {
            return Answer::Refused(Refusal::Malformed);
        };
        if !self.secrets.is_own_id(parts.id) {
            return Answer::Refused(Refusal::Unknown);
        }
        let request = key::message::Request::Use { secret: parts.secret.to_owned() };
        match key::client::ask(&*self.platform, parts.id, request).await {
            Ok(OfKey::Token { access_token, until, key }) => {
                let Description { issuer, subject, scopes, tools, .. } = *key;
                let access_token = Secret::new(access_token);
                Answer::Key(KeyToken { access_token, id: parts.id.to_owned(), issuer, subject, scopes, tools, until })
            }
            Ok(OfKey::Unknown) => Answer::Refused(Refusal::Unknown),
            Ok(OfKey::Expired) => Answer::Refused(Refusal::Expired),
            Ok(OfKey::Revoked) => Answer::Refused(Refusal::Revoked),
            Ok(OfKey::Ended) => Answer::Refused(Refusal::Ended),
            Ok(OfKey::Report { key, has_just_ended }) => self.report(parts.id, &key, has_just_ended),
            Ok(OfKey::Unavailable { retry_after, cause }) => Answer::Unavailable { retry_after, cause },
            Ok(OfKey::Done | OfKey::Exists | OfKey::Key(_)) => unavailable("an answer to another request".to_owned()),
            Err(error) => object_failed(&error),
        }
    }

    /// Reports the use of a key that works no longer: to the operator, and to the list of its user, which may not know.
    fn report(&self, id: &str, key: &Description, has_just_ended: bool) -> Answer {
        let (event, by) =
            if has_just_ended { (Event::KeyEnded, "provider") } else { (Event::RevokedKeyUsed, "holder") };
        let services = self.platform.services();
        AuditLog::of(services, self.settings.logs_subjects).record(event, id, &key.subject, by, None);
        let platform = Rc::clone(&self.platform);
        let (issuer, subject) = (key.issuer.clone(), key.subject.clone());
        let gone = account::message::Request::Gone { id: id.to_owned() };
        // The caller does not wait for it. If it fails, the next report does it.
        drop(services.spawn(Box::pin(async move {
            let _ = account::client::ask(&*platform, &issuer, &subject, &gone).await;
        })));
        Answer::Refused(if key.state == State::Ended { Refusal::Ended } else { Refusal::Revoked })
    }

    async fn exchange(&self, token: &Secret) -> Answer {
        let Some(scopes) = self.settings.personal_token_scopes.clone() else {
            return unavailable("PAT_PREFIX is not set in the vault".to_owned());
        };
        let name = self.secrets.personal_token_name(token);
        match personal_token::client::ask(&*self.platform, &name, token).await {
            Ok(OfToken::Token { access_token, until }) => {
                Answer::PersonalToken { access_token: Secret::new(access_token), until, scopes }
            }
            Ok(OfToken::Refused) => Answer::Refused(Refusal::PersonalToken),
            Ok(OfToken::Unavailable { retry_after, cause }) => Answer::Unavailable { retry_after, cause },
            Err(error) => object_failed(&error),
        }
    }
}

/// Calls of the vault by the vault itself: it verifies credentials as endpoints do, which ask it.
pub struct OwnCalls<P>(pub Rc<Credentials<P>>);

impl<P: Platform> CallService for OwnCalls<P> {
    async fn call(&self, message: String) -> Result<String, CallError> {
        let request = Request::from_json(&message).ok_or(CallError::Rejected(400))?;
        Ok(self.0.answer(&request).await.to_json())
    }
}

fn object_failed(error: &ObjectError) -> Answer {
    unavailable(error.to_string())
}

fn unavailable(cause: String) -> Answer {
    Answer::Unavailable { retry_after: RETRY_AFTER, cause }
}
