//! The pages: HTML that works without scripts, sent with the same strict headers.
//!
//! | module | what it contains |
//! |---|---|
//! | [`list`] | a user's keys |
//! | [`form`] | the form for a new key |
//! | [`one`] | one key; the questions before it is replaced or revoked |
//! | [`made`] | a key that was made just now, shown once |
//! | [`accounts`] | a user's connected accounts; the question before one is disconnected |
//! | [`consent`] | what a link asks for, and the ways in which it leads nowhere |
//! | [`confirmation`] | whether the account is the right one |
//! | [`agent`] | who asks, as users see it |
//! | [`message`] | pages that say one thing: the way in, what did not work |
//! | [`clients`] | configurations of clients for a key |
//! | [`status`] | what is said of a key: whether it works, until when |
//! | [`date`], `moment` | dates; moments |

pub mod accounts;
pub mod agent;
pub mod clients;
pub mod confirmation;
pub mod consent;
pub mod date;
pub mod form;
pub mod list;
pub mod made;
pub mod message;
mod moment;
pub mod one;
pub mod status;

use mcp_edge_runtime::{http::Response, uri::split_origin};
use mcp_edge_sign_in::{html::Html, session::Session};

use crate::settings::Settings;

/// Style and script are files of our own; nothing is loaded from elsewhere, no form leads elsewhere, no page frames this one.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

/// The path of the style.
pub const STYLE_PATH: &str = "/account/style.css";

/// The path of the script.
pub const SCRIPT_PATH: &str = "/account/script.js";

/// The path of the list of keys.
pub const KEYS_PATH: &str = "/account/keys";

/// The path of the list of connected accounts.
pub const CONNECTIONS_PATH: &str = "/account/connections";

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// What the server is called: `RESOURCE_NAME`, or else its host.
#[must_use]
pub fn name_of(settings: &Settings) -> String {
    let server = &settings.server;
    server.display.name.clone().unwrap_or_else(|| host(&server.resource.url).to_owned())
}

/// The host of a URL, with its port.
fn host(url: &str) -> &str {
    split_origin(url).0.split("//").last().unwrap_or_default()
}

/// What is around the content of a page.
#[derive(Debug, Default)]
struct Frame {
    /// The path of the part of the site that the page is in; empty for one in none.
    part: &'static str,
    /// Markup for the page's head.
    head: Html,
}

/// The pages of this deployment.
pub struct Pages {
    /// What the server is called.
    name: String,
    /// The endpoint's URL.
    url: String,
    /// The provider, as users know it: its host.
    provider: String,
    scopes: Vec<String>,
    required_scopes: Vec<String>,
    tools: Vec<String>,
    max_days: u64,
    keys_per_user: u64,
    refresh_days: u64,
    not_before: Option<u64>,
    style: String,
    /// Whether there are connected accounts beside the keys.
    has_connections: bool,
    /// Links at the foot of each page: text and address.
    links: Vec<(&'static str, String)>,
}

impl Pages {
    /// Creates the pages of this deployment, which has connected accounts or not.
    #[must_use]
    pub fn new(settings: &Settings, has_connections: bool) -> Self {
        let (server, trust) = (&settings.server, &settings.server.trust);
        let issuer = trust.issuers.first().map(|trusted| trusted.issuer.as_str()).unwrap_or_default();
        let links = [
            ("Documentation", &server.display.documentation),
            ("Privacy", &server.display.privacy_policy),
            ("Terms", &server.display.terms_of_service),
        ];
        Self {
            name: name_of(settings),
            url: server.resource.url.clone(),
            provider: host(issuer).to_owned(),
            scopes: settings.key_scopes.clone(),
            required_scopes: trust.required_scopes.iter().map(str::to_owned).collect(),
            tools: settings.key_tools.clone(),
            max_days: settings.max_days,
            keys_per_user: u64::from(settings.keys_per_user),
            refresh_days: settings.refresh_days,
            not_before: settings.not_before,
            style: settings.color.style() + STYLE,
            has_connections,
            links: links.into_iter().filter_map(|(text, link)| Some((text, link.clone()?))).collect(),
        }
    }

