//! Registering a client.

use mcp_edge_runtime::ports::StoreError;

use super::{Context, random_id, submission::Submission, summary};
use crate::{
    application::{Application, ceiling},
    audit::Event,
    client_metadata::{ClientMetadata, error::MetadataError},
    ledger::{Admission, AdmissionError, Ledger, LedgerError},
    platform::Platform,
    policy::Registrant,
    provider::{Applications, Created, NotCreated, ProviderError},
    record::{Owner, Record, fingerprint, hash_of, new_token},
    secret::Secret,
    storage::StorageError,
};

/// Where a registration came from, which decides how the client is managed.
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
pub struct Registration<'a> {
    /// Validated.
    pub metadata: ClientMetadata,
    /// Who asks.
    pub registrant: Registrant,
    /// How it will be managed.
    pub via: Via<'a>,
    /// The id under which a use of an initial access token is reserved, if there is one.
    pub reservation: Option<String>,
}

/// A client as its registrant sees it.
#[derive(Debug)]
pub struct Registered {
    /// The provider's id.
    pub client_id: String,
    /// What is stored.
    pub record: Record,
    /// For confidential clients; not of a form that is sent again, since the portal shows a secret once.
    pub secret: Option<Secret>,
    /// The registration access token; of the endpoint only.
    pub token: Option<Secret>,
    /// Whether the client was there already, because the form was sent before.
    pub is_repeated: bool,
}

/// Why there is no client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// The metadata is not acceptable.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// A limit is reached, or the ledger failed.
    #[error(transparent)]
    Admission(#[from] AdmissionError),
    /// The provider failed.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<LedgerError> for RegisterError {
    fn from(error: LedgerError) -> Self {
        Self::Admission(error.into())
    }
}

impl From<StoreError> for RegisterError {
    fn from(error: StoreError) -> Self {
        Self::Storage(error.into())
    }
}

/// Registers a client, or gives the one that the same form of the portal led to before.
///
/// (1) what may be granted, (2) was the form sent before, (3) limits, (4) the provider, the ledger and the store.
///
/// # Errors
/// [`RegisterError`]; then there is no client, or one that the scheduled run removes.
pub async fn register<A: Applications, P: Platform>(
    context: &Context<'_, A, P>,
    registration: Registration<'_>,
) -> Result<Registered, RegisterError> {
    // (1)
    let Registration { metadata, registrant, via, reservation } = registration;
    let granted = ceiling(&metadata, &context.policy.allowed_scopes)?;
    let metadata = ClientMetadata { scope: Some(granted.to_string()), ..metadata };
    // (2)
    let submission = match (via, &registrant) {
        (Via::Portal { form }, Registrant::Developer { issuer, subject }) => {
            let fingerprint = fingerprint(issuer, subject, form, &metadata);
            Some(context.submissions.begin(fingerprint, context.now, context.platform.services()).await)
        }
        _ => None,
    };
    if let Some(submission) = &submission
        && let Some(repeated) = find_repeated(context, submission, &registrant).await?
    {
        return Ok(repeated);
    }
    // (3)
    let ledger = context.platform.ledger();
    let reservation = reservation.unwrap_or_else(|| random_id(context.platform.services()));
    ledger.admit(&reservation, &Admission::of(&registrant, context.policy), context.now).await?;
    // (4)
    let application = Application::new(&metadata, granted, description(&registrant));
    let token = (via == Via::Endpoint).then(|| new_token(context.random()));
    let record = Record {
        metadata,
        token_hash: token.as_ref().map(|token| hash_of(token.expose())),
        owner: Owner::of(&registrant),
        created_at: context.now,
    };
    let by = registrant.label();
    let made = make(context, &application, &record, &reservation, &by).await;
    let Created { client_id, secret } = match made {
        Ok(created) => created,
        Err(error) => {
            ledger.release(&reservation, context.now).await;
            return Err(error);
        }
    };
    if let Some(submission) = submission {
        submission.led_to(context.platform.store(), &client_id, context.now).await;
    }
    context.audit.record(Event::ClientRegistered, &client_id, &by, &summary(&record.metadata));
    Ok(Registered { client_id, record, secret, token, is_repeated: false })
}

/// Makes a client in all places, or in none: (1) the provider, (2) the ledger, so that no client exists uncounted,
/// (3) the store, (4) confirm it at the provider.
async fn make<A: Applications, P: Platform>(
    context: &Context<'_, A, P>,
    application: &Application,
    record: &Record,
    reservation: &str,
    by: &str,
) -> Result<Created, RegisterError> {
    // (1) What is unique to this attempt tells it from others that are in progress and ask for the same.
    let attempt = random_id(context.platform.services());
    let created = context.applications.create(application, &attempt).await;
    let created = created.map_err(|NotCreated { begun, error }| {
        if let Some(client_id) = begun {
            context.audit.record(Event::RegistrationUndone, &client_id, by, &error.to_string());
        }
        error
    })?;
    let finished = async {
        // (2)
        context.platform.ledger().settle(reservation, &created.client_id, context.now).await?;
        // (3)
        context.records().put_new(&created.client_id, record).await?;
        // (4)
        Ok::<_, RegisterError>(context.applications.confirm(&created.client_id).await?)
    };
    if let Err(error) = finished.await {
        undo(context, &created.client_id, record, by).await;
        return Err(error);
    }
    Ok(created)
}

/// Takes a client back that could not be completed.
async fn undo<A: Applications, P: Platform>(context: &Context<'_, A, P>, client_id: &str, record: &Record, by: &str) {
    let removed = context.applications.remove(client_id).await;
    let forgotten = context.records().forget(client_id, record).await;
    let detail = match (&removed, &forgotten) {
        (Ok(()), Ok(())) => {
            context.platform.ledger().undo(client_id, context.now).await;
            "nothing is left of it"
        }
        _ => "something may be left of it until the next scheduled run",
    };
    context.audit.record(Event::RegistrationUndone, client_id, by, detail);
}

/// The client that the same form led to before, if that was lately. It is shown to its owner as any other, without its
/// secret, and nothing is written: sent again at two locations, a form makes two clients at worst.
async fn find_repeated<A, P: Platform>(
    context: &Context<'_, A, P>,
    submission: &Submission<'_>,
    registrant: &Registrant,
) -> Result<Option<Registered>, RegisterError> {
    let Some(client_id) = submission.client_id(context.platform.store()).await? else { return Ok(None) };
    let record = context.records().find(&client_id).await?.filter(|record| record.owner == Owner::of(registrant));
    let Some(record) = record else { return Ok(None) };
    context.audit.record(Event::RegistrationRepeated, &client_id, &registrant.label(), "");
    Ok(Some(Registered { client_id, record, secret: None, token: None, is_repeated: true }))
}

/// The application's description at the provider, for the operator.
fn description(registrant: &Registrant) -> String {
    match registrant {
        Registrant::Anyone { .. } => "Registered itself (RFC 7591)".to_owned(),
        Registrant::InitialToken { name, .. } => format!("Registered itself with the initial access token {name:?}"),
        Registrant::Developer { subject, .. } => format!("Registered by the developer {subject}"),
    }
}
