//! Who may use what: decided before anything is passed on.

use super::*;

#[test]
fn only_a_lack_of_scopes_is_said_to_be_one() {
    let deployment = Deployment::new(&[]);
    let machine = alice().with(|verified| verified.kind = Kind::Machine);
    let needed = deployment.legacy("tools/call", json!({"name": "delete_all"}), &alice()).response.unwrap_err();
    assert_eq!(needed, AccessNeeded::Scopes(Scopes::parse("docs:delete")));
    for (method, params, identity) in [
        ("tools/call", json!({"name": "other"}), alice()),
        ("tools/call", json!({"name": "whoami"}), machine),
        ("tools/call", json!({"name": "admin"}), alice()),
        ("tools/call", json!({"name": "SEARCH"}), alice()),
        ("prompts/get", json!({"name": "other"}), alice()),
        ("resources/read", json!({"uri": "docs://secret/1"}), alice()),
        ("resources/read", json!({"uri": "docs://a/../secret/1"}), alice()),
        ("resources/subscribe", json!({"uri": "file:///etc"}), alice()),
        (
            "completion/complete",
            json!({"ref": {"type": "ref/prompt", "name": "other"}, "argument": {"name": "a", "value": ""}}),
            alice(),
        ),
    ] {
        let handled = deployment.legacy(method, params.clone(), &identity);
        let (status, code) = outcome(handled);
        assert_eq!(status, 200, "{method} {params}");
        assert!(matches!(code, -32602 | -32002), "{method} {params}: {code}");
    }
    assert_eq!(deployment.count(), 0);
}

#[test]
fn what_no_table_offers_does_not_exist() {
    let deployment = Deployment::new(&[("PROMPT_SCOPES", ""), ("RESOURCE_SCOPES", "*=deny")]);
    for method in [
        "prompts/list",
        "prompts/get",
        "resources/list",
        "resources/templates/list",
        "completion/complete",
        "tasks/list",
    ] {
        assert_eq!(outcome(deployment.legacy(method, json!({"name": "a"}), &alice())), (200, -32601), "{method}");
    }
    assert_eq!(outcome(deployment.modern("tasks/get", json!({"taskId": "a"}), &alice())), (404, -32601));
    assert_eq!(deployment.count(), 0);
}

#[test]
fn the_log_names_what_was_called() {
    let deployment = Deployment::new(&[]);
    deployment.answers_json(&result(&json!({"content": []})));
    let Handled { summary, .. } = deployment.legacy("tools/call", json!({"name": "search"}), &alice());
    assert_eq!((summary.method, summary.name.as_deref()), (Some("tools/call"), Some("search")));
}
