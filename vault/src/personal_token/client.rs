//! Calls of a personal access token's object.

use mcp_edge_runtime::secret::Secret;

use super::message::{Answer, Request};
use crate::platform::{ObjectError, Platform, Repetition, ask as ask_object};

const OBJECT: &str = "the object of the personal access token";

/// Asks the object `name` ([`personal_token_name`](crate::secrets::VaultSecrets::personal_token_name)) of a personal access
/// token. A request whose answer was lost is repeated once.
///
/// # Errors
/// [`ObjectError`].
pub async fn ask<P: Platform>(platform: &P, name: &str, token: &Secret) -> Result<Answer, ObjectError> {
    let unreadable = |_| ObjectError { object: OBJECT, cause: "a message that cannot be read".to_owned() };
    let request = Request { name: name.to_owned(), token: token.expose().to_owned() };
    let message = serde_json::to_string(&request).map_err(unreadable)?;
    let object = platform.personal_token(name);
    let answer = ask_object(&object, OBJECT, message, Repetition::Safe, platform.services()).await?;
    serde_json::from_str(&answer).map_err(unreadable)
}
