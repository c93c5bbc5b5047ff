//! The object of one key: what it does with each request.
//!
//! What is decided from the row is written before anything is awaited: other requests are in the object at the same time.

use mcp_edge_runtime::{
    ports::{Runtime, Store},
    secret::Secret,
    sql::{SqlError, SqlStorage},
};

use super::{
    context::Context,
    lease::{self, Refusal, Rules, Step},
    message::{Answer, Envelope, NewKey, Request, State},
    record::Record,
    refresh::{self, After},
    rows::Rows,
};
use crate::{
    jwt::expiry_of,
    lease::{ATTEMPT_SECONDS, Patience, Turn},
    provider::Grants,
    secrets::{Seal, VaultSecrets, hash_of, is_same_hash},
};

const DAY: u64 = 86_400;

/// How often in a row a grant is revoked that was replaced meanwhile.
const GRANTS_IN_A_ROW: usize = 3;

/// Seconds until it makes sense to ask again, if nothing else is known.
const RETRY_AFTER: u64 = 5;

/// The object of one key.
pub struct KeyObject<'a, S, G, K>(Context<'a, S, G, K>);

impl<'a, S: SqlStorage, G: Grants, K: Runtime + Store> KeyObject<'a, S, G, K> {
    /// Creates the object for one event.
    #[must_use]
    pub const fn new(
        storage: &'a S,
        grants: &'a G,
        services: &'a K,
        secrets: &'a VaultSecrets,
        rules: &'a Rules,
    ) -> Self {
        Self(Context { rows: Rows::new(storage), grants, services, secrets, rules })
    }

    /// Answers a message ([`Envelope`] as JSON) with an [`Answer`] as JSON. `clock` says the time of now, in seconds since 1970:
    /// a request may wait for others, and what they wrote meanwhile is measured by the clock of then.
    ///
    /// # Errors
    /// What the operator is to know of a failure; without secrets.
    pub async fn answer(&self, message: &str, clock: &impl Fn() -> u64) -> Result<String, String> {
        let Envelope { id, request } =
            serde_json::from_str(message).map_err(|_| "a message that cannot be read".to_owned())?;
        let answer = match request {
            Request::Create(new) => self.create(id, *new),
            Request::Use { secret } => self.use_key(&id, &Secret::new(secret), clock).await,
            Request::Describe => self.describe(&id),
            Request::Revoke { by, secret } => self.revoke(&id, &by, secret.map(Secret::new), clock()).await,
            Request::EndGrant => self.end_grant(&id, clock()).await,
        };
        let answer = answer.map_err(|error| format!("the key's storage: {error}"))?;
        serde_json::to_string(&answer).map_err(|error| error.to_string())
    }

    fn create(&self, id: String, new: NewKey) -> Result<Answer, SqlError> {
        let secret = Secret::new(new.secret.as_str());
        let hash = hash_of(&secret);
        if let Some(record) = self.0.rows.load()? {
            // The answer to the first request may be lost.
            let is_same = record.id == id
                && is_same_hash(&record.secret_hash, &hash)
                && record.key.state == State::Active
                && record.key.subject == new.subject;
            return Ok(if is_same { Answer::Done } else { Answer::Exists });
        }
        let refresh_token = Secret::new(new.refresh_token.as_str());
        let owner = crate::secrets::Owner { id: &id, issuer: &new.issuer, subject: &new.subject };
        let sealed = Seal::refresh(&secret, owner).seal(&refresh_token, self.0.services);
        let grant = self.0.secrets.grant_seal(owner).seal(&refresh_token, self.0.services);
        let (Ok(sealed), Ok(grant)) = (sealed, grant) else {
            return Ok(unavailable("the refresh token is too long to be sealed"));
        };
        let mut record = Record::new(id, hash, new, sealed, grant);
        record.client_id.clone_from(&self.0.rules.client_id);
        self.0.rows.insert(&record)?;
        Ok(Answer::Done)
    }

