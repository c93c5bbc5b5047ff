//! How much memory the requests that wait for an upstream hold, and which can be let in beside them.

use std::{rc::Rc, time::Duration};

use mcp_edge_protocol::{
    error::Reason,
    jsonrpc::anonymous_error,
    load::{LIGHT_BYTES, Load, Overloaded, Reservation},
};
use mcp_edge_runtime::http::Response;

/// What is held of a body until the response has begun: the text as it came, and the message that is sent on.
const COPIES: usize = 2;

/// The bodies of the requests that wait for an upstream.
#[derive(Default)]
pub struct Bodies(Load);

impl Bodies {
    /// Lets a request in that holds its body for no longer than `time`; keep what is returned for as long. Bodies of up to
    /// 256 KiB are always let in.
    ///
    /// # Errors
    /// The response to send instead: 503 with `Retry-After`.
    pub fn admit(&self, body: &str, now: u64, time: Duration) -> Result<Option<Rc<Reservation>>, Response> {
        if body.len() <= LIGHT_BYTES {
            return Ok(None);
        }
        self.0.admit(COPIES * body.len(), now, time).map_err(|Overloaded| {
            let text = "other large requests are being worked on, try again later";
            Response::json(503, anonymous_error(Reason::Busy, text)).with_header("retry-after", "1")
        })
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: Duration = Duration::from_mins(1);

    #[test]
    fn three_of_the_largest_bodies_are_let_in_and_all_light_ones() {
        let (bodies, large) = (Bodies::default(), "a".repeat(4 * 1024 * 1024));
        let mut held: Vec<_> = (0..3).map(|_| bodies.admit(&large, 0, TIME)).collect();
        assert!(held.iter().all(|held| matches!(held, Ok(Some(_)))));
        let refused = bodies.admit(&large[..=LIGHT_BYTES], 0, TIME).expect_err("there is no room");
        assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
        assert!(matches!(bodies.admit(&large[..LIGHT_BYTES], 0, TIME), Ok(None)));
        held.pop();
        assert!(bodies.admit(&large, 0, TIME).is_ok());
    }
}
