//! Consent scopes of an application, and the ids of the MCP server's permissions.

use mcp_edge_oauth::{Scopes, client_authentication::form_encode};
use mcp_edge_runtime::ports::{Fetch, Method, Runtime};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    super::ProviderError,
    api::{MAX_PAGES, PAGE_SIZE, Repeat},
    stored::path_of,
    tenant::{LogtoApplications, ScopeIds},
};
use crate::application::needing_consent;

/// User data that Logto can disclose, by the names of its scopes. Every other scope is a permission of the MCP
/// server's API resource.
const USER_SCOPES: [&str; 11] = [
    "profile",
    "email",
    "phone",
    "address",
    "custom_data",
    "identities",
    "roles",
    "urn:logto:scope:organizations",
    "urn:logto:scope:organization_roles",
    "urn:logto:scope:sessions",
    "urn:logto:scope:trusted_devices",
];

/// Ids of permissions are kept for so long; they change when somebody edits the API resource.
const SCOPE_IDS_SECONDS: u64 = 10 * 60;

/// A ceiling in the form that Logto takes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Consent {
    user: Vec<String>,
    resource: Vec<String>,
}

impl Consent {
    /// Reads Logto's answer. Of all that is granted: what were left out here would never be taken away.
    pub(super) fn read(answer: &Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let user = answer["userScopes"].as_array()?.iter().map(text).collect::<Option<_>>()?;
        let mut resource = Vec::new();
        for of_resource in answer["resourceScopes"].as_array()? {
            for scope in of_resource["scopes"].as_array()? {
                resource.push(text(&scope["id"])?);
            }
        }
        Some(Self { user, resource })
    }

    /// The scopes in `self` that are not in `other`.
    pub(super) fn without(&self, other: &Self) -> Self {
        let rest =
            |these: &[String], those: &[String]| these.iter().filter(|it| !those.contains(it)).cloned().collect();
        Self { user: rest(&self.user, &other.user), resource: rest(&self.resource, &other.resource) }
    }
}

/// A ceiling in Logto's form: user scopes by name, permissions by id.
pub(super) async fn of_ceiling<P: Fetch + Runtime>(
    api: &LogtoApplications<'_, P>,
    ceiling: &Scopes,
) -> Result<Consent, ProviderError> {
    let mut consent = Consent::default();
    for name in needing_consent(ceiling) {
        if USER_SCOPES.contains(&name) {
            consent.user.push(name.to_owned());
        } else {
            consent.resource.push(scope_id(api, name).await?);
        }
    }
    Ok(consent)
}

pub(super) async fn add<P: Fetch + Runtime>(
    api: &LogtoApplications<'_, P>,
    client_id: &str,
    consent: &Consent,
) -> Result<(), ProviderError> {
    if *consent == Consent::default() {
        return Ok(());
    }
    let path = format!("{}/user-consent-scopes", path_of(client_id));
    let body = json!({ "userScopes": consent.user, "resourceScopes": consent.resource });
    let added = api.call(Method::POST, &path, Some(&body), Repeat::Always).await;
    if matches!(&added, Err(ProviderError::Refused(_))) {
        // A permission was removed or made anew since its id was looked up.
        *api.logto.scope_ids.borrow_mut() = None;
    }
    added.map(|_| ())
}

pub(super) async fn remove<P: Fetch + Runtime>(
    api: &LogtoApplications<'_, P>,
    client_id: &str,
    consent: &Consent,
) -> Result<(), ProviderError> {
    let path = format!("{}/user-consent-scopes", path_of(client_id));
    let users = consent.user.iter().map(|name| ("user-scopes", name));
    let resources = consent.resource.iter().map(|id| ("resource-scopes", id));
    for (kind, name) in users.chain(resources) {
        let path = format!("{path}/{kind}/{}", form_encode(name));
        match api.call(Method::DELETE, &path, None, Repeat::Always).await {
            Ok(_) | Err(ProviderError::Gone) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn scope_id<P: Fetch + Runtime>(api: &LogtoApplications<'_, P>, name: &str) -> Result<String, ProviderError> {
    #[derive(Deserialize)]
    struct Resource {
        indicator: String,
        #[serde(default)]
        scopes: Vec<Scope>,
    }
    #[derive(Deserialize)]
    struct Scope {
        id: String,
        name: String,
    }

    let is_fresh = |ids: &&ScopeIds| api.now < ids.read_at + SCOPE_IDS_SECONDS;
    let known = api.logto.scope_ids.borrow().as_ref().filter(is_fresh).and_then(|ids| ids.ids.get(name).cloned());
    if let Some(id) = known {
        return Ok(id);
    }
    let indicator = &api.logto.tenant.mcp_resource;
    let missing = |what: &str| ProviderError::Misconfigured(format!("the provider has no {what}"));
    let mut page = 1;
    let resource = loop {
        let path = format!("/resources?includeScopes=true&page={page}&page_size={PAGE_SIZE}");
        let resources: Vec<Resource> = api.read(&path).await?;
        let is_last = resources.len() < PAGE_SIZE || page == MAX_PAGES;
        match resources.into_iter().find(|resource| resource.indicator == *indicator) {
            Some(resource) => break resource,
            None if is_last => return Err(missing(&format!("API resource {indicator:?} (MCP_RESOURCE)"))),
            None => page += 1,
        }
    };
    // `collect` would sort first, which is 4 KB of code; `extend` does not.
    let mut ids = std::collections::BTreeMap::new();
    ids.extend(resource.scopes.into_iter().map(|scope| (scope.name, scope.id)));
    let id = ids.get(name).cloned();
    *api.logto.scope_ids.borrow_mut() = Some(ScopeIds { ids, read_at: api.now });
    id.ok_or_else(|| missing(&format!("permission {name:?} at {indicator:?} (CLIENT_SCOPES)")))
}
