//! Authorization server metadata at the server's own origin: whether it contradicts the provider's.

use super::response::document_problem;
use crate::{
    check::{Check, Section},
    clients::Client,
    outcome::{CheckResult, Outcome},
    probe::Probe,
    quote::quote,
    record::{Record, document, string},
};

pub(super) const CHECKS: &[Check] = &[MIRROR];

const MIRROR: Check = Check {
    slug: "mirror",
    section: Section::Provider,
    title: "Authorization server metadata at the server's own origin is absent, or equals the provider's",
    why: "Clients of MCP 2025-03-26, and SDKs that found no other metadata, use the document at the server's own origin. \
          Strict ones reject a different issuer.",
    fix: "Remove the document, or serve the provider's document unchanged.",
    affects: &[Client::SdkApp],
    run: mirror,
};

fn mirror(record: &Record) -> CheckResult {
    let provider = record.require_provider_metadata()?;
    let response = record.require_response(Probe::Mirror)?;
    let url = record.url(Probe::Mirror);
    let Some(mirror) = document(response) else {
        return Ok(if response.status == 200 {
            let problem = document_problem(response).unwrap_or_default();
            Outcome::warning(format!("{url}: {problem}")).fix("Answer 404 there.")
        } else {
            Outcome::ok(format!("no document at {url}"))
        });
    };
    if mirror == provider {
        return Ok(Outcome::ok(format!("{url} is the provider's document")));
    }
    let (here, there) = (string(&mirror, "issuer"), string(&provider, "issuer"));
    if here != there {
        let quoted = |issuer: Option<&str>| issuer.map_or_else(|| "none".to_owned(), quote);
        return Ok(Outcome::warning(format!(
            "{url} names the issuer {}, and the provider's metadata {}",
            quoted(here),
            quoted(there)
        )));
    }
    let changed = provider.keys().filter(|name| mirror.get(*name) != provider.get(*name));
    let added = mirror.keys().filter(|name| !provider.contains_key(*name));
    let members: Vec<_> = changed.chain(added).map(String::as_str).collect();
    let members = quote(&members.join(", "));
    Ok(Outcome::warning(format!("{url} differs from the provider's document in {members}")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::{
        outcome::Verdict::{Ok as Fine, Warning},
        target::DiscoveryForm,
        testing::{Change, expect},
    };

    /// Serves the provider's document with a change at the server's own origin.
    fn mirrored(change: fn(&mut Map<String, Value>)) -> impl FnOnce(&mut Record) {
        move |record| {
            let original = record.response(Probe::Discovery(DiscoveryForm::OpenIdAppended)).unwrap().clone();
            record.change(Probe::Mirror, |it| *it = original);
            record.edit(Probe::Mirror, change);
        }
    }

    #[test]
    fn a_mirror_must_not_contradict_the_provider() {
        expect(&MIRROR, Fine, "is the provider's document", mirrored(|_| {}));
        expect(&MIRROR, Warning, "names the issuer \"https://mcp.example.com\"", {
            mirrored(|it| it["issuer"] = json!("https://mcp.example.com"))
        });
        expect(&MIRROR, Warning, "registration_endpoint, extra", {
            mirrored(|it| {
                it.remove("registration_endpoint");
                it.insert("extra".into(), json!(1));
            })
        });
        expect(&MIRROR, Warning, "a page for people", |it| it.put(Probe::Mirror, 200, "text/html", "<html>"));
    }
}
