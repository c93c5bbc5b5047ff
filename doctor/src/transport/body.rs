//! How much of a response body is read.

use crate::{
    http::{BodyPolicy, MAX_BODY_BYTES, TransportError, Truncation},
    mcp,
};

/// A body in the course of being read.
#[derive(Debug)]
pub struct BodyReader {
    bytes: Vec<u8>,
    until: Until,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    /// It is not read at all, or has been read as far as it is needed.
    Now,
    /// It ends.
    End,
    /// It has a JSON-RPC response.
    Response,
}

impl BodyReader {
    /// Begins with the body of a response with these headers, whose names are in lower case.
    #[must_use]
    pub fn new(policy: BodyPolicy, headers: &[(String, String)]) -> Self {
        let is_stream = headers.iter().any(|(name, value)| {
            name == "content-type" && value.trim_start().to_ascii_lowercase().starts_with("text/event-stream")
        });
        let until = match policy {
            BodyPolicy::SkipStream if is_stream => Until::Now,
            BodyPolicy::UntilResponse if is_stream => Until::Response,
            _ => Until::End,
        };
        Self { bytes: Vec::new(), until }
    }

    /// Whether more of the body is to be read.
    #[must_use]
    pub fn wants_more(&self) -> bool {
        self.until != Until::Now && !self.is_too_long()
    }

    /// Adds what was received.
    pub fn push(&mut self, chunk: &[u8]) {
        self.bytes.extend_from_slice(chunk);
        if self.until == Until::Response && mcp::holds_response(&String::from_utf8_lossy(&self.bytes)) {
            self.until = Until::Now;
        }
    }

    /// The body as text, and why it is incomplete: too long, or `interrupted`.
    #[must_use]
    pub fn finish(mut self, interrupted: Option<TransportError>) -> (String, Option<Truncation>) {
        let truncated = match interrupted {
            Some(error) => Some(Truncation::Interrupted(error.to_string())),
            None => self.is_too_long().then_some(Truncation::TooLong),
        };
        // So that it does not depend on the pieces in which it was received.
        self.bytes.truncate(usize::try_from(MAX_BODY_BYTES).unwrap_or(usize::MAX));
        (String::from_utf8_lossy(&self.bytes).into_owned(), truncated)
    }

    fn is_too_long(&self) -> bool {
        self.bytes.len() as u64 > MAX_BODY_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::failure;

    fn reader(policy: BodyPolicy, kind: &str) -> BodyReader {
        BodyReader::new(policy, &[("content-type".to_owned(), kind.to_owned())])
    }

    #[test]
    fn a_body_is_read_to_its_end() {
        for policy in [BodyPolicy::SkipStream, BodyPolicy::UntilResponse] {
            let mut it = reader(policy, "application/json");
            for chunk in [b"\xc3".as_slice(), b"\xa9", b"\xff"] {
                assert!(it.wants_more());
                it.push(chunk);
            }
            assert_eq!(it.finish(None), ("é\u{fffd}".to_owned(), None));
        }
    }

    #[test]
    fn of_a_body_that_is_too_long_the_limit_is_kept() {
        let mut it = reader(BodyPolicy::SkipStream, "text/plain");
        it.push(&vec![b'x'; 1024 * 1024]);
        assert!(it.wants_more());
        it.push(b"yz");
        assert!(!it.wants_more());
        let (body, truncated) = it.finish(None);
        assert_eq!((body.len() as u64, truncated), (MAX_BODY_BYTES, Some(Truncation::TooLong)));
    }

    #[test]
    fn a_stream_is_skipped_or_read_up_to_its_response() {
        assert!(!reader(BodyPolicy::SkipStream, " Text/Event-Stream; charset=utf-8").wants_more());
        let mut it = reader(BodyPolicy::UntilResponse, "text/event-stream");
        it.push(b": hello\n\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,");
        assert!(it.wants_more());
        it.push(b"\"result\":{}}\n\n");
        assert!(!it.wants_more());
    }

    #[test]
    fn an_interruption_says_why() {
        let it = reader(BodyPolicy::SkipStream, "text/plain");
        let (_, truncated) = it.finish(Some(failure::timeout()));
        assert_eq!(truncated, Some(Truncation::Interrupted("no response in time".to_owned())));
    }
}
