//! The operations on applications, step by step, each with its way back.

use std::collections::BTreeMap;

use mcp_edge_oauth::Scopes;
use mcp_edge_oauth::client_authentication::form_encode;
use mcp_edge_runtime::ports::Fetch;
use mcp_edge_runtime::ports::Method;
use mcp_edge_runtime::ports::Runtime;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    super::{Applications, Created, LogReading, NotCreated, Period, ProviderError},
    LogtoNow,
    api::{self, Repeat},
};
use crate::{
    application::{Application, ApplicationType, needing_consent},
    secret::Secret,
};

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

/// Member of an application's custom data that is ours.
const MARK: &str = "registrar";

/// Value of [`MARK`] of an application that is complete.
const COMPLETE: &str = "complete";

/// How long an operation can last at most, and then some: an unfinished application that is older was abandoned.
const ABANDONED_AFTER_SECONDS: u64 = 15 * 60;

/// Ids of permissions are kept for so long; they change when somebody edits the API resource.
const SCOPE_IDS_SECONDS: u64 = 10 * 60;

/// The largest page that Logto gives.
const PAGE_SIZE: usize = 100;

/// Of applications and API resources. Applications come newest first, so an abandoned one is on the first of these unless
/// no run took place for very long.
const MAX_PAGES: usize = 5;

/// Keys of the audit log for a token that was issued to a client for a user.
const SIGN_IN_LOGS: [&str; 2] = ["ExchangeTokenBy.AuthorizationCode", "ExchangeTokenBy.RefreshToken"];

/// Pages of the log that are read of each kind of entry in one look. Anybody can add failures, so there is no number that
/// is enough; the rest is read in the next looks.
const MAX_LOG_PAGES: usize = 2;

/// A page that is too large is asked for again with so many entries: even with what a stranger can put into each, that is
/// an answer of half the size that is read, so every look gets further.
const SHORT_PAGE_SIZE: usize = 10;

/// Logto Cloud forgets its log after three days on its smallest plan. What was longer ago than this is not there for sure.
const LOG_KEPT_SECONDS: u64 = 2 * 24 * 3_600;

/// Names and ids of the MCP server's permissions.
#[derive(Debug, Clone)]
pub struct ScopeIds {
    ids: BTreeMap<String, String>,
    read_at: u64,
}

/// A ceiling in the form that Logto takes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Consent {
    user: Vec<String>,
    resource: Vec<String>,
}

impl Consent {
    /// Reads Logto's answer. Of all that is granted: what were left out here would never be taken away.
    fn read(answer: &Value) -> Option<Self> {
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

    /// What of this is not in the other.
    fn without(&self, other: &Self) -> Self {
        let rest =
            |these: &[String], those: &[String]| these.iter().filter(|it| !those.contains(it)).cloned().collect();
        Self { user: rest(&self.user, &other.user), resource: rest(&self.resource, &other.resource) }
    }
}

/// What we read of an application.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    id: String,
    #[serde(default)]
    custom_data: Map<String, Value>,
    /// Milliseconds since 1970.
    created_at: u64,
}

impl Stored {
    fn mark(&self) -> Option<&str> {
        self.custom_data.get(MARK).and_then(Value::as_str)
    }
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredSecret {
    name: String,
    value: String,
    /// Milliseconds since 1970.
    created_at: u64,
}

impl StoredSecret {
    /// Everybody agrees on which of two is the newer one: names are unique.
    fn age(&self) -> (u64, &str) {
        (self.created_at, &self.name)
    }
}

/// What we read of an entry of the audit log.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogEntry {
    payload: LogPayload,
    /// Milliseconds since 1970.
    created_at: u64,
}

#[derive(Deserialize)]
struct LogPayload {
    result: Option<String>,
}

fn pending(attempt: &str) -> String {
    format!("pending {attempt}")
}

