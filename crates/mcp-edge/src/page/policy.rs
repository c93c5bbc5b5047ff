//! The `Content-Security-Policy` (CSP Level 3) of a page.

use mcp_edge_runtime::{base64::STANDARD, digest::sha256};

/// Ends every policy: `frame-ancestors` has no default.
const END: &str = "; frame-ancestors 'none'";

/// A policy that allows the page's own style and script, and what is added with [`Policy::and`].
#[derive(Debug)]
pub(super) struct Policy(String);

impl Policy {
    /// Creates the policy of a page with these two. Trusted types make the browser refuse strings as HTML: the scripts
    /// build elements.
    pub(super) fn new(style: &str, script: &str) -> Self {
        let hash = |text: &str| STANDARD.encode(sha256(text));
        let mut policy = String::from("default-src 'none'; style-src 'sha256-");
        policy.extend([&hash(style), "'; script-src 'sha256-", &hash(script)]);
        policy.push_str(
            "'; require-trusted-types-for 'script'; trusted-types 'none'; base-uri 'none'; form-action 'none'",
        );
        Self(policy)
    }

    /// Adds a directive. `sources` must be visible ASCII; one with a character that would end the directive is left out:
    /// it is no origin, and comes from an error in the settings.
    pub(super) fn and(mut self, directive: &str, sources: &[&str]) -> Self {
        let mut separator = ["; ", directive, " "];
        for source in sources.iter().filter(|source| !source.is_empty() && !source.contains([';', ','])) {
            self.0.extend(separator);
            self.0.push_str(source);
            separator = [" ", "", ""];
        }
        self
    }

    /// Returns the value of the header.
    pub(super) fn into_string(self) -> String {
        self.0 + END
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directive_has_only_sources_that_cannot_end_it() {
        let with = |sources: &[&str]| Policy::new("", "").and("connect-src", sources).into_string();
        let without = Policy::new("", "").into_string();
        let start = without.strip_suffix(END).unwrap();
        assert_eq!(with(&["'self'", "https://a.b"]), format!("{start}; connect-src 'self' https://a.b{END}"));
        assert_eq!(with(&["https://a.b; script-src *", "data:"]), format!("{start}; connect-src data:{END}"));
        assert_eq!(with(&["https://a,b"]), without);
    }
}
