//! The registry: what it takes to make, change and remove a client, at the provider and in the store, for the
//! registration endpoint and the portal alike.
//!
//! A client exists in two places. It is made at the provider first and recorded second, and removed in the same order:
//! whatever breaks in between, there is never a record of a client that could still do harm, and what is left at the
//! provider carries a mark that the scheduled run recognizes.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    future::{Future, poll_fn},
    task::Poll,
    time::Duration,
};

use futures_util::future::maybe_done;
use mcp_edge::ports::{Runtime, StoreError};
use serde::Deserialize;
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
        CLIENTS, Page, REPEAT_SECONDS, RegistrationStore, client_key, form_key, metadata_key, owner_prefix, usage_key,
    },
};

/// How long the list of another moment may lack a new key.
const LIST_LAG_SECONDS: u64 = 120;

/// How long nothing is counted again once all places are taken: a flood must not use up the store's lists.
const FULL_SECONDS: u64 = 60;

/// A form waits for its twin as long as the twin may take: a creation with all its repetitions.
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
pub enum Via<'a> {
    /// The registration endpoint: with a registration access token (RFC 7592). Each request makes a client of its own.
    Endpoint,
    /// The portal: by its owner, signed in.
    Portal {
        /// The number of the form. A browser that reloads the answer, which shows the secret, sends the form again;
        /// that leads to the same client.
        form: &'a str,
    },
}

/// A request for a client.
pub struct Request<'a> {
    /// Checked.
    pub metadata: ClientMetadata,
    /// Who asks.
    pub registrant: Registrant,
    /// How it will be managed.
    pub via: Via<'a>,
}

