//! The page at `/`: settings and tools in, one HTML document out.

use serde_json::json;

use crate::page::{
    CALLBACK_PATH, Policy,
    connect::{self, Client},
    html::{Html, url_component},
};
use crate::{
    documents::{document::Document, listing::card_path},
    health,
    settings::Settings,
};
use mcp_edge_identity::Scopes;
use mcp_edge_oauth::{protected_resource::advertisable, provider::discovery_urls, settings::DisplayMetadata};
use mcp_edge_protocol::{Server, ToolInfo};

/// What the page says of a server that says nothing of itself.
const DESCRIPTION: &str = "AI agents of your choice can work here on your behalf, as far as you allow it.";

/// The tool that shows people who they are; the playground begins with it.
const FIRST_TOOL: &str = "whoami";

/// Renders the page.
pub(super) fn document<E>(settings: &Settings, server: &Server<E>) -> Document {
    const STYLE: &str = include_str!("built/style.css");
    let view = View::new(settings, server);
    let (colors, script) = (settings.page.color.style(), view.script());
    let mut html = Html::default();
    html.fill(include_str!("landing.html"), |html, gap| {
        match gap {
            // Custom properties have no character that would be escaped.
            "style" => html.text(&colors).raw(STYLE),
            "script" => html.raw(script),
            "name" => html.text(view.name),
            "description" => html.text(view.description),
            "url" => html.text(&settings.resource.url),
            "icon" => html.text(&view.icon()),
            "mark" => view.mark(html),
            "issuers" => view.issuers(html),
            "local_note" => html.raw(view.local_note()),
            "clients" => clients(html, view.name, &settings.resource.url),
            "portal" => view.portal(html),
            "try_link" => html.raw(if settings.page.has_playground() { "<a href=\"#try\">Try it</a>" } else { "" }),
            "playground" => view.playground(html),
            "tools" => view.tools(html),
            "scopes" => view.scopes(html, server),
            "documents" => view.documents(html),
            "footer" => view.footer(html),
            gap => unknown(html, gap),
        };
    });
    let policy = view.policy(&(colors + STYLE), script);
    // A window that the page opens stays in its reach, so that it can be sent to the provider and closed.
    Document::page(html.into_string(), policy).with_header("cross-origin-opener-policy", "same-origin-allow-popups")
}

/// A gap that nothing fills: the tests see to it that there is none.
fn unknown<'h>(html: &'h mut Html, gap: &str) -> &'h mut Html {
    html.raw("{{").text(gap).raw("}}")
}

/// What the page is about.
struct View<'a> {
    settings: &'a Settings,
    name: &'a str,
    description: &'a str,
    /// Those that a stranger could come to use: not those for the operator's own clients.
    tools: Vec<ToolInfo<'a>>,
    /// What any of them may need.
    scopes: Scopes,
}

impl<'a> View<'a> {
    fn new<E>(settings: &'a Settings, server: &'a Server<E>) -> Self {
        let tools: Vec<_> = server.tools().filter(|tool| !tool.first_party_only).collect();
        let required = &settings.trust.required_scopes;
        let scopes = required.iter().chain(tools.iter().flat_map(|tool| tool.scopes.iter())).collect();
        Self {
            settings,
            name: settings.display.name.as_deref().unwrap_or_else(|| server.title()),
            description: settings.description.as_deref().or_else(|| server.description()).unwrap_or(DESCRIPTION),
            tools,
            scopes: advertisable(&scopes).collect(),
        }
    }

