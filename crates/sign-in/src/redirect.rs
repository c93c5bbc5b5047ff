//! Redirects, and URLs with parameters.

use mcp_edge_oauth::client_authentication::form_encode;
use mcp_edge_runtime::http::Response;

/// A redirect after which the browser goes on with a GET, so that a reload sends no form again. No cache keeps it.
#[must_use]
pub fn redirect(location: &str) -> Response {
    Response::empty(303).with_header("location", location.to_owned()).with_header("cache-control", "no-store")
}

/// An endpoint of the provider with parameters in addition to its own (RFC 6749 §3.1).
#[must_use]
pub fn with_query(endpoint: &str, parameters: &[(&str, &str)]) -> String {
    let mut url = endpoint.to_owned();
    let mut separator = if endpoint.contains('?') { '&' } else { '?' };
    for (name, value) in parameters {
        url.push(separator);
        url.push_str(name);
        url.push('=');
        url.push_str(&form_encode(value));
        separator = '&';
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_added_to_those_of_the_endpoint() {
        let parameters = [("a", "b c&d=e"), ("f", "ä")];
        assert_eq!(
            with_query("https://i.example/auth", &parameters),
            "https://i.example/auth?a=b%20c%26d%3De&f=%C3%A4"
        );
        assert_eq!(with_query("https://i.example/auth?t=1", &[("a", "b")]), "https://i.example/auth?t=1&a=b");
        assert_eq!(with_query("https://i.example/auth", &[]), "https://i.example/auth");
    }

    #[test]
    fn a_form_is_not_sent_again_and_nothing_is_kept() {
        let response = redirect("/next");
        assert_eq!((response.status, response.header("location")), (303, Some("/next")));
        assert_eq!(response.header("cache-control"), Some("no-store"));
    }
}
