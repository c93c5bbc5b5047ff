//! `explain` on a good token, and on one token for each check that can refuse it.

use std::collections::BTreeSet;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{Algorithm, EncodingKey};
use mcp_edge_doctor::explain::{
    checks,
    evaluate::{Question, explain},
    explanation::{CallerKind, Explanation, Verdict},
    keys::{fetch::Keys, key_set::KeySet},
    render::{json, report::Report, terminal},
    settings::{
        issuers::TrustedIssuer,
        sources::Sources,
        values::{Source, Values},
    },
    step::State,
    token_input,
};
use serde_json::{Value, json};

const NOW: u64 = 1_800_000_000;
const RESOURCE: &str = "https://mcp.example.com/mcp";
const ISSUER: &str = "https://tenant.logto.app/oidc";
const KID: &str = "key-1";

/// What a case changes of the good one.
struct Case {
    settings: Vec<(&'static str, String)>,
    header: Value,
    claims: Value,
    /// The whole token.
    token: Option<String>,
    keys: Value,
    offline: bool,
    scopes: Vec<String>,
}

fn good() -> Case {
    Case {
        settings: [
            ("ISSUER", ISSUER),
            ("RESOURCE", RESOURCE),
            ("PROVIDER", "logto"),
            ("REQUIRED_SCOPES", "whoami:read"),
            ("CLAIM_SCOPES", "whoami:read=name,email"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .to_vec(),
        header: json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": KID }),
        claims: json!({
            "iss": ISSUER, "aud": RESOURCE, "sub": "user-1", "client_id": "agent", "scope": "whoami:read notes:read",
            "organization_id": "org-1", "name": "Ada", "phone_number": "1", "iat": NOW - 60, "exp": NOW + 3540,
        }),
        token: None,
        keys: json!({ "keys": [public()] }),
        offline: false,
        scopes: vec!["notes:read".to_owned()],
    }
}

fn test_keys() -> Value {
    let text = include_str!("../../crates/oauth-resource-server/tests/keys/test-keys.json");
    serde_json::from_str(text).expect("JSON")
}

fn public() -> Value {
    let mut jwk = test_keys()["keys"]["ed25519"]["public"].clone();
    jwk["kid"] = KID.into();
    jwk
}

impl Case {
    fn set(mut self, name: &'static str, value: &str) -> Self {
        self.settings.push((name, value.to_owned()));
        self
    }

    fn claim(mut self, name: &str, value: Value) -> Self {
        self.claims[name] = value;
        self
    }

    fn header(mut self, name: &str, value: Value) -> Self {
        self.header[name] = value;
        self
    }

    fn token(&self) -> String {
        if let Some(token) = &self.token {
            return token.clone();
        }
        let private =
            test_keys()["keys"]["ed25519"]["private_der"].as_str().map(|der| STANDARD.decode(der)).expect("a key");
        let key = EncodingKey::from_ed_der(&private.expect("base64"));
        let input = [&self.header, &self.claims].map(|object| URL_SAFE_NO_PAD.encode(object.to_string())).join(".");
        let signature = jsonwebtoken::crypto::sign(input.as_bytes(), &key, Algorithm::EdDSA).expect("a signature");
        format!("{input}.{signature}")
    }

    fn values(&self) -> Values {
        let set = self.settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Sources { set, ..Sources::default() }.read().expect("known settings")
    }

    fn explain(&self) -> Explanation {
        let token = token_input::find(&self.token()).expect("a token");
        let keys = |_: &TrustedIssuer| match KeySet::parse(&self.keys.to_string()) {
            _ if self.offline => Keys::Offline,
            Ok(set) if !set.keys.is_empty() => Keys::Found(set, "https://tenant.logto.app/oidc/jwks".to_owned()),
            _ => Keys::Unavailable("no key that can verify".to_owned()),
        };
        let values = self.values();
        let question = Question { token: &token, values: &values, tool_scopes: &self.scopes, now: NOW, keys: &keys };
        explain(&question)
    }

    fn report(&self) -> Report {
        Report {
            token_source: "standard input".to_owned(),
            settings: vec![(Source::File("wrangler.toml".to_owned()), vec!["ISSUER", "RESOURCE"])],
            notes: Vec::new(),
            other_time: None,
            explanation: self.explain(),
        }
    }

    /// The terminal report without colours.
    fn shown(&self, width: usize) -> String {
        anstream::adapter::strip_str(&terminal::render(&self.report(), width)).to_string()
    }
}

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

/// Check, reason, a part of what was observed, a part of the fix, and the change.
type Row = (&'static str, &'static str, &'static str, &'static str, Case);

#[allow(clippy::too_many_lines, reason = "a list")]
fn refused() -> Vec<Row> {
    let jwe = URL_SAFE_NO_PAD.encode(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#);
    let with_token = |token: String| Case { token: Some(token), ..good() };
    let without = |claim: &str| good().claim(claim, Value::Null);
    let other_key = json!({ "keys": [test_keys()["keys"]["p256"]["public"]] });
    let with_keys = |keys: Value| Case { keys, ..good() };
    let twice = format!(
        "{}.{}.AA",
        URL_SAFE_NO_PAD.encode("{\"alg\":\"EdDSA\"}"),
        URL_SAFE_NO_PAD.encode(r#"{"sub":"a","sub":"b"}"#)
    );
    let mut of_alg = public();
    of_alg["alg"] = "Ed25519".into();
    let cognito = || {
        let iss = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_a";
        let case =
            good().set("ISSUER", iss).set("PROVIDER", "cognito").claim("iss", iss.into()).claim("aud", Value::Null);
        let case = case.claim("token_use", "access".into()).claim("username", "ada".into());
        Case { header: json!({ "alg": "EdDSA", "kid": KID }), ..case }
    };
    vec![
        (
            "settings",
            "misconfigured",
            "PROVIDER = \"okta\" does not fit",
            "wrangler.toml",
            good().set("PROVIDER", "okta"),
        ),
        (
            "settings",
            "misconfigured",
            "has not the form",
            "wrangler.toml",
            good().set("ISSUER", "https://tenant.logto.app/"),
        ),
        (
            "form",
            "opaque_not_accepted",
            "opaque token",
            "resource=https://mcp.example.com/mcp",
            with_token("opaque".into()),
        ),
        ("form", "opaque_not_accepted", "personal access token", "token-exchange", with_token("pat_1".into())),
        (
            "form",
            "encrypted_token",
            "encrypted",
            "Turn off access token encryption",
            with_token(format!("{jwe}.a.b.c.d")),
        ),
        (
            "form",
            "malformed_token",
            "2 segments",
            "two dots",
            with_token(good().token().rsplit_once('.').expect("dots").0.into()),
        ),
        ("form", "duplicate_member", "\"sub\" twice", "custom claim", with_token(twice)),
        ("form", "token_too_large", "the limit is 16384", "smaller", good().claim("groups", "x".repeat(16_384).into())),
        ("header", "unsupported_header", "crit", "plain JWS", good().header("crit", json!(["exp"]))),
        ("header", "unsupported_algorithm", "HS256", "shared secret", good().header("alg", "HS256".into())),
        ("header", "unsupported_algorithm", "none", "RS256, ES256 or ES384", good().header("alg", "none".into())),
        ("header", "malformed_token", "kid of the header is a number", "Report it", good().header("kid", json!(1))),
        ("header", "wrong_type", "logout+jwt", "access_token", good().header("typ", "logout+jwt".into())),
        (
            "issuer",
            "wrong_issuer",
            "https://other.example",
            "PROVIDER",
            good().claim("iss", "https://other.example".into()),
        ),
        ("issuer", "wrong_issuer", "/oidc/\"", "byte for byte", good().claim("iss", format!("{ISSUER}/").into())),
        ("issuer", "wrong_issuer", "iss is null", "ISSUER", without("iss")),
        ("type", "wrong_type", "typ \"jwt\"", "docs/providers/logto.md", good().header("typ", "JWT".into())),
        (
            "type",
            "wrong_type",
            "typ \"jwt\"",
            "add jwt to TOKEN_TYPES",
            good().header("typ", "JWT".into()).set("PROVIDER", "generic"),
        ),
        ("claims", "missing_expiry", "exp is missing", "life time", without("exp")),
        ("claims", "malformed_token", "nbf is a string", "Report it", good().claim("nbf", "x".into())),
        ("claims", "bad_issue_time", "iat is no date", "seconds since 1970", good().claim("iat", json!(1.8e12))),
        ("claims", "missing_subject", "sub is empty", "custom claims", good().claim("sub", "".into())),
        ("claims", "malformed_token", "client_id is an array", "Report it", good().claim("client_id", json!(["a"]))),
        ("claims", "wrong_audience", "aud is missing", "resource=", without("aud")),
        (
            "audience",
            "wrong_audience",
            "https://other.example",
            "Register \"https://mcp",
            good().claim("aud", "https://other.example".into()),
        ),
        ("audience", "wrong_audience", "mcp/", "AUDIENCE = ", good().claim("aud", format!("{RESOURCE}/").into())),
        ("audience", "wrong_audience", "SCOPE_PREFIX is not set", "docs/providers/cognito.md", cognito()),
        (
            "audience",
            "wrong_audience",
            "ALLOWED_CLIENTS is not set",
            "ALLOWED_CLIENTS",
            cognito().set("SCOPE_PREFIX", "mcp/"),
        ),
        (
            "audience",
            "wrong_audience",
            "no scope begins with",
            "SCOPE_PREFIX",
            cognito().set("SCOPE_PREFIX", "mcp/").set("ALLOWED_CLIENTS", "agent"),
        ),
        ("use", "sender_constrained", "cnf", "DPoP", good().claim("cnf", json!({ "jkt": "x" }))),
        ("use", "not_an_access_token", "token_use", "access_token", good().claim("token_use", "id".into())),
        (
            "requirements",
            "claim_required",
            "typ is \"Bearer\"",
            "docs/providers/keycloak.md",
            good()
                .set("PROVIDER", "keycloak")
                .set("ISSUER", "https://sso.example/realms/a")
                .claim("iss", "https://sso.example/realms/a".into()),
        ),
        (
            "time",
            "expired",
            "2 hours ago",
            "--now",
            good().claim("exp", json!(NOW - 7200)).claim("iat", json!(NOW - 9000)),
        ),
        ("time", "not_yet_valid", "not valid before", "clock", good().claim("nbf", json!(NOW + 61))),
        ("time", "bad_issue_time", "in the future", "clock", good().claim("iat", json!(NOW + 61))),
        ("cutoff", "issued_before_cutoff", "before", "stolen-key.md", good().set("DENIED_ISSUED_BEFORE", "1800000000")),
        (
            "cutoff",
            "issued_before_cutoff",
            "iat is missing",
            "stolen-key.md",
            without("iat").set("DENIED_ISSUED_BEFORE", "1"),
        ),
        ("denied_keys", "key_denied", "key-1", "rotate", good().set("DENIED_KEYS", KID)),
        ("key", "unknown_key", "no key for this token", "rotated away", with_keys(other_key)),
        ("key", "unknown_key", "that is private", "new signing key", {
            let mut private = public();
            private["d"] = "AAAA".into();
            with_keys(json!({ "keys": [private, test_keys()["keys"]["p256"]["public"]] }))
        }),
        ("key", "key_mismatch", "not for alg", "tampered", good().header("alg", "RS256".into())),
        ("key", "ambiguous_key", "several keys", "its own kid", {
            let mut other = public();
            other["x"] = URL_SAFE_NO_PAD.encode([5; 32]).into();
            with_keys(json!({ "keys": [public(), other] }))
        }),
        (
            "signature",
            "bad_signature",
            "another key",
            "forged",
            with_token({
                let token = good().token();
                let (input, signature) = token.rsplit_once('.').expect("dots");
                let (_, claims) = input.split_once('.').expect("dots");
                let header =
                    URL_SAFE_NO_PAD.encode(json!({ "typ": "at+jwt", "kid": KID, "alg": "EdDSA", "x": 1 }).to_string());
                format!("{header}.{claims}.{signature}")
            }),
        ),
        ("signature", "bad_signature", "67 bytes", "whole token", with_token(format!("{}AAAA", good().token()))),
        ("clients", "client_denied", "\"agent\" is in DENIED_CLIENTS", "remove", good().set("DENIED_CLIENTS", "agent")),
        (
            "clients",
            "client_not_allowed",
            "not in ALLOWED_CLIENTS",
            "Add \"agent\"",
            good().set("ALLOWED_CLIENTS", "other"),
        ),
        (
            "clients",
            "client_not_allowed",
            "no client",
            "CLIENT_ID_CLAIMS",
            without("client_id").set("DENIED_CLIENTS", "other"),
        ),
        (
            "organizations",
            "organization_not_allowed",
            "org-1",
            "Add \"org-1\"",
            good().set("ALLOWED_ORGANIZATIONS", "org-2"),
        ),
        (
            "organizations",
            "organization_not_allowed",
            "no organization",
            "ORGANIZATION_CLAIM",
            without("organization_id").set("ALLOWED_ORGANIZATIONS", "org-2"),
        ),
        (
            "required_scopes",
            "insufficient_scope",
            "lacks admin",
            "ask for admin",
            good().set("REQUIRED_SCOPES", "admin"),
        ),
        ("tool_scopes", "insufficient_scope", "lacks notes:write", "ask for notes:write", {
            Case { scopes: vec!["notes:write".to_owned()], ..good() }
        }),
    ]
}

#[test]
fn each_check_refuses_with_its_reason_and_its_fix_and_is_the_last_one() {
    for (slug, reason, observed, fix, case) in refused() {
        let explanation = case.explain();
        assert_eq!(explanation.verdict(), Verdict::Refused(reason), "{slug}: {:?}", explanation.refusal());
        let step = explanation.refusal().expect("a refusal");
        assert_eq!(step.check.slug, slug);
        assert!(step.observed.contains(observed), "{slug}: {}", step.observed);
        assert!(step.fix.contains(fix), "{slug}: {}", step.fix);
        let mut after = explanation.steps.iter().skip_while(|step| step.state != State::Refused).skip(1);
        assert!(after.all(|step| step.state == State::NotReached && step.observed.is_empty()), "{slug}");
    }
}

#[test]
fn every_check_that_can_refuse_does_so_above() {
    const NEVER: [&str; 6] = ["provider", "kind", "client", "scopes", "organization", "disclosure"];
    let refusing: BTreeSet<_> = refused().into_iter().map(|(slug, ..)| slug).collect();
    let all: BTreeSet<_> = checks::all().map(|check| check.slug).filter(|slug| !NEVER.contains(slug)).collect();
    assert_eq!(refusing, all);
}

#[test]
fn every_reason_is_one_of_the_documents() {
    let document = include_str!("../../docs/denials.md");
    for (_, reason, ..) in refused() {
        assert!(document.contains(&format!("\n| `{reason}` |")), "{reason}");
    }
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
fn settings_that_do_not_fit_are_told_and_refuse_nothing() {
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
fn machines_scopes_and_the_sign_are_told() {
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
