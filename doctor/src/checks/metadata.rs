//! Protected resource metadata (RFC 9728): where it is, and whether it describes this endpoint.

use serde_json::{Map, Value};

use super::response::document_problem;
use crate::{
    challenge::Challenge,
    check::{Check, Section},
    clients::Client,
    outcome::{CheckResult, Outcome, Skip},
    probe::Probe,
    quote::{excerpt, quote},
    record::{Record, document, string, strings},
    target::{Target, is_secure},
};

pub(super) const CHECKS: &[Check] = &[METADATA_PATH, METADATA_ROOT, RESOURCE, AUTHORIZATION_SERVERS, SCOPES];

/// The metadata that clients use.
fn require_metadata(record: &Record) -> Result<Map<String, Value>, Skip> {
    if !record.is_reached() {
        return Err(Skip::new("the endpoint was not reached"));
    }
    record.resource_metadata().ok_or_else(|| Skip::new("the metadata could not be read (see metadata_path)"))
}

const METADATA_PATH: Check = Check {
    slug: "metadata_path",
    section: Section::Metadata,
    title: "The metadata is at the URL that RFC 9728 derives from the endpoint",
    why: "The metadata names the identity provider. Claude and the SDKs look here first.",
    fix: "Serve the metadata at this URL as application/json, without authentication.",
    affects: &Client::ALL,
    run: metadata_path,
};

fn metadata_path(record: &Record) -> CheckResult {
    let response = record.require_response(Probe::MetadataAtPath)?;
    let url = record.url(Probe::MetadataAtPath);
    if let Some(problem) = document_problem(response) {
        let observed = format!("{url}: {problem}");
        return match record.resource_metadata() {
            None if record.is_open() => Err(Skip::new("there is no metadata, and the server does not require sign-in")),
            None if record.same_origin_issuer().is_some() => {
                Ok(Outcome::warning(format!("{observed}; clients can sign in only as MCP 2025-03-26 describes it")))
            }
            None => Ok(Outcome::failure(observed)),
            Some(_) => Ok(Outcome::warning(format!("{observed}; the metadata is at another URL"))
                .affects([Client::Claude, Client::ChatGpt])),
        };
    }
    if response.media_type() != "application/json" {
        return Ok(Outcome::warning(format!("{url} is served as {}", quote(&response.media_type()))));
    }
    Ok(Outcome::ok(url))
}

const METADATA_ROOT: Check = Check {
    slug: "metadata_root",
    section: Section::Metadata,
    title: "The same metadata is at the root",
    why: "ChatGPT requests the root in some flows, and other clients fall back to it.",
    fix: "Serve the same document there.",
    affects: &[Client::ChatGpt],
    run: metadata_root,
};

fn metadata_root(record: &Record) -> CheckResult {
    let metadata = require_metadata(record)?;
    if record.target.is_pathless() {
        return Err(Skip::new("for a URL without a path it is the same URL"));
    }
    let response = record.require_response(Probe::MetadataAtRoot)?;
    let url = record.url(Probe::MetadataAtRoot);
    if let Some(problem) = document_problem(response) {
        return Ok(Outcome::warning(format!("{url}: {problem}")));
    }
    let root = document(response).unwrap_or_default();
    if root == metadata {
        return Ok(Outcome::ok(url));
    }
    let resource = string(&root, "resource");
    Ok(if resource == string(&metadata, "resource") {
        Outcome::warning(format!("{url} differs from the document at the path"))
    } else {
        let described = resource.map_or_else(|| "no resource".to_owned(), quote);
        Outcome::warning(format!("{url} describes {described}"))
            .fix("If several endpoints share this host, no change is needed. Otherwise serve the same document at both URLs.")
    })
}

const RESOURCE: Check = Check {
    slug: "resource",
    section: Section::Metadata,
    title: "resource is the URL of the endpoint, byte for byte",
    why: "Clients request tokens for this string, and VS Code and Claude compare it with the URL that the user entered. If \
          they differ by one slash, the provider issues tokens that the server never accepts.",
    fix: "Use one string for all three: the URL that users enter, resource in the metadata, and the API identifier \
          (audience) at the provider. For mcp-edge it is RESOURCE.",
    affects: &Client::ALL,
    run: resource,
};

fn resource(record: &Record) -> CheckResult {
    let metadata = require_metadata(record)?;
    let entered = record.target.as_str();
    let Some(resource) = string(&metadata, "resource") else {
        return Ok(Outcome::failure("the metadata has no resource"));
    };
    let differs_in_slash_only = resource.trim_end_matches('/') == entered.trim_end_matches('/');
    // A URL without a path is the same with and without its slash (RFC 3986 §6.2.3), and clients use both.
    if resource == entered || (record.target.is_pathless() && differs_in_slash_only) {
        return Ok(Outcome::ok(excerpt(resource)));
    }
    let observed = format!("resource is {}, and the URL is {}", quote(resource), quote(entered));
    if differs_in_slash_only {
        return Ok(Outcome::failure(format!("{observed}: they differ in a slash at the end")));
    }
    if resource.eq_ignore_ascii_case(entered) {
        return Ok(Outcome::failure(format!("{observed}: they differ in capital letters")));
    }
    // The SDKs accept a resource that is a prefix of the URL; other clients do not.
    let is_prefix = Target::parse(resource).is_ok_and(|resource| {
        resource.origin() == record.target.origin()
            && format!("{}/", record.target.path()).starts_with(&format!("{}/", resource.path().trim_end_matches('/')))
    });
    Ok(if is_prefix {
        Outcome::failure(format!("{observed}: it is a prefix only")).affects([Client::VsCode, Client::Claude])
    } else {
        Outcome::failure(observed)
    })
}

