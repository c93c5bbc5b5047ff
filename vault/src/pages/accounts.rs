//! A user's connected accounts; the questions before one is connected from there or disconnected, and what has become of it.

use mcp_edge_runtime::http::Response;
use mcp_edge_sign_in::{html::Html, session::Session};

use super::{
    CONNECTIONS_PATH, Pages,
    agent::{KeyNames, user_of_token},
    consent::{account_at, described, scope_list, to_list},
    hidden, host,
    list::time,
    message::Failure,
    moment::moment,
};
use crate::{
    connected::message::{Account, Revocation, Use},
    connection::settings::Connection,
};

impl Pages {
    /// For somebody who is not signed in.
    #[must_use]
    pub fn connections_welcome(&self) -> Response {
        let mut html = Html::default();
        html.raw("<section class=\"first\">\n<h1>Connected accounts</h1>\n<p class=\"lead\">Accounts of yours at other services that tools of ")
            .text(&self.name)
            .raw(" may use in your name, until you disconnect them.</p>\n<p class=\"buttons\"><a class=\"button\" href=\"/account/sign-in?to=connections\">Sign in at ")
            .text(&self.provider)
            .raw("</a></p>\n</section>\n");
        self.connect_page(200, None, "Connected accounts", &html)
    }

    /// The list: the accounts, and the services of which one can be connected.
    #[must_use]
    pub fn accounts(
        &self,
        session: &Session,
        accounts: &[Account],
        offered: &[&Connection],
        names: &KeyNames,
    ) -> Response {
        let mut html = Html::default();
        html.raw("<section class=\"first\">\n<h1>Connected accounts</h1>\n<p class=\"lead\">Accounts of yours at other services. Tools of ")
            .text(&self.name)
            .raw(" use them in your name when a program that you let use ")
            .text(&self.name)
            .raw(" calls them. The programs themselves never get the access.</p>\n");
        if accounts.is_empty() {
            html.raw("<p class=\"empty\">You have connected no account.</p>\n");
        } else {
            html.raw("<h2 class=\"unseen\">Yours</h2>\n<ul class=\"rows\">\n");
            for account in accounts {
                let connection = offered.iter().find(|it| it.name == account.connection).copied();
                row(&mut html, account, connection, names);
            }
            html.raw("</ul>\n");
        }
        html.raw("</section>\n");
        let is_open = |it: &&&Connection| !accounts.iter().any(|account| account.connection == it.name);
        let open: Vec<&&Connection> = offered.iter().filter(is_open).collect();
        if !open.is_empty() {
            html.raw("<section>\n<h2>Not connected</h2>\n<p class=\"about\">A tool that needs one of these asks you with a link. You can connect it before, too.</p>\n<ul class=\"rows\">\n");
            for connection in open {
                html.raw("<li>\n<h3>").text(&connection.title).raw("</h3>\n<p class=\"facts\"><code>");
                html.text(host(&connection.url)).raw("</code></p>\n<div class=\"actions\">");
                action(&mut html, &connection.name, &connection.title, "connect", "Connect");
                html.raw("</div>\n</li>\n");
            }
            html.raw("</ul>\n</section>\n");
        }
        self.connect_page(200, Some(session), "Connected accounts", &html)
    }

    /// The question before an account is connected from the list.
    #[must_use]
    pub fn connect_question(&self, session: &Session, connection: &Connection) -> Response {
        let mut html = Html::default();
        back(&mut html);
        html.raw("<h1>Connect your ")
            .text(&connection.title)
            .raw(" account?</h1>\n<dl class=\"facts\">\n<dt>Service</dt><dd>")
            .text(&connection.title)
            .raw(" (<code>")
            .text(host(&connection.url))
            .raw("</code>)</dd>\n<dt>Access to</dt><dd>");
        scope_list(&mut html, &connection.scopes, connection);
        html.raw("</dd>\n<dt>You are</dt><dd>").text(&session.name).raw("</dd>\n</dl>\n");
        self.meaning(&mut html, connection, None);
        form(&mut html, session, &connection.name, "connect", "<button>Connect</button>", "Not now");
        self.connect_page(200, Some(session), "Connect an account?", &html)
    }

    /// The question before an account is disconnected.
    #[must_use]
    pub fn disconnect_question(&self, session: &Session, title: &str, account: &Account) -> Response {
        let mut html = Html::default();
        back(&mut html);
        html.raw("<h1>Disconnect ").text(title).raw("?</h1>\n<p class=\"lead\">");
        account_at(&mut html, &account.name, title);
        html.raw(" is disconnected at once: tools of ")
            .text(&self.name)
            .raw(" cannot use it any more, and ask you to connect an account again when they need one. Nothing is deleted at ")
            .text(title)
            .raw(".</p>\n");
        let button = "<button class=\"danger\">Disconnect</button>";
        form(&mut html, session, &account.connection, "disconnect", button, "Keep it");
        self.connect_page(200, Some(session), "Disconnect the account?", &html)
    }

