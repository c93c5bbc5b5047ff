//! The addresses of pages and pictures that a client names (`client_uri`, `logo_uri`, `tos_uri`, `policy_uri`).
//!
//! The consent page shows them to users, so they are a means to pass for somebody else. They are never fetched from
//! here: a registration must not make this server call addresses of a stranger's choice.

use super::redirect_uri::{self, Problem};

/// Checks an address: https, at a public host name.
///
/// # Errors
/// The first [`Problem`] that is found.
pub fn check(uri: &str) -> Result<(), Problem> {
    match uri {
        _ if uri.len() > redirect_uri::MAX_BYTES => return Err(Problem::TooLong),
        _ if !uri.bytes().all(redirect_uri::is_uri_character) => return Err(Problem::Characters),
        _ => {}
    }
    let (scheme, rest) = redirect_uri::split_scheme(uri).ok_or(Problem::Relative)?;
    if !scheme.eq_ignore_ascii_case("https") {
        return Err(Problem::NotHttps);
    }
    let rest = rest.split('#').next().unwrap_or_default();
    let (host, path) = redirect_uri::authority(rest)?;
    redirect_uri::check_public_host(host)?;
    redirect_uri::check_path(path)
}

/// Whether an address is `https` or `http`.
#[must_use]
pub fn is_of_the_web(uri: &str) -> bool {
    redirect_uri::split_scheme(uri)
        .is_some_and(|(scheme, _)| ["https", "http"].iter().any(|web| scheme.eq_ignore_ascii_case(web)))
}

/// Whether an address that [`check`] refuses is left out rather than an error: one of the web, one without a scheme, and a
/// picture in a `data:` URI. Schemes that run something (`javascript:`) or lead into a machine (`file:`) show an intent.
#[must_use]
pub fn may_be_left_out(uri: &str) -> bool {
    is_of_the_web(uri) || redirect_uri::split_scheme(uri).is_none_or(|(scheme, _)| scheme.eq_ignore_ascii_case("data"))
}

/// The host of an `https` or `http` address that was checked, in lower case. With other schemes it is their application
/// that decides what follows, and `com.example.agent://bank.example` has nothing to do with a bank.
#[must_use]
pub fn host_of(uri: &str) -> Option<String> {
    let (_, rest) = redirect_uri::split_scheme(uri).filter(|_| is_of_the_web(uri))?;
    let (host, _) = redirect_uri::authority(rest).ok()?;
    Some(host.to_ascii_lowercase())
}

/// Whether a host is `upper` or lies below it. The owner of `agent.example.com` decides what `cdn.agent.example.com` is, but
/// not what `example.com` is: it may be a place that gives names to anybody, as `github.io` does.
#[must_use]
pub fn is_at_or_below(host: &str, upper: &str) -> bool {
    host.strip_suffix(upper).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_https_at_public_hosts() {
        for good in ["https://agent.example.com", "https://agent.example.com/a?b#c"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "http://agent.example.com/",
            "javascript:alert(1)",
            "data:image/svg+xml,<svg/>",
            "https://169.254.169.254/latest/meta-data",
            "https://localhost/",
            "https://user@agent.example.com/",
            "https://agent.example.com/\"onerror=",
            "//agent.example.com/",
            "https:agent.example.com",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_addresses_of_the_web_have_hosts() {
        assert_eq!(host_of("https://Agent.example.com:8443/cb").as_deref(), Some("agent.example.com"));
        assert_eq!(host_of("http://127.0.0.1/cb").as_deref(), Some("127.0.0.1"));
        assert_eq!(host_of("com.evil.agent://bank.example/cb"), None);
    }

    #[test]
    fn a_host_belongs_to_itself_and_to_those_above() {
        assert!(is_at_or_below("example.com", "example.com") && is_at_or_below("www.example.com", "example.com"));
        assert!(!is_at_or_below("example.com", "www.example.com"));
        assert!(!is_at_or_below("evilexample.com", "example.com") && !is_at_or_below("a.example.com", "b.example.com"));
    }
}
