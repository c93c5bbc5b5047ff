//! One key; the questions before it is replaced or revoked, and what has become of it.

use mcp_edge_runtime::http::Response;
use mcp_edge_sign_in::{html::Html, session::Session};

use super::{
    KEYS_PATH, Pages,
    date::DAY,
    hidden,
    list::{last_used, time},
    status::{IdleEnd, Status},
};
use crate::{account::message::GrantOutcome, key::message::Description};

/// What a user may do with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Replace it by a new one.
    Rotate,
    /// Revoke it.
    Revoke,
}

impl Action {
    /// By the value in addresses and forms.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "rotate" => Some(Self::Rotate),
            "revoke" => Some(Self::Revoke),
            _ => None,
        }
    }
}

impl Pages {
    /// One key.
    #[must_use]
    pub fn one(&self, session: &Session, id: &str, key: &Description, now: u64) -> Response {
        let status = Status::of(key, self.not_before, now);
        let mut html = Html::default();
        html.raw("<section class=\"first\">\n<p class=\"small\"><a href=\"/account/keys\">Access keys</a></p>\n<h1>")
            .text(&key.name)
            .raw("</h1>\n");
        if status != Status::Active {
            html.raw("<p class=\"note error\">This key works no longer. ").raw(status.reason()).raw("</p>\n");
        } else if let Some(end) = IdleEnd::of(key, self.refresh_days, now) {
            html.raw(if end.is_near() { "<p class=\"note error\">" } else { "<p class=\"note\">" })
                .text(&end.sentence(now))
                .raw("</p>\n");
        }
        facts(&mut html, id, key, status);
        if status == Status::Active {
            html.raw("<div class=\"buttons\"><a class=\"button quiet\" href=\"/account/keys/")
                .text(id)
                .raw("?action=rotate\">Replace…</a><a class=\"button danger\" href=\"/account/keys/")
                .text(id)
                .raw("?action=revoke\">Revoke…</a></div>\n");
        }
        html.raw("</section>\n");
        self.page(200, Some(session), &key.name, &html)
    }

    /// The question before an action.
    #[must_use]
    pub fn question(&self, session: &Session, id: &str, key: &Description, action: Action) -> Response {
        let mut html = Html::default();
        html.raw("<section class=\"first\">\n<p class=\"small\"><a href=\"/account/keys\">Access keys</a></p>\n<h1>");
        let (title, value, button) = match action {
            Action::Rotate => {
                html.raw("Replace ")
                    .text(&key.name)
                    .raw("?</h1>\n<p class=\"lead\">You confirm at ")
                    .text(&self.provider);
                html.raw(" and get a new key with the same scopes and tools, for ")
                    .number(key.expires_at.saturating_sub(key.created_at).div_ceil(DAY))
                    .raw(" days. Then the present one is revoked: what uses it stops working until you give it the new one.</p>\n");
                ("Replace the key?", "rotate", "<button>Continue</button>")
            }
            Action::Revoke => {
                html.raw("Revoke ").text(&key.name).raw("?</h1>\n<p class=\"lead\">What uses it stops working, everywhere within a minute. This cannot be undone.</p>\n");
                ("Revoke the key?", "revoke", "<button class=\"danger\">Revoke</button>")
            }
        };
        html.raw("<form method=\"post\" action=\"/account/keys/").text(id).raw("\">\n").piece(&hidden(session));
        html.raw("<input type=\"hidden\" name=\"action\" value=\"")
            .raw(value)
            .raw("\">\n<div class=\"buttons\">")
            .raw(button)
            .raw("<a class=\"button quiet\" href=\"/account/keys\">Keep it</a></div>\n</form>\n</section>\n");
        self.page(200, Some(session), title, &html)
    }

    /// A key that was revoked just now. `grant` is what has become of the provider's grant; `None`: it could not be said.
    #[must_use]
    pub fn revoked(&self, session: &Session, name: &str, grant: Option<GrantOutcome>) -> Response {
        let mut html = Html::default();
        html.raw("<section class=\"first\">\n<h1>Revoked</h1>\n<p class=\"lead\" role=\"status\">")
            .text(name)
            .raw(" is revoked. Everywhere it stops working within a minute.</p>\n<p>")
            .text(&self.grant_sentence(grant))
            .raw("</p>\n<p class=\"buttons\"><a class=\"button\" href=\"")
            .raw(KEYS_PATH)
            .raw("\">Access keys</a></p>\n</section>\n");
        self.page(200, Some(session), "Revoked", &html)
    }

    /// What has become of the provider's grant behind a key that was revoked.
    pub(super) fn grant_sentence(&self, grant: Option<GrantOutcome>) -> String {
        let provider = &self.provider;
        match grant {
            Some(GrantOutcome::Revoked) => format!("The access behind it was revoked at {provider} as well."),
            Some(GrantOutcome::Shared) => format!(
                "The access behind it at {provider} may be shared by other keys of yours, and is revoked together with the \
                 last of them. Until then nobody can use it: the key was the only way to it."
            ),
            Some(GrantOutcome::Pending) | None => {
                format!("The access behind it could not be revoked at {provider} yet: that is tried again by itself.")
            }
        }
    }
}

fn facts(html: &mut Html, id: &str, key: &Description, status: Status) {
    html.raw("<dl class=\"facts\">\n<dt>Id</dt><dd><code>")
        .text(id)
        .raw("</code></dd>\n<dt>State</dt><dd>")
        .raw(status.word())
        .raw("</dd>\n<dt>Scopes</dt><dd><code>")
        .text(&key.scopes)
        .raw("</code></dd>\n<dt>Tools</dt><dd>");
    match &key.tools {
        None => html.raw("all that the scopes allow"),
        Some(tools) => html.raw("only <code>").text(&tools.join(" ")).raw("</code>"),
    };
    html.raw("</dd>\n<dt>Made</dt><dd>");
    time(html, key.created_at);
    html.raw("</dd>\n<dt>Expires</dt><dd>");
    time(html, key.expires_at);
    html.raw("</dd>\n<dt>Use</dt><dd>");
    last_used(html, key);
    html.raw("</dd>\n");
    if let Some(before) = &key.rotated_from {
        html.raw("<dt>Replaced</dt><dd><code>").text(before).raw("</code></dd>\n");
    }
    html.raw("</dl>\n");
}
