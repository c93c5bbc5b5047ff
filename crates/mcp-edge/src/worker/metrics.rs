//! One data point for each request in Workers Analytics Engine, if the binding is there.

use worker::Env;

use super::prelude;
use crate::log::AccessLog;

/// The optional dataset's binding.
const BINDING: &str = "METRICS";

/// Whether the binding is there.
pub fn are_wanted(env: &Env) -> bool {
    prelude::has_binding(env, BINDING)
}

/// Index: the route. Blobs: outcome, reason, tier, MCP method, tool. Doubles: status, milliseconds.
#[allow(clippy::cast_precision_loss, reason = "a duration far below 2^52")]
pub fn write(env: &Env, log: &AccessLog) {
    let (reason, tier) = (log.reason.unwrap_or_default(), log.tier.unwrap_or_default());
    let (method, tool) = (log.method.unwrap_or_default(), log.tool.as_deref().unwrap_or_default());
    let blobs = [log.outcome, reason, tier, method, tool].join("\n");
    prelude::write_data_point(env, BINDING, log.route, &blobs, f64::from(log.status), log.ms as f64);
}
