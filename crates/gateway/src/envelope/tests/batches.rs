//! Batches, which the revision of 2025-03-26 has.

use super::*;

const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}"#;
const READ: &str = r#"{"jsonrpc":"2.0","id":2,"method":"resources/read","params":{"uri":"a:b"}}"#;
const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
const UNKNOWN: &str = r#"{"jsonrpc":"2.0","method":"notifications/unknown"}"#;
const RESPONSE: &str = r#"{"jsonrpc":"2.0","id":3,"result":{}}"#;

fn bare() -> RequestHead<'static> {
    RequestHead::new("POST", "/mcp")
}

fn batch(messages: &[&str]) -> String {
    format!(" [{}] ", messages.join(" , "))
}

#[test]
fn a_batch_is_taken_apart() {
    let body = batch(&[CALL, READ, INITIALIZED, UNKNOWN, RESPONSE]);
    for head in [bare(), bare().with_header("mcp-protocol-version", "2025-03-26")] {
        let Ok(Payload::Batch(envelopes)) = read(&head, &body, ALL) else { panic!("{body}") };
        let bodies: Vec<&str> = envelopes.iter().map(|envelope| envelope.body.as_str()).collect();
        assert_eq!(bodies, [CALL, READ, INITIALIZED, RESPONSE]);
        let targets: Vec<&Target<'_>> = envelopes.iter().flat_map(|envelope| &envelope.targets).collect();
        assert_eq!(targets, [&Target::Tool("a".into()), &Target::Resource("a:b".into())]);
        let version = head.header("mcp-protocol-version");
        assert!(envelopes.iter().all(|envelope| envelope.headers.version == version));
        assert!(envelopes.iter().all(|envelope| envelope.revision == Some(Revision::V2025_03_26)));
    }
    assert_eq!(read(&bare(), &batch(&[UNKNOWN, UNKNOWN]), ALL), Ok(Payload::Dropped));
}

#[test]
fn other_revisions_have_no_batches() {
    let body = batch(&[CALL]);
    for version in ["2024-11-05", "2025-06-18", "2025-11-25", "2026-07-28", "x"] {
        let refused = refusal(&bare().with_header("mcp-protocol-version", version), &body, ALL);
        assert_eq!((refused.0, refused.1, refused.2), (-32600, 400, None), "{version}");
    }
}

#[test]
fn a_batch_is_sent_on_as_a_whole_or_not_at_all() {
    let list = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    let initialize = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-03-26"}}"#;
    let claim = request("tools/call", &format!(r#"{{"name":"a",{META}}}"#));
    for message in [
        list,
        initialize,
        &claim,
        "1",
        "[]",
        r#"{"jsonrpc":"2.0","id":1,"method":"nonsense"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","Name":"b"}}"#,
    ] {
        let refused = refusal(&bare(), &batch(&[CALL, message]), ALL);
        assert_eq!((refused.0, refused.1, refused.2), (-32600, 400, None), "{message}");
    }
    let refused = |message| refusal(&bare(), &batch(&[CALL, message]), ALL).3;
    assert_eq!(refused(list), "a batch contains no lists: send them on their own");
    assert_eq!(refused(initialize), "a batch contains no initialize");
    for (body, code) in [("[]", -32600), ("[", -32700), ("[1", -32700), ("[] x", -32700)] {
        assert_eq!(refusal(&bare(), body, ALL).0, code, "{body}");
    }
}

#[test]
fn a_batch_has_a_limit() {
    assert!(matches!(read(&bare(), &batch(&[CALL; 100]), ALL), Ok(Payload::Batch(messages)) if messages.len() == 100));
    assert_eq!(refusal(&bare(), &batch(&[CALL; 101]), ALL).3, "the batch has more than 100 messages");
    let refused = refusal(&bare(), &batch(&[CALL, &" ".repeat(1024 * 1024)]), ALL);
    assert_eq!((refused.0, refused.1), (-32600, 400));
    assert_eq!(refused.3, "the batch is larger than 1 MiB: send its messages on their own");
}
