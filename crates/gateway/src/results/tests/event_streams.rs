//! The response in an event stream.

use super::response_in;

const RESPONSE: &str = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;

fn found(stream: &str) -> Option<String> {
    response_in(stream, "1")
}

#[test]
fn the_response_with_the_id_is_found_among_other_messages() {
    let stream = [
        ": comment\n\n",
        "event: message\nid: 7\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{}}\n\n",
        "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"sampling/createMessage\"}\n\n",
        "data: {\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}\n\n",
        "data: not json\n\n",
        "retry: 10\ndata:\n\n",
        &format!("event: message\ndata: {RESPONSE}\n\n"),
        "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"second\":1}}\n\n",
    ];
    assert_eq!(found(&stream.concat()).as_deref(), Some(RESPONSE));
    assert_eq!(found(&stream[..6].concat()), None);
    assert_eq!(
        response_in("data: {\"id\":\"\\u0061\",\"error\":{}}\n\n", "\"a\"").as_deref(),
        Some(r#"{"id":"\u0061","error":{}}"#)
    );
}

#[test]
fn lines_end_in_three_ways() {
    for end in ["\n", "\r", "\r\n"] {
        for bom in ["", "\u{feff}"] {
            let stream = format!("{bom}: a{end}{end}event: message{end}data: {RESPONSE}{end}{end}");
            assert_eq!(found(&stream).as_deref(), Some(RESPONSE), "{end:?}");
        }
    }
    assert_eq!(found(&format!("data: {RESPONSE}\r\n")), None, "one line end is no empty line");
    assert_eq!(found(&format!("\u{feff}\u{feff}data: {RESPONSE}\n\n")), None);
}

#[test]
fn several_lines_of_data_are_one_message() {
    let stream = "data: {\"id\":1,\ndata\ndata:  \"result\":\ndata:{}}\n\n";
    assert_eq!(found(stream).as_deref(), Some("{\"id\":1,\n\n \"result\":\n{}}"));
    // A line break within a string is no JSON.
    assert_eq!(found("data: {\"id\":1,\"result\":\"\ndata: \"}\n\n"), None);
}

#[test]
fn events_of_other_types_and_what_breaks_off_are_skipped() {
    assert_eq!(found(&format!("event: other\ndata: {RESPONSE}\n\n")), None);
    assert_eq!(found(&format!("data: {RESPONSE}\nevent: other\n\n")), None);
    assert_eq!(found(&format!("event: other\n\ndata: {RESPONSE}\n\n")).as_deref(), Some(RESPONSE));
    assert_eq!(found(&format!("event\ndata: {RESPONSE}\n\n")).as_deref(), Some(RESPONSE));
    for end in ["", "\n"] {
        assert_eq!(found(&format!("data: {RESPONSE}{end}")), None);
    }
    assert_eq!(found(&format!(" data: {RESPONSE}\n\n")), None);
    assert_eq!(found(&format!("Data: {RESPONSE}\n\n")), None);
}

#[test]
fn batches_are_looked_through() {
    let batch = |rest: &str| found(&format!("data: [{{\"id\":2,\"result\":{{}}}} , {RESPONSE}{rest}\n\n"));
    assert_eq!(batch("]").as_deref(), Some(RESPONSE));
    assert_eq!(batch(",7]").as_deref(), Some(RESPONSE));
    assert_eq!(batch(""), None);
    assert_eq!(batch(",]"), None);
}

#[test]
fn what_readers_read_differently_is_no_response() {
    assert_eq!(found("data: {\"id\":1,\"id\":1,\"result\":{}}\n\n"), None);
    assert_eq!(found("data: {\"id\":1}\n\n"), None);
    assert_eq!(found("data: {\"id\":1,\"result\":null}\n\n"), None);
}
