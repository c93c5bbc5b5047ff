//! The alarm of a Durable Object: one point in time at which the platform wakes it.

/// The alarm of one object. It has at most one; setting replaces it.
#[allow(async_fn_in_trait, reason = "isolates have one thread: futures need not be Send")]
pub trait Alarms {
    /// Wakes the object at `at`, in milliseconds since 1970, or at once if that has passed.
    ///
    /// # Errors
    /// [`AlarmError`]; the earlier alarm, if any, stays.
    async fn set_alarm(&self, at: u64) -> Result<(), AlarmError>;

    /// When the object will be woken, in milliseconds since 1970. While it handles its alarm there is none, unless it has
    /// set the next one.
    ///
    /// # Errors
    /// [`AlarmError`].
    async fn get_alarm(&self) -> Result<Option<u64>, AlarmError>;

    /// Deletes the alarm, if any.
    ///
    /// # Errors
    /// [`AlarmError`]; the alarm stays.
    async fn delete_alarm(&self) -> Result<(), AlarmError>;
}

/// The storage of alarms failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("alarm: {0}")]
pub struct AlarmError(pub String);
