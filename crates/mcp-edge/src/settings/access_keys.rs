//! `KEY_PREFIX`, `PAT_*` and the bindings of the vault: credentials other than access tokens.

use std::rc::Rc;

use mcp_edge_oauth::{
    exchange::VAULT_BINDING,
    resource_server::TrustPolicy,
    settings::{CredentialSettings, Resource},
};
use mcp_edge_runtime::settings::Reader;

/// The binding of the vault's pages, which are passed on.
pub const PAGES_BINDING: &str = "VAULT";

/// Which credentials are accepted beside access tokens, and where the vault is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessKeySettings {
    /// Their prefixes, and how they are exchanged.
    pub credentials: Rc<CredentialSettings>,
    /// Whether the pages of the vault are bound: users make keys at `/account/keys`.
    pub has_pages: bool,
    /// Whether the vault can be called: it exchanges keys and personal access tokens.
    pub has_vault: bool,
}

impl AccessKeySettings {
    /// Whether any credential but access tokens is accepted.
    #[must_use]
    pub fn are_enabled(&self) -> bool {
        self.has_vault || self.credentials.personal_tokens.is_some()
    }
}

/// Reads these settings. Without the feature `access-keys` there can be none: an operator who sets them expects keys to be
/// accepted, and secrets in a Worker that has no use for them are only a risk.
pub(super) fn read(
    reader: &mut Reader<'_>,
    resource: &Resource,
    trust: &TrustPolicy,
    is_bound: impl Fn(&str) -> bool,
) -> AccessKeySettings {
    let (has_pages, has_vault) = (is_bound(PAGES_BINDING), is_bound(VAULT_BINDING));
    if !cfg!(feature = "access-keys") {
        if has_pages || has_vault || reader.text("PAT_PREFIX").is_some() {
            reader.error(
                "VAULT, VAULT_CALLS and PAT_PREFIX need a Worker that is built with the feature `access-keys` of mcp-edge",
            );
        }
        return AccessKeySettings::default();
    }
    if has_pages && !has_vault {
        reader.error(
            "VAULT needs VAULT_CALLS, with entrypoint = \"Internal\" and props as in wrangler.toml: without it users make \
             keys that this server does not accept",
        );
    }
    let credentials = CredentialSettings::read(reader, resource, trust, has_vault).into();
    AccessKeySettings { credentials, has_pages, has_vault }
}
