//! Answers that begin before their handler is done.

use std::{cell::Cell, time::Duration};

use futures_util::{StreamExt, stream::LocalBoxStream};

use crate::{Limits, LoggingLevel, Outcome, testing::Client, tests::*};
use mcp_edge_runtime::http::Body;

async fn work(call: Call) -> &'static str {
    for step in 0..3_u8 {
        call.progress(f64::from(step) * 50.0, Some(100.0), Some("working")).await;
        call.sleep(Duration::from_millis(50)).await;
    }
    "done"
}

async fn chatty(call: Call) -> &'static str {
    for level in [LoggingLevel::Debug, LoggingLevel::Info, LoggingLevel::Warning] {
        call.log(level, &json!({"level": level.as_str()})).await;
    }
    "done"
}

async fn silent(call: Call) -> &'static str {
    call.sleep(Duration::from_secs(40)).await;
    "done"
}

fn workshop() -> ServerBuilder<()> {
    Server::builder("t", "1")
        .logging()
        .tool(Tool::new("work", work))
        .tool(Tool::new("chatty", chatty))
        .tool(Tool::new("silent", silent))
}

fn call(tool: &str) -> Request {
    let meta = json!("t-1");
    Request::modern("tools/call", json!({"name": tool})).body("/params/_meta/progressToken", Some(meta))
}

fn stream(response: Response) -> LocalBoxStream<'static, String> {
    match response.body {
        Body::Stream { chunks, .. } => chunks,
        body => panic!("not a stream: {body:?}"),
    }
}

#[test]
fn progress_is_streamed_as_it_happens() {
    let server = build(workshop());
    let handled = call("work").send(&server);
    assert_eq!(handled.summary.outcome, Outcome::Streaming);
    let response = response(handled);
    assert_eq!(response.status, 200);
    assert_eq!(response.header("content-type"), Some("text/event-stream"));
    assert_eq!(response.header("cache-control"), Some("no-cache, no-transform"));
    assert_eq!(response.header("x-accel-buffering"), Some("no"));
    let chunks: Vec<String> = run(stream(response).collect());
    assert_eq!(chunks.len(), 4, "each message is a chunk of its own: {chunks:?}");
    assert_eq!(
        chunks[0],
        concat!(
            "event: message\n",
            r#"data: {"jsonrpc":"2.0","method":"notifications/progress","#,
            r#""params":{"progressToken":"t-1","progress":0.0,"total":100.0,"message":"working"}}"#,
            "\n\n"
        )
    );
    let last = chunks[3].strip_prefix("event: message\ndata: ").and_then(|rest| rest.strip_suffix("\n\n"));
    let last: Value = serde_json::from_str(last.unwrap_or_default()).unwrap_or_default();
    assert_eq!((&last["id"], &last["result"]["content"][0]["text"]), (&json!(7), &json!("done")));
    assert_eq!(last["result"]["resultType"], "complete");
}

#[test]
fn without_a_token_or_without_a_listener_there_is_no_stream() {
    let server = build(workshop());
    let deaf = call("work").with("accept", "application/json");
    let uninterested = call("work").body("/params/_meta/progressToken", None);
    for request in [deaf, uninterested] {
        let response = response(request.send(&server));
        assert_eq!(response.header("content-type"), Some("application/json"));
        assert_eq!(message(&response)["result"]["content"][0]["text"], "done");
    }
}

#[test]
fn progress_never_goes_back() {
    let tool = Tool::new("erratic", |call: Call| async move {
        for progress in [1.0, 1.0, 0.5, f64::NAN, f64::INFINITY, 2.0] {
            call.progress(progress, None, None).await;
        }
        "done"
    });
    let server = build(Server::builder("t", "1").tool(tool));
    let answer = run(Client::new(&server).call_tool("erratic", json!({})));
    let sent: Vec<&Value> = answer.notifications.iter().map(|message| &message["params"]["progress"]).collect();
    assert_eq!(sent, [&json!(1.0), &json!(2.0)]);
}

