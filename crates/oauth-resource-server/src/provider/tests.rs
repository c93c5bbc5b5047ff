//! What is read of a discovery document, and in which place the operator's URLs count.

use serde_json::json;

use super::*;

const ISSUER: &str = "https://tenant.example/oidc";

fn parse(change: impl FnOnce(&mut Value)) -> Result<Provider, ProviderError> {
    let mut document = json!({
        "issuer": ISSUER, "jwks_uri": "https://tenant.example/oidc/jwks",
        "authorization_endpoint": "https://tenant.example/oidc/auth",
        "token_endpoint": "https://tenant.example/oidc/token",
        "userinfo_endpoint": "https://tenant.example/oidc/me",
        "introspection_endpoint": "https://tenant.example/oidc/token/introspection", "other": {"a": 1},
    });
    change(&mut document);
    Provider::parse(&document.to_string(), &ProviderLocation::of_issuer(ISSUER))
}

#[test]
fn the_issuer_must_be_the_configured_string() {
    assert!(parse(|_| ()).is_ok());
    for other in ["https://tenant.example/oidc/", "https://TENANT.example/oidc", "https://evil.example/oidc", ""] {
        let issuer = Excerpt::new(other);
        assert_eq!(parse(|it| it["issuer"] = other.into()), Err(ProviderError::IssuerMismatch { issuer }));
    }
}

