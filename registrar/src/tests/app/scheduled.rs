//! The scheduled run: what it reports.

use mcp_edge_runtime::app::Scheduled;

use super::*;

fn run(deployed: &Deployed) -> Result<Value, Value> {
    let parse = |line: String| serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
    block_on(deployed.registrar.scheduled(deployed.now())).map(parse).map_err(parse)
}

#[test]
fn a_run_reports_what_it_has_removed() {
    let deployed = deploy(&[("REGISTRATION", "open"), ("CLEANUP", "on")]);
    let body = json!({"client_name": "Agent", "redirect_uris": ["https://agent.example.com/cb"]});
    assert_eq!(deployed.call("POST", "/register", "", &body).0, 201);
    assert_eq!(run(&deployed).expect("a report")["cleanup"]["ended"], 0);
    // Somebody has removed it at the provider.
    deployed.outside.tenant.forget();
    let world = deployed.outside.world;
    world.now.set(world.now.get() + 86_400);
    let report = run(&deployed).expect("a report");
    assert_eq!((&report["cleanup"]["ended"], &report["cleanup"]["dry_run"]), (&json!(1), &json!(false)), "{report}");
    assert_eq!(world.record("app-1"), None);
}

#[test]
fn a_run_that_is_switched_off_or_dry_removes_nothing() {
    for (cleanup, expected) in [("off", json!(null)), ("dry-run", json!(true))] {
        let deployed = deploy(&[("REGISTRATION", "open"), ("CLEANUP", cleanup)]);
        let body = json!({"client_name": "Agent", "redirect_uris": ["https://agent.example.com/cb"]});
        assert_eq!(deployed.call("POST", "/register", "", &body).0, 201);
        deployed.outside.tenant.forget();
        let world = deployed.outside.world;
        world.now.set(world.now.get() + 86_400);
        let report = run(&deployed).expect("a report");
        assert_eq!(report["cleanup"]["dry_run"], expected, "{report}");
        assert!(world.record("app-1").is_some());
    }
}

#[test]
fn a_run_that_cannot_begin_says_why() {
    let deployed = deploy(&[("CLEANUP", "on")]);
    deployed.outside.is_down.set(true);
    let failure = run(&deployed).expect_err("a failure");
    assert_eq!(failure["cleanup"], Value::Null);
    assert!(failure["failure"].as_str().is_some_and(|text| text.contains("connection refused")), "{failure}");
    let line = Registrar::<TestPlatform>::misconfigured_run("RESOURCE is not set");
    assert_eq!(line, r#"{"cleanup":null,"failure":"RESOURCE is not set"}"#);
}

#[test]
fn a_ledger_that_cannot_be_reconciled_is_reported() {
    let deployed = deploy(&[("CLEANUP", "off")]);
    *deployed.outside.world.ledger_fails_with.borrow_mut() =
        Some(mcp_edge_runtime::service_call::CallError::Failed(500));
    assert!(run(&deployed).is_ok());
    let lines = deployed.outside.world.audit.borrow();
    assert!(
        lines.iter().any(|line| line.starts_with(r#"{"failure":"#) && line.contains(r#""ledger":null"#)),
        "{lines:?}"
    );
}