    fn script(&self) -> &'static str {
        if self.settings.page.has_playground() {
            include_str!("built/page-with-playground.js")
        } else {
            include_str!("built/page.js")
        }
    }

    fn policy(&self, style: &str, script: &str) -> String {
        let mut policy = Policy::new(style, script);
        if self.settings.page.has_playground() {
            let calls: Vec<&str> = ["'self'"].into_iter().chain(self.provider_origin()).collect();
            policy = policy.and("connect-src", &calls);
        }
        policy.and("img-src", &[self.settings.logo.as_deref().map_or("data:", origin_of)]).to_string()
    }

    /// Where the playground fetches its token: at the first issuer, which is the one that clients use.
    fn provider_origin(&self) -> Option<&'a str> {
        self.settings.trust.issuers.first().map(|trusted| origin_of(&trusted.issuer))
    }

    fn issuers<'h>(&self, html: &'h mut Html) -> &'h mut Html {
        for (index, trusted) in self.settings.trust.issuers.iter().enumerate() {
            let origin = origin_of(&trusted.issuer);
            let host = origin.split_once("://").map_or(origin, |(_, host)| host);
            html.raw(if index == 0 { "" } else { " or " }).text(host);
        }
        html
    }

    /// The first character; CSS makes it upper-case where this does not.
    fn initial(&self) -> String {
        self.name.chars().take(1).map(|first| first.to_ascii_uppercase()).collect()
    }

    fn mark<'h>(&self, html: &'h mut Html) -> &'h mut Html {
        match &self.settings.logo {
            Some(logo) => html.raw("<img class=\"mark\" src=\"").text(logo).raw("\" alt=\"\">"),
            None => html.raw("<span class=\"mark\" aria-hidden=\"true\">").text(&self.initial()).raw("</span>"),
        }
    }

    /// The logo, or a picture made of colour and initial.
    fn icon(&self) -> String {
        let Settings { logo, page, .. } = self.settings;
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
            .text(&self.initial())
            .raw("</text></svg>");
        String::from("data:image/svg+xml,") + &url_component(&svg.into_string())
    }

    fn local_note(&self) -> &'static str {
        if self.settings.resource.url.starts_with("http://") {
            " This one runs on your machine: Claude and ChatGPT, which call from their own network, reach it once it is \
             deployed."
        } else {
            ""
        }
    }

    fn portal<'h>(&self, html: &'h mut Html) -> &'h mut Html {
        let Some(portal) = &self.settings.page.developer_portal else { return html };
        html.raw("<p class=\"about\">You build agents? <a href=\"")
            .text(portal)
            .raw("\">Register yours</a>, and its users sign in with a client of its own.</p>")
    }

    fn playground<'h>(&self, html: &'h mut Html) -> &'h mut Html {
        let Settings { resource, page, .. } = self.settings;
        if !page.has_playground() {
            return html;
        }
        let starts_with_whoami = self.tools.iter().any(|tool| tool.name == FIRST_TOOL);
        let tools = self.tools.iter().map(|tool| {
            let scopes = self.needed_by(tool);
            let scopes: Vec<&str> = scopes.iter().collect();
            json!({ "name": tool.name, "title": tool.title, "scopes": scopes })
        });
        let server = json!({
            "url": resource.url,
            "clientId": page.playground_client_id,
            "callback": resource.origin.clone() + CALLBACK_PATH,
            "provider": self.provider_origin(),
            "first": starts_with_whoami.then_some(FIRST_TOOL),
            "tools": tools.collect::<Vec<_>>(),
        });
        html.fill(include_str!("playground.html"), |html, gap| {
            match gap {
                "server" => html.text(&server.to_string()),
                "call_to_action" if starts_with_whoami => html.raw("Sign in and call whoami"),
                "call_to_action" => html.raw("Sign in and list the tools"),
                gap => unknown(html, gap),
            };
        });
        html
    }

    fn needed_by(&self, tool: &ToolInfo<'_>) -> Scopes {
        self.settings.trust.required_scopes.union(tool.scopes)
    }

    fn tools<'h>(&self, html: &'h mut Html) -> &'h mut Html {
        if self.tools.is_empty() {
            return html.raw("<p class=\"about\">This server has no tools that are open to everybody.</p>");
        }
        html.raw("<ul class=\"rows tools\">\n");
        for tool in &self.tools {
            html.raw("<li><h3>");
            if let Some(title) = tool.title.filter(|title| *title != tool.name) {
                html.text(title).raw(" ");
            }
            html.raw("<code>").text(tool.name).raw("</code></h3><p>");
            html.text(tool.description.unwrap_or_default()).raw("</p>");
            for scope in self.needed_by(tool).iter() {
                scope_tag(html, scope);
            }
            if tool.needs_user {
                html.raw("<span class=\"tag\">signed-in users only</span>");
            }
            html.raw("</li>\n");
        }
        html.raw("</ul>")
    }

    /// One line for each scope: what the author says of it, and which claims about the user it discloses.
    fn scopes<'h, E>(&self, html: &'h mut Html, server: &Server<E>) -> &'h mut Html {
        for scope in self.scopes.iter() {
            let said = server.scope_descriptions().find(|(name, _)| *name == scope).map(|(_, said)| said);
            // `email_verified` reads better as `email verified`.
            let claims = self.settings.trust.disclosure.claims_of(scope).map(|claim| claim.replace('_', " "));
            let claims = claims.collect::<Vec<_>>().join(", ");
            html.raw("<li>");
            match (said, claims.as_str()) {
                (Some(said), "") => html.text(said).raw(". "),
                (None, "") => html.raw("What this scope stands for: "),
                (said, claims) => html.text(said.unwrap_or("About you")).raw(": your ").text(claims).raw(". "),
            };
            scope_tag(html, scope).raw("</li>\n");
        }
        html
    }

    fn documents<'h>(&self, html: &'h mut Html) -> &'h mut Html {
        let Settings { resource, registry_entry, server_card, trust, .. } = self.settings;
        let mut row = |title, url: &str| {
            html.raw("<div><dt>").raw(title).raw("</dt><dd><a href=\"").text(url).raw("\">");
            html.text(url).raw("</a></dd></div>\n");
        };
        row("Metadata of this resource (RFC 9728)", &resource.metadata_url());
        for trusted in &trust.issuers {
            let [discovery, _] = discovery_urls(&trusted.issuer);
            row("Metadata of the identity provider", &discovery);
        }
        if registry_entry.is_some() {
            row("Listing for the MCP registry", &(resource.origin.clone() + "/server.json"));
        }
        if *server_card {
            row("Server card (experimental)", &(resource.origin.clone() + &card_path(&resource.path)));
        }
        row("Health", &(resource.origin.clone() + health::PATH));
        html
    }

    fn footer<'h>(&self, html: &'h mut Html) -> &'h mut Html {
        let DisplayMetadata { documentation, privacy_policy, terms_of_service, .. } = &self.settings.display;
        html.raw("<p>").text(self.name).raw(" speaks the Model Context Protocol.</p>\n");
        for (title, url) in [("Documentation", documentation), ("Privacy", privacy_policy), ("Terms", terms_of_service)]
        {
            if let Some(url) = url {
                html.raw("<a href=\"").text(url).raw("\">").raw(title).raw("</a>\n");
            }
        }
        html
    }
}