#[test]
fn a_client_needs_no_keys() {
    let read = |document: &str| {
        let location = ProviderLocation::of_issuer(ISSUER);
        (Provider::parse(document, &location), Provider::parse_for_client(document, &location))
    };
    let document = json!({"issuer": ISSUER, "token_endpoint": "https://tenant.example/oidc/token"}).to_string();
    let (verifier, client) = read(&document);
    assert_eq!(verifier, Err(ProviderError::Malformed));
    let client = client.unwrap();
    assert_eq!((client.jwks_uri.as_str(), client.document.as_deref()), ("", Some(document.as_str())));
    let insecure = json!({"issuer": ISSUER, "jwks_uri": "http://tenant.example/jwks"}).to_string();
    let error = || Err(ProviderError::InsecureEndpoint("jwks_uri"));
    assert_eq!(read(&insecure), (error(), error()));
    let (verifier, client) = read(r#"{"issuer":"https://evil.example"}"#);
    assert!(verifier.is_err() && client == verifier);
}

#[test]
fn endpoints_are_https_or_loopback() {
    for good in ["https://keys.example/jwks", "http://localhost:3000/jwks", "http://127.0.0.1/", "http://[::1]:3000/"] {
        assert!(parse(|it| it["jwks_uri"] = good.into()).is_ok(), "{good}");
    }
    for bad in [
        "http://tenant.example/jwks",
        "http://localhost.evil.example/",
        "http://127.0.0.1@evil.example/",
        "ftp://localhost/",
        "http://127.0.0.2/",
        "javascript:1",
        "https://",
        "https://user@host/",
        "/jwks",
        "",
    ] {
        assert_eq!(parse(|it| it["jwks_uri"] = bad.into()), Err(ProviderError::InsecureEndpoint("jwks_uri")), "{bad}");
    }
}

#[test]
fn an_insecure_endpoint_that_jwts_do_not_need_counts_as_none() {
    let endpoints = |change: fn(&mut Value)| {
        let provider = parse(change).unwrap();
        (provider.introspection_endpoint.is_some(), provider.userinfo_endpoint.is_some())
    };
    assert_eq!(endpoints(|_| ()), (true, true));
    assert_eq!(endpoints(|it| it["introspection_endpoint"] = "http://tenant.example/x".into()), (false, true));
    assert_eq!(endpoints(|it| it["userinfo_endpoint"] = "http://tenant.example/x".into()), (true, false));
    assert_eq!(endpoints(|it| it["userinfo_endpoint"] = json!({})), (true, false));
}

#[test]
fn an_endpoint_is_one_plain_url_or_none() {
    for bad in [
        "https://tenant.example/oidc/auth\r\nset-cookie: __Host-session=x",
        "https://tenant.example/oidc/auth\n",
        "https://tenant.example/oidc/au th",
        "https://tenant.example/oidc/auth\t",
        "https://tenant.example/oidc/auth\u{0}",
        "https://tenant.example/oidc/auth\u{7f}",
        "https://tenant.example/oidc/auth\u{2028}",
        "https://tenant.example/oidc/äuth",
        "https://tenänt.example/oidc/auth",
        "https://tenant.example/oidc/\"auth",
        "https://tenant.example/oidc/'auth",
        "https://tenant.example/<auth>",
        "https://tenant.example\\@evil.example/auth",
        "https://user@tenant.example/auth",
        "https://user:password@tenant.example/auth",
        "https://tenant.example/auth#fragment",
        "https://tenant.example:port/auth",
        "https://tenant.example:/auth",
        "https://tenant.example:0/auth",
        "https://tenant.example:65536/auth",
        "https://:443/auth",
        "https://tenant_.exa mple/auth",
        "https://tenant.example%2eevil/auth",
        "https://[::1/auth",
        "https://[evil.example]/auth",
        "http://[::1].evil.example/auth",
        "http://localhost:3000:4000/auth",
        "https:///auth",
        " https://tenant.example/auth",
        "HTTPS//tenant.example/auth",
    ] {
        for member in [
            "authorization_endpoint",
            "token_endpoint",
            "introspection_endpoint",
            "userinfo_endpoint",
            "end_session_endpoint",
        ] {
            let provider = parse(|it| it[member] = bad.into()).unwrap();
            let endpoint = match member {
                "authorization_endpoint" => provider.authorization_endpoint,
                "token_endpoint" => provider.token_endpoint,
                "introspection_endpoint" => provider.introspection_endpoint,
                "userinfo_endpoint" => provider.userinfo_endpoint,
                _ => provider.end_session_endpoint,
            };
            assert_eq!(endpoint, None, "{member} {bad:?}");
        }
        let keys = parse(|it| it["jwks_uri"] = bad.into());
        assert_eq!(keys, Err(ProviderError::InsecureEndpoint("jwks_uri")), "{bad:?}");
    }
    for good in [
        "https://tenant.example",
        "https://tenant.example:8443/auth?tenant=a&b=%20c",
        "https://xn--tennt-gra.example/~a/b_c/(d);e=f,g",
        "https://192.0.2.1/auth",
        "https://[2001:db8::1]:8443/auth",
        "http://localhost:3000/oidc/auth",
    ] {
        let provider = parse(|it| it["authorization_endpoint"] = good.into()).unwrap();
        assert_eq!(provider.authorization_endpoint.as_deref(), Some(good));
    }
}

#[test]
fn what_leads_away_from_the_issuers_origin_is_reported() {
    let own = |change: fn(&mut Value)| {
        let provider = parse(change).unwrap();
        (provider.has_own_endpoints(), provider.names_own_origin_only())
    };
    assert_eq!(own(|_| ()), (true, true));
    assert_eq!(own(|it| it["grant_types_supported"] = json!(["urn:ietf:params:oauth:grant-type:x"])), (true, true));
    assert_eq!(own(|it| it["token_endpoint"] = "https://evil.example/oidc/token".into()), (false, false));
    assert_eq!(own(|it| it["end_session_endpoint"] = "https://tenant.example:8443/".into()), (false, false));
    assert_eq!(own(|it| it["revocation_endpoint"] = "https://evil.example/revoke".into()), (false, false));
    assert_eq!(own(|it| it["revocation_endpoint"] = "https://tenant.example/revoke".into()), (true, true));
    assert_eq!(own(|it| it["introspection_endpoint"] = Value::Null), (false, true), "the issuer may have one");
    assert_eq!(own(|it| it["registration_endpoint"] = "https://evil.example/reg".into()), (true, false));
    for hidden in ["//evil.example/x", "https:evil.example", "\\\\evil.example", " https://tenant.example/x"] {
        let provider = parse(|it| it["mtls_endpoint_aliases"] = json!({"token_endpoint": [hidden]})).unwrap();
        assert!(!provider.names_own_origin_only(), "{hidden}");
    }
}

#[test]
fn documents_are_the_same_if_they_name_the_same_places() {
    let provider = parse(|_| ()).unwrap();
    assert!(provider.is_same_as(&parse(|it| it["other"] = json!("changed")).unwrap()));
    for member in [
        "jwks_uri",
        "authorization_endpoint",
        "token_endpoint",
        "introspection_endpoint",
        "userinfo_endpoint",
        "end_session_endpoint",
        "revocation_endpoint",
    ] {
        let changed = parse(|it| it[member] = "https://tenant.example/elsewhere".into()).unwrap();
        assert!(!provider.is_same_as(&changed), "{member}");
    }
}

#[test]
fn the_document_is_kept_as_it_was_received() {
    let text = "\n{ \"issuer\" : \"https://tenant.example/oidc\",\n\"jwks_uri\":\"https://tenant.example/jwks\", \"x\": 1.50 }\n";
    let location = ProviderLocation::of_issuer(ISSUER);
    let provider = Provider::parse(text, &location).unwrap();
    assert_eq!(provider.document.as_deref(), Some(text.trim()));
    assert_eq!(Provider::parse(text.trim(), &location), Ok(provider));
}

#[test]
fn documents_without_keys_are_malformed() {
    assert_eq!(parse(|it| it["jwks_uri"] = Value::Null), Err(ProviderError::Malformed));
    let malformed = Provider::parse("<html>", &ProviderLocation::of_issuer(ISSUER));
    assert_eq!(malformed, Err(ProviderError::Malformed));
}

#[test]
fn members_that_jwts_do_not_need_may_be_of_any_type() {
    let optional = ["authorization_endpoint", "token_endpoint", "introspection_endpoint", "end_session_endpoint"];
    let others =
        ["scopes_supported", "grant_types_supported", AUTH_METHODS, "registration_endpoint", "mtls_endpoint_aliases"];
    for name in optional.into_iter().chain(others) {
        for odd in [json!(null), json!(7), json!(true), json!({}), json!([]), json!([7, null]), json!("")] {
            let provider = parse(|it| it[name] = odd.clone());
            assert!(provider.is_ok_and(|provider| !provider.posts_secret), "{name} {odd}");
        }
    }
}

#[test]
fn the_secret_is_posted_only_where_basic_is_not_listed() {
    let posts = |methods: Value| parse(|it| it[AUTH_METHODS] = methods).unwrap().posts_secret;
    assert!(posts(json!(["client_secret_post"])));
    assert!(posts(json!(["private_key_jwt", "client_secret_post", "none"])));
    for methods in [
        json!(["client_secret_basic", "client_secret_post"]),
        json!(["client_secret_post", "client_secret_basic"]),
        json!(["client_secret_basic"]),
        json!(["private_key_jwt"]),
        json!(["CLIENT_SECRET_POST"]),
        json!("client_secret_post"),
        json!([["client_secret_post"]]),
    ] {
        assert!(!posts(methods.clone()), "{methods}");
    }
    // What another endpoint takes says nothing of this one.
    let other = parse(|it| it["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"]));
    assert!(!other.unwrap().posts_secret);
    // It decides how a secret is sent, so a stored document without it is another one.
    let [one, other] = [json!(["client_secret_post"]), json!([])].map(|methods| parse(|it| it[AUTH_METHODS] = methods));
    assert!(!one.unwrap().is_same_as(&other.unwrap()));
}
