//! Events: a calendar service keeps them, where users have accounts of its own.

use mcp_edge::prelude::*;

use crate::{READ, service, web::Web};

/// The service answers with at most a month.
const DAYS: u8 = 31;

/// What the service answers, and what the tool returns.
#[schema]
struct Events {
    /// The first one first.
    events: Vec<Event>,
}

/// Something that the user has planned.
#[schema]
struct Event {
    /// What it is.
    title: String,
    /// When it begins (RFC 3339).
    starts_at: String,
}

/// Lists the events in the user's calendar, from today on.
#[tool(
    title = "List events",
    scope = READ,
    needs_user,
    connection("calendar", "events:read"),
    read_only
)]
pub async fn list_events<W: Web>(
    call: Call<W>,
    /// How many days, with today.
    #[schemars(range(min = 1, max = DAYS))]
    #[default(7)]
    days: u8,
) -> Result<Json<Events>, ToolError> {
    let body = service::get(&call, "calendar", &format!("/events?days={days}")).await?;
    serde_json::from_str(&body).map(Json).map_err(ToolError::internal)
}
