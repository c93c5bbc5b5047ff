//! The claims that every token has: issuer, subject, audience, times.

use mcp_edge_providers::AudienceRule;
use serde_json::Value;

use super::form::kind_of;
use crate::{
    explain::{
        jwt::{Object, member, text},
        settings::{
            Settings,
            issuers::TrustedIssuer,
            time::{duration, format as format_time},
        },
        step::{Check, Checked, Refusal, Section},
    },
    quote::{examples, quote},
};

/// The row of [`issuer`].
pub static ISSUER: Check = Check { slug: "issuer", section: Section::Token, title: "iss is an accepted issuer" };

/// Finds the trusted issuer of the token, byte for byte.
pub fn issuer<'a>(claims: &Object, settings: &'a Settings) -> Checked<&'a TrustedIssuer> {
    let accepted: Vec<_> = settings.issuers.iter().flat_map(TrustedIssuer::accepted).collect();
    let fix_other = "Get the token from the provider in ISSUER, or set ISSUER (and PROVIDER) to this one.";
    let Some(iss) = claims.get("iss").and_then(Value::as_str) else {
        let observed = claims.get("iss").map_or("iss is missing".to_owned(), |iss| format!("iss is {}", kind_of(iss)));
        return Err(Refusal::new("wrong_issuer", observed, fix_other));
    };
    if let Some(found) = settings.issuers.iter().find(|issuer| issuer.accepted().iter().any(|it| it == iss)) {
        let profile = found.profile;
        let observed = format!("{}, read by the profile {} ({})", quote(iss), profile.name, profile.title);
        return Ok((found, observed));
    }
    let observed = format!("iss is {}, and accepted is {}", quote(iss), examples(&accepted));
    let similar = |one: &String| one.trim_end_matches('/').eq_ignore_ascii_case(iss.trim_end_matches('/'));
    let fix = match accepted.iter().find(|one| similar(one)) {
        Some(_) => format!(
            "Set ISSUER = {}: it is compared byte for byte, slash at the end and capitals included.",
            quote(iss)
        ),
        None if settings.issuers.iter().any(|issuer| is_of_template(iss, &issuer.issuer)) => {
            "Add the tenant to ALLOWED_TENANTS if its users may come.".to_owned()
        }
        None => fix_other.to_owned(),
    };
    Err(Refusal::new("wrong_issuer", observed, fix))
}

fn is_of_template(iss: &str, template: &str) -> bool {
    template.split_once(mcp_edge_providers::TENANT_PLACEHOLDER).is_some_and(|(before, after)| {
        iss.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)).is_some_and(|tenant| !tenant.contains('/'))
    })
}

/// The row of [`subject`].
pub static SUBJECT: Check = Check { slug: "subject", section: Section::Token, title: "sub says whom it stands for" };

/// Reads `sub`.
pub fn subject(claims: &Object) -> Checked<String> {
    match text(claims, "sub") {
        Some(subject) => Ok((subject.to_owned(), quote(subject))),
        None => {
            let observed = match claims.get("sub") {
                None => "sub is missing".to_owned(),
                Some(Value::String(_)) => "sub is empty".to_owned(),
                Some(other) => format!("sub is {}", kind_of(other)),
            };
            let fix = "Look at the custom claims and the token format of the provider: sub must be a string.";
            Err(Refusal::new("missing_subject", observed, fix))
        }
    }
}

/// The row of [`audience`].
pub static AUDIENCE: Check = Check { slug: "audience", section: Section::Token, title: "The token is for this server" };

/// Checks `aud` against the accepted audiences, or, for providers that issue tokens without, the prefix of a scope.
pub fn audience(
    claims: &Object,
    issuer: &TrustedIssuer,
    settings: &Settings,
    scopes: &[String],
    client: Option<&str>,
) -> Checked<()> {
    let page = format!("docs/providers/{}.md", issuer.profile.name);
    let audiences: Vec<String> = match member(claims, "aud") {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(_) => Vec::new(),
        None if issuer.profile.audience == AudienceRule::ClaimOrScopePrefix => {
            return by_scope_prefix(issuer, settings, scopes, client, &page);
        }
        None => Vec::new(),
    };
    if let Some(found) = audiences.iter().find(|audience| issuer.audiences.contains(audience)) {
        return Ok(((), quote(found)));
    }
    let observed = match claims.get("aud") {
        None | Some(Value::Null) => "aud is missing".to_owned(),
        Some(Value::String(_) | Value::Array(_)) => format!("aud is {}", examples(&audiences)),
        Some(other) => format!("aud is {}", kind_of(other)),
    };
    let observed = format!("{observed}, and accepted is {}", examples(&issuer.audiences));
    let is_similar =
        |one: &String| issuer.audiences.iter().any(|it| it.trim_end_matches('/') == one.trim_end_matches('/'));
    let fix = if let Some(similar) = audiences.iter().find(|one| is_similar(one)) {
        format!(
            "They differ by a slash at the end. Use one string for RESOURCE and for the API at the provider, or set AUDIENCE = {}.",
            quote(similar)
        )
    } else {
        format!(
            "Register {} as an API (resource, audience) at the provider, with exactly this string, and have the client send \
             resource=… in both the authorization and the token request: see {page}. If the provider's name for this \
             server is another one, put it into AUDIENCE.",
            quote(issuer.audiences.first().map_or("", String::as_str))
        )
    };
    Err(Refusal::new("wrong_audience", observed, fix))
}

