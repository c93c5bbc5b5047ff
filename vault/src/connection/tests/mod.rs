//! Exchanges at a provider that records what it is sent.

use std::{cell::RefCell, collections::VecDeque, rc::Rc};

use mcp_edge_identity::Identity;
use mcp_edge_oauth::provider::{Provider, ProviderLocation};
use mcp_edge_runtime::{
    ports::{Fetch, FetchError, HttpRequest, HttpResponse},
    secret::Secret,
};
use serde_json::{Value, json};

use super::{
    caller::Caller,
    settings::{Exchange, LogtoBroker, LogtoVault, Management, RegisteredClient},
};

mod exchange;
mod issuance;
mod logto;

const NOW: u64 = 1_800_000_000;
const ISSUER: &str = "https://tenant.example/oidc";
const TOKEN_ENDPOINT: &str = "https://tenant.example/oidc/token";

/// What was asked: method, URL, authorization, body.
type Asked = (String, String, String, String);

/// Answers one after the other.
#[derive(Default)]
struct Answers {
    answers: RefCell<VecDeque<Result<HttpResponse, FetchError>>>,
    asked: RefCell<Vec<Asked>>,
}

impl Answers {
    fn new(answers: &[(u16, Value)]) -> Self {
        let answer = |(status, body): &(u16, Value)| {
            Ok(HttpResponse { status: *status, challenge: String::new(), body: body.to_string() })
        };
        Self { answers: RefCell::new(answers.iter().map(answer).collect()), asked: RefCell::default() }
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.borrow().clone()
    }
}

impl Fetch for Answers {
    async fn fetch(&self, request: HttpRequest<'_>) -> Result<HttpResponse, FetchError> {
        let body = request.body.media_type_and_text().map(|(_, text)| text.to_owned()).unwrap_or_default();
        let authorization = request.authorization.unwrap_or_default().to_owned();
        let asked = (request.method.as_str().to_owned(), request.url.to_owned(), authorization, body);
        self.asked.borrow_mut().push(asked);
        let next = self.answers.borrow_mut().pop_front();
        next.unwrap_or_else(|| Err(FetchError::Network("connection refused".to_owned())))
    }
}

fn provider() -> Provider {
    let location =
        ProviderLocation { issuer: ISSUER.to_owned(), urls: mcp_edge_oauth::provider::ProviderUrls::default() };
    let document =
        json!({"issuer": ISSUER, "jwks_uri": "https://tenant.example/jwks", "token_endpoint": TOKEN_ENDPOINT});
    Provider::parse(&document.to_string(), &location).unwrap()
}

fn client(id: &str) -> RegisteredClient {
    RegisteredClient { client_id: id.to_owned(), client_secret: Some(Secret::new("s3cret")) }
}

fn caller(token: &str) -> Caller {
    let identity = Identity::for_test("ada", "").with(|verified| verified.issuer = ISSUER.to_owned());
    Caller { identity: Rc::new(identity), access_token: Secret::new(token) }
}

fn scopes(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The parameters of a form.
fn parameters(body: &str) -> Vec<(String, String)> {
    let form = mcp_edge_sign_in::form::Form::parse(body);
    let names = body.split('&').filter_map(|pair| pair.split('=').next());
    names.map(|name| (name.to_owned(), form.first(name).to_owned())).collect()
}

/// Runs a future that waits for nothing.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    use futures_util::FutureExt;
    future.now_or_never().unwrap()
}
