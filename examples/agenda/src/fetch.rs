//! `fetch` as the [`Web`] of this Worker.

use mcp_edge::Secret;
use worker::{Env, Fetch, Headers, Method, Request, RequestInit, RequestRedirect};

use crate::web::{Answer, NoAnswer, Web};

/// What the tools get from [`Call::env`](mcp_edge::Call::env) is the Worker's own environment.
impl Web for Env {
    async fn get(&self, url: &str, authorization: &Secret) -> Result<Answer, NoAnswer> {
        send(url, authorization).await.map_err(|error| {
            worker::console_error!("GET {url}: {error}");
            NoAnswer
        })
    }
}

async fn send(url: &str, authorization: &Secret) -> worker::Result<Answer> {
    let headers = Headers::new();
    headers.set("authorization", authorization.expose())?;
    headers.set("accept", "application/json")?;
    let mut init = RequestInit::new();
    init.with_method(Method::Get).with_headers(headers).with_redirect(RequestRedirect::Manual);
    let mut response = Fetch::Request(Request::new_with_init(url, &init)?).send().await?;
    Ok(Answer { status: response.status_code(), body: response.text().await? })
}
