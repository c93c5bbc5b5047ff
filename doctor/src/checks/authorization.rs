//! Authorization server capabilities (RFC 8414 §2): the code flow, PKCE, client registration, and what else MCP clients
//! need of a provider.

use serde_json::Value;

use crate::{
    check::{Check, Section},
    clients::{Client, RegistrationMethod, RegistrationSupport},
    outcome::{CheckResult, Outcome},
    quote::quote,
    record::{Record, string, strings},
    target::is_secure,
};

pub(super) const CHECKS: &[Check] =
    &[PROVIDER_ENDPOINTS, PKCE, REGISTRATION, PUBLIC_CLIENTS, REFRESH_TOKENS, RESPONSE_ISSUER];

const PROVIDER_ENDPOINTS: Check = Check {
    slug: "provider_endpoints",
    section: Section::Provider,
    title: "The provider supports the authorization code flow, over https",
    why: "MCP clients sign users in with this flow only.",
    fix: "Enable the flow at the provider, and serve its endpoints over https.",
    affects: &Client::ALL,
    run: provider_endpoints,
};

fn provider_endpoints(record: &Record) -> CheckResult {
    let provider = record.require_provider_metadata()?;
    for name in ["authorization_endpoint", "token_endpoint"] {
        match string(&provider, name) {
            None => return Ok(Outcome::failure(format!("the provider's metadata has no {name}"))),
            Some(url) if !is_secure(url) => {
                return Ok(Outcome::failure(format!("{name} {} is not https", quote(url))));
            }
            Some(_) => {}
        }
    }
    // The defaults of both lists contain the required value, so a missing list is fine.
    for (name, required) in [("response_types_supported", "code"), ("grant_types_supported", "authorization_code")] {
        if provider.contains_key(name) && !strings(&provider, name).contains(&required) {
            return Ok(Outcome::failure(format!("{name} does not list {required}")));
        }
    }
    Ok(Outcome::ok("authorization endpoint, token endpoint, code flow"))
}

const PKCE: Check = Check {
    slug: "pkce",
    section: Section::Provider,
    title: "PKCE with S256 is advertised",
    why: "Clients must refuse a provider that does not advertise PKCE, even if it supports it.",
    fix: "Add S256 to code_challenge_methods_supported: enable PKCE at the provider, or upgrade to a version that \
          advertises it.",
    affects: &Client::ALL,
    run: pkce,
};

fn pkce(record: &Record) -> CheckResult {
    let provider = record.require_provider_metadata()?;
    let methods = strings(&provider, "code_challenge_methods_supported");
    Ok(match methods.as_slice() {
        [] => Outcome::failure("code_challenge_methods_supported is missing"),
        methods if methods.contains(&"S256") => Outcome::ok(methods.join(", ")),
        methods => {
            Outcome::failure(format!("code_challenge_methods_supported lists only {}", quote(&methods.join(", "))))
        }
    })
}

/// The registration methods that the provider supports. `None` if its metadata could not be read.
#[must_use]
pub fn registration_support(record: &Record) -> Option<RegistrationSupport> {
    let (_, provider) = record.provider_metadata()?;
    Some(RegistrationSupport {
        client_id_metadata_documents: provider.get("client_id_metadata_document_supported") == Some(&Value::Bool(true)),
        dynamic_registration: string(&provider, "registration_endpoint").is_some(),
        public_clients: strings(&provider, "token_endpoint_auth_methods_supported").contains(&"none"),
    })
}

const REGISTRATION: Check = Check {
    slug: "registration",
    section: Section::Provider,
    title: "Clients that are unknown to the provider can get a client ID",
    why: "Otherwise the operator must create a client ID for each client, and hosted clients fail with \"does not support \
          dynamic client registration\".",
    fix: "Enable client ID metadata documents (a beta setting of Logto from version 1.43) or dynamic client registration, \
          or put a registrar in front of the provider. Or create a client ID yourself and tell it to users: the list of \
          clients at the end of the report says where to enter it.",
    affects: &Client::ALL,
    run: registration,
};

