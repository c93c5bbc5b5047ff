//! Which redirect URIs are accepted, and why others are not.

use proptest::prelude::*;

use super::*;

fn judge(uri: &str) -> Result<Kind, Problem> {
    check(uri, &[])
}

#[test]
fn what_clients_really_send_is_accepted() {
    for (uri, kind) in [
        ("https://claude.ai/api/mcp/auth_callback", Kind::Web),
        ("https://chatgpt.com/connector/oauth/abc-123_X", Kind::Web),
        ("https://agent.example.com:8443/cb?tenant=1&x=%20y", Kind::Web),
        ("https://agent.example.com", Kind::Web),
        ("https://xn--mnchen-3ya.example/cb", Kind::Web),
        ("http://127.0.0.1/", Kind::Loopback),
        ("http://127.0.0.1:33418/", Kind::Loopback),
        ("http://localhost:6274/oauth/callback", Kind::Loopback),
        ("http://[::1]:8080/cb", Kind::Loopback),
        ("http://[::1]/cb", Kind::Loopback),
        ("cursor://anysphere.cursor-mcp/oauth/callback", Kind::PrivateUse),
        ("Cursor://anysphere.cursor-mcp/oauth/callback", Kind::PrivateUse),
        ("cursor://anysphere.cursor-retrieval/oauth/callback", Kind::PrivateUse),
        ("cursor://anysphere.cursor-retrieval/oauth/user-Data_warehouse-2/callback", Kind::PrivateUse),
        ("vscode://saoudrizwan.claude-dev/mcp-auth/callback/0123456789abcdef", Kind::PrivateUse),
        ("windsurf://saoudrizwan.claude-dev/mcp-auth/callback/0123456789abcdef", Kind::PrivateUse),
        ("warp://mcp/oauth2callback", Kind::PrivateUse),
        ("warppreview://mcp/oauth2callback", Kind::PrivateUse),
        ("raycast://oauth?package_name=Extension", Kind::PrivateUse),
        ("raycast://oauth?package_name=mcp_server_dust_(dev)", Kind::PrivateUse),
        ("raycast://oauth?package_name=Data%20warehouse", Kind::PrivateUse),
        ("com.raycast:/oauth?package_name=Extension", Kind::PrivateUse),
        ("https://raycast.com/redirect?packageName=Extension", Kind::Web),
        ("https://antigravity.google/oauth-callback", Kind::Web),
        ("http://127.0.0.1:41001/oauth_callback", Kind::Loopback),
        ("com.example.agent:/callback", Kind::PrivateUse),
        ("COM.Example.Agent:/callback", Kind::PrivateUse),
    ] {
        assert_eq!(judge(uri), Ok(kind), "{uri}");
    }
}

