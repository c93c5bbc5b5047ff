//! What the link to connect an account asks for, and the ways in which it leads nowhere.

use mcp_edge_runtime::http::Response;
use mcp_edge_sign_in::{html::Html, session::Session};

use super::{
    CONNECTIONS_PATH, Frame, Pages,
    agent::{AgentName, user_of_token},
    hidden, host,
    message::Failure,
};
use crate::{
    connected::message::Account,
    connection::settings::Connection,
    sign_in::destination::{Destination, link_path},
};

/// What a link asks for.
#[derive(Debug)]
pub struct Asked<'a> {
    /// Its id.
    pub id: &'a str,
    /// Whose account is to be connected.
    pub connection: &'a Connection,
    /// Who asks.
    pub agent: &'a AgentName,
    /// What the service is asked for.
    pub scopes: &'a [String],
    /// What needs the account: a tool, a prompt, a resource or a gateway, as endpoints name it.
    pub user_of_token: &'a str,
    /// Whether the link was used, and nothing is connected.
    pub is_spent: bool,
    /// Whether the user has cancelled what it led to.
    pub is_cancelled: bool,
}

impl Pages {
    /// A page about connected accounts that no search engine keeps.
    pub(super) fn connect_page(&self, status: u16, session: Option<&Session>, title: &str, content: &Html) -> Response {
        let mut frame = Frame { part: CONNECTIONS_PATH, ..Frame::default() };
        frame.head.raw("<meta name=\"robots\" content=\"noindex\">\n");
        self.page_with(status, session, title, content, &frame)
    }

    /// For somebody who is not signed in: nothing of what the link asks for.
    #[must_use]
    pub fn sign_in_first(&self, id: &str) -> Response {
        let mut html = Html::default();
        html.raw("<section class=\"first\">\n<h1>Sign in to go on</h1>\n<p class=\"lead\">This link is about connecting an account of another service with ")
            .text(&self.name)
            .raw(". Sign in to see what is asked for, and by which program. Opening this page has changed nothing.</p>\n<p class=\"buttons\"><a class=\"button\" href=\"")
            .text(&Destination::Link(id.to_owned()).sign_in_path())
            .raw("\">Sign in at ")
            .text(&self.provider)
            .raw("</a></p>\n</section>\n");
        self.connect_page(200, None, "Sign in to go on", &html)
    }

    /// What a link asks for, and the question whether to connect an account.
    #[must_use]
    pub fn consent(&self, session: &Session, asked: &Asked<'_>, status: u16) -> Response {
        let Asked { id, connection, agent, scopes, .. } = *asked;
        let mut html = Html::default();
        html.raw("<section class=\"first\">\n<h1>Connect your ")
            .text(&connection.title)
            .raw(" account?</h1>\n<p class=\"lead\">")
            .text(&self.name)
            .raw(" needs your account at <strong>")
            .text(&connection.title)
            .raw("</strong> to do what <strong>")
            .text(&agent.name)
            .raw("</strong> asks for.</p>\n");
        if asked.is_cancelled {
            html.raw("<p class=\"note\" role=\"status\">You opened this link before and cancelled, so no account was connected. You can start again.</p>\n");
        } else if asked.is_spent {
            html.raw("<p class=\"note\" role=\"status\">This link was used before, and no account with this access is connected now. You can start again.</p>\n");
        }
        html.raw("<dl class=\"facts\">\n<dt>Who asks</dt><dd>").text(&agent.name);
        if let Some(id) = &agent.id {
            html.raw("<br><code>").text(id).raw("</code>");
        }
        html.raw("</dd>\n<dt>Service</dt><dd>")
            .text(&connection.title)
            .raw(" (<code>")
            .text(host(&connection.url))
            .raw("</code>)</dd>\n<dt>Needed by</dt><dd>");
        user_of_token(&mut html, asked.user_of_token);
        html.raw("</dd>\n<dt>Access to</dt><dd>");
        scope_list(&mut html, scopes, connection);
        html.raw("</dd>\n<dt>You are</dt><dd>").text(&session.name).raw("</dd>\n</dl>\n");
        self.meaning(&mut html, connection, Some(&agent.name));
        html.raw("<form method=\"post\" action=\"").text(&link_path(id)).raw("\">\n").piece(&hidden(session));
        if asked.is_spent {
            html.raw("<input type=\"hidden\" name=\"again\" value=\"1\">");
        }
        html.raw("\n<div class=\"buttons\"><button>")
            .raw(if asked.is_spent { "Start again" } else { "Connect" })
            .raw("</button><a class=\"button quiet\" href=\"")
            .text(&link_path(id))
            .raw("?answer=later\">Not now</a></div>\n</form>\n<p class=\"about\">You have not asked for this? Choose <em>Not now</em>: nothing is connected.</p>\n</section>\n");
        self.connect_page(status, Some(session), "Connect an account?", &html)
    }

    /// What connecting means, what comes next, and how to end it.
    pub(super) fn meaning(&self, html: &mut Html, connection: &Connection, agent: Option<&str>) {
        html.raw("<p>If you connect it, tools of <strong>")
            .text(&self.name)
            .raw("</strong> can use that account within this access whenever they are called in your name: by ");
        if let Some(agent) = agent {
            html.text(agent).raw(", and by ");
        }
        html.raw("every program that you let use ")
            .text(&self.name)
            .raw(". The programs themselves never get the access. You can end it at any time under <a href=\"")
            .raw(CONNECTIONS_PATH)
            .raw("\">Connected accounts</a>, or at ")
            .text(&connection.title)
            .raw(".</p>\n<p class=\"about\">Next you sign in and agree at ")
            .text(&connection.title)
            .raw(". When you come back you see which account it is, before it is connected.</p>\n");
    }

