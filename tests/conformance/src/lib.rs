//! The Worker that the official MCP conformance suite talks to.
//!
//! The suite prescribes names, strings and behaviour; how each is written is up to the author, so these files are also a
//! tour of the library:
//!
//! | module | shows |
//! |---|---|
//! | [`tools_content`] | what a tool can return: text, images, sounds, resources, several of them, a failure |
//! | [`tools_working`] | what a tool does meanwhile: progress and log lines |
//! | [`tools_arguments`] | arguments with a schema written by hand, and arguments repeated in a header |
//! | [`tools_awkward`] | arguments of types that are hard to describe to every client |
//! | [`tools_asking`] | questions to the user, the model and the workspace, in one round or in several |
//! | [`tools_crashing`] | nothing to copy: how the server survives a tool that panics |
//! | [`tools_forms`] | forms: defaults and choices |
//! | [`resources`] | fixed resources and a template |
//! | [`prompts`] | prompts with arguments, their completion, and a prompt that asks back |
//!
//! Everything a deployment has is in place, authentication included.

pub mod prompts;
pub mod resources;
mod samples;
pub mod tools_arguments;
pub mod tools_asking;
pub mod tools_awkward;
pub mod tools_content;
pub mod tools_crashing;
pub mod tools_forms;
pub mod tools_working;

use mcp_edge::{BuildError, Server};

mcp_edge::entry!(server);

/// The server. The suite calls the first tool of the list without arguments and reads the first resource, so both must
/// work for any client.
///
/// # Errors
/// [`BuildError`] if two items contradict each other; found by the tests.
pub fn server<E: Clone + 'static>() -> Result<Server<E>, BuildError> {
    Server::builder("mcp-edge-conformance", env!("CARGO_PKG_VERSION"))
        .title("Conformance")
        .description("What the MCP conformance suite asks for")
        .logging()
        .with(tools_content::add_to)
        .with(tools_working::add_to)
        .with(tools_arguments::add_to)
        .with(tools_awkward::add_to)
        .with(tools_asking::add_to)
        .with(tools_forms::add_to)
        .with(tools_crashing::add_to)
        .with(resources::add_to)
        .with(prompts::add_to)
        .build()
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use mcp_edge::testing::{Client, run};
    use serde_json::json;

    use super::*;

    #[test]
    fn every_item_is_described() {
        let server = server::<()>().unwrap_or_else(|error| panic!("{error}"));
        for (method, member) in [
            ("tools/list", "tools"),
            ("prompts/list", "prompts"),
            ("resources/list", "resources"),
            ("resources/templates/list", "resourceTemplates"),
        ] {
            let answer = run(Client::new(&server).request(method, json!({})));
            let items = answer.result()[member].as_array().cloned().unwrap_or_default();
            assert!(!items.is_empty(), "{method}");
            let undescribed: Vec<_> = items.iter().filter(|item| !item["description"].is_string()).collect();
            assert!(undescribed.is_empty(), "{undescribed:?}");
        }
    }
}