impl<P: Fetch + Runtime> Applications for LogtoNow<'_, P> {
    /// (1) look permissions up, (2) create, (3) consent scopes, (4) branding, (5) read the secret. From (2) on every
    /// failure removes the application again.
    async fn create(&self, application: &Application, attempt: &str) -> Result<Created, NotCreated> {
        // (1) Before there is anything to take back.
        let consent = self.consent(&application.ceiling).await?;
        // (2) Logto wants both lists; without redirect URIs the application could never be used.
        let body = json!({
            "name": application.name,
            "description": application.description,
            "type": type_name(application.kind),
            "isThirdParty": true,
            "oidcClientMetadata": client_metadata(application),
            "customData": { MARK: pending(attempt) },
        });
        let created = match self.call(Method::Post, "/applications", Some(&body), Repeat::IfRefused).await {
            Ok(reply) => api::parse::<Stored>(&reply),
            Err(error) => Err(error),
        };
        let client_id = match created {
            Ok(Stored { id, .. }) => id,
            Err(error) => {
                // Without an answer it may be there, with an id that we were never told.
                if matches!(error, ProviderError::Unavailable(_)) {
                    self.remove_attempt(&application.name, attempt).await;
                }
                return Err(error.into());
            }
        };
        let secret = match self.complete(&client_id, application, &consent).await {
            Ok(secret) => secret,
            Err(error) => {
                // If this fails as well, the mark is still on it, and the next scheduled run removes it.
                let _ = self.remove(&client_id).await;
                return Err(NotCreated { begun: Some(client_id), error });
            }
        };
        Ok(Created { client_id, secret })
    }

    async fn confirm(&self, client_id: &str) -> Result<(), ProviderError> {
        let path = format!("{}/custom-data", path_of(client_id));
        self.call(Method::Patch, &path, Some(&json!({ MARK: COMPLETE })), Repeat::Always).await.map(|_| ())
    }

    async fn update(&self, client_id: &str, before: &Application, after: &Application) -> Result<(), ProviderError> {
        let (old, new) = (self.consent(&before.ceiling).await?, self.consent(&after.ceiling).await?);
        let outcome = self.change(client_id, after, &new).await;
        match outcome {
            Err(ProviderError::Gone) | Ok(()) => {}
            Err(_) => {
                // The way back is the same way. If it is closed as well, the next update opens it.
                let _ = self.change(client_id, before, &old).await;
            }
        }
        outcome
    }

    async fn remove(&self, client_id: &str) -> Result<(), ProviderError> {
        match self.call(Method::Delete, &path_of(client_id), None, Repeat::Always).await {
            Ok(_) | Err(ProviderError::Gone) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn secret(&self, client_id: &str) -> Result<Option<Secret>, ProviderError> {
        let secrets: Vec<StoredSecret> = self.read(&format!("{}/secrets", path_of(client_id))).await?;
        let newest = secrets.into_iter().max_by(|one, other| one.age().cmp(&other.age()));
        Ok(newest.map(|secret| Secret::new(secret.value)))
    }

    /// (1) make the new secret, (2) read them all, (3) remove those that are older than it. It is never removed here, nor
    /// is one that is newer: somebody else was shown that one at the same moment. So the newest of all stays, and it is
    /// the one that is given. After a failure of (2) or (3) more stay than one.
    async fn rotate_secret(&self, client_id: &str, name: &str) -> Result<Secret, ProviderError> {
        let path = format!("{}/secrets", path_of(client_id));
        // (1) The name is taken if an earlier try was carried out without being answered.
        let made = match self.call(Method::Post, &path, Some(&json!({ "name": name })), Repeat::Always).await {
            Ok(reply) => Some(api::parse::<StoredSecret>(&reply)?),
            Err(ProviderError::Refused(detail)) if detail.contains("secret_name_exists") => None,
            Err(error) => return Err(error),
        };
        // (2)
        let secrets: Vec<StoredSecret> = self.read(&path).await?;
        let missing = || ProviderError::Unavailable("the new secret is not there".to_owned());
        let new = secrets.iter().find(|secret| secret.name == name).cloned().or(made).ok_or_else(missing)?;
        // (3)
        for older in secrets.iter().filter(|secret| secret.age() < new.age()) {
            self.remove_secret(client_id, &older.name).await?;
        }
        let newer = secrets.into_iter().filter(|secret| secret.age() > new.age());
        let newest = newer.max_by(|one, other| one.age().cmp(&other.age())).unwrap_or(new);
        Ok(Secret::new(newest.value))
    }

    async fn usage(&self, client_id: &str, period: Period) -> Result<LogReading, ProviderError> {
        // The log knows applications that are gone as well.
        let _: Stored = self.read(&path_of(client_id)).await?;
        self.check_periods().await?;
        let (mut last_ms, mut unread_until_ms) = (None, None);
        for key in SIGN_IN_LOGS {
            let (success, unread) = self.read_log(client_id, key, period).await?;
            last_ms = last_ms.max(success);
            unread_until_ms = unread_until_ms.max(unread);
        }
        let mut reading = LogReading {
            last_success: last_ms.map(|ms| ms / 1000),
            // Whatever is older than the last success does not matter.
            unread_until_ms: unread_until_ms.filter(|unread| last_ms.is_none_or(|last| last < *unread)),
            forgotten_until: None,
        };
        let kept_since = self.now.saturating_sub(LOG_KEPT_SECONDS);
        if reading.last_success.is_none() && reading.unread_until_ms.is_none() && period.from < kept_since {
            let older = self.log(&format!("end_time={}&page=1&page_size=1", period.from * 1000)).await?;
            // A version that does not know `end_time` gives the newest entry.
            let reaches_back = older.iter().any(|entry| entry.created_at <= period.from * 1000);
            reading.forgotten_until = (!reaches_back).then_some(kept_since);
        }
        Ok(reading)
    }

    async fn remove_abandoned(&self, dry_run: bool) -> Result<Vec<String>, ProviderError> {
        let mut abandoned = Vec::new();
        for page in 1..=MAX_PAGES {
            let path = format!("/applications?isThirdParty=true&page={page}&page_size={PAGE_SIZE}");
            let stored: Vec<Stored> = self.read(&path).await?;
            let is_last = stored.len() < PAGE_SIZE;
            let is_abandoned = |it: &Stored| {
                it.mark().is_some_and(|mark| mark.starts_with("pending "))
                    && it.created_at / 1000 + ABANDONED_AFTER_SECONDS < self.now
            };
            abandoned.extend(stored.into_iter().filter(is_abandoned).map(|it| it.id));
            if is_last {
                break;
            }
        }
        if !dry_run {
            for client_id in &abandoned {
                self.remove(client_id).await?;
            }
        }
        Ok(abandoned)
    }
}

impl<P: Fetch + Runtime> LogtoNow<'_, P> {
    /// The last success among the entries of one kind, and what was before which moment was not read, both in milliseconds
    /// since 1970. Entries come newest first; those that come in meanwhile are seen twice, and none is missed.
    async fn read_log(
        &self,
        client_id: &str,
        key: &str,
        period: Period,
    ) -> Result<(Option<u64>, Option<u64>), ProviderError> {
        let Period { from, until_ms } = period;
        let mut query = format!("applicationId={}&logKey={key}&start_time={}", form_encode(client_id), from * 1000);
        if let Some(until_ms) = until_ms {
            // Logto knows fractions of a millisecond.
            query = format!("{query}&end_time={}", until_ms + 1);
        }
        let mut unread_until_ms = until_ms.unwrap_or(self.now * 1000);
        for page in 1..=MAX_LOG_PAGES {
            let page_of = |size: usize| format!("{query}&page={page}&page_size={size}");
            // What an entry says of the request that failed is up to whoever sent it.
            let (entries, size) = match self.log(&page_of(PAGE_SIZE)).await {
                Err(ProviderError::TooLarge) if page == 1 => match self.log(&page_of(SHORT_PAGE_SIZE)).await {
                    Err(ProviderError::TooLarge) => break,
                    entries => (entries?, SHORT_PAGE_SIZE),
                },
                // A short page two would begin elsewhere. The next look begins here.
                Err(ProviderError::TooLarge) => break,
                entries => (entries?, PAGE_SIZE),
            };
            let is_success = |entry: &&LogEntry| entry.payload.result.as_deref() == Some("Success");
            if let Some(last) = entries.iter().filter(is_success).map(|entry| entry.created_at).max() {
                return Ok((Some(last), None));
            }
            if entries.len() < size {
                return Ok((None, None));
            }
            unread_until_ms = entries.iter().map(|entry| entry.created_at).min().unwrap_or(unread_until_ms);
            if size == SHORT_PAGE_SIZE {
                break;
            }
        }
        Ok((None, Some(unread_until_ms)))
    }

    /// Makes sure that the log finds by `start_time` and `end_time` what it holds: otherwise all clients would look unused.
    async fn check_periods(&self) -> Result<(), ProviderError> {
        if self.logto.periods_work.get() {
            return Ok(());
        }
        let Some(LogEntry { created_at, .. }) = self.log("page=1&page_size=1").await?.pop() else { return Ok(()) };
        let (start, end) = (created_at.saturating_sub(1000), created_at + 1000);
        if self.log(&format!("start_time={start}&end_time={end}&page=1&page_size=1")).await?.is_empty() {
            let problem = "the audit log does not find its newest entry by start_time and end_time";
            return Err(ProviderError::Unavailable(problem.to_owned()));
        }
        self.logto.periods_work.set(true);
        Ok(())
    }

    async fn log(&self, query: &str) -> Result<Vec<LogEntry>, ProviderError> {
        self.read(&format!("/logs?{query}")).await
    }

    /// Steps (3) to (5) of a creation.
    async fn complete(
        &self,
        client_id: &str,
        application: &Application,
        consent: &Consent,
    ) -> Result<Option<Secret>, ProviderError> {
        // (3) Adding what is there already is no error, so this may be repeated.
        self.add_consent(client_id, consent).await?;
        // (4)
        self.put_branding(client_id, application).await?;
        // (5) Logto makes one by itself for the only type that has one.
        if application.kind != ApplicationType::Traditional {
            return Ok(None);
        }
        let secret = self.secret(client_id).await?;
        secret.map(Some).ok_or_else(|| ProviderError::Unavailable("the new application has no secret".to_owned()))
    }

    /// What is granted now is read from Logto: what we keep of it may be a minute old, and what others have granted since
    /// would stay.
    async fn change(&self, client_id: &str, after: &Application, consent: &Consent) -> Result<(), ProviderError> {
        let body = json!({ "name": after.name, "oidcClientMetadata": client_metadata(after) });
        self.call(Method::Patch, &path_of(client_id), Some(&body), Repeat::Always).await?;
        let granted: Value = self.read(&format!("{}/user-consent-scopes", path_of(client_id))).await?;
        let granted = Consent::read(&granted).ok_or_else(api::undocumented)?;
        self.add_consent(client_id, &consent.without(&granted)).await?;
        self.remove_consent(client_id, &granted.without(consent)).await?;
        self.put_branding(client_id, after).await
    }

    /// Removes an application whose creation was not answered. The search is by name, the choice by our mark.
    async fn remove_attempt(&self, name: &str, attempt: &str) {
        let pattern = form_encode(&format!("%{name}%"));
        let path = format!("/applications?isThirdParty=true&search.name={pattern}&page=1&page_size={PAGE_SIZE}");
        let Ok(found) = self.read::<Vec<Stored>>(&path).await else { return };
        let mark = pending(attempt);
        for stored in found.into_iter().filter(|stored| stored.mark() == Some(&mark)) {
            let _ = self.remove(&stored.id).await;
        }
    }

    async fn add_consent(&self, client_id: &str, consent: &Consent) -> Result<(), ProviderError> {
        if *consent == Consent::default() {
            return Ok(());
        }
        let path = format!("{}/user-consent-scopes", path_of(client_id));
        let body = json!({ "userScopes": consent.user, "resourceScopes": consent.resource });
        let added = self.call(Method::Post, &path, Some(&body), Repeat::Always).await;
        if matches!(&added, Err(ProviderError::Refused(_))) {
            // A permission was removed or made anew since its id was looked up.
            *self.logto.scope_ids.borrow_mut() = None;
        }
        added.map(|_| ())
    }

    async fn remove_consent(&self, client_id: &str, consent: &Consent) -> Result<(), ProviderError> {
        let path = format!("{}/user-consent-scopes", path_of(client_id));
        let users = consent.user.iter().map(|name| ("user-scopes", name));
        let resources = consent.resource.iter().map(|id| ("resource-scopes", id));
        for (kind, name) in users.chain(resources) {
            let path = format!("{path}/{kind}/{}", form_encode(name));
            match self.call(Method::Delete, &path, None, Repeat::Always).await {
                Ok(_) | Err(ProviderError::Gone) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// What the consent page shows.
    async fn put_branding(&self, client_id: &str, application: &Application) -> Result<(), ProviderError> {
        let branding = application.logo.as_ref().map_or_else(|| json!({}), |logo| json!({ "logoUrl": logo }));
        let body = json!({
            "displayName": application.name,
            "termsOfUseUrl": application.terms,
            "privacyPolicyUrl": application.privacy,
            "branding": branding,
        });
        let path = format!("{}/sign-in-experience", path_of(client_id));
        self.call(Method::Put, &path, Some(&body), Repeat::Always).await.map(|_| ())
    }

    async fn remove_secret(&self, client_id: &str, name: &str) -> Result<(), ProviderError> {
        let path = format!("{}/secrets/{}", path_of(client_id), form_encode(name));
        match self.call(Method::Delete, &path, None, Repeat::Always).await {
            Ok(_) | Err(ProviderError::Gone) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// A ceiling in Logto's form: user scopes by name, permissions by id.
    async fn consent(&self, ceiling: &Scopes) -> Result<Consent, ProviderError> {
        let mut consent = Consent::default();
        for name in needing_consent(ceiling) {
            if USER_SCOPES.contains(&name) {
                consent.user.push(name.to_owned());
            } else {
                consent.resource.push(self.scope_id(name).await?);
            }
        }
        Ok(consent)
    }

    async fn scope_id(&self, name: &str) -> Result<String, ProviderError> {
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

        let is_fresh = |ids: &&ScopeIds| self.now < ids.read_at + SCOPE_IDS_SECONDS;
        let known = self.logto.scope_ids.borrow().as_ref().filter(is_fresh).and_then(|ids| ids.ids.get(name).cloned());
        if let Some(id) = known {
            return Ok(id);
        }
        let indicator = &self.logto.tenant.mcp_resource;
        let missing = |what: &str| ProviderError::Misconfigured(format!("the provider has no {what}"));
        let mut page = 1;
        let resource = loop {
            let path = format!("/resources?includeScopes=true&page={page}&page_size={PAGE_SIZE}");
            let resources: Vec<Resource> = self.read(&path).await?;
            let is_last = resources.len() < PAGE_SIZE || page == MAX_PAGES;
            match resources.into_iter().find(|resource| resource.indicator == *indicator) {
                Some(resource) => break resource,
                None if is_last => return Err(missing(&format!("API resource {indicator:?} (MCP_RESOURCE)"))),
                None => page += 1,
            }
        };
        // `collect` would sort first, which is 4 KB of code; `extend` does not.
        let mut ids = BTreeMap::new();
        ids.extend(resource.scopes.into_iter().map(|scope| (scope.name, scope.id)));
        let id = ids.get(name).cloned();
        *self.logto.scope_ids.borrow_mut() = Some(ScopeIds { ids, read_at: self.now });
        id.ok_or_else(|| missing(&format!("permission {name:?} at {indicator:?} (CLIENT_SCOPES)")))
    }
}

fn path_of(client_id: &str) -> String {
    format!("/applications/{}", form_encode(client_id))
}

fn client_metadata(application: &Application) -> Value {
    json!({ "redirectUris": application.redirect_uris, "postLogoutRedirectUris": [] })
}

const fn type_name(kind: ApplicationType) -> &'static str {
    match kind {
        ApplicationType::Native => "Native",
        ApplicationType::SinglePage => "SPA",
        ApplicationType::Traditional => "Traditional",
    }
}
