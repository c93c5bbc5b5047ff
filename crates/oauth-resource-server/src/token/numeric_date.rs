//! NumericDate (RFC 7519 §2).

use serde_json::Value;

/// NumericDate beyond this (the year 9999) is an error in units, not a date.
const LATEST_DATE: f64 = 253_402_300_799.0;

/// A NumericDate (RFC 7519 §2): a JSON number, perhaps fractional, within the years 1970 to 9999.
#[must_use]
pub fn numeric_date(value: &Value) -> Option<f64> {
    value.as_f64().filter(|date| (0.0..=LATEST_DATE).contains(date))
}

/// The seconds of a date that [`numeric_date`] let through and that has no fraction left.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the year 9999")]
#[must_use]
pub fn whole_seconds(date: f64) -> u64 {
    date as u64
}