    /// An account that was disconnected just now.
    #[must_use]
    pub fn disconnected(&self, session: &Session, title: &str, revocation: Revocation) -> Response {
        let mut html = Html::default();
        html.raw("<section class=\"first\">\n<h1>Disconnected</h1>\n<p class=\"lead\" role=\"status\">The account at ")
            .text(title)
            .raw(" is disconnected: nothing here can use it any more.</p>\n<p>");
        match revocation {
            Revocation::Revoked => html.raw("The access was ended at ").text(title).raw(" as well."),
            Revocation::Pending => html
                .raw("It could not be ended at ")
                .text(title)
                .raw(" yet, which does not answer: that is tried again by itself for a day. To be sure, look at the settings of your account there."),
            Revocation::NotOffered => html
                .text(title)
                .raw(" has no way to end it from here. To end it there as well, remove ")
                .text(&self.name)
                .raw(" from the programs with access in the settings of your account there."),
        };
        html.raw("</p>\n");
        to_list(&mut html);
        self.connect_page(200, Some(session), "Disconnected", &html)
    }

    /// For an account that is not connected, or not any more.
    #[must_use]
    pub fn not_connected(&self, session: &Session) -> Response {
        let why = "There is no such account among yours: perhaps it was disconnected already, in another tab.";
        self.failure(Some(session), &Failure::of_connections(404, "Not connected", why))
    }
}

fn row(html: &mut Html, account: &Account, connection: Option<&Connection>, names: &KeyNames) {
    let title = connection.map_or(account.connection.as_str(), |connection| &connection.title);
    html.raw("<li>\n<h3>").text(title);
    if !account.name.is_empty() {
        html.raw(": ").text(&account.name);
    }
    html.raw("</h3>\n<p class=\"facts\">");
    if let Some(connection) = connection {
        html.raw("<code>").text(host(&connection.url)).raw("</code> · ");
    }
    if account.scopes.is_empty() {
        html.raw("no particular access");
    } else {
        html.raw("access to ");
        for (at, scope) in account.scopes.split_ascii_whitespace().enumerate() {
            html.raw(if at == 0 { "" } else { ", " });
            described(html, scope, connection);
        }
    }
    html.raw("</p>\n<p class=\"facts\">connected ");
    time(html, account.connected_at);
    if account.uses.is_empty() {
        html.raw(" · never used</p>\n");
    } else {
        html.raw("</p>\n");
        uses(html, &account.uses, title, names);
    }
    if let Some(ended_at) = account.ended_at {
        html.raw("<p class=\"warning\">").text(title).raw(" does not accept it any more, since ");
        moment(html, ended_at);
        html.raw(": the access was ended there, or not used for too long.</p>\n");
    } else if connection.is_none() {
        html.raw("<p class=\"facts\"><strong>The operator does not offer this service any more: no tool can use it.</strong></p>\n");
    }
    html.raw("<div class=\"actions\">");
    if account.ended_at.is_some() && connection.is_some() {
        action(html, &account.connection, title, "connect", "Connect again");
    }
    action(
        html,
        &account.connection,
        title,
        "disconnect",
        if account.ended_at.is_some() { "Remove" } else { "Disconnect" },
    );
    html.raw("</div>\n</li>\n");
}

/// When an account was used, the newest first: the first one in view, the others on demand.
fn uses(html: &mut Html, uses: &[Use], title: &str, names: &KeyNames) {
    let [newest, older @ ..] = uses else { return };
    html.raw("<p class=\"facts\">last used ");
    used(html, newest, names);
    html.raw("</p>\n");
    if older.is_empty() {
        return;
    }
    html.raw("<details class=\"facts\"><summary>Earlier uses<span class=\"unseen\"> of ")
        .text(title)
        .raw("</span></summary>\n<ul>\n");
    for older in older {
        html.raw("<li>");
        used(html, older, names);
        html.raw("</li>\n");
    }
    html.raw("</ul></details>\n");
}

fn used(html: &mut Html, it: &Use, names: &KeyNames) {
    moment(html, it.at);
    html.raw(" by ").text(&names.of(&it.agent).name).raw(", through ");
    user_of_token(html, &it.user_of_token);
}

/// A link that leads to the question before an action.
fn action(html: &mut Html, connection: &str, title: &str, action: &'static str, label: &'static str) {
    html.raw("<a class=\"button quiet\" href=\"")
        .raw(CONNECTIONS_PATH)
        .raw("/")
        .text(connection)
        .raw("?action=")
        .raw(action)
        .raw("\">")
        .raw(label)
        .raw("<span class=\"unseen\"> ")
        .text(title)
        .raw("</span></a> ");
}

/// The beginning of a question: the way back.
fn back(html: &mut Html) {
    html.raw("<section class=\"first\">\n<p class=\"small\"><a href=\"")
        .raw(CONNECTIONS_PATH)
        .raw("\">Connected accounts</a></p>\n");
}

/// The end of a question: the two answers.
fn form(
    html: &mut Html,
    session: &Session,
    connection: &str,
    action: &'static str,
    button: &'static str,
    otherwise: &'static str,
) {
    html.raw("<form method=\"post\" action=\"")
        .raw(CONNECTIONS_PATH)
        .raw("/")
        .text(connection)
        .raw("\">\n")
        .piece(&hidden(session))
        .raw("<input type=\"hidden\" name=\"action\" value=\"")
        .raw(action)
        .raw("\">\n<div class=\"buttons\">")
        .raw(button)
        .raw("<a class=\"button quiet\" href=\"")
        .raw(CONNECTIONS_PATH)
        .raw("\">")
        .raw(otherwise)
        .raw("</a></div>\n</form>\n</section>\n");
}