fn clients<'h>(html: &'h mut Html, name: &str, url: &str) -> &'h mut Html {
    for Client { name, how, link, copy } in connect::clients(name, url) {
        html.raw("<li><h3>").raw(name).raw("</h3><p>").raw(how);
        if let (Some((_, text)), "") = (&copy, how) {
            html.raw("<code>").text(text).raw("</code>");
        }
        html.raw("</p><div class=\"buttons\">");
        if let Some((label, text)) = copy {
            html.raw("<button class=\"copy\" data-copy=\"").text(&text).raw("\" aria-label=\"").raw(label);
            html.raw(" for ").raw(name).raw("\" hidden>").raw(label).raw("</button>");
        }
        if let Some((label, url)) = link {
            html.raw("<a class=\"button\" href=\"").text(&url).raw("\">").raw(label).raw("</a>");
        }
        html.raw("</div></li>\n");
    }
    html
}

fn scope_tag<'h>(html: &'h mut Html, scope: &str) -> &'h mut Html {
    html.raw("<code class=\"tag\">").text(scope).raw("</code>")
}

/// Scheme, host and port of a URL.
fn origin_of(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find('/').map_or(url.len(), |at| start + at);
    &url[..end]
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::color::Color;
    use mcp_edge_protocol::{Call, Tool};
    use mcp_edge_runtime::http::{RequestHead, Response};

    const EVIL: &str = "</title></script><script>alert(1)</script>\"'{{url}}&<!--";

    fn server() -> Server {
        let tool = |name: &str| Tool::new(name, async |_: Call| "ok");
        Server::builder("test", "1.0.0")
            .title("A <test>")
            .scope("notes:read", "Read <notes>")
            .tool(tool("whoami").title(EVIL).description(EVIL).needs_user())
            .tool(tool("list").description("Lists notes").scope("notes:read"))
            .tool(tool("internal").description("Not for strangers").first_party_only())
            .build()
            .unwrap()
    }

    fn page(changes: &[(&str, &str)]) -> Response {
        let minimal = [("ISSUER", "https://tenant.logto.app/oidc"), ("RESOURCE", "https://mcp.example.com/mcp")];
        let find =
            |name: &str| changes.iter().chain(&minimal).find(|(known, _)| *known == name).map(|it| it.1.to_owned());
        let settings = Settings::parse(find).unwrap();
        document(&settings, &server()).respond(&RequestHead::new("GET", "/"))
    }

    /// Every place in `html` where `tag` begins.
    fn count(html: &str, tag: &str) -> usize {
        html.matches(tag).count()
    }

    #[test]
    fn a_server_that_says_nothing_of_itself_has_a_page() {
        let response = page(&[]);
        let html = response.text();
        assert!(!html.contains("Register yours"), "there is nowhere to register");
        for text in [
            "<h1>A &lt;test&gt;</h1>",
            DESCRIPTION,
            "data-copy=\"https://mcp.example.com/mcp\"",
            "tenant.logto.app",
            "https://mcp.example.com/.well-known/oauth-protected-resource/mcp",
            "https://tenant.logto.app/oidc/.well-known/openid-configuration",
            "https://mcp.example.com/healthz",
            "<code class=\"tag\">notes:read</code>",
            "signed-in users only",
            "Read &lt;notes&gt;.",
        ] {
            assert!(html.contains(text), "{text}\n{html}");
        }
    }

    #[test]
    fn what_operators_set_is_shown() {
        let response = page(&[
            ("RESOURCE_NAME", "Acme"),
            ("RESOURCE_DESCRIPTION", "Acme for agents."),
            ("LOGO", "https://img.example.com/a/logo.svg"),
            ("PAGE_COLOR", "#ff0000"),
            ("RESOURCE_DOCUMENTATION", "https://example.com/docs"),
            ("RESOURCE_POLICY_URI", "https://example.com/privacy"),
            ("RESOURCE_TOS_URI", "https://example.com/terms"),
            ("CLAIM_SCOPES", "notes:read=name,email_verified"),
            ("DEVELOPER_PORTAL", "https://apps.example.com/"),
        ]);
        let html = response.text();
        for text in [
            "<title>Acme – MCP server</title>",
            "<p class=\"lead\">Acme for agents.</p>",
            "<img class=\"mark\" src=\"https://img.example.com/a/logo.svg\" alt=\"\">",
            &Color::parse("#ff0000").unwrap().style(),
            "href=\"https://example.com/docs\"",
            "href=\"https://example.com/privacy\"",
            "href=\"https://example.com/terms\"",
            "<a href=\"https://apps.example.com/\">Register yours</a>",
            "Read &lt;notes&gt;: your name, email verified.",
        ] {
            assert!(html.contains(text), "{text}\n{html}");
        }
        let policy = response.header("content-security-policy").unwrap_or_default();
        assert!(policy.contains("; img-src https://img.example.com;"), "{policy}");
    }

    #[test]
    fn tools_of_the_operators_own_clients_are_not_shown() {
        let html = page(&[("PLAYGROUND_CLIENT_ID", "playground")]);
        assert!(html.text().contains("Lists notes") && !html.text().contains("internal"));
        assert!(!html.text().contains("Not for strangers"));
    }

    #[test]
    fn no_name_becomes_markup() {
        let tame = page(&[("PLAYGROUND_CLIENT_ID", "playground")]);
        let evil = page(&[
            ("PLAYGROUND_CLIENT_ID", EVIL),
            ("RESOURCE_NAME", EVIL),
            ("RESOURCE_DESCRIPTION", EVIL),
            ("RESOURCE_DOCUMENTATION", "https://example.com/'onclick='alert(1)"),
        ]);
        for tag in ["<script", "</script", "<title", "<!--", "<p", "<a ", "<button", "<h1", "onclick='"] {
            // The operator has added one link.
            let added = usize::from(tag == "<a ");
            assert_eq!(count(evil.text(), tag), count(tame.text(), tag) + added, "{tag}");
        }
        assert!(!evil.text().contains("alert(1)</script>"));
    }

    #[test]
    fn a_page_without_a_playground_calls_nobody() {
        let response = page(&[]);
        let policy = response.header("content-security-policy").unwrap_or_default();
        assert!(!policy.contains("connect-src") && !response.text().contains("id=\"playground\""), "{policy}");
    }

    #[test]
    fn a_playground_may_call_this_server_and_the_provider() {
        let response = page(&[("PLAYGROUND_CLIENT_ID", "it's \"me\"")]);
        let policy = response.header("content-security-policy").unwrap_or_default();
        assert!(policy.contains("; connect-src 'self' https://tenant.logto.app;"), "{policy}");
        assert!(response.text().contains("&quot;it&#39;s \\&quot;me\\&quot;&quot;"));
        assert!(response.text().contains("Sign in and call whoami"));
    }

    #[test]
    fn the_policy_lets_run_what_is_in_the_page_and_nothing_else() {
        for changes in [&[][..], &[("PLAYGROUND_CLIENT_ID", "playground")]] {
            let response = page(changes);
            let between = |start: &str, end: &str| {
                let (_, rest) = response.text().split_once(start).unwrap();
                rest.split_once(end).unwrap().0.to_owned()
            };
            let expected = Policy::new(&between("<style>", "</style>"), &between("<script>", "</script>"));
            let policy = response.header("content-security-policy").unwrap_or_default();
            assert!(policy.starts_with(&expected.0), "{policy}");
            assert!(policy.starts_with("default-src 'none'; ") && policy.ends_with("; frame-ancestors 'none'"));
            // Neither holds what would end it early.
            assert!(!include_str!("built/page-with-playground.js").contains("</") && !policy.contains("unsafe"));
        }
    }

    #[test]
    fn no_template_has_a_gap_that_nothing_fills() {
        let response = page(&[("PLAYGROUND_CLIENT_ID", "playground"), ("RESOURCE_NAME", "Acme")]);
        // The tool of the test has one in its name, which is text.
        let text = response.text().replace("{{url}}", "");
        assert!(!text.contains("{{"), "{text}");
    }
}
