//! Cross-origin requests of web pages (Fetch standard, "HTTP-CORS protocol"). They do not concern other clients.

use crate::{
    check::{Check, Section},
    clients::Client,
    http::HttpResponse,
    outcome::{CheckResult, Outcome, Skip},
    probe::{ENDPOINT_REQUEST_HEADERS, METADATA_REQUEST_HEADERS, Probe},
    quote::quote,
    record::Record,
};

pub(super) const CHECKS: &[Check] = &[OWN_ORIGIN, PREFLIGHT, CORS_ENDPOINT, CORS_METADATA, CORS_PROVIDER];

const NOT_ALLOWED: &str = "the server allows listed origins only, and answers others with 403; to check one that must be \
                           allowed, pass it with --origin";

const OWN_ORIGIN: Check = Check {
    slug: "own_origin",
    section: Section::Browsers,
    title: "Pages of the server's own origin may call it",
    why: "A playground or console that is served beside the endpoint sends this Origin.",
    fix: "Allow the server's own origin. If mcp-edge rejects it, RESOURCE has a different origin than the URL.",
    affects: &[Client::WebPage],
    run: own_origin,
};

fn own_origin(record: &Record) -> CheckResult {
    let baseline = record.require_response(Probe::Initialize)?;
    let response = record.require_response(Probe::FromOwnOrigin)?;
    let origin = record.target.origin();
    Ok(if response.status == baseline.status {
        Outcome::ok(format!("{origin} is allowed"))
    } else {
        let (actual, expected) = (response.summary(), baseline.status);
        Outcome::warning(format!("with Origin: {origin} the server answers {actual} instead of {expected}"))
    })
}

/// Whether the server rejects origins that it does not list.
#[must_use]
pub fn refuses_other_origins(record: &Record) -> bool {
    let is_forbidden = |probe| record.response(probe).is_some_and(|response| response.status == 403);
    is_forbidden(Probe::FromOtherOrigin) && !is_forbidden(Probe::Initialize)
}

/// A failure if the operator requires the origin (`--origin`), otherwise a warning.
fn problem(record: &Record, observed: String) -> Outcome {
    if record.required_origin.is_some() { Outcome::failure(observed) } else { Outcome::warning(observed) }
}

const PREFLIGHT: Check = Check {
    slug: "preflight",
    section: Section::Browsers,
    title: "The endpoint answers preflights",
    why: "Before each MCP request a browser sends a preflight without a token, and does not send the request if the \
          response does not allow it.",
    fix: "Answer OPTIONS with 204 without authentication. Allow POST, GET and DELETE, and each header of MCP by name (* \
          does not include Authorization).",
    affects: &[Client::WebPage],
    run: preflight,
};

fn preflight(record: &Record) -> CheckResult {
    let response = record.require_response(Probe::Preflight)?;
    if refuses_other_origins(record) && record.required_origin.is_none() {
        return Err(Skip::new(NOT_ALLOWED));
    }
    Ok(match preflight_problem(response, record.other_origin(), ENDPOINT_REQUEST_HEADERS) {
        None => Outcome::ok(format!("{} for pages of {}", response.status, record.other_origin())),
        Some(observed) => problem(record, observed),
    })
}

const CORS_ENDPOINT: Check = Check {
    slug: "cors_endpoint",
    section: Section::Browsers,
    title: "Allowed pages can read the challenge",
    why: "Without CORS headers on the 401, a page gets a network error instead of the challenge, and cannot sign in.",
    fix: "Send Access-Control-Allow-Origin and Access-Control-Expose-Headers: WWW-Authenticate with every status. For \
          mcp-edge, add the page's origin to ALLOWED_ORIGINS.",
    affects: &[Client::WebPage],
    run: cors_endpoint,
};

fn cors_endpoint(record: &Record) -> CheckResult {
    let response = record.require_response(Probe::FromOtherOrigin)?;
    let origin = record.other_origin();
    if refuses_other_origins(record) {
        return Ok(match record.required_origin {
            None => Outcome::ok(NOT_ALLOWED),
            Some(_) => Outcome::failure(format!("{origin} is rejected (403)")),
        });
    }
    if let Some(observed) = origin_problem(response, origin) {
        return Ok(problem(record, format!("the {} {observed}", response.status)));
    }
    let exposed = list(response, "access-control-expose-headers");
    if response.status == 401 && !exposed.iter().any(|name| name == "www-authenticate" || name == "*") {
        return Ok(problem(record, "the 401 does not expose WWW-Authenticate".to_owned()));
    }
    let allowed = response.header("access-control-allow-origin").unwrap_or_default();
    if allowed != "*" && !list(response, "vary").iter().any(|name| name == "origin" || name == "*") {
        return Ok(Outcome::warning("Access-Control-Allow-Origin repeats the request's Origin, without Vary: Origin")
            .fix("Send Vary: Origin: otherwise a cache may serve the response to a page of another origin."));
    }
    Ok(Outcome::ok(format!("pages of {origin} can read the {}", response.status)))
}

