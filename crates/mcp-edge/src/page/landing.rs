//! The page at `/`: settings and tools in, one HTML document out.

use serde_json::json;

use super::{
    CALLBACK_PATH, Policy,
    connect::{self, Client},
    html::{escape, fill, url_component},
};
use crate::{
    documents::document::Document,
    mcp::{Server, ToolInfo},
    oauth::{access::scope::Scopes, protected_resource::advertisable},
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
        let mut entries = vec![("Metadata of this resource (RFC 9728)", vec![self.settings.resource.metadata_url()])];
        let providers = self.settings.trust.issuers.iter();
        let discovery =
            providers.map(|it| format!("{}/.well-known/openid-configuration", it.issuer.trim_end_matches('/')));
        entries.push(("Metadata of the identity provider", discovery.collect()));
        let link = |url: &String| format!("<dd><a href=\"{0}\">{0}</a></dd>", escape(url));
        let entry = |(title, urls): (&str, Vec<String>)| {
            format!("<div><dt>{title}</dt>{}</div>\n", urls.iter().map(link).collect::<String>())
        };
        entries.into_iter().map(entry).collect()
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
