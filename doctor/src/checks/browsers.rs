//! What pages in a browser meet (Fetch standard, "HTTP-CORS protocol"). Programs and hosted clients are not concerned.

use super::quote;
use crate::{
    exchange::Answer,
    finding::{Judgement, Skip},
    record::{Probe, Record},
};

/// What a page asks leave for before an MCP request of either era, and before it reads metadata.
pub const ENDPOINT_HEADERS: &str = "authorization,content-type,mcp-method,mcp-name,mcp-protocol-version";
/// The same for metadata.
pub const METADATA_HEADERS: &str = "mcp-protocol-version";

const BY_CHOICE: &str = "pages of other origins are refused (403), by choice; --origin tries one that should get in";

pub fn own_origin(record: &Record) -> Result<Judgement, Skip> {
    let usual = record.of_server(Probe::Initialize)?;
    let answer = record.of_server(Probe::FromOwnOrigin)?;
    Ok(if answer.status == usual.status {
        Judgement::ok(format!("{} is not refused", record.target.origin()))
    } else {
        Judgement::warning(format!(
            "with Origin: {} it answers {} instead of {}",
            record.target.origin(),
            answer.in_short(),
            usual.status
        ))
    })
}

/// Whether the server refuses pages that are not on its list, and the operator named none that should be.
#[must_use]
pub fn refuses_other_origins(record: &Record) -> bool {
    let is_refused = |probe| record.answer(probe).is_some_and(|answer| answer.status == 403);
    is_refused(Probe::FromOtherOrigin) && !is_refused(Probe::Initialize)
}

/// Trouble of a page that the operator named is a failure; of any page, a hint.
fn trouble(record: &Record, seen: String) -> Judgement {
    if record.page.is_some() { Judgement::failure(seen) } else { Judgement::warning(seen) }
}

pub fn preflight(record: &Record) -> Result<Judgement, Skip> {
    let answer = record.of_server(Probe::Preflight)?;
    if refuses_other_origins(record) && record.page.is_none() {
        return Err(Skip::new(BY_CHOICE));
    }
    Ok(match trouble_with_preflight(answer, record.other_origin(), ENDPOINT_HEADERS) {
        None => Judgement::ok(format!("{} for {}", answer.status, record.other_origin())),
        Some(seen) => trouble(record, seen),
    })
}

pub fn cors_endpoint(record: &Record) -> Result<Judgement, Skip> {
    let answer = record.of_server(Probe::FromOtherOrigin)?;
    let origin = record.other_origin();
    if refuses_other_origins(record) {
        return Ok(match record.page {
            None => Judgement::ok(BY_CHOICE),
            Some(_) => Judgement::failure(format!("{origin} is refused (403)")),
        });
    }
    if let Some(seen) = trouble_with_origin(answer, origin) {
        return Ok(trouble(record, format!("the {} {seen}", answer.status)));
    }
    let exposed = list(answer, "access-control-expose-headers");
    if answer.status == 401 && !exposed.iter().any(|name| name == "www-authenticate" || name == "*") {
        return Ok(trouble(record, "the 401 does not expose WWW-Authenticate".to_owned()));
    }
    let allowed = answer.header("access-control-allow-origin").unwrap_or_default();
    if allowed != "*" && !list(answer, "vary").iter().any(|name| name == "origin" || name == "*") {
        return Ok(Judgement::warning("the origin is reflected without Vary: Origin")
            .mend("Send Vary: Origin, or a cache gives one page what was meant for another."));
    }
    Ok(Judgement::ok(format!("{origin} can read the {}", answer.status)))
}

pub fn cors_metadata(record: &Record) -> Result<Judgement, Skip> {
    if record.metadata().is_none() {
        return Err(Skip::new("no metadata could be read"));
    }
    let answer = record.of_server(Probe::MetadataFromOtherOrigin)?;
    let preflight = record.of_server(Probe::MetadataPreflight)?;
    let origin = record.other_origin();
    let seen = trouble_with_origin(answer, origin)
        .map(|seen| format!("the document {seen}"))
        .or_else(|| trouble_with_preflight(preflight, origin, METADATA_HEADERS));
    Ok(match seen {
        None => Judgement::ok(format!("{origin} can read it")),
        Some(seen) => trouble(record, seen),
    })
}

pub fn cors_provider(record: &Record) -> Result<Judgement, Skip> {
    record.of_provider()?;
    let answered = |probe| record.answer(probe).ok_or_else(|| Skip::new("the provider did not answer"));
    let document = answered(Probe::DiscoveryFromOtherOrigin)?;
    let token = answered(Probe::TokenPreflight)?;
    let origin = record.other_origin();
    let seen = trouble_with_origin(document, origin)
        .map(|seen| format!("its metadata {seen}"))
        .or_else(|| trouble_with_preflight(token, origin, "").map(|seen| format!("its token endpoint: {seen}")));
    Ok(match seen {
        None => Judgement::ok(format!("{origin} can read its metadata and ask for tokens")),
        Some(seen) => trouble(record, seen),
    })
}

/// Why a page of this origin may not read the answer. `None` if it may.
fn trouble_with_origin(answer: &Answer, origin: &str) -> Option<String> {
    let values: Vec<_> = answer.headers("access-control-allow-origin").collect();
    match values.as_slice() {
        [] => Some("has no Access-Control-Allow-Origin".to_owned()),
        ["*"] => None,
        [one] if *one == origin => None,
        [one] => Some(format!("allows the origin {} only", quote(one))),
        _ => Some("has Access-Control-Allow-Origin more than once, which browsers refuse".to_owned()),
    }
}