const CORS_METADATA: Check = Check {
    slug: "cors_metadata",
    section: Section::Browsers,
    title: "Pages can read the metadata",
    why: "Pages need the metadata to sign in. SDKs send MCP-Protocol-Version with this request, so the browser sends a \
          preflight.",
    fix: "Send Access-Control-Allow-Origin: * with the document, and allow MCP-Protocol-Version in the response to its \
          preflight.",
    affects: &[Client::WebPage],
    run: cors_metadata,
};

fn cors_metadata(record: &Record) -> CheckResult {
    if record.resource_metadata().is_none() {
        return Err(Skip::new("the metadata could not be read (see metadata_path)"));
    }
    let response = record.require_response(Probe::MetadataFromOtherOrigin)?;
    let preflight = record.require_response(Probe::MetadataPreflight)?;
    let origin = record.other_origin();
    let observed = origin_problem(response, origin)
        .map(|observed| format!("the document {observed}"))
        .or_else(|| preflight_problem(preflight, origin, METADATA_REQUEST_HEADERS));
    Ok(match observed {
        None => Outcome::ok(format!("pages of {origin} can read the metadata")),
        Some(observed) => problem(record, observed),
    })
}

const CORS_PROVIDER: Check = Check {
    slug: "cors_provider",
    section: Section::Browsers,
    title: "Pages can send requests to the provider",
    why: "A page reads the provider's metadata and exchanges its code for a token in the browser.",
    fix: "Allow the page's origin at the provider. Some providers have a setting for it in each application.",
    affects: &[Client::WebPage],
    run: cors_provider,
};

fn cors_provider(record: &Record) -> CheckResult {
    record.require_provider_metadata()?;
    let required = |probe| record.response(probe).ok_or_else(|| Skip::new("the provider did not respond"));
    let document = required(Probe::DiscoveryFromOtherOrigin)?;
    let token = required(Probe::TokenPreflight)?;
    let origin = record.other_origin();
    let observed = origin_problem(document, origin)
        .map(|observed| format!("the provider's metadata {observed}"))
        .or_else(|| preflight_problem(token, origin, "").map(|observed| format!("token endpoint: {observed}")));
    Ok(match observed {
        None => Outcome::ok(format!("pages of {origin} can read the provider's metadata and request tokens")),
        Some(observed) => problem(record, observed),
    })
}

/// Why a page of this origin may not read the response. `None` if it may.
fn origin_problem(response: &HttpResponse, origin: &str) -> Option<String> {
    let values: Vec<_> = response.headers("access-control-allow-origin").collect();
    match values.as_slice() {
        [] => Some("has no Access-Control-Allow-Origin".to_owned()),
        ["*"] => None,
        [one] if *one == origin => None,
        [one] => Some(format!("allows only the origin {}", quote(one))),
        _ => Some("has Access-Control-Allow-Origin more than once, which browsers reject".to_owned()),
    }
}

/// Why a browser does not send the request after this response to its preflight. `None` if it does.
fn preflight_problem(response: &HttpResponse, origin: &str, request_headers: &str) -> Option<String> {
    if !response.is_success() {
        return Some(format!("OPTIONS gets {}", response.summary()));
    }
    if let Some(observed) = origin_problem(response, origin) {
        return Some(format!("the response to OPTIONS {observed}"));
    }
    let allowed = list(response, "access-control-allow-headers");
    // The wildcard does not include `Authorization` (Fetch standard).
    let is_allowed = |name: &str| allowed.iter().any(|it| it == name || (it == "*" && name != "authorization"));
    let missing: Vec<_> = request_headers.split(',').filter(|name| !name.is_empty() && !is_allowed(name)).collect();
    if missing.is_empty() { None } else { Some(format!("OPTIONS does not allow {}", missing.join(", "))) }
}

