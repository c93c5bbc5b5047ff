//! Sessions in a sealed cookie, and tokens by which forms are known to be sent by our own pages.
//!
//! The cookie has the prefix `__Host-`, so that no other host and no plain-http page can set it, and `SameSite=Lax`:
//! a link from elsewhere finds its reader signed in, a form from elsewhere does not. Forms carry a token of the session
//! besides, and their origin is looked at; any one of the three would do.

use mcp_edge_runtime::{http::RequestHead, ports::Runtime};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::{random_text::random_text, sealed::Sealer};

/// The session's cookie.
const COOKIE: &str = "__Host-session";

/// The purpose of the sealed value.
const PURPOSE: &str = "session";

/// A session ends after so many seconds, as the access token did that began it: a developer who loses the permission loses
/// the portal within this time. Signing in again takes no password as long as the provider remembers its user.
pub const SESSION_SECONDS: u64 = 3_600;

/// A session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// `iss`
    pub issuer: String,
    /// `sub`
    pub subject: String,
    /// The name for display.
    pub name: String,
    /// The token of this session's forms.
    csrf: String,
}

impl Session {
    /// Creates a session with a token of its own.
    pub fn new(issuer: String, subject: String, name: String, runtime: &impl Runtime) -> Self {
        Self { issuer, subject, name, csrf: random_text(runtime) }
    }

    /// For the hidden field of forms.
    #[must_use]
    pub fn csrf(&self) -> &str {
        &self.csrf
    }

    /// Whether a form is of this session. Compares in constant time.
    #[must_use]
    pub fn is_token(&self, token: &str) -> bool {
        self.csrf.as_bytes().ct_eq(token.as_bytes()).into()
    }

    /// For the audit log.
    #[must_use]
    pub fn label(&self) -> String {
        format!("developer:{}", self.subject)
    }
}

/// Writes and reads sessions.
pub struct Sessions {
    key: Sealer,
}

impl Sessions {
    /// Creates sessions that are sealed with this key.
    #[must_use]
    pub fn new(key: Sealer) -> Self {
        Self { key }
    }

    /// The session that a request belongs to.
    #[must_use]
    pub fn read(&self, head: &RequestHead<'_>, now: u64) -> Option<Session> {
        self.key.open(PURPOSE, cookie(head, COOKIE)?, now)
    }

    /// The value of `Set-Cookie` for a session that begins.
    pub fn begun(&self, session: &Session, now: u64, runtime: &impl Runtime) -> String {
        let sealed = self.key.seal(PURPOSE, session, now + SESSION_SECONDS, runtime);
        set_cookie(COOKIE, &sealed, SESSION_SECONDS)
    }

    /// The value of `Set-Cookie` for a session that ends.
    #[must_use]
    pub fn cleared() -> String {
        set_cookie(COOKIE, "", 0)
    }
}

/// The value of a cookie. A name that comes twice counts as absent: one of the two is not ours.
#[must_use]
pub fn cookie<'a>(head: &RequestHead<'a>, name: &str) -> Option<&'a str> {
    let pairs = head.header("cookie")?.split(';').filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(known, _)| *known == name).map(|(_, value)| value);
    let value = values.next();
    if values.next().is_some() { None } else { value }
}

/// `Set-Cookie` with everything that the prefix `__Host-` asks for.
#[must_use]
pub fn set_cookie(name: &str, value: &str, seconds: u64) -> String {
    format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={seconds}")
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{policy::Mode, secret::Secret, testing::World};

    #[test]
    fn a_session_is_read_from_its_cookie_until_it_ends() {
        let world = World::new(Mode::Developers);
        let secret = Secret::new("0123456789abcdef0123456789abcdef");
        let sessions = Sessions::new(Sealer::new(&secret, "https://apps.example.com/register"));
        let session = Session::new("https://i.example".into(), "alice".into(), "Alice".into(), &world);
        let header = sessions.begun(&session, 1_000, &world);
        assert!(header.starts_with("__Host-session=") && header.contains("; Path=/; Secure; HttpOnly; SameSite=Lax;"));
        assert!(!header.contains("alice"));
        let pair = header.split(';').next().unwrap_or_default();
        let read =
            |cookies: &str, now| sessions.read(&RequestHead::new("GET", "/").with_header("cookie", cookies), now);
        assert_eq!(read(&format!("a=b; {pair}"), 4_599), Some(session.clone()));
        assert_eq!(read(pair, 4_600), None);
        assert_eq!(read(&format!("{pair}; {pair}x"), 1_000), None, "two of them");
        assert_eq!(read("__Host-session=", 1_000), None);
        assert!(session.is_token(session.csrf()) && !session.is_token("") && !session.is_token(&session.csrf()[1..]));
    }
}
