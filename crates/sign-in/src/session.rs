//! Sessions in a sealed cookie, and tokens by which forms are known to be sent by our own pages.
//!
//! The cookie has the prefix `__Host-`, so that no other host and no plain-http page can set it, and `SameSite=Lax`:
//! a link from elsewhere finds its reader signed in, a form from elsewhere does not. Forms carry a token of the session
//! besides, and their origin is looked at (see [`own_page`](crate::own_page)); any one of the three would do.

use mcp_edge_runtime::{http::RequestHead, ports::Runtime};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::{
    cookie::{cookie, set_cookie},
    random_text::random_text,
    sealed::Sealer,
};

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
}

/// What the sessions of a Worker are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionKind {
    /// The name of the cookie, which begins with `__Host-`.
    pub cookie: &'static str,
    /// The purpose that the cookie is sealed for.
    pub purpose: &'static str,
    /// How long a session lasts, in seconds.
    pub seconds: u64,
}

/// Writes and reads sessions.
#[derive(Debug, Clone)]
pub struct Sessions {
    key: Sealer,
    kind: SessionKind,
}

impl Sessions {
    /// Creates sessions of this kind that are sealed with this key.
    #[must_use]
    pub const fn new(key: Sealer, kind: SessionKind) -> Self {
        Self { key, kind }
    }

    /// The session that a request belongs to.
    #[must_use]
    pub fn read(&self, head: &RequestHead<'_>, now: u64) -> Option<Session> {
        self.key.open(self.kind.purpose, cookie(head, self.kind.cookie)?, now)
    }

    /// The value of `Set-Cookie` for a session that begins.
    pub fn begun(&self, session: &Session, now: u64, runtime: &impl Runtime) -> String {
        let sealed = self.key.seal(self.kind.purpose, session, now + self.kind.seconds, runtime);
        set_cookie(self.kind.cookie, &sealed, self.kind.seconds)
    }

    /// The value of `Set-Cookie` for a session that ends.
    #[must_use]
    pub fn cleared(&self) -> String {
        set_cookie(self.kind.cookie, "", 0)
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use mcp_edge_runtime::secret::Secret;

    use super::*;
    use crate::testing::Counter;

    const KIND: SessionKind = SessionKind { cookie: "__Host-session", purpose: "session", seconds: 3_600 };

    #[test]
    fn a_session_is_read_from_its_cookie_until_it_ends() {
        let runtime = Counter::default();
        let secret = Secret::new("0123456789abcdef0123456789abcdef");
        let key = Sealer::new("mcp-edge test cookie v1 ", &secret, "https://apps.example.com/register");
        let sessions = Sessions::new(key.clone(), KIND);
        let session = Session::new("https://i.example".into(), "alice".into(), "Alice".into(), &runtime);
        let header = sessions.begun(&session, 1_000, &runtime);
        assert!(header.starts_with("__Host-session=") && header.contains("; Path=/; Secure; HttpOnly; SameSite=Lax;"));
        assert!(!header.contains("alice"));
        let pair = header.split(';').next().unwrap_or_default();
        let read =
            |cookies: &str, now| sessions.read(&RequestHead::new("GET", "/").with_header("cookie", cookies), now);
        assert_eq!(read(&format!("a=b; {pair}"), 4_599), Some(session.clone()));
        assert_eq!(read(pair, 4_600), None);
        assert_eq!(read(&format!("{pair}; {pair}x"), 1_000), None, "two of them");
        assert_eq!(read("__Host-session=", 1_000), None);
        let others = Sessions::new(key, SessionKind { purpose: "account", ..KIND });
        assert_eq!(others.read(&RequestHead::new("GET", "/").with_header("cookie", pair), 1_000), None);
        assert!(session.is_token(session.csrf()) && !session.is_token("") && !session.is_token(&session.csrf()[1..]));
        assert!(sessions.cleared().starts_with("__Host-session=;") && sessions.cleared().ends_with("Max-Age=0"));
    }
}
