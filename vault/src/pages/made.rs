//! A key that was made just now. Its secret is shown this once.

use mcp_edge_runtime::{http::Response, secret::Secret};
use mcp_edge_sign_in::{html::Html, session::Session};

use super::{Pages, clients::setups, date::DAY, list::time};
use crate::account::message::GrantOutcome;

/// A key that was made just now.
#[derive(Debug)]
pub struct Made<'a> {
    /// The whole key.
    pub key: &'a Secret,
    /// What the user calls it.
    pub name: &'a str,
    /// When it was made, in seconds since 1970.
    pub made_at: u64,
    /// Seconds since 1970.
    pub expires_at: u64,
    /// What has become of the key that it replaces.
    pub replaced: Option<Replaced>,
}

/// What has become of a key that was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaced {
    /// It is revoked; what has become of its grant, if that could be said.
    Revoked(Option<GrantOutcome>),
    /// It could not be revoked, and works.
    StillWorks,
}

impl Pages {
    /// The page with the key.
    #[must_use]
    pub fn made(&self, session: &Session, made: &Made<'_>) -> Response {
        let key = made.key.expose();
        let mut html = Html::default();
        html.raw("<section class=\"first\" data-clean=\"/account/keys\">\n<p class=\"small\"><a href=\"/account/keys\">Access keys</a></p>\n<h1>")
            .text(made.name)
            .raw("</h1>\n<p class=\"lead\" role=\"status\">The key was made. Copy it now: it is shown this once, and cannot be shown again.</p>\n")
            .raw("<div class=\"url\"><code id=\"key\">")
            .text(key)
            .raw("</code><button type=\"button\" class=\"copy\" data-copy=\"key\" aria-label=\"Copy the key\" hidden>Copy</button></div>\n")
            .raw("<p class=\"about\">It works until ");
        time(&mut html, made.expires_at);
        if made.expires_at - made.made_at > self.refresh_days * DAY {
            html.raw(", if it is used every few days: otherwise the provider may end it after ")
                .number(self.refresh_days)
                .raw(" days");
        }
        html.raw(". Anybody who has it can do what it allows: keep it out of code and chats, and revoke it if it got out.</p>\n");
        match made.replaced {
            Some(Replaced::Revoked(grant)) => {
                html.raw("<p class=\"note\">The key that it replaces is revoked. ")
                    .text(&self.grant_sentence(grant))
                    .raw("</p>\n");
            }
            Some(Replaced::StillWorks) => {
                html.raw("<p class=\"note error\" role=\"alert\">The key that it replaces could not be revoked and still works: revoke it in the list.</p>\n");
            }
            None => {}
        }
        html.raw("</section>\n<section>\n<h2>Use it</h2>\n<p class=\"about\">In the header <code>Authorization: Bearer …</code> of every request to <code>")
            .text(&self.url)
            .raw("</code>.</p>\n");
        for (client_at, setup) in setups(&self.name, &self.url, key).iter().enumerate() {
            html.raw("<div class=\"client\">\n<h3>")
                .raw(setup.name)
                .raw("</h3>\n<p class=\"about\">")
                .raw(setup.how)
                .raw("</p>\n");
            for (at, (label, text)) in setup.strings.iter().enumerate() {
                let id = format!("setup-{client_at}-{at}");
                html.raw("<div class=\"setup\"><span class=\"label\">")
                    .raw(label)
                    .raw("</span><button type=\"button\" class=\"copy quiet\" data-copy=\"")
                    .text(&id)
                    .raw("\" aria-label=\"Copy for ")
                    .raw(setup.name)
                    .raw(": ")
                    .raw(label)
                    .raw("\" hidden>Copy</button>\n<pre tabindex=\"0\" role=\"group\" aria-label=\"")
                    .raw(setup.name)
                    .raw(": ")
                    .raw(label)
                    .raw("\"><code id=\"")
                    .text(&id)
                    .raw("\">")
                    .text(text)
                    .raw("</code></pre></div>\n");
            }
            html.raw("</div>\n");
        }
        html.raw("<p class=\"buttons\"><a class=\"button quiet\" href=\"/account/keys\">I have copied it</a></p>\n</section>\n");
        self.page(200, Some(session), "Your new key", &html)
    }
}
