//! The registry: what it takes to make, change and remove a client, at the provider and in the store, for the
//! registration endpoint and the portal alike.
//!
//! A client exists in two places. It is made at the provider first and recorded second, and removed in the same order:
//! whatever breaks in between, there is never a record of a client that could still do harm, and what is left at the
//! provider carries a mark that the scheduled run recognizes.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    time::Duration,
};

use mcp_edge::ports::{Runtime, StoreError};
use serde_json::Value;

use crate::{
    application::{Application, ApplicationType, ceiling},
    audit::{Audit, Event},
    initial_token::Uses,
    limiter::{Activity, Limiter},
    policy::{Policy, Registrant, hex},
    provider::{Applications, NotCreated, ProviderError},
    record::{Listed, Owner, Record, fingerprint, hash_of, may_be_token, new_token},
    registration::{error::MetadataError, metadata::ClientMetadata},
    secret::Secret,
    store::{
        CLIENTS, Page, REPEAT_SECONDS, RegistrationStore, answered_key, client_key, owner_prefix, request_key,
        usage_key,
    },
};

/// How long the list of another moment may lack a new key.
const LIST_LAG_SECONDS: u64 = 120;

/// How long nothing is counted again once all places are taken: a flood must not use up the store's lists.
const FULL_SECONDS: u64 = 60;

/// A request waits for its twin as long as the twin may take: a creation with all its repetitions.
const TWIN_WAIT: Duration = Duration::from_millis(100);
const MAX_TWIN_WAITS: usize = 300;

/// Strangers leave so small a part of all places to the others, who would otherwise have none after a flood.
const PART_NOT_FOR_STRANGERS: u32 = 10;

/// Why something was not done. The texts are for the operator's log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The metadata is not acceptable.
    #[error("{0}")]
    Metadata(MetadataError),
    /// Too much of something in an hour; seconds until there may be more.
    #[error("too many {activity} in an hour; there may be more in {1} seconds", activity = .0.name())]
    TooMany(Activity, u64),
    /// All places are taken.
    #[error("MAX_CLIENTS is reached")]
    Full,
    /// The developer has as many clients as anybody may have.
    #[error("MAX_CLIENTS_PER_DEVELOPER = {0} is reached")]
    Quota(u32),
    /// The provider did not do it.
    #[error("{0}")]
    Provider(ProviderError),
    /// The store failed.
    #[error("the store: {0}")]
    Store(StoreError),
    /// The client is gone.
    #[error("there is no such client")]
    Gone,
}

impl From<MetadataError> for Failure {
    fn from(error: MetadataError) -> Self {
        Self::Metadata(error)
    }
}

impl From<ProviderError> for Failure {
    fn from(error: ProviderError) -> Self {
        match error {
            ProviderError::Gone => Self::Gone,
            other => Self::Provider(other),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Where a request came from, which decides how the client is managed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// The registration endpoint: with a registration access token (RFC 7592).
    Endpoint,
    /// The portal: by its owner, signed in.
    Portal,
}

/// A request for a client.
pub struct Request<'a> {
    /// Checked.
    pub metadata: ClientMetadata,
    /// Who asks.
    pub registrant: Registrant,
    /// What tells two requests apart that say the same: the sending program, or the form that was filled in.
    pub seed: &'a str,
    /// How it will be managed.
    pub via: Via,
}

/// A client, as its registrant is told of it.
#[derive(Debug)]
pub struct Registered {
    /// The provider's id.
    pub client_id: String,
    /// What is kept.
    pub record: Record,
    /// For confidential clients; not of a repeated request in the portal, which shows a secret once.
    pub secret: Option<Secret>,
    /// The registration access token; of the endpoint only.
    pub token: Option<Secret>,
    /// Whether the client was there already.
    pub is_repeated: bool,
}

/// What an isolate remembers between requests, because the store tells it late.
#[derive(Default)]
pub struct Memory {
    pub(crate) limiter: Limiter,
    pub(crate) uses: Uses,
    /// Clients made here lately, and when.
    recent: RefCell<Vec<(String, u64)>>,
    /// Those of developers among them, by the developer's prefix in the store; `None` while one is being made.
    developers: RefCell<Vec<(String, Option<String>)>>,
    /// Clients that have a place and are being made.
    being_made: Cell<usize>,
    /// Fingerprints of requests: the client that each led to, or `None` while it is being made.
    requests: RefCell<HashMap<String, (Option<String>, u64)>>,
    /// Until when strangers are told at once that there is no place for them, seconds since 1970.
    full_until: Cell<u64>,
}

/// The registry within one request or run. With `()` for the provider it can do what needs none: a stranger's request
/// must not reach the provider before it is known to be somebody's.
pub struct Registry<'a, A, S, R: ?Sized> {
    /// The provider.
    pub applications: &'a A,
    /// The store.
    pub store: &'a S,
    /// Randomness and waiting.
    pub runtime: &'a R,
    /// The operator's decisions.
    pub policy: &'a Policy,
    /// The isolate's memory.
    pub memory: &'a Memory,
    /// Seconds since 1970.
    pub now: u64,
    /// Takes the audit lines.
    pub report: &'a dyn Fn(&str),
}

