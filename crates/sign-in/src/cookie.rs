//! Cookies (RFC 6265).

use mcp_edge_runtime::http::RequestHead;

/// The value of a cookie. A name that comes twice counts as absent: one of the two is not ours.
#[must_use]
pub fn cookie<'a>(head: &RequestHead<'a>, name: &str) -> Option<&'a str> {
    let pairs = head.header("cookie")?.split(';').filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(known, _)| *known == name).map(|(_, value)| value);
    let value = values.next();
    if values.next().is_some() { None } else { value }
}

/// `Set-Cookie` with everything that the prefix `__Host-`, which `name` should have, asks for: no other host and no
/// plain-http page can set such a cookie. `SameSite=Lax`: a link from elsewhere brings it, a form from elsewhere does not.
/// With 0 `seconds` the cookie ends.
#[must_use]
pub fn set_cookie(name: &str, value: &str, seconds: u64) -> String {
    format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={seconds}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_that_comes_twice_is_absent() {
        let read =
            |cookies: &'static str| cookie(&RequestHead::new("GET", "/").with_header("cookie", cookies), "__Host-a");
        assert_eq!(read("b=c; __Host-a=x=y;d=e"), Some("x=y"));
        assert_eq!(read("__Host-a="), Some(""));
        for absent in ["", "a=x", "__host-a=x", "__Host-a", "__Host-a=x; __Host-a=x", "__Host-a=x; __Host-a="] {
            assert_eq!(read(absent), None, "{absent}");
        }
        assert_eq!(cookie(&RequestHead::new("GET", "/"), "__Host-a"), None);
    }

    #[test]
    fn a_cookie_has_what_its_prefix_asks_for() {
        assert_eq!(set_cookie("__Host-a", "b", 60), "__Host-a=b; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=60");
    }
}
