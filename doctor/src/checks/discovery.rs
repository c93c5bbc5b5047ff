//! Provider discovery (RFC 8414, OpenID Connect Discovery): whether clients find the provider's metadata, and whether
//! its issuer is the expected one.

use super::response::{WORKER_TO_WORKER_FIX, document_problem, is_worker_to_worker};
use crate::{
    check::{Check, Section},
    clients::Client,
    outcome::{CheckResult, Outcome},
    probe::Probe,
    quote::{excerpt, quote},
    record::{Record, document, string},
    target::DiscoveryForm,
};

pub(super) const CHECKS: &[Check] = &[DISCOVERY, ISSUER];

const DISCOVERY: Check = Check {
    slug: "discovery",
    section: Section::Provider,
    title: "The provider's metadata is found where clients look",
    why: "Clients try up to three URLs in order: RFC 8414 and OpenID Connect with the well-known segment before the path, \
          then OpenID Connect after it. Most continue only after a 3xx or 4xx: any other response ends the search.",
    fix: "Make sure that the provider is running and reachable from the internet, and that it answers 404 at URLs that it \
          does not serve.",
    affects: &Client::ALL,
    run: discovery,
};

fn discovery(record: &Record) -> CheckResult {
    let issuer = record.require_issuer()?;
    let found = record.provider_metadata();
    let mut tried: Vec<String> = Vec::new();
    let mut is_worker_error = false;
    let mut obstacle: Option<(String, u16)> = None;
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
                if !(300..500).contains(&response.status) {
                    let observed = format!("{url}: {problem}, and clients do not look further");
                    obstacle.get_or_insert((observed, response.status));
                }
                is_worker_error |= is_worker_to_worker(response);
                tried.push(format!("{url}: {problem}"));
            }
        }
    }
    Ok(match (found, obstacle) {
        (None, _) if tried.is_empty() => Outcome::failure(format!("{} is not a URL", quote(&issuer))),
        (None, _) if is_worker_error => Outcome::failure(tried.join("; ")).fix(WORKER_TO_WORKER_FIX),
        (None, _) => Outcome::failure(tried.join("; ")),
        (Some((form, _)), _) if !form.is_tried_by_clients() => {
            Outcome::failure(format!("only at {}, where clients do not look", record.url(Probe::Discovery(form)))).fix(
                format!("Serve the same document at {}.", record.url(Probe::Discovery(DiscoveryForm::OAuthInserted))),
            )
        }
        // Codex continues after every status but 200.
        (Some(_), Some((obstacle, 200))) => Outcome::failure(obstacle),
        (Some(_), Some((obstacle, _))) => {
            Outcome::failure(obstacle).affects(Client::ALL.into_iter().filter(|client| *client != Client::Codex))
        }
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
        Some(issuer) if issuer == expected => match foreign_document(record, &expected) {
            None => Outcome::ok(excerpt(issuer)),
            Some(foreign) => Outcome::warning(foreign)
                .fix("Serve the same document at every place, or answer 404 at the others.")
                .affects([]),
        },
        Some(issuer) => {
            Outcome::failure(format!("the provider says {}, the server says {}", quote(issuer), quote(&expected)))
        }
    })
}

/// The first document of another issuer, or of none, at one of the other places.
///
/// It is never in the way of a known client, because all of them use the first document in the order of
/// [`DiscoveryForm::ALL`]. A client with another order stops at it.
fn foreign_document(record: &Record, expected: &str) -> Option<String> {
    DiscoveryForm::ALL.into_iter().find_map(|form| {
        let found = document(record.response(Probe::Discovery(form))?)?;
        let url = record.url(Probe::Discovery(form));
        match string(&found, "issuer") {
            Some(issuer) if issuer == expected => None,
            Some(issuer) => Some(format!("{url} is the document of another issuer, {}", quote(issuer))),
            None => Some(format!("{url} is a document without an issuer")),
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        http::TransportErrorKind,
        outcome::Verdict::{Failure, Ok as Fine, Skipped, Warning},
        testing::{Change, expect, found},
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
    fn a_document_at_a_place_of_no_client_is_not_found() {
        let only_there = |record: &mut Record| {
            let found = record.response(FOUND).unwrap().clone();
            record.put(FOUND, 404, "text/plain", "");
            record.change(Probe::Discovery(DiscoveryForm::OAuthAppended), |it| *it = found);
        };
        expect(
            &DISCOVERY,
            Failure,
            "oidc/.well-known/oauth-authorization-server, where clients do not look",
            only_there,
        );
        expect(&ISSUER, Fine, "", only_there);
    }

    #[test]
    fn the_error_between_workers_is_named_with_its_flag() {
        let finding = found(&DISCOVERY, |record| {
            for form in DiscoveryForm::ALL {
                record.put(Probe::Discovery(form), 404, "text/plain", "error code: 1042");
            }
        });
        assert!(finding.observed.contains("error 1042"), "{finding:#?}");
        assert!(finding.fix.contains("global_fetch_strictly_public"), "{finding:#?}");
    }

    #[test]
    fn a_foreign_document_at_another_place_is_named() {
        expect(&ISSUER, Warning, "another issuer, \"https://elsewhere.example\"", |record| {
            let mut other = record.response(FOUND).unwrap().clone();
            other.body = r#"{"issuer":"https://elsewhere.example"}"#.to_owned();
            record.change(Probe::Discovery(DiscoveryForm::OAuthAppended), |it| *it = other);
        });
    }

    #[test]
    fn a_foreign_document_behind_the_one_that_clients_use_affects_none_of_them() {
        let finding = found(&ISSUER, |record| {
            record.put(Probe::Discovery(DiscoveryForm::OAuthAppended), 200, "application/json", "{}");
        });
        assert_eq!((finding.verdict, finding.affected.as_slice()), (Warning, [].as_slice()));
        assert!(finding.observed.ends_with("is a document without an issuer"), "{}", finding.observed);
    }

    #[test]
    fn the_issuer_is_compared_byte_for_byte() {
        expect(&ISSUER, Failure, "the provider says \"https://tenant.logto.app/oidc/\"", |record| {
            record.edit(FOUND, |it| it["issuer"] = json!("https://tenant.logto.app/oidc/"));
        });
        expect(&ISSUER, Failure, "no issuer", |record| record.edit(FOUND, |it| drop(it.remove("issuer"))));
    }
}
