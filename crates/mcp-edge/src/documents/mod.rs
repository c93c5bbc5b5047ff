//! Documents: what this server publishes about itself, the same for everybody and without a token.
//!
//! | module | what it is |
//! |---|---|
//! | [`document`] | one document: its headers, who may read it, and how it answers each method |
//! | [`entity_tag`] | whether a reader has the document already |
//!
//! [`Documents`] is the table of them, filled once per isolate by [`Endpoint::new`](crate::endpoint::Endpoint::new).
//! To add one, make a [`Document`](document::Document) and put it into the table with [`Documents::publish`]. The MCP
//! endpoint is looked at before the table, so a document can never take its place.

pub mod document;
pub mod entity_tag;

use std::rc::Rc;

use document::Document;

/// Which document is at which path.
#[derive(Debug, Default)]
pub struct Documents {
    /// About a dozen at most: comparing lengths and bytes in a row is quicker than hashing the path.
    entries: Vec<Entry>,
}

/// One place of the table.
#[derive(Debug)]
pub struct Entry {
    path: String,
    /// What the log calls a request for it.
    pub route: &'static str,
    /// What is there.
    pub document: Rc<Document>,
}

impl Documents {
    /// Puts `document` at all of `paths`, each exactly as it arrives in a request: with its slash, nothing decoded.
    /// What was there before stays. `route` is what the log calls requests for it.
    pub fn publish(
        &mut self,
        route: &'static str,
        paths: impl IntoIterator<Item = impl Into<String>>,
        document: Document,
    ) {
        let document = Rc::new(document);
        let entries = paths.into_iter().map(|path| Entry { path: path.into(), route, document: Rc::clone(&document) });
        self.entries.extend(entries);
    }

    /// What is at `path`.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.path == path)
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_found_at_each_of_its_paths_and_nowhere_else() {
        let mut documents = Documents::default();
        documents.publish("one", ["/one", "/eins"], Document::for_machines("application/json", "1"));
        documents.publish("two", ["/two", "/one"], Document::for_machines("application/json", "2"));
        let route = |path| documents.find(path).map(|entry| entry.route);
        assert_eq!((route("/one"), route("/eins"), route("/two")), (Some("one"), Some("one"), Some("two")));
        for path in ["", "/", "/One", "/one/", "/one?x", "/%6fne"] {
            assert_eq!(route(path), None, "{path}");
        }
    }
}