impl<A: Applications, S: RegistrationStore, R: Runtime + ?Sized> Registry<'_, A, S, R> {
    /// Makes a client, or gives the one that the same request led to before.
    ///
    /// (1) what may be granted, (2) how often the same network asks, (3) is it a repetition, (4) limits, (5) the
    /// provider, (6) the store, and confirm.
    ///
    /// # Errors
    /// [`Failure`]; then there is no client, or one that the scheduled run removes.
    pub async fn register(&self, request: Request<'_>) -> Result<Registered, Failure> {
        // (1)
        let Request { metadata, registrant, seed, via } = request;
        let granted = ceiling(&metadata, &self.policy.allowed_scopes)?;
        let metadata = ClientMetadata { scope: Some(granted.to_string()), ..metadata };
        // (2)
        let counted = match &registrant {
            Registrant::Anyone { network } => Some(self.count_registration(network).await?),
            Registrant::InitialToken { .. } | Registrant::Developer { .. } => None,
        };
        // (3)
        let fingerprint = fingerprint(&registrant, seed, &metadata);
        let being_made = self.after_twin(&fingerprint).await;
        if let Some(repeated) = self.repeated(&being_made, via, &registrant).await? {
            return Ok(repeated);
        }
        // (4)
        let place = self.check_limits(&registrant).await?;
        // From here on it costs writes anyway, and there are no more of these than places.
        if let Some(counted) = counted {
            self.tell(counted).await;
        }
        // (5)
        let application = Application::new(&metadata, granted, description(&registrant));
        let created = self.applications.create(&application, &fingerprint[..16]).await;
        let created = created.map_err(|NotCreated { begun, error }| {
            if let Some(client_id) = begun {
                self.audit(Event::RegistrationUndone, &client_id, &registrant.label(), &error.to_string());
            }
            error
        })?;
        // (6)
        let token = (via == Via::Endpoint).then(|| new_token(self.random()));
        let record = Record {
            metadata,
            token_hash: token.as_ref().map(|token| hash_of(token.expose())),
            owner: Owner::of(&registrant),
            created_at: self.now,
        };
        let client_id = created.client_id;
        if let Err(failure) = self.record_and_confirm(&client_id, &record).await {
            self.undo(&client_id, &record, &registrant).await;
            return Err(failure);
        }
        // A repetition that is not recognized makes a second client: a nuisance, no reason to take the first away.
        let _ = self
            .store
            .put(&request_key(&fingerprint), &client_id, None, Some(Duration::from_secs(REPEAT_SECONDS)))
            .await;
        self.memory.requests.borrow_mut().insert(fingerprint, (Some(client_id.clone()), self.now));
        self.memory.recent.borrow_mut().push((client_id.clone(), self.now));
        place.is_for(&client_id);
        self.audit(Event::ClientRegistered, &client_id, &registrant.label(), &summary(&record.metadata));
        Ok(Registered { client_id, record, secret: created.secret, token, is_repeated: false })
    }

    /// The current secret, of a confidential client.
    ///
    /// # Errors
    /// [`Failure::Provider`], [`Failure::Gone`].
    pub async fn secret(&self, client_id: &str, record: &Record) -> Result<Option<Secret>, Failure> {
        if !record.metadata.token_endpoint_auth_method.has_secret() {
            return Ok(None);
        }
        Ok(self.applications.secret(client_id).await?)
    }

    /// Changes a client's metadata. `by` is for the audit log. Of two changes at the same moment the last one stays, at
    /// the provider and in the store.
    ///
    /// # Errors
    /// [`Failure`]; then everything is as it was, as far as the provider could be reached. [`Failure::Gone`] also if the
    /// client ended meanwhile.
    pub async fn update(
        &self,
        client_id: &str,
        record: &Record,
        metadata: ClientMetadata,
        by: &str,
    ) -> Result<Record, Failure> {
        let granted = ceiling(&metadata, &self.policy.allowed_scopes)?;
        if ApplicationType::of(&metadata) != ApplicationType::of(&record.metadata) {
            let problem = format!(
                "would make the client, which is a {} application, one of another type: register a new client instead",
                ApplicationType::of(&record.metadata).name()
            );
            return Err(MetadataError::metadata("redirect_uris and token_endpoint_auth_method", problem).into());
        }
        let metadata = ClientMetadata { scope: Some(granted.to_string()), ..metadata };
        let before_ceiling = record.metadata.scopes().unwrap_or_default();
        let before = Application::new(&record.metadata, before_ceiling, String::new());
        let after = Application::new(&metadata, granted, String::new());
        self.applications.update(client_id, &before, &after).await?;
        let changed = match self.replace(client_id, |current| Record { metadata, ..current }).await {
            Ok(changed) => changed.ok_or(Failure::Gone)?,
            Err(failure) => {
                let _ = self.applications.update(client_id, &after, &before).await;
                return Err(failure);
            }
        };
        self.audit(Event::ClientUpdated, client_id, by, &summary(&changed.metadata));
        Ok(changed)
    }

    /// Removes a client. It may be repeated until it succeeds.
    ///
    /// # Errors
    /// [`Failure::Provider`], [`Failure::Store`].
    pub async fn remove(&self, client_id: &str, record: &Record, event: Event, by: &str) -> Result<(), Failure> {
        self.applications.remove(client_id).await?;
        self.forget(client_id, record).await?;
        self.memory.recent.borrow_mut().retain(|(known, _)| known != client_id);
        self.audit(event, client_id, by, &summary(&record.metadata));
        Ok(())
    }

    /// Gives a client a new secret. Repeated with the same `once` it gives the same one.
    ///
    /// # Errors
    /// [`Failure::Provider`], [`Failure::Gone`].
    pub async fn rotate_secret(&self, client_id: &str, once: &str, by: &str) -> Result<Secret, Failure> {
        let name = format!("rotated-{}", &hex(once)[..16]);
        let secret = self.applications.rotate_secret(client_id, &name).await?;
        self.audit(Event::SecretRotated, client_id, by, "");
        Ok(secret)
    }

    async fn record_and_confirm(&self, client_id: &str, record: &Record) -> Result<(), Failure> {
        self.put(client_id, record).await?;
        // (6)
        Ok(self.applications.confirm(client_id).await?)
    }

    async fn undo(&self, client_id: &str, record: &Record, registrant: &Registrant) {
        let removed = self.applications.remove(client_id).await;
        let forgotten = self.forget(client_id, record).await;
        let detail = match (&removed, &forgotten) {
            (Ok(()), Ok(())) => "nothing is left of it",
            _ => "something may be left of it until the next scheduled run",
        };
        self.audit(Event::RegistrationUndone, client_id, &registrant.label(), detail);
    }

    /// Waits while the same request is being worked on, then marks this one as that.
    async fn after_twin(&self, fingerprint: &str) -> BeingMade<'_> {
        for _ in 0..MAX_TWIN_WAITS {
            // Looking and marking without an await between them: two requests must not both find nothing.
            if let Some(being_made) = BeingMade::note(self.memory, fingerprint, self.now) {
                return being_made;
            }
            self.runtime.sleep(TWIN_WAIT).await;
        }
        // The twin's isolate was torn down in the middle, or the provider is very slow.
        self.memory.requests.borrow_mut().remove(fingerprint);
        BeingMade { memory: self.memory, fingerprint: fingerprint.to_owned(), led_to: None }
    }

    /// The client that the same request led to before, if that was lately.
    async fn repeated(
        &self,
        being_made: &BeingMade<'_>,
        via: Via,
        registrant: &Registrant,
    ) -> Result<Option<Registered>, Failure> {
        let client_id = match &being_made.led_to {
            Some(client_id) => Some(client_id.clone()),
            None => self.store.get(&request_key(&being_made.fingerprint)).await?,
        };
        let Some(client_id) = client_id else { return Ok(None) };
        let Some(record) = self.find(&client_id).await? else { return Ok(None) };
        if record.owner != Owner::of(registrant) || self.store.get(&answered_key(&client_id)).await?.is_some() {
            return Ok(None);
        }
        // Whoever shares an address with somebody can guess what they have sent, so a repetition by a stranger gets
        // nothing that the first one did not have to share: no secret, hence no such client at all.
        let is_anyone = matches!(registrant, Registrant::Anyone { .. });
        if is_anyone && record.metadata.token_endpoint_auth_method.has_secret() {
            return Ok(None);
        }
        match self.hand_out_again(client_id, record, via, registrant).await {
            // It ended meanwhile, or somebody removed it at the provider.
            Err(Failure::Gone) => Ok(None),
            outcome => outcome.map(Some),
        }
    }

    /// The answer that did not arrive the first time. Only the hash of its token was kept, so there is a new one. But
    /// strangers may be two: then neither must be able to change the client that the other one uses, so there is no
    /// token any more.
    async fn hand_out_again(
        &self,
        client_id: String,
        record: Record,
        via: Via,
        registrant: &Registrant,
    ) -> Result<Registered, Failure> {
        let (secret, token, record) = match (via, registrant) {
            (Via::Portal, _) => (None, None, record),
            (Via::Endpoint, Registrant::Anyone { .. }) => {
                // The hash of no token; none at all would say that a person had made the client in the portal.
                let of_no_token = Some(String::new());
                if record.token_hash == of_no_token {
                    (None, None, record)
                } else {
                    let ended = self.replace(&client_id, |now| Record { token_hash: of_no_token, ..now }).await?;
                    (None, None, ended.ok_or(Failure::Gone)?)
                }
            }
            (Via::Endpoint, _) => {
                let secret = self.secret(&client_id, &record).await?;
                let token = new_token(self.random());
                let hash = Some(hash_of(token.expose()));
                let replaced = self.replace(&client_id, |now| Record { token_hash: hash, ..now }).await?;
                (secret, Some(token), replaced.ok_or(Failure::Gone)?)
            }
        };
        self.audit(Event::RegistrationRepeated, &client_id, &registrant.label(), "");
        Ok(Registered { client_id, record, secret, token, is_repeated: true })
    }

    /// A place for one more, if there is room.
    async fn check_limits(&self, registrant: &Registrant) -> Result<Place<'_>, Failure> {
        let developers = match registrant {
            Registrant::Developer { issuer, subject } => Some(self.take_developers_place(issuer, subject).await?),
            Registrant::Anyone { .. } | Registrant::InitialToken { .. } => None,
        };
        let is_stranger = matches!(registrant, Registrant::Anyone { .. });
        if is_stranger && self.now < self.memory.full_until.get() {
            return Err(Failure::Full);
        }
        // From here on others know of it, whatever the store lists.
        let place = Place::take(self.memory, developers);
        self.check_places(is_stranger).await?;
        Ok(place)
    }

    /// The store lists late, so what this isolate has made or is making for the developer counts as well.
    async fn take_developers_place(&self, issuer: &str, subject: &str) -> Result<DevelopersPlace<'_>, Failure> {
        let limit = self.policy.limits.per_developer;
        let listed = self.list(issuer, subject).await?;
        let owner = owner_prefix(issuer, subject);
        // No await from here on: two requests must not take the same place.
        let mut developers = self.memory.developers.borrow_mut();
        let recent = self.memory.recent.borrow();
        developers
            .retain(|(_, made)| made.as_ref().is_none_or(|made| recent.iter().any(|(client_id, _)| client_id == made)));
        let is_listed = |made: &String| listed.iter().any(|(client_id, _)| client_id == made);
        let unlisted = developers.iter().filter(|(its, made)| *its == owner && !made.as_ref().is_some_and(is_listed));
        if listed.len() + unlisted.count() >= limit as usize {
            return Err(Failure::Quota(limit));
        }
        developers.push((owner.clone(), None));
        Ok(DevelopersPlace { memory: self.memory, owner })
    }

    /// Whether there is room for those that are being made.
    async fn check_places(&self, is_stranger: bool) -> Result<(), Failure> {
        let places = self.policy.limits.clients;
        let limit = if is_stranger { places - places / PART_NOT_FOR_STRANGERS } else { places } as usize;
        let recent = {
            let mut recent = self.memory.recent.borrow_mut();
            recent.retain(|(_, at)| self.now < at + LIST_LAG_SECONDS);
            recent.iter().map(|(client_id, _)| client_key(client_id)).collect::<Vec<_>>()
        };
        let (mut count, mut listed_recent, mut cursor) = (0, 0, None::<String>);
        loop {
            let page = self.store.list(CLIENTS, cursor.as_deref()).await?;
            count += page.keys.len();
            listed_recent += page.keys.iter().filter(|(key, _)| recent.contains(key)).count();
            cursor = page.cursor;
            if cursor.is_none() || count > limit {
                break;
            }
        }
        if count + (recent.len() - listed_recent) + self.memory.being_made.get() > limit {
            if is_stranger {
                self.memory.full_until.set(self.now + FULL_SECONDS);
            }
            return Err(Failure::Full);
        }
        Ok(())
    }

    fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.runtime.random(&mut bytes);
        bytes
    }
}

