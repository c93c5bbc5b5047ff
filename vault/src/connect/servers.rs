//! [`AuthorizationServers`] behind a pointer, so that the pages are not compiled for each implementation.

use futures_util::future::{FutureExt, LocalBoxFuture};
use mcp_edge_runtime::secret::Secret;

use crate::service::{
    AuthorizationServers, Begun, Issued, Redemption, ServiceError, ServiceTokens, account::ServiceAccount,
};

/// What the pages ask of [`AuthorizationServers`].
pub trait Servers {
    /// [`AuthorizationServers::begin`], or [`AuthorizationServers::begin_for_another_account`].
    fn begin<'a>(
        &'a self,
        connection: &'a str,
        scopes: &'a [String],
        of_another_account: bool,
        now: u64,
    ) -> LocalBoxFuture<'a, Result<Begun, ServiceError>>;

    /// [`AuthorizationServers::redeem`].
    fn redeem<'a>(
        &'a self,
        redemption: Redemption<'a>,
        now: u64,
    ) -> LocalBoxFuture<'a, Result<ServiceTokens, ServiceError>>;

    /// [`AuthorizationServers::account`].
    fn account<'a>(
        &'a self,
        connection: &'a str,
        tokens: &'a ServiceTokens,
        now: u64,
    ) -> LocalBoxFuture<'a, Result<ServiceAccount, ServiceError>>;

    /// [`AuthorizationServers::revoke`].
    fn revoke<'a>(
        &'a self,
        issued: Issued<'a>,
        token: &'a Secret,
        now: u64,
    ) -> LocalBoxFuture<'a, Result<bool, ServiceError>>;
}

impl<S: AuthorizationServers> Servers for S {
    fn begin<'a>(
        &'a self,
        connection: &'a str,
        scopes: &'a [String],
        of_another_account: bool,
        now: u64,
    ) -> LocalBoxFuture<'a, Result<Begun, ServiceError>> {
        async move {
            if of_another_account {
                self.begin_for_another_account(connection, scopes, now).await
            } else {
                AuthorizationServers::begin(self, connection, scopes, now).await
            }
        }
        .boxed_local()
    }

    fn redeem<'a>(
        &'a self,
        redemption: Redemption<'a>,
        now: u64,
    ) -> LocalBoxFuture<'a, Result<ServiceTokens, ServiceError>> {
        AuthorizationServers::redeem(self, redemption, now).boxed_local()
    }

    fn account<'a>(
        &'a self,
        connection: &'a str,
        tokens: &'a ServiceTokens,
        now: u64,
    ) -> LocalBoxFuture<'a, Result<ServiceAccount, ServiceError>> {
        AuthorizationServers::account(self, connection, tokens, now).boxed_local()
    }

    fn revoke<'a>(
        &'a self,
        issued: Issued<'a>,
        token: &'a Secret,
        now: u64,
    ) -> LocalBoxFuture<'a, Result<bool, ServiceError>> {
        AuthorizationServers::revoke(self, issued, token, now).boxed_local()
    }
}
