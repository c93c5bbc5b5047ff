//! Content codings and byte order marks, which look like invalid JSON to clients.

use super::response::is_blocked;
use crate::{
    check::{Check, Section},
    clients::Client,
    outcome::{CheckResult, Outcome},
    probe::Probe,
    quote::{examples, quote},
    record::Record,
};

pub(super) const CHECKS: &[Check] = &[ENCODING];

const ENCODING: Check = Check {
    slug: "encoding",
    section: Section::Reaching,
    title: "Responses are UTF-8 without a byte order mark, and compressed only if the client asks for it",
    why: "A client that did not ask may not decompress. JSON must not begin with a byte order mark (RFC 8259 §8.1): the \
          Python and Rust SDKs reject it, JavaScript hides it.",
    fix: "Save and send documents as UTF-8 without a mark. Let the server, its framework and the proxy in front compress \
          only what the request's Accept-Encoding allows.",
    affects: &[Client::Claude, Client::Codex, Client::SdkApp],
    run: encoding,
};

fn encoding(record: &Record) -> CheckResult {
    record.require_response(Probe::Initialize)?;
    let mut found: Vec<String> = Vec::new();
    for exchange in record.exchanges.values() {
        let Ok(response) = &exchange.result else { continue };
        // Pages of bot protection are not the server's.
        if is_blocked(response) {
            continue;
        }
        let problem = match response.content_coding() {
            // A response without a body says nothing.
            Some(coding) if !response.body.is_empty() => format!("compressed with {}", quote(coding)),
            _ if response.has_byte_order_mark() => "begins with a byte order mark".to_owned(),
            _ => continue,
        };
        let problem = format!("{}: {problem}", exchange.url);
        if !found.contains(&problem) {
            found.push(problem);
        }
    }
    Ok(if found.is_empty() {
        Outcome::ok("no response is compressed or begins with a byte order mark")
    } else {
        Outcome::warning(examples(&found))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        outcome::Verdict::{Ok as Fine, Warning},
        testing::{Change, URL, expect, found, good},
    };

    #[test]
    fn a_compressed_response_is_named() {
        let compressed = |coding: Option<&'static str>| {
            move |it: &mut Record| {
                it.change(Probe::MetadataAtPath, |response| {
                    response.body = "\u{1f}\u{fffd}\u{8}".to_owned();
                    response.set("content-encoding", coding);
                });
            }
        };
        expect(&ENCODING, Warning, "oauth-protected-resource/mcp: compressed with \"gzip\"", compressed(Some("gzip")));
        expect(&ENCODING, Warning, "compressed with \"gzip\"", compressed(None));
        expect(&ENCODING, Fine, "", |it| {
            it.change(Probe::MetadataAtPath, |response| response.set("content-encoding", Some("identity")));
        });
    }

    #[test]
    fn a_byte_order_mark_is_named_once_and_hides_nothing() {
        let mark = |record: &mut Record| {
            for probe in [Probe::LegacyTools, Probe::ModernTools, Probe::LegacyInitialize] {
                record.change(probe, |response| response.body.insert(0, '\u{feff}'));
            }
        };
        let finding = found(&ENCODING, mark);
        assert_eq!(finding.observed, format!("{URL}: begins with a byte order mark"));
        let mut record = good();
        mark(&mut record);
        let problems: Vec<_> = crate::checks::run(&record).into_iter().filter(|it| it.verdict.is_problem()).collect();
        assert_eq!(problems.len(), 1, "{problems:#?}");
    }
}
