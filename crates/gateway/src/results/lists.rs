//! The four lists: which of their items pass. Of tools they say which scopes the gateway demands.

use std::mem::take;

use mcp_edge_protocol::{
    members::{is_alike, string, walk_array, walk_object},
    revision::Era,
    security_schemes::SECURITY_SCHEMES,
};
use mcp_edge_runtime::json::Object;

use super::{CACHE_SCOPE, Listed, RewriteContext, UnreadableResult, split, with_private_cache};
use crate::{
    access::{Access, ListMode},
    pins::{Definition, Pins},
};

/// A page of the longest lists that are known has some hundred.
pub(super) const MAX_ITEMS: usize = 10_000;

/// What `securitySchemes` may add to a list, in bytes: ten thousand tools with two scopes each. It is the operator's table that says
/// how long each is, and the upstream's list how many there are.
pub(super) const MAX_ADDED_BYTES: usize = 2 * 1024 * 1024;

/// Clients that keep no members of a tool but those of MCP find `securitySchemes` in here.
const META: &str = "_meta";

/// An item that a caller may see.
struct Item<'a> {
    /// What identifies it.
    name: String,
    /// As the upstream wrote it.
    json: &'a str,
    /// Of a tool: `securitySchemes`.
    security_schemes: Option<&'a str>,
}

/// A tool whose definition no entry of `TOOL_PINS` has the digest of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unapproved {
    /// Its name.
    pub name: String,
    /// The digest that would approve it; none if the definition has no canonical form.
    pub digest: Option<String>,
}

impl Listed {
    /// The member of the result that is the list, and the member of an item that identifies it.
    fn members(self) -> [&'static str; 2] {
        match self {
            Self::Tools => ["tools", "name"],
            Self::Prompts => ["prompts", "name"],
            Self::Resources => ["resources", "uri"],
            Self::Templates => ["resourceTemplates", "uriTemplate"],
        }
    }
}

/// The members of a list's result, with the items that the caller may see.
pub(super) fn filter(
    listed: Listed,
    result: &str,
    context: &RewriteContext<'_>,
    unapproved: &mut Vec<Unapproved>,
) -> Result<Object, UnreadableResult> {
    let [list_name, key] = listed.members();
    let parts = split(result, [list_name, CACHE_SCOPE])?;
    let [list, cache_scope] = parts.known;
    let list = list.ok_or(UnreadableResult::Member(list_name))?;

    let (mut count, mut items) = (0, Vec::new());
    let walked = walk_array(list, &mut |item| {
        count += 1;
        if count > MAX_ITEMS {
            return false;
        }
        items.extend(identifier(item, key).and_then(|name| shown(listed, name, item, context)));
        true
    });
    if count > MAX_ITEMS {
        return Err(UnreadableResult::TooManyItems);
    }
    walked.map_err(|_| UnreadableResult::Member(list_name))?;
    if let (Listed::Tools, Some(pins)) = (listed, context.pins) {
        *unapproved = hide_unapproved(&mut items, pins, context.now);
    }
    let members = parts.others.raw(list_name, &written(&items)?);
    Ok(with_private_cache(members, cache_scope.is_some() || context.era == Era::Modern))
}

/// What identifies an item, if all readers agree on it: an object with one such member, and none that differs in case.
fn identifier(item: &str, key: &str) -> Option<String> {
    let mut found = None;
    walk_object(item, &mut |name, value| {
        if !is_alike(&name, key) {
            return true;
        }
        let is_first = found.is_none() && name == key;
        found = Some(value);
        is_first
    })
    .ok()?;
    found.and_then(string).map(std::borrow::Cow::into_owned)
}

/// An item, if the caller may see it.
fn shown<'a>(listed: Listed, name: String, json: &'a str, context: &RewriteContext<'a>) -> Option<Item<'a>> {
    let policy = context.policy;
    let table = match listed {
        Listed::Tools => &policy.tools,
        Listed::Prompts => &policy.prompts,
        Listed::Resources | Listed::Templates => &policy.resources,
    };
    let (access, security_schemes) = table.listed(&name, context.identity);
    let is_shown = match access {
        Access::Granted => true,
        Access::Obtainable(_) => policy.list == ListMode::Obtainable,
        Access::Denied => false,
    };
    is_shown.then_some(Item { name, json, security_schemes })
}

/// The list of items, as JSON.
fn written(items: &[Item<'_>]) -> Result<String, UnreadableResult> {
    let schemes = || items.iter().filter_map(|item| item.security_schemes);
    let added: usize = schemes().map(|schemes| 2 * (schemes.len() + SECURITY_SCHEMES.len())).sum();
    if added > MAX_ADDED_BYTES {
        return Err(UnreadableResult::TooManySchemes);
    }
    // Lists are long: they are written once, into a place of about the right size.
    let capacity = added + items.iter().map(|item| item.json.len() + 32).sum::<usize>();
    let mut list = String::with_capacity(capacity);
    for item in items {
        list.push(if list.is_empty() { '[' } else { ',' });
        match item.security_schemes {
            Some(schemes) => list.push_str(&with_security_schemes(item.json, schemes)),
            None => list.push_str(item.json),
        }
    }
    list.push_str(if list.is_empty() { "[]" } else { "]" });
    Ok(list)
}

/// A tool with `securitySchemes` in the place of those that the upstream wrote: its own say what it demands of those who call it
/// without a gateway.
fn with_security_schemes(tool: &str, schemes: &str) -> String {
    let (members, meta) = others(tool);
    // What is no object, and what some readers read differently, has no place for it.
    let meta = meta.map_or_else(Object::new, |meta| others(meta).0).raw(SECURITY_SCHEMES, schemes).close();
    members.raw(SECURITY_SCHEMES, schemes).raw(META, &meta).close()
}

/// The members of an object without what a reader could take for `securitySchemes`, and without `_meta`: the last one that it has, if
/// any. There are no members of what is no object.
fn others(json: &str) -> (Object, Option<&str>) {
    let (mut members, mut meta) = (Object::with_capacity(json.len()), None);
    let walked = walk_object(json, &mut |name, value| {
        if name == META {
            meta = Some(value);
        } else if !is_alike(&name, SECURITY_SCHEMES) {
            members = take(&mut members).entry(&name, value);
        }
        true
    });
    if walked.is_ok() { (members, meta) } else { (Object::new(), None) }
}

/// Removes the tools whose definitions are not approved, and remembers of each tool whether it is. Two definitions under
/// one name count as not approved if one of them is not.
fn hide_unapproved(items: &mut Vec<Item<'_>>, pins: &Pins, now: u64) -> Vec<Unapproved> {
    let mut unapproved: Vec<Unapproved> = Vec::new();
    items.retain(|Item { name, json, .. }| match pins.check(name, json) {
        Definition::Approved => true,
        Definition::Unapproved(digest) => {
            unapproved.push(Unapproved { name: name.clone(), digest });
            false
        }
    });
    items.retain(|Item { name, .. }| unapproved.iter().all(|hidden| hidden.name != *name));
    for Item { name, .. } in &*items {
        pins.remember(name, true, now);
    }
    for Unapproved { name, .. } in &unapproved {
        pins.remember(name, false, now);
    }
    unapproved
}
