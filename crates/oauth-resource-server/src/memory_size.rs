//! Memory sizes of values, estimated so that they are never below what the allocator gives.
//!
//! The bounds of caches are bounds in these bytes. A test compares them with a counting allocator.

use std::mem::size_of;

use serde_json::{Map, Value};

use mcp_edge_identity::{Credential, Identity, KeyUse, Scopes};

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
    let strings = text(identity.subject())
        + text(identity.issuer())
        + identity.client_id().map_or(0, text)
        + identity.organization_id().map_or(0, text);
    let credential = match identity.credential() {
        Credential::AccessKey(key) => {
            let tools = key.tools.as_deref().unwrap_or_default();
            let room = 2 * (tools.len() + 2) * size_of::<String>() + ALLOCATION;
            behind_rc::<KeyUse>() + text(&key.id) + tools.iter().fold(room, |bytes, name| bytes + text(name))
        }
        Credential::AccessToken | Credential::PersonalAccessToken => 0,
    };
    behind_rc::<Identity>() + strings + scopes + members(identity.claims()) + credential
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

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use serde_json::json;

    use super::*;

    const WORD: usize = size_of::<usize>();

    /// What an identity holds whose only claim is `claim`, more than one without claims.
    fn of_claim(claim: &Value) -> usize {
        let identity = Identity::for_test("alice", "a");
        let with = identity.clone().with(|verified| drop(verified.claims.insert("claim".to_owned(), claim.clone())));
        let mut without = identity;
        without = without.with(|verified| verified.claims.clear());
        let all = with.claims().len();
        assert_eq!(all, 1, "{:?}", with.claims());
        of_identity(&with) - of_identity(&without)
    }

    /// An object with so many members named by one letter, without values of their own.
    fn object(members: u8) -> Value {
        Value::Object((0..members).map(|number| (char::from(b'0' + number).to_string(), Value::Null)).collect())
    }

    #[test]
    fn strings_and_values_behind_a_count_have_an_allocation_each() {
        assert_eq!(text("four"), 4 + ALLOCATION);
        assert_eq!(behind_rc::<u64>(), 8 + 2 * WORD + ALLOCATION);
    }

    #[test]
    fn scopes_have_room_for_twice_as_many_and_four_at_least() {
        let room = |count: usize| count * size_of::<String>() + ALLOCATION;
        assert_eq!(scopes(&Scopes::default()), room(4));
        assert_eq!(scopes(&Scopes::parse("a bc")), room(8) + text("a") + text("bc"));
    }

    #[test]
    fn an_identity_holds_its_strings() {
        let identity = Identity::for_test("alice", "a").with(|verified| verified.claims.clear());
        let strings = text("alice") + text(identity.issuer()) + identity.client_id().map_or(0, text);
        assert_eq!(of_identity(&identity), behind_rc::<Identity>() + strings + scopes(identity.scopes()));
        let longer = identity.clone().with(|verified| verified.issuer.push('x'));
        assert_eq!(of_identity(&longer), of_identity(&identity) + 1);
        let longer = identity.clone().with(|verified| verified.client_id = Some("a client".to_owned()));
        let shorter = identity.clone().with(|verified| verified.client_id = None);
        assert_eq!(of_identity(&longer), of_identity(&shorter) + text("a client"));
        let with_tools = |tools: &[&str]| {
            let tools = Some(tools.iter().map(|name| (*name).to_owned()).collect());
            let key = Rc::new(KeyUse { id: "id".to_owned(), tools });
            of_identity(&identity.clone().with(|verified| verified.credential = Credential::AccessKey(key)))
        };
        assert!(with_tools(&[]) > of_identity(&identity) + behind_rc::<KeyUse>() + 2);
        assert!(with_tools(&["a tool"]) >= with_tools(&[]) + size_of::<String>() + text("a tool"));
    }

    #[test]
    fn objects_hold_nodes_and_lists_room() {
        let member = |value: usize| NODE + text("claim") + value;
        assert_eq!(NODE, 11 * (size_of::<String>() + size_of::<Value>()) + 2 * WORD + ALLOCATION);
        for (value, bytes) in [
            (json!(null), 0),
            (json!(1), 0),
            (json!("four"), text("four")),
            (object(0), 0),
            (object(1), NODE + text("0")),
            (object(11), NODE + 11 * text("0")),
            (object(12), 5 * NODE + 12 * text("0")),
            (object(20), 7 * NODE + 20 * text("0")),
        ] {
            assert_eq!(of_claim(&value), member(bytes), "{value}");
        }
        // A list may have more room than elements, and all of it counts.
        let mut list = Vec::with_capacity(3);
        list.extend([json!("four"), json!("seven c")]);
        let room = list.capacity() * size_of::<Value>() + ALLOCATION;
        assert_eq!(value(&Value::Array(list)), room + text("four") + text("seven c"));
    }
}
