//! Resources: two that never change, one to be watched, and a family of them under a template.

use mcp_edge::{Call, Resource, ResourceTemplate, ServerBuilder, schema};
use serde_json::json;

use crate::samples::PNG;

/// Adds the resources.
pub fn add_to<E: Clone + 'static>(server: ServerBuilder<E>) -> ServerBuilder<E> {
    server
        .resource(
            Resource::text("test://static-text", "static-text", "This is the content of the static text resource.")
                .description("A text that never changes")
                .mime_type("text/plain"),
        )
        .resource(
            Resource::bytes("test://static-binary", "static-binary", PNG)
                .description("An image that never changes")
                .mime_type("image/png"),
        )
        .resource(
            Resource::new("test://watched-resource", "watched-resource", watched)
                .description("A text to subscribe to")
                .mime_type("text/plain"),
        )
        .resource_template(
            ResourceTemplate::new("test://template/{id}/data", "template-data", data)
                .description("Data by id")
                .mime_type("application/json")
                .complete_among("id", ["123", "456"]),
        )
}

async fn watched<E>(call: Call<E>) -> String {
    format!("Read at {} seconds since 1970.", call.now())
}

#[schema(input)]
struct Variables {
    id: String,
}

async fn data<E>(_: Call<E>, Variables { id }: Variables) -> String {
    json!({"id": id, "templateTest": true, "data": format!("Data for ID: {id}")}).to_string()
}