const AUTHORIZATION_SERVERS: Check = Check {
    slug: "authorization_servers",
    section: Section::Metadata,
    title: "The metadata names a provider, over https",
    why: "Clients send users there to sign in. The SDKs use the first entry only.",
    fix: "List the provider's issuer in authorization_servers, exactly as in the provider's own metadata. For mcp-edge it \
          is ISSUER.",
    affects: &Client::ALL,
    run: authorization_servers,
};

fn authorization_servers(record: &Record) -> CheckResult {
    let metadata = require_metadata(record)?;
    let servers = strings(&metadata, "authorization_servers");
    let Some(first) = servers.first() else {
        return Ok(Outcome::failure("authorization_servers is missing or empty"));
    };
    if !is_secure(first) {
        return Ok(Outcome::failure(format!("{} is not https", quote(first))));
    }
    if let Some(reason) = record.target.reason_not_to_request(first) {
        return Ok(Outcome::failure(format!("{}: {reason}", quote(first))));
    }
    Ok(Outcome::ok(match servers.len() {
        1 => excerpt(first),
        several => format!("{}, the first of {several}; most clients use no other", excerpt(first)),
    }))
}

const SCOPES: Check = Check {
    slug: "scopes",
    section: Section::Metadata,
    title: "Clients learn which scopes to request",
    why: "Clients request the scopes in the challenge, or all of scopes_supported, or none. A token without scopes grants \
          nothing, and Logto answers such a request with access_denied.",
    fix: "List the basic scopes in the challenge and in scopes_supported, and no scope that some clients may not have. For \
          mcp-edge they are REQUIRED_SCOPES.",
    affects: &Client::ALL,
    run: scopes,
};

