//! The page at `/`, rendered from settings and a server.

use super::{policy::Policy, view::DESCRIPTION, *};
use mcp_edge_identity::Scopes;
use mcp_edge_runtime::color::Color;
use mcp_edge_runtime::http::{RequestHead, Response};
use mcp_edge_server::{Call, Tool};

const EVIL: &str = "</title></script><script>alert(1)</script>\"'{{url}}&<!--";

fn server() -> Server {
    let tool = |name: &str| Tool::new(name, async |_: Call| "ok");
    Server::builder("test", "1.0.0")
        .title("A <test>")
        .scope("notes:read", "Read <notes>")
        .tool(tool("whoami").title(EVIL).description(EVIL).needs_user())
        .tool(tool("list").description("Lists notes").scope("notes:read"))
        .tool(tool("internal").description("First-party only").first_party_only())
        .build()
        .unwrap()
}

fn page(changes: &[(&str, &str)]) -> Response {
    page_with(changes, None)
}

/// The page of a gateway whose tables name these scopes.
fn gateway_page(changes: &[(&str, &str)], scopes: &str) -> Response {
    page_with(changes, Some(&Scopes::parse(scopes)))
}

fn page_with(changes: &[(&str, &str)], gateway_scopes: Option<&Scopes>) -> Response {
    let minimal = [("ISSUER", "https://tenant.logto.app/oidc"), ("RESOURCE", "https://mcp.example.com/mcp")];
    let find = |name: &str| changes.iter().chain(&minimal).find(|(known, _)| *known == name).map(|it| it.1.to_owned());
    let settings = Settings::parse(find).unwrap();
    landing::document(&settings, &server(), gateway_scopes).respond(&RequestHead::new("GET", "/"))
}

#[test]
fn a_server_with_a_vault_says_where_keys_are_made() {
    let link = "<a href=\"/account/keys\">Make an access key</a>";
    assert!(!page(&[]).text().contains(link));
    let settings = Settings::parse(|name| match name {
        "ISSUER" => Some("https://tenant.logto.app/oidc".to_owned()),
        "RESOURCE" => Some("https://mcp.example.com/mcp".to_owned()),
        _ => None,
    });
    let mut settings = settings.unwrap();
    settings.access_keys.has_pages = true;
    let response = landing::document(&settings, &server(), None).respond(&RequestHead::new("GET", "/"));
    assert!(response.text().contains(link), "{}", response.text());
}

/// Counts the occurrences of `tag` in `html`.
fn count(html: &str, tag: &str) -> usize {
    html.matches(tag).count()
}