fn by_scope_prefix(
    issuer: &TrustedIssuer,
    settings: &Settings,
    scopes: &[String],
    client: Option<&str>,
    page: &str,
) -> Checked<()> {
    let prefix = &issuer.scope_prefix;
    let problem = if prefix.is_empty() {
        "and SCOPE_PREFIX is not set".to_owned()
    } else if settings.allowed_clients.is_empty() {
        "and ALLOWED_CLIENTS is not set: tokens without aud are accepted of listed clients only".to_owned()
    } else if !scopes.iter().any(|scope| scope.starts_with(prefix)) {
        format!("and no scope begins with SCOPE_PREFIX, {}", quote(prefix))
    } else if !client.is_some_and(|client| settings.allowed_clients.contains(client)) {
        "and the client is not in ALLOWED_CLIENTS".to_owned()
    } else {
        return Ok((
            (),
            format!("no aud; a scope begins with {}, which names this server, and the client is listed", quote(prefix)),
        ));
    };
    let fix = format!(
        "Best, have the provider issue tokens with aud: the client sends resource={}. Otherwise set both SCOPE_PREFIX (the \
         name of the resource server at {}, with its slash) and ALLOWED_CLIENTS: see {page}.",
        settings.resource, issuer.profile.title
    );
    Err(Refusal::new("wrong_audience", format!("aud is missing, {problem}"), fix))
}

/// Seconds for which an expired token is still accepted.
const EXPIRY_LEEWAY: f64 = 5.0;

/// Seconds that the provider's clock may be ahead.
const LEEWAY: f64 = 60.0;

/// The end of the year 9999. A later date is one in milliseconds.
const LATEST_DATE: f64 = 253_402_300_799.0;

/// The row of [`time`].
pub static TIME: Check = Check { slug: "time", section: Section::Token, title: "The token is valid at this time" };

/// Checks `exp`, `nbf` and `iat` (RFC 7519 §4.1.4 to §4.1.6).
pub fn time(claims: &Object, now: u64) -> Checked<Option<f64>> {
    let number = |name: &str, reason: &'static str| match member(claims, name) {
        None => Ok(None),
        Some(value) => value.as_f64().filter(|date| (0.0..=LATEST_DATE).contains(date)).map(Some).ok_or_else(|| {
            let fix = "Report it to the provider: times are numbers, in seconds since 1970.";
            let what = if value.is_number() { "no date between 1970 and 9999" } else { kind_of(value) };
            Refusal::new(reason, format!("{name} is {what}"), fix)
        }),
    };
    let now_f = number_of(now);
    let (expiry, not_before, issued) =
        (number("exp", "missing_expiry")?, number("nbf", "malformed_token")?, number("iat", "bad_issue_time")?);
    let Some(expiry) = expiry else {
        let fix = "Set a life time for access tokens at the provider: one that never ends is not accepted.";
        return Err(Refusal::new("missing_expiry", "exp is missing", fix));
    };
    if now_f >= expiry + EXPIRY_LEEWAY {
        let ago = duration(seconds(now_f - expiry));
        let observed = format!("it expired {ago} ago, at {}", format_time(seconds(expiry)));
        let fix = format!(
            "Get a new token; clients do so by themselves. To see what the other checks say of this one, add --now {}.",
            seconds(expiry - 1.0)
        );
        return Err(Refusal::new("expired", observed, fix));
    }
    let ahead = "The provider's clock is ahead, or this machine's is behind: correct it.";
    if let Some(not_before) = not_before.filter(|time| *time > now_f + LEEWAY) {
        let observed = format!("it is not valid before {} (nbf)", format_time(seconds(not_before)));
        return Err(Refusal::new("not_yet_valid", observed, ahead));
    }
    if let Some(issued) = issued {
        if issued > now_f + LEEWAY {
            let observed = format!("it was issued in the future, at {} (iat)", format_time(seconds(issued)));
            return Err(Refusal::new("bad_issue_time", observed, ahead));
        }
        if issued >= expiry {
            let fix = "Report it to the provider: iat must lie before exp.";
            return Err(Refusal::new("bad_issue_time", "it expires before it was issued", fix));
        }
    }
    Ok((issued, format!("until {}, in {}", format_time(seconds(expiry)), duration(seconds(expiry - now_f)))))
}

/// Whole seconds; 0 for what lies before 1970.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a conversion of floats saturates")]
fn seconds(time: f64) -> u64 {
    time as u64
}

/// Exact up to the year 285 million.
#[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are exact")]
fn number_of(seconds: u64) -> f64 {
    seconds as f64
}

/// The row of [`cutoff`].
pub static CUTOFF: Check =
    Check { slug: "cutoff", section: Section::Token, title: "The token was issued after DENIED_ISSUED_BEFORE" };

/// Checks `iat` against `DENIED_ISSUED_BEFORE`.
pub fn cutoff(issued: Option<f64>, cutoff: u64) -> Checked<()> {
    if cutoff == 0 {
        return Ok(((), "DENIED_ISSUED_BEFORE is not set".to_owned()));
    }
    let fix = "As you decided: sign in again. Remove DENIED_ISSUED_BEFORE when the last token from before has expired \
               (docs/stolen-key.md).";
    match issued {
        None => Err(Refusal::new("issued_before_cutoff", "iat is missing, and DENIED_ISSUED_BEFORE is set", fix)),
        Some(issued) if issued < number_of(cutoff) => {
            let observed = format!("issued at {}, before {}", format_time(seconds(issued)), format_time(cutoff));
            Err(Refusal::new("issued_before_cutoff", observed, fix))
        }
        Some(issued) => Ok(((), format!("issued at {}, after the cutoff", format_time(seconds(issued))))),
    }
}
