//! Which metadata is accepted, and what becomes of it.

mod bounds;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    error::{ErrorCode, MetadataError},
    members::is_invisible,
    name::MAX_NAME_CHARACTERS,
    *,
};

/// What the official TypeScript client sends, with members changed or added; `null` removes one.
#[allow(clippy::needless_pass_by_value, reason = "every caller makes the value in place")]
fn parse(changes: Value) -> Result<ClientMetadata, MetadataError> {
    let mut metadata = json!({
        "client_name": "Agent", "redirect_uris": ["http://127.0.0.1:9999/callback"],
        "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    });
    for (name, value) in changes.as_object().unwrap() {
        metadata[name] = value.clone();
    }
    ClientMetadata::parse(&metadata.to_string(), &[])
}

fn error_of(changes: Value) -> (ErrorCode, String) {
    let error = parse(changes).unwrap_err();
    (error.code, error.to_string())
}

#[test]
fn what_the_typescript_client_sends_is_accepted() {
    let metadata = parse(json!({})).unwrap();
    assert_eq!(metadata.client_name, "Agent");
    assert_eq!(metadata.grant_types, ["authorization_code", "refresh_token"]);
    assert!(metadata.is_native() && !metadata.token_endpoint_auth_method.has_secret());
}

#[test]
fn what_other_clients_send_is_accepted() {
    // VS Code and Claude: a grant that is not offered. Cursor: a wrong application_type.
    for other in ["device_code", "jwt-bearer"] {
        let other = format!("urn:ietf:params:oauth:grant-type:{other}");
        let metadata = parse(json!({"grant_types": ["authorization_code", "refresh_token", other]})).unwrap();
        assert_eq!(metadata.grant_types, ["authorization_code", "refresh_token"]);
    }
    let cursor = json!({"application_type": "web", "redirect_uris": ["cursor://anysphere.cursor-mcp/oauth/callback"]});
    assert_eq!(parse(cursor).unwrap().application_type, "native");
    // Left out by an empty text, as some do.
    assert_eq!(parse(json!({"logo_uri": "", "scope": ""})).unwrap().logo_uri, None);
    // The application type of OpenID Connect means nothing here: the redirect URIs decide.
    for hint in [json!("service"), json!("browser"), json!(["native"]), json!(7)] {
        assert_eq!(parse(json!({"application_type": hint})).unwrap().application_type, "native", "{hint}");
    }
}

#[test]
fn empty_lists_and_null_count_as_absent() {
    let empty = parse(json!({"grant_types": [], "response_types": [], "contacts": [""]})).unwrap();
    assert_eq!((empty.grant_types, empty.contacts), (vec!["authorization_code".to_owned()], Vec::<String>::new()));
    let entries =
        json!({"grant_types": [null, "authorization_code", ""], "response_types": [null], "contacts": [null, " "]});
    assert_eq!(parse(entries).unwrap().grant_types, ["authorization_code"]);
    let members = [
        "token_endpoint_auth_method",
        "grant_types",
        "response_types",
        "client_name",
        "scope",
        "client_uri",
        "logo_uri",
        "tos_uri",
        "policy_uri",
        "contacts",
        "software_id",
        "software_version",
        "software_statement",
        "jwks",
        "jwks_uri",
        "application_type",
    ];
    let uri = json!({"redirect_uris": ["https://agent.example.com/cb"]});
    let mut with_null = uri.clone();
    for member in members {
        with_null[member] = Value::Null;
    }
    let parse = |body: &Value| ClientMetadata::parse(&body.to_string(), &[]);
    assert_eq!(parse(&with_null), parse(&uri));
    assert!(parse(&uri).is_ok());
}

#[test]
fn grants_and_response_types_that_are_not_offered_are_left_out() {
    // Some clients name all that the provider's own metadata lists: LibreChat the response types, Raycast the grants.
    let provider = json!({
        "grant_types": ["implicit", "authorization_code", "refresh_token", "client_credentials", "password",
            "urn:ietf:params:oauth:grant-type:token-exchange"],
        "response_types": ["code id_token", "code", "id_token", "none", "token"],
    });
    let metadata = parse(provider).unwrap();
    assert_eq!(metadata.grant_types, ["authorization_code", "refresh_token"]);
    assert_eq!(metadata.response_types, ["code"]);
}

#[test]
fn pages_that_the_public_cannot_open_are_left_out() {
    let pages = ["client_uri", "logo_uri", "tos_uri", "policy_uri"];
    for uri in [
        "http://localhost:4200",
        "http://127.0.0.1:3000/logo.png",
        "HTTP://agent.example.com/",
        "https://localhost:3000",
        "https://[::1]/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://intranet/agent",
        "https://user@agent.example.com/",
        "https://münchen.example/",
        "https://agent.example.com/\"onerror=",
        &format!("https://agent.example.com/{}", "x".repeat(3_000)),
        "/logo.png",
        "logo.png",
        "//agent.example.com/logo.png",
        "../a b:c",
        "data:image/png;base64,iVBORw0KGgo=",
        "Data:text/html,<script>",
    ] {
        let body = |member: &str| json!({member: uri, "policy_uri": "https://agent.example.com/privacy"});
        for member in &pages[..3] {
            let metadata = parse(body(member)).unwrap_or_else(|error| panic!("{uri}: {error}"));
            assert_eq!((metadata.client_uri, metadata.logo_uri, metadata.tos_uri), (None, None, None), "{uri}");
            assert_eq!(metadata.policy_uri.as_deref(), Some("https://agent.example.com/privacy"), "{uri}");
        }
        assert_eq!(parse(json!({"policy_uri": uri})).unwrap().policy_uri, None, "{uri}");
    }
    for uri in ["javascript:alert(1)", "JavaScript:alert(1)", "file:///etc/passwd", "vbscript:x", "app:logo.png"] {
        for member in pages {
            assert!(error_of(json!({member: uri})).1.starts_with(member), "{uri}");
        }
    }
}

#[test]
fn people_to_contact_are_kept_as_far_as_they_can_be() {
    let people = json!({"contacts": ["a@x", "", "b@x\u{202e}", "c@x", "x".repeat(255), "d@x", "e@x", "f@x", "g@x"]});
    assert_eq!(parse(people).unwrap().contacts, ["a@x", "c@x", "d@x", "e@x", "f@x"]);
    assert_eq!(parse(json!({"contacts": " me@example.com"})).unwrap().contacts, ["me@example.com"]);
    for contact in ["", " ", "me@example.com\u{202e}", &"x".repeat(255)] {
        assert_eq!(parse(json!({"contacts": contact})).unwrap().contacts, Vec::<String>::new(), "{contact}");
    }
}

#[test]
fn a_client_with_a_private_use_redirect_uri_and_no_method_is_public() {
    let parse = |uris: Value| ClientMetadata::parse(&json!({"redirect_uris": uris}).to_string(), &["myapp".to_owned()]);
    for uris in [
        json!(["cursor://anysphere.cursor-mcp/oauth/callback"]),
        json!(["com.example.app:/cb"]),
        json!(["myapp://cb"]),
        json!(["https://agent.example.com/cb", "http://localhost:8787/callback", "com.example.app:/cb"]),
    ] {
        let metadata = parse(uris.clone()).unwrap();
        assert_eq!(metadata.token_endpoint_auth_method, AuthMethod::None, "{uris}");
        assert!(metadata.is_native());
    }
    // Elsewhere the default of RFC 7591 stays: such a client waits for a secret.
    for uris in [json!(["http://127.0.0.1:1234/callback"]), json!(["https://agent.example.com/cb"])] {
        assert_eq!(parse(uris).unwrap().token_endpoint_auth_method, AuthMethod::ClientSecretBasic);
    }
}

#[test]
fn defaults_are_those_of_the_rfc() {
    let metadata = ClientMetadata::parse(r#"{"redirect_uris":["https://agent.example.com/cb"]}"#, &[]).unwrap();
    assert_eq!(metadata.token_endpoint_auth_method, AuthMethod::ClientSecretBasic);
    assert_eq!(metadata.grant_types, ["authorization_code"]);
    assert_eq!((metadata.response_types.as_slice(), metadata.scope.as_deref()), (&["code".to_owned()][..], None));
    assert_eq!(metadata.client_name, "An agent at agent.example.com");
}

#[test]
fn the_redirect_uris_decide_what_the_client_is() {
    let is_native = |uris: Value| parse(json!({"redirect_uris": uris})).unwrap().is_native();
    assert!(is_native(json!(["https://agent.example.com/cb", "http://localhost/cb"])));
    assert!(!is_native(json!(["https://agent.example.com/cb"])));
    let secret = parse(json!({"token_endpoint_auth_method": "client_secret_post"})).unwrap();
    assert!(!secret.is_native(), "a client with a secret may use a loopback address and is still a web client");
}

#[test]
fn repeated_addresses_count_once_and_their_order_stays() {
    let metadata =
        parse(json!({"redirect_uris": ["http://localhost/b", "http://localhost/a", "http://localhost/b"]})).unwrap();
    assert_eq!(metadata.redirect_uris, ["http://localhost/b", "http://localhost/a"]);
}

#[test]
fn every_error_has_the_code_of_the_rfc_and_names_its_member() {
    use ErrorCode::{InvalidClientMetadata, InvalidRedirectUri, UnapprovedSoftwareStatement};
    let uris = |count: usize| (0..count).map(|n| format!("http://localhost/{n}")).collect::<Vec<_>>();
    for (changes, code, member) in [
        (json!({"redirect_uris": null}), InvalidRedirectUri, "redirect_uris: must be given"),
        (json!({"redirect_uris": []}), InvalidRedirectUri, "redirect_uris: must not be empty"),
        (json!({"redirect_uris": "http://localhost/"}), InvalidRedirectUri, "redirect_uris: must be an array"),
        (json!({"redirect_uris": [1]}), InvalidRedirectUri, "redirect_uris[0]: must be a string"),
        (json!({"redirect_uris": uris(11)}), InvalidRedirectUri, "redirect_uris: must not have more than 10"),
        (
            json!({"redirect_uris": ["http://localhost/", "javascript:alert(1)"]}),
            InvalidRedirectUri,
            "redirect_uris[1]: uses a scheme",
        ),
        (json!({"token_endpoint_auth_method": "private_key_jwt"}), InvalidClientMetadata, "token_endpoint_auth_method"),
        (json!({"token_endpoint_auth_method": "tls_client_auth"}), InvalidClientMetadata, "token_endpoint_auth_method"),
        (json!({"token_endpoint_auth_method": ["none"]}), InvalidClientMetadata, "token_endpoint_auth_method"),
        (
            json!({"token_endpoint_auth_method": "client_secret_basic",
                "redirect_uris": ["cursor://anysphere.cursor-mcp/oauth/callback"]}),
            InvalidClientMetadata,
            "token_endpoint_auth_method: must be \"none\"",
        ),
        (json!({"grant_types": ["client_credentials"]}), InvalidClientMetadata, "grant_types"),
        (json!({"grant_types": ["refresh_token"]}), InvalidClientMetadata, "grant_types: must contain"),
        (json!({"grant_types": "authorization_code"}), InvalidClientMetadata, "grant_types: must be an array"),
        (json!({"response_types": ["token"]}), InvalidClientMetadata, "response_types"),
        (json!({"response_types": ["id_token", "code id_token"]}), InvalidClientMetadata, "response_types"),
        (json!({"response_types": "code"}), InvalidClientMetadata, "response_types: must be an array"),
        (json!({"client_name": "x".repeat(81)}), InvalidClientMetadata, "client_name: must not be longer"),
        (json!({"client_name": "<b>Bank</b>"}), InvalidClientMetadata, "client_name: must not contain <"),
        (json!({"client_name": "Bank\u{202e}knaB"}), InvalidClientMetadata, "client_name: must not contain control"),
        (json!({"client_name": "Ba\u{200b}nk"}), InvalidClientMetadata, "client_name: must not contain control"),
        (json!({"client_name": "Bank\nSafe"}), InvalidClientMetadata, "client_name: must not contain control"),
        (json!({"client_name": "…"}), InvalidClientMetadata, "client_name: must contain a letter"),
        (json!({"client_name": {"en": "Agent"}}), InvalidClientMetadata, "client_name: must be a string"),
        (json!({"scope": ["a"]}), InvalidClientMetadata, "scope: must be a string"),
        (json!({"scope": "a \"b\""}), InvalidClientMetadata, "scope: must be a list of scope names"),
        (json!({"scope": "x".repeat(3000)}), InvalidClientMetadata, "scope: must not be longer"),
        (json!({"logo_uri": "file:///logo.png"}), InvalidClientMetadata, "logo_uri: must begin with https"),
        (json!({"policy_uri": "javascript:alert(1)"}), InvalidClientMetadata, "policy_uri: must begin with https"),
        (json!({"contacts": {"email": "me@example.com"}}), InvalidClientMetadata, "contacts"),
        (json!({"contacts": [7]}), InvalidClientMetadata, "contacts"),
        (json!({"software_id": 7}), InvalidClientMetadata, "software_id"),
        (json!({"software_version": "x".repeat(256)}), InvalidClientMetadata, "software_version"),
        (json!({"software_statement": "a.b.c"}), UnapprovedSoftwareStatement, "software_statement"),
        (json!({"jwks": {"keys": []}, "jwks_uri": "https://a.example/"}), InvalidClientMetadata, "jwks"),
    ] {
        let (found, text) = error_of(changes.clone());
        assert_eq!(found, code, "{changes}");
        assert!(text.starts_with(member), "{changes}: {text}");
    }
}

#[test]
fn what_users_are_shown_belongs_to_every_host_that_gets_an_answer() {
    let foreign = |uris: Value, logo: &str| {
        parse(json!({"redirect_uris": uris, "logo_uri": logo})).unwrap().foreign_pages().count() == 1
    };
    let agent = || json!(["https://agent.example.com/cb"]);
    assert!(!foreign(agent(), "https://agent.example.com/logo.png"));
    assert!(!foreign(agent(), "https://cdn.agent.example.com/logo.png"));
    assert!(foreign(agent(), "https://bank.example/logo.png"));
    assert!(foreign(agent(), "https://bank.example#.agent.example.com"), "a fragment is no part of the host");
    assert!(foreign(agent(), "https://bank.example?.agent.example.com"));
    // Whose the host above is, nobody can tell without a list of all places that give names away.
    assert!(foreign(agent(), "https://example.com/logo.png"));
    assert!(foreign(json!(["https://alice.github.io/cb"]), "https://github.io/logo.png"));
    assert!(foreign(json!(["https://alice.github.io/cb"]), "https://bob.github.io/logo.png"));
    assert!(foreign(json!(["https://a.co.uk/cb"]), "https://b.co.uk/logo.png"));
    // Naming a bank's address does not make one a bank, however many there are beside it.
    assert!(foreign(json!(["https://bank.example/cb", "https://evil.example/cb"]), "https://bank.example/logo.png"));
    assert!(!foreign(json!(["https://vscode.dev/r", "https://insiders.vscode.dev/r"]), "https://insiders.vscode.dev/"));
    // Of a program on the user's machine nothing can be known.
    assert!(!foreign(json!(["http://127.0.0.1/cb", "com.example.agent:/cb"]), "https://agent.example/logo.png"));
}

#[test]
fn pages_of_others_are_left_out_and_the_rest_is_registered() {
    // What VS Code and Cursor send: pages at hosts that get no answers.
    for (body, kept) in [
        (
            json!({"client_name": "Visual Studio Code", "client_uri": "https://code.visualstudio.com",
                "redirect_uris": ["https://insiders.vscode.dev/redirect", "https://vscode.dev/redirect", "http://127.0.0.1/"]}),
            json!({"policy_uri": "https://insiders.vscode.dev/privacy"}),
        ),
        (
            json!({"client_name": "Cursor", "logo_uri": "https://storage.example/logo.svg",
                "redirect_uris": ["cursor://anysphere.cursor-mcp/oauth/callback", "https://www.cursor.com/callback"]}),
            json!({"tos_uri": "https://www.cursor.com/terms"}),
        ),
    ] {
        let mut all = body.clone();
        all.as_object_mut().unwrap().extend(kept.as_object().unwrap().clone());
        let metadata = parse(all).unwrap().without_foreign_pages();
        assert_eq!((metadata.client_uri, metadata.logo_uri), (None, None), "{body}");
        assert_eq!(metadata.policy_uri.as_deref(), kept["policy_uri"].as_str(), "{body}");
        assert_eq!(metadata.tos_uri.as_deref(), kept["tos_uri"].as_str(), "{body}");
        assert_eq!(json!(metadata.redirect_uris), body["redirect_uris"]);
    }
}

#[test]
fn a_client_without_a_name_is_called_by_the_host_that_gets_every_answer() {
    // Of schemes that the operator lists, addresses may have something like a host.
    let schemes = ["com.evil.agent".to_owned()];
    let name = |uris: Value| {
        let body = json!({"redirect_uris": uris, "token_endpoint_auth_method": "none"}).to_string();
        ClientMetadata::parse(&body, &schemes).unwrap().client_name
    };
    assert_eq!(name(json!(["https://agent.example.com/cb"])), "An agent at agent.example.com");
    assert_eq!(name(json!(["http://127.0.0.1:9999/cb", "http://127.0.0.1/cb"])), "An agent at 127.0.0.1");
    for claims in [
        // What follows a private-use scheme is not a host, even if it looks like one.
        json!(["com.evil.agent://bank.example/cb"]),
        json!(["https://bank.example/cb", "https://evil.example/cb"]),
        json!(["https://bank.example/cb", "com.evil.agent:/cb"]),
    ] {
        assert_eq!(name(claims.clone()), "An agent without a name", "{claims}");
    }
    let long = format!("https://{}.example.com/cb", "a".repeat(60));
    assert_eq!(name(json!([long])), "An agent without a name", "a longer name is refused in an update");
}

#[test]
fn what_is_not_understood_is_neither_an_error_nor_kept() {
    let metadata = parse(json!({
        "client_id": "chosen-by-me", "client_secret": "chosen-by-me", "isThirdParty": false, "require_pkce": false,
        "backchannel_logout_uri": "http://169.254.169.254/", "client_name#de": "<b>",
    }))
    .unwrap();
    let kept = serde_json::to_string(&metadata).unwrap();
    assert!(!kept.contains("chosen-by-me") && !kept.contains("169.254") && !kept.contains("<b>"), "{kept}");
}

#[test]
fn a_member_that_occurs_twice_is_refused() {
    let body = r#"{"redirect_uris":["http://localhost/"],"redirect_uris":["https://evil.example/"]}"#;
    assert!(ClientMetadata::parse(body, &[]).unwrap_err().to_string().contains("occurs twice"));
    for body in ["", "[]", "null", "1", "{", r#"{"a":1} x"#] {
        assert_eq!(ClientMetadata::parse(body, &[]).unwrap_err().member, "body", "{body}");
    }
}

#[test]
fn a_name_can_be_seen() {
    // Letters by their class and nothing by their looks: Hangul fillers.
    for name in ["\u{3164}", "\u{115f}\u{1160}", "\u{ffa0}", "Bank\u{34f}", "Bank\u{1d173}", "Bank\u{e0100}"] {
        assert!(error_of(json!({"client_name": name})).1.starts_with("client_name: must not contain"), "{name:?}");
    }
    assert!(parse(json!({"client_name": "Agent \u{2764}\u{fe0f}"})).is_ok(), "a heart in colour");
}

#[test]
fn no_message_repeats_what_the_client_sent() {
    for changes in
        [json!({"redirect_uris": ["evil-text"]}), json!({"client_name": "<evil-text"}), json!({"scope": "\"evil-text"})]
    {
        assert!(!parse(changes).unwrap_err().body().contains("evil-text"));
    }
}

#[test]
fn what_is_kept_is_read_again() {
    let metadata = parse(json!({"contacts": ["me@example.com"], "scope": "b a"})).unwrap();
    let kept = serde_json::to_string(&metadata).unwrap();
    assert_eq!(serde_json::from_str::<ClientMetadata>(&kept).unwrap(), metadata);
    assert_eq!(ClientMetadata::parse(&kept, &[]), Ok(metadata), "and is acceptable as a new request");
}

proptest! {
    #[test]
    fn no_body_makes_it_panic(body in "\\PC{0,80}") {
        let _ = ClientMetadata::parse(&body, &[]);
    }

    #[test]
    fn accepted_names_are_short_and_visible(name in "\\PC{0,100}") {
        if let Ok(metadata) = parse(json!({"client_name": name})) {
            prop_assert!(metadata.client_name.chars().count() <= MAX_NAME_CHARACTERS);
            let is_joiner = |it| matches!(it, '\u{200c}' | '\u{200d}');
            prop_assert!(!metadata.client_name.chars().any(|it| is_invisible(it) && !is_joiner(it)));
            prop_assert!(!metadata.client_name.starts_with(is_joiner));
        }
    }
}
