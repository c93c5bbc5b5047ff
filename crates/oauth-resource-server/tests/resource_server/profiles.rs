//! Tokens of each provider's profile, under the settings that an operator would have: who they stand for, and why others
//! are refused.

use std::{collections::BTreeSet, fs, path::Path, rc::Rc};

use mcp_edge_oauth::{
    resource_server::{ResourceServer, TrustPolicy},
    settings::ResourceServerSettings,
};
use mcp_edge_runtime::settings::Reader;
use serde_json::{Map, Value, json};

use crate::support::{
    tokens::{RESOURCE, mint_pretended_as, pretended_jwk, send},
    world::{Answer, START, World},
};

/// The corpus of one provider.
struct Provider {
    file: String,
    name: String,
    settings: Map<String, Value>,
    tokens: Vec<Value>,
}

fn providers() -> Vec<Provider> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/profiles");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    let providers = files.into_iter().map(|file| {
        let corpus: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        Provider {
            file: file.file_stem().unwrap().to_str().unwrap().to_owned(),
            name: corpus["provider"].as_str().unwrap().to_owned(),
            settings: corpus["settings"].as_object().unwrap().clone(),
            tokens: corpus["tokens"].as_array().unwrap().clone(),
        }
    });
    providers.collect()
}

impl Provider {
    /// The policy of the settings, with some added.
    fn policy(&self, more: &[(&str, &str)]) -> Rc<TrustPolicy> {
        let get = |name: &str| match name {
            "RESOURCE" => Some(RESOURCE.to_owned()),
            "PROVIDER" => Some(self.name.clone()),
            _ => {
                let added = more.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
                added.or_else(|| self.settings.get(name)?.as_str().map(str::to_owned))
            }
        };
        let mut reader = Reader::new(&get);
        let settings = ResourceServerSettings::read(&mut reader);
        reader.finish(settings).unwrap_or_else(|error| panic!("{}: {error}", self.file)).trust
    }

    /// What becomes of a token with these claims: an identity as the corpus writes it, or the reason of the denial.
    fn outcome(&self, more: &[(&str, &str)], header: &Value, claims: &Value) -> Value {
        let (world, server) = (World::with_pretend_signatures(), ResourceServer::new(self.policy(more)));
        let key = pretended_jwk("k", 1);
        let mut claims = claims.clone();
        // As issuers with a slash at the end have it.
        let issuer = claims["iss"].as_str().unwrap_or_default().trim_end_matches('/').to_owned();
        world.publish(&issuer, std::slice::from_ref(&key));
        let document = json!({ "issuer": claims["iss"], "jwks_uri": format!("{issuer}/jwks") });
        let discovery = format!("{issuer}/.well-known/openid-configuration");
        world.answer(&discovery, Answer::json(&document));
        claims["iat"] = (START - 60).into();
        claims["exp"] = (START + 3600).into();
        let token = mint_pretended_as(&key, header["typ"].clone(), &claims);
        match send(&world, &server, &token) {
            Err(denial) => denial.reason().slug().into(),
            Ok(identity) => json!({
                "kind": format!("{:?}", identity.kind()).to_lowercase(),
                "subject": identity.subject(),
                "client_id": identity.client_id(),
                "scopes": identity.scopes().to_string(),
                "organization_id": identity.organization_id(),
            }),
        }
    }
}

#[test]
fn every_profile_has_tokens() {
    let names: BTreeSet<_> = providers().into_iter().map(|provider| provider.name).collect();
    let profiles = mcp_edge_oauth::providers::profiles::ALL.map(|profile| profile.name.to_owned());
    assert_eq!(names, BTreeSet::from(profiles));
}

#[test]
fn tokens_stand_for_whom_the_provider_says() {
    for provider in providers() {
        for token in &provider.tokens {
            let outcome = provider.outcome(&[], &token["header"], &token["claims"]);
            assert_eq!(outcome, token["expected"], "{}: {}", provider.file, token["name"]);
        }
    }
}

/// The tokens that are accepted.
fn good(provider: &Provider) -> impl Iterator<Item = &Value> {
    provider.tokens.iter().filter(|token| token["expected"].is_object())
}

#[test]
fn a_token_for_another_audience_is_refused() {
    for provider in providers() {
        for token in good(&provider) {
            for audience in [json!("https://other.example/mcp"), json!([]), json!(""), json!(format!("{RESOURCE}/"))] {
                let mut claims = token["claims"].clone();
                claims["aud"] = audience.clone();
                let outcome = provider.outcome(&[], &token["header"], &claims);
                assert_eq!(outcome, "wrong_audience", "{}: {} for {audience}", provider.file, token["name"]);
            }
        }
    }
}