fn scopes(record: &Record) -> CheckResult {
    let metadata = require_metadata(record)?;
    let challenge = record.challenge().and_then(Result::ok);
    let challenged = challenge.as_ref().and_then(|it: &Challenge| it.get("scope")).unwrap_or_default();
    let supported = strings(&metadata, "scopes_supported");
    if supported.contains(&"offline_access") || challenged.split(' ').any(|scope| scope == "offline_access") {
        return Ok(Outcome::warning(
            "offline_access is listed, although only the client and the provider decide about refresh tokens",
        )
        .fix("Remove it from the challenge and from scopes_supported."));
    }
    if metadata.get("scopes_supported").is_some_and(|it| it.as_array().is_some_and(Vec::is_empty)) {
        return Ok(Outcome::warning("scopes_supported is an empty list; RFC 9728 requires that it is omitted instead"));
    }
    Ok(match (challenged, supported.as_slice()) {
        ("", []) => Outcome::warning("neither the challenge nor the metadata names a scope"),
        ("", supported) => Outcome::ok(format!("scopes_supported: {}", quote(&supported.join(" ")))),
        (challenged, _) => Outcome::ok(format!("scope in the challenge: {}", quote(challenged))),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        http::{HttpResponse, Truncation},
        outcome::Verdict::{Failure, Ok as Fine, Skipped, Warning},
        testing::{Change, expect, found, good, http_response},
    };

    /// Changes the document at both URLs.
    fn edited(change: impl Fn(&mut Map<String, Value>)) -> impl FnOnce(&mut Record) {
        move |record| {
            record.edit(Probe::MetadataAtPath, &change);
            record.edit(Probe::MetadataAtRoot, &change);
        }
    }

    fn with(name: &'static str, value: Value) -> impl FnOnce(&mut Record) {
        edited(move |document| {
            document.insert(name.to_owned(), value.clone());
        })
    }

    #[test]
    fn a_missing_document_is_a_failure_unless_it_is_at_another_url() {
        let missing = |record: &mut Record| record.put(Probe::MetadataAtPath, 404, "application/json", "{}");
        expect(&METADATA_PATH, Warning, "404 application/json; the metadata is at another URL", missing);
        expect(&METADATA_PATH, Failure, "404", |record| {
            missing(record);
            record.put(Probe::MetadataAtRoot, 404, "", "");
        });
        expect(&RESOURCE, Skipped, "metadata could not be read", |record| {
            missing(record);
            record.put(Probe::MetadataAtRoot, 404, "", "");
        });
        expect(&METADATA_ROOT, Warning, "404", |record| record.put(Probe::MetadataAtRoot, 404, "", ""));
    }

    #[test]
    fn a_server_of_2025_03_26_is_a_warning() {
        let revision_2025_03_26 = |record: &mut Record| {
            for probe in [Probe::MetadataAtPath, Probe::MetadataAtRoot] {
                record.put(probe, 404, "text/plain", "");
            }
            record.put(Probe::Mirror, 200, "application/json", r#"{"issuer":"https://mcp.example.com"}"#);
            record.change(Probe::Initialize, |it| it.set("www-authenticate", Some("Bearer realm=\"x\"")));
        };
        expect(&METADATA_PATH, Warning, "2025-03-26", revision_2025_03_26);
        let mut record = good();
        revision_2025_03_26(&mut record);
        assert_eq!(record.issuer().as_deref(), Some("https://mcp.example.com"));
    }

    #[test]
    fn each_problem_with_a_document_is_explained() {
        let at_path = |change: fn(&mut HttpResponse)| move |it: &mut Record| it.change(Probe::MetadataAtPath, change);
        expect(&METADATA_PATH, Warning, "a page for people", at_path(|it| it.body = "<!doctype html><p>".into()));
        expect(
            &METADATA_PATH,
            Warning,
            "compressed (\"gzip\")",
            at_path(|it| {
                it.body = "\u{1f}".into();
                it.set("content-encoding", Some("gzip"));
            }),
        );
        expect(&METADATA_PATH, Warning, "not a JSON object", at_path(|it| it.body = "[]".into()));
        expect(&METADATA_PATH, Warning, "longer than", at_path(|it| it.truncated = Some(Truncation::TooLong)));
        expect(
            &METADATA_PATH,
            Warning,
            "truncated",
            at_path(|it| it.truncated = Some(Truncation::Interrupted("x".into()))),
        );
        expect(
            &METADATA_PATH,
            Warning,
            "redirects to \"/login\"",
            at_path(|it| {
                *it = http_response(302, &[("location", "/login")], "");
            }),
        );
        expect(&METADATA_PATH, Warning, "\"text/plain\"", at_path(|it| it.set("content-type", Some("text/plain"))));
    }

    #[test]
    fn both_documents_must_be_the_same() {
        expect(&METADATA_ROOT, Warning, "describes \"https://mcp.example.com/other\"", |record| {
            record.edit(Probe::MetadataAtRoot, |it| {
                it.insert("resource".into(), json!("https://mcp.example.com/other"));
            });
        });
        expect(&METADATA_ROOT, Warning, "differs", |record| {
            record.edit(Probe::MetadataAtRoot, |it| {
                it.insert("scopes_supported".into(), json!(["other"]));
            });
        });
    }

    #[test]
    fn resource_is_compared_byte_for_byte() {
        expect(&RESOURCE, Failure, "a slash at the end", with("resource", json!("https://mcp.example.com/mcp/")));
        expect(&RESOURCE, Failure, "capital letters", with("resource", json!("https://MCP.example.com/mcp")));
        expect(&RESOURCE, Failure, "resource is \"https://a/mcp\"", with("resource", json!("https://a/mcp")));
        expect(&RESOURCE, Failure, "no resource", with("resource", json!(7)));
        let part = found(&RESOURCE, with("resource", json!("https://mcp.example.com")));
        assert_eq!((part.verdict, part.affected.as_slice()), (Failure, [Client::VsCode, Client::Claude].as_slice()));
    }

    #[test]
    fn without_a_path_the_slash_makes_no_difference() {
        expect(&RESOURCE, Fine, "", |record| {
            record.target = Target::parse("https://mcp.example.com").unwrap();
            with("resource", json!("https://mcp.example.com/"))(record);
        });
    }

    #[test]
    fn the_provider_must_be_named_and_secure() {
        expect(&AUTHORIZATION_SERVERS, Failure, "missing", with("authorization_servers", json!([])));
        expect(&AUTHORIZATION_SERVERS, Failure, "not https", with("authorization_servers", json!(["http://as/x"])));
        expect(&AUTHORIZATION_SERVERS, Failure, "not https", with("authorization_servers", json!(["tenant"])));
        let local = with("authorization_servers", json!(["http://localhost:3000/oidc"]));
        expect(&AUTHORIZATION_SERVERS, Failure, "private network", local);
        let two = with("authorization_servers", json!(["https://a.example.com", "https://b.example.com"]));
        expect(&AUTHORIZATION_SERVERS, Fine, "the first of 2", two);
    }

    #[test]
    fn clients_must_learn_which_scopes_to_request() {
        expect(&SCOPES, Warning, "offline_access", with("scopes_supported", json!(["a", "offline_access"])));
        expect(&SCOPES, Warning, "empty list", with("scopes_supported", json!([])));
        let unchallenged = |record: &mut Record| {
            record.change(Probe::Initialize, |it| it.set("www-authenticate", Some("Bearer realm=\"x\"")));
        };
        expect(&SCOPES, Fine, "scopes_supported: \"whoami:read\"", unchallenged);
        expect(&SCOPES, Warning, "neither", |record| {
            unchallenged(record);
            edited(|it| drop(it.remove("scopes_supported")))(record);
        });
    }
}