fn registration(record: &Record) -> CheckResult {
    record.require_provider_metadata()?;
    let support = registration_support(record).unwrap_or_default();
    let document = RegistrationMethod::ClientIdMetadataDocument.name();
    let dynamic = RegistrationMethod::DynamicRegistration.name();
    Ok(match support {
        RegistrationSupport { client_id_metadata_documents: true, dynamic_registration: true, .. } => {
            Outcome::ok(format!("{document} and {dynamic}"))
        }
        RegistrationSupport { dynamic_registration: true, .. } => Outcome::ok(dynamic),
        RegistrationSupport { client_id_metadata_documents: true, public_clients: false, .. } => Outcome::warning(
            "the provider supports client ID metadata documents, but no clients without a secret: no client can use them",
        )
        .fix(PUBLIC_CLIENTS.fix),
        RegistrationSupport { client_id_metadata_documents: true, .. } => {
            let others = Client::ALL.into_iter().filter(|client| client.registration_method(support).is_none());
            let names: Vec<_> = others.map(Client::name).collect();
            Outcome::ok(format!("{document}; these clients need a client ID from you: {}", names.join(", ")))
        }
        RegistrationSupport { .. } => Outcome::warning(
            "the provider supports neither client ID metadata documents nor dynamic client registration",
        ),
    })
}

const PUBLIC_CLIENTS: Check = Check {
    slug: "public_clients",
    section: Section::Provider,
    title: "The provider supports clients without a secret",
    why: "Programs on users' machines cannot keep a secret. Claude, Codex and others use client ID metadata documents only \
          if token_endpoint_auth_methods_supported lists none.",
    fix: "Add none to token_endpoint_auth_methods_supported.",
    affects: &[
        Client::Claude,
        Client::ClaudeCode,
        Client::ChatGpt,
        Client::VsCode,
        Client::Codex,
        Client::Cursor,
        Client::GeminiCli,
        Client::Zed,
        Client::Goose,
        Client::N8n,
        Client::McpRemote,
        Client::Inspector,
        Client::WebPage,
    ],
    run: public_clients,
};

fn public_clients(record: &Record) -> CheckResult {
    let provider = record.require_provider_metadata()?;
    let methods = strings(&provider, "token_endpoint_auth_methods_supported");
    Ok(match methods.as_slice() {
        [] => Outcome::warning(
            "token_endpoint_auth_methods_supported is missing, and its default is client_secret_basic only",
        ),
        methods if methods.contains(&"none") => Outcome::ok("token_endpoint_auth_methods_supported lists \"none\""),
        methods => {
            let methods = quote(&methods.join(", "));
            Outcome::warning(format!("token_endpoint_auth_methods_supported lists only {methods}"))
        }
    })
}

const REFRESH_TOKENS: Check = Check {
    slug: "refresh_tokens",
    section: Section::Provider,
    title: "The provider issues refresh tokens",
    why: "Without a refresh token, users must sign in again whenever the access token expires.",
    fix: "Enable the grant type refresh_token at the provider.",
    affects: &Client::ALL,
    run: refresh_tokens,
};

fn refresh_tokens(record: &Record) -> CheckResult {
    let provider = record.require_provider_metadata()?;
    let grants = strings(&provider, "grant_types_supported");
    Ok(match grants.as_slice() {
        [] => Outcome::warning("grant_types_supported is missing, and its default has no refresh_token"),
        grants if grants.contains(&"refresh_token") => Outcome::ok("grant_types_supported lists refresh_token"),
        _ => Outcome::warning("grant_types_supported does not list refresh_token"),
    })
}

const RESPONSE_ISSUER: Check = Check {
    slug: "response_issuer",
    section: Section::Provider,
    title: "Authorization responses contain the issuer",
    why: "RFC 9207: the issuer prevents a client with several providers from sending a code to the wrong one (mix-up \
          attack). Clients of 2026-07-28 check it.",
    fix: "Enable it if the provider supports it (authorization_response_iss_parameter_supported).",
    affects: &[Client::SdkApp],
    run: response_issuer,
};

