//! Revisions and capabilities.

use super::*;

const ALL: &str = r#"{"logging":{},"tools":{"listChanged":true},"prompts":{},"resources":{"subscribe": true},"completions":{},"tasks":{"list":{}},"experimental":{"x":{}},"extensions":{"io.modelcontextprotocol/tasks":{},"io.modelcontextprotocol/Skills":{},"io.modelcontextprotocol/ui":{"a": 1}},"other":1}"#;

fn initialize(policy: &Policy, capabilities: &str) -> Result<Value, UnreadableResult> {
    let upstream = format!(r#"{{"protocolVersion":"2025-06-18","capabilities":{capabilities}}}"#);
    result_in(Era::Legacy, ReadResult::Initialize, &upstream, policy)
        .map(|result| serde_json::from_str::<Value>(&result).unwrap()["capabilities"].take())
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn capabilities_are_those_of_groups_in_which_something_is_offered() {
    let everything = [
        ("TOOL_SCOPES", "*=allow"),
        ("PROMPT_SCOPES", "*=allow"),
        ("RESOURCE_SCOPES", "*=allow"),
        ("TASK_SCOPES", "allow"),
    ];
    for (settings, expected) in [
        (
            &everything[..],
            r#"{"logging":{},"tools":{"listChanged":true},"prompts":{},"resources":{"subscribe":true},"completions":{},"tasks":{"list":{}},"extensions":{"io.modelcontextprotocol/tasks":{},"io.modelcontextprotocol/ui":{"a":1}},"other":1}"#,
        ),
        (
            &everything[..1],
            r#"{"logging":{},"tools":{"listChanged":true},"extensions":{"io.modelcontextprotocol/ui":{"a":1}},"other":1}"#,
        ),
        (
            &everything[1..2],
            r#"{"logging":{},"prompts":{},"completions":{},"extensions":{"io.modelcontextprotocol/ui":{"a":1}},"other":1}"#,
        ),
        (
            &everything[2..3],
            r#"{"logging":{},"resources":{"subscribe":true},"completions":{},"extensions":{"io.modelcontextprotocol/ui":{"a":1}},"other":1}"#,
        ),
        (
            &[("TOOL_SCOPES", "a=deny")],
            r#"{"logging":{},"extensions":{"io.modelcontextprotocol/ui":{"a":1}},"other":1}"#,
        ),
        (&[], r#"{"logging":{},"extensions":{"io.modelcontextprotocol/ui":{"a":1}},"other":1}"#),
    ] {
        assert_eq!(initialize(&policy(settings), ALL), Ok(json(expected)), "{settings:?}");
    }
}

#[test]
fn a_key_for_some_tools_is_offered_no_tasks() {
    let policy = policy(&[("TOOL_SCOPES", "*=allow"), ("TASK_SCOPES", "allow")]);
    let legacy = format!(r#"{{"protocolVersion":"2025-06-18","capabilities":{ALL}}}"#);
    let modern = format!(r#"{{"supportedVersions":["2026-07-28"],"capabilities":{ALL}}}"#);
    for (tools, offers) in [(None, true), (Some(&["a"][..]), false)] {
        let identity = Identity::for_test("ada", "").with_access_key(tools);
        for (what, upstream, era) in
            [(ReadResult::Initialize, &legacy, Era::Legacy), (ReadResult::Discover, &modern, Era::Modern)]
        {
            let context = RewriteContext { policy: &policy, identity: &identity, pins: None, era, now: 10 };
            let ids = Ids { asked: "1", answered: "1" };
            let rewritten = rewrite(what, &response(upstream), ids, &context).unwrap().response;
            let capabilities = json(&rewritten)["result"]["capabilities"].take();
            assert_eq!(capabilities.get("tasks").is_some(), offers, "{capabilities}");
            assert_eq!(capabilities["extensions"].get("io.modelcontextprotocol/tasks").is_some(), offers);
            assert!(capabilities.get("tools").is_some());
        }
    }
}

#[test]
fn capabilities_that_are_taken_for_others_are_left_out() {
    let capabilities = r#"{"Tools":{},"TASKS":{},"Experimental":{},"tas_ks":{},"Extensions":{"io.modelcontextprotocol/tasks":{}},"extensions":{"IO.modelcontextprotocol/Tasks":{}}}"#;
    assert_eq!(initialize(&policy(&[]), capabilities), Ok(json(r#"{"extensions":{}}"#)));
    for malformed in ["7", "[]", r#"{"tools":{},"tools":{}}"#] {
        assert_eq!(initialize(&policy(&[]), malformed), Err(UnreadableResult::Member("capabilities")), "{malformed}");
    }
    assert_eq!(initialize(&policy(&[]), r#"{"extensions":[]}"#), Err(UnreadableResult::Member("extensions")));
    for absent in ["null", r#"{"extensions":null}"#] {
        assert_eq!(initialize(&policy(&[]), absent), Ok(json("{}")), "{absent}");
    }
}

#[test]
fn initialize_is_answered_with_a_revision_that_has_a_handshake() {
    let read = |version: &str| {
        let upstream = format!(
            r#"{{"protocolVersion":{version},"capabilities":{{}},"serverInfo":{{"name": "x"}},"ProtocolVersion":"1","instructions":"\u0061"}}"#
        );
        result(ReadResult::Initialize, &upstream)
    };
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let expected = format!(
            r#"{{"serverInfo":{{"name": "x"}},"instructions":"\u0061","protocolVersion":"{version}","capabilities":{{}}}}"#
        );
        assert_eq!(read(&format!("\"{version}\"")), Ok(expected));
    }
    for version in ["2026-07-28", "2027-01-01", "", "DRAFT-2025-v3"] {
        assert_eq!(read(&format!("\"{version}\"")), Err(UnreadableResult::UnknownRevision(version.to_owned())));
    }
    let long = "9".repeat(100_000);
    assert_eq!(read(&format!("\"{long}\"")), Err(UnreadableResult::UnknownRevision("9".repeat(40))));
    for version in ["1", "null", "[\"2025-06-18\"]"] {
        assert_eq!(read(version), Err(UnreadableResult::Member("protocolVersion")));
    }
    assert_eq!(
        result(ReadResult::Initialize, r#"{"capabilities":{}}"#),
        Err(UnreadableResult::Member("protocolVersion"))
    );
}

#[test]
fn discover_names_the_revisions_that_both_sides_have() {
    let read = |versions: &str| {
        let upstream = format!(
            r#"{{"resultType":"complete","supportedVersions":{versions},"SupportedVersions":["x"],"capabilities":{{"tools":{{}},"experimental":{{}}}},"ttlMs":9,"cacheScope":"public","_meta":{{"a":[ ]}}}}"#
        );
        result_in(Era::Modern, ReadResult::Discover, &upstream, &usual())
    };
    let expected = r#"{"resultType":"complete","ttlMs":9,"_meta":{"a":[ ]},"supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"cacheScope":"private"}"#;
    for versions in [r#"["2026-07-28"]"#, r#"["2025-11-25","2026-07-28","2030-01-01",7]"#] {
        assert_eq!(read(versions).as_deref(), Ok(expected));
    }
    for versions in ["[]", r#"["2025-11-25","2030-01-01"]"#, "[[\"2026-07-28\"]]"] {
        assert_eq!(read(versions), Err(UnreadableResult::NoModernRevision), "{versions}");
    }
    for versions in ["7", "null", "\"2026-07-28\"", "{}"] {
        assert_eq!(read(versions), Err(UnreadableResult::Member("supportedVersions")), "{versions}");
    }
}
