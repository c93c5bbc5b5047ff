//! Invoices: the company's own API has them, and its users are those of the identity provider.

use mcp_edge::prelude::*;

use crate::{READ, service, web::Web};

/// What the API answers, and what the tool returns.
#[schema]
struct Invoices {
    /// The oldest first.
    invoices: Vec<Invoice>,
}

/// What the user has to pay.
#[schema]
struct Invoice {
    /// The number of the invoice.
    number: String,
    /// How much, with the currency.
    amount: String,
    /// Until when (RFC 3339).
    due_on: String,
}

/// Lists the user's open invoices.
#[tool(
    title = "My invoices",
    scope = READ,
    needs_user,
    connection("billing", "invoices:read"),
    read_only
)]
pub async fn my_invoices<W: Web>(call: Call<W>) -> Result<Json<Invoices>, ToolError> {
    let body = service::get(&call, "billing", "/invoices").await?;
    serde_json::from_str(&body).map(Json).map_err(ToolError::internal)
}