#[test]
fn lists_of_clients_and_organizations_hold_for_the_claims_of_the_profile() {
    for provider in providers() {
        for token in good(&provider) {
            let outcome = |setting: &str, list: &str| {
                let outcome = provider.outcome(&[(setting, list)], &token["header"], &token["claims"]);
                if outcome == token["expected"] { json!("accepted") } else { outcome }
            };
            let place = format!("{}: {}", provider.file, token["name"]);
            let client = token["expected"]["client_id"].as_str().unwrap();
            assert_eq!(outcome("ALLOWED_CLIENTS", &format!("other {client}")), "accepted", "{place}");
            assert_eq!(outcome("ALLOWED_CLIENTS", "other"), "client_not_allowed", "{place}");
            assert_eq!(outcome("DENIED_CLIENTS", client), "client_denied", "{place}");
            assert_eq!(outcome("DENIED_CLIENTS", "other"), "accepted", "{place}");
            let claim = ("ORGANIZATION_CLAIM", "org_id");
            let has_claim = provider.policy(&[]).issuers[0].profile.organization_claim.is_some();
            let organizations = [("ALLOWED_ORGANIZATIONS", "other"), claim];
            let organizations = if has_claim { &organizations[..1] } else { &organizations };
            let denied = provider.outcome(organizations, &token["header"], &token["claims"]);
            assert_eq!(denied, "organization_not_allowed", "{place}");
            if let Some(organization) = token["expected"]["organization_id"].as_str() {
                assert_eq!(outcome("ALLOWED_ORGANIZATIONS", &format!("other {organization}")), "accepted", "{place}");
                let almost = organization.to_uppercase();
                if almost != organization {
                    assert_eq!(outcome("ALLOWED_ORGANIZATIONS", &almost), "organization_not_allowed", "{place}");
                }
            }
        }
    }
}

#[test]
fn scopes_are_those_that_were_granted() {
    for provider in providers() {
        for token in good(&provider) {
            let outcome =
                |needed: &str| provider.outcome(&[("REQUIRED_SCOPES", needed)], &token["header"], &token["claims"]);
            let place = format!("{}: {}", provider.file, token["name"]);
            assert_eq!(outcome("notes:delete"), "insufficient_scope", "{place}");
            let granted = token["expected"]["scopes"].as_str().unwrap();
            for scope in granted.split(' ').filter(|scope| !scope.is_empty()) {
                assert_eq!(outcome(scope), token["expected"], "{place}, {scope}");
            }
        }
    }
}

#[test]
fn an_entry_of_more_issuers_has_a_profile_of_its_own() {
    let providers = providers();
    let [first, okta] = ["logto", "okta"].map(|name| providers.iter().find(|it| it.file == name).unwrap());
    let issuer = &okta.settings["ISSUER"];
    let user = good(okta).next().unwrap();
    let outcome = |entry: Value, more: &[(&str, &str)]| {
        let entry = json!([entry]).to_string();
        let settings = [&[("MORE_ISSUERS", &*entry)], more].concat();
        first.outcome(&settings, &user["header"], &user["claims"])
    };
    let entry = json!({ "issuer": issuer, "audience": [RESOURCE] });
    assert_eq!(outcome(entry.clone(), &[]), "wrong_type", "the standards alone");
    let mut with_provider = entry.clone();
    with_provider["provider"] = "okta".into();
    assert_eq!(outcome(with_provider.clone(), &[]), user["expected"]);
    // What is set for all is inherited by an issuer of which nothing else is said.
    let types = ("TOKEN_TYPES", "at+jwt none");
    let as_unknown = outcome(entry, &[types]);
    assert_eq!((&as_unknown["kind"], &as_unknown["client_id"]), (&json!("unknown"), &user["expected"]["client_id"]));
    with_provider["token_types"] = "at+jwt".into();
    assert_eq!(outcome(with_provider, &[types]), "wrong_type");
}

#[test]
fn single_settings_override_the_profile() {
    let providers = providers();
    let generic = providers.iter().find(|it| it.file == "generic").unwrap();
    let claims = json!({
        "iss": generic.settings["ISSUER"], "aud": RESOURCE, "sub": "alice", "app": "agent", "permissions": ["notes:read"],
        "workspace": "acme", "client_id": "other", "scope": "notes:delete",
    });
    let at_jwt = json!({ "typ": "at+jwt" });
    let overrides =
        [("CLIENT_ID_CLAIMS", "application app"), ("SCOPE_CLAIMS", "permissions"), ("ORGANIZATION_CLAIM", "workspace")];
    let expected = json!({
        "kind": "unknown", "subject": "alice", "client_id": "agent", "scopes": "notes:read", "organization_id": "acme",
    });
    assert_eq!(generic.outcome(&overrides, &at_jwt, &claims), expected);
    let by_subject = [&overrides[..], &[("USER_BY_SUBJECT", "true")]].concat();
    assert_eq!(generic.outcome(&by_subject, &at_jwt, &claims)["kind"], "user");
    let mut own = claims;
    own["sub"] = "agent".into();
    assert_eq!(generic.outcome(&by_subject, &at_jwt, &own)["kind"], "unknown", "neither");
    own["client_id"] = "agent".into();
    assert_eq!(generic.outcome(&by_subject, &at_jwt, &own)["kind"], "machine");
}

