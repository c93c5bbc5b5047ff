//! The state of one issuer's key set in one isolate, and the decision what to do next.

use std::rc::Rc;

use super::{
    action::{Action, KeyRefusal, Refresh},
    limits::{
        BURST, BURST_WINDOW_SECONDS, CEILING_SECONDS, CLOCK_SKEW_SECONDS, COLD_RETRY_SECONDS, COOL_DOWN_SECONDS,
        FRESH_SECONDS, LEASE_SECONDS, MAX_RENEWAL_PAUSE_SECONDS, REVALIDATE_SECONDS, STORE_PAUSE_SECONDS,
    },
    query::{Assurance, Attempted, KeyQuery},
    renewal_schedule::RenewalSchedule,
    unknown_kids::UnknownKids,
};
use crate::{
    keys::{key_set::SelectionError, record::Record},
    provider::Provider,
};

/// What one isolate knows about one issuer's keys.
#[derive(Debug, Default)]
pub struct JwksState {
    copy: Option<Rc<Record>>,
    store_read_at: Option<u64>,
    provider_asked_at: Option<u64>,
    /// Whether the last request to the provider returned a copy.
    provider_has_answered: bool,
    /// How many renewals have failed since the provider answered, as far as this isolate knows.
    failed_renewals: u32,
    /// Whether the last request to the provider was a renewal: not for a token or a document that the copy does not serve.
    is_renewing: bool,
    leased_until: Option<u64>,
    /// Until when a search for the discovery document that the keys do not wait for may take.
    searching_until: Option<u64>,
    /// What the last such search has found, and when it began.
    searched: Option<(Option<Provider>, u64)>,
    refresh_due: Option<Refresh>,
    schedule: RenewalSchedule,
    burst: Burst,
    unknown_kids: UnknownKids,
}

#[derive(Debug, Default)]
struct Burst {
    since: u64,
    spent: u32,
}

impl JwksState {
    /// The copy at hand, if it may still be used at `now`.
    #[must_use]
    pub fn copy(&self, now: u64) -> Option<&Rc<Record>> {
        self.copy.as_ref().filter(|copy| copy.keys_age(now) < CEILING_SECONDS)
    }

    /// Decides what to do for a token. Times are seconds since 1970.
    pub fn next(&mut self, now: u64, query: KeyQuery<'_>, attempted: Attempted) -> Action {
        let Some(copy) = self.copy(now).cloned() else {
            return self.without_copy(now, attempted);
        };
        match copy.keys.select(query.kid, query.algorithm) {
            Ok(key) if query.disproved == Some(key.thumbprint) => self.after_bad_signature(now, attempted),
            Ok(key) => self.before_use(now, &copy, attempted).unwrap_or_else(|| Action::Use(Rc::clone(key))),
            Err(SelectionError::Unknown) => self.unknown_key(now, query, &copy, attempted),
            Err(error) => {
                self.before_use(now, &copy, attempted).unwrap_or(Action::Refuse(KeyRefusal::Selection(error)))
            }
        }
    }

    /// What to do before the copy decides, if anything: a copy past [`REVALIDATE_SECONDS`] decides only if it cannot be
    /// renewed now.
    fn before_use(&mut self, now: u64, copy: &Record, attempted: Attempted) -> Option<Action> {
        if copy.keys_age(now) < REVALIDATE_SECONDS {
            self.note_if_refresh_is_due(now, copy);
            return None;
        }
        if attempted.provider {
            return None;
        }
        if self.is_leased(now) {
            return if attempted.has_waited { None } else { Some(Action::Wait) };
        }
        if !attempted.store && self.may_look_into_store(now) {
            return Some(self.read_store(now));
        }
        if !self.may_renew(now) {
            return None;
        }
        self.note_renewal(now);
        Some(Action::Renew)
    }

    /// Nobody can be served: the store, then the provider, then nothing.
    fn without_copy(&mut self, now: u64, attempted: Attempted) -> Action {
        if self.is_leased(now) {
            return Action::Wait;
        }
        if !attempted.store && self.store_read_at.is_none_or(|at| now >= at + COLD_RETRY_SECONDS) {
            return self.read_store(now);
        }
        let ready = self.provider_asked_at.map_or(now, |at| at + COLD_RETRY_SECONDS);
        if attempted.provider || now < ready {
            return Action::Unavailable(ready.saturating_sub(now).max(1));
        }
        self.ask_provider(now)
    }

