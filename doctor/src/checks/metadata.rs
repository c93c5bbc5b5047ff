//! Protected resource metadata (RFC 9728): what the server says of itself.

use serde_json::{Map, Value};

use super::{quote, trouble_with_document};
use crate::{
    challenge::Challenge,
    clients::Client,
    finding::{Judgement, Skip},
    record::{Probe, Record, document, string, strings},
    target::{Target, is_secure},
};

/// The metadata that clients use.
fn found(record: &Record) -> Result<Map<String, Value>, Skip> {
    if !record.is_reached() {
        return Err(Skip::new("the endpoint was not reached"));
    }
    record.metadata().ok_or_else(|| Skip::new("no metadata could be read"))
}

pub fn at_path(record: &Record) -> Result<Judgement, Skip> {
    let answer = record.of_server(Probe::MetadataAtPath)?;
    let url = record.url(Probe::MetadataAtPath);
    if let Some(trouble) = trouble_with_document(answer) {
        let seen = format!("{url}: {trouble}");
        return match record.metadata() {
            None if record.is_open() => Err(Skip::new("there is none, and nobody is asked to sign in")),
            None if record.own_provider().is_some() => {
                Ok(Judgement::warning(format!("{seen}; sign-in is offered in the way of 2025-03-26 only")))
            }
            None => Ok(Judgement::failure(seen)),
            Some(_) => {
                Ok(Judgement::warning(format!("{seen}; it is elsewhere")).hits([Client::Claude, Client::ChatGpt]))
            }
        };
    }
    if answer.media_type() != "application/json" {
        return Ok(Judgement::warning(format!("{url} is served as {}", quote(&answer.media_type()))));
    }
    Ok(Judgement::ok(url.to_owned()))
}

pub fn at_root(record: &Record) -> Result<Judgement, Skip> {
    let found = found(record)?;
    if record.target.is_pathless() {
        return Err(Skip::new("for a URL without a path it is the same place"));
    }
    let answer = record.of_server(Probe::MetadataAtRoot)?;
    let url = record.url(Probe::MetadataAtRoot);
    if let Some(trouble) = trouble_with_document(answer) {
        return Ok(Judgement::warning(format!("{url}: {trouble}")));
    }
    let root = document(answer).unwrap_or_default();
    if root == found {
        return Ok(Judgement::ok(url.to_owned()));
    }
    Ok(match (string(&root, "resource"), string(&found, "resource")) {
        (root, found) if root != found => Judgement::warning(format!(
            "{url} is about {}",
            quote(root.unwrap_or("nothing"))
        ))
        .mend(
            "If several endpoints share this host, that is how it must be. Otherwise serve the same document at both \
                 places.",
        ),
        _ => Judgement::warning(format!("{url} differs from the document at the path")),
    })
}

pub fn resource(record: &Record) -> Result<Judgement, Skip> {
    let found = found(record)?;
    let typed = record.target.typed();
    let Some(resource) = string(&found, "resource") else {
        return Ok(Judgement::failure("the metadata has no resource"));
    };
    // A URL without a path is the same with and without its slash (RFC 3986 §6.2.3), and clients use both.
    let same = resource == typed
        || (record.target.is_pathless() && resource.trim_end_matches('/') == typed.trim_end_matches('/'));
    if same {
        return Ok(Judgement::ok(quote(resource)));
    }
    let seen = format!("it is {}, and the URL is {}", quote(resource), quote(typed));
    if resource.trim_end_matches('/') == typed.trim_end_matches('/') {
        return Ok(Judgement::failure(format!("{seen}: a slash at the end")));
    }
    if resource.eq_ignore_ascii_case(typed) {
        return Ok(Judgement::failure(format!("{seen}: capital letters")));
    }
    // What the SDKs take, others do not.
    let covers = Target::parse(resource).is_ok_and(|resource| {
        resource.origin() == record.target.origin()
            && format!("{}/", record.target.path()).starts_with(&format!("{}/", resource.path().trim_end_matches('/')))
    });
    Ok(if covers {
        Judgement::failure(format!("{seen}: a part of it only")).hits([Client::VsCode, Client::Claude])
    } else {
        Judgement::failure(seen)
    })
}

