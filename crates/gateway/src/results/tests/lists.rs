//! Which items of lists pass.

use proptest::prelude::*;

use super::*;
use crate::pins::{Call, digest};

const LISTS: [(Listed, &str, &str, &str); 4] = [
    (Listed::Tools, "tools", "name", ""),
    (Listed::Prompts, "prompts", "name", ""),
    (Listed::Resources, "resources", "uri", ":x"),
    (Listed::Templates, "resourceTemplates", "uriTemplate", ":{x}"),
];

fn listed(listed: Listed, items: &str, policy: &Policy, scopes: &str) -> String {
    let (_, list, ..) = LISTS.into_iter().find(|known| known.0 == listed).unwrap();
    let identity = Identity::for_test("ada", scopes);
    let context = RewriteContext { policy, identity: &identity, pins: None, era: Era::Legacy, now: 10 };
    let upstream = response(&format!(r#"{{"{list}":[{items}]}}"#));
    let rewritten =
        rewrite(ReadResult::List(listed), &upstream, Ids { asked: "1", answered: "1" }, &context).unwrap().response;
    let start = rewritten.find('[').unwrap();
    rewritten[start + 1..].strip_suffix("]}}").unwrap().to_owned()
}

#[test]
fn lists_show_what_the_caller_may_use_as_it_is() {
    for (kind, _, key, rest) in LISTS {
        let item = |name: &str| format!(r#"{{ "x" : [1,  "\u0061"], "{key}":"{name}{rest}" }}"#);
        let items = [item("a"), item("s"), item("d"), item("other")].join(" , ");
        assert_eq!(listed(kind, &items, &usual(), ""), item("a"), "{key}");
        assert_eq!(listed(kind, &items, &usual(), "scope"), [item("a"), item("s")].join(","), "{key}");
    }
}

#[test]
fn lists_show_what_scopes_would_allow_if_the_operator_wants_it() {
    let settings = [("TOOL_SCOPES", "a=allow s=scope d=deny f=first_party"), ("LIST_TOOLS", "obtainable")];
    let items = r#"{"name":"a"},{"name":"s"},{"name":"d"},{"name":"f"},{"name":"x"}"#;
    assert_eq!(listed(Listed::Tools, items, &policy(&settings), ""), r#"{"name":"a"},{"name":"s"}"#);
}

#[test]
fn items_that_readers_read_differently_are_dropped() {
    for (kind, _, key, rest) in LISTS {
        let upper = key.to_uppercase();
        for item in [
            format!(r#"{{"{key}":"a{rest}","{key}":"a{rest}"}}"#),
            format!(r#"{{"{key}":"a{rest}","{upper}":"d{rest}"}}"#),
            format!(r#"{{"{upper}":"d{rest}","{key}":"a{rest}"}}"#),
            format!(r#"{{"{upper}":"a{rest}"}}"#),
            format!(r#"{{"{key}":"a{rest}","_{key}":"d{rest}"}}"#),
            format!(r#"{{"{key}":"a{rest}","\ud800":1}}"#),
            format!(r#"{{"{key}":["a{rest}"]}}"#),
            format!(r#"{{"{key}":"\ud800"}}"#),
            format!(r#"{{"{key}":null}}"#),
            format!("\"a{rest}\""),
            "{}".to_owned(),
            "[]".to_owned(),
            "null".to_owned(),
        ] {
            assert_eq!(listed(kind, &item, &usual(), ""), "", "{item}");
        }
    }
    let templates = r#"{"uriTemplate":"a:x","uri_template":"d:x"}"#;
    assert_eq!(listed(Listed::Templates, templates, &usual(), ""), "");
    assert_eq!(listed(Listed::Tools, r#"{"\u006eame":"\u0061"}"#, &usual(), ""), r#"{"\u006eame":"\u0061"}"#);
}

#[test]
fn members_beside_the_list_pass_but_not_those_that_are_taken_for_it() {
    let upstream = r#"{"nextCursor":"\u0063","Tools":[{"name":"d"}],"tools":[{"name":"a"}],"TOOLS":1,"too_ls":2,"_meta":{"a": 1},"ttlMs":5,"x y":[]}"#;
    let others = r#""nextCursor":"\u0063","_meta":{"a": 1},"ttlMs":5,"x y":[]"#;
    assert_eq!(result(TOOLS, upstream), Ok(format!(r#"{{{others},"tools":[{{"name":"a"}}]}}"#)));
}

#[test]
fn lists_are_for_one_caller_only() {
    let read = |era: Era, upstream: &str| result_in(era, TOOLS, upstream, &usual());
    let private = Ok(r#"{"tools":[],"cacheScope":"private"}"#.to_owned());
    for upstream in [r#"{"tools":[],"cacheScope":"public"}"#, r#"{"Cache_Scope":"public","cacheScope":7,"tools":[]}"#] {
        assert_eq!(read(Era::Legacy, upstream), private);
        assert_eq!(read(Era::Modern, upstream), private);
    }
    assert_eq!(read(Era::Modern, r#"{"tools":[]}"#), private);
    assert_eq!(read(Era::Legacy, r#"{"tools":[]}"#), Ok(r#"{"tools":[]}"#.to_owned()));
    // A reader without case takes this for a hint.
    assert_eq!(read(Era::Legacy, r#"{"tools":[],"cachescope":"public"}"#), Ok(r#"{"tools":[]}"#.to_owned()));
}

#[test]
fn a_list_that_cannot_be_read_is_refused() {
    use UnreadableResult::{Malformed, Member, Repeated};
    for (upstream, expected) in [
        ("{}", Member("tools")),
        (r#"{"Tools":[]}"#, Member("tools")),
        (r#"{"tools":{}}"#, Member("tools")),
        (r#"{"tools":null}"#, Member("tools")),
        (r#"{"tools":[],"tools":[]}"#, Repeated("tools")),
        (r#"{"tools":[],"\u0074ools":[]}"#, Repeated("tools")),
        ("[]", Malformed),
        ("7", Malformed),
    ] {
        assert_eq!(result(TOOLS, upstream), Err(expected), "{upstream}");
    }
}

#[test]
fn a_list_has_a_limit() {
    let of = |count: usize| format!(r#"{{"tools":[{}]}}"#, vec!["1"; count].join(","));
    assert!(result(TOOLS, &of(10_000)).is_ok());
    assert_eq!(result(TOOLS, &of(10_001)), Err(UnreadableResult::TooManyItems));
}

#[test]
fn tools_whose_definitions_are_not_approved_are_hidden_and_reported() {
    let [a, changed, twice, other] =
        [r#"{"name":"a1"}"#, r#"{"name":"a2","description":"new"}"#, r#"{"name":"a3"}"#, r#"{"name":"a3","x":1}"#];
    let setting = format!("a1={} a2={} a3={}", digest(a).unwrap(), digest("{}").unwrap(), digest(twice).unwrap());
    let get = |name: &str| (name == "TOOL_PINS").then(|| setting.clone());
    let mut reader = Reader::new(&get);
    let pins = Pins::read(&mut reader).unwrap();
    let (policy, identity) = (usual(), Identity::for_test("ada", ""));
    let context = RewriteContext { policy: &policy, identity: &identity, pins: Some(&pins), era: Era::Legacy, now: 10 };
    let list = |items: &[&str]| {
        let upstream = response(&format!(r#"{{"tools":[{}]}}"#, items.join(",")));
        rewrite(TOOLS, &upstream, Ids { asked: "1", answered: "1" }, &context).unwrap()
    };

    let rewritten = list(&[twice, changed, r#"{"name":"a4"}"#, a, other, r#"{"name":"d"}"#]);
    assert_eq!(rewritten.response, response(&format!(r#"{{"tools":[{a}]}}"#)));
    let unapproved = |name: &str, item: &str| Unapproved { name: name.to_owned(), digest: digest(item) };
    let expected = [unapproved("a2", changed), unapproved("a4", r#"{"name":"a4"}"#), unapproved("a3", other)];
    assert_eq!(rewritten.unapproved, expected);
    let calls = ["a1", "a2", "a3", "a4", "d"].map(|name| pins.call(name, 10));
    assert_eq!(calls, [Call::Approved, Call::Refused, Call::Refused, Call::Refused, Call::Refused]);

    assert_eq!(list(&[twice]).unapproved, []);
    assert_eq!(pins.call("a3", 10), Call::Approved);
    let repeated = list(&[r#"{"name":"a1","x":{"y":1,"y":2}}"#]);
    assert_eq!(repeated.unapproved, [Unapproved { name: "a1".to_owned(), digest: None }]);
    assert_eq!(pins.call("a1", 10), Call::Refused);
}

/// The values of an item's members whose names are `key` for a reader without case.
fn read_without_case(item: &str, key: &str) -> Vec<String> {
    let mut values = Vec::new();
    mcp_edge_protocol::members::walk_object(item, &mut |name, value| {
        if name.to_lowercase() == key.to_lowercase() || name.to_uppercase() == key.to_uppercase() {
            values.push(serde_json::from_str::<String>(value).unwrap_or_default());
        }
        true
    })
    .unwrap();
    values
}

proptest! {
    #[test]
    fn no_reader_sees_an_item_that_is_denied(
        members in prop::collection::vec(
            ("tools|Tools|TOOLS|too_ls|tool\u{17f}|x", prop::collection::vec(
                prop::collection::vec(("name|Name|NAME|n\\\\u0061me|title", "a1?|s|d|A|\\\\u0064|D"), 0..4), 0..4)),
            0..4,
        ),
    ) {
        let array = |items: &Vec<Vec<(String, String)>>| {
            let items: Vec<String> = items.iter().map(|item| {
                let members: Vec<String> = item.iter().map(|(name, value)| format!(r#""{name}":"{value}""#)).collect();
                format!("{{{}}}", members.join(","))
            }).collect();
            format!("[{}]", items.join(","))
        };
        let members: Vec<String> = members.iter().map(|(name, items)| format!(r#""{name}":{}"#, array(items))).collect();
        let Ok(result) = result(TOOLS, &format!("{{{}}}", members.join(","))) else { return Ok(()) };
        let policy = usual();
        let identity = Identity::for_test("ada", "");
        // All members that a reader could take for the list.
        mcp_edge_protocol::members::walk_object(&result, &mut |name, list| {
            if name.to_lowercase() == "tools" || name.to_uppercase() == "TOOLS" {
                mcp_edge_protocol::members::walk_array(list, &mut |item| {
                    // All members that a reader could take for the name: it may read the first of them, or the last.
                    let names = read_without_case(item, "name");
                    assert!(!names.is_empty(), "{item}");
                    for name in names {
                        assert_eq!(policy.tools.access(&name, &identity), crate::access::Access::Granted, "{name}");
                    }
                    true
                }).unwrap();
            }
            true
        }).unwrap();
    }
}
