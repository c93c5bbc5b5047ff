//! What people see. Plain HTML that works without scripts; every page comes with the same strict headers.

use std::fmt::Write;

use mcp_edge::http::Response;
use serde_json::json;

use super::{
    form::{Form, Problem},
    html::escape,
    session::Session,
    sign_in::Account,
};
use crate::{
    application::{ApplicationType, needing_consent},
    policy::Limits,
    record::{Listed, Record},
    secret::Secret,
    settings::Settings,
};

/// Style and script are files of our own; nothing is loaded from elsewhere, no form leads elsewhere.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// The pages of this deployment.
pub struct Pages {
    name: String,
    mcp_resource: String,
    resource: String,
    /// What developers need, as scopes of `resource`.
    permission: String,
    issuer: String,
    scopes: Vec<String>,
    limits: Limits,
    /// Links at the foot of each page: text and address.
    links: Vec<(&'static str, String)>,
}

/// A text field of the form.
struct Field {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    kind: &'static str,
    placeholder: &'static str,
}

const PAGES: [Field; 4] = [
    Field {
        name: "client_uri",
        label: "Home page",
        hint: "Optional. Where people can read about it.",
        kind: "url",
        placeholder: "https://agent.example.com",
    },
    Field {
        name: "logo_uri",
        label: "Logo",
        hint: "Optional. A picture at an https address; shown when users are asked to allow access.",
        kind: "url",
        placeholder: "https://agent.example.com/logo.png",
    },
    Field {
        name: "tos_uri",
        label: "Terms of service",
        hint: "Optional. Shown beside the question.",
        kind: "url",
        placeholder: "https://agent.example.com/terms",
    },
    Field {
        name: "policy_uri",
        label: "Privacy policy",
        hint: "Optional. What it does with users’ data. Shown beside the question.",
        kind: "url",
        placeholder: "https://agent.example.com/privacy",
    },
];

impl Pages {
    /// Knows what to call things.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let edge = &settings.edge;
        let links = [
            ("Documentation", &edge.documentation),
            ("Privacy", &edge.privacy_policy),
            ("Terms", &edge.terms_of_service),
        ];
        Self {
            name: edge.name.clone().unwrap_or_else(|| "Developer portal".to_owned()),
            mcp_resource: settings.tenant.mcp_resource.clone(),
            resource: edge.resource.url.clone(),
            permission: edge.trust.required_scopes.to_string(),
            issuer: edge.trust.issuers.first().map(|trusted| trusted.issuer.clone()).unwrap_or_default(),
            scopes: settings.policy.allowed_scopes.iter().map(str::to_owned).collect(),
            limits: settings.policy.limits,
            links: links.into_iter().filter_map(|(text, link)| Some((text, link.clone()?))).collect(),
        }
    }

    /// For whoever is not signed in.
    #[must_use]
    pub fn welcome(&self) -> Response {
        let content = format!(
            r#"<h1>Connect your agent</h1>
<p class="lead">Register an application, and users of this product can let your agent in: they sign in, see what it asks
for, and decide. You get a client id for <code>{}</code>.</p>
<p class="buttons"><a class="button" href="/sign-in">Sign in as a developer</a></p>"#,
            escape(&self.mcp_resource)
        );
        self.page(200, None, "Connect your agent", &content)
    }

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

