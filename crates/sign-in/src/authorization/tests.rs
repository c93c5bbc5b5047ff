//! What the provider is asked, and which answers are taken.

use mcp_edge_oauth::client_authentication::form_encode;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::testing::{Counter, ISSUER, client, provider};

fn begun(request: &AuthorizationRequest<'_>) -> (String, RoundTrip) {
    begin(&client(), &provider(|_| ()), request, &Counter::default()).expect("an endpoint")
}

fn round_trip(requires_iss: bool) -> RoundTrip {
    RoundTrip { state: "state".into(), verifier: "verifier".into(), nonce: "nonce".into(), requires_iss }
}

fn answer(query: &str, requires_iss: bool) -> Result<String, AuthorizationError> {
    let target = format!("/callback?{query}");
    let code = finish(&RequestHead::new("GET", &target), Some(&round_trip(requires_iss)), ISSUER);
    code.map(|Code(code)| code.expose().to_owned())
}

#[test]
fn the_request_says_what_is_wanted_and_proves_nothing_yet() {
    let request = AuthorizationRequest {
        scope: "openid offline_access mcp:a",
        resource: Some("https://mcp.example.com/mcp"),
        prompt: Some("consent"),
        max_age: Some(600),
        more: &[],
    };
    let (url, round_trip) = begun(&request);
    let query = Form::parse(url.strip_prefix("https://i.example/auth?").expect("the endpoint"));
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&round_trip.verifier));
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "vault"),
        ("redirect_uri", "https://mcp.example.com/account/callback"),
        ("scope", "openid offline_access mcp:a"),
        ("resource", "https://mcp.example.com/mcp"),
        ("prompt", "consent"),
        ("max_age", "600"),
        ("state", &round_trip.state),
        ("nonce", &round_trip.nonce),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(query.only(name), Some(value), "{name}");
    }
    // 256 bits each, none of which is another; the verifier stays here.
    let strings = [&round_trip.state, &round_trip.verifier, &round_trip.nonce];
    assert!(strings.iter().all(|text| text.len() == 43) && strings[0] != strings[1] && strings[1] != strings[2]);
    assert!(strings[0] != strings[2] && !url.contains(&round_trip.verifier) && !url.contains("p%3Aw"));
    assert_eq!(format!("{round_trip:?}"), "RoundTrip(…)");
}

#[test]
fn what_is_not_wanted_is_not_sent() {
    let (url, _) = begun(&AuthorizationRequest { scope: "openid", ..AuthorizationRequest::default() });
    for name in ["resource", "prompt", "max_age"] {
        assert!(!url.contains(&format!("{name}=")), "{name}");
    }
    let without = provider(|it| it["authorization_endpoint"] = "http://i.example/auth".into());
    let begun = begin(&client(), &without, &AuthorizationRequest::default(), &Counter::default());
    assert_eq!(begun, Err(AuthorizationError::NoEndpoint));
}

#[test]
fn the_round_trip_remembers_whether_the_provider_names_itself() {
    for (value, expected) in [(json!(true), true), (Value::Null, false)] {
        let provider = provider(|it| it["authorization_response_iss_parameter_supported"] = value);
        let (_, begun) =
            begin(&client(), &provider, &AuthorizationRequest::default(), &Counter::default()).expect("an endpoint");
        assert_eq!(begun.requires_iss, expected);
    }
}

#[test]
fn answers_are_taken_or_refused() {
    let refused = |refusal, error: &str| Err(AuthorizationError::Refused { refusal, error: error.to_owned() });
    for (query, expected) in [
        ("state=state&code=a%2Fb", Ok("a/b".to_owned())),
        ("state=state&code=c&iss=https%3A%2F%2Fi.example", Ok("c".to_owned())),
        ("state=other&code=c", Err(AuthorizationError::NotBegunHere)),
        ("state=stat&code=c", Err(AuthorizationError::NotBegunHere)),
        ("state=&code=c", Err(AuthorizationError::NotBegunHere)),
        ("code=c", Err(AuthorizationError::NotBegunHere)),
        ("state=other&error=access_denied", Err(AuthorizationError::NotBegunHere)),
        ("state=state&state=state&code=c", Err(AuthorizationError::Duplicate("state"))),
        ("state=state&code=c&code=c", Err(AuthorizationError::Duplicate("code"))),
        ("state=state&code=c&%63ode=c", Err(AuthorizationError::Duplicate("code"))),
        ("state=state&code=c&iss=https%3A%2F%2Fi.example&iss=", Err(AuthorizationError::Duplicate("iss"))),
        ("state=state&error=a&error=b", Err(AuthorizationError::Duplicate("error"))),
        ("state=state&code=c&iss=https%3A%2F%2Fi.example%2F", Err(AuthorizationError::AnotherProvider)),
        ("state=state&error=access_denied&iss=https%3A%2F%2Fevil.example", Err(AuthorizationError::AnotherProvider)),
        ("state=state&error=access_denied", refused(Refusal::Cancelled, "access_denied")),
        ("state=state&error=server_error", refused(Refusal::Outage, "server_error")),
        ("state=state&error=temporarily_unavailable", refused(Refusal::Outage, "temporarily_unavailable")),
        ("state=state&error=login_required&code=c", refused(Refusal::Other, "login_required")),
        ("state=state", Err(AuthorizationError::NoCode)),
        ("state=state&code=", Err(AuthorizationError::NoCode)),
    ] {
        assert_eq!(answer(query, false), expected, "{query}");
    }
    let long = |bytes: usize| answer(&format!("state=state&code={}", "x".repeat(bytes)), false);
    assert!(long(4_096).is_ok());
    assert_eq!(long(4_097), Err(AuthorizationError::LongCode(4_097)));
    assert_eq!(
        answer(&format!("state=state&error={}", "ä".repeat(100)), false),
        refused(Refusal::Other, &"ä".repeat(60))
    );
}

