//! The operations on clients as one isolate carries them out, with less to say at each call.

use super::{TestProvider, World};
use crate::{
    audit::{AuditLog, Event},
    cleanup::{self, Report},
    client_metadata::ClientMetadata,
    clients::{
        Context,
        authenticate::{AuthenticateError, Presented, authenticate},
        delete::{DeleteError, delete},
        register::{RegisterError, Registered, Registration, register},
        submission::Submissions,
        update::{UpdateError, update},
    },
    failed_attempts::FailedAttempts,
    initial_token::{self, Bearer, InitialTokenError, Verified, note_use},
    ledger::{
        CallError, Ledger, LedgerError, Reconciled, TokenUses,
        client::ObjectLedger,
        remembering::{Refusals, Remembering},
    },
    platform::Platform,
    policy::Registrant,
    record::{Listed, Record},
    storage::{RegistrationStore, StorageError, records::Records},
};

/// What an isolate remembers.
#[derive(Default)]
pub struct IsolateMemory {
    refusals: Refusals,
    submissions: Submissions,
    attempts: FailedAttempts,
}

/// The ledger as an isolate reaches it.
type TestLedger<'a, S> = Remembering<ObjectLedger<&'a World, &'a S, &'a World>, &'a Refusals>;

/// What the platform provides in one isolate.
pub struct TestPlatform<'a, S> {
    store: &'a S,
    ledger: TestLedger<'a, S>,
    world: &'a World,
}

impl<'a, S: RegistrationStore> Platform for TestPlatform<'a, S> {
    type Store = S;
    type Ledger = TestLedger<'a, S>;
    type Services = World;

    fn store(&self) -> &S {
        self.store
    }

    fn ledger(&self) -> &Self::Ledger {
        &self.ledger
    }

    fn services(&self) -> &World {
        self.world
    }
}

/// The operations in one isolate at one moment.
pub struct Operations<'a, S> {
    context: Context<'a, TestProvider, TestPlatform<'a, S>>,
    attempts: &'a FailedAttempts,
}

/// A use of an initial access token that is reserved.
pub struct HeldUse {
    pub registrant: Registrant,
    pub reservation: String,
    uses: Option<TokenUses>,
}

/// Carries out operations in an isolate with this memory.
pub async fn operate<S: RegistrationStore, T>(
    world: &World,
    store: &S,
    memory: &IsolateMemory,
    act: impl AsyncFnOnce(&Operations<'_, S>) -> T,
) -> T {
    let ledger = Remembering::new(ObjectLedger::new(world, store, world), &memory.refusals);
    let platform = TestPlatform { store, ledger, world };
    let context = Context {
        applications: &world.provider,
        platform: &platform,
        policy: &world.policy,
        submissions: &memory.submissions,
        now: world.now.get(),
        audit: AuditLog::of(world),
    };
    act(&Operations { context, attempts: &memory.attempts }).await
}

impl<S: RegistrationStore> Operations<'_, S> {
    pub async fn register(&self, registration: Registration<'_>) -> Result<Registered, RegisterError> {
        register(&self.context, registration).await
    }

    pub async fn find(&self, client_id: &str) -> Result<Option<Record>, StorageError> {
        self.records().find(client_id).await
    }

    pub async fn find_by_token(
        &self,
        network: &str,
        client_id: &str,
        token: &str,
    ) -> Result<Option<Record>, AuthenticateError> {
        let presented = Presented { client_id, token, network };
        authenticate(&self.records(), self.attempts, presented, self.context.now).await
    }

    pub async fn list(&self, issuer: &str, subject: &str) -> Result<Vec<(String, Listed)>, StorageError> {
        self.records().list(issuer, subject).await
    }

    pub async fn update(
        &self,
        client_id: &str,
        record: &Record,
        metadata: ClientMetadata,
        by: &str,
    ) -> Result<Record, UpdateError> {
        update(&self.context, client_id, record, metadata, by).await
    }

    pub async fn remove(&self, client_id: &str, record: &Record, event: Event, by: &str) -> Result<(), DeleteError> {
        delete(&self.context, client_id, record, event, by).await
    }

    pub async fn take_use(&self, network: &str, token: &str) -> Result<Option<HeldUse>, InitialTokenError> {
        let reservation = crate::clients::random_id(self.context.platform.world);
        let Context { platform, now, .. } = &self.context;
        let bearer = Bearer { token, network };
        let verified =
            initial_token::authenticate(platform.store, &platform.ledger, self.attempts, bearer, &reservation, *now);
        Ok(verified.await?.map(|Verified { registrant, uses }| HeldUse { registrant, reservation, uses }))
    }

    pub async fn spend(&self, held: HeldUse, client_id: &str) -> Result<(), LedgerError> {
        let Context { platform, now, .. } = &self.context;
        platform.ledger.settle(&held.reservation, client_id, *now).await?;
        if let Some(uses) = held.uses {
            note_use(platform.store, &uses, client_id, *now).await;
        }
        Ok(())
    }

    pub async fn give_back(&self, held: HeldUse) {
        self.context.platform.ledger.release(&held.reservation, self.context.now).await;
    }

    pub async fn count_call(&self, client_id: &str) -> Result<(), CallError> {
        self.context.platform.ledger.count_call(client_id, self.context.now).await
    }

    pub async fn reconcile(&self) -> Result<Reconciled, LedgerError> {
        self.context.platform.ledger.reconcile(self.context.now).await
    }

    pub fn ledger(&self) -> &impl Ledger {
        &self.context.platform.ledger
    }

    pub async fn clean_up(&self, dry_run: bool) -> Report {
        cleanup::clean_up(&self.context, dry_run).await
    }

    pub fn records(&self) -> Records<'_, S> {
        Records(self.context.platform.store)
    }
}
