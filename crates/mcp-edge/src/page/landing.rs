//! The page at `/`: settings and tools in, one HTML document out.

use serde_json::json;

use super::{
    CALLBACK_PATH, Policy,
    connect::{self, Client},
    html::{escape, fill, url_component},
};
use crate::{
    documents::{document::Document, listing::card_path},
    health,
    mcp::{Server, ToolInfo},
    oauth::{access::scope::Scopes, protected_resource::advertisable, provider::discovery_urls},
    settings::Settings,
};

/// What the page says of a server that says nothing of itself.
const DESCRIPTION: &str = "AI agents of your choice can work here on your behalf, as far as you allow it.";

/// The tool that shows people who they are; the playground begins with it.
const FIRST_TOOL: &str = "whoami";

/// Renders the page.
pub(super) fn document<E>(settings: &Settings, server: &Server<E>) -> Document {
    let view = View::new(settings, server);
    let (style, script) = (view.style(), view.script());
    let html = fill(include_str!("landing.html"), |gap| {
        Some(match gap {
            "style" => style.as_str().into(),
            "script" => format!("<script>{script}</script>").into(),
            "name" => escape(view.name).into(),
            "description" => escape(view.description).into(),
            "url" => escape(&settings.resource.url).into(),
            "icon" => escape(&view.icon()).into(),
            "mark" => view.mark().into(),
            "issuers" => view.issuers().into(),
            "local_note" => view.local_note().into(),
            "clients" => clients(view.name, &settings.resource.url).into(),
            "try_link" if view.settings.page.has_playground() => "<a href=\"#try\">Try it</a>".into(),
            "playground" if view.settings.page.has_playground() => view.playground().into(),
            "try_link" | "playground" => "".into(),
            "tools" => view.tool_list().into(),
            "scopes" => view.scope_list(server).into(),
            "documents" => view.documents().into(),
            "footer" => view.footer().into(),
            _ => return None,
        })
    });
    // A window that the page opens stays in its reach, so that it can be sent to the provider and closed.
    Document::page(html, view.policy(&style, script))
        .with_header("cross-origin-opener-policy", "same-origin-allow-popups")
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
        let scopes =
            tools.iter().fold(settings.trust.required_scopes.clone(), |scopes, tool| scopes.union(tool.scopes));
        Self {
            settings,
            name: settings.name.as_deref().unwrap_or_else(|| server.title()),
            description: settings.description.as_deref().or_else(|| server.description()).unwrap_or(DESCRIPTION),
            tools,
            scopes: advertisable(&scopes).collect(),
        }
    }

    fn style(&self) -> String {
        self.settings.page.color.style() + include_str!("built/style.css")
    }

    fn script(&self) -> &'static str {
        if self.settings.page.has_playground() {
            include_str!("built/page-with-playground.js")
        } else {
            include_str!("built/page.js")
        }
    }

    fn policy(&self, style: &str, script: &str) -> String {
        let playground = self.settings.page.has_playground();
        let calls: Vec<&str> = ["'self'"].into_iter().chain(self.provider_origin()).collect();
        let policy = Policy::new(style, script).and("connect-src", if playground { &calls } else { &[] });
        policy.and("img-src", &[self.settings.logo.as_deref().map_or("data:", origin_of)]).to_string()
    }

    /// Where the playground fetches its token: at the first issuer, which is the one that clients use.
    fn provider_origin(&self) -> Option<&'a str> {
        self.settings.trust.issuers.first().map(|trusted| origin_of(&trusted.issuer))
    }

    fn issuers(&self) -> String {
        let hosts = self.settings.trust.issuers.iter().map(|trusted| origin_of(&trusted.issuer));
        let hosts = hosts.map(|origin| origin.split_once("://").map_or(origin, |(_, host)| host));
        hosts.map(|host| format!("<strong>{}</strong>", escape(host))).collect::<Vec<_>>().join(" or ")
    }

    /// The first character; CSS makes it upper-case where it can.
    fn initial(&self) -> String {
        escape(&self.name.chars().take(1).map(|first| first.to_ascii_uppercase()).collect::<String>())
    }

    fn mark(&self) -> String {
        match &self.settings.logo {
            Some(logo) => format!("<img class=\"mark\" src=\"{}\" alt=\"\">", escape(logo)),
            None => format!("<span class=\"mark\" aria-hidden=\"true\">{}</span>", self.initial()),
        }
    }

    fn icon(&self) -> String {
        let Some(logo) = &self.settings.logo else {
            let svg = format!(
                "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8' font-size='5' text-anchor='middle'>\
                 <rect width='8' height='8' rx='2' fill='{0}'/><text x='4' y='6' fill='{1}'>{2}</text></svg>",
                self.settings.page.color,
                self.settings.page.color.text_on_it(),
                self.initial(),
            );
            return format!("data:image/svg+xml,{}", url_component(&svg));
        };
        logo.clone()
    }

    fn local_note(&self) -> &'static str {
        if self.settings.resource.url.starts_with("http://") {
            " This one runs on your machine: Claude and ChatGPT, which call from their own network, reach it once it is \
             deployed."
        } else {
            ""
        }
    }

    fn playground(&self) -> String {
        let starts_with_whoami = self.tools.iter().any(|tool| tool.name == FIRST_TOOL);
        let tools = self.tools.iter().map(|tool| {
            let scopes = self.needed_by(tool);
            let scopes: Vec<&str> = scopes.iter().collect();
            json!({ "name": tool.name, "title": tool.title, "scopes": scopes })
        });
        let server = json!({
            "url": self.settings.resource.url,
            "clientId": self.settings.page.playground_client_id,
            "callback": format!("{}{CALLBACK_PATH}", self.settings.resource.origin),
            "provider": self.provider_origin(),
            "first": starts_with_whoami.then_some(FIRST_TOOL),
            "tools": tools.collect::<Vec<_>>(),
        });
        fill(include_str!("playground.html"), |gap| match gap {
            "server" => Some(escape(&server.to_string()).into()),
            "call_to_action" if starts_with_whoami => Some("Sign in and call whoami".into()),
            "call_to_action" => Some("Sign in and list the tools".into()),
            _ => None,
        })
    }

    fn needed_by(&self, tool: &ToolInfo<'_>) -> Scopes {
        self.settings.trust.required_scopes.union(tool.scopes)
    }

    fn tool_list(&self) -> String {
        if self.tools.is_empty() {
            return "<p class=\"about\">This server has no tools that are open to everybody.</p>".to_owned();
        }
        let tools = self.tools.iter().map(|tool| {
            let scopes = self.needed_by(tool);
            let mut tags: String = scopes.iter().map(scope_tag).collect();
            if tool.needs_user {
                tags += "<span class=\"tag\">signed-in users only</span>";
            }
            let name = format!("<code>{}</code>", escape(tool.name));
            let heading = match tool.title {
                Some(title) if title != tool.name => format!("{} {name}", escape(title)),
                _ => name,
            };
            format!("<li><h3>{heading}</h3><p>{}</p>{tags}</li>\n", escape(tool.description.unwrap_or_default()))
        });
        format!("<ul class=\"rows tools\">\n{}</ul>", tools.collect::<String>())
    }

    /// One line for each scope: what the author says of it, and which claims about the user it discloses.
    fn scope_list<E>(&self, server: &Server<E>) -> String {
        let line = |scope: &str| {
            let said = server.scope_descriptions().find(|(name, _)| *name == scope).map(|(_, said)| said);
            let claims: Vec<String> = self.settings.trust.disclosure.claims_of(scope).map(readable).collect();
            let claims = (!claims.is_empty()).then(|| format!("your {}", claims.join(", ")));
            let text = match (said, claims) {
                (Some(said), Some(claims)) => format!("{said}: {claims}."),
                (Some(said), None) => format!("{said}."),
                (None, Some(claims)) => format!("About you: {claims}."),
                (None, None) => "What this scope stands for:".to_owned(),
            };
            format!("<li>{} {}</li>\n", escape(&text), scope_tag(scope))
        };
        self.scopes.iter().map(line).collect()
    }

    fn documents(&self) -> String {
        let Settings { resource, registry_entry, server_card, .. } = self.settings;
        let here = |path: &str| format!("{}{path}", resource.origin);
        let mut entries = vec![("Metadata of this resource (RFC 9728)", resource.metadata_url())];
        for trusted in &self.settings.trust.issuers {
            let [discovery, _] = discovery_urls(&trusted.issuer);
            entries.push(("Metadata of the identity provider", discovery));
        }
        if registry_entry.is_some() {
            entries.push(("Listing for the MCP registry", here("/server.json")));
        }
        if *server_card {
            entries.push(("Server card (experimental)", here(&card_path(&resource.path))));
        }
        entries.push(("Health", here(health::PATH)));
        let row = |(title, url): (&str, String)| {
            format!("<div><dt>{title}</dt><dd><a href=\"{0}\">{0}</a></dd></div>\n", escape(&url))
        };
        entries.into_iter().map(row).collect()
    }

    fn footer(&self) -> String {
        let links = [
            ("Documentation", &self.settings.documentation),
            ("Privacy", &self.settings.privacy_policy),
            ("Terms", &self.settings.terms_of_service),
        ];
        let links = links.into_iter().filter_map(|(text, url)| Some((text, url.as_deref()?)));
        let links = links.map(|(text, url)| format!("<a href=\"{}\">{text}</a>\n", escape(url)));
        format!("<p>{} speaks the Model Context Protocol.</p>\n{}", escape(self.name), links.collect::<String>())
    }
}

fn clients(name: &str, url: &str) -> String {
    connect::clients(name, url).into_iter().map(client_row).collect()
}

fn client_row(Client { name, how, link, copy }: Client) -> String {
    let copy = copy.map(|(label, text)| {
        format!(
            "<button class=\"copy\" data-copy=\"{}\" aria-label=\"{label} for {name}\" hidden>{label}</button>",
            escape(&text)
        )
    });
    let link = link.map(|(text, url)| format!("<a class=\"button\" href=\"{}\">{text}</a>", escape(&url)));
    let buttons = copy.into_iter().chain(link).collect::<String>();
    format!("<li><h3>{name}</h3><p>{how}</p><div class=\"buttons\">{buttons}</div></li>\n")
}

fn scope_tag(scope: &str) -> String {
    format!("<code class=\"tag\">{}</code>", escape(scope))
}

/// `email_verified` → `email verified`.
fn readable(claim: &str) -> String {
    claim.replace('_', " ")
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
    use crate::{
        http::{RequestHead, Response},
        mcp::{Call, Tool},
        page::color::Color,
    };

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
        let text = response.text().replace(&escape(EVIL), "").replace("{{url}}", "");
        assert!(!text.contains("{{"), "{text}");
    }
}