fn response_issuer(record: &Record) -> CheckResult {
    let provider = record.require_provider_metadata()?;
    let flag = provider.get("authorization_response_iss_parameter_supported");
    Ok(if flag == Some(&Value::Bool(true)) {
        Outcome::ok("authorization_response_iss_parameter_supported is true")
    } else {
        Outcome::warning("authorization_response_iss_parameter_supported is not true")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::{
        http::TransportErrorKind,
        outcome::Verdict::{Failure, Ok as Fine, Skipped, Warning},
        probe::Probe,
        target::DiscoveryForm,
        testing::{Change, expect, found},
    };

    const FOUND: Probe = Probe::Discovery(DiscoveryForm::OpenIdAppended);

    fn edited(change: impl FnOnce(&mut Map<String, Value>)) -> impl FnOnce(&mut Record) {
        move |record| record.edit(FOUND, change)
    }

    fn with(name: &'static str, value: Value) -> impl FnOnce(&mut Record) {
        edited(move |it| drop(it.insert(name.to_owned(), value)))
    }

    fn without(name: &'static str) -> impl FnOnce(&mut Record) {
        edited(move |it| drop(it.remove(name)))
    }

    #[test]
    fn without_the_providers_metadata_its_capabilities_are_skipped() {
        expect(&PKCE, Skipped, "could not be read", |record| {
            for form in DiscoveryForm::ALL {
                record.fail(Probe::Discovery(form), TransportErrorKind::Connect);
            }
        });
    }

    #[test]
    fn the_code_flow_needs_its_endpoints() {
        expect(&PROVIDER_ENDPOINTS, Failure, "no token_endpoint", without("token_endpoint"));
        let plain = with("authorization_endpoint", json!("http://tenant.logto.app/auth"));
        expect(&PROVIDER_ENDPOINTS, Failure, "not https", plain);
        expect(&PROVIDER_ENDPOINTS, Failure, "list code", with("response_types_supported", json!(["id_token"])));
        let machine = with("grant_types_supported", json!(["client_credentials"]));
        expect(&PROVIDER_ENDPOINTS, Failure, "list authorization_code", machine);
        expect(&PROVIDER_ENDPOINTS, Fine, "", without("response_types_supported"));
    }

    #[test]
    fn pkce_must_be_advertised_with_s256() {
        expect(&PKCE, Failure, "missing", without("code_challenge_methods_supported"));
        expect(&PKCE, Failure, "only \"plain\"", with("code_challenge_methods_supported", json!(["plain"])));
    }

    #[test]
    fn registration_names_the_clients_that_need_a_client_id() {
        expect(&REGISTRATION, Fine, "Cursor, Gemini CLI, Copilot Studio", without("registration_endpoint"));
        expect(&REGISTRATION, Fine, "dynamic", without("client_id_metadata_document_supported"));
        let neither = edited(|it| {
            it.remove("registration_endpoint");
            it.remove("client_id_metadata_document_supported");
        });
        expect(&REGISTRATION, Warning, "neither", neither);
        let useless = edited(|it| {
            it.remove("registration_endpoint");
            it.insert("token_endpoint_auth_methods_supported".into(), json!(["client_secret_basic"]));
        });
        expect(&REGISTRATION, Warning, "no client can use them", useless);
        // Only `true` counts as support.
        let finding = found(&REGISTRATION, with("client_id_metadata_document_supported", json!("yes")));
        assert_eq!((finding.verdict, finding.observed.as_str()), (Fine, "dynamic client registration"));
    }

    #[test]
    fn further_capabilities_are_warnings() {
        let secrets = with("token_endpoint_auth_methods_supported", json!(["client_secret_post"]));
        expect(&PUBLIC_CLIENTS, Warning, "only \"client_secret_post\"", secrets);
        expect(&PUBLIC_CLIENTS, Warning, "missing", without("token_endpoint_auth_methods_supported"));
        let code_only = with("grant_types_supported", json!(["authorization_code"]));
        expect(&REFRESH_TOKENS, Warning, "does not list", code_only);
        expect(&REFRESH_TOKENS, Warning, "missing", without("grant_types_supported"));
        expect(&RESPONSE_ISSUER, Warning, "not true", without("authorization_response_iss_parameter_supported"));
    }
}
