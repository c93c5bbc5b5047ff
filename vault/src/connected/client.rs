//! Calls of the object of a user's connected accounts.

use super::message::{Answer, Envelope, Request};
use crate::{
    owner::Owner,
    platform::{ObjectError, Platform, Repetition, ask as ask_object},
    secrets::account_name,
};

const OBJECT: &str = "the object of connected accounts";

/// Asks the object of a user's connected accounts. A request whose answer was lost is repeated once, unless it uses a link up:
/// all others say the same when they are repeated.
///
/// # Errors
/// [`ObjectError`].
pub async fn ask<P: Platform>(platform: &P, owner: &Owner, request: Request) -> Result<Answer, ObjectError> {
    let unreadable = |error: serde_json::Error| {
        // Without what serde quotes of the text.
        let cause = format!("a message that cannot be read (column {})", error.column());
        ObjectError { object: OBJECT, cause }
    };
    let repetition = if matches!(request, Request::Spend { .. }) { Repetition::Unsafe } else { Repetition::Safe };
    let object = platform.connected_accounts(&account_name(&owner.issuer, &owner.subject));
    let message = serde_json::to_string(&Envelope { owner: owner.clone(), request }).map_err(unreadable)?;
    let answer = ask_object(&object, OBJECT, message, repetition, platform.services()).await?;
    serde_json::from_str(&answer).map_err(unreadable)
}
