//! What an agent needs to plan a day: the user's events, which a calendar service keeps, and the user's invoices, which the
//! company's own API has. An example of a Worker made with [`mcp_edge`] whose tools reach other services for the user.
//!
//! | file | what is in it |
//! |---|---|
//! | [`calendar`] | a tool on a connection of the kind `connect`: the user connects an account of the service once |
//! | [`billing`] | a tool on one of the kind `exchange`: the caller's token is exchanged for one of that API |
//! | [`service`] | a request to a service with the user's token, and what becomes of its answer |
//! | [`web`] | the little that such requests need from the platform |
//! | `fetch` | the platform's `fetch` as such; the only file that knows it, beside this one |
//!
//! The tools know the names of their connections and no more. What is behind a name, the vault's setting `CONNECTIONS` says.

pub mod billing;
pub mod calendar;
mod fetch;
pub mod service;
pub mod web;

#[cfg(test)]
mod tests;

use mcp_edge::{BuildError, Server};
use web::Web;
use worker::Env;

/// The scope of this server that both tools need. It is another thing than the scopes of the services: this one is granted to
/// the agent, those are granted to this server.
const READ: &str = "agenda:read";

mcp_edge::entry!(server::<Env>);

/// The server with everything that it offers.
///
/// # Errors
/// [`BuildError`] if two items contradict each other; found by the tests, not by users.
pub fn server<W: Web>() -> Result<Server<W>, BuildError> {
    Server::builder("agenda", env!("CARGO_PKG_VERSION"))
        .title("Agenda")
        .description("Your events and your invoices.")
        .scope(READ, "See your events and your invoices")
        .tool(calendar::list_events())
        .tool(billing::my_invoices())
        .build()
}
