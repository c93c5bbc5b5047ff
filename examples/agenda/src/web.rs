//! The little that requests to services need from the platform.

use mcp_edge::Secret;

/// Sends requests.
#[allow(async_fn_in_trait, reason = "isolates have one thread: futures need not be Send")]
pub trait Web: Clone + 'static {
    /// Gets a document. `authorization` is the value of the header of that name. Redirects are not followed: the header
    /// would go along, to any place that they lead to.
    ///
    /// # Errors
    /// [`NoAnswer`].
    async fn get(&self, url: &str, authorization: &Secret) -> Result<Answer, NoAnswer>;
}

/// An answer with any status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// There was no answer. Why, the platform's side has logged for the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoAnswer;
