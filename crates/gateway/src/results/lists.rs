//! The four lists: which of their items pass.

use mcp_edge_protocol::{
    members::{is_alike, string, walk_array, walk_object},
    revision::Era,
};
use mcp_edge_runtime::json::{Object, array};

use super::{CACHE_SCOPE, Listed, RewriteContext, UnreadableResult, split, with_private_cache};
use crate::{
    access::{Access, ListMode},
    pins::{Definition, Pins},
};

/// A page of the longest lists that are known has some hundred.
pub(super) const MAX_ITEMS: usize = 10_000;

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
        if let Some(name) = identifier(item, key)
            && is_shown(listed, &name, context)
        {
            items.push((name, item));
        }
        true
    });
    if count > MAX_ITEMS {
        return Err(UnreadableResult::TooManyItems);
    }
    walked.map_err(|_| UnreadableResult::Member(list_name))?;
    if let (Listed::Tools, Some(pins)) = (listed, context.pins) {
        *unapproved = hide_unapproved(&mut items, pins, context.now);
    }
    let members = parts.others.raw(list_name, &array(items.iter().map(|(_, item)| item)));
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

fn is_shown(listed: Listed, name: &str, context: &RewriteContext<'_>) -> bool {
    let policy = context.policy;
    let table = match listed {
        Listed::Tools => &policy.tools,
        Listed::Prompts => &policy.prompts,
        Listed::Resources | Listed::Templates => &policy.resources,
    };
    match table.access(name, context.identity) {
        Access::Granted => true,
        Access::Obtainable(_) => policy.list == ListMode::Obtainable,
        Access::Denied => false,
    }
}

/// Removes the tools whose definitions are not approved, and remembers of each tool whether it is. Two definitions under
/// one name count as not approved if one of them is not.
fn hide_unapproved(items: &mut Vec<(String, &str)>, pins: &Pins, now: u64) -> Vec<Unapproved> {
    let mut unapproved: Vec<Unapproved> = Vec::new();
    items.retain(|(name, item)| match pins.check(name, item) {
        Definition::Approved => true,
        Definition::Unapproved(digest) => {
            unapproved.push(Unapproved { name: name.clone(), digest });
            false
        }
    });
    items.retain(|(name, _)| unapproved.iter().all(|hidden| hidden.name != *name));
    for (name, _) in &*items {
        pins.remember(name, true, now);
    }
    for Unapproved { name, .. } in &unapproved {
        pins.remember(name, false, now);
    }
    unapproved
}
