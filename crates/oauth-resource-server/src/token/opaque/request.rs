//! Requests to the provider about opaque tokens (RFC 7662 §2.1, OpenID Connect Core §5.3.1).

use std::time::Duration;

use crate::client_authentication::{basic, form_encode};
use mcp_edge_runtime::{
    ports::{HttpRequest, Method, RequestContent},
    secret::Secret,
};

/// Introspection sits in a user's request: a provider that needs longer is treated as down.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Real answers have below 2 KB.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// The form and the `Authorization` of an introspection request (RFC 7662 §2.1, RFC 6749 §2.3.1). `posts_secret`: our
/// client's credentials are in the form (`client_secret_post`), else in the header (`client_secret_basic`).
#[must_use]
pub fn introspection_form(
    token: &str,
    client_id: &str,
    client_secret: &Secret,
    posts_secret: bool,
) -> (String, Option<String>) {
    let form = format!("token={}&token_type_hint=access_token", form_encode(token));
    let secret = client_secret.expose();
    if posts_secret {
        let (id, secret) = (form_encode(client_id), form_encode(secret));
        (format!("{form}&client_id={id}&client_secret={secret}"), None)
    } else {
        (form, Some(basic(client_id, secret)))
    }
}

/// Creates a request to `url` within the limits for opaque tokens.
#[must_use]
pub fn request<'a>(url: &'a str, authorization: Option<&'a str>, form: Option<&'a str>) -> HttpRequest<'a> {
    HttpRequest {
        method: if form.is_some() { Method::POST } else { Method::GET },
        url,
        authorization,
        body: form.map_or(RequestContent::Empty, RequestContent::Form),
        timeout: TIMEOUT,
        max_body: MAX_ANSWER_BYTES,
    }
}