/// What needs no provider.
impl<A, S: RegistrationStore, R: Runtime + ?Sized> Registry<'_, A, S, R> {
    /// The record of a client.
    ///
    /// # Errors
    /// [`Failure::Store`].
    pub async fn find(&self, client_id: &str) -> Result<Option<Record>, Failure> {
        let Some(text) = self.store.get(&client_key(client_id)).await? else { return Ok(None) };
        let unreadable = || StoreError(format!("the record of {client_id} cannot be read"));
        serde_json::from_str(&text).map(Some).map_err(|_| Failure::Store(unreadable()))
    }

    /// The record of a client, for whoever holds its registration access token. The sender is at `network`.
    ///
    /// # Errors
    /// [`Failure::TooMany`] if too many tokens from there were none, [`Failure::Store`].
    pub async fn find_by_token(&self, network: &str, client_id: &str, token: &str) -> Result<Option<Record>, Failure> {
        if !may_be_token(token) {
            return Ok(None);
        }
        let guess = self.guess(network)?;
        let Some(record) = self.find(client_id).await?.filter(|record| record.is_token(token)) else {
            guess.refuted();
            return Ok(None);
        };
        // Its holder has got the answer, so a request like theirs is somebody else's from now on, no repetition. Twice the
        // time, because a client is written down some time after the request for it arrived.
        if self.now < record.created_at + 2 * REPEAT_SECONDS {
            let ttl = Duration::from_secs(2 * REPEAT_SECONDS);
            self.store.put(&answered_key(client_id), "", None, Some(ttl)).await?;
        }
        Ok(Some(record))
    }

    /// A developer's clients, newest first.
    ///
    /// # Errors
    /// [`Failure::Store`].
    pub async fn list(&self, issuer: &str, subject: &str) -> Result<Vec<(String, Listed)>, Failure> {
        let keys = self.keys(&owner_prefix(issuer, subject)).await?;
        let mut clients: Vec<_> = keys
            .into_iter()
            .filter_map(|(client_id, listed)| Some((client_id, serde_json::from_value::<Listed>(listed).ok()?)))
            .collect();
        clients.sort_by_key(|(_, listed)| std::cmp::Reverse(listed.created_at));
        Ok(clients)
    }

    /// All keys that begin with `prefix`, without it, and what lists show of them.
    pub(crate) async fn keys(&self, prefix: &str) -> Result<Vec<(String, Value)>, Failure> {
        let (mut keys, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let Page { keys: page, cursor: next } = self.store.list(prefix, cursor.as_deref()).await?;
            keys.extend(
                page.into_iter().filter_map(|(key, listed)| Some((key.strip_prefix(prefix)?.to_owned(), listed))),
            );
            cursor = next;
            if cursor.is_none() {
                return Ok(keys);
            }
        }
    }

    /// Writes a record and what lists show of it.
    ///
    /// # Errors
    /// [`Failure::Store`].
    async fn put(&self, client_id: &str, record: &Record) -> Result<(), Failure> {
        let listed = serde_json::to_value(record.listed()).unwrap_or_default();
        let text = serde_json::to_string(record).unwrap_or_default();
        if let Owner::Developer { issuer, subject } = &record.owner {
            let key = format!("{}{client_id}", owner_prefix(issuer, subject));
            self.store.put(&key, "", Some(&listed), None).await?;
        }
        Ok(self.store.put(&client_key(client_id), &text, Some(&listed), None).await?)
    }

    /// Changes a record as it is now, not as it was when the request arrived. `None`: there is none any more, and none
    /// comes back.
    async fn replace(&self, client_id: &str, change: impl FnOnce(Record) -> Record) -> Result<Option<Record>, Failure> {
        let Some(current) = self.find(client_id).await? else { return Ok(None) };
        let changed = change(current);
        self.put(client_id, &changed).await?;
        Ok(Some(changed))
    }

    /// Removes what is kept of a client, the record last: as long as there is one, this is repeated.
    ///
    /// # Errors
    /// [`Failure::Store`].
    pub async fn forget(&self, client_id: &str, record: &Record) -> Result<(), Failure> {
        self.store.delete(&usage_key(client_id)).await?;
        if let Owner::Developer { issuer, subject } = &record.owner {
            self.store.delete(&format!("{}{client_id}", owner_prefix(issuer, subject))).await?;
        }
        Ok(self.store.delete(&client_key(client_id)).await?)
    }

    /// Writes a line of the audit log.
    pub fn audit(&self, event: Event, client_id: &str, by: &str, detail: &str) {
        (self.report)(&Audit { event, client_id, by, detail }.to_line());
    }
}