    /// The token names a key that the copy lacks: perhaps it is invented, perhaps it is newer than the copy.
    fn unknown_key(&mut self, now: u64, query: KeyQuery<'_>, copy: &Record, attempted: Attempted) -> Action {
        let fetched_at = copy.keys_fetched_at;
        // A key set that was fetched after the token was issued decides, and so does one in which the key is published and
        // cannot be used: the provider need not be asked.
        if query.issued_at.is_some_and(|issued_at| issued_at + CLOCK_SKEW_SECONDS < fetched_at)
            || query.kid.is_some_and(|kid| copy.keys.has_only_unusable(kid))
        {
            return self.before_use(now, copy, attempted).unwrap_or(Action::Refuse(KeyRefusal::UNKNOWN_KEY));
        }
        if (attempted.provider && self.provider_has_answered) || self.unknown_kids.contains(query, now) {
            self.unknown_kids.insert(query, fetched_at, now);
            return Action::Refuse(KeyRefusal::UNKNOWN_KEY);
        }
        if self.is_leased(now) {
            return Action::Wait;
        }
        if !attempted.store && self.may_read_store(now) {
            return self.read_store(now);
        }
        let ready = self.provider_asked_at.map_or(now, |at| at + COOL_DOWN_SECONDS);
        if now >= ready && !attempted.provider {
            return self.ask_provider(now);
        }
        // Within the cool-down. A token that is older than the copy by our clock may be newer by the provider's: one more
        // request settles it, as long as the burst lasts. Both times are whole seconds, so within the same second it is
        // open which came first.
        let may_be_newer = query.issued_at.is_none_or(|issued_at| fetched_at <= issued_at);
        if attempted.provider {
            return Action::Unavailable(ready.saturating_sub(now).max(1));
        }
        // The first token of a new key need not wait. After it, a request made once the second has passed settles the
        // matter for every token that was issued in it, which one made earlier would not.
        match self.burst.left(now) {
            0 if !may_be_newer && self.provider_has_answered => {
                self.unknown_kids.insert(query, fetched_at, now);
                Action::Refuse(KeyRefusal::UNKNOWN_KEY)
            }
            0 => Action::Unavailable(ready.saturating_sub(now).max(1)),
            1..BURST if query.issued_at == Some(now) => Action::Wait,
            _ => {
                self.burst.spend();
                self.ask_provider(now)
            }
        }
    }

    /// The signature did not verify under a published key. A provider may have put a new key under an old name, so one
    /// request is worth it, at the usual pace; but the published key stands until then, and the token is bad under it.
    fn after_bad_signature(&mut self, now: u64, attempted: Attempted) -> Action {
        if !attempted.provider && self.may_ask_provider(now) {
            self.ask_provider(now)
        } else {
            Action::Refuse(KeyRefusal::BadSignature)
        }
    }

    /// Takes the lease once per pause, so that one request renews the copy in the background.
    fn note_if_refresh_is_due(&mut self, now: u64, copy: &Record) {
        if !self.schedule.is_due(copy, now) || self.is_leased(now) {
            return;
        }
        if self.schedule.is_old(copy, now) && self.may_look_into_store(now) {
            self.read_store(now);
            self.refresh_due = Some(Refresh::Store);
        } else if self.may_renew(now) {
            self.note_renewal(now);
            self.refresh_due = Some(Refresh::Provider);
        }
    }

    /// After [`Refresh::Store`]: whether the provider is to be asked, as nobody has put a newer copy into the store. The
    /// caller holds the lease again if so.
    pub fn goes_on_to_provider(&mut self, now: u64) -> bool {
        let is_due = self.copy(now).is_none_or(|copy| self.schedule.is_due(copy, now)) && self.may_renew(now);
        if is_due {
            self.note_renewal(now);
        }
        is_due
    }

    /// Decides by a random number when the copy is renewed, if that is not decided: to be called after each report.
    pub fn schedule_renewal(&mut self, random: u64, now: u64) {
        self.schedule.draw(random, now);
    }

