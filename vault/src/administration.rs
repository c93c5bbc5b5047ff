//! Administration: commands of the operator, authenticated with `ADMIN_SECRET` (`dev/keys.mjs` sends them).
//!
//! A command comes as `{"message", "mac"}`: `message` is JSON text with the time, a number that is used once, and the command;
//! `mac` is the HMAC-SHA-256 of it and of the deployment it is for, in base64url. The secret itself is never sent.

use std::{cell::RefCell, collections::VecDeque};

use hmac::{Hmac, Mac};
use mcp_edge_runtime::{base64::URL_SAFE_NO_PAD, http::Response, secret::Secret};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    account::message::GrantOutcome,
    deployment::{Deployment, Owner},
    key::message::{Answer as KeyAnswer, Description, Request as KeyRequest},
    keyring::{RevokedKey, keys_of, revoke},
    pages::status::Status,
    platform::{ObjectError, Platform},
    visit::Outcome,
};

/// What stands before the deployment and the message when the code is computed. The version changes with the form.
const LABEL: &str = "mcp-edge keys administration v1";

/// A message is accepted for so long, in seconds, before and after its time: clocks differ.
const WINDOW_SECONDS: u64 = 300;

/// So many messages are remembered, so that none is carried out twice.
const MAX_REMEMBERED: usize = 1_000;

/// The request.
#[derive(Deserialize)]
struct Envelope {
    message: String,
    mac: String,
}

/// What the operator wants.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    time: u64,
    nonce: String,
    command: Command,
}

/// The commands. Without `issuer` it is the one that users sign in at.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Command {
    /// The keys of a user.
    List { subject: String, issuer: Option<String> },
    /// One key.
    Describe { id: String },
    /// Revokes one key.
    Revoke { id: String },
    /// Revokes all keys of a user.
    RevokeAll { subject: String, issuer: Option<String> },
}

/// Why a command is not carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Refusal {
    #[error("the body must be {{\"message\": \"…\", \"mac\": \"…\"}}")]
    Malformed,
    #[error("the code is wrong: another ADMIN_SECRET, or another deployment (RESOURCE)")]
    WrongCode,
    #[error("the time of the message differs by more than five minutes: set the clock")]
    Time,
    #[error("the message was carried out already")]
    Repeated,
    #[error("no such command, or it lacks something")]
    Command,
}

/// The messages of the last minutes. Each isolate remembers its own, which is enough: every command can be repeated without
/// harm.
#[derive(Default)]
pub struct Remembered(RefCell<VecDeque<(u64, String)>>);

impl Remembered {
    /// Whether a message is new; it is not, from then on.
    fn is_new(&self, nonce: &str, now: u64) -> bool {
        let mut known = self.0.borrow_mut();
        known.retain(|(until, _)| now <= *until);
        if known.iter().any(|(_, used)| used == nonce) {
            return false;
        }
        if known.len() >= MAX_REMEMBERED {
            known.pop_front();
        }
        known.push_back((now + 2 * WINDOW_SECONDS, nonce.to_owned()));
        true
    }
}

/// Answers `POST /account/administration`.
pub async fn handle<P: Platform>(
    deployment: &Deployment<P>,
    secret: &Secret,
    remembered: &Remembered,
    body: &str,
    now: u64,
) -> Outcome {
    let message = match authenticate(body, secret, &deployment.settings.server.resource.url, now) {
        Ok(message) => message,
        Err(refusal) => return refuse(refusal),
    };
    if !remembered.is_new(&message.nonce, now) {
        return refuse(Refusal::Repeated);
    }
    match carry_out(deployment, message.command, now).await {
        Ok(Some(answer)) => json_response(200, &answer).into(),
        Ok(None) => json_response(404, &json!({ "error": "not_found" })).into(),
        Err(error) => Outcome::from(json_response(503, &json!({ "error": "unavailable" }))).because(error.to_string()),
    }
}

