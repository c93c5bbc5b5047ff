//! What happens to a deployment.

use mcp_edge_oauth::{provider::ProviderLocation, token::denied::DeniedTokens};
use serde::{Deserialize, Serialize};

use crate::{
    deployment::Deployment,
    measures::Figures,
    run::{HOUR, Simulation},
    tokens::{ISSUER, SigningKey},
    vault::access_key,
};

/// A run is repeated by its seed.
pub const SEED: u64 = 20_261_127;

/// The probe of a scenario is sent to every location so often, in seconds.
const PROBE_SECONDS: f64 = 5.0;

/// Until a deployment of settings has reached every location, in milliseconds: an assumption ("seconds", says Cloudflare).
pub const ROLLOUT: u64 = 30_000;

/// The number of an access key that no program uses.
const PROBED_KEY: usize = 1_000_000;

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scenario {
    /// Nothing but traffic.
    PlainDay,
    /// The provider signs with a key that it had announced an hour before, and withdraws the old one.
    Rotation,
    /// Likewise, without an announcement.
    AbruptRotation,
    /// The provider's documents cannot be had for six hours; sign-ins work.
    Outage,
    /// The operator denies a key that the provider still publishes.
    Emergency,
    /// An access key is revoked that is used everywhere.
    RevokedAccessKey,
    /// Strangers send tokens with invented key ids: ten a second.
    Flood,
    /// Somebody puts a key of his own into KV, once.
    Poison,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Of the deployment.
    pub size: String,
    /// Likewise.
    pub placement: String,
    /// What happened.
    pub scenario: Scenario,
    /// What came of it.
    pub figures: Figures,
}

/// How long a deployment runs before anything is measured, in milliseconds.
const WARM_UP: u64 = 2 * HOUR;

impl Scenario {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::PlainDay,
        Self::Rotation,
        Self::AbruptRotation,
        Self::Outage,
        Self::Emergency,
        Self::RevokedAccessKey,
        Self::Flood,
        Self::Poison,
    ];

    /// Lets it happen, and measures.
    #[must_use]
    pub fn run(self, deployment: &Deployment, seed: u64) -> Figures {
        let mut simulation = Simulation::new(deployment, seed);
        match self {
            Self::PlainDay => plain_day(&mut simulation, deployment.size.hours),
            Self::Rotation => withdrawal(&mut simulation, true),
            Self::AbruptRotation => withdrawal(&mut simulation, false),
            Self::Outage => outage(&mut simulation, 6),
            Self::Emergency => emergency(&mut simulation),
            Self::RevokedAccessKey => revoked_access_key(&mut simulation),
            Self::Flood => flood(&mut simulation, 10.0, 60),
            Self::Poison => poison(&mut simulation),
        }
    }
}

/// So many hours of nothing but traffic.
pub fn plain_day(simulation: &mut Simulation, hours: u64) -> Figures {
    simulation.run_until(WARM_UP);
    simulation.begin_measuring();
    simulation.run_until(WARM_UP + hours * HOUR);
    simulation.figures()
}

/// The old key is withdrawn; somebody who has it sends a token everywhere that was made before.
pub fn withdrawal(simulation: &mut Simulation, is_announced: bool) -> Figures {
    simulation.run_until(WARM_UP - HOUR);
    let stolen = simulation.platform.provider.signing_key();
    if is_announced {
        simulation.platform.provider.announce();
    }
    simulation.run_until(WARM_UP);
    let token = stolen.token("thief", simulation.platform.clock.now());
    simulation.begin_measuring();
    simulation.traffic.borrow_mut().set_probe(Some(&token), PROBE_SECONDS);
    simulation.platform.provider.rotate();
    simulation.run_until(WARM_UP + HOUR * 9 / 10);
    followed(simulation, WARM_UP)
}

/// The documents of the provider cannot be had for so many hours.
pub fn outage(simulation: &mut Simulation, hours: u64) -> Figures {
    simulation.run_until(WARM_UP);
    simulation.begin_measuring();
    simulation.platform.provider.set_up(false);
    simulation.run_until(WARM_UP + hours * HOUR);
    simulation.figures()
}

/// A key is denied by its `kid` in the settings.
pub fn emergency(simulation: &mut Simulation) -> Figures {
    simulation.run_until(WARM_UP);
    let stolen = simulation.platform.provider.signing_key();
    simulation.platform.provider.announce();
    let token = stolen.token("thief", simulation.platform.clock.now());
    simulation.traffic.borrow_mut().set_probe(Some(&token), PROBE_SECONDS);
    simulation.run_until(WARM_UP + 60_000);
    simulation.begin_measuring();
    simulation.isolates.deploy(DeniedTokens { keys: vec![stolen.kid.clone()], issued_before: 0 }, ROLLOUT);
    simulation.run_until(WARM_UP + 60_000 + HOUR / 4);
    followed(simulation, WARM_UP + 60_000)
}

/// An access key that is used everywhere is revoked.
pub fn revoked_access_key(simulation: &mut Simulation) -> Figures {
    simulation.run_until(WARM_UP - HOUR / 4);
    let key = access_key(PROBED_KEY);
    simulation.traffic.borrow_mut().set_probe(Some(&key), PROBE_SECONDS);
    simulation.run_until(WARM_UP);
    simulation.begin_measuring();
    simulation.vault.revoke(&key);
    simulation.run_until(WARM_UP + HOUR / 4);
    followed(simulation, WARM_UP)
}

/// For so many minutes strangers send so many tokens a second, each with a key id that nobody published.
pub fn flood(simulation: &mut Simulation, per_second: f64, minutes: u64) -> Figures {
    simulation.run_until(WARM_UP);
    simulation.begin_measuring();
    simulation.traffic.borrow_mut().set_strangers(per_second);
    simulation.run_until(WARM_UP + minutes * 60_000);
    simulation.figures()
}

/// KV gets the key of an attacker in place of the provider's, with the present as the time of its fetch, once; all of its
/// caches have it. The attacker sends tokens under that key everywhere.
pub fn poison(simulation: &mut Simulation) -> Figures {
    simulation.run_until(WARM_UP);
    let (genuine, evil) = (simulation.platform.provider.signing_key(), SigningKey::new(666));
    let clock = simulation.platform.clock.clone();
    let token = evil.token("attacker", clock.now());
    let key = ProviderLocation::of_issuer(ISSUER).store_key();
    let fetched = format!(r#""jwks_fetched_at":{}}}"#, clock.now());
    let change = |record: &str| {
        let record = record.replace(&genuine.kid, &evil.kid).replace(&genuine.x, &evil.x);
        let at = record.rfind(r#""jwks_fetched_at""#).expect("the time of the fetch");
        format!("{}{fetched}", &record[..at])
    };
    simulation.platform.kv.borrow_mut().poison(&key, change, clock.milliseconds());
    simulation.begin_measuring();
    simulation.traffic.borrow_mut().set_probe(Some(&token), PROBE_SECONDS);
    simulation.run_until(WARM_UP + HOUR * 9 / 10);
    followed(simulation, WARM_UP)
}

/// The figures, with the seconds from `since` until the last location ceased to accept the probe.
#[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn followed(simulation: &Simulation, since: u64) -> Figures {
    let last = simulation.measures.borrow().last_accepted_at();
    Figures { followed_after: Some(last.map_or(0.0, |at| (at - since) as f64 / 1000.0)), ..simulation.figures() }
}
