//! Removes secrets from what servers send back.

use crate::http::HttpResponse;

/// Replaces the operator's token and other secrets in responses that contain them.
const REDACTED: &str = "<token>";

/// What no response may show.
#[derive(Clone, Default)]
pub struct Secrets(Vec<String>);

impl Secrets {
    /// Remembers them.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        Self(secrets.into_iter().map(str::to_owned).collect())
    }

    /// The response without them.
    #[must_use]
    pub fn redact(&self, response: HttpResponse) -> HttpResponse {
        let headers = response.headers.into_iter().map(|(name, value)| (name, self.without(value))).collect();
        HttpResponse { headers, body: self.without(response.body), ..response }
    }

    fn without(&self, text: String) -> String {
        let hide = |text: String, secret: &String| {
            if text.contains(secret) { text.replace(secret, REDACTED) } else { text }
        };
        self.0.iter().fold(text, hide)
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}
