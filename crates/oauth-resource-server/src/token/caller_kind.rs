//! Whether a token stands for a person or for a machine.

use mcp_edge_identity::Kind;

use super::{claims::Claims, profile::TokenProfile, signs::Facts};

/// Where claims come from, which decides what they prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A JWT.
    Jwt,
    /// An answer to an introspection request.
    Introspection,
    /// An answer to a userinfo request.
    Userinfo,
}

/// Whether a person stands behind the token. There is no standard claim for it, so the provider's profile has the signs:
/// those of a machine come first, then those of a user; without either, the kind is unknown.
///
/// The scope `openid` is granted where a user is authenticated (OpenID Connect Core §3.1.2.1), which is proof enough in an
/// answer to introspection: many providers give no other. Userinfo describes users alone.
#[must_use]
pub fn kind_of(claims: &Claims, profile: &TokenProfile, source: Source) -> Kind {
    let facts = Facts::of(claims);
    if facts.any(profile.provider.machine_signs) {
        return Kind::Machine;
    }
    let is_other_subject = || claims.client_id.as_ref().is_some_and(|client| *client != claims.subject);
    let is_user = match source {
        Source::Jwt => profile.user_by_subject && is_other_subject(),
        Source::Introspection => claims.scopes.contains("openid") || (profile.user_by_subject && is_other_subject()),
        Source::Userinfo => true,
    };
    if is_user || facts.any(profile.provider.user_signs) { Kind::User } else { Kind::Unknown }
}
