//! Pages that say one thing: the way in, what did not work, what was not found.

use mcp_edge_runtime::http::Response;
use mcp_edge_sign_in::{html::escape, id_token::IdToken, session::Session};

use super::Pages;

impl Pages {
    /// The page for users who are not signed in.
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

    /// For what does not exist, or is somebody else's.
    #[must_use]
    pub fn not_found(&self, session: &Session) -> Response {
        let text = "There is no such application, or it is not yours.";
        self.page(404, Some(session), "Not found", &message("Not found", text, "/", "Your applications"))
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
    pub fn not_a_developer(&self, account: Option<&IdToken>) -> Response {
        let account = account.map_or_else(String::new, |IdToken { subject, name, .. }| {
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
}

fn message(title: &str, text: &str, href: &str, link: &str) -> String {
    format!(
        r#"<h1>{title}</h1><p class="lead" role="alert">{}</p><p class="buttons"><a class="button" href="{href}">{link}</a></p>"#,
        escape(text)
    )
}
