//! Calls of a key's object.

use super::message::{Answer, Envelope, Request};
use crate::platform::{ObjectError, Platform, Repetition, ask as ask_object};

const OBJECT: &str = "the object of the key";

/// Asks the object of the key `id`, which must be an id of this deployment
/// ([`is_own_id`](crate::secrets::VaultSecrets::is_own_id)). Every request can be repeated: one whose answer was lost is, once.
///
/// # Errors
/// [`ObjectError`].
pub async fn ask<P: Platform>(platform: &P, id: &str, request: Request) -> Result<Answer, ObjectError> {
    let unreadable = |error: serde_json::Error| ObjectError { object: OBJECT, cause: unreadable(&error) };
    let message = serde_json::to_string(&Envelope { id: id.to_owned(), request }).map_err(unreadable)?;
    let answer = ask_object(&platform.key(id), OBJECT, message, Repetition::Safe, platform.services()).await?;
    serde_json::from_str(&answer).map_err(unreadable)
}

/// Without what serde quotes of the text.
fn unreadable(error: &serde_json::Error) -> String {
    format!("a message that cannot be read (column {})", error.column())
}
