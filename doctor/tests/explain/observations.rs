//! What is said of tokens that are accepted, and where the verdict stays open.

use mcp_edge_doctor::explain::{
    checks,
    explanation::{CallerKind, Verdict},
    step::State,
};
use serde_json::{Value, json};

use crate::case::{Case, good};

#[test]
fn a_good_token_passes_every_check() {
    let explanation = good().explain();
    assert_eq!(explanation.verdict(), Verdict::Accepted);
    assert_eq!(explanation.steps.len(), checks::all().count());
    for step in &explanation.steps {
        assert_eq!((step.state, step.fix.as_str()), (State::Ok, ""), "{step:?}");
        assert!(!step.observed.is_empty(), "{step:?}");
    }
    let caller = explanation.caller.expect("a caller");
    assert_eq!((caller.kind, caller.subject.as_str()), (CallerKind::User, "user-1"));
    assert_eq!(caller.client, Some(("agent".to_owned(), "client_id".to_owned())));
    assert_eq!(
        (caller.scopes, caller.organization.as_deref()),
        (vec!["notes:read".into(), "whoami:read".into()], Some("org-1"))
    );
    assert_eq!(caller.disclosed, ["name"]);
}

#[test]
fn a_signature_that_was_not_checked_is_never_fine() {
    let undecided = |case: Case, reason| {
        let explanation = case.explain();
        assert_eq!(explanation.verdict(), Verdict::Undecided(reason));
        assert_eq!(explanation.verdict().exit_status(), 3);
        let states = ["key", "signature"]
            .map(|slug| explanation.steps.iter().find(|step| step.check.slug == slug).map(|it| it.state));
        assert_eq!(states, [Some(State::NotChecked); 2]);
        assert!(explanation.caller.is_some(), "what follows is said all the same");
    };
    undecided(Case { offline: true, ..good() }, None);
    undecided(Case { keys: json!({ "keys": [] }), ..good() }, Some("keys_unavailable"));
    let refused = Case { offline: true, ..good() }.set("DENIED_CLIENTS", "agent").explain();
    assert_eq!(refused.verdict(), Verdict::Refused("client_denied"), "it is refused in any case");
}

#[test]
fn an_accepted_opaque_token_needs_the_provider() {
    let case = Case { token: Some("opaque".to_owned()), ..good() }.set("OPAQUE_TOKEN_CLIENTS", "agent");
    let explanation = case.explain();
    assert_eq!(explanation.verdict(), Verdict::Undecided(None));
    assert!(
        explanation
            .steps
            .iter()
            .any(|step| step.check.slug == "form" && step.fix.contains("Only the provider can tell"))
    );
    assert!(!case.shown(100).contains("Everything else is well"));
}

#[test]
fn settings_that_do_not_fit_are_warnings_and_refuse_nothing() {
    let warned = |case: Case, slug: &str| {
        let explanation = case.explain();
        let step = explanation.steps.into_iter().find(|step| step.check.slug == slug).expect("the step");
        assert_eq!(step.state, State::Warning, "{step:?}");
        format!("{}: {}", step.observed, step.fix)
    };
    let generic = warned(good().set("PROVIDER", "generic"), "provider");
    assert!(generic.contains("the domain of Logto") && generic.contains("Set PROVIDER = \"logto\""), "{generic}");
    let keycloak = good()
        .set("PROVIDER", "workos")
        .set("ISSUER", "https://sso.example")
        .claim("iss", "https://sso.example".into());
    assert!(warned(keycloak, "provider").contains("not tried on a real server"));
    let unknown = warned(good().set("PROVIDER", "generic"), "kind");
    assert!(unknown.contains("auth_time") && unknown.contains("PROVIDER"), "{unknown}");
    let nameless = warned(good().claim("client_id", Value::Null), "client");
    assert!(nameless.contains("CLIENT_ID_CLAIMS"), "{nameless}");
}

#[test]
fn machines_scopes_and_the_sign_are_named() {
    let shown = |case: Case, slug: &str| {
        let explanation = case.explain();
        explanation.steps.into_iter().find(|step| step.check.slug == slug).expect("the step").observed
    };
    assert_eq!(shown(good().claim("sub", "agent".into()), "kind"), "a machine, because sub is client_id");
    assert_eq!(shown(good(), "kind"), "a user, because sub is another than client_id");
    let implied = good().set("SCOPE_HIERARCHY", "notes:read=notes:list");
    assert_eq!(shown(implied, "scopes"), "notes:read whoami:read, in scope; implied: notes:list");
    let prefixed = good().set("SCOPE_PREFIX", "api://x/").claim("scope", "api://x/notes:read whoami:read".into());
    assert_eq!(shown(prefixed, "scopes"), "notes:read whoami:read, in scope (without \"api://x/\")");
    assert_eq!(shown(good(), "disclosure"), "name; not phone_number, which no granted scope covers (CLAIM_SCOPES)");
    assert!(shown(good().set("FIRST_PARTY_CLIENTS", "agent"), "clients").contains("first-party"));
}