/// A place for a client that is being made. It ends with this; the client itself is among the recent ones by then.
struct Place<'a> {
    memory: &'a Memory,
    developers: Option<DevelopersPlace<'a>>,
}

impl<'a> Place<'a> {
    fn take(memory: &'a Memory, developers: Option<DevelopersPlace<'a>>) -> Self {
        memory.being_made.update(|count| count + 1);
        Self { memory, developers }
    }

    /// This client has it.
    fn is_for(&self, client_id: &str) {
        if let Some(place) = &self.developers {
            place.is_for(client_id);
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.memory.being_made.update(|count| count.saturating_sub(1));
    }
}

/// A place among a developer's clients, which is free again unless it was found a client.
struct DevelopersPlace<'a> {
    memory: &'a Memory,
    owner: String,
}

impl DevelopersPlace<'_> {
    /// This client has it.
    fn is_for(&self, client_id: &str) {
        self.memory.developers.borrow_mut().push((self.owner.clone(), Some(client_id.to_owned())));
    }
}

impl Drop for DevelopersPlace<'_> {
    fn drop(&mut self) {
        let mut developers = self.memory.developers.borrow_mut();
        if let Some(at) = developers.iter().position(|(owner, made)| *owner == self.owner && made.is_none()) {
            developers.swap_remove(at);
        }
    }
}

