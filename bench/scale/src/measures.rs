//! What is counted, and the figures that are made of it.

use std::collections::BTreeMap;

use mcp_edge_oauth::denial::Denial;
use serde::{Deserialize, Serialize};

use crate::{kv::Operations, provider::Requests, traffic::Sender};

/// What came of the requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Measures {
    /// Requests of users and programs.
    pub requests: u64,
    /// Those of users among them.
    pub of_users: u64,
    /// Those of users that waited for the store or the provider. Every program waits for the vault once a minute.
    pub waited: u64,
    /// Those of them that were answered with 503.
    pub unavailable: u64,
    /// Those of them that were refused (401), by reason.
    pub refused: BTreeMap<&'static str, u64>,
    /// The age of the oldest copy of the keys that an accepted request was verified with, in seconds.
    pub oldest_copy: u64,
    /// Requests of strangers, and those of them that were answered with 503.
    pub strangers: (u64, u64),
    /// When the probe was last accepted, in milliseconds, by location.
    pub probe_accepted_at: BTreeMap<usize, u64>,
    /// Whether a probe was sent there at all.
    pub probes: BTreeMap<usize, u64>,
}

/// How a request ended.
pub struct Ended<'a> {
    /// Where.
    pub location: usize,
    /// Whose it was.
    pub sender: Sender,
    /// In milliseconds.
    pub began: u64,
    /// In milliseconds.
    pub now: u64,
    /// The age of the copy of the keys that was used, in seconds; `None` if there is none.
    pub copy_age: Option<u64>,
    /// Why it was refused, if it was.
    pub denial: Option<&'a Denial>,
}

impl Measures {
    /// Counts a request that has ended.
    pub fn note(&mut self, ended: &Ended<'_>) {
        let is_unavailable = ended.denial.is_some_and(|denial| denial.reason().is_outage());
        match ended.sender {
            Sender::Stranger => {
                self.strangers.0 += 1;
                self.strangers.1 += u64::from(is_unavailable);
            }
            Sender::Probe => {
                *self.probes.entry(ended.location).or_default() += 1;
                if ended.denial.is_none() {
                    self.probe_accepted_at.insert(ended.location, ended.now);
                }
            }
            Sender::User(_) | Sender::Program => {
                let is_of_user = ended.sender != Sender::Program;
                self.requests += 1;
                self.of_users += u64::from(is_of_user);
                self.waited += u64::from(is_of_user && ended.now > ended.began);
                match ended.denial {
                    None => self.oldest_copy = self.oldest_copy.max(ended.copy_age.unwrap_or_default()),
                    Some(_) if is_unavailable => self.unavailable += 1,
                    Some(denial) => *self.refused.entry(denial.reason().slug()).or_default() += 1,
                }
            }
        }
    }

    /// When the last location ceased to accept the probe, in milliseconds.
    #[must_use]
    pub fn last_accepted_at(&self) -> Option<u64> {
        self.probe_accepted_at.values().max().copied()
    }
}

/// The counters of the platform at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// In milliseconds.
    pub at: u64,
    /// Of the provider.
    pub provider: Requests,
    /// Of KV.
    pub kv: Operations,
    /// Requests to Durable Objects.
    pub objects: u64,
    /// Requests of the vault to the provider's token endpoint.
    pub refreshes: u64,
    /// Isolates that have started.
    pub isolates: u64,
}

/// The figures of one run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Hours that were measured.
    pub hours: f64,
    /// Requests of customers.
    pub requests: u64,
    /// Isolates that ran at a time, on average.
    pub isolates: f64,
    /// Isolates that started, a day.
    pub started_per_day: f64,
    /// Requests for the discovery document, an hour.
    pub discovery_per_hour: f64,
    /// Requests for the key set, an hour.
    pub keys_per_hour: f64,
    /// The most requests that the provider received in a minute.
    pub peak_of_a_minute: u64,
    /// KV reads a day, and those of them that no cache of KV answered.
    pub kv_reads_per_day: f64,
    /// Likewise.
    pub kv_central_reads_per_day: f64,
    /// KV writes a day, those that were refused included.
    pub kv_writes_per_day: f64,
    /// KV operations a day that were refused.
    pub kv_refused_per_day: f64,
    /// Requests to Durable Objects a day.
    pub objects_per_day: f64,
    /// Requests of the vault to the provider's token endpoint, an hour.
    #[serde(default)]
    pub refreshes_per_hour: f64,
    /// Of a million requests, those that were answered with 503.
    pub unavailable_ppm: f64,
    /// Requests that were answered with 503.
    pub unavailable: u64,
    /// Of a million requests of users, those that waited for the store or the provider.
    pub waited_ppm: f64,
    /// Requests of users and programs that were refused.
    pub refused: u64,
    /// The oldest copy that an accepted request was verified with, in seconds.
    pub oldest_copy: u64,
    /// Seconds until the last location followed, where a scenario asks for that.
    pub followed_after: Option<f64>,
    /// Requests of strangers, and of a million those that were answered with 503.
    pub strangers: u64,
    /// Likewise.
    pub strangers_unavailable_ppm: f64,
}
