//! Whether a token stands for a person or for a machine, by the signs of several providers.

use serde_json::Value;

use super::{
    claims::{Claims, scopes},
    numeric_date::numeric_date,
};
use mcp_edge_identity::Kind;

/// Where claims come from, which decides what they prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A JWT whose `typ` says that it follows RFC 9068.
    AccessTokenJwt,
    /// A JWT of a provider that does not say so.
    PlainJwt,
    /// An answer to an introspection request.
    Introspection,
    /// An answer to a userinfo request.
    Userinfo,
}

/// Whether a person stands behind the token. There is no standard claim for it. Known signs of a machine come first; then
/// what proves a user; without either, the kind is unknown.
///
/// RFC 9068 §2.2 has `sub` be the client's own id where no user is involved, so another `sub` beside `client_id` is
/// a user's. The scope `openid` is granted where a user is authenticated (OpenID Connect Core §3.1.2.1), which is
/// proof enough in an answer to introspection: Logto gives no other. Userinfo describes users alone. Elsewhere a
/// sign-in proves a user: when (`auth_time`), how well (`acr`) and by what (`amr`) they were authenticated (OpenID
/// Connect Core §2), or `idtyp` (Entra).
///
/// Signs of a machine are: `sub` is the client (RFC 9068 §2.2; Logto, Okta, Cognito) or `<client>@clients` (Auth0),
/// what `gty` (Auth0) and `idtyp` (Entra) say, the names that Keycloak and authentik give to service accounts and
/// the address that Keycloak notes for them, and a subject of Entra's that is the object of a client which proved
/// itself, without a scope that a user could have granted.
#[must_use]
pub fn kind_of(claims: &Claims, source: Source) -> Kind {
    let is_client = |said: &str| {
        said == claims.subject || (!said.is_empty() && claims.subject.strip_suffix("@clients") == Some(said))
    };
    let is_grant = |grant: &Value| matches!(grant.as_str(), Some("client-credentials" | "client_credentials"));
    let is_text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    let any = |list: &Value, is_one: &dyn Fn(&Value) -> bool| list.as_array().is_some_and(|all| all.iter().any(is_one));

    let (mut is_machine, mut is_user, mut names_client) = (false, false, false);
    let (mut proved_itself, mut is_object, mut has_scope) = (false, false, false);
    let (mut has_acr, mut has_session, mut is_keycloak) = (false, false, false);
    // One pass: most tokens have none of these claims, and looking each up takes longer.
    for (name, value) in claims.all.iter().filter(|(_, value)| !value.is_null()) {
        let text = value.as_str().unwrap_or_default();
        match name.as_str() {
            "client_id" => {
                names_client = !text.is_empty();
                is_machine |= is_client(text);
            }
            "azp" | "cid" | "appid" | "clientId" => is_machine |= is_client(text),
            "gty" => is_machine |= is_grant(value) || any(value, &is_grant),
            "idtyp" => {
                is_machine |= matches!(text, "app" | "device");
                is_user |= text == "user";
            }
            "preferred_username" | "username" => {
                is_machine |= text.starts_with("service-account-") || text.ends_with("-client_credentials");
            }
            "clientHost" | "clientAddress" => is_machine = true,
            "azpacr" | "appidacr" => {
                proved_itself |= matches!(text, "1" | "2") || matches!(value.as_u64(), Some(1 | 2));
            }
            "oid" => is_object = text == claims.subject,
            "scp" => has_scope = !scopes(value).is_empty(),
            "auth_time" => is_user |= numeric_date(value).is_some_and(|date| date > 0.0),
            "amr" => is_user |= any(value, &is_text),
            "acr" => has_acr = !text.is_empty(),
            "sid" | "session_state" => has_session |= !text.is_empty(),
            "typ" => is_keycloak = true,
            _ => {}
        }
    }
    if is_machine || (proved_itself && is_object && !has_scope) {
        return Kind::Machine;
    }
    // Keycloak writes `acr` for service accounts as well. These have no session.
    let is_user = is_user
        || (has_acr && (has_session || !is_keycloak))
        || match source {
            Source::AccessTokenJwt => names_client,
            Source::PlainJwt => false,
            Source::Introspection => claims.scopes.contains("openid"),
            Source::Userinfo => true,
        };
    if is_user { Kind::User } else { Kind::Unknown }
}
