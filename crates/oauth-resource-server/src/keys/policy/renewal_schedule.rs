//! When an isolate renews its copy: at a moment of its own, so that not all do it at once.

use super::limits::{CONFIRM_SECONDS, FRESH_SECONDS, LEAD_STEP_SECONDS, MAX_LEAD_SECONDS};
use crate::keys::record::Record;

/// When the copy at hand is renewed. Until it is drawn, at [`FRESH_SECONDS`].
#[derive(Debug, Default)]
pub(super) struct RenewalSchedule {
    /// So many seconds before [`FRESH_SECONDS`].
    lead: Option<u64>,
    /// When the provider is asked although the store has fresh copies.
    confirm_at: Option<u64>,
    /// Whether the keys are of the store; the document beside them may be our own.
    is_from_store: bool,
}

impl RenewalSchedule {
    /// Decides what is not decided, by a random number.
    pub fn draw(&mut self, random: u64, now: u64) {
        let bytes = random.to_le_bytes();
        // Each further bit that is set at the top is half as probable; the lowest byte divides the step.
        let (steps, part) = (u64::from(random.leading_ones()), u64::from(bytes[0]));
        let lead = (steps * 256 + part) * LEAD_STEP_SECONDS / 256;
        self.lead.get_or_insert(lead.min(MAX_LEAD_SECONDS));
        let earlier = u64::from(bytes[1]) * (CONFIRM_SECONDS / 2) / 256;
        self.confirm_at.get_or_insert(now + CONFIRM_SECONDS - earlier);
    }

    /// A copy of the store took the place of the one that the lead was drawn for.
    pub fn store_answered(&mut self) {
        (self.lead, self.is_from_store) = (None, true);
    }

    /// The provider itself has answered.
    pub fn provider_answered(&mut self) {
        *self = Self::default();
    }

    /// How long before [`FRESH_SECONDS`] the copy is renewed, in seconds.
    pub fn lead(&self) -> u64 {
        self.lead.unwrap_or_default()
    }

    /// Whether the copy has the age at which it is renewed.
    pub fn is_old(&self, copy: &Record, now: u64) -> bool {
        copy.keys_age(now) + self.lead() >= FRESH_SECONDS
    }

    /// Whether the provider is to be asked: the copy is old, or all that was heard for a long time came from the store.
    pub fn is_due(&self, copy: &Record, now: u64) -> bool {
        let is_unconfirmed = self.is_from_store && self.confirm_at.is_some_and(|at| now >= at);
        is_unconfirmed || self.is_old(copy, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lead(random: u64) -> u64 {
        let mut schedule = RenewalSchedule::default();
        schedule.draw(random, 0);
        schedule.lead()
    }

    #[test]
    fn each_further_step_is_half_as_probable_and_there_is_a_last_one() {
        assert_eq!(lead(0), 0);
        assert_eq!(lead(1 << 63), LEAD_STEP_SECONDS);
        assert_eq!(lead(0b11 << 62), 2 * LEAD_STEP_SECONDS);
        assert_eq!(lead(0xff), LEAD_STEP_SECONDS - 1, "within the step");
        assert_eq!(lead(u64::MAX), MAX_LEAD_SECONDS);
    }

    #[test]
    fn what_was_decided_stays_until_there_is_another_copy() {
        let mut schedule = RenewalSchedule::default();
        schedule.draw(1 << 63, 0);
        schedule.draw(0, 1);
        assert_eq!(schedule.lead(), LEAD_STEP_SECONDS);
        schedule.store_answered();
        schedule.draw(0, 2);
        assert_eq!(schedule.lead(), 0);
        assert_eq!(schedule.confirm_at, Some(CONFIRM_SECONDS), "counted from the first copy");
        schedule.provider_answered();
        schedule.draw(0xff00, 100);
        assert_eq!(schedule.confirm_at, Some(100 + CONFIRM_SECONDS - 255 * (CONFIRM_SECONDS / 2) / 256));
    }
}
