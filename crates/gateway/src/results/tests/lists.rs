//! Which items of lists pass.

use mcp_edge_identity::Scopes;
use mcp_edge_protocol::security_schemes::security_schemes;
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
        let shown = |name: &str, scopes: &[&str]| match kind {
            Listed::Tools => with_schemes(&format!(r#""x":[1,  "\u0061"],"{key}":"{name}{rest}""#), "", scopes),
            _ => item(name),
        };
        let items = [item("a"), item("s"), item("d"), item("other")].join(" , ");
        assert_eq!(listed(kind, &items, &usual(), ""), shown("a", &[]), "{key}");
        let both = [shown("a", &[]), shown("s", &["scope"])].join(",");
        assert_eq!(listed(kind, &items, &usual(), "scope"), both, "{key}");
    }
}

/// A tool with these members and these in `_meta`, which needs these scopes.
fn with_schemes(members: &str, meta: &str, scopes: &[&str]) -> String {
    let schemes = security_schemes(scopes.iter().copied());
    let comma = if meta.is_empty() { "" } else { "," };
    format!(r#"{{{members},"securitySchemes":{schemes},"_meta":{{{meta}{comma}"securitySchemes":{schemes}}}}}"#)
}

#[test]
fn tools_say_which_scopes_the_gateway_demands_and_not_those_of_the_upstream() {
    let theirs = r#"[{"type":"oauth2","scopes":["theirs"]}]"#;
    for (tool, members, meta) in [
        (r#"{"name":"s"}"#.to_owned(), r#""name":"s""#, ""),
        (format!(r#"{{"securitySchemes":{theirs},"name":"s","x":1}}"#), r#""name":"s","x":1"#, ""),
        // What readers could take for it as well, and what is written twice.
        (
            format!(
                r#"{{"name":"s","security_schemes":{theirs},"SecuritySchemes":1,"security\u0053chemes":{theirs}}}"#
            ),
            r#""name":"s""#,
            "",
        ),
        (
            format!(r#"{{"_meta":{{"a/b":[1, 2],"securitySchemes":{theirs},"c":""}},"name":"s"}}"#),
            r#""name":"s""#,
            r#""a/b":[1, 2],"c":"""#,
        ),
        (
            format!(r#"{{"_meta":{{"securitySchemes":{theirs},"a":1}},"name":"s","_meta":{{"b":2}}}}"#),
            r#""name":"s""#,
            r#""b":2"#,
        ),
        (r#"{"name":"s","_meta":null,"meta":{"x":1}}"#.to_owned(), r#""name":"s","meta":{"x":1}"#, ""),
        (r#"{"name":"s","_meta":[{"x":1}]}"#.to_owned(), r#""name":"s""#, ""),
        (r#"{"name":"s","_meta":{"x":1,"\ud800":2}}"#.to_owned(), r#""name":"s""#, ""),
    ] {
        let expected = with_schemes(members, meta, &["scope"]);
        assert_eq!(listed(Listed::Tools, &tool, &usual(), "scope"), expected, "{tool}");
    }
    // Of all others it is nobody's.
    let prompt = format!(r#"{{"name":"s","securitySchemes":{theirs}}}"#);
    assert_eq!(listed(Listed::Prompts, &prompt, &usual(), "scope"), prompt);
}

#[test]
fn all_scopes_of_a_call_are_named_as_clients_request_them() {
    let mut policy = usual();
    let requested = |scopes: &Scopes| {
        let named: Vec<String> = scopes.iter().map(|scope| format!("api/{scope}")).collect();
        named.iter().map(String::as_str).chain(["openid"]).collect()
    };
    policy.tools.write_security_schemes(requested);
    let tools = r#"{"name":"a"},{"name":"s"}"#;
    let expected =
        [with_schemes(r#""name":"a""#, "", &["openid"]), with_schemes(r#""name":"s""#, "", &["api/scope", "openid"])];
    assert_eq!(listed(Listed::Tools, tools, &policy, "scope"), expected.join(","));
}

#[test]
fn what_is_added_has_a_limit() {
    let scopes = (0..100).map(|number| format!("scope{number}")).collect::<Vec<_>>().join(",");
    let policy = policy(&[("TOOL_SCOPES", &format!("*={scopes}")), ("LIST_TOOLS", "obtainable")]);
    let of = |count: usize| {
        let tools = vec![r#"{"name":"a"}"#; count].join(",");
        result_in(Era::Legacy, TOOLS, &format!(r#"{{"tools":[{tools}]}}"#), &policy)
    };
    assert!(of(900).is_ok_and(|list| list.len() < 2 * 1024 * 1024 + 900 * 64));
    assert_eq!(of(1_100).map(|list| list.len()), Err(UnreadableResult::TooManySchemes));
}

#[test]
fn lists_show_what_scopes_would_allow_if_the_operator_wants_it() {
    let settings = [("TOOL_SCOPES", "a=allow s=scope d=deny f=first_party"), ("LIST_TOOLS", "obtainable")];
    let items = r#"{"name":"a"},{"name":"s"},{"name":"d"},{"name":"f"},{"name":"x"}"#;
    let expected = [with_schemes(r#""name":"a""#, "", &[]), with_schemes(r#""name":"s""#, "", &["scope"])];
    assert_eq!(listed(Listed::Tools, items, &policy(&settings), ""), expected.join(","));
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
    let escaped = with_schemes(r#""name":"\u0061""#, "", &[]);
    assert_eq!(listed(Listed::Tools, r#"{"\u006eame":"\u0061"}"#, &usual(), ""), escaped);
}

#[test]
fn members_beside_the_list_pass_but_not_those_that_are_taken_for_it() {
    let upstream = r#"{"nextCursor":"\u0063","Tools":[{"name":"d"}],"tools":[{"name":"a"}],"TOOLS":1,"too_ls":2,"_meta":{"a": 1},"ttlMs":5,"x y":[]}"#;
    let others = r#""nextCursor":"\u0063","_meta":{"a": 1},"ttlMs":5,"x y":[]"#;
    let tool = with_schemes(r#""name":"a""#, "", &[]);
    assert_eq!(result(TOOLS, upstream), Ok(format!(r#"{{{others},"tools":[{tool}]}}"#)));
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
    // The digest is that of the definition as the upstream wrote it.
    let shown = with_schemes(r#""name":"a1""#, "", &[]);
    assert_eq!(rewritten.response, response(&format!(r#"{{"tools":[{shown}]}}"#)));
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