    /// What the server is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The style, with the operator's colour.
    #[must_use]
    pub fn style(&self) -> Response {
        asset("text/css; charset=utf-8", self.style.clone())
    }

    /// The script: buttons that copy, and a clean address after signing in. The pages do without.
    #[must_use]
    pub fn script() -> Response {
        asset("text/javascript; charset=utf-8", SCRIPT.to_owned())
    }

    fn page(&self, status: u16, session: Option<&Session>, title: &str, content: &Html) -> Response {
        let frame = Frame { part: KEYS_PATH, head: Html::default() };
        self.page_with(status, session, title, content, &frame)
    }

    fn page_with(
        &self,
        status: u16,
        session: Option<&Session>,
        title: &str,
        content: &Html,
        frame: &Frame,
    ) -> Response {
        let mut html = Html::default();
        html.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
            .raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>")
            .text(title)
            .raw(" – ")
            .text(&self.name)
            .raw("</title>\n<link rel=\"stylesheet\" href=\"/account/style.css\">\n")
            .raw("<script src=\"/account/script.js\" defer></script>\n")
            .piece(&frame.head)
            .raw("</head>\n<body>\n<a class=\"skip\" href=\"#main\">Skip to the content</a>\n<header>\n")
            .raw("<a class=\"brand\" href=\"/\"><span class=\"mark\" aria-hidden=\"true\">")
            .text(&self.name.chars().take(1).collect::<String>())
            .raw("</span><span>")
            .text(&self.name)
            .raw("</span></a>\n");
        self.navigation(&mut html, frame.part);
        if let Some(session) = session {
            html.raw("<form class=\"account\" method=\"post\" action=\"/account/sign-out\">")
                .piece(&hidden(session))
                .raw("<span>")
                .text(&session.name)
                .raw("</span> <button class=\"quiet\">Sign out</button></form>\n");
        }
        html.raw("</header>\n<main id=\"main\">\n").piece(content).raw("</main>\n<footer>");
        for (text, link) in &self.links {
            html.raw("<a rel=\"noreferrer\" href=\"").text(link).raw("\">").raw(text).raw("</a> ");
        }
        html.raw("</footer>\n<p id=\"said\" class=\"unseen\" role=\"status\"></p>\n</body>\n</html>\n");
        let mut response = Response::json(status, html.into_string());
        response.headers = vec![
            ("content-type", "text/html; charset=utf-8".into()),
            ("content-security-policy", POLICY.into()),
            ("cache-control", "no-store".into()),
            // With `no-referrer` browsers would send `origin: null` with our own forms.
            ("referrer-policy", "same-origin".into()),
            ("x-content-type-options", "nosniff".into()),
            ("x-frame-options", "DENY".into()),
            ("cross-origin-opener-policy", "same-origin".into()),
        ];
        response
    }
}

impl Pages {
    /// The parts of the site, if there is more than one.
    fn navigation(&self, html: &mut Html, part: &'static str) {
        if !self.has_connections {
            return;
        }
        html.raw("<nav aria-label=\"Account\">");
        for (path, label) in [(KEYS_PATH, "Access keys"), (CONNECTIONS_PATH, "Connected accounts")] {
            html.raw("<a href=\"").raw(path).raw(if path == part { "\" aria-current=\"true\">" } else { "\">" });
            html.raw(label).raw("</a> ");
        }
        html.raw("</nav>\n");
    }
}

/// The token by which a form is known to be ours.
fn hidden(session: &Session) -> Html {
    let mut html = Html::default();
    html.raw("<input type=\"hidden\" name=\"csrf\" value=\"").text(session.csrf()).raw("\">");
    html
}

fn asset(media_type: &'static str, text: String) -> Response {
    let mut response = Response::json(200, text);
    response.headers = vec![
        ("content-type", media_type.into()),
        ("cache-control", "public, max-age=300".into()),
        ("x-content-type-options", "nosniff".into()),
        ("referrer-policy", "no-referrer".into()),
    ];
    response
}
