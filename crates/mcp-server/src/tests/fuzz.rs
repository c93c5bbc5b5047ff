//! No input panics, and every answer is one that clients can read.

use proptest::prelude::*;

use crate::tests::*;

fn check(request: &Request, body: &str) -> Result<(), TestCaseError> {
    let Ok(response) = request.send_text(&server(), body).response else { return Ok(()) };
    prop_assert!(matches!(response.status, 200 | 202 | 400 | 404), "{}", response.status);
    if response.status == 202 {
        prop_assert_eq!(response.text(), "");
    } else if response.header("content-type") == Some("application/json") {
        let message: Value = serde_json::from_str(response.text()).unwrap_or_default();
        let answers = message.is_array() || message.get("result").is_some() != message.get("error").is_some();
        prop_assert!(answers, "{}", response.text());
        prop_assert!(!response.text().contains('\n'));
    }
    Ok(())
}

/// JSON of any shape, not too large.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
        prop_oneof![Just("echo"), Just("greet"), Just("note://motd"), Just("2026-07-28"), Just("ref/prompt")]
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let key = prop_oneof![
            Just("name".to_owned()),
            Just("arguments".to_owned()),
            Just("text".to_owned()),
            Just("uri".to_owned()),
            Just("ref".to_owned()),
            Just("_meta".to_owned()),
            Just("inputResponses".to_owned()),
            Just("requestState".to_owned()),
            Just("progressToken".to_owned()),
            "\\PC{0,4}",
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..4).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

fn method() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "tools/call",
        "tools/list",
        "server/discover",
        "initialize",
        "ping",
        "resources/read",
        "resources/list",
        "prompts/get",
        "completion/complete",
        "logging/setLevel",
        "resources/subscribe",
        "nonsense",
    ])
}

proptest! {
    #[test]
    fn any_text(body in "\\PC{0,64}") {
        check(&Request::modern("tools/list", json!({})), &body)?;
    }

    #[test]
    fn any_json(body in value(), legacy: bool) {
        let request = if legacy { Request::legacy("x", json!({})) } else { Request::modern("x", json!({})) };
        check(&request, &body.to_string())?;
    }

    #[test]
    fn any_parameters(method in method(), params in value(), legacy: bool) {
        let mut params = params;
        if !params.is_object() {
            params = json!({});
        }
        let request = if legacy { Request::legacy(method, params) } else { Request::modern(method, params) };
        check(&request, &request.body.to_string())?;
    }

    #[test]
    fn any_member(method in method(), member in value(), position in 0_usize..6, legacy: bool) {
        let base = json!({"name": "echo", "uri": "note://motd", "arguments": {"text": "x"}});
        let request = if legacy { Request::legacy(method, base) } else { Request::modern(method, base) };
        let places = ["/id", "/method", "/params", "/params/_meta", "/params/arguments", "/params/name"];
        let request = request.body(places[position], Some(member));
        check(&request, &request.body.to_string())?;
    }

    #[test]
    fn any_headers(version in "\\PC{0,12}", name in "\\PC{0,12}", accept in "\\PC{0,12}", parameter in "\\PC{0,12}") {
        let request = Request::modern("tools/call", json!({"name": "echo", "arguments": {"text": "x"}}))
            .with("mcp-protocol-version", &version)
            .with("mcp-name", &name)
            .with("accept", &accept)
            .with("mcp-param-text", &parameter);
        check(&request, &request.body.to_string())?;
        check(&request.with("mcp-protocol-version", "2026-07-28"), &request_body())?;
    }
}

fn request_body() -> String {
    Request::modern("tools/call", json!({"name": "echo", "arguments": {"text": "x"}})).body.to_string()
}
