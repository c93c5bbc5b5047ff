//! Responses of an upstream with any content: what passes is a response to the request, no reader of it sees an item that
//! its caller must not use, and no cache may share it.

use mcp_edge_gateway::{
    access::{Access, AccessTable, Policy},
    pins,
    results::{Ids, Listed, ReadResult, RewriteContext, response_in, rewrite},
};
use mcp_edge_identity::Identity;
use mcp_edge_protocol::{
    members::{walk_array, walk_object},
    revision::Era,
};
use mcp_edge_runtime::{json::Object, settings::Reader};

use crate::with_text;

const IDS: Ids<'_> = Ids { asked: "1", answered: "1" };

/// The kinds of results, by the first character of the input.
const KINDS: [(char, ReadResult); 8] = [
    ('t', ReadResult::List(Listed::Tools)),
    (PINNED, ReadResult::List(Listed::Tools)),
    ('p', ReadResult::List(Listed::Prompts)),
    ('r', ReadResult::List(Listed::Resources)),
    ('u', ReadResult::List(Listed::Templates)),
    ('i', ReadResult::Initialize),
    ('d', ReadResult::Discover),
    ('c', ReadResult::Resource),
];

/// The kind of a list of tools whose definitions must be approved.
const PINNED: char = 'l';

/// The one definition that is approved, and the setting that says so.
const APPROVED: &str = r#"{"name":"a"}"#;
const TOOL_PINS: &str = "a=2dcZsnSAtVzUkYAg50c-cW7TVpyK2v6SbPmxC0-O8GQ";

fn pins() -> Option<pins::Pins> {
    let get = |name: &str| (name == "TOOL_PINS").then(|| TOOL_PINS.to_owned());
    let mut reader = Reader::new(&get);
    let pins = pins::Pins::read(&mut reader);
    reader.finish(pins).expect("the setting is good")
}

fn policy() -> Policy {
    let get = |name: &str| match name {
        "TOOL_SCOPES" | "PROMPT_SCOPES" => Some("*=allow d*=deny s=scope".to_owned()),
        "RESOURCE_SCOPES" => Some("*=allow file:///d/*=deny s:*=scope".to_owned()),
        _ => None,
    };
    let mut reader = Reader::new(&get);
    let policy = Policy::read(&mut reader);
    reader.finish(policy).expect("the settings are good")
}

/// The first character is the kind of the result, in upper case in the modern era; the rest is the response to a request
/// with the id 1.
pub fn check(input: &[u8]) {
    with_text(input, |input| {
        let mut letters = input.chars();
        let Some(kind) = letters.next() else { return };
        let response = letters.as_str();
        let Some((_, what)) = KINDS.into_iter().find(|(letter, _)| kind.eq_ignore_ascii_case(letter)) else { return };
        let era = if kind.is_ascii_uppercase() { Era::Modern } else { Era::Legacy };
        let (policy, identity) = (policy(), Identity::for_test("ada", ""));
        let pins = if kind.eq_ignore_ascii_case(&PINNED) { pins() } else { None };
        let context = RewriteContext { policy: &policy, identity: &identity, pins: pins.as_ref(), era, now: 0 };
        let rewritten = rewrite(what, response, IDS, &context).map(|rewritten| rewritten.response);
        check_stream(what, response, rewritten.as_deref().ok(), &context);
        if let Ok(rewritten) = rewritten {
            check_response(what, &rewritten, &context);
        }
        if let Some(canonical) = pins::canonical(response) {
            assert_eq!(pins::canonical(&canonical).as_ref(), Some(&canonical), "the canonical form is not canonical");
        }
    });
}

/// The response is the same in an event stream, in which line breaks are the only bytes that may change.
fn check_stream(what: ReadResult, response: &str, rewritten: Option<&str>, context: &RewriteContext<'_>) {
    let _ = response_in(response, "1");
    let with_line_feeds = |text: &str| text.replace("\r\n", "\n").replace('\r', "\n");
    let lines = with_line_feeds(response).replace('\n', "\ndata: ");
    let stream = format!("event: message\ndata: {lines}\n\n");
    let found = response_in(&stream, "1").and_then(|found| rewrite(what, &found, IDS, context).ok());
    if let Some(rewritten) = rewritten {
        let found = found.expect("what can be read is found in a stream").response;
        assert_eq!(with_line_feeds(&found), with_line_feeds(rewritten));
    }
}

