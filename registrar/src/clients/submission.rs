//! Forms of the portal that are sent again: a double click, a reloaded answer.

use std::{cell::RefCell, collections::HashMap, time::Duration};

use mcp_edge_runtime::ports::{Runtime, StoreError};

use crate::storage::{
    RegistrationStore,
    keys::{REPEAT_SECONDS, form_key},
};

/// A form waits for the same form that is in progress as long as that may take: a creation with all its repetitions.
const WAIT: Duration = Duration::from_millis(100);
const MAX_WAITS: usize = 300;

/// The forms that an isolate was sent lately, by their fingerprints: the client that each led to, or `None` while it is
/// being made; and since when.
#[derive(Default)]
pub struct Submissions(RefCell<HashMap<String, (Option<String>, u64)>>);

impl Submissions {
    /// Waits while the same form is in progress, then begins this one.
    pub async fn begin(&self, fingerprint: String, now: u64, runtime: &impl Runtime) -> Submission<'_> {
        for _ in 0..MAX_WAITS {
            // Looking and marking without an await between them: two requests must not both find nothing.
            if let Ok(client_id) = self.mark(&fingerprint, now) {
                return Submission { submissions: self, fingerprint, client_id };
            }
            runtime.sleep(WAIT).await;
        }
        // The other one was torn down in the middle, or the provider is very slow.
        self.0.borrow_mut().remove(&fingerprint);
        Submission { submissions: self, fingerprint, client_id: None }
    }

    /// Marks a form as in progress and gives the client that it led to before.
    fn mark(&self, fingerprint: &str, now: u64) -> Result<Option<String>, InProgress> {
        let mut forms = self.0.borrow_mut();
        forms.retain(|_, (_, at)| now < *at + REPEAT_SECONDS);
        match forms.get(fingerprint) {
            Some((None, _)) => Err(InProgress),
            Some((known, _)) => Ok(known.clone()),
            None => {
                forms.insert(fingerprint.to_owned(), (None, now));
                Ok(None)
            }
        }
    }
}

/// The same form is in progress already.
struct InProgress;

/// A form in progress. The mark ends with this, however the work ends.
pub struct Submission<'a> {
    submissions: &'a Submissions,
    fingerprint: String,
    /// The client that the form led to before, as far as this isolate knows.
    client_id: Option<String>,
}

impl Submission<'_> {
    /// The client that the form led to before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn client_id(&self, store: &impl RegistrationStore) -> Result<Option<String>, StoreError> {
        match &self.client_id {
            Some(client_id) => Ok(Some(client_id.clone())),
            None => store.get(&form_key(&self.fingerprint)).await,
        }
    }

    /// Remembers the client. If the store does not, a form that is sent again makes a second client: a nuisance, no
    /// reason to take the first away.
    pub async fn led_to(self, store: &impl RegistrationStore, client_id: &str, now: u64) {
        let ttl = Some(Duration::from_secs(REPEAT_SECONDS));
        let _ = store.put(&form_key(&self.fingerprint), client_id, None, ttl).await;
        self.submissions.0.borrow_mut().insert(self.fingerprint.clone(), (Some(client_id.to_owned()), now));
    }
}

impl Drop for Submission<'_> {
    fn drop(&mut self) {
        let mut forms = self.submissions.0.borrow_mut();
        if forms.get(&self.fingerprint).is_some_and(|(client_id, _)| client_id.is_none()) {
            forms.remove(&self.fingerprint);
        }
    }
}
