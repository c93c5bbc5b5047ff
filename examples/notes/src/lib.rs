//! Notes that an agent keeps for its user: an example of a Worker made with [`mcp_edge`].
//!
//! | file | what is in it |
//! |---|---|
//! | [`note`] | what a note is: its parts, its limits, its id |
//! | [`notebook`] | the notes of one user, and nobody else's: every key of the store is made there |
//! | [`store`] | the little that notebooks need from a store |
//! | `kv` | Workers KV as such a store; the only file that knows the platform, beside this one |
//! | [`tools`], [`documents`] | what is offered: tools on one side, resources and a prompt on the other |
//! | `skills/` | instructions for agents, compiled in |
//!
//! The server is generic over its store, so the native tests in `tests` run all of it but `kv` without a Worker.

pub mod documents;
mod kv;
pub mod note;
pub mod notebook;
pub mod store;
pub mod tools;

#[cfg(test)]
mod tests;

use mcp_edge::{BuildError, Server, include_skill};
use store::NoteStore;
use worker::Env;

/// The scope for looking at notes.
const READ: &str = "notes:read";

/// The scope for changing them. `SCOPE_HIERARCHY` in `wrangler.toml` says that it implies [`READ`].
const WRITE: &str = "notes:write";

mcp_edge::entry!(server::<Env>);

/// The snippets of the page on skills are compiled, with those of this example.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/skills.md")]
struct Skills;

/// The server with everything that it offers.
///
/// # Errors
/// [`BuildError`] if two items contradict each other; found by the tests, not by users.
pub fn server<S: NoteStore>() -> Result<Server<S>, BuildError> {
    Server::builder("notes", env!("CARGO_PKG_VERSION"))
        .title("Notes")
        .description("Keeps notes for you.")
        .instructions("Notes have ids; list_notes finds them by title. Each note can also be read as note://{id}.")
        .scope(READ, "Read your notes")
        .scope(WRITE, "Write and delete your notes")
        .tool(tools::list_notes())
        .tool(tools::read_note())
        .tool(tools::create_note())
        .tool(tools::import_notes())
        .tool(tools::delete_note())
        .resource(documents::index())
        .resource_template(documents::note())
        .prompt(documents::summarize_notes())
        .skill(include_skill!("skills/tidy-notes").scope(WRITE).needs_user())
        // How to set up a server like this one. It is of use to those who try the example; a product's users would not need it.
        .skill(include_skill!("../../skills/mcp-edge"))
        .build()
}
