//! The pages: HTML that works without scripts, sent with the same strict headers.
//!
//! | module | contents |
//! |---|---|
//! | `application` | a developer's applications |
//! | `application_form` | the form to make or change one |
//! | `message` | everything else |

mod application;
mod application_form;
mod message;

use mcp_edge_runtime::http::Response;
use mcp_edge_sign_in::{html::escape, session::Session};

use crate::{policy::Limits, settings::Settings};

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

impl Pages {
    /// Creates the pages of this deployment.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let server = &settings.server;
        let links = [
            ("Documentation", &server.display.documentation),
            ("Privacy", &server.display.privacy_policy),
            ("Terms", &server.display.terms_of_service),
        ];
        Self {
            name: server.display.name.clone().unwrap_or_else(|| "Developer portal".to_owned()),
            mcp_resource: settings.tenant.mcp_resource.clone(),
            resource: server.resource.url.clone(),
            permission: server.trust.required_scopes.to_string(),
            issuer: server.trust.issuers.first().map(|trusted| trusted.issuer.clone()).unwrap_or_default(),
            scopes: settings.policy.allowed_scopes.iter().map(str::to_owned).collect(),
            limits: settings.policy.limits,
            links: links.into_iter().filter_map(|(text, link)| Some((text, link.clone()?))).collect(),
        }
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

fn hidden(session: &Session) -> String {
    format!(r#"<input type="hidden" name="csrf" value="{}">"#, escape(session.csrf()))
}