#[test]
fn log_lines_are_sent_if_they_were_asked_for() {
    let server = build(workshop());
    let levels = |client: Client<'_, ()>| {
        let answer = run(client.call_tool("chatty", json!({})));
        let levels: Vec<String> = answer
            .notifications
            .iter()
            .map(|line| line["params"]["level"].as_str().unwrap_or("?").to_owned())
            .collect();
        levels.join(" ")
    };
    assert_eq!(levels(Client::new(&server)), "");
    assert_eq!(levels(Client::new(&server).log_level(LoggingLevel::Debug)), "debug info warning");
    assert_eq!(levels(Client::new(&server).log_level(LoggingLevel::Warning)), "warning");
    assert_eq!(levels(Client::new(&server).legacy()), "info warning");
    let undeclared = build(Server::builder("t", "1").tool(Tool::new("chatty", chatty)));
    assert_eq!(levels(Client::new(&undeclared).log_level(LoggingLevel::Debug)), "");
    assert_eq!(levels(Client::new(&undeclared).legacy()), "");
}

#[test]
fn silence_is_filled_with_comments() {
    let server = build(workshop());
    let chunks: Vec<String> = run(stream(response(call("silent").send(&server))).collect());
    assert_eq!(chunks.len(), 2, "{chunks:?}");
    assert_eq!(chunks[0], ": keepalive\n\n");
    assert!(chunks[1].contains("done"));
}

#[test]
fn a_handler_in_a_stream_has_its_time_too() {
    let tool = Tool::new("endless", |call: Call| async move {
        call.progress(1.0, None, None).await;
        call.sleep(Duration::from_hours(1)).await;
        "done"
    });
    let server = build(Server::builder("t", "1").tool(tool));
    let answer = run(Client::new(&server).call_tool("endless", json!({})));
    assert!(answer.is_error() && answer.text() == "gave up after 60 seconds");
    assert_eq!(answer.notifications.len(), 1);
}

#[test]
fn who_goes_away_cancels() {
    thread_local!(static DROPPED: Cell<bool> = const { Cell::new(false) });
    struct Guard;
    impl Drop for Guard {
        fn drop(&mut self) {
            DROPPED.set(true);
        }
    }
    let tool = Tool::new("guarded", |call: Call| async move {
        let _guard = Guard;
        call.progress(1.0, None, None).await;
        call.sleep(Duration::from_secs(1)).await;
        "done"
    });
    let server = build(Server::builder("t", "1").tool(tool));
    let mut stream = stream(response(call("guarded").send(&server)));
    assert!(run(stream.next()).is_some_and(|chunk| chunk.contains("notifications/progress")));
    assert!(!DROPPED.get());
    drop(stream);
    assert!(DROPPED.get());
}

#[test]
fn there_are_only_so_many_streams() {
    let limits = Limits { concurrent_streams: 1, ..Limits::default() };
    let server = build(workshop().limits(limits));
    let first = response(call("work").send(&server));
    assert!(matches!(first.body, Body::Stream { .. }));
    let second = response(call("work").send(&server));
    assert_eq!(message(&second)["result"]["content"][0]["text"], "done");
    drop(first);
    assert!(matches!(response(call("work").send(&server)).body, Body::Stream { .. }));
}

#[test]
fn progress_in_parallel_branches_is_not_lost() {
    let tool = Tool::new("parallel", |call: Call| async move {
        let other = call.clone();
        futures_util::future::join(call.progress(1.0, None, None), other.progress(2.0, None, None)).await;
        "done"
    });
    let server = build(Server::builder("t", "1").tool(tool));
    assert_eq!(run(Client::new(&server).call_tool("parallel", json!({}))).notifications.len(), 2);
}

#[test]
fn statuses_are_decided_before_a_stream_begins() {
    let sampler = Tool::new("sampler", |call: Call| async move {
        call.sample("s", crate::CreateMessageParams::new("?", 1)).map(|sampled| sampled.text()).map_err(ToolError::from)
    });
    let server = build(Server::builder("t", "1").tool(sampler));
    assert_eq!(response(call("sampler").send(&server)).status, 400);
}
