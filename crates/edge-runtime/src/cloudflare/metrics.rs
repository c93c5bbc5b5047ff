//! One data point for each request in Workers Analytics Engine, if the binding is there.

use worker::Env;

use super::bridge;
use crate::log::LogRecord;

/// The optional dataset's binding.
const BINDING: &str = "METRICS";

/// Whether the binding is there.
pub fn are_wanted(env: &Env) -> bool {
    bridge::has_binding(env, BINDING)
}

/// Writes a data point. Index: the route. Blobs: outcome, reason, tier, MCP method, tool; empty for what the record does
/// not have. Doubles: status, milliseconds.
#[allow(clippy::cast_precision_loss, reason = "a duration far below 2^52")]
pub fn write(env: &Env, record: &LogRecord, outcome: &str, status: u16, ms: u64) {
    let blobs = [outcome, record.get("reason"), record.get("tier"), record.get("method"), record.get("tool")];
    bridge::write_data_point(env, BINDING, record.get("route"), &blobs.join("\n"), f64::from(status), ms as f64);
}
