//! Links whose users have cancelled what they led to, at the service or at the confirmation.

use mcp_edge_sign_in::session::Session;

use crate::{
    connected::message::Request,
    platform::Platform,
    visit::{Visit, owner_of},
};

/// Remembers that the user has cancelled what a link led to, for when they open it again. If that cannot be remembered, the page
/// says that the link was used, which is true as well.
pub async fn cancelled<P: Platform>(visit: &Visit<'_, P>, session: &Session, id: &str) {
    let _ = visit.deployment.accounts(&owner_of(session), Request::CancelLink { id: id.to_owned() }).await;
}
