//! Whether the account that was authorized is the right one, and what has become of it.

use mcp_edge_runtime::http::Response;
use mcp_edge_sign_in::{html::Html, redirect::with_query, session::Session};

use super::{
    Pages,
    agent::AgentName,
    consent::{account_at, scope_list, to_list},
    hidden, host,
};
use crate::{connected::message::Account, connection::settings::Connection};

/// What waits for confirmation.
#[derive(Debug)]
pub struct Held<'a> {
    /// The connection.
    pub connection: &'a Connection,
    /// Its id.
    pub hold: &'a str,
    /// The id of the link that led there.
    pub link: Option<&'a str>,
    /// The account.
    pub account: &'a Account,
    /// The name of the account that it replaces; empty if the service does not say it.
    pub replaces: Option<&'a str>,
}

/// The address of the question.
#[must_use]
pub fn confirmation_path(connection: &str, hold: &str, link: Option<&str>) -> String {
    let mut parameters = vec![("hold", hold)];
    parameters.extend(link.map(|link| ("link", link)));
    with_query(&format!("/account/connections/{connection}/confirm"), &parameters)
}

impl Pages {
    /// The question whether the account is the right one.
    #[must_use]
    pub fn confirmation(&self, session: &Session, held: &Held<'_>) -> Response {
        let Held { connection, account, .. } = *held;
        let mut html = Html::default();
        html.raw("<section class=\"first\">\n<h1>Is this the right account?</h1>\n<p class=\"lead\">");
        if account.name.is_empty() {
            html.text(&connection.title)
                .raw(" does not say which account it is: it is the one that you were signed in with there. It is not connected yet.");
        } else {
            html.raw("This is <strong>")
                .text(&account.name)
                .raw("</strong> at ")
                .text(&connection.title)
                .raw(". It is not connected yet.");
        }
        html.raw("</p>\n");
        match held.replaces {
            Some("") => {
                html.raw("<p class=\"note\">It replaces the account that is connected now.</p>\n");
            }
            Some(name) => {
                html.raw("<p class=\"note\">It replaces <strong>")
                    .text(name)
                    .raw("</strong>, which is connected now.</p>\n");
            }
            None => {}
        }
        html.raw("<dl class=\"facts\">\n<dt>Account</dt><dd>");
        if account.name.is_empty() {
            html.raw("not named")
        } else {
            html.text(&account.name)
        };
        html.raw("</dd>\n<dt>Service</dt><dd>")
            .text(&connection.title)
            .raw(" (<code>")
            .text(host(&connection.url))
            .raw("</code>)</dd>\n<dt>Access to</dt><dd>");
        let scopes: Vec<String> = account.scopes.split_ascii_whitespace().map(str::to_owned).collect();
        scope_list(&mut html, &scopes, connection);
        html.raw("</dd>\n<dt>For</dt><dd>")
            .text(&session.name)
            .raw(" at ")
            .text(&self.name)
            .raw("</dd>\n</dl>\n<form method=\"post\" action=\"/account/connections/")
            .text(&connection.name)
            .raw("/confirm\">\n")
            .piece(&hidden(session))
            .raw("<input type=\"hidden\" name=\"hold\" value=\"")
            .text(held.hold)
            .raw("\"><input type=\"hidden\" name=\"link\" value=\"")
            .text(held.link.unwrap_or_default())
            .raw("\">\n<div class=\"buttons\"><button name=\"decision\" value=\"confirm\">Connect this account</button><button class=\"quiet\" name=\"decision\" value=\"another\">Use another account</button><button class=\"quiet\" name=\"decision\" value=\"discard\">Cancel</button></div>\n</form>\n<p class=\"about\">If you do nothing, the access to ")
            .text(&connection.title)
            .raw(" is given up after ten minutes.</p>\n</section>\n");
        self.connect_page(200, Some(session), "Is this the right account?", &html)
    }

    /// An account that was connected just now, for this agent if one asked.
    #[must_use]
    pub fn connected(
        &self,
        session: &Session,
        connection: &Connection,
        account: &Account,
        agent: Option<&AgentName>,
    ) -> Response {
        let mut html = Html::default();
        html.raw("<section class=\"first\">\n<h1>Connected</h1>\n<p class=\"lead\" role=\"status\">");
        account_at(&mut html, &account.name, &connection.title);
        html.raw(" is connected.");
        if let Some(agent) = agent {
            html.raw(" Go back to <strong>")
                .text(&agent.name)
                .raw("</strong>: if it does not go on by itself, ask it to try again. You can close this page.");
        }
        html.raw("</p>\n");
        to_list(&mut html);
        self.connect_page(200, Some(session), "Connected", &html)
    }

    /// An account that was given up instead of being connected.
    #[must_use]
    pub fn discarded(&self, session: &Session, connection: &Connection) -> Response {
        let mut html = Html::default();
        html.raw(
            "<section class=\"first\">\n<h1>Not connected</h1>\n<p class=\"lead\" role=\"status\">The account at ",
        )
        .text(&connection.title)
        .raw(" was not connected, and the access to it was given up. What was connected before stays as it was.</p>\n");
        to_list(&mut html);
        self.connect_page(200, Some(session), "Not connected", &html)
    }
}