/// A client, as its registrant is told of it.
#[derive(Debug)]
pub struct Registered {
    /// The provider's id.
    pub client_id: String,
    /// What is kept.
    pub record: Record,
    /// For confidential clients; not of a form that is sent again, since the portal shows a secret once.
    pub secret: Option<Secret>,
    /// The registration access token; of the endpoint only.
    pub token: Option<Secret>,
    /// Whether the client was there already, because the form was sent before.
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
    /// Fingerprints of forms: the client that each led to, or `None` while it is being made.
    forms: RefCell<HashMap<String, (Option<String>, u64)>>,
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
    /// Makes a client, or gives the one that the same form of the portal led to before.
    ///
    /// (1) what may be granted, (2) how often the same network asks, (3) was the form sent before, (4) limits, (5) the
    /// provider, (6) the store, and confirm.
    ///
    /// # Errors
    /// [`Failure`]; then there is no client, or one that the scheduled run removes.
    pub async fn register(&self, request: Request<'_>) -> Result<Registered, Failure> {
        // (1)
        let Request { metadata, registrant, via } = request;
        let granted = ceiling(&metadata, &self.policy.allowed_scopes)?;
        let metadata = ClientMetadata { scope: Some(granted.to_string()), ..metadata };
        // (2)
        let counted = match &registrant {
            Registrant::Anyone { network } => Some(self.count_registration(network).await?),
            Registrant::InitialToken { .. } | Registrant::Developer { .. } => None,
        };
        // (3)
        let form = match (via, &registrant) {
            (Via::Portal { form }, Registrant::Developer { issuer, subject }) => {
                Some(self.after_twin(&fingerprint(issuer, subject, form, &metadata)).await)
            }
            _ => None,
        };
        if let Some(form) = &form
            && let Some(repeated) = self.repeated(form, &registrant).await?
        {
            return Ok(repeated);
        }
        // (4)
        let place = self.check_limits(&registrant).await?;
        // From here on it costs writes anyway, and there are no more of these than places.
        if let Some(counted) = counted {
            self.tell(counted).await;
        }
        // (5) What is unique to this attempt tells it from others that are going on and ask for the same.
        let application = Application::new(&metadata, granted, description(&registrant));
        let attempt = format!("{:016x}", u64::from_ne_bytes(self.random()));
        let created = self.applications.create(&application, &attempt).await;
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
        if let Some(form) = form {
            form.led_to(self.store, &client_id, self.now).await;
        }
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

    /// Changes a client's metadata and nothing else: what was read of the client may be a minute old, and whatever is
    /// written back from that would undo what others have changed since. `by` is for the audit log. Of two changes at
    /// the same moment the last one stays, at the provider and in the store.
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
        if let Err(failure) = self.put_metadata(client_id, &metadata).await {
            if failure != Failure::Gone {
                let _ = self.applications.update(client_id, &after, &before).await;
            }
            return Err(failure);
        }
        self.audit(Event::ClientUpdated, client_id, by, &summary(&metadata));
        Ok(Record { metadata, ..record.clone() })
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

    /// Gives a client a new secret. Repeated with the same `once` it makes no further one. If somebody else has given it
    /// a newer one at the same moment, that is the one which is returned: it is the one that stays.
    ///
    /// # Errors
    /// [`Failure::Provider`], [`Failure::Gone`].
    pub async fn rotate_secret(&self, client_id: &str, once: &str, by: &str) -> Result<Secret, Failure> {
        let name = format!("rotated-{}", &hex(once)[..16]);
        let secret = self.applications.rotate_secret(client_id, &name).await?;
        self.audit(Event::SecretRotated, client_id, by, "");
        Ok(secret)
    }

    /// Writes the record, which nobody writes again, and confirms the client at the provider.
    async fn record_and_confirm(&self, client_id: &str, record: &Record) -> Result<(), Failure> {
        let listed = serde_json::to_value(record.listed()).unwrap_or_default();
        if let Owner::Developer { issuer, subject } = &record.owner {
            let key = format!("{}{client_id}", owner_prefix(issuer, subject));
            self.store.put(&key, "", Some(&listed), None).await?;
        }
        let text = serde_json::to_string(record).unwrap_or_default();
        self.store.put(&client_key(client_id), &text, Some(&listed), None).await?;
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

    /// Waits while the same form is being worked on, then marks this one as that.
    async fn after_twin(&self, fingerprint: &str) -> Form<'_> {
        for _ in 0..MAX_TWIN_WAITS {
            // Looking and marking without an await between them: two requests must not both find nothing.
            if let Some(form) = Form::note(self.memory, fingerprint, self.now) {
                return form;
            }
            self.runtime.sleep(TWIN_WAIT).await;
        }
        // The twin's isolate was torn down in the middle, or the provider is very slow.
        self.memory.forms.borrow_mut().remove(fingerprint);
        Form { memory: self.memory, fingerprint: fingerprint.to_owned(), client_id: None }
    }

    /// The client that the same form led to before, if that was lately. It is shown to its owner as any other, without
    /// its secret, and nothing is written: sent again at two places, a form makes two clients at worst.
    async fn repeated(&self, form: &Form<'_>, registrant: &Registrant) -> Result<Option<Registered>, Failure> {
        let client_id = match &form.client_id {
            Some(client_id) => Some(client_id.clone()),
            None => self.store.get(&form_key(&form.fingerprint)).await?,
        };
        let Some(client_id) = client_id else { return Ok(None) };
        let Some(record) = self.find(&client_id).await?.filter(|record| record.owner == Owner::of(registrant)) else {
            return Ok(None);
        };
        self.audit(Event::RegistrationRepeated, &client_id, &registrant.label(), "");
        Ok(Some(Registered { client_id, record, secret: None, token: None, is_repeated: true }))
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
        let listed = self.owned(issuer, subject).await?;
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
    /// The record of a client, with its present metadata.
    ///
    /// # Errors
    /// [`Failure::Store`].
    pub async fn find(&self, client_id: &str) -> Result<Option<Record>, Failure> {
        match self.registered(client_id).await? {
            Some(record) => self.with_present_metadata(client_id, record).await.map(Some),
            None => Ok(None),
        }
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
        let Some(record) = self.registered(client_id).await?.filter(|record| record.is_token(token)) else {
            guess.refuted();
            return Ok(None);
        };
        self.with_present_metadata(client_id, record).await.map(Some)
    }

    /// What was written down when the client was registered.
    async fn registered(&self, client_id: &str) -> Result<Option<Record>, Failure> {
        self.read(&client_key(client_id), "the record", client_id).await
    }

    async fn with_present_metadata(&self, client_id: &str, record: Record) -> Result<Record, Failure> {
        Ok(match self.changed_metadata(client_id).await? {
            Some(metadata) => Record { metadata, ..record },
            None => record,
        })
    }

    /// The metadata after the last change; `None` if there was none.
    async fn changed_metadata(&self, client_id: &str) -> Result<Option<ClientMetadata>, Failure> {
        self.read(&metadata_key(client_id), "the metadata", client_id).await
    }

    /// What is under a key, which says `what` of a client.
    pub(crate) async fn read<T: for<'de> Deserialize<'de>>(
        &self,
        key: &str,
        what: &str,
        client_id: &str,
    ) -> Result<Option<T>, Failure> {
        let Some(text) = self.store.get(key).await? else { return Ok(None) };
        let unreadable = || StoreError(format!("{what} of {client_id} cannot be read"));
        serde_json::from_str(&text).map(Some).map_err(|_| Failure::Store(unreadable()))
    }

    /// A developer's clients, newest first.
    ///
    /// # Errors
    /// [`Failure::Store`].
    pub async fn list(&self, issuer: &str, subject: &str) -> Result<Vec<(String, Listed)>, Failure> {
        let mut clients = self.owned(issuer, subject).await?;
        // All at once, as `join_all` does, which for any number of futures is 7 KB of code.
        let mut reads: Vec<_> =
            clients.iter().map(|(client_id, _)| Box::pin(maybe_done(self.changed_metadata(client_id)))).collect();
        poll_fn(|context| {
            let pending = reads.iter_mut().filter_map(|read| read.as_mut().poll(context).is_pending().then_some(()));
            if pending.count() == 0 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        let changed: Vec<_> = reads.iter_mut().map(|read| read.as_mut().take_output()).collect();
        drop(reads);
        for ((_, listed), metadata) in clients.iter_mut().zip(changed) {
            // One that cannot be read keeps its first name: the others must not be hidden by it.
            if let Some(Ok(Some(metadata))) = metadata {
                listed.name = metadata.client_name;
            }
        }
        Ok(clients)
    }

    /// The same, with the names that they were registered with.
    async fn owned(&self, issuer: &str, subject: &str) -> Result<Vec<(String, Listed)>, Failure> {
        let keys = self.keys(&owner_prefix(issuer, subject)).await?;
        let mut clients: Vec<(String, Listed)> = Vec::with_capacity(keys.len());
        for (client_id, listed) in keys {
            let Ok(listed) = serde_json::from_value::<Listed>(listed) else { continue };
            let place = clients.partition_point(|(_, other)| other.created_at >= listed.created_at);
            clients.insert(place, (client_id, listed));
        }
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

    /// Writes what a change is about. `Gone`: the client ended meanwhile. If that is not known here yet, what is written
    /// belongs to nothing, makes no token good again, and is removed by the scheduled run.
    async fn put_metadata(&self, client_id: &str, metadata: &ClientMetadata) -> Result<(), Failure> {
        self.registered(client_id).await?.ok_or(Failure::Gone)?;
        let text = serde_json::to_string(metadata).unwrap_or_default();
        Ok(self.store.put(&metadata_key(client_id), &text, None, None).await?)
    }

    /// Removes what is kept of a client, the record last: as long as there is one, this is repeated.
    ///
    /// # Errors
    /// [`Failure::Store`].
    pub async fn forget(&self, client_id: &str, record: &Record) -> Result<(), Failure> {
        self.store.delete(&usage_key(client_id)).await?;
        self.store.delete(&metadata_key(client_id)).await?;
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

/// Marks a form as being worked on, and takes the mark away however the work ends.
struct Form<'a> {
    memory: &'a Memory,
    fingerprint: String,
    /// What it led to before, as far as this isolate knows.
    client_id: Option<String>,
}

impl<'a> Form<'a> {
    /// `None` if the same form is being worked on already.
    fn note(memory: &'a Memory, fingerprint: &str, now: u64) -> Option<Self> {
        let mut forms = memory.forms.borrow_mut();
        forms.retain(|_, (_, at)| now < *at + REPEAT_SECONDS);
        let client_id = match forms.get(fingerprint) {
            Some((None, _)) => return None,
            Some((Some(client_id), _)) => Some(client_id.clone()),
            None => {
                forms.insert(fingerprint.to_owned(), (None, now));
                None
            }
        };
        Some(Self { memory, fingerprint: fingerprint.to_owned(), client_id })
    }

    /// Remembers the client. If the store does not, a form that is sent again makes a second client: a nuisance, no
    /// reason to take the first away.
    async fn led_to<S: RegistrationStore>(self, store: &S, client_id: &str, now: u64) {
        let ttl = Some(Duration::from_secs(REPEAT_SECONDS));
        let _ = store.put(&form_key(&self.fingerprint), client_id, None, ttl).await;
        self.memory.forms.borrow_mut().insert(self.fingerprint.clone(), (Some(client_id.to_owned()), now));
    }
}

impl Drop for Form<'_> {
    fn drop(&mut self) {
        let mut forms = self.memory.forms.borrow_mut();
        if forms.get(&self.fingerprint).is_some_and(|(client_id, _)| client_id.is_none()) {
            forms.remove(&self.fingerprint);
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
