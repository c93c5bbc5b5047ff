//! A token of a service, and where it may be sent.

use mcp_edge_runtime::{
    secret::Secret,
    uri::{is_https_or_loopback, origin},
};

/// Access to a service for one caller. `Debug` does not show the token, and there is neither `Serialize` nor `Display`: the
/// token gets into no result and no log by accident.
///
/// ```compile_fail,E0277
/// fn result(access: mcp_edge_connections::access::ServiceAccess) -> String {
///     format!("{access}")
/// }
/// ```
///
/// ```compile_fail,E0277
/// fn result(access: &mcp_edge_connections::access::ServiceAccess) -> serde_json::Result<String> {
///     serde_json::to_string(access)
/// }
/// ```
///
/// ```compile_fail,E0277
/// fn result(access: &mcp_edge_connections::access::ServiceAccess) -> serde_json::Result<String> {
///     serde_json::to_string(&access.token)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAccess {
    /// The name of the connection.
    pub connection: String,
    /// A Bearer token of the service (RFC 6750).
    pub token: Secret,
    /// What it may do, separated by spaces, as the service calls it.
    pub scopes: String,
    /// The base URL of the service: the token is for this origin.
    pub url: String,
}

/// A URL is not one of the service that a token is for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{connection}: a token for {url} is not sent to another origin")]
pub struct ForeignUrl {
    /// The name of the connection.
    pub connection: String,
    /// The base URL of the service.
    pub url: String,
}

impl ServiceAccess {
    /// The value of `Authorization` in a request to `url`.
    ///
    /// # Errors
    /// [`ForeignUrl`] unless `url` begins with scheme, host and port of the service as its base URL has them, letter by
    /// letter, has no user information, and is https or on this very machine (development).
    pub fn authorization_for(&self, url: &str) -> Result<Secret, ForeignUrl> {
        let has_origin = origin(url).is_some_and(|of_url| Some(of_url) == origin(&self.url));
        if has_origin && is_https_or_loopback(url) {
            Ok(Secret::new(["Bearer ", self.token.expose()].concat()))
        } else {
            Err(ForeignUrl { connection: self.connection.clone(), url: self.url.clone() })
        }
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn access(url: &str) -> ServiceAccess {
        ServiceAccess {
            connection: "github".to_owned(),
            token: Secret::new("gho_secret"),
            scopes: "repo:read".to_owned(),
            url: url.to_owned(),
        }
    }

    #[test]
    fn a_token_goes_to_its_service() {
        for (service, url) in [
            ("https://api.example.com", "https://api.example.com"),
            ("https://api.example.com", "https://api.example.com/user?page=2#top"),
            ("https://api.example.com/v1/", "https://api.example.com/v2"),
            ("https://api.example.com:8443", "https://api.example.com:8443/user"),
            ("http://localhost:4000", "http://localhost:4000/user"),
            ("http://[::1]:4000", "http://[::1]:4000/user"),
        ] {
            let authorization = access(service).authorization_for(url);
            assert_eq!(authorization, Ok(Secret::new("Bearer gho_secret")), "{service} {url}");
        }
    }

    #[test]
    fn a_token_goes_nowhere_else() {
        for url in [
            "",
            "/user",
            "//api.example.com/user",
            "api.example.com/user",
            "http://api.example.com/user",
            "HTTPS://api.example.com/user",
            "https://API.example.com/user",
            "https://api.example.com:443/user",
            "https://api.example.com:8443/user",
            "https://api.example.com./user",
            "https://api.example.com.evil.example/user",
            "https://evil.example/https://api.example.com/user",
            "https://evil.example?https://api.example.com/user",
            "https://api.example.com@evil.example/user",
            "https://api.example.com:x@evil.example/user",
            "https://evil.example@api.example.com/user",
            "https://api.example.com%2eevil.example/user",
            "https://api.example.com%40evil.example/user",
            "https://api.example.com\t.evil.example/user",
            "https://api.example.com\n/user",
            " https://api.example.com/user",
            "https:/\\evil.example/://api.example.com",
            "https:\\\\api.example.com/user",
            "https:api.example.com/user",
            "wss://api.example.com/user",
            "https://api-example.com/user",
            "https://xn--api-example-com.example/user",
        ] {
            let refused = access("https://api.example.com").authorization_for(url);
            let error = ForeignUrl { connection: "github".to_owned(), url: "https://api.example.com".to_owned() };
            assert_eq!(refused, Err(error), "{url:?}");
        }
    }

    /// A vault that names such a base URL is not to be believed.
    #[test]
    fn a_token_is_not_sent_in_the_clear_nor_to_a_base_url_that_is_none() {
        for url in [
            "http://api.example.com",
            "http://10.0.0.1",
            "ftp://api.example.com",
            "",
            "api.example.com",
            "https://a@b",
            "https://",
        ] {
            assert!(access(url).authorization_for(url).is_err(), "{url}");
        }
    }

    #[test]
    fn nothing_shows_the_token() {
        let access = access("https://api.example.com");
        let error = access.authorization_for("https://evil.example").unwrap_err();
        let authorization = access.authorization_for("https://api.example.com");
        let shown = format!("{access:?} {access:#?} {authorization:?} {error} {error:?}");
        assert!(!shown.contains("gho_secret"), "{shown}");
        assert!(shown.contains("github") && error.to_string().contains("https://api.example.com"), "{shown}");
    }

    proptest! {
        #[test]
        fn what_follows_the_origin_must_end_it(rest in "[@:.a-z/?#\\\\%\t ]{0,12}") {
            let url = ["https://api.example.com", &rest].concat();
            let is_ours = rest.is_empty() || rest.starts_with(['/', '?', '#', '\\']);
            prop_assert_eq!(access("https://api.example.com").authorization_for(&url).is_ok(), is_ours);
        }
    }
}