#[test]
fn what_would_hand_the_code_to_somebody_else_is_refused() {
    for (uri, problem) in [
        // Schemes.
        ("javascript:alert(document.cookie)", Problem::Scheme),
        ("JavaScript://agent.example.com/%0aalert(1)", Problem::Scheme),
        ("data:text/html,x", Problem::Scheme),
        ("file:///etc/passwd", Problem::Scheme),
        ("blob:https://agent.example.com/x", Problem::Scheme),
        ("vbscript:x", Problem::Scheme),
        ("about:blank", Problem::Scheme),
        ("intent://x", Problem::Scheme),
        ("view-source:https://agent.example.com/", Problem::Scheme),
        ("ftp://agent.example.com/cb", Problem::Scheme),
        ("ws://127.0.0.1/cb", Problem::Scheme),
        ("urn:ietf:wg:oauth:2.0:oob", Problem::Scheme),
        ("myapp:/cb", Problem::Scheme),
        (".com:/cb", Problem::Relative),
        ("com..example:/cb", Problem::Scheme),
        ("com.example.agent:", Problem::NothingAfterScheme),
        ("com.example.agent://", Problem::NothingAfterScheme),
        ("com.example.agent:?x", Problem::NothingAfterScheme),
        ("com.example.agent:/?x", Problem::NothingAfterScheme),
        // Plain http, and names that only look like this machine.
        ("http://agent.example.com/cb", Problem::PlainHttp),
        ("http://localhost.evil.example/cb", Problem::PlainHttp),
        ("http://127.0.0.1.evil.example/cb", Problem::PlainHttp),
        ("http://127.0.0.2/cb", Problem::PlainHttp),
        ("http://127.1/cb", Problem::PlainHttp),
        ("http://0.0.0.0/cb", Problem::PlainHttp),
        ("http://LOCALHOST/cb", Problem::PlainHttp),
        ("http://[::ffff:127.0.0.1]/cb", Problem::PlainHttp),
        ("http://[::1].evil.example/cb", Problem::Port),
        ("http://localhost@evil.example/cb", Problem::UserInfo),
        ("http://127.0.0.1:80@evil.example/cb", Problem::UserInfo),
        // User information, fragments, wildcards.
        ("https://user:pass@agent.example.com/cb", Problem::UserInfo),
        ("https://agent.example.com@evil.example/cb", Problem::UserInfo),
        ("com.example.agent://user@host/cb", Problem::UserInfo),
        ("https://agent.example.com/cb#x", Problem::Fragment),
        ("https://agent.example.com/cb#", Problem::Fragment),
        ("https://*.example.com/cb", Problem::Wildcard),
        ("https://agent.example.com/*", Problem::Wildcard),
        ("https://*/cb", Problem::Wildcard),
        // Hosts.
        ("https://localhost/cb", Problem::HttpsLoopback),
        ("https://127.0.0.1:7777/cb", Problem::HttpsLoopback),
        ("https://[::1]/cb", Problem::HttpsLoopback),
        ("https://app.localhost/cb", Problem::HttpsLoopback),
        ("https://192.0.2.1/cb", Problem::IpAddress),
        ("https://2130706433/cb", Problem::IpAddress),
        ("https://0x7f.1/cb", Problem::IpAddress),
        ("https://agent.0x7f/cb", Problem::IpAddress),
        ("https://[2001:db8::1]/cb", Problem::IpAddress),
        ("https://intranet/cb", Problem::Host),
        ("https://agent..example/cb", Problem::Host),
        ("https://agent.example.com./cb", Problem::Host),
        ("https://-agent.example/cb", Problem::Host),
        ("https://%61gent.example/cb", Problem::Host),
        ("https://agent.example%2eevil.example/cb", Problem::Host),
        ("https:///cb", Problem::Host),
        ("https://", Problem::Host),
        ("https://?x", Problem::Host),
        // Forms that parsers disagree about.
        ("https:agent.example.com/cb", Problem::Relative),
        ("https:/agent.example.com/cb", Problem::Relative),
        ("//agent.example.com/cb", Problem::Relative),
        ("/cb", Problem::Relative),
        ("agent.example.com/cb", Problem::Relative),
        ("https://agent.example.com\\@evil.example/cb", Problem::Characters),
        ("https://agent.example.com/a/../b", Problem::DotSegments),
        ("https://agent.example.com/a/%2E%2e/b", Problem::DotSegments),
        ("https://agent.example.com/.", Problem::DotSegments),
        ("com.example.agent://x/../y", Problem::DotSegments),
        ("https://agent.example.com/%", Problem::PercentEncoding),
        ("https://agent.example.com/%0", Problem::PercentEncoding),
        ("https://agent.example.com/?%zz", Problem::PercentEncoding),
        ("https://agent.example.com:/cb", Problem::Port),
        ("https://agent.example.com:0/cb", Problem::Port),
        ("https://agent.example.com:65536/cb", Problem::Port),
        ("https://agent.example.com:+80/cb", Problem::Port),
        // Characters.
        ("", Problem::Empty),
        (" https://agent.example.com/cb", Problem::Characters),
        ("https://agent.example.com/c b", Problem::Characters),
        ("https://agent.example.com/cb\n", Problem::Characters),
        ("https://agent.example.com/\u{202e}bc", Problem::Characters),
        ("https://münchen.example/cb", Problem::Characters),
        ("https://agent.example.com/<script>", Problem::Characters),
        ("java\tscript:alert(1)", Problem::Characters),
    ] {
        assert_eq!(judge(uri), Err(problem), "{uri}");
    }
}