/// Marks a request as being worked on, and takes the mark away however the work ends.
struct BeingMade<'a> {
    memory: &'a Memory,
    fingerprint: String,
    /// What the same request led to before, as far as this isolate knows.
    led_to: Option<String>,
}

impl<'a> BeingMade<'a> {
    /// `None` if the same request is being worked on already.
    fn note(memory: &'a Memory, fingerprint: &str, now: u64) -> Option<Self> {
        let mut requests = memory.requests.borrow_mut();
        requests.retain(|_, (_, at)| now < *at + REPEAT_SECONDS);
        let led_to = match requests.get(fingerprint) {
            Some((None, _)) => return None,
            Some((Some(client_id), _)) => Some(client_id.clone()),
            None => {
                requests.insert(fingerprint.to_owned(), (None, now));
                None
            }
        };
        Some(Self { memory, fingerprint: fingerprint.to_owned(), led_to })
    }
}

impl Drop for BeingMade<'_> {
    fn drop(&mut self) {
        let mut requests = self.memory.requests.borrow_mut();
        if requests.get(&self.fingerprint).is_some_and(|(client_id, _)| client_id.is_none()) {
            requests.remove(&self.fingerprint);
        }
    }
}

/// What the operator reads at the provider.
fn description(registrant: &Registrant) -> String {
    match registrant {
        Registrant::Anyone { .. } => "Registered itself (RFC 7591)".to_owned(),
        Registrant::InitialToken { name, .. } => format!("Registered itself with the initial access token {name:?}"),
        Registrant::Developer { subject, .. } => format!("Registered by the developer {subject}"),
    }
}

/// For the audit log: type and hosts.
fn summary(metadata: &ClientMetadata) -> String {
    let hosts: Vec<String> = metadata
        .redirect_uris
        .iter()
        .map(|uri| {
            let host = crate::registration::web_uri::host_of(uri);
            host.unwrap_or_else(|| uri.split(':').next().unwrap_or_default().to_owned() + ":")
        })
        .collect();
    format!("{} application, answers go to {}", ApplicationType::of(metadata).name(), hosts.join(" "))
}
