//! Provider discovery (RFC 8414, OpenID Connect Discovery): whether clients find the provider's metadata, and whether
//! its issuer is the expected one.

use super::response::document_problem;
use crate::{
    check::{Check, Section},
    clients::Client,
    outcome::{CheckResult, Outcome},
    probe::Probe,
    quote::{excerpt, quote},
    record::{Record, string},
    target::DiscoveryForm,
};

pub(super) const CHECKS: &[Check] = &[DISCOVERY, ISSUER];

const DISCOVERY: Check = Check {
    slug: "discovery",
    section: Section::Provider,
    title: "The provider's metadata is found where clients look",
    why: "Clients try up to three URLs in order, and continue only after a 4xx: any other response ends the search.",
    fix: "Make sure that the provider is running and reachable from the internet, and that it answers 404 at URLs that it \
          does not serve.",
    affects: &Client::ALL,
    run: discovery,
};

fn discovery(record: &Record) -> CheckResult {
    let issuer = record.require_issuer()?;
    let found = record.provider_metadata();
    let mut tried: Vec<String> = Vec::new();
    let mut obstacle = None;
    for form in DiscoveryForm::ALL {
        if found.as_ref().is_some_and(|(it, _)| *it == form) {
            break;
        }
        let probe = Probe::Discovery(form);
        let Some(result) = record.result(probe) else { continue };
        let url = record.url(probe);
        match result {
            Err(error) => tried.push(format!("{url}: {error}")),
            Ok(response) => {
                let problem = document_problem(response).unwrap_or_default();
                if !(400..500).contains(&response.status) {
                    obstacle.get_or_insert_with(|| format!("{url}: {problem}, and clients do not look further"));
                }
                tried.push(format!("{url}: {problem}"));
            }
        }
    }
    Ok(match (found, obstacle) {
        (None, _) if tried.is_empty() => Outcome::failure(format!("{} is not a URL", quote(&issuer))),
        (None, _) => Outcome::failure(tried.join("; ")),
        (Some(_), Some(obstacle)) => Outcome::failure(obstacle),
        (Some((form, _)), None) => {
            let url = record.url(Probe::Discovery(form));
            Outcome::ok(match tried.len() {
                0 => url.to_owned(),
                1 => format!("{url}, the second URL that clients try"),
                _ => format!("{url}, the third URL that clients try"),
            })
        }
    })
}

const ISSUER: Check = Check {
    slug: "issuer",
    section: Section::Provider,
    title: "The provider's issuer is the one in the server's metadata",
    why: "Clients compare the two strings, and must stop if they differ, even by a slash.",
    fix: "Copy issuer from the provider's metadata into authorization_servers, byte for byte. For mcp-edge it is ISSUER.",
    affects: &Client::ALL,
    run: issuer,
};

fn issuer(record: &Record) -> CheckResult {
    let expected = record.require_issuer()?;
    let provider = record.require_provider_metadata()?;
    Ok(match string(&provider, "issuer") {
        None => Outcome::failure("the provider's metadata has no issuer"),
        Some(issuer) if issuer == expected => Outcome::ok(excerpt(issuer)),
        Some(issuer) => {
            Outcome::failure(format!("the provider says {}, the server says {}", quote(issuer), quote(&expected)))
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        http::TransportErrorKind,
        outcome::Verdict::{Failure, Ok as Fine, Skipped},
        testing::{Change, expect},
    };

    const FIRST: Probe = Probe::Discovery(DiscoveryForm::OAuthInserted);
    const FOUND: Probe = Probe::Discovery(DiscoveryForm::OpenIdAppended);

    #[test]
    fn a_provider_that_does_not_respond_is_one_failure() {
        let down = |record: &mut Record| {
            for form in DiscoveryForm::ALL {
                record.fail(Probe::Discovery(form), TransportErrorKind::Connect);
            }
        };
        expect(&DISCOVERY, Failure, "no connection", down);
        expect(&ISSUER, Skipped, "could not be read", down);
    }

    #[test]
    fn clients_look_further_only_after_a_4xx() {
        expect(&DISCOVERY, Failure, "do not look further", |it| it.put(FIRST, 200, "text/html", "<html>"));
        expect(&DISCOVERY, Failure, "do not look further", |it| it.put(FIRST, 500, "text/plain", ""));
        expect(&DISCOVERY, Fine, "the third URL", |it| it.put(FIRST, 403, "text/plain", ""));
    }

    #[test]
    fn the_issuer_is_compared_byte_for_byte() {
        expect(&ISSUER, Failure, "the provider says \"https://tenant.logto.app/oidc/\"", |record| {
            record.edit(FOUND, |it| it["issuer"] = json!("https://tenant.logto.app/oidc/"));
        });
        expect(&ISSUER, Failure, "no issuer", |record| record.edit(FOUND, |it| drop(it.remove("issuer"))));
    }
}