    /// How long before [`FRESH_SECONDS`] the copy is renewed, in seconds.
    #[must_use]
    pub fn lead(&self) -> u64 {
        self.schedule.lead()
    }

    /// Decides what to do for the discovery document alone. If there is none, and the operator says where the keys are, what
    /// is known without one counts.
    ///
    /// # Errors
    /// What to do first, if the copy does not give the assurance.
    pub fn next_for_document(
        &mut self,
        now: u64,
        assurance: Assurance,
        attempted: Attempted,
    ) -> Result<Provider, Action> {
        let Some(copy) = self.copy(now).cloned() else {
            return Err(self.without_copy(now, attempted));
        };
        let is_searching = self.is_searching(now);
        // The search may hang, and without a document there is perhaps what the operator gives.
        let is_too_early = is_searching && copy.provider.document.is_none() && !attempted.has_waited;
        if assurance.is_given_by(&copy) && (!is_too_early || assurance == Assurance::AnyCopy) {
            self.note_if_refresh_is_due(now, &copy);
            return Ok(copy.provider.clone());
        }
        if self.is_leased(now) || is_searching {
            return Err(Action::Wait);
        }
        let ready = self.provider_asked_at.map_or(now, |at| at + COLD_RETRY_SECONDS);
        if attempted.provider || now < ready {
            return Err(Action::Unavailable(ready.saturating_sub(now).max(1)));
        }
        Err(self.ask_provider(now))
    }

    /// How the copy should be renewed in the background now, if it should. The caller must do it and report it: it holds the
    /// lease.
    pub fn take_refresh(&mut self) -> Option<Refresh> {
        std::mem::take(&mut self.refresh_due)
    }

    /// Begins a search for the discovery document that the keys do not wait for, unless one is under way, or was made a
    /// short time ago.
    pub fn begin_search(&mut self, now: u64) -> bool {
        let is_due = |copy: &Rc<Record>| copy.is_stored || copy.provider_age(now) >= FRESH_SECONDS;
        if self.is_searching(now) || !self.copy(now).is_none_or(is_due) {
            return false;
        }
        self.searching_until = Some(now + LEASE_SECONDS);
        true
    }

    /// Reports what it has found, if anything.
    pub fn search_answered(&mut self, found: Option<Provider>, now: u64) {
        self.searching_until = None;
        self.searched = Some((found, now));
        self.add_searched(now);
    }

    /// Reports that it has ended, perhaps without an outcome.
    pub fn release_search(&mut self) {
        self.searching_until = None;
    }

    /// Adds the outcome of the last search, unless that is a day ago, to a copy whose document is older, or from the store:
    /// another machine's clock may be ahead. In vain, its document stays.
    fn add_searched(&mut self, now: u64) {
        if let (Some(copy), Some((found, at))) = (&mut self.copy, &self.searched)
            && now < at + CEILING_SECONDS
            && (copy.is_stored || copy.provider_fetched_at < *at)
            && (found.is_some() || copy.provider.document.is_none())
        {
            let mut record = Record::clone(copy);
            if let Some(provider) = found {
                record.provider = provider.clone();
            }
            (record.provider_fetched_at, record.is_stored) = (*at, false);
            *copy = Rc::new(record);
        }
    }

    fn is_searching(&self, now: u64) -> bool {
        self.searching_until.is_some_and(|until| now < until)
    }

    /// The copy at hand, unless keys or document are being fetched for it.
    #[must_use]
    pub fn complete_copy(&self, now: u64) -> Option<&Rc<Record>> {
        self.copy(now).filter(|_| !self.is_leased(now) && !self.is_searching(now))
    }

    /// Releases the lease of a request that ended without an answer.
    pub fn release_lease(&mut self) {
        self.leased_until = None;
    }

    /// Reports what the store had. An unusable, outdated or older value changes nothing.
    pub fn store_answered(&mut self, now: u64, record: Option<Record>) {
        self.leased_until = None;
        let Some(record) = record else { return };
        let newer = self.copy.as_ref().is_none_or(|copy| copy.keys_fetched_at < record.keys_fetched_at);
        if newer && record.keys_age(now) < CEILING_SECONDS {
            self.schedule.store_answered();
            // The provider has answered another isolate since.
            if self.provider_asked_at.is_none_or(|at| at < record.keys_fetched_at) {
                self.failed_renewals = 0;
            }
            let record = match &self.copy {
                Some(own) => with_own_document(record, own, now),
                None => record,
            };
            self.copy = Some(Rc::new(record));
            self.add_searched(now);
        }
    }