    async fn use_key(&self, id: &str, secret: &Secret, clock: &impl Fn() -> u64) -> Result<Answer, SqlError> {
        let hash = hash_of(secret);
        let mut patience = Patience::default();
        loop {
            let now = clock();
            let known = self.0.load(id)?;
            // An id that nobody has takes as long as a wrong secret.
            let stored = known.as_ref().map_or(&[0; 32][..], |record| &record.secret_hash);
            let is_holder = is_same_hash(stored, &hash);
            let Some(record) = known.filter(|_| is_holder) else { return Ok(Answer::Unknown) };
            match lease::next(&record, now, self.0.rules) {
                Step::Refuse(refusal) => return self.refuse(&record, refusal, false, now).await,
                Step::Obtain(Turn::Spare { retry_after }) => {
                    return Ok(Answer::Unavailable { retry_after, cause: record.failure });
                }
                Step::Obtain(Turn::Wait) => {
                    if patience.wait(self.0.services).await {
                        continue;
                    }
                    return Ok(unavailable("another request waits for the provider"));
                }
                Step::Obtain(Turn::Shorten) => {
                    self.0.rows.shorten(now + ATTEMPT_SECONDS)?;
                    continue;
                }
                Step::Answer => {
                    let sealed = record.token_sealed.as_deref().unwrap_or_default();
                    if let Ok(token) = Seal::token(secret, record.owner()).open(sealed) {
                        return self.token(&record, &token, now);
                    }
                    self.0.rows.forget_token()?;
                    continue;
                }
                Step::Obtain(Turn::Refresh) => {}
            }
            let after = refresh::refresh(&self.0, &record, secret, clock).await?;
            let now = clock();
            match after {
                After::Token(token) if now < record.key.expires_at => return self.token(&record, &token, now),
                After::Token(_) => return Ok(Answer::Expired),
                After::Ended(record) => return self.refuse(&record, Refusal::Ended, true, now).await,
                After::Unavailable { retry_after, cause } => return Ok(Answer::Unavailable { retry_after, cause }),
                After::LookAgain => {}
            }
        }
    }

    /// Answers with an access token, and notes the day.
    fn token(&self, record: &Record, token: &Secret, now: u64) -> Result<Answer, SqlError> {
        let day = now / DAY;
        if record.key.last_used_day.is_none_or(|last| last < day) {
            self.0.rows.used(day)?;
        }
        let expiry = expiry_of(token.expose()).unwrap_or(now);
        let until = (now + lease::HANDED_SECONDS).min(expiry).min(record.key.expires_at);
        let key = Box::new(self.0.described(record));
        Ok(Answer::Token { access_token: token.expose().to_owned(), until, key })
    }

    /// Refuses a key that works no longer, and has that reported at most once a minute.
    async fn refuse(
        &self,
        record: &Record,
        refusal: Refusal,
        has_just_ended: bool,
        now: u64,
    ) -> Result<Answer, SqlError> {
        let is_reported = refusal != Refusal::Expired && (has_just_ended || lease::is_to_be_reported(record, now));
        if is_reported {
            self.0.rows.reported(now)?;
        }
        self.0.mark(record, now).await?;
        Ok(match refusal {
            Refusal::Expired => Answer::Expired,
            _ if is_reported => Answer::Report { key: Box::new(self.0.described(record)), has_just_ended },
            Refusal::Revoked => Answer::Revoked,
            Refusal::Ended => Answer::Ended,
        })
    }

    fn describe(&self, id: &str) -> Result<Answer, SqlError> {
        let record = self.0.load(id)?;
        Ok(record.map_or(Answer::Unknown, |record| Answer::Key(Box::new(self.0.described(&record)))))
    }

    async fn revoke(&self, id: &str, by: &str, secret: Option<Secret>, now: u64) -> Result<Answer, SqlError> {
        let Some(record) = self.0.load(id)? else { return Ok(Answer::Unknown) };
        if secret.is_some_and(|secret| !is_same_hash(&record.secret_hash, &hash_of(&secret))) {
            return Ok(Answer::Unknown);
        }
        self.0.rows.revoke(by, now)?;
        if let Some(record) = self.0.load(id)? {
            self.0.mark(&record, now).await?;
        }
        Ok(Answer::Done)
    }

    async fn end_grant(&self, id: &str, now: u64) -> Result<Answer, SqlError> {
        for _ in 0..GRANTS_IN_A_ROW {
            let Some(record) = self.0.load(id)? else { return Ok(Answer::Unknown) };
            if lease::refusal(&record, now, self.0.rules).is_none() {
                return Ok(Answer::Key(Box::new(self.0.described(&record))));
            }
            if !self.0.mark(&record, now).await? {
                return Ok(unavailable("the store does not take the marker of the revoked key"));
            }
            let Some(sealed) = &record.grant_sealed else { return Ok(Answer::Done) };
            if let Some(cause) = lease::stranger(&record, self.0.rules) {
                return Ok(unavailable(cause));
            }
            let Ok(refresh_token) = self.0.secrets.grant_seal(record.owner()).open(sealed) else {
                return Ok(unavailable("the grant was sealed with another VAULT_SECRET"));
            };
            if let Err(cause) = self.0.grants.revoke(&refresh_token, now).await {
                return Ok(unavailable(&cause));
            }
            // A refresh in flight may have put another one there meanwhile.
            self.0.rows.grant_ended(sealed)?;
        }
        Ok(unavailable("the grant was replaced while it was revoked"))
    }
}

/// The answer that it cannot be said now.
fn unavailable(cause: &str) -> Answer {
    Answer::Unavailable { retry_after: RETRY_AFTER, cause: cause.to_owned() }
}
