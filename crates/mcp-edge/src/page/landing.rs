//! The page at `/`: fills the template `landing.html` from settings and tools.

use serde_json::json;

use crate::{
    documents::document::Document,
    page::{
        CALLBACK_PATH, Policy,
        html::{Html, in_data_url},
        sections,
        view::View,
    },
    settings::Settings,
};
use mcp_edge_identity::Scopes;
use mcp_edge_runtime::{json::to_json, uri::split_origin};
use mcp_edge_server::Server;

/// The tool that the playground calls first, where the server has it: it shows users who they are.
const FIRST_TOOL: &str = "whoami";

/// Creates the page.
pub(super) fn document<E>(settings: &Settings, server: &Server<E>, gateway_scopes: Option<&Scopes>) -> Document {
    render(&View::new(settings, server, gateway_scopes))
}

fn render(view: &View<'_>) -> Document {
    const STYLE: &str = include_str!("built/style.css");
    let (colors, script) = (view.settings.page.color.style(), script(view));
    let mut html = Html::default();
    html.fill(include_str!("landing.html"), |html, gap| {
        match gap {
            // Custom properties contain no character that would be escaped.
            "style" => html.text(&colors).raw(STYLE),
            "script" => html.raw(script),
            "name" => html.text(view.name),
            "description" => html.text(view.description),
            "url" => html.text(&view.settings.resource.url),
            "icon" => html.text(&icon(view)),
            "mark" => mark(html, view),
            "issuers" => sections::issuers(html, view),
            "local_note" => html.raw(local_note(view)),
            "clients" => sections::clients(html, view),
            "portal" => sections::portal(sections::access_keys(html, view), view),
            "try_link" if view.settings.page.has_playground() => html.raw("<a href=\"#try\">Try it</a>"),
            "try_link" => html,
            "playground" => playground(html, view),
            "tools" => sections::tools(html, view),
            "scopes" => sections::scopes(html, view),
            "withheld" => html.raw(sections::withheld(view)),
            "documents" => sections::documents(html, view),
            "footer" => sections::footer(html, view),
            gap => unknown(html, gap),
        };
    });
    let policy = policy(view, &(colors + STYLE), script);
    // The page needs a reference to the window it opens: to send it to the provider, and to close it.
    Document::page(html.into_string(), policy).with_header("cross-origin-opener-policy", "same-origin-allow-popups")
}

/// Adds a gap that has no value as it is, so that a test can find it.
fn unknown<'h>(html: &'h mut Html, gap: &str) -> &'h mut Html {
    html.raw("{{").text(gap).raw("}}")
}

fn script(view: &View<'_>) -> &'static str {
    if view.settings.page.has_playground() {
        include_str!("built/page-with-playground.js")
    } else {
        include_str!("built/page.js")
    }
}

fn policy(view: &View<'_>, style: &str, script: &str) -> String {
    let mut policy = Policy::new(style, script);
    if view.settings.page.has_playground() {
        policy = policy.and("connect-src", &["'self'", view.provider_origin().unwrap_or_default()]);
    }
    policy.and("img-src", &[view.settings.logo.as_deref().map_or("data:", |logo| split_origin(logo).0)]).into_string()
}

fn mark<'h>(html: &'h mut Html, view: &View<'_>) -> &'h mut Html {
    match &view.settings.logo {
        Some(logo) => html.raw("<img class=\"mark\" src=\"").text(logo).raw("\" alt=\"\">"),
        None => html.raw("<span class=\"mark\" aria-hidden=\"true\">").text(&view.initial()).raw("</span>"),
    }
}

/// Returns the URL of the logo, or of an image of the initial on the operator's colour.
fn icon(view: &View<'_>) -> String {
    let Settings { logo, page, .. } = view.settings;
    if let Some(logo) = logo {
        return logo.clone();
    }
    let mut svg = Html::default();
    svg.raw("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8' font-size='5' text-anchor='middle'>")
        .raw("<rect width='8' height='8' rx='2' fill='")
        .text(&page.color.to_string())
        .raw("'/><text x='4' y='6' fill='")
        .text(&page.color.text_on_it().to_string())
        .raw("'>")
        .text(&view.initial())
        .raw("</text></svg>");
    String::from("data:image/svg+xml,") + &in_data_url(&svg.into_string())
}

fn local_note(view: &View<'_>) -> &'static str {
    if view.settings.resource.url.starts_with("http://") {
        " This server runs on your machine, which Claude and ChatGPT cannot reach from their network."
    } else {
        ""
    }
}

fn playground<'h>(html: &'h mut Html, view: &View<'_>) -> &'h mut Html {
    let Settings { resource, page, .. } = view.settings;
    if !page.has_playground() {
        return html;
    }
    let starts_with_whoami = view.tools.iter().any(|tool| tool.name == FIRST_TOOL);
    let tools = view.tools.iter().map(|tool| {
        let scopes = view.needed_by(tool);
        let scopes: Vec<&str> = scopes.iter().collect();
        json!({ "name": tool.name, "title": tool.title, "scopes": scopes })
    });
    // Nobody can tell which tools of an upstream need further scopes, so that one entry stands for all of them.
    let further = view.gateway_scopes.map(|_| view.scopes_of(false)).filter(|scopes| !scopes.is_empty());
    let further = further.map(|scopes| json!({ "name": "…", "title": "Further tools", "scopes": scopes }));
    let server = json!({
        "url": resource.url,
        "clientId": page.playground_client_id,
        "callback": resource.origin.clone() + CALLBACK_PATH,
        "provider": view.provider_origin(),
        "first": starts_with_whoami.then_some(FIRST_TOOL),
        "tools": tools.chain(further).collect::<Vec<_>>(),
    });
    html.fill(include_str!("playground.html"), |html, gap| {
        match gap {
            "server" => html.json(&to_json(&server)),
            "call_to_action" if starts_with_whoami => html.raw("Sign in and call whoami"),
            "call_to_action" => html.raw("Sign in and list the tools"),
            gap => unknown(html, gap),
        };
    });
    html
}
