//! Key policy: what to do about a key, decided without doing it. A state machine over plain data.
//!
//! [`JwksState`] is what one isolate knows about one issuer's keys. A request asks [`JwksState::next`] for an [`Action`],
//! carries it out, reports the outcome, and asks again until the action is final. What the machine guarantees, regardless of what
//! the provider and the senders of bad tokens do:
//!
//! - a key is used only while the copy it comes from is younger than [`CEILING_SECONDS`];
//! - no two requests to the provider within [`COOL_DOWN_SECONDS`], failed ones included, except a small burst for
//!   tokens whose key may be newer than the copy, and retries every [`COLD_RETRY_SECONDS`] while nobody can be served;
//! - a copy of about [`FRESH_SECONDS`] is used at once and renewed in the background, by a newer one of the store if
//!   another isolate has put it there; regardless of the store, the first request after [`CONFIRM_SECONDS`] at most
//!   makes the isolate ask the provider;
//! - a copy older than [`REVALIDATE_SECONDS`] is used only if the last attempt to renew it failed, or takes longer than a request
//!   waits. The pause before the next attempt grows with each failure in turn, up to [`MAX_RENEWAL_PAUSE_SECONDS`]. So a withdrawn
//!   key is used for an hour at most while the provider answers; in an outage for a day, and for that pause after it;
//! - a token is refused only when a key set newer than the token proves it bad; when that cannot be known, the answer
//!   is "come back later";
//! - memory is bounded.
//!
//! Requests of one isolate run interleaved and share this state, never a promise: a request that finds the lease taken
//! waits a moment and looks again. A holder that dies without a report loses the lease after [`LEASE_SECONDS`].

mod action;
mod limits;
mod query;
mod renewal_schedule;
mod state;
mod unknown_kids;

pub use action::{Action, KeyRefusal, Refresh};
pub use limits::*;
pub use query::{Assurance, Attempted, KeyQuery};
pub use state::JwksState;
pub use unknown_kids::{MAX_UNKNOWN_KIDS, UNKNOWN_KID_SECONDS};
