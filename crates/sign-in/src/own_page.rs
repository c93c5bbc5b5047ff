//! Whether a form comes from one of our own pages.

use mcp_edge_runtime::http::RequestHead;

/// Whether a request is not known to come from elsewhere than `origin`. A browser says where it comes from (`Origin`,
/// `Sec-Fetch-Site`); what says nothing of the kind is no browser. To be used together with the token of a session.
#[must_use]
pub fn is_from_own_page(head: &RequestHead<'_>, origin: &str) -> bool {
    let (of_request, site) = (head.header("origin"), head.header("sec-fetch-site"));
    of_request.is_none_or(|of_request| of_request == origin)
        && site.is_none_or(|site| site == "same-origin" || site == "none")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_sends_from_elsewhere_is_recognized() {
        const HERE: &str = "https://mcp.example.com";
        let is_own = |headers: &[(&'static str, &'static str)]| {
            let head =
                headers.iter().fold(RequestHead::new("POST", "/"), |head, (name, value)| head.with_header(name, value));
            is_from_own_page(&head, HERE)
        };
        assert!(is_own(&[]));
        assert!(is_own(&[("origin", HERE)]) && is_own(&[("origin", HERE), ("sec-fetch-site", "same-origin")]));
        assert!(is_own(&[("sec-fetch-site", "none")]));
        for origin in [
            "null",
            "",
            "https://evil.example",
            "http://mcp.example.com",
            "https://mcp.example.com/",
            "https://mcp.example.com:443",
        ] {
            assert!(!is_own(&[("origin", origin)]), "{origin}");
        }
        for site in ["cross-site", "same-site", "", "Same-Origin"] {
            assert!(!is_own(&[("origin", HERE), ("sec-fetch-site", site)]), "{site}");
        }
    }
}
