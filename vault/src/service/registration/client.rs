//! Calls of the object of a connection's registration.

use mcp_edge_runtime::{ports::Runtime, service_call::CallService};

use super::message::{Answer, Request};
use crate::platform::{Platform, Repetition, ask as ask_object};

const OBJECT: &str = "the object of registrations";

/// The objects of registrations: a [`Platform`] has them.
pub trait Registrations {
    /// One of them, as something that answers calls.
    type Object: CallService;

    /// The object of the connection with this name.
    fn registration(&self, connection: &str) -> Self::Object;
}

impl<P: Platform> Registrations for P {
    type Object = P::Object;

    fn registration(&self, connection: &str) -> P::Object {
        Platform::registration(self, connection)
    }
}

/// Asks the object of a connection. What could not be asked is [`Answer::Unavailable`].
pub async fn ask(
    registrations: &impl Registrations,
    connection: &str,
    request: &Request,
    runtime: &impl Runtime,
) -> Answer {
    let unreadable = || Answer::Unavailable("a message that cannot be read".to_owned());
    let Ok(message) = serde_json::to_string(request) else { return unreadable() };
    let object = registrations.registration(connection);
    match ask_object(&object, OBJECT, message, Repetition::Safe, runtime).await {
        Ok(answer) => serde_json::from_str(&answer).unwrap_or_else(|_| unreadable()),
        Err(error) => Answer::Unavailable(error.to_string()),
    }
}