fn check_response(what: ReadResult, response: &str, context: &RewriteContext<'_>) {
    let members = members(response);
    let names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
    assert!(names == ["jsonrpc", "id", "result"] || names == ["jsonrpc", "id", "error"], "{names:?}");
    assert_eq!((members[0].1, members[1].1), ("\"2.0\"", "1"));
    if names[2] == "error" {
        return;
    }
    let result = self::members(members[2].1);
    let (tables, list, key) = match what {
        ReadResult::List(Listed::Tools) => (&context.policy.tools, "tools", "name"),
        ReadResult::List(Listed::Prompts) => (&context.policy.prompts, "prompts", "name"),
        ReadResult::List(Listed::Resources) => (&context.policy.resources, "resources", "uri"),
        ReadResult::List(Listed::Templates) => (&context.policy.resources, "resourceTemplates", "uriTemplate"),
        ReadResult::Initialize | ReadResult::Discover | ReadResult::Resource => {
            return check_others(what, &result);
        }
    };
    for (_, items) in result.iter().filter(|(name, _)| is_read_as(name, list)) {
        walk_array(items, &mut |item| {
            check_item(item, key, tables, context.identity);
            if context.pins.is_some() {
                // What is approved is what the upstream wrote.
                let members =
                    self::members(item).into_iter().filter(|(name, _)| name != "_meta" && name != "securitySchemes");
                let written = members.fold(Object::new(), |object, (name, value)| object.entry(&name, value)).close();
                assert_eq!(pins::canonical(&written).as_deref(), Some(APPROVED), "{item} is not approved");
            }
            true
        })
        .expect("the list is an array");
    }
    check_cache(&result, context.era == Era::Modern);
}

/// All members that a reader could take for the name of an item name something that the caller may use.
fn check_item(item: &str, key: &str, table: &AccessTable, identity: &Identity) {
    let named = members(item);
    let named: Vec<_> = named.iter().filter(|(name, _)| is_read_as(name, key)).collect();
    assert!(!named.is_empty(), "{item} has no {key}");
    for (_, value) in named {
        let value: String = serde_json::from_str(value).expect("a string");
        assert_eq!(table.access(&value, identity), Access::Granted, "{value:?} is shown");
        let bare = value.to_lowercase().replace("%2f", "/");
        assert!(!bare.starts_with('d') || key != "name", "{value:?} is shown");
        assert!(!bare.starts_with("file:///d/"), "{value:?} is shown");
    }
}

fn check_others(what: ReadResult, result: &[(String, &str)]) {
    if what != ReadResult::Resource {
        let capabilities = result.iter().find(|(name, _)| name == "capabilities").expect("capabilities").1;
        for hidden in ["tasks", "experimental"] {
            assert!(!members(capabilities).iter().any(|(name, _)| is_read_as(name, hidden)), "{capabilities}");
        }
    }
    check_cache(result, what == ReadResult::Discover);
}

/// No reader finds that the result may be shared.
fn check_cache(result: &[(String, &str)], must_say: bool) {
    let scopes: Vec<_> = result.iter().filter(|(name, _)| is_read_as(name, "cacheScope")).collect();
    assert!(scopes.iter().all(|(_, value)| *value == "\"private\""), "{scopes:?}");
    assert!(!must_say || !scopes.is_empty(), "no cacheScope");
}

fn members(object: &str) -> Vec<(String, &str)> {
    let mut members = Vec::new();
    walk_object(object, &mut |name, value| {
        members.push((name.into_owned(), value));
        true
    })
    .expect("an object");
    members
}

/// Whether a reader that compares without case takes one name for another.
fn is_read_as(name: &str, known: &str) -> bool {
    name.to_lowercase() == known.to_lowercase() || name.to_uppercase() == known.to_uppercase()
}