#[test]
fn what_opens_something_else_in_an_application_is_refused() {
    // Deep links of known applications: they install, clone, open, ask.
    for uri in [
        "cursor://anysphere.cursor-deeplink/mcp/install?name=x&config=eyJ1cmwiOiJ4In0",
        "cursor://anysphere.cursor-deeplink/prompt?text=x",
        "cursor://file/etc/passwd",
        "cursor://anysphere.cursor-mcp/oauth/callback/",
        "cursor://anysphere.cursor-mcp/oauth/callback?x=y",
        "cursor://anysphere.cursor-mcp/oauth/callback/x",
        "cursor://anysphere.cursor-mcp/OAuth/callback",
        "cursor://anysphere.cursor-mcp/%6fauth/callback",
        "cursor://anysphere.cursor-mcp:1/oauth/callback",
        "cursor:anysphere.cursor-mcp/oauth/callback",
        "cursor:/anysphere.cursor-mcp/oauth/callback",
        "cursor:///anysphere.cursor-mcp/oauth/callback",
        "cursor://anysphere.cursor-mcp.evil/oauth/callback",
        "cursor://anysphere.cursor-retrieval/oauth/user-a/b/callback",
        "cursor://anysphere.cursor-retrieval/oauth/user-/callback",
        "cursor://anysphere.cursor-retrieval/oauth/user-a?/callback",
        "cursor://anysphere.cursor-retrieval/mcp/user-a/callback",
        "cursor://vscode.git/clone?url=https://evil.example/x",
        "vscode:mcp/install?%7B%22name%22%3A%22x%22%7D",
        "vscode:extension/evil.extension",
        "vscode://vscode.git/clone?url=https://evil.example/x",
        "vscode://file/etc/passwd",
        "vscode://vscode-remote/ssh-remote+evil.example/x",
        "vscode://publisher.extension/callback",
        "vscode://saoudrizwan.claude-dev/task?prompt=x",
        "vscode://saoudrizwan.claude-dev/mcp-auth/callback/",
        "vscode://saoudrizwan.claude-dev/mcp-auth/callback/nothex",
        "vscode://saoudrizwan.claude-dev/mcp-auth/callback/abc/def",
        "vscode-insiders://file/etc/passwd",
        "vscode-insiders:mcp/install?x",
        "windsurf://windsurf-mcp-registry?serverName=x",
        "windsurf://codeium.windsurf/openChat?prompt=x",
        "windsurf://file/etc/passwd",
        "warp://action/new_tab?path=/tmp",
        "warp://launch/x.yaml",
        "warp://mcp/oauth2callback?server_id=x",
        "warp://mcp/oauth2callback/",
        "warp:/mcp/oauth2callback",
        "warp://mcp/saoudrizwan.claude-dev",
        "warppreview://session/x",
        "raycast://extensions/x/y/z?arguments=%7B%7D",
        "raycast://script-commands/x",
        "raycast://oauth",
        "raycast://oauth?package_name=",
        "raycast://oauth?package_name=x&next=y",
        "raycast://oauth?package_name=x=y",
        "raycast://oauth?package_name=%zz",
        "raycast://oauth/?package_name=x",
        "raycast://oauth.evil?package_name=x",
        "raycast://saoudrizwan.claude-dev/mcp-auth/callback/abc",
    ] {
        assert_eq!(judge(uri), Err(Problem::KnownScheme), "{uri}");
        // What an operator lists opens no other door to them.
        let listed = KNOWN_PRIVATE_USE_SCHEMES.map(str::to_owned);
        assert_eq!(check(uri, &listed), Err(Problem::KnownScheme), "{uri}");
    }
    // Other schemes have one slash and no authority (RFC 8252 §7.1).
    for uri in [
        "com.example.agent://callback",
        "com.example.agent://host/callback",
        "com.example.agent:///callback",
        "com.example.agent:callback",
        "com.example.agent:mcp/install?x",
    ] {
        assert_eq!(judge(uri), Err(Problem::PrivateUsePath), "{uri}");
    }
    for uri in ["x.y:/cb", "c1.example:/cb", "com.-x:/cb", "com.x-:/cb", "com.ex+ample:/cb", "web+com.example:/cb"] {
        assert_eq!(judge(uri), Err(Problem::Scheme), "{uri}");
    }
}

#[test]
fn length_is_bounded() {
    let longest = format!("https://agent.example.com/{}", "x".repeat(MAX_BYTES - 26));
    assert_eq!((longest.len(), judge(&longest)), (MAX_BYTES, Ok(Kind::Web)));
    assert_eq!(judge(&format!("{longest}x")), Err(Problem::TooLong));
}

#[test]
fn an_operator_may_add_a_scheme() {
    let judge = |uri| check(uri, &["myapp".to_owned()]);
    assert_eq!(judge("myapp:/cb"), Ok(Kind::PrivateUse));
    assert_eq!(judge("myapp://oauth/cb"), Ok(Kind::PrivateUse));
    assert_eq!(judge("myapp:oauth"), Err(Problem::PrivateUsePath));
    assert_eq!(judge("myapp://user@oauth/cb"), Err(Problem::UserInfo));
    assert_eq!(judge("myapp://oauth:8080/cb"), Ok(Kind::PrivateUse));
    assert_eq!(judge("myapp:///cb"), Ok(Kind::PrivateUse));
    assert_eq!(judge("myapp://oauth:name/cb"), Err(Problem::Port));
    assert_eq!(judge("myapp://[oauth/cb"), Err(Problem::Host));
    assert_eq!(judge("myapp://oauth/a/../b"), Err(Problem::DotSegments));
    assert_eq!(judge("myapp://"), Err(Problem::NothingAfterScheme));
}

proptest! {
    #[test]
    fn nothing_accepted_has_a_fragment_user_information_or_a_dangerous_scheme(uri in "[a-zA-Z:/.@#*%\\\\\\[\\]0-9?-]{0,60}") {
        if let Ok(kind) = judge(&uri) {
            prop_assert!(!uri.contains(['#', '*', '\\']));
            let scheme = uri.split(':').next().unwrap_or_default().to_ascii_lowercase();
            prop_assert!(scheme == "https" || scheme == "http" || kind == Kind::PrivateUse);
            prop_assert!(!["javascript", "data", "file", "blob", "vbscript", "about"].contains(&scheme.as_str()));
        }
    }
}
