//! The sections of the page that are lists: issuers, clients, tools, scopes, documents and links.

use crate::{
    documents::listing::card_path,
    health,
    page::{
        connect::{self, Client},
        html::Html,
        view::View,
    },
    settings::Settings,
};
use mcp_edge_oauth::{provider::DocumentPlace, settings::DisplayMetadata};
use mcp_edge_runtime::uri::split_origin;
#[cfg(feature = "connections")]
use mcp_edge_server::ToolInfo;

/// Adds the hosts of the issuers.
pub(super) fn issuers<'h>(html: &'h mut Html, view: &View<'_>) -> &'h mut Html {
    for (index, trusted) in view.settings.trust.issuers.iter().enumerate() {
        let (origin, _) = split_origin(&trusted.issuer);
        let host = origin.split_once("://").map_or(origin, |(_, host)| host);
        html.raw(if index == 0 { "" } else { " or " }).text(host);
    }
    html
}

/// Adds the clients, each with what connects it.
pub(super) fn clients<'h>(html: &'h mut Html, view: &View<'_>) -> &'h mut Html {
    for Client { name, how, link, copy } in connect::clients(view.name, &view.settings.resource.url) {
        html.raw("<li><h3>").raw(name).raw("</h3><p>").raw(how);
        let shown = copy.as_ref().filter(|_| how.is_empty());
        if let Some((_, text)) = shown {
            html.raw("<code>").text(text).raw("</code>");
        }
        // The script copies what is shown; otherwise the button says what to copy.
        let is_shown = shown.is_some();
        html.raw("</p><div>");
        if let Some((label, text)) = copy {
            html.raw("<button class=\"copy\"");
            if !is_shown {
                html.raw(" data-copy=\"").text(&text).raw("\"");
            }
            html.raw(" aria-label=\"").raw(label).raw(" for ").raw(name).raw("\" hidden>").raw(label).raw("</button>");
        }
        if let Some((label, url)) = link {
            html.raw("<a class=\"button\" href=\"").text(&url).raw("\">").raw(label).raw("</a>");
        }
        html.raw("</div></li>");
    }
    html
}

/// Adds the link to access keys, if there are any.
pub(super) fn access_keys<'h>(html: &'h mut Html, view: &View<'_>) -> &'h mut Html {
    if !view.settings.access_keys.has_pages {
        return html;
    }
    html.raw(
        "<p class=\"about\">Your client cannot sign in? <a href=\"/account/keys\">Make an access key</a> for it, with the \
         scopes that you choose.</p>\n",
    )
}

/// Adds the link for developers of agents, if there is a developer portal.
pub(super) fn portal<'h>(html: &'h mut Html, view: &View<'_>) -> &'h mut Html {
    let Some(portal) = &view.settings.page.developer_portal else { return html };
    html.raw("<p class=\"about\">You build agents? <a href=\"")
        .text(portal)
        .raw("\">Register yours</a>, and its users sign in with a client of its own.</p>")
}

/// Adds the tools, each with the scopes that it needs.
pub(super) fn tools<'h>(html: &'h mut Html, view: &View<'_>) -> &'h mut Html {
    if view.gateway_scopes.is_some() {
        return tools_of_upstream(html, view);
    }
    if view.tools.is_empty() {
        return html.raw("<p class=\"about\">This server has no tools that are open to all clients.</p>");
    }
    html.raw("<ul class=\"rows tools\">\n");
    for tool in &view.tools {
        html.raw("<li><h3>");
        if let Some(title) = tool.title.filter(|title| *title != tool.name) {
            html.text(title).raw(" ");
        }
        html.raw("<code>").text(tool.name).raw("</code></h3><p>");
        html.text(tool.description.unwrap_or_default()).raw("</p>");
        for scope in view.needed_by(tool).iter() {
            scope_tag(html, "", scope);
        }
        if tool.needs_user {
            html.raw("<span class=\"tag\">signed-in users only</span>");
        }
        #[cfg(feature = "connections")]
        connections_of(html, view, tool);
        html.raw("</li>\n");
    }
    html.raw("</ul>")
}

/// Adds the connections of a tool. Which of them take an account of the user, only the vault knows; its page says it.
#[cfg(feature = "connections")]
fn connections_of(html: &mut Html, view: &View<'_>, tool: &ToolInfo<'_>) {
    let (start, end) = if view.settings.access_keys.has_pages {
        ("<a class=\"tag\" href=\"/account/connections\">uses ", "</a>")
    } else {
        ("<span class=\"tag\">uses ", "</span>")
    };
    for connection in tool.connections {
        html.raw(start).text(&connection.name).raw(end);
    }
}

