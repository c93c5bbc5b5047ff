//! Calls of a user's object.

use super::message::{Answer, Request};
use crate::{
    platform::{ObjectError, Platform, Repetition, ask as ask_object},
    secrets::account_name,
};

const OBJECT: &str = "the object of the user";

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
    let unreadable = |_| ObjectError { object: OBJECT, cause: "a message that cannot be read".to_owned() };
    let repetition = if matches!(request, Request::Reserve { .. }) { Repetition::Unsafe } else { Repetition::Safe };
    let message = serde_json::to_string(request).map_err(unreadable)?;
    let object = platform.account(&account_name(issuer, subject));
    let answer = ask_object(&object, OBJECT, message, repetition, platform.services()).await?;
    serde_json::from_str(&answer).map_err(unreadable)
}