#[test]
fn a_provider_that_always_names_itself_must_do_so() {
    assert_eq!(answer("state=state&code=c", true), Err(AuthorizationError::AnotherProvider));
    assert_eq!(answer("state=state&code=c&iss=", true), Err(AuthorizationError::AnotherProvider));
    assert_eq!(answer("state=state&error=access_denied", true), Err(AuthorizationError::AnotherProvider));
    assert_eq!(answer("state=state&code=c&iss=https%3A%2F%2Fi.example", true), Ok("c".to_owned()));
}

#[test]
fn a_plain_oauth_server_is_asked_without_what_only_openid_has() {
    let (url, _) = begun(&AuthorizationRequest { scope: "repo openid2", ..AuthorizationRequest::default() });
    assert!(url.contains("scope=repo%20openid2&") || url.ends_with("scope=repo%20openid2"), "{url}");
    assert!(!url.contains("nonce="), "{url}");
    let (url, _) = begun(&AuthorizationRequest::default());
    assert!(!url.contains("scope=") && !url.contains("nonce="), "{url}");
}

#[test]
fn parameters_of_the_provider_replace_none_of_ours() {
    let more: Vec<(String, String)> = [
        ("access_type", "offline"),
        ("state", "evil"),
        ("code_challenge", "evil"),
        ("redirect_uri", "https://evil.example"),
        ("client_id", "evil"),
        ("nonce", "evil"),
        ("resource", "https://evil.example"),
        ("prompt", "evil"),
        ("request_uri", "urn:evil"),
        ("response_mode", "evil"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let request =
        AuthorizationRequest { scope: "repo", prompt: Some("login"), more: &more, ..AuthorizationRequest::default() };
    let (url, _) = begun(&request);
    assert!(url.contains("access_type=offline") && url.contains("prompt=login") && !url.contains("evil"), "{url}");
    for name in ["state", "code_challenge", "client_id", "redirect_uri"] {
        let query = Form::parse(url.split_once('?').expect("a query").1);
        assert!(query.only(name).is_some_and(|value| !value.is_empty()), "{name}");
    }
}

#[test]
fn a_provider_whose_name_is_not_known_may_name_itself() {
    let head = RequestHead::new("GET", "/callback?state=state&code=c&iss=https%3A%2F%2Fi.example");
    assert!(finish(&head, Some(&round_trip(false)), "").is_ok());
    let head = RequestHead::new("GET", "/callback?state=other&code=c");
    assert_eq!(finish(&head, Some(&round_trip(false)), ""), Err(AuthorizationError::NotBegunHere));
}

#[test]
fn a_browser_that_was_not_sent_is_not_taken_back() {
    let head = RequestHead::new("GET", "/callback?state=state&code=c");
    assert_eq!(finish(&head, None, ISSUER), Err(AuthorizationError::NotBegunHere));
    // A round trip without a state, which nobody begins, is answered by nothing.
    let empty = RoundTrip { state: String::new(), ..round_trip(false) };
    let head = RequestHead::new("GET", "/callback?code=c");
    assert_eq!(finish(&head, Some(&empty), ISSUER), Err(AuthorizationError::NotBegunHere));
}

#[test]
fn a_round_trip_is_found_by_its_state() {
    for (query, state) in [("state=a%20b&code=c", "a b"), ("code=c", ""), ("state=a&state=b", "")] {
        assert_eq!(state_of(&RequestHead::new("GET", &format!("/callback?{query}"))), state, "{query}");
    }
}

proptest! {
    #[test]
    fn only_the_own_state_brings_a_code(state in "[ -~]{0,8}", code in "[ -~]{1,20}", rest in "[a-z=&%]{0,30}") {
        let query = format!("state={}&code={}&x{rest}", form_encode(&state), form_encode(&code));
        if let Ok(found) = answer(&query, false) {
            prop_assert_eq!((state.as_str(), found), ("state", code));
        }
    }
}