/// Nothing of a message is read before its code holds.
fn authenticate(body: &str, secret: &Secret, resource: &str, now: u64) -> Result<Message, Refusal> {
    let Envelope { message, mac } = serde_json::from_str(body).map_err(|_| Refusal::Malformed)?;
    let code = URL_SAFE_NO_PAD.decode(mac).ok_or(Refusal::WrongCode)?;
    // A key of any length is accepted (RFC 2104 §2).
    let mut expected = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).map_err(|_| Refusal::WrongCode)?;
    for part in [LABEL, "\0", resource, "\0", &message] {
        expected.update(part.as_bytes());
    }
    // In constant time.
    expected.verify_slice(&code).map_err(|_| Refusal::WrongCode)?;
    let message: Message = serde_json::from_str(&message).map_err(|_| Refusal::Command)?;
    if message.time.abs_diff(now) > WINDOW_SECONDS {
        return Err(Refusal::Time);
    }
    if !(16..=64).contains(&message.nonce.len()) {
        return Err(Refusal::Malformed);
    }
    Ok(message)
}

/// `None`: there is no such key.
async fn carry_out<P: Platform>(
    deployment: &Deployment<P>,
    command: Command,
    now: u64,
) -> Result<Option<Value>, ObjectError> {
    let not_before = deployment.settings.not_before;
    let owner = |issuer: Option<String>, subject: String| {
        let first = deployment.settings.server.trust.issuers.first();
        let issuer = issuer.or_else(|| first.map(|trusted| trusted.issuer.clone()));
        Owner { issuer: issuer.unwrap_or_default(), subject }
    };
    Ok(match command {
        Command::List { subject, issuer } => {
            let keys = keys_of(deployment, &owner(issuer, subject)).await?;
            let keys = keys.iter().map(|listed| match &listed.key {
                Some(key) => described(&listed.id, key, not_before, now),
                None => json!({ "id": listed.id, "name": listed.name, "state": "unknown" }),
            });
            Some(json!({ "keys": keys.collect::<Vec<_>>() }))
        }
        Command::Describe { id } => {
            let key = own(deployment, &id).await?;
            key.map(|key| json!({ "keys": [described(&id, &key, not_before, now)] }))
        }
        Command::Revoke { id } if deployment.secrets.is_own_id(&id) => {
            match revoke(deployment, &id, "administrator", None).await? {
                RevokedKey::Revoked { key, grant } => Some(json!({ "revoked": [revoked(&id, &key.name, grant)] })),
                RevokedKey::Unknown => None,
            }
        }
        Command::Revoke { .. } => None,
        Command::RevokeAll { subject, issuer } => {
            let keys = keys_of(deployment, &owner(issuer, subject)).await?;
            let mut done = Vec::new();
            for listed in keys.iter().filter(|listed| listed.gone_at.is_none()) {
                if let RevokedKey::Revoked { key, grant } =
                    revoke(deployment, &listed.id, "administrator", None).await?
                {
                    done.push(revoked(&listed.id, &key.name, grant));
                }
            }
            Some(json!({ "revoked": done }))
        }
    })
}

async fn own<P: Platform>(deployment: &Deployment<P>, id: &str) -> Result<Option<Box<Description>>, ObjectError> {
    if !deployment.secrets.is_own_id(id) {
        return Ok(None);
    }
    match deployment.key(id, KeyRequest::Describe).await? {
        KeyAnswer::Key(key) => Ok(Some(key)),
        _ => Ok(None),
    }
}

fn described(id: &str, key: &Description, not_before: Option<u64>, now: u64) -> Value {
    json!({
        "id": id, "name": key.name, "issuer": key.issuer, "subject": key.subject, "scopes": key.scopes,
        "tools": key.tools, "created_at": key.created_at, "expires_at": key.expires_at,
        "last_used_day": key.last_used_day, "refreshed_at": key.refreshed_at, "rotated_from": key.rotated_from,
        "state": Status::of(key, not_before, now).word(), "since": key.since, "grant_is_pending": key.grant_is_pending,
    })
}

fn revoked(id: &str, name: &str, grant: Option<GrantOutcome>) -> Value {
    let grant = match grant {
        Some(GrantOutcome::Revoked) => "revoked",
        Some(GrantOutcome::Shared) => "shared",
        Some(GrantOutcome::Pending) | None => "pending",
    };
    json!({ "id": id, "name": name, "grant": grant })
}

fn refuse(refusal: Refusal) -> Outcome {
    let status = match refusal {
        Refusal::Malformed | Refusal::Command => 400,
        Refusal::WrongCode | Refusal::Time | Refusal::Repeated => 401,
    };
    let text = refusal.to_string();
    Outcome::from(json_response(status, &json!({ "error": text }))).because(text)
}

fn json_response(status: u16, body: &Value) -> Response {
    Response::json(status, body.to_string()).with_header("cache-control", "no-store")
}
