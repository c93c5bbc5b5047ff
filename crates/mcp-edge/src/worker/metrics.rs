//! One data point for each request in Workers Analytics Engine, if the binding is there.

use worker::{AnalyticsEngineDataPointBuilder, Env};

use crate::log::AccessLog;

/// The optional dataset's binding.
const BINDING: &str = "METRICS";

/// Whether the binding is there.
pub fn are_wanted(env: &Env) -> bool {
    env.analytics_engine(BINDING).is_ok()
}

/// Index: the route. Blobs: outcome, reason, tier, MCP method, tool. Doubles: status, milliseconds.
pub fn write(env: &Env, log: &AccessLog) {
    let Ok(dataset) = env.analytics_engine(BINDING) else { return };
    let point = AnalyticsEngineDataPointBuilder::new()
        .indexes([log.route])
        .add_blob(log.outcome)
        .add_blob(log.reason.unwrap_or_default())
        .add_blob(log.tier.unwrap_or_default())
        .add_blob(log.method.unwrap_or_default())
        .add_blob(log.tool.as_deref().unwrap_or_default())
        .add_double(log.status)
        .add_double(u32::try_from(log.ms).unwrap_or(u32::MAX));
    // A lost data point is not worth a failed request.
    let _ = point.write_to(&dataset);
}