#[test]
fn a_page_needs_no_optional_settings() {
    let response = page(&[]);
    let html = response.text();
    assert!(!html.contains("Register yours"), "there is no developer portal");
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
fn scopes_are_shown_as_clients_request_them() {
    let html = page(&[
        ("SCOPE_PREFIX", "api://notes/"),
        ("REQUIRED_SCOPES", "email"),
        ("CLAIM_SCOPES", "notes:read=nickname"),
        ("PLAYGROUND_CLIENT_ID", "playground"),
    ]);
    let html = html.text();
    // At the tool, and in the list with the author's description and the claims that the scope discloses.
    assert_eq!(count(html, "<code class=\"tag\">api://notes/notes:read</code>"), 2);
    assert!(
        html.contains("Read &lt;notes&gt;: your nickname. <code class=\"tag\">api://notes/notes:read</code>"),
        "{html}"
    );
    // What the playground requests for a call.
    assert!(html.contains(r#""scopes":["api://notes/notes:read","email"]"#), "{html}");
    assert_eq!(count(html, ">notes:read<") + count(html, "api://notes/email"), 0);
}

#[test]
fn optional_settings_are_shown() {
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
fn a_gateway_names_scopes_instead_of_tools() {
    let settings =
        [("REQUIRED_SCOPES", "docs:read"), ("SCOPE_PREFIX", "api://docs/"), ("CLAIM_SCOPES", "docs:read=email")];
    let html = gateway_page(&settings, "docs:write docs:read offline_access <docs:delete>");
    let html = html.text();
    for text in [
        "<a href=\"#connect\">Connect a client</a> to see them",
        "<h3>Basic scopes</h3><p>Every request needs them.</p>\
         <code class=\"tag\">api://docs/docs:read</code></li>",
        "<h3>Further scopes</h3>",
        "<code class=\"tag\">api://docs/&lt;docs:delete&gt;</code><code class=\"tag\">api://docs/docs:write</code></li>",
        "What the <a href=\"#tools\">scopes</a> that you allow stand for.",
        "passes on no request that needs it",
    ] {
        assert!(html.contains(text), "{text}\n{html}");
    }
    // Neither the server's own tools, nor claims, which are not passed on.
    for text in ["whoami", "Lists notes", "notes:read", "your email", "offline_access", "{{", "before a tool runs"] {
        assert!(!html.contains(text), "{text}\n{html}");
    }
}

#[test]
fn a_gateway_names_no_kind_of_scopes_that_it_does_not_have() {
    let without = gateway_page(&[], "");
    assert!(!without.text().contains(" scopes</h3>") && !without.text().contains(">scopes</a>"), "{}", without.text());
    let basic = gateway_page(&[("REQUIRED_SCOPES", "docs:read")], "docs:read");
    assert!(basic.text().contains("Basic scopes") && !basic.text().contains("Further scopes"));
    let further = gateway_page(&[], "docs:read");
    assert!(!further.text().contains("Basic scopes") && further.text().contains("Further scopes"));
}

#[test]
fn the_playground_of_a_gateway_lists_tools_first() {
    let settings =
        [("PLAYGROUND_CLIENT_ID", "playground"), ("REQUIRED_SCOPES", "docs:read"), ("SCOPE_PREFIX", "api://docs/")];
    let html = gateway_page(&settings, "docs:read docs:write");
    let html = html.text();
    for text in [
        "<a href=\"#try\">Sign in to see them</a>",
        "Sign in and list the tools",
        r#""first":null"#,
        r#""tools":[{"name":"…","scopes":["api://docs/docs:write"],"title":"Further tools"}]"#,
    ] {
        assert!(html.contains(text), "{text}\n{html}");
    }
    assert!(gateway_page(&settings, "docs:read").text().contains(r#""tools":[]"#));
}

#[test]
fn first_party_tools_are_not_shown() {
    let html = page(&[("PLAYGROUND_CLIENT_ID", "playground")]);
    assert!(html.text().contains("Lists notes") && !html.text().contains("internal"));
    assert!(!html.text().contains("First-party only"));
}

#[test]
fn no_setting_and_no_name_becomes_markup() {
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
fn a_page_without_a_playground_may_send_no_requests() {
    let response = page(&[]);
    let policy = response.header("content-security-policy").unwrap_or_default();
    assert!(!policy.contains("connect-src") && !response.text().contains("id=\"playground\""), "{policy}");
}

#[test]
fn a_playground_may_send_requests_to_this_server_and_the_provider() {
    let response = page(&[("PLAYGROUND_CLIENT_ID", "it's \"me\"")]);
    let policy = response.header("content-security-policy").unwrap_or_default();
    assert!(policy.contains("; connect-src 'self' https://tenant.logto.app;"), "{policy}");
    assert!(response.text().contains(r#""it\u0027s \"me\"""#));
    assert!(response.text().contains("Sign in and call whoami"));
}

#[test]
fn the_policy_allows_only_the_style_and_script_of_the_page() {
    for changes in [&[][..], &[("PLAYGROUND_CLIENT_ID", "playground")]] {
        let response = page(changes);
        let between = |start: &str, end: &str| {
            let (_, rest) = response.text().split_once(start).unwrap();
            rest.split_once(end).unwrap().0.to_owned()
        };
        let expected = Policy::new(&between("<style>", "</style>"), &between("<script>", "</script>")).into_string();
        let policy = response.header("content-security-policy").unwrap_or_default();
        assert!(policy.starts_with(expected.strip_suffix("; frame-ancestors 'none'").unwrap()), "{policy}");
        assert!(policy.starts_with("default-src 'none'; ") && policy.ends_with("; frame-ancestors 'none'"));
        // Neither contains the end of its element.
        assert!(!include_str!("built/page-with-playground.js").contains("</") && !policy.contains("unsafe"));
    }
}

#[test]
fn every_gap_of_the_templates_has_a_value() {
    let response = page(&[("PLAYGROUND_CLIENT_ID", "playground"), ("RESOURCE_NAME", "Acme")]);
    // The name of the tool contains one, as text.
    let text = response.text().replace("{{url}}", "");
    assert!(!text.contains("{{"), "{text}");
}