/// Adds what a gateway can say of the tools of its upstream: who sees them, and the scopes that they may need.
fn tools_of_upstream<'h>(html: &'h mut Html, view: &View<'_>) -> &'h mut Html {
    html.raw("<p class=\"about\">The tools depend on the server behind this one and on who is signed in. ");
    html.raw(if view.settings.page.has_playground() {
        "<a href=\"#try\">Sign in to see them</a>"
    } else {
        "<a href=\"#connect\">Connect a client</a> to see them"
    });
    html.raw(".</p>");
    if view.scopes.is_empty() {
        return html;
    }
    html.raw("\n<ul class=\"rows tools\">\n");
    for (basic, about) in [
        (true, "Basic scopes</h3><p>Every request needs them."),
        (false, "Further scopes</h3><p>Some tools, prompts or resources need them."),
    ] {
        let scopes = view.scopes_of(basic);
        if scopes.is_empty() {
            continue;
        }
        html.raw("<li><h3>").raw(about).raw("</p>");
        for scope in scopes {
            scope_tag(html, "", &scope);
        }
        html.raw("</li>\n");
    }
    html.raw("</ul>")
}

/// Returns what this server keeps from agents in any case.
pub(super) const fn withheld(view: &View<'_>) -> &'static str {
    if view.gateway_scopes.is_some() {
        "What you did not allow: this server passes on no request that needs it."
    } else {
        "Data that you did not allow: this server removes what no granted scope covers before a tool runs."
    }
}

/// Adds the scopes, each with the author's description and the claims about the user that it discloses.
pub(super) fn scopes<'h>(html: &'h mut Html, view: &View<'_>) -> &'h mut Html {
    if view.gateway_scopes.is_some() {
        // No claim about the user is passed on, and only the upstream knows what a scope stands for.
        let all = "<li>What the <a href=\"#tools\">scopes</a> that you allow stand for.</li>";
        return html.raw(if view.scopes.is_empty() { "" } else { all });
    }
    for (scope, description) in &view.scopes {
        // `email_verified` reads better as `email verified`.
        let claims = view.settings.trust.disclosure.claims_of(scope).map(|claim| claim.replace('_', " "));
        let claims = claims.collect::<Vec<_>>().join(", ");
        html.raw("<li>");
        match (*description, claims.as_str()) {
            (Some(description), "") => html.text(description).raw(". "),
            (None, "") => html.raw("What this scope stands for: "),
            (description, claims) => {
                html.text(description.unwrap_or("About you")).raw(": your ").text(claims).raw(". ")
            }
        };
        scope_tag(html, view.settings.trust.scope_prefix.before(scope), scope).raw("</li>\n");
    }
    html
}

/// Adds the documents that the server publishes.
pub(super) fn documents<'h>(html: &'h mut Html, view: &View<'_>) -> &'h mut Html {
    let Settings { resource, registry_entry, server_card, trust, .. } = view.settings;
    let mut row = |title, url: &str| {
        html.raw("<div><dt>").raw(title).raw("</dt><dd><a href=\"").text(url).raw("\">");
        html.text(url).raw("</a></dd></div>\n");
    };
    row("Metadata of this resource (RFC 9728)", &resource.metadata_url());
    for trusted in &trust.issuers {
        let place = || DocumentPlace::OpenIdAppended.url(trusted.authorization_server());
        row("Metadata of the identity provider", &trusted.urls.discovery.clone().unwrap_or_else(place));
    }
    if registry_entry.is_some() {
        row("Listing for the MCP registry", &(resource.origin.clone() + "/server.json"));
    }
    if *server_card {
        row("Server card", &(resource.origin.clone() + &card_path(&resource.path)));
    }
    row("Health", &(resource.origin.clone() + health::PATH));
    html
}

/// Adds the footer: the name, and the operator's links.
pub(super) fn footer<'h>(html: &'h mut Html, view: &View<'_>) -> &'h mut Html {
    let DisplayMetadata { documentation, privacy_policy, terms_of_service, .. } = &view.settings.display;
    html.raw("<p>").text(view.name).raw(" speaks the Model Context Protocol.</p>\n");
    for (title, url) in [("Documentation", documentation), ("Privacy", privacy_policy), ("Terms", terms_of_service)] {
        if let Some(url) = url {
            html.raw("<a href=\"").text(url).raw("\">").raw(title).raw("</a>\n");
        }
    }
    html
}

fn scope_tag<'h>(html: &'h mut Html, prefix: &str, scope: &str) -> &'h mut Html {
    html.raw("<code class=\"tag\">").text(prefix).text(scope).raw("</code>")
}