    /// The form for a new application, empty or with what is wrong with it.
    #[must_use]
    pub fn new_application(&self, session: &Session, form: &Form, problems: &[Problem], status: u16) -> Response {
        let kind = |value: &str, title: &str, text: &str| {
            let checked = if form.has("kind", value) { " checked" } else { "" };
            format!(
                r#"<label class="choice"><input type="radio" name="kind" value="{value}" required{checked}><span><strong>{title}</strong> {text}</span></label>"#
            )
        };
        let kinds = format!(
            r#"<fieldset id="kind" aria-describedby="kind-error"><legend>Where does it run?</legend>
{}{}
{}</fieldset>"#,
            kind("public", "On the user’s device or in the browser.", "It cannot keep a secret and gets none."),
            kind("server", "On your own server.", "It gets a client secret, which it must keep."),
            problem_of("kind", problems),
        );
        let content = format!(
            r#"<h1>Create an application</h1>
{summary}
<form method="post" action="/applications" data-check>
{hidden}<input type="hidden" name="once" value="{once}">
{fields}
<div class="buttons"><button>Create application</button><a class="button quiet" href="/">Cancel</a></div>
</form>"#,
            summary = summary_of(problems),
            hidden = hidden(session),
            once = escape(form.first("once")),
            fields = self.fields(form, problems, &kinds),
        );
        let title = if problems.is_empty() { "Create an application" } else { "Not yet: create an application" };
        self.page(status, Some(session), title, &content)
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

    /// The form to change an application, with what is wrong with it.
    #[must_use]
    pub fn edit(
        &self,
        session: &Session,
        client_id: &str,
        record: &Record,
        form: &Form,
        problems: &[Problem],
    ) -> Response {
        let content = format!(
            "<p class=\"small\"><a href=\"/applications/{id}\">{name}</a></p><h1>Not changed yet</h1>{summary}{form}",
            id = escape(client_id),
            name = escape(&record.metadata.client_name),
            summary = summary_of(problems),
            form = self.edit_form(session, client_id, form, problems),
        );
        self.page(422, Some(session), "Not changed yet", &content)
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

    /// For what does not exist, or is somebody else's.
    #[must_use]
    pub fn not_found(&self, session: &Session) -> Response {
        let text = "There is no such application, or it is not yours.";
        self.page(404, Some(session), "Nothing here", &message("Nothing here", text, "/", "Your applications"))
    }

    /// For a form that did not come from one of our pages, or whose session has ended.
    #[must_use]
    pub fn not_from_here(&self, session: &Session) -> Response {
        let text = "The form was not sent by this site in this session, so nothing was changed. Open the page again and repeat it.";
        self.page(403, Some(session), "Not done", &message("Not done", text, "/", "Your applications"))
    }

    /// For a form whose session has ended.
    #[must_use]
    pub fn signed_out(&self, status: u16) -> Response {
        let text = "You were signed out meanwhile, so nothing was changed. Sign in and repeat it.";
        self.page(status, None, "Signed out", &message("Signed out", text, "/sign-in", "Sign in"))
    }

    /// For a sign-in that did not work.
    #[must_use]
    pub fn sign_in_failed(&self, status: u16, explanation: &str) -> Response {
        self.page(status, None, "Not signed in", &message("Not signed in", explanation, "/sign-in", "Try again"))
    }

    /// For a user without the permission: what is missing, and what the operator must know to give it.
    #[must_use]
    pub fn not_a_developer(&self, account: Option<&Account>) -> Response {
        let account = account.map_or_else(String::new, |Account { subject, name }| {
            let id = format!("user id <code>{}</code>", escape(subject));
            let who = name.as_ref().map_or_else(|| id.clone(), |name| format!("{} ({id})", escape(name)));
            format!("You signed in as {who}. ")
        });
        let content = format!(
            r#"<h1>No permission</h1>
<p class="lead" role="alert">{account}This account may not register applications.</p>
<p>It needs the permission <code>{permission}</code> for <code>{resource}</code>. Ask the operator of this product to give
your account a role that has it, then sign in again.</p>
<p class="buttons"><a class="button" href="/sign-in">Sign in with another account</a></p>"#,
            permission = escape(&self.permission),
            resource = escape(&self.resource),
        );
        self.page(403, None, "No permission", &content)
    }

    /// For somebody who has signed out here and is to be signed out at the provider. A form's answer may not lead there
    /// (`form-action`), so the page does.
    #[must_use]
    pub fn signing_out(&self, end_session: &str) -> Response {
        let end_session = escape(end_session);
        let content = format!(
            r#"<h1>Signed out here</h1>
<p class="lead" role="status">Your session at the identity provider ends next.</p>
<p class="buttons"><a class="button" href="{end_session}">Continue</a></p>"#
        );
        let refresh = format!(r#"<meta http-equiv="refresh" content="0; url={end_session}">"#);
        self.page_with(200, None, "Signed out", &content, &refresh)
    }

    /// For everything else that went wrong.
    #[must_use]
    pub fn failed(&self, session: Option<&Session>, status: u16, explanation: &str) -> Response {
        let text = format!("{explanation}.");
        self.page(status, session, "This did not work", &message("This did not work", &text, "/", "Your applications"))
    }

    fn edit_form(&self, session: &Session, client_id: &str, form: &Form, problems: &[Problem]) -> String {
        format!(
            r#"<form method="post" action="/applications/{id}" data-check>
{hidden}<input type="hidden" name="kind" value="{kind}">
{fields}
<div class="buttons"><button>Save changes</button></div></form>"#,
            id = escape(client_id),
            hidden = hidden(session),
            kind = escape(form.first("kind")),
            fields = self.fields(form, problems, ""),
        )
    }

    /// The fields that a new application and a change have in common; `kinds` goes between name and addresses.
    fn fields(&self, form: &Form, problems: &[Problem], kinds: &str) -> String {
        let name = Field {
            name: "client_name",
            label: "Name",
            hint: "Users read it when they are asked to allow access.",
            kind: "text",
            placeholder: "",
        };
        let is_new_form = form.first("client_name").is_empty() && problems.is_empty();
        let scopes = self.scopes.iter().fold(String::new(), |list, scope| {
            // At first everything that is offered: leaving out is easier than finding out.
            let checked = if is_new_form || form.has("scope", scope) { " checked" } else { "" };
            let scope = escape(scope);
            list + &format!(
                r#"<label class="choice"><input type="checkbox" name="scope" value="{scope}"{checked}><span><code>{scope}</code></span></label>"#
            )
        });
        let addresses = format!(
            r#"<label for="redirect_uris">Redirect addresses</label>
<p class="hint" id="redirect_uris-hint">Where users are sent back to, one address in a line, compared character by character. <code>https://…</code>, or
<code>http://127.0.0.1/…</code> for a program on the user’s device (any port), or a scheme of its own such as <code>com.example.agent:/callback</code>.</p>
<textarea id="redirect_uris" name="redirect_uris" rows="3" required spellcheck="false" autocapitalize="none" aria-describedby="redirect_uris-hint redirect_uris-error"{invalid}>{value}</textarea>
{problem}"#,
            invalid = invalid("redirect_uris", problems),
            value = escape(form.first("redirect_uris")),
            problem = problem_of("redirect_uris", problems),
        );
        let pages = PAGES.iter().fold(String::new(), |list, field| list + &text_field(field, form, problems));
        format!(
            r#"{name}{kinds}
{addresses}
<fieldset id="scope" aria-describedby="scope-error"><legend>What may it ask users for?</legend>{scopes}{scope_problem}</fieldset>
<details{open}><summary>Home page, logo and terms</summary>{pages}</details>"#,
            name = text_field(&name, form, problems).replace("<input ", "<input required maxlength=\"80\" "),
            scope_problem = problem_of("scope", problems),
            open = if PAGES.iter().any(|field| !form.first(field.name).is_empty()) { " open" } else { "" },
        )
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

    fn page(&self, status: u16, session: Option<&Session>, title: &str, content: &str) -> Response {
        self.page_with(status, session, title, content, "")
    }

    /// `head` is markup of our own for the page's head.
    fn page_with(&self, status: u16, session: Option<&Session>, title: &str, content: &str, head: &str) -> Response {
        let account = session.map_or_else(String::new, |session| {
            format!(
                r#"<form class="account" method="post" action="/sign-out">{}<span>{}</span> <button class="quiet">Sign out</button></form>"#,
                hidden(session),
                escape(&session.name)
            )
        });
        let links = self.links.iter().fold(String::new(), |list, (text, link)| {
            list + &format!(r#"<a href="{}" rel="noreferrer">{text}</a> "#, escape(link))
        });
        let html = format!(
            r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} – {name}</title>
<link rel="stylesheet" href="/portal.css">
<script src="/portal.js" defer></script>
{head}</head>
<body>
<header><a class="brand" href="/">{name}</a>{account}</header>
<main>
{content}
</main>
<footer>{links}</footer>
</body>
</html>
"#,
            title = escape(title),
            name = escape(&self.name),
        );
        let mut response = Response::json(status, html);
        response.headers = vec![
            ("content-type", "text/html; charset=utf-8".into()),
            ("content-security-policy", POLICY.into()),
            ("cache-control", "no-store".into()),
            ("referrer-policy", "same-origin".into()),
            ("x-content-type-options", "nosniff".into()),
            ("x-frame-options", "DENY".into()),
            ("cross-origin-opener-policy", "same-origin".into()),
        ];
        response
    }
}

fn message(title: &str, text: &str, href: &str, link: &str) -> String {
    format!(
        r#"<h1>{title}</h1><p class="lead" role="alert">{}</p><p class="buttons"><a class="button" href="{href}">{link}</a></p>"#,
        escape(text)
    )
}

fn hidden(session: &Session) -> String {
    format!(r#"<input type="hidden" name="csrf" value="{}">"#, escape(session.csrf()))
}

fn text_field(field: &Field, form: &Form, problems: &[Problem]) -> String {
    let Field { name, label, hint, kind, placeholder } = field;
    format!(
        r#"<label for="{name}">{label}</label><p class="hint" id="{name}-hint">{hint}</p>
<input id="{name}" name="{name}" type="{kind}" value="{value}" placeholder="{placeholder}" autocomplete="off" aria-describedby="{name}-hint {name}-error"{invalid}>
{problem}"#,
        value = escape(form.first(name)),
        invalid = invalid(name, problems),
        problem = problem_of(name, problems),
    )
}

fn invalid(field: &str, problems: &[Problem]) -> &'static str {
    if problems.iter().any(|(known, _)| *known == field) { " aria-invalid=\"true\"" } else { "" }
}

/// The place where a field's problem stands, also while there is none: the script puts it there.
fn problem_of(field: &str, problems: &[Problem]) -> String {
    let problem =
        problems.iter().find(|(known, _)| *known == field).map(|(_, text)| sentence(text)).unwrap_or_default();
    format!(r#"<p class="problem" id="{field}-error">{}</p>"#, escape(&problem))
}

fn summary_of(problems: &[Problem]) -> String {
    if problems.is_empty() {
        return String::new();
    }
    let links = problems.iter().fold(String::new(), |list, (field, text)| {
        list + &format!(r##"<li><a href="#{field}">{}</a></li>"##, escape(&sentence(text)))
    });
    format!(r#"<div class="note error" role="alert"><p>Please look at this again:</p><ul>{links}</ul></div>"#)
}

/// The rules speak of members and go on from their names; a form shows the text alone.
pub(super) fn sentence(text: &str) -> String {
    let (line, rest) = text.split_once(": ").filter(|(line, _)| line.starts_with("Line ")).unwrap_or(("", text));
    let subject = if line.is_empty() { "It".to_owned() } else { line.to_owned() };
    format!("{subject} {rest}.")
}
