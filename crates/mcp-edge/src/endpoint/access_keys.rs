//! Access keys at the endpoint: what they are exchanged with, and `/account`, which the vault answers.

use std::{rc::Rc, time::Duration};

use mcp_edge_oauth::{
    denial::{Denial, Excerpt},
    exchange::Exchanges,
};
use mcp_edge_runtime::{
    context::RequestContext,
    http::{Body, RequestHead, Response},
    json::Object,
    log::LogRecord,
    ports::Services,
    proxy::{Proxy, ProxyError, ProxyRequest},
    service_call::CallService,
};

use super::Endpoint;

/// Where the vault's pages begin.
const PATH: &str = "/account";

/// What the vault learns of a request beside its method, path, query and body. Nothing says who is calling: the vault
/// believes its own cookies, and nothing that this Worker says.
const HEADERS: [&str; 6] =
    ["cookie", "content-type", "origin", "sec-fetch-site", "accept-language", "cf-connecting-ip"];

/// Forms are small.
const MAX_BODY: usize = 64 * 1024;

/// The vault asks the provider for tokens, keys and the end of a grant, each of which has a limit of its own.
const TIMEOUT: Duration = Duration::from_mins(1);

const RETRY_SECONDS: u64 = 5;

/// What logs call a request whose client did not wait for the response.
const CLIENT_HAS_LEFT: u16 = 499;

/// Whether a path belongs to the vault's pages.
pub(super) fn is_at(path: &str) -> bool {
    path.strip_prefix(PATH).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl<E: Clone + 'static, S: Services> Endpoint<E, S> {
    /// The same with access keys and personal access tokens, as the settings say: `pages` answers `/account`, and `vault` the
    /// calls that exchange credentials.
    #[must_use]
    pub fn with_access_keys(mut self, pages: Option<Rc<dyn Proxy>>, vault: Option<impl CallService + 'static>) -> Self {
        self.accept_keys(pages, vault);
        self
    }

    /// The same for an endpoint that is already where it stays.
    pub(crate) fn accept_keys(&mut self, pages: Option<Rc<dyn Proxy>>, vault: Option<impl CallService + 'static>) {
        let credentials = &self.settings.access_keys.credentials;
        for warning in credentials.warnings() {
            self.services.error(&Object::new().text("warning", &warning).close());
        }
        if let Some(first) = self.resource_server.keys().first() {
            let exchanges = Exchanges::new(Rc::clone(credentials), Rc::clone(first), vault, self.services.clone());
            self.resource_server.exchange_with(Rc::new(exchanges));
        }
        self.account = pages;
    }

    /// The vault's response to a request for its pages.
    pub(super) async fn account(
        &self,
        pages: &dyn Proxy,
        head: &RequestHead<'_>,
        context: &RequestContext,
        record: &mut LogRecord,
    ) -> Response {
        let mut url = [&self.settings.resource.origin, head.path()].concat();
        if !head.query().is_empty() {
            url += "?";
            url += head.query();
        }
        let request = ProxyRequest { url: &url, headers: &HEADERS, max_body: MAX_BODY, timeout: TIMEOUT };
        match pages.pass_on(context, request).await {
            Ok(response) => response,
            Err(ProxyError::TooLarge(_)) => refusal(413, "The request body is larger than 64 KiB"),
            Err(ProxyError::Truncated) => refusal(400, "The request body was truncated"),
            // Nobody reads it; the line of the log says that the vault is not to blame.
            Err(ProxyError::Disconnected) => refusal(CLIENT_HAS_LEFT, "The client has disconnected"),
            Err(error) => {
                let denial =
                    Denial::VaultUnavailable { cause: Excerpt::new(&error.to_string()), retry_after: RETRY_SECONDS };
                denial.add_to(record);
                let is_page = context.connection.header("accept").is_some_and(|types| types.contains("text/html"));
                if is_page { unavailable_page() } else { self.challenge.response(&denial) }
            }
        }
    }
}

fn refusal(status: u16, description: &str) -> Response {
    let body = ["{\"error\":\"invalid_request\",\"error_description\":\"", description, "\"}"].concat();
    Response::json(status, body).with_header("cache-control", "no-store")
}

/// What users see while the vault does not answer.
fn unavailable_page() -> Response {
    let page = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
                content=\"width=device-width\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<title>Your account is \
                unavailable</title>\n<main>\n<h1>Your account is unavailable</h1>\n<p>The part of this server that keeps \
                access keys and connected accounts does not answer. Nothing is lost. Please try again in a few \
                seconds.</p>\n</main>\n</html>\n";
    let mut response = Response::empty(503)
        .with_header("content-type", "text/html; charset=utf-8")
        .with_header("x-content-type-options", "nosniff")
        .with_header("content-security-policy", "default-src 'none'; frame-ancestors 'none'")
        .with_header("cache-control", "no-store")
        .with_header("retry-after", RETRY_SECONDS.to_string());
    response.body = Body::Text(page.into());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_account_and_what_is_below_is_the_vaults() {
        for path in ["/account", "/account/", "/account/keys", "/account/callback"] {
            assert!(is_at(path), "{path}");
        }
        for path in ["/", "/accounts", "/account-x", "/Account", "//account", "/x/account", "/account%2fkeys", "/mcp"] {
            assert!(!is_at(path), "{path}");
        }
    }
}
