//! Memory sizes of values, estimated so that they are never below what the allocator gives.
//!
//! The bounds of caches are bounds in these bytes. A test compares them with a counting allocator.

use std::mem::size_of;

use serde_json::{Map, Value};

use mcp_edge_identity::{Identity, Scopes};

/// What an allocation takes beyond its bytes: the allocator's header, and rounding up.
pub const ALLOCATION: usize = 16;

/// A node of the B-tree that an object is: room for eleven members, taken also for one.
const NODE: usize = 11 * (size_of::<String>() + size_of::<Value>()) + 2 * size_of::<usize>() + ALLOCATION;

/// A value behind an `Rc`, without what it holds elsewhere.
#[must_use]
pub const fn behind_rc<T>() -> usize {
    size_of::<T>() + 2 * size_of::<usize>() + ALLOCATION
}

/// An identity behind an `Rc`.
#[must_use]
pub fn of_identity(identity: &Identity) -> usize {
    let scopes = scopes(identity.scopes());
    let strings = text(identity.subject()) + text(identity.issuer()) + identity.client_id().map_or(0, text);
    behind_rc::<Identity>() + strings + scopes + members(identity.claims())
}

/// What a set of scopes holds beside itself.
#[must_use]
pub fn scopes(scopes: &Scopes) -> usize {
    // A vector that grows has room for twice as many, and for four at least.
    let (count, bytes) = scopes.iter().fold((0, 0), |(count, bytes), name| (count + 1, bytes + text(name)));
    2 * (count + 2) * size_of::<String>() + ALLOCATION + bytes
}

/// A text's bytes, with their allocation.
#[must_use]
pub fn text(text: &str) -> usize {
    text.len() + ALLOCATION
}

/// What an object holds beside itself.
fn members(object: &Map<String, Value>) -> usize {
    // Of several nodes each but the root holds five members at least, and one in six is an inner one with twelve
    // pointers more.
    let nodes = match object.len() {
        0 => 0,
        1..=11 => NODE,
        count => count * NODE / 4 + 2 * NODE,
    };
    object.iter().fold(nodes, |bytes, (name, member)| bytes + name.capacity() + ALLOCATION + value(member))
}

/// What a value holds beside itself.
fn value(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.capacity() + ALLOCATION,
        Value::Array(elements) => {
            let room = elements.capacity() * size_of::<Value>() + ALLOCATION;
            elements.iter().fold(room, |bytes, element| bytes + self::value(element))
        }
        Value::Object(object) => members(object),
    }
}
