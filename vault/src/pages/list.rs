//! A user's keys.

use mcp_edge_runtime::http::Response;
use mcp_edge_sign_in::{form::Form, html::Html, session::Session};

use super::{
    Pages,
    date::{DAY, date, iso},
    status::{IdleEnd, Status},
};
use crate::{key::message::Description, keyring::Listed, requested_key::Problem};

/// Whether a key stands among those that work. One that cannot be asked does, unless the list knows better.
fn is_live(listed: &Listed, not_before: Option<u64>, now: u64) -> bool {
    match &listed.key {
        Some(key) => Status::of(key, not_before, now) == Status::Active,
        None => listed.gone_at.is_none(),
    }
}

impl Pages {
    /// The list, and the form for a new key, with what is wrong with that if it was sent.
    #[must_use]
    pub fn list(
        &self,
        session: &Session,
        keys: &[Listed],
        (form, problems): (&Form, &[Problem]),
        now: u64,
    ) -> Response {
        let (live, gone): (Vec<_>, Vec<_>) = keys.iter().partition(|key| is_live(key, self.not_before, now));
        let mut html = Html::default();
        html.raw("<section class=\"first\">\n<h1>Access keys</h1>\n<p class=\"lead\">A key lets a program that cannot sign in use <code>")
            .text(&self.url)
            .raw("</code> in your name, as far as you allow it. It ends when you revoke it, when its time is over, or when your access at ")
            .text(&self.provider)
            .raw(" ends.</p>\n");
        if live.is_empty() {
            html.raw("<p class=\"empty\">You have no keys that work.</p>\n");
        } else {
            html.raw("<h2 class=\"unseen\">Keys that work</h2>\n<ul class=\"rows\">\n");
            for key in &live {
                self.row(&mut html, key, now);
            }
            html.raw("</ul>\n");
        }
        html.raw("<p class=\"small\">")
            .number(live.len() as u64)
            .raw(" of ")
            .number(self.keys_per_user)
            .raw(" keys.</p>\n</section>\n");
        html.raw("<section id=\"new\">\n<h2>Make a key</h2>\n");
        if problems.is_empty() && live.len() as u64 >= self.keys_per_user {
            html.raw("<p class=\"note\">You have as many keys as you may have. Revoke one that you do not need, or replace one.</p>\n");
        } else {
            html.piece(&self.form(session, form, problems));
        }
        html.raw("</section>\n");
        if !gone.is_empty() {
            html.raw("<section>\n<h2>Ended</h2>\n<p class=\"about\">Keys that ended in the last 30 days.</p>\n<ul class=\"rows\">\n");
            for key in &gone {
                self.row(&mut html, key, now);
            }
            html.raw("</ul>\n</section>\n");
        }
        let title = if problems.is_empty() { "Access keys" } else { "Not yet: make a key" };
        self.page(if problems.is_empty() { 200 } else { 422 }, Some(session), title, &html)
    }

    fn row(&self, html: &mut Html, listed: &Listed, now: u64) {
        html.raw("<li>\n<h3><a href=\"/account/keys/")
            .text(&listed.id)
            .raw("\">")
            .text(&listed.name)
            .raw("</a></h3>\n");
        let Some(key) = &listed.key else {
            html.raw(
                "<p class=\"facts\">What this key may do cannot be read right now. Try again in a moment.</p>\n</li>\n",
            );
            return;
        };
        let status = Status::of(key, self.not_before, now);
        html.raw("<p class=\"facts\"><code>").text(&key.scopes).raw("</code> · ");
        match key.tools.as_deref() {
            None => html.raw("all tools"),
            Some([one]) => html.raw("only <code>").text(one).raw("</code>"),
            Some(tools) => html.number(tools.len() as u64).raw(" tools"),
        };
        html.raw("</p>\n<p class=\"facts\">made ");
        time(html, key.created_at);
        html.raw(" · ").raw(if now < key.expires_at { "expires " } else { "expired " });
        time(html, key.expires_at);
        html.raw(" · ");
        last_used(html, key);
        html.raw("</p>\n");
        if status == Status::Active {
            if let Some(end) = IdleEnd::of(key, self.refresh_days, now) {
                html.raw(if end.is_near() { "<p class=\"warning\">" } else { "<p class=\"facts\">" })
                    .text(&end.sentence(now))
                    .raw("</p>\n");
            }
            html.raw("<div class=\"actions\">");
            for (action, label) in [("rotate", "Replace"), ("revoke", "Revoke")] {
                html.raw("<a class=\"button quiet\" href=\"/account/keys/")
                    .text(&listed.id)
                    .raw("?action=")
                    .raw(action)
                    .raw("\">")
                    .raw(label)
                    .raw("<span class=\"unseen\"> ")
                    .text(&listed.name)
                    .raw("</span></a> ");
            }
            html.raw("</div>\n");
        } else {
            html.raw("<p class=\"facts\"><strong>").text(status.reason()).raw("</strong></p>\n");
        }
        html.raw("</li>\n");
    }
}

/// A day, for people and for programs.
pub(super) fn time(html: &mut Html, seconds: u64) {
    html.raw("<time datetime=\"").text(&iso(seconds)).raw("\">").text(&date(seconds)).raw("</time>");
}

/// When a key was last used.
pub(super) fn last_used(html: &mut Html, key: &Description) {
    match key.last_used_day {
        Some(day) => {
            html.raw("last used ");
            time(html, day * DAY);
        }
        None => {
            html.raw("never used");
        }
    }
}
