//! The sessions of developers.

use mcp_edge_sign_in::{
    sealed::Sealer,
    session::{Session, SessionKind, Sessions},
};

use crate::secret::Secret;

/// Separates what is sealed here from what other Workers seal with the same secret, and from other versions of the format.
const LABEL: &str = "mcp-edge registrar cookie v2 ";

/// A session ends after so many seconds, as the access token did that began it: a developer who loses the permission loses
/// the portal within this time. Signing in again takes no password as long as the provider remembers its user.
const SESSION: SessionKind = SessionKind { cookie: "__Host-session", purpose: "session", seconds: 3_600 };

/// The sealer of the portal at a deployment, which is named by its registration endpoint.
#[must_use]
pub fn sealer(secret: &Secret, deployment: &str) -> Sealer {
    Sealer::new(LABEL, secret, deployment)
}

/// Creates sessions that are sealed with this key.
#[must_use]
pub const fn sessions(key: Sealer) -> Sessions {
    Sessions::new(key, SESSION)
}

/// The developer, for the audit log.
#[must_use]
pub fn label(session: &Session) -> String {
    format!("developer:{}", session.subject)
}
