//! The reports, for people and for programs.

use mcp_edge_doctor::explain::render::{json, terminal};
use serde_json::{Value, json};

use crate::{
    case::{ISSUER, good},
    refusals::refused,
};

#[test]
fn no_report_has_the_token() {
    for (slug, _, _, _, case) in refused().into_iter().chain([("", "", "", "", good())]) {
        let token = case.token();
        let report = case.report();
        for output in [terminal::render(&report, 100), json::render(&report), format!("{report:?}")] {
            for part in token.split('.').filter(|part| part.len() > 8) {
                assert!(!output.contains(part), "{slug}: {part}");
            }
        }
    }
}

#[test]
fn lines_fit_into_the_terminal_and_control_nothing() {
    for (_, _, _, _, case) in refused().into_iter().chain([("", "", "", "", good())]) {
        for (terminal, widest) in [(20, 60), (80, 80), (500, 100)] {
            let shown = case.shown(terminal);
            let is_one_word = |line: &str| !line.trim().chars().skip(26).any(char::is_whitespace);
            assert!(
                shown.lines().all(|line| line.chars().count() <= widest || is_one_word(line)),
                "{terminal}\n{shown}"
            );
        }
    }
    let shown = good().claim("sub", "\u{1b}[2Jgone\u{202e}".into()).shown(100);
    assert!(shown.contains("\u{fffd}[2Jgone\u{fffd}") && !shown.contains(['\u{1b}', '\u{202e}']), "{shown}");
}

#[test]
fn the_terminal_report_ends_with_the_verdict() {
    let shown = good().shown(100);
    assert!(shown.contains("✓ signature             good, by EdDSA"), "{shown}");
    assert!(
        shown.trim_end().ends_with("with notes:read\nwhoami:read.")
            || shown.contains("Accepted: the user \"user-1\" in \"org-1\"")
    );
    let refused = good().set("DENIED_CLIENTS", "agent").shown(100);
    for part in [
        "✗ clients ",
        "reason  client_denied (docs/denials.md)",
        "fix  As you decided",
        "– not reached           organizations, required_scopes",
    ] {
        assert!(refused.contains(part), "{part}\n{refused}");
    }
    assert!(refused.trim_end().ends_with("Refused by the check clients, with the reason client_denied."), "{refused}");
}

/// Programs rely on this: members may be added, but not removed or renamed.
#[test]
fn the_json_report_has_the_documented_members() {
    let it: Value = serde_json::from_str(&json::render(&good().report())).expect("JSON");
    assert_eq!((&it["schema"], &it["verdict"], &it["reason"]), (&json!(1), &json!("accepted"), &Value::Null));
    assert_eq!(it["settings"][0], json!({ "source": "wrangler.toml", "names": ["ISSUER", "RESOURCE"] }));
    assert_eq!(
        it["caller"],
        json!({
            "issuer": ISSUER, "sub": "user-1", "kind": "user", "client_id": "agent", "client_party": "third",
            "scopes": ["notes:read", "whoami:read"], "organization_id": "org-1", "disclosed": ["name"],
        })
    );
    let refused: Value =
        serde_json::from_str(&json::render(&good().set("DENIED_CLIENTS", "agent").report())).expect("JSON");
    assert_eq!((&refused["verdict"], &refused["reason"]), (&json!("refused"), &json!("client_denied")));
    let check = refused["checks"].as_array().and_then(|all| all.iter().find(|it| it["slug"] == "clients"));
    assert_eq!(
        check,
        Some(&json!({
            "slug": "clients", "section": "permission", "state": "refused", "title": "The client may come",
            "observed": "\"agent\" is in DENIED_CLIENTS", "reason": "client_denied",
            "fix": "As you decided: remove the client, or its host, from DENIED_CLIENTS to let it in.",
        }))
    );
}
