//! How users are asked to connect an account.

use super::*;

#[test]
fn a_client_that_shows_links_is_asked_to() {
    let (server, script) = (server(), script(&[not_connected()]));
    let client = client(&server, &script);
    let message = "This needs an account of yours at GitHub. Open the page to connect it.";
    let params = json!({"mode": "url", "message": message, "url": LINK});
    // Whether there was no answer yet, or one to something else.
    for responses in [json!({}), json!({"connect:gitlab": {"action": "accept"}})] {
        let asked = answer(&client, "issues", responses);
        assert_eq!(asked.result()["resultType"], "input_required");
        assert_eq!(
            asked.result()["inputRequests"],
            json!({"connect:github": {"method": "elicitation/create", "params": params}})
        );
        assert_eq!(asked.result().get("requestState"), None, "without a secret one question works");
    }
}

#[test]
fn every_other_client_reads_the_link() {
    let (server, script) = (server(), script(&[not_connected()]));
    let client = || client(&server, &script);
    for client in [
        client().legacy(),
        client().capabilities(json!({})),
        client().capabilities(json!({"elicitation": {}})),
        client().capabilities(json!({"elicitation": {"form": {}}})),
        client().capabilities(json!({"elicitation": {"url": null}})),
    ] {
        let answer = run(client.call_tool("issues", json!({})));
        assert!(answer.is_error() && answer.status == 200);
        let text = answer.text();
        assert!(text.ends_with(LINK) && text.contains("GitHub") && text.contains("repeat the call"), "{text}");
    }
}

#[test]
fn a_client_that_shows_no_links_is_not_made_to_wait() {
    let (server, script) = (server(), script(&[not_connected()]));
    let client = client(&server, &script).capabilities(json!({}));
    assert!(answer(&client, "issues", action("accept")).is_error());
    assert_eq!(script.count.get(), 1);
}

#[test]
fn without_a_link_there_is_nothing_to_show() {
    let nowhere = Err(NoAccess::NotConnected { title: "GitHub".to_owned(), url: None });
    let (server, script) = (server(), script(&[nowhere]));
    let answer = run(client(&server, &script).call_tool("issues", json!({})));
    assert!(answer.is_error() && answer.text().contains("in the settings of the account"), "{}", answer.text());
}

#[test]
fn a_tool_waits_for_the_account_after_the_page_was_opened() {
    let server = server();
    let script = script(&[not_connected(), not_connected(), unavailable(), token("gho_1")]);
    let answer = answer(&client(&server, &script), "issues", action("accept"));
    assert_eq!(answer.text(), "gho_1 repo:read");
    assert_eq!(script.count.get(), 4, "an outage is waited out, too");
}

#[test]
fn a_tool_waits_twenty_seconds_and_then_says_the_link() {
    let (server, script) = (server(), script(&[not_connected()]));
    let waited = answer(&client(&server, &script), "issues", action("accept"));
    assert!(waited.is_error() && waited.text().ends_with(LINK), "{}", waited.text());
    assert_eq!(script.count.get(), 11, "at once, and every two seconds");
}

#[test]
fn a_tool_with_less_time_says_the_link_before_its_time_is_over() {
    let (server, script) = (server(), script(&[not_connected()]));
    let waited = answer(&client(&server, &script), "hurried", action("accept"));
    assert!(waited.is_error() && waited.text().ends_with(LINK), "{}", waited.text());
    assert_eq!(script.count.get(), 3);
}

#[test]
fn a_refusal_ends_the_waiting() {
    let (server, script) = (server(), script(&[not_connected(), refused(), token("gho_1")]));
    let answer = answer(&client(&server, &script), "issues", action("accept"));
    assert!(answer.is_error() && answer.text().starts_with("GitHub refuses"), "{}", answer.text());
}

#[test]
fn a_user_who_declines_is_not_asked_again() {
    for declined in ["decline", "cancel"] {
        let (server, script) = (server(), script(&[not_connected()]));
        let answer = answer(&client(&server, &script), "issues", action(declined));
        assert_eq!(answer.text(), "The user does not want to connect an account of GitHub.");
        assert!(answer.is_error());
        assert_eq!(script.count.get(), 1);
    }
}

#[test]
fn a_malformed_answer_is_an_error() {
    for responses in [json!({"connect:github": 1}), json!({"connect:github": null}), action("shrug"), action("ACCEPT")]
    {
        let (server, script) = (server(), script(&[not_connected()]));
        assert_eq!(
            answer(&client(&server, &script), "issues", responses.clone()).error_code(),
            Some(-32602),
            "{responses}"
        );
    }
}

