//! Calls between Workers, and to Durable Objects: one JSON text there, one back.
//!
//! A call has no path and no headers of its own; what is wanted stands in the message. Who may call is decided by
//! [`Props`], which the platform takes from the configuration of the caller's binding: nothing in a request that reaches
//! a Worker from outside can become one, and neither path nor host is looked at.

use std::time::Duration;

use serde_json::{Map, Value};

/// Something that answers calls: a service bound to this Worker, or a Durable Object.
#[allow(async_fn_in_trait, reason = "isolates have one thread: futures need not be Send")]
pub trait CallService {
    /// Sends a message, which is JSON, and returns the answer, which is JSON if the service keeps its word.
    ///
    /// # Errors
    /// [`CallError`] if there is no answer. The service may have done what the message asks for all the same, unless the
    /// error is [`CallError::Unbound`], [`CallError::Forbidden`] or [`CallError::Rejected`].
    async fn call(&self, message: String) -> Result<String, CallError>;
}

/// How long a call may take, and how long its answer may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// For the complete answer.
    pub timeout: Duration,
    /// In bytes; a longer answer is an error, found while it arrives.
    pub max_answer: usize,
}

/// Ten seconds, and 64 KiB.
impl Default for CallLimits {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(10), max_answer: 64 * 1024 }
    }
}

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// `wrangler.toml` has no such binding.
    #[error("no binding named {0}")]
    Unbound(String),
    /// No complete answer in time.
    #[error("no complete answer within {}s", .0.as_secs())]
    Timeout(Duration),
    /// The answer is longer than allowed.
    #[error("answer longer than {0} bytes")]
    TooLarge(usize),
    /// The service does not answer callers with these props.
    #[error("the service refuses this caller")]
    Forbidden,
    /// The service does not take this message: it is too large, or malformed.
    #[error("the service rejects the message (status {0})")]
    Rejected(u16),
    /// The service failed.
    #[error("the service failed (status {0})")]
    Failed(u16),
    /// The Durable Object has more to do than it can.
    #[error("the Durable Object is overloaded")]
    Overloaded,
    /// The call did not arrive, or its answer did not.
    #[error("{0}")]
    Network(String),
}

/// What the configuration of a binding says of the caller (`ctx.props`).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Props(Map<String, Value>);

impl Props {
    /// Reads props from JSON. What is no object has no members.
    #[must_use]
    pub fn from_json(text: &str) -> Self {
        Self(serde_json::from_str(text).unwrap_or_default())
    }

    /// A member that is a string.
    #[must_use]
    pub fn string(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A member of any type.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }
}

/// What a named entrypoint answers its callers with.
///
/// ```
/// use mcp_edge_runtime::service_call::{Props, Service};
///
/// struct Vault;
///
/// /// A caller that may read.
/// struct Reader;
///
/// impl Service for Vault {
///     type Caller = Reader;
///
///     fn authorize(&self, props: &Props) -> Option<Reader> {
///         (props.string("role") == Some("reader")).then_some(Reader)
///     }
///
///     async fn answer(&self, Reader: Reader, message: String) -> Result<String, String> {
///         Ok(message)
///     }
/// }
/// ```
#[allow(async_fn_in_trait, reason = "isolates have one thread: futures need not be Send")]
pub trait Service: 'static {
    /// A caller that may call. There is no other way to one than [`Service::authorize`].
    type Caller;

    /// In bytes; longer messages are rejected while they arrive.
    const MAX_MESSAGE: usize = 64 * 1024;

    /// The caller that these props prove, or `None` for one that is refused. It is asked before the message is read.
    fn authorize(&self, props: &Props) -> Option<Self::Caller>;

    /// Answers a message with JSON. What the caller is to know of a failure is part of that JSON.
    ///
    /// # Errors
    /// What the operator is to know of a failure: it is logged, and the caller learns that there was one.
    async fn answer(&self, caller: Self::Caller, message: String) -> Result<String, String>;
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn props_that_are_no_object_prove_nothing() {
        for text in ["", "null", "[]", r#""role""#, "1", "{"] {
            assert_eq!(Props::from_json(text), Props::default(), "{text}");
        }
        let props = Props::from_json(r#"{"role":"reader","level":2}"#);
        assert_eq!(props.string("role"), Some("reader"));
        assert_eq!((props.string("level"), props.string("other")), (None, None));
        assert_eq!(props.get("level"), Some(&2.into()));
    }
}