/// Why a browser would not send the request after this answer to its preflight. `None` if it would.
fn trouble_with_preflight(answer: &Answer, origin: &str, headers: &str) -> Option<String> {
    if !answer.is_success() {
        return Some(format!("OPTIONS gets {}", answer.in_short()));
    }
    if let Some(seen) = trouble_with_origin(answer, origin) {
        return Some(format!("the answer to OPTIONS {seen}"));
    }
    let allowed = list(answer, "access-control-allow-headers");
    // The star stands for everything but `Authorization`.
    let is_allowed = |name: &str| allowed.iter().any(|it| it == name || (it == "*" && name != "authorization"));
    let missing: Vec<_> = headers.split(',').filter(|name| !name.is_empty() && !is_allowed(name)).collect();
    if missing.is_empty() { None } else { Some(format!("OPTIONS does not allow {}", missing.join(", "))) }
}

/// The members of a comma-separated header, in lower case.
fn list(answer: &Answer, name: &str) -> Vec<String> {
    answer.headers(name).flat_map(|value| value.split(',')).map(|it| it.trim().to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        finding::{
            Check,
            Verdict::{Failure as Bad, Ok as Fine, Skipped, Warning},
        },
        testing::{Change, expect},
    };

    const PAGE: &str = "https://app.example.com";

    fn set(probe: Probe, name: &'static str, value: Option<&'static str>) -> impl FnOnce(&mut Record) {
        move |record| record.change(probe, |answer| answer.set(name, value))
    }

    #[test]
    fn the_own_origin_gets_the_usual_answer() {
        expect(Check::OwnOrigin, Warning, "answers 403 instead of 401", |it| it.put(Probe::FromOwnOrigin, 403, "", ""));
    }

    #[test]
    fn refusing_other_pages_is_a_choice_unless_one_was_named() {
        let refused = |record: &mut Record| {
            record.put(Probe::FromOtherOrigin, 403, "application/json", "{}");
            record.change(Probe::Preflight, |it| it.set("access-control-allow-origin", None));
        };
        expect(Check::CorsEndpoint, Fine, "by choice", refused);
        expect(Check::Preflight, Skipped, "by choice", refused);
        let named = |record: &mut Record| {
            refused(record);
            record.page = Some(PAGE.to_owned());
        };
        expect(Check::CorsEndpoint, Bad, "https://app.example.com is refused", named);
        expect(Check::Preflight, Bad, "no Access-Control-Allow-Origin", named);
    }

    #[test]
    fn a_preflight_must_be_open_and_complete() {
        expect(Check::Preflight, Warning, "OPTIONS gets 401", |it| it.change(Probe::Preflight, |it| it.status = 401));
        let headers = |value| set(Probe::Preflight, "access-control-allow-headers", Some(value));
        expect(
            Check::Preflight,
            Warning,
            "mcp-method, mcp-name",
            headers("authorization, content-type, mcp-protocol-version"),
        );
        expect(Check::Preflight, Warning, "does not allow authorization", headers("*"));
        expect(Check::Preflight, Fine, "", headers("*, Authorization"));
        let other = set(Probe::Preflight, "access-control-allow-origin", Some("https://other.example"));
        expect(Check::Preflight, Warning, "allows the origin \"https://other.example\" only", other);
    }

    #[test]
    fn a_page_must_be_able_to_read_the_challenge() {
        let set = |name, value| set(Probe::FromOtherOrigin, name, value);
        expect(Check::CorsEndpoint, Warning, "the 401 has no", set("access-control-allow-origin", None));
        expect(Check::CorsEndpoint, Warning, "does not expose", set("access-control-expose-headers", None));
        expect(Check::CorsEndpoint, Bad, "does not expose", |record| {
            record.page = Some(PAGE.to_owned());
            record.change(Probe::FromOtherOrigin, |it| it.set("access-control-expose-headers", Some("Retry-After")));
        });
        let reflected = Some(crate::record::FOREIGN_ORIGIN);
        expect(Check::CorsEndpoint, Warning, "without Vary", set("access-control-allow-origin", reflected));
        expect(Check::CorsEndpoint, Fine, "", |record| {
            record.change(Probe::FromOtherOrigin, |it| {
                it.set("access-control-allow-origin", reflected);
                it.set("vary", Some("Accept, Origin"));
            });
        });
        expect(Check::CorsEndpoint, Warning, "more than once", |record| {
            record.change(Probe::FromOtherOrigin, |it| {
                it.headers.push(("access-control-allow-origin".into(), "*".into()));
            });
        });
    }

    #[test]
    fn a_page_must_be_able_to_read_the_documents() {
        let origin = "access-control-allow-origin";
        expect(Check::CorsMetadata, Warning, "the document has no", set(Probe::MetadataFromOtherOrigin, origin, None));
        expect(Check::CorsMetadata, Warning, "does not allow mcp-protocol-version", {
            set(Probe::MetadataPreflight, "access-control-allow-headers", None)
        });
        expect(Check::CorsProvider, Warning, "its metadata has no", set(Probe::DiscoveryFromOtherOrigin, origin, None));
        expect(Check::CorsProvider, Warning, "its token endpoint", set(Probe::TokenPreflight, origin, None));
    }
}