#[test]
fn a_token_without_an_audience_needs_a_scope_of_this_resource_and_a_listed_client() {
    let providers = providers();
    let cognito = providers.iter().find(|it| it.file == "cognito").unwrap();
    let token = cognito.tokens.iter().find(|token| token["name"] == "without aud").unwrap();
    let client = token["claims"]["client_id"].as_str().unwrap();
    let listed = ("ALLOWED_CLIENTS", client);
    let outcome = |more: &[(&str, &str)], scope: Option<&str>, aud: Option<Value>| {
        let mut claims = token["claims"].clone();
        if let Some(scope) = scope {
            claims["scope"] = scope.into();
        }
        if let Some(aud) = aud {
            claims["aud"] = aud;
        }
        let outcome = cognito.outcome(more, &token["header"], &claims);
        outcome.as_str().map_or_else(|| outcome["scopes"].to_string(), str::to_owned)
    };
    assert_eq!(outcome(&[listed], None, None), "\"notes:read\"");
    assert_eq!(outcome(&[listed], None, Some(Value::Null)), "\"notes:read\"");
    assert_eq!(outcome(&[], None, None), "wrong_audience");
    assert_eq!(outcome(&[("DENIED_CLIENTS", "other")], None, None), "wrong_audience");
    assert_eq!(outcome(&[("ALLOWED_CLIENTS", "other")], None, None), "client_not_allowed");
    assert_eq!(outcome(&[listed, ("SCOPE_PREFIX", "")], None, None), "wrong_audience");
    for scope in [
        "notes:read",
        "openid",
        "https://other.example/notes:read",
        RESOURCE,
        &format!("{RESOURCE}/"),
        &format!("{RESOURCE}/admin/read"),
    ] {
        assert_eq!(outcome(&[listed], Some(scope), None), "wrong_audience", "{scope}");
    }
    for aud in [json!("https://other.example/mcp"), json!([]), json!(""), json!(7)] {
        assert_eq!(outcome(&[listed], None, Some(aud.clone())), "wrong_audience", "{aud}");
    }
    // Prefix and clients are those of the first issuer: another one's tokens need an audience.
    let logto = providers.iter().find(|it| it.file == "logto").unwrap();
    let entry =
        json!([{ "issuer": token["claims"]["iss"], "audience": ["partner-api"], "provider": "cognito" }]).to_string();
    let prefix = cognito.settings["SCOPE_PREFIX"].as_str().unwrap();
    let settings = [listed, ("SCOPE_PREFIX", prefix), ("MORE_ISSUERS", &entry)];
    assert_eq!(logto.outcome(&settings, &token["header"], &token["claims"]), "wrong_audience");
    // Of any other provider, a token without an audience is for nobody.
    let generic = providers.iter().find(|it| it.file == "generic").unwrap();
    let mut claims = token["claims"].clone();
    claims["iss"] = generic.settings["ISSUER"].clone();
    let settings = [listed, ("SCOPE_PREFIX", "https://mcp.example.com/mcp/"), ("TOKEN_TYPES", "none")];
    assert_eq!(generic.outcome(&settings, &token["header"], &claims), "wrong_audience");
}

#[test]
fn an_issuer_of_all_tenants_accepts_those_that_are_listed() {
    const TEMPLATE: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";
    let [ours, other] = ["72f988bf-86f1-41af-91ab-2d7cd011db47", "9188040d-6c67-4c5b-b112-36a304b66dad"];
    let providers = providers();
    let entra = providers.iter().find(|it| it.file == "entra").unwrap();
    let settings = [("ISSUER", TEMPLATE), ("ALLOWED_TENANTS", ours), ("MORE_ISSUERS", "")];
    let policy = entra.policy(&settings);
    assert_eq!(policy.issuers[0].accepted, [format!("https://login.microsoftonline.com/{ours}/v2.0")]);
    let claims = entra.tokens[0]["claims"].clone();
    let outcome = |iss: &str, tid: &str| {
        let (world, server) = (World::with_pretend_signatures(), ResourceServer::new(entra.policy(&settings)));
        let key = pretended_jwk("k", 1);
        let jwks = "https://login.microsoftonline.com/organizations/discovery/v2.0/keys";
        let discovery = "https://login.microsoftonline.com/organizations/v2.0/.well-known/openid-configuration";
        world.answer(discovery, Answer::json(&json!({ "issuer": TEMPLATE, "jwks_uri": jwks })));
        world.answer(jwks, Answer::json(&json!({ "keys": [key] })));
        let mut claims = claims.clone();
        claims["iss"] = iss.into();
        claims["tid"] = tid.into();
        claims["iat"] = (START - 60).into();
        claims["exp"] = (START + 3600).into();
        let token = mint_pretended_as(&key, "JWT".into(), &claims);
        match send(&world, &server, &token) {
            Ok(identity) => identity.issuer().to_owned(),
            Err(denial) => denial.reason().slug().to_owned(),
        }
    };
    let of = |tenant: &str| TEMPLATE.replace("{tenantid}", tenant);
    assert_eq!(outcome(&of(ours), ours), of(ours));
    assert_eq!(outcome(&of(ours), other), "claim_required");
    assert_eq!(outcome(&of(other), other), "wrong_issuer");
    assert_eq!(outcome(TEMPLATE, ours), "wrong_issuer");
}