    /// Reports what the provider answered; `None` if it failed, which keeps the old copy.
    pub fn provider_answered(&mut self, record: Option<Record>) {
        self.leased_until = None;
        self.provider_has_answered = record.is_some();
        self.failed_renewals = match record {
            Some(_) => 0,
            None => self.failed_renewals.saturating_add(u32::from(self.is_renewing)),
        };
        // Two may have asked, the first of them slowly: what is older than the copy is dropped.
        let is_older =
            |record: &Record| self.copy.as_ref().is_some_and(|copy| record.keys_fetched_at < copy.keys_fetched_at);
        if let Some(record) = record.filter(|record| !is_older(record)) {
            self.unknown_kids.forget_published(&record.keys);
            self.schedule.provider_answered();
            let fetched_at = record.keys_fetched_at;
            self.copy = Some(Rc::new(record));
            self.add_searched(fetched_at);
        }
    }

    fn read_store(&mut self, now: u64) -> Action {
        self.store_read_at = Some(now);
        self.leased_until = Some(now + LEASE_SECONDS);
        Action::ReadStore
    }

    fn ask_provider(&mut self, now: u64) -> Action {
        self.note_attempt(now);
        self.is_renewing = false;
        Action::AskProvider
    }

    fn note_renewal(&mut self, now: u64) {
        self.note_attempt(now);
        self.is_renewing = true;
    }

    /// Counts the attempt when it begins: an attempt that fails, or whose client goes away, counts as well.
    fn note_attempt(&mut self, now: u64) {
        self.provider_asked_at = Some(now);
        self.leased_until = Some(now + LEASE_SECONDS);
    }

    fn may_ask_provider(&self, now: u64) -> bool {
        !self.is_leased(now) && self.provider_asked_at.is_none_or(|at| now >= at + COOL_DOWN_SECONDS)
    }

    fn may_renew(&self, now: u64) -> bool {
        !self.is_leased(now) && self.provider_asked_at.is_none_or(|at| now >= at + self.renewal_pause())
    }

    /// Whether another isolate may have put a newer copy into the store since we looked. Regardless of the provider, which may be
    /// asked again and again for other reasons.
    fn may_look_into_store(&self, now: u64) -> bool {
        self.store_read_at.is_none_or(|at| now >= at + self.renewal_pause())
    }

    fn renewal_pause(&self) -> u64 {
        let times = 2_u64.saturating_pow(self.failed_renewals.saturating_sub(1));
        COOL_DOWN_SECONDS.saturating_mul(times).min(MAX_RENEWAL_PAUSE_SECONDS)
    }

    fn may_read_store(&self, now: u64) -> bool {
        self.store_read_at.is_none_or(|at| now >= at + STORE_PAUSE_SECONDS)
    }

    fn is_leased(&self, now: u64) -> bool {
        self.leased_until.is_some_and(|until| now < until)
    }
}

/// A record of the store, with the document of the copy at hand if the issuer has given us that within a day and both say
/// the same: who needs its endpoints would otherwise have to ask the provider again, in vain during an outage.
fn with_own_document(stored: Record, own: &Record, now: u64) -> Record {
    let is_confirmed =
        !own.is_stored && own.provider_age(now) < CEILING_SECONDS && own.provider.is_same_as(&stored.provider);
    if !is_confirmed {
        return stored;
    }
    let Record { provider, provider_fetched_at, is_stored, .. } = own.clone();
    Record { provider, provider_fetched_at, is_stored, ..stored }
}

impl Burst {
    fn left(&mut self, now: u64) -> u32 {
        if now >= self.since + BURST_WINDOW_SECONDS {
            *self = Self { since: now, spent: 0 };
        }
        BURST - self.spent
    }

    fn spend(&mut self) {
        self.spent += 1;
    }
}

#[cfg(test)]
mod tests;
