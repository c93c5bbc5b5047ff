//! A request in the portal.

use super::pages::Pages;
use crate::{client_request::ClientRequest, deployment::Deployment};

/// A request in the portal with everything around it.
pub(super) struct Visit<'a, P> {
    /// The request.
    pub request: &'a ClientRequest<'a>,
    /// What serves all requests.
    pub deployment: &'a Deployment<P>,
    /// The pages.
    pub pages: &'a Pages,
}
