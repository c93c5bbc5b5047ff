//! Calls of a user's object.

use mcp_edge_runtime::{base64::URL_SAFE_NO_PAD, digest::sha256};

use super::message::{Answer, Request};
use crate::{
    platform::{ObjectError, Platform, Repetition, ask as ask_object},
    secrets::account_name,
};

const OBJECT: &str = "the object of the user";

/// One object answers some hundred requests a second, and a sign-in is one.
const SIGN_IN_OBJECTS: u8 = 16;

/// Uses the authorization of a sign-in, before it is known whose it is. `false`: it was used already.
///
/// Sign-ins share a fixed number of objects, so that strangers cannot have any made.
///
/// # Errors
/// [`ObjectError`].
pub async fn use_sign_in<P: Platform>(platform: &P, state: &str) -> Result<bool, ObjectError> {
    let digest = sha256(state);
    let request = Request::Use { authorization: URL_SAFE_NO_PAD.encode(digest) };
    let name = format!("sign-ins {}", digest[0] % SIGN_IN_OBJECTS);
    Ok(ask_named(platform, &name, &request).await? == Answer::Done)
}

/// Asks the object of the user `subject` of `issuer`. A request whose answer was lost is repeated once, unless it uses an
/// authorization.
///
/// # Errors
/// [`ObjectError`].
pub async fn ask<P: Platform>(
    platform: &P,
    issuer: &str,
    subject: &str,
    request: &Request,
) -> Result<Answer, ObjectError> {
    ask_named(platform, &account_name(issuer, subject), request).await
}

async fn ask_named<P: Platform>(platform: &P, name: &str, request: &Request) -> Result<Answer, ObjectError> {
    let unreadable = |_| ObjectError { object: OBJECT, cause: "a message that cannot be read".to_owned() };
    let uses_authorization = matches!(request, Request::Reserve { .. } | Request::Use { .. });
    let repetition = if uses_authorization { Repetition::Unsafe } else { Repetition::Safe };
    let message = serde_json::to_string(request).map_err(unreadable)?;
    let object = platform.account(name);
    let answer = ask_object(&object, OBJECT, message, repetition, platform.services()).await?;
    serde_json::from_str(&answer).map_err(unreadable)
}
