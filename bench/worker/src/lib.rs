//! The Worker for the load `fifty-tools`: five operations on each of ten kinds of records.
//!
//! `bench/contenders/fifty-tools.js` declares the same in JavaScript. The benchmark lists them and does not call them.

use mcp_edge::{BuildError, JsonSchema, Server, Tool, schema};
use serde::Deserialize;

const RECORDS: [&str; 10] =
    ["note", "project", "task", "contact", "invoice", "order", "product", "ticket", "meeting", "file"];

#[schema(input)]
#[allow(dead_code, reason = "only its schema is used")]
struct Search {
    /// Words to look for
    query: String,
    /// How many to return at most
    #[schemars(range(min = 1, max = 100))]
    limit: Option<u8>,
}

#[schema(input)]
#[allow(dead_code, reason = "only its schema is used")]
struct Get {
    /// Id of the record
    id: String,
}

#[schema(input)]
#[allow(dead_code, reason = "only its schema is used")]
struct Create {
    /// One line, shown in lists
    title: String,
    /// The text, in Markdown
    body: String,
    /// Labels to put on it
    labels: Option<Vec<String>>,
}

#[schema(input)]
#[allow(dead_code, reason = "only its schema is used")]
struct Update {
    /// Id of the record
    id: String,
    /// One line, shown in lists
    title: Option<String>,
    /// The text, in Markdown
    body: Option<String>,
}

#[schema(input)]
#[allow(dead_code, reason = "only its schema is used")]
struct Delete {
    /// Id of the record
    id: String,
    /// Why, for the record
    reason: Option<String>,
}

mcp_edge::entry!(server);

/// Creates the server with its fifty tools.
///
/// # Errors
/// [`BuildError`] if two tools contradict each other; found by the tests.
pub fn server<E: Clone + 'static>() -> Result<Server<E>, BuildError> {
    let tools = RECORDS.into_iter().flat_map(|record| {
        [
            tool::<E, Search>(record, "search", format!("Finds {record}s by words in them, best match first.")),
            tool::<E, Get>(record, "get", format!("Reads one {record}.")),
            tool::<E, Create>(record, "create", format!("Makes a new {record} and returns its id.")),
            tool::<E, Update>(record, "update", format!("Changes what is named of a {record} and leaves the rest.")),
            tool::<E, Delete>(record, "delete", format!("Removes a {record} for good.")),
        ]
    });
    tools.fold(Server::builder("fifty-tools", env!("CARGO_PKG_VERSION")), mcp_edge::ServerBuilder::tool).build()
}

fn tool<E, Arguments>(record: &str, operation: &str, description: String) -> Tool<E>
where
    E: 'static,
    Arguments: for<'a> Deserialize<'a> + JsonSchema + 'static,
{
    Tool::new(format!("{record}_{operation}"), does_nothing::<Arguments>).description(description)
}

async fn does_nothing<Arguments>(_: Arguments) -> &'static str {
    ""
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_fifty_tools() {
        let server = server::<()>().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(server.tools().count(), 50);
    }
}
