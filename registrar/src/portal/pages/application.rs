//! Pages about a developer's applications.

use std::fmt::Write;

use mcp_edge_runtime::http::Response;
use mcp_edge_sign_in::{html::escape, session::Session};
use serde_json::json;

use super::{
    super::form::{Form, MetadataForm},
    Pages, hidden,
};
use crate::{
    application::{ApplicationType, needing_consent},
    record::{Listed, Record},
    secret::Secret,
};

impl Pages {
    /// One's applications.
    #[must_use]
    pub fn list(&self, session: &Session, clients: &[(String, Listed)], now: u64) -> Response {
        let mut rows = String::new();
        for (client_id, listed) in clients {
            let days = now.saturating_sub(listed.created_at) / 86_400;
            let age = match days {
                0 => "today".to_owned(),
                1 => "yesterday".to_owned(),
                days => format!("{days} days ago"),
            };
            let _ = write!(
                rows,
                r#"<li><a href="/applications/{id}">{name}</a><span class="small">created {age} · <code>{id}</code></span></li>"#,
                id = escape(client_id),
                name = escape(&listed.name),
            );
        }
        let list = if clients.is_empty() {
            "<p class=\"lead\">You have none yet. Create one for each agent that you build.</p>".to_owned()
        } else {
            format!("<ul class=\"rows\">{rows}</ul>")
        };
        let content = format!(
            r#"<h1>Your applications</h1>
{list}
<p class="buttons"><a class="button" href="/applications/new">Create an application</a></p>
<p class="small">{} of {} used.</p>"#,
            clients.len(),
            self.limits.per_developer
        );
        self.page(200, Some(session), "Your applications", &content)
    }

    /// One application: what it is, how to use it, and the form to change it. `secret` is shown now and never again.
    #[must_use]
    pub fn application(
        &self,
        session: &Session,
        client_id: &str,
        record: &Record,
        once: &Form,
        secret: Option<&Secret>,
        done: Option<&str>,
    ) -> Response {
        let metadata = &record.metadata;
        let id = escape(client_id);
        let has_secret = metadata.token_endpoint_auth_method.has_secret();
        let done =
            done.map_or_else(String::new, |text| format!(r#"<p class="note" role="status">{}</p>"#, escape(text)));
        let shown = secret.map_or_else(String::new, |secret| {
            format!(
                r#"<div class="note secret" role="status"><h2>Client secret</h2>
<p><code id="secret">{}</code> <button type="button" class="quiet copy" data-copy="secret" hidden>Copy</button></p>
<p>Copy it now: it is shown this once. Keep it on your server, out of code that others see.</p></div>"#,
                escape(secret.expose())
            )
        });
        let configuration = self.configuration(client_id, record);
        let scopes: Vec<String> =
            metadata.scopes().map(|it| needing_consent(&it).map(str::to_owned).collect()).unwrap_or_default();
        let facts = [
            (
                "Client id",
                format!(
                    r#"<code id="client-id">{id}</code> <button type="button" class="quiet copy" data-copy="client-id" hidden>Copy</button>"#
                ),
            ),
            ("Kind", format!("{} application", ApplicationType::of(metadata).name())),
            ("MCP server", format!("<code>{}</code>", escape(&self.mcp_resource))),
            ("Identity provider", format!("<code>{}</code>", escape(&self.issuer))),
            ("May ask users for", format!("<code>{}</code>", escape(&scopes.join(" ")))),
        ];
        let facts =
            facts.iter().fold(String::new(), |list, (term, text)| list + &format!("<dt>{term}</dt><dd>{text}</dd>"));
        let rotation = if has_secret {
            format!(
                r#"<section><h2>Replace the secret</h2>
<p class="lead">The old one stops working at once.</p>
<form method="post" action="/applications/{id}/secret">{}<input type="hidden" name="once" value="{}">
<button class="quiet">Replace the client secret</button></form></section>"#,
                hidden(session),
                escape(once.first("once")),
            )
        } else {
            String::new()
        };
        let content = format!(
            r#"<p class="small"><a href="/">Your applications</a></p>
<h1>{name}</h1>
{done}{shown}
<dl>{facts}</dl>
<section><h2>Connect a client</h2>
<p class="lead">For clients that are configured with a file, by way of <code>mcp-remote</code>:</p>
<pre tabindex="0"><code id="configuration">{configuration}</code></pre>
<p><button type="button" class="quiet copy" data-copy="configuration" hidden>Copy</button></p></section>
<section><h2>Change it</h2>
{form}</section>
{rotation}
<section><h2>Delete it</h2>
<p class="lead">Nobody can sign in through it any more, and its users are signed out as their tokens expire.</p>
<p><a class="button danger" href="/applications/{id}/delete">Delete this application…</a></p></section>"#,
            name = escape(&metadata.client_name),
            configuration = escape(&configuration),
            form = self.edit_form(session, client_id, &Form::of(metadata), &[]),
        );
        self.page(200, Some(session), &metadata.client_name, &content)
    }

    /// The question before an application is removed.
    #[must_use]
    pub fn confirm_removal(&self, session: &Session, client_id: &str, record: &Record) -> Response {
        let content = format!(
            r#"<h1>Delete {name}?</h1>
<p class="lead">Agents that use the client id <code>{id}</code> stop working. This cannot be undone.</p>
<form method="post" action="/applications/{id}/delete">{hidden}
<div class="buttons"><button class="danger">Delete</button><a class="button quiet" href="/applications/{id}">Keep it</a></div></form>"#,
            name = escape(&record.metadata.client_name),
            id = escape(client_id),
            hidden = hidden(session),
        );
        self.page(200, Some(session), "Delete?", &content)
    }

    /// What an MCP client's configuration file says, for the bridge that most of them can start.
    fn configuration(&self, client_id: &str, record: &Record) -> String {
        let mut information = json!({ "client_id": client_id });
        if record.metadata.token_endpoint_auth_method.has_secret() {
            information["client_secret"] = "your client secret".into();
        }
        let arguments = ["mcp-remote", &self.mcp_resource, "--static-oauth-client-info", &information.to_string()];
        let server = json!({ "command": "npx", "args": arguments });
        let configuration = json!({ "mcpServers": { "agent": server } });
        serde_json::to_string_pretty(&configuration).unwrap_or_default()
    }
}