pub fn authorization_servers(record: &Record) -> Result<Judgement, Skip> {
    let found = found(record)?;
    let servers = strings(&found, "authorization_servers");
    let Some(first) = servers.first() else {
        return Ok(Judgement::failure("authorization_servers is missing or empty"));
    };
    if !is_secure(first) {
        return Ok(Judgement::failure(format!("{} is not https", quote(first))));
    }
    if let Some(reason) = record.target.refusal_to_ask(first) {
        return Ok(Judgement::failure(format!("{}: {reason}", quote(first))));
    }
    Ok(Judgement::ok(match servers.len() {
        1 => quote(first),
        several => format!("{}, the first of {several}; most clients use no other", quote(first)),
    }))
}

pub fn scopes(record: &Record) -> Result<Judgement, Skip> {
    let found = found(record)?;
    let challenge = record.challenge().and_then(Result::ok);
    let challenged = challenge.as_ref().and_then(|it: &Challenge| it.get("scope")).unwrap_or_default();
    let supported = strings(&found, "scopes_supported");
    if supported.contains(&"offline_access") || challenged.split(' ').any(|scope| scope == "offline_access") {
        return Ok(Judgement::warning("offline_access is listed, which is a matter between client and provider")
            .mend("Leave it out of the challenge and of scopes_supported."));
    }
    if found.get("scopes_supported").is_some_and(|it| it.as_array().is_some_and(Vec::is_empty)) {
        return Ok(Judgement::warning("scopes_supported is an empty list; RFC 9728 wants it left out then"));
    }
    Ok(match (challenged, supported.as_slice()) {
        ("", []) => Judgement::warning("neither the challenge nor the metadata names a scope"),
        ("", supported) => Judgement::ok(format!("scopes_supported: {}", quote(&supported.join(" ")))),
        (challenged, _) => Judgement::ok(format!("the challenge asks for {}", quote(challenged))),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        exchange::Cut,
        finding::{
            Check,
            Verdict::{Failure as Bad, Ok as Fine, Skipped, Warning},
        },
        testing::{Change, answered, expect, found},
    };

    /// Changes the document at both places.
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
    fn a_missing_document_is_a_failure_unless_it_is_elsewhere() {
        let missing = |record: &mut Record| record.put(Probe::MetadataAtPath, 404, "application/json", "{}");
        expect(Check::MetadataPath, Warning, "404 application/json; it is elsewhere", missing);
        expect(Check::MetadataPath, Bad, "404", |record| {
            missing(record);
            record.put(Probe::MetadataAtRoot, 404, "", "");
        });
        expect(Check::Resource, Skipped, "no metadata", |record| {
            missing(record);
            record.put(Probe::MetadataAtRoot, 404, "", "");
        });
        expect(Check::MetadataRoot, Warning, "404", |record| record.put(Probe::MetadataAtRoot, 404, "", ""));
    }

    #[test]
    fn a_server_of_the_revision_before_is_not_lost() {
        let earlier = |record: &mut Record| {
            for probe in [Probe::MetadataAtPath, Probe::MetadataAtRoot] {
                record.put(probe, 404, "text/plain", "");
            }
            record.put(Probe::Mirror, 200, "application/json", r#"{"issuer":"https://mcp.example.com"}"#);
            record.change(Probe::Initialize, |it| it.set("www-authenticate", Some("Bearer realm=\"x\"")));
        };
        expect(Check::MetadataPath, Warning, "2025-03-26", earlier);
        expect(Check::ChallengeMetadata, Warning, "guess", earlier);
        let mut record = crate::testing::good();
        earlier(&mut record);
        assert_eq!(record.issuer().as_deref(), Some("https://mcp.example.com"));
    }

    #[test]
    fn what_is_no_document_is_told_apart() {
        let at_path =
            |change: fn(&mut crate::exchange::Answer)| move |it: &mut Record| it.change(Probe::MetadataAtPath, change);
        expect(Check::MetadataPath, Warning, "a page for people", at_path(|it| it.body = "<!doctype html><p>".into()));
        expect(
            Check::MetadataPath,
            Warning,
            "compressed (\"gzip\")",
            at_path(|it| {
                it.body = "\u{1f}".into();
                it.set("content-encoding", Some("gzip"));
            }),
        );
        expect(Check::MetadataPath, Warning, "not a JSON object", at_path(|it| it.body = "[]".into()));
        expect(Check::MetadataPath, Warning, "longer than", at_path(|it| it.cut = Some(Cut::TooLong)));
        expect(Check::MetadataPath, Warning, "breaks off", at_path(|it| it.cut = Some(Cut::Broken("x".into()))));
        expect(
            Check::MetadataPath,
            Warning,
            "redirects to \"/login\"",
            at_path(|it| {
                *it = answered(302, &[("location", "/login")], "");
            }),
        );
        expect(
            Check::MetadataPath,
            Warning,
            "\"text/plain\"",
            at_path(|it| it.set("content-type", Some("text/plain"))),
        );
    }

    #[test]
    fn both_places_must_say_the_same() {
        expect(Check::MetadataRoot, Warning, "is about \"https://mcp.example.com/other\"", |record| {
            record.edit(Probe::MetadataAtRoot, |it| {
                it.insert("resource".into(), json!("https://mcp.example.com/other"));
            });
        });
        expect(Check::MetadataRoot, Warning, "differs", |record| {
            record.edit(Probe::MetadataAtRoot, |it| {
                it.insert("scopes_supported".into(), json!(["other"]));
            });
        });
    }

    #[test]
    fn resource_is_compared_byte_for_byte() {
        expect(Check::Resource, Bad, "a slash at the end", with("resource", json!("https://mcp.example.com/mcp/")));
        expect(Check::Resource, Bad, "capital letters", with("resource", json!("https://MCP.example.com/mcp")));
        expect(Check::Resource, Bad, "it is \"https://a/mcp\"", with("resource", json!("https://a/mcp")));
        expect(Check::Resource, Bad, "no resource", with("resource", json!(7)));
        let part = found(Check::Resource, with("resource", json!("https://mcp.example.com")));
        assert_eq!((part.verdict, part.hits.as_slice()), (Bad, [Client::VsCode, Client::Claude].as_slice()));
    }

    #[test]
    fn without_a_path_the_slash_makes_no_difference() {
        expect(Check::Resource, Fine, "", |record| {
            record.target = Target::parse("https://mcp.example.com").unwrap();
            with("resource", json!("https://mcp.example.com/"))(record);
        });
    }

    #[test]
    fn the_provider_must_be_named_and_safe() {
        expect(Check::AuthorizationServers, Bad, "missing", with("authorization_servers", json!([])));
        expect(Check::AuthorizationServers, Bad, "not https", with("authorization_servers", json!(["http://as/x"])));
        expect(Check::AuthorizationServers, Bad, "not https", with("authorization_servers", json!(["tenant"])));
        let local = with("authorization_servers", json!(["http://localhost:3000/oidc"]));
        expect(Check::AuthorizationServers, Bad, "private network", local);
        let two = with("authorization_servers", json!(["https://a.example.com", "https://b.example.com"]));
        expect(Check::AuthorizationServers, Fine, "the first of 2", two);
    }

    #[test]
    fn clients_must_learn_what_to_ask_for() {
        expect(Check::Scopes, Warning, "offline_access", with("scopes_supported", json!(["a", "offline_access"])));
        expect(Check::Scopes, Warning, "empty list", with("scopes_supported", json!([])));
        let unchallenged = |record: &mut Record| {
            record.change(Probe::Initialize, |it| it.set("www-authenticate", Some("Bearer realm=\"x\"")));
        };
        expect(Check::Scopes, Fine, "scopes_supported: \"whoami:read\"", unchallenged);
        expect(Check::Scopes, Warning, "neither", |record| {
            unchallenged(record);
            edited(|it| drop(it.remove("scopes_supported")))(record);
        });
    }
}