#[test]
fn an_answer_about_an_account_that_is_connected_changes_nothing() {
    for responses in [action("decline"), action("accept"), json!({"connect:github": 1})] {
        let (server, script) = (server(), script(&[token("gho_1")]));
        assert_eq!(answer(&client(&server, &script), "issues", responses).text(), "gho_1 repo:read");
    }
}

#[test]
fn two_accounts_are_asked_for_together() {
    let (server, script) = (server(), script(&[not_connected()]));
    let asked = answer(&client(&server, &script), "both", json!({}));
    let keys: Vec<_> = asked.result()["inputRequests"].as_object().into_iter().flatten().map(|(key, _)| key).collect();
    assert_eq!(keys, ["connect:github", "connect:calendar"].iter().rev().collect::<Vec<_>>());
}

#[test]
fn accounts_in_turn_need_no_state() {
    let server = server();
    let script =
        script(&[not_connected(), not_connected(), token("gho_1"), token("gho_1"), not_connected(), token("c")]);
    let client = client(&server, &script);
    let question = |asked: &testing::ServerResponse| {
        assert_eq!(asked.result().get("requestState"), None);
        asked.result()["inputRequests"].as_object().map(|requests| requests.keys().cloned().collect::<Vec<_>>())
    };
    assert_eq!(question(&answer(&client, "in_turn", json!({}))), Some(vec!["connect:github".to_owned()]));
    assert_eq!(question(&answer(&client, "in_turn", action("accept"))), Some(vec!["text".to_owned()]));
    // From here on the text is an answer of an earlier round.
    let client = client.state_key(StateKey::derive(&[7; 32], "https://mcp.example.com/mcp"));
    let text = json!({"text": {"action": "accept", "content": {"text": "-"}}});
    let asked = answer(&client, "in_turn", text);
    let state = asked.result()["requestState"].clone();
    let responses = json!({"connect:calendar": {"action": "accept"}});
    let params = json!({"name": "in_turn", "arguments": {}, "inputResponses": responses, "requestState": state});
    assert_eq!(run(client.request("tools/call", params)).text(), "github-calendar");
}

#[test]
fn a_handler_may_do_without_an_account() {
    for (answer, text) in [(not_connected(), "public: github"), (token("x"), "github")] {
        let (server, script) = (server(), script(&[answer]));
        let answer = run(client(&server, &script).call_tool("optional", json!({})));
        assert_eq!((answer.text().as_str(), answer.is_error()), (text, false));
    }
    let (server, script) = (server(), script(&[unavailable()]));
    assert!(run(client(&server, &script).call_tool("optional", json!({}))).is_error());
}

#[test]
fn a_handler_that_does_without_and_asks_something_else_shows_the_link_along_with_that() {
    let asks = async |call: Call| {
        let _ = call.access("github").await;
        call.elicit("text", "What?").map(|Echo { text }| text).map_err(ToolError::from)
    };
    let server = build(Server::builder("t", "1").tool(Tool::new("asks", asks).connection("github", None::<&str>)));
    let asked = answer(&client(&server, &script(&[not_connected()])), "asks", json!({}));
    let requests = &asked.result()["inputRequests"];
    assert!(requests["text"].is_object() && requests["connect:github"].is_object(), "{requests}");
}

#[test]
fn resources_and_prompts_ask_in_the_same_way() {
    let server = server();
    for (method, params, user) in [
        ("resources/read", json!({"uri": "issues://all"}), "resource:all"),
        ("resources/read", json!({"uri": "issues://1/x"}), "resource:one"),
        ("prompts/get", json!({"name": "review", "arguments": {"text": "x"}}), "prompt:review"),
    ] {
        let given = script(&[token("gho_1")]);
        let answer = run(client(&server, &given).request(method, params.clone()));
        assert!(answer.result().to_string().contains("gho_1"), "{method}");
        assert_eq!(*given.asked.borrow(), [["github repo:read", user, "-"].join(" ")]);

        let absent = script(&[not_connected()]);
        let asked = run(client(&server, &absent).request(method, params.clone()));
        assert_eq!(asked.result()["inputRequests"]["connect:github"]["params"]["url"], LINK, "{method}");
        for client in [client(&server, &absent).legacy(), client(&server, &absent).capabilities(json!({}))] {
            let error = run(client.request(method, params.clone())).message["error"].clone();
            assert!(error["message"].as_str().is_some_and(|text| text.ends_with(LINK)), "{method} {error}");
        }
    }
}
