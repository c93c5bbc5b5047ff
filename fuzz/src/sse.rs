//! A reader of event streams as browsers have it (HTML Living Standard §9.2.6), shared with nothing that writes them.

/// An event: its type, and its data.
pub type Event = (String, String);

/// The events of a stream. Panics if the stream ends within one.
pub fn events(stream: &str) -> Vec<Event> {
    let mut events = Vec::new();
    let (mut kind, mut data) = (String::new(), None::<String>);
    for line in lines(stream.strip_prefix('\u{feff}').unwrap_or(stream)) {
        if line.is_empty() {
            if let Some(data) = data.take() {
                events.push((std::mem::take(&mut kind), data));
            }
            kind.clear();
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" => {} // a comment
            "event" => value.clone_into(&mut kind),
            "data" => {
                data = Some(data.map_or_else(|| value.to_owned(), |data| data + "\n" + value));
            }
            _ => panic!("the field {field:?}"),
        }
    }
    assert!(data.is_none() && kind.is_empty(), "the stream ends within an event");
    events
}

/// Lines end with CR LF, LF or CR.
fn lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['\r', '\n']) {
        lines.push(&rest[..at]);
        rest = &rest[at..];
        rest = rest.strip_prefix("\r\n").unwrap_or_else(|| &rest[1..]);
    }
    assert_eq!(rest, "", "the last line has no end");
    lines
}