/// The members of a comma-separated header, in lower case.
fn list(response: &HttpResponse, name: &str) -> Vec<String> {
    response.headers(name).flat_map(|value| value.split(',')).map(|it| it.trim().to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        outcome::Verdict::{Failure, Ok as Fine, Skipped, Warning},
        probe::UNLISTED_ORIGIN,
        testing::{Change, expect},
    };

    const REQUIRED: &str = "https://app.example.com";

    fn set(probe: Probe, name: &'static str, value: Option<&'static str>) -> impl FnOnce(&mut Record) {
        move |record| record.change(probe, |response| response.set(name, value))
    }

    #[test]
    fn the_own_origin_gets_the_usual_response() {
        expect(&OWN_ORIGIN, Warning, "answers 403 instead of 401", |it| it.put(Probe::FromOwnOrigin, 403, "", ""));
    }

    #[test]
    fn rejecting_unlisted_origins_is_fine_unless_one_is_required() {
        let rejected = |record: &mut Record| {
            record.put(Probe::FromOtherOrigin, 403, "application/json", "{}");
            record.change(Probe::Preflight, |it| it.set("access-control-allow-origin", None));
        };
        expect(&CORS_ENDPOINT, Fine, "listed origins only", rejected);
        expect(&PREFLIGHT, Skipped, "listed origins only", rejected);
        let required = |record: &mut Record| {
            rejected(record);
            record.required_origin = Some(REQUIRED.to_owned());
        };
        expect(&CORS_ENDPOINT, Failure, "https://app.example.com is rejected", required);
        expect(&PREFLIGHT, Failure, "no Access-Control-Allow-Origin", required);
    }

    #[test]
    fn a_preflight_needs_no_token_and_allows_every_header() {
        expect(&PREFLIGHT, Warning, "OPTIONS gets 401", |it| it.change(Probe::Preflight, |it| it.status = 401));
        let headers = |value| set(Probe::Preflight, "access-control-allow-headers", Some(value));
        expect(
            &PREFLIGHT,
            Warning,
            "mcp-method, mcp-name",
            headers("authorization, content-type, mcp-protocol-version"),
        );
        expect(&PREFLIGHT, Warning, "does not allow authorization", headers("*"));
        expect(&PREFLIGHT, Fine, "", headers("*, Authorization"));
        let other = set(Probe::Preflight, "access-control-allow-origin", Some("https://other.example"));
        expect(&PREFLIGHT, Warning, "allows only the origin \"https://other.example\"", other);
    }

    #[test]
    fn a_page_must_be_able_to_read_the_challenge() {
        let set = |name, value| set(Probe::FromOtherOrigin, name, value);
        expect(&CORS_ENDPOINT, Warning, "the 401 has no", set("access-control-allow-origin", None));
        expect(&CORS_ENDPOINT, Warning, "does not expose", set("access-control-expose-headers", None));
        expect(&CORS_ENDPOINT, Failure, "does not expose", |record| {
            record.required_origin = Some(REQUIRED.to_owned());
            record.change(Probe::FromOtherOrigin, |it| it.set("access-control-expose-headers", Some("Retry-After")));
        });
        let reflected = Some(UNLISTED_ORIGIN);
        expect(&CORS_ENDPOINT, Warning, "without Vary", set("access-control-allow-origin", reflected));
        expect(&CORS_ENDPOINT, Fine, "", |record| {
            record.change(Probe::FromOtherOrigin, |it| {
                it.set("access-control-allow-origin", reflected);
                it.set("vary", Some("Accept, Origin"));
            });
        });
        expect(&CORS_ENDPOINT, Warning, "more than once", |record| {
            record.change(Probe::FromOtherOrigin, |it| {
                it.headers.push(("access-control-allow-origin".into(), "*".into()));
            });
        });
    }

    #[test]
    fn a_page_must_be_able_to_read_the_documents() {
        let origin = "access-control-allow-origin";
        expect(&CORS_METADATA, Warning, "the document has no", set(Probe::MetadataFromOtherOrigin, origin, None));
        expect(&CORS_METADATA, Warning, "does not allow mcp-protocol-version", {
            set(Probe::MetadataPreflight, "access-control-allow-headers", None)
        });
        expect(&CORS_PROVIDER, Warning, "metadata has no", set(Probe::DiscoveryFromOtherOrigin, origin, None));
        expect(&CORS_PROVIDER, Warning, "token endpoint", set(Probe::TokenPreflight, origin, None));
    }
}