    /// For a user who does not want to connect an account now.
    #[must_use]
    pub fn not_now(&self, session: &Session, asked: &Asked<'_>) -> Response {
        let mut html = Html::default();
        html.raw("<section class=\"first\">\n<h1>Not connected</h1>\n<p class=\"lead\" role=\"status\">No account at ")
            .text(&asked.connection.title)
            .raw(" was connected. You can close this page, and go on without it.</p>\n<p>If you change your mind within some minutes, open the link again; later, let the program ask again.</p>\n<p class=\"buttons\"><a class=\"button quiet\" href=\"")
            .text(&link_path(asked.id))
            .raw("\">Back</a></p>\n</section>\n");
        self.connect_page(200, Some(session), "Not connected", &html)
    }

    /// For a link that was used, and has led to an account.
    #[must_use]
    pub fn connected_already(&self, session: &Session, connection: &Connection, account: &Account) -> Response {
        let mut html = Html::default();
        html.raw("<section class=\"first\">\n<h1>Connected already</h1>\n<p class=\"lead\" role=\"status\">");
        account_at(&mut html, &account.name, &connection.title);
        html.raw(" is connected, and this link was used. Go back to the program that asked for it, and let it try again.</p>\n");
        to_list(&mut html);
        self.connect_page(200, Some(session), "Connected already", &html)
    }

    /// For a link that is not this user's, or not any more. Nothing tells the two apart.
    #[must_use]
    pub fn not_your_link(&self, session: &Session, id: &str) -> Response {
        let mut html = Html::default();
        html.raw("<section class=\"first\">\n<h1>This link is not for this account</h1>\n<p class=\"lead\" role=\"alert\">You are signed in as <strong>")
            .text(&session.name)
            .raw("</strong>. The link was made for another user of ")
            .text(&self.name)
            .raw(", or it has expired. Nothing was connected.</p>\n<ul>\n<li>If a program of yours showed it, go back and let it try again: you get a new link. Links work for ten minutes.</li>\n<li>If that program uses another account of yours, sign in with that one.</li>\n<li>If somebody sent it to you, do nothing: a link is for the user whose program asked, and for nobody else.</li>\n</ul>\n<div class=\"buttons\"><a class=\"button\" href=\"")
            .raw(CONNECTIONS_PATH)
            .raw("\">Connected accounts</a><a class=\"button quiet\" href=\"")
            .text(&Destination::Link(id.to_owned()).sign_in_path())
            .raw("&amp;prompt=login\">Sign in with another account</a></div>\n</section>\n");
        self.connect_page(404, Some(session), "This link is not for this account", &html)
    }

    /// For a connection that the operator has taken away.
    #[must_use]
    pub fn not_offered(&self, session: &Session) -> Response {
        let why = "The operator of this server does not offer this connection any more. Nothing was connected.";
        self.failure(Some(session), &Failure::of_connections(404, "Not offered", why))
    }

    /// For a user who wanted another account, after the link had expired. What was held is given up.
    #[must_use]
    pub fn link_expired(&self, session: &Session, connection: &Connection) -> Response {
        let why = format!(
            "The account at {} was not connected, and the access to it was given up. To connect another one, let the program ask \
             again: the link that led here has expired.",
            connection.title
        );
        self.failure(Some(session), &Failure::of_connections(409, "Not connected", why))
    }

    /// Leads to the service.
    #[must_use]
    pub fn leaving_to_service(&self, session: &Session, connection: &Connection, url: &str) -> Response {
        let text = "It may ask you to sign in, and asks you to agree. When you come back you see which account it is, before it \
                    is connected.";
        self.leaving_to(&connection.title, Some(session), "On to the service", text, url)
    }
}

/// What is asked for: in the operator's words, and as the service calls it.
pub(super) fn scope_list(html: &mut Html, scopes: &[String], connection: &Connection) {
    if scopes.is_empty() {
        html.raw("what ").text(&connection.title).raw(" gives without being asked for anything in particular");
        return;
    }
    html.raw("<ul class=\"plain\">");
    for scope in scopes {
        html.raw("<li>");
        described(html, scope, Some(connection));
        html.raw("</li>");
    }
    html.raw("</ul>");
}

/// A scope, after what it lets tools do if the operator says it.
pub(super) fn described(html: &mut Html, scope: &str, connection: Option<&Connection>) {
    match connection.and_then(|connection| connection.description_of(scope)) {
        Some(description) => html.text(description).raw(" (<code>").text(scope).raw("</code>)"),
        None => html.raw("<code>").text(scope).raw("</code>"),
    };
}

/// An account in a sentence that begins with it.
pub(super) fn account_at(html: &mut Html, name: &str, title: &str) {
    if name.is_empty() {
        html.raw("Your account at <strong>").text(title).raw("</strong>");
    } else {
        html.raw("<strong>").text(name).raw("</strong> at ").text(title);
    }
}

/// A link to the list, at the end of a page's only section.
pub(super) fn to_list(html: &mut Html) {
    html.raw("<p class=\"buttons\"><a class=\"button\" href=\"")
        .raw(CONNECTIONS_PATH)
        .raw("\">Connected accounts</a></p>\n</section>\n");
}
