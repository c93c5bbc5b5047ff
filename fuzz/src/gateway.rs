//! Messages of clients with any content: what the gateway sends on has one meaning for all readers.

use mcp_edge_gateway::envelope::{Envelope, Offers, Payload, read, readings};
use mcp_edge_runtime::http::RequestHead;

use crate::with_text;

const ALL: Offers = Offers { tools: true, prompts: true, resources: true, tasks: true };
const TOOLS: Offers = Offers { tools: true, prompts: false, resources: false, tasks: false };

/// Without what the gateway reads for itself, and takes out of what it sends on.
fn as_sent(envelope: Envelope<'_>) -> Envelope<'_> {
    Envelope { capabilities: None, answer: None, ..envelope }
}

/// The first line contains the headers that repeat the body: revision, method, name.
pub fn check(input: &[u8]) {
    with_text(input, |input| {
        let (line, body) = input.split_once('\n').unwrap_or(("", input));
        let names = ["mcp-protocol-version", "mcp-method", "mcp-name"];
        let head = names.into_iter().zip(line.split('|')).fold(RequestHead::new("POST", "/mcp"), |head, header| {
            let (name, value) = header;
            if value.is_empty() { head } else { head.with_header(name, value) }
        });
        for offers in [ALL, TOOLS] {
            let Ok(posted) = read(&head, body, offers) else { continue };
            readings::check(&posted);
            // Once strict, it is not changed any more.
            if let Payload::One(envelope) = posted {
                let Ok(Payload::One(again)) = read(&head, &envelope.body, offers) else { panic!("{}", envelope.body) };
                assert_eq!(as_sent(again), as_sent(envelope.clone()), "{}", envelope.body);
            }
        }
    });
}
