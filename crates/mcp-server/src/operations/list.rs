//! Lists: pages of the primitives that a caller may use (MCP 2026-07-28, server/utilities/pagination and
//! basic/utilities/caching).

use mcp_edge_identity::Identity;
use mcp_edge_runtime::{base64::URL_SAFE_NO_PAD, json::array};

use super::{Execution, Operation, OperationError, Started, members, required};
use crate::{
    primitives::resource::Cache,
    result::{OperationResult, Success},
};
use mcp_edge_identity::Requirements;
use mcp_edge_protocol::error::RpcError;

/// An item of a list.
pub(super) struct Item<'a> {
    /// Its name or URI, unique in the list.
    pub key: &'a str,
    /// As it is listed.
    pub json: &'a str,
    pub requirements: &'a Requirements,
    /// Whether the caller's credential leaves it to be used: an access key may be for some tools alone.
    pub is_left: bool,
}

/// Answers a list method with one page of `items`, in the member of this name.
pub(super) fn respond<E>(operation: &Operation<'_, E>, member: &'static str, items: &[Item<'_>]) -> Started {
    Started { name: None, execution: list(operation, member, items) }
}

fn list<E>(
    operation: &Operation<'_, E>,
    member: &'static str,
    items: &[Item<'_>],
) -> Result<Execution, OperationError> {
    let catalog = operation.catalog;
    let cursor = operation.params.cursor.map(|raw| required(Some(raw), "cursor")).transpose()?;
    let page = page(items, cursor.as_deref(), catalog.page_size, &operation.context.identity)?;
    let members = members(member, &page.items).maybe_text("nextCursor", page.next.as_deref());
    let cache = Cache { ttl: catalog.list_ttl, public: page.public };
    Ok(Execution::Complete(OperationResult::Complete(Success::cached(members, cache))))
}

/// A part of a list.
#[derive(Debug, PartialEq, Eq)]
struct Page {
    /// A JSON array.
    pub items: String,
    pub next: Option<String>,
    /// Whether the whole list, and not just this page, is the same for everybody.
    pub public: bool,
}

/// The page after `cursor`.
///
/// Items keep the order in which they were registered. A cursor names the last item seen, and where it stood: if a
/// newer version of the server has put items before it, nothing is shown twice; if it has lost the item itself, the
/// list goes on where it was.
fn page(all: &[Item<'_>], cursor: Option<&str>, size: usize, identity: &Identity) -> Result<Page, RpcError> {
    let start = match cursor {
        None => 0,
        Some(cursor) => {
            let (index, key) = read_cursor(cursor).ok_or_else(|| RpcError::invalid_params("invalid cursor"))?;
            all.iter().position(|item| item.key == key).map_or(index, |found| found + 1)
        }
    };
    let is_visible = |item: &Item<'_>| item.is_left && item.requirements.check(identity).is_ok();
    let mut visible = all.iter().enumerate().skip(start).filter(|(_, item)| is_visible(item)).peekable();
    let mut items = Vec::with_capacity(size.min(all.len()));
    let mut last = None;
    while items.len() < size
        && let Some((index, item)) = visible.next()
    {
        items.push(item.json);
        last = Some((index, item.key));
    }
    let next = last.filter(|_| visible.peek().is_some()).map(|(index, key)| write_cursor(index, key));
    Ok(Page { items: array(items), next, public: all.iter().all(|item| item.is_left && item.requirements.is_open()) })
}

fn write_cursor(index: usize, key: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{index}:{key}"))
}

/// Inverse of [`write_cursor`].
fn read_cursor(cursor: &str) -> Option<(usize, String)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor)?).ok()?;
    let (index, key) = text.split_once(':')?;
    Some((index.parse().ok()?, key.to_owned()))
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn requirements(scope: Option<&str>) -> Requirements {
        let mut requirements = Requirements::default();
        if let Some(scope) = scope {
            requirements.scope(scope.to_owned());
        }
        requirements
    }

    /// All keys that a caller with `scopes` gets page by page. `change` edits the list before each further page.
    fn walk(items: &[(&'static str, Option<&str>)], scopes: &str, change: impl Fn(&mut Vec<&'static str>)) -> String {
        let mut keys: Vec<&str> = items.iter().map(|(key, _)| *key).collect();
        let identity = Identity::for_test("ada", scopes);
        let (mut seen, mut cursor) = (String::new(), None);
        loop {
            let needs: Vec<Requirements> = keys
                .iter()
                .map(|key| requirements(items.iter().find(|(known, _)| known == key).and_then(|(_, scope)| *scope)))
                .collect();
            let rows: Vec<Item<'_>> = keys
                .iter()
                .zip(&needs)
                .map(|(key, requirements)| Item { key, json: key, requirements, is_left: true })
                .collect();
            let page = page(&rows, cursor.as_deref(), 2, &identity).unwrap_or_else(|error| panic!("{error:?}"));
            seen.push_str(&page.items);
            match page.next {
                Some(next) => cursor = Some(next),
                None => return seen,
            }
            change(&mut keys);
        }
    }

    #[test]
    fn pages_hold_what_the_caller_may_use_in_order() {
        let items = [("e", None), ("b", Some("x")), ("c", None), ("d", None), ("a", Some("y"))];
        assert_eq!(walk(&items, "", |_| ()), "[e,c][d]");
        assert_eq!(walk(&items, "x", |_| ()), "[e,b][c,d]");
        assert_eq!(walk(&items, "x y", |_| ()), "[e,b][c,d][a]");
        assert_eq!(walk(&[], "", |_| ()), "[]");
    }

    #[test]
    fn a_list_that_changes_between_pages_loses_nothing_and_repeats_nothing() {
        let items = [("a", None), ("b", None), ("c", None), ("d", None)];
        let insert = |keys: &mut Vec<&'static str>| keys.insert(0, "new");
        assert_eq!(walk(&items, "", insert), "[a,b][c,d]");
        assert_eq!(walk(&items, "", |keys| keys.retain(|key| *key != "b")), "[a,b][c,d]");
        assert_eq!(walk(&items, "", |keys| keys.truncate(1)), "[a,b][]");
    }

    #[test]
    fn a_list_is_public_if_nobody_sees_another_one() {
        let identity = Identity::for_test("ada", "x");
        let (open, closed) = (requirements(None), requirements(Some("x")));
        let public = |requirements: &Requirements, is_left| {
            page(&[Item { key: "a", json: "a", requirements, is_left }], None, 2, &identity).map(|page| page.public)
        };
        assert_eq!(public(&open, true), Ok(true));
        assert_eq!(public(&closed, true), Ok(false));
        assert_eq!(public(&open, false), Ok(false), "of a credential that leaves less than others have");
    }

    #[test]
    fn cursors_that_were_not_given_out_are_refused() {
        for cursor in ["", "0", "!", "YQ", "MTIz", "LTE6YQ"] {
            assert!(page(&[], Some(cursor), 2, &Identity::for_test("ada", "")).is_err(), "{cursor}");
        }
    }

    proptest! {
        #[test]
        fn cursors_are_read_as_they_were_written(index: usize, key: String) {
            prop_assert_eq!(read_cursor(&write_cursor(index, &key)), Some((index, key)));
        }

        #[test]
        fn no_cursor_panics(cursor: String) {
            let _ = page(&[], Some(&cursor), 2, &Identity::for_test("ada", ""));
        }
    }
}
