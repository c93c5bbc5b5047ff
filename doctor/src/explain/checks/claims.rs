//! The claims that every token has: issuer, audience, times, subject, client.

use mcp_edge_providers::AudienceRule;
use serde_json::Value;

use super::form::kind_of;
use crate::{
    explain::{
        jwt::{Object, date, member, text},
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
pub(crate) static ISSUER: Check = Check { slug: "issuer", section: Section::Token, title: "iss is an accepted issuer" };

/// Finds the trusted issuer of the token, byte for byte.
pub(crate) fn issuer<'a>(claims: &Object, settings: &'a Settings) -> Checked<&'a TrustedIssuer> {
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

/// The row of [`read`].
pub(crate) static CLAIMS: Check =
    Check { slug: "claims", section: Section::Token, title: "exp, nbf, iat, sub and the client's id can be read" };

/// The claims that every token has.
#[derive(Debug, Clone)]
pub(crate) struct Claims {
    /// `aud`. `None` if it is absent.
    pub audience: Option<Vec<String>>,
    /// `exp`, in whole seconds since 1970.
    pub expiry: u64,
    /// `nbf`, likewise.
    pub not_before: Option<u64>,
    /// `iat`, likewise.
    pub issued: Option<u64>,
    /// `sub`.
    pub subject: String,
    /// The client's id, and the claim that has it.
    pub client: Client,
}

/// Reads the claims, each of its type (RFC 7519 §4.1).
pub(crate) fn read(claims: &Object, issuer: &TrustedIssuer, resource: &str) -> Checked<Claims> {
    let of_type = |name: &str, reason: &'static str| match member(claims, name) {
        None => Ok(None),
        Some(value) => date(value).map(Some).ok_or_else(|| {
            let what = if value.is_number() { "no date between 1970 and 9999" } else { kind_of(value) };
            let fix = "Report it to the provider: dates are numbers, in seconds since 1970.";
            Refusal::new(reason, format!("{name} is {what}"), fix)
        }),
    };
    let audience = audiences(claims, issuer, resource)?;
    let Some(expiry) = of_type("exp", "missing_expiry")? else {
        let fix = "Set a life time for access tokens at the provider: one that never ends is not accepted.";
        return Err(Refusal::new("missing_expiry", "exp is missing", fix));
    };
    let not_before = of_type("nbf", "malformed_token")?;
    let issued_at = of_type("iat", "bad_issue_time")?;
    let Some(subject) = text(claims, "sub") else {
        let observed = match claims.get("sub") {
            None => "sub is missing".to_owned(),
            Some(Value::String(_)) => "sub is empty".to_owned(),
            Some(other) => format!("sub is {}", kind_of(other)),
        };
        let fix = "Look at the custom claims and the token format of the provider: sub must be a string.";
        return Err(Refusal::new("missing_subject", observed, fix));
    };
    let client = client(claims, &issuer.client_id_claims)?;
    let read = Claims {
        audience,
        expiry: whole(expiry),
        not_before: not_before.map(|date| whole(date.ceil())),
        issued: issued_at.map(whole),
        subject: subject.to_owned(),
        client,
    };
    let observed = format!("sub {}", quote(subject));
    Ok((read, observed))
}

/// `aud`: a string or an array of strings. `None` if it is absent where the provider's tokens may be without.
fn audiences(claims: &Object, issuer: &TrustedIssuer, resource: &str) -> Result<Option<Vec<String>>, Refusal> {
    let wrong = |observed: String| {
        let accepted = examples(&issuer.audiences);
        let fix = format!(
            "Have the client send resource={resource} in both the authorization and the token request; see \
             docs/providers/{}.md.",
            issuer.profile.name
        );
        Refusal::new("wrong_audience", format!("{observed}, and accepted is {accepted}"), fix)
    };
    match member(claims, "aud") {
        None if issuer.profile.audience == AudienceRule::ClaimOrScopePrefix => Ok(None),
        None => Err(wrong("aud is missing".to_owned())),
        Some(Value::String(one)) => Ok(Some(vec![one.clone()])),
        Some(Value::Array(several)) if several.is_empty() => Err(wrong("aud is an empty array".to_owned())),
        Some(Value::Array(several)) => {
            let all: Option<Vec<_>> = several.iter().map(|one| one.as_str().map(str::to_owned)).collect();
            all.map(Some).ok_or_else(|| wrong("aud is an array of other things than strings".to_owned()))
        }
        Some(other) => Err(wrong(format!("aud is {}", kind_of(other)))),
    }
}

/// A client's id, and the claim that has it.
pub(crate) type Client = Option<(String, String)>;

/// Finds the client's id: in the first claim that has one.
fn client(claims: &Object, names: &[String]) -> Result<Client, Refusal> {
    for name in names {
        match member(claims, name) {
            Some(Value::String(id)) if !id.is_empty() => return Ok(Some((id.clone(), name.clone()))),
            Some(Value::String(_)) | None => {}
            // The names of RFC 9068 and OpenID Connect; another claim of this name may be anything.
            Some(other) if name == "client_id" || name == "azp" => {
                return Err(Refusal::new(
                    "malformed_token",
                    format!("{name} is {}, and must be a string", kind_of(other)),
                    "Report it to the provider, or look for a custom claim of this name.",
                ));
            }
            Some(_) => {}
        }
    }
    Ok(None)
}

/// The row of [`audience`].
pub(crate) static AUDIENCE: Check =
    Check { slug: "audience", section: Section::Token, title: "The token is for this server" };

/// Checks `aud` against the accepted audiences, or, for providers that issue tokens without, the prefix of a scope.
pub(crate) fn audience(claims: &Claims, issuer: &TrustedIssuer, settings: &Settings, scopes: &[String]) -> Checked<()> {
    let page = format!("docs/providers/{}.md", issuer.profile.name);
    let Some(audiences) = &claims.audience else {
        return by_scope_prefix(issuer, settings, scopes, &page);
    };
    if let Some(found) = audiences.iter().find(|audience| issuer.audiences.contains(audience)) {
        return Ok(((), quote(found)));
    }
    let observed = format!("aud is {}, and accepted is {}", examples(audiences), examples(&issuer.audiences));
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

fn by_scope_prefix(issuer: &TrustedIssuer, settings: &Settings, scopes: &[String], page: &str) -> Checked<()> {
    let prefix = &settings.scope_prefix;
    let problem = if !settings.is_own(issuer) {
        "and only tokens of ISSUER may be without".to_owned()
    } else if prefix.0.is_empty() {
        "and SCOPE_PREFIX is not set".to_owned()
    } else if settings.allowed_clients.is_empty() {
        "and ALLOWED_CLIENTS is not set: tokens without aud are accepted of listed clients only".to_owned()
    } else if !scopes.iter().any(|scope| prefix.strip_own(scope).is_some()) {
        format!("and no scope begins with SCOPE_PREFIX, {}, and has no other slash", quote(&prefix.0))
    } else {
        return Ok(((), format!("no aud; a scope begins with {}, which names this server", quote(&prefix.0))));
    };
    let fix = format!(
        "Best, have the provider issue tokens with aud: the client sends resource={}. Otherwise set both SCOPE_PREFIX (the \
         name of the resource server at {}, with its slash) and ALLOWED_CLIENTS: see {page}.",
        settings.resource, issuer.profile.title
    );
    Err(Refusal::new("wrong_audience", format!("aud is missing, {problem}"), fix))
}

/// Seconds for which an expired token is still accepted.
const EXPIRY_LEEWAY: u64 = 5;

/// Seconds that the provider's clock may be ahead.
const LEEWAY: u64 = 60;

/// The row of [`time`].
pub(crate) static TIME: Check =
    Check { slug: "time", section: Section::Token, title: "The token is valid at this time" };

/// Checks `exp`, `nbf` and `iat` (RFC 7519 §4.1.4 to §4.1.6).
pub(crate) fn time(claims: &Claims, now: u64) -> Checked<()> {
    let Claims { expiry, not_before, issued, .. } = *claims;
    if now >= expiry + EXPIRY_LEEWAY {
        let observed = format!("it expired {} ago, at {}", duration(now - expiry), format_time(expiry));
        let fix = format!(
            "Get a new token; clients do so by themselves. To see what the other checks say of this one, add --now {}.",
            expiry.saturating_sub(1)
        );
        return Err(Refusal::new("expired", observed, fix));
    }
    let ahead = "The provider's clock is ahead, or this machine's is behind: correct it.";
    if let Some(not_before) = not_before.filter(|time| *time > now + LEEWAY) {
        let observed = format!("it is not valid before {} (nbf)", format_time(not_before));
        return Err(Refusal::new("not_yet_valid", observed, ahead));
    }
    if let Some(issued) = issued {
        if issued > now + LEEWAY {
            let observed = format!("it was issued in the future, at {} (iat)", format_time(issued));
            return Err(Refusal::new("bad_issue_time", observed, ahead));
        }
        if issued >= expiry {
            let fix = "Report it to the provider: iat must lie before exp.";
            return Err(Refusal::new("bad_issue_time", "it expires before it was issued", fix));
        }
    }
    let rest = if expiry > now { format!("in {}", duration(expiry - now)) } else { "just now".to_owned() };
    Ok(((), format!("until {}, {rest}", format_time(expiry))))
}

/// Whole seconds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1970 and 9999")]
fn whole(date: f64) -> u64 {
    date as u64
}

/// The row of [`cutoff`].
pub(crate) static CUTOFF: Check =
    Check { slug: "cutoff", section: Section::Token, title: "The token was issued after DENIED_ISSUED_BEFORE" };

/// Checks `iat` against `DENIED_ISSUED_BEFORE`.
pub(crate) fn cutoff(issued: Option<u64>, cutoff: u64) -> Checked<()> {
    if cutoff == 0 {
        return Ok(((), "DENIED_ISSUED_BEFORE is not set".to_owned()));
    }
    let fix = "As you decided: sign in again. Remove DENIED_ISSUED_BEFORE when the last token from before has expired \
               (docs/stolen-key.md).";
    match issued {
        None => Err(Refusal::new("issued_before_cutoff", "iat is missing, and DENIED_ISSUED_BEFORE is set", fix)),
        Some(issued) if issued < cutoff => {
            let observed = format!("issued at {}, before {}", format_time(issued), format_time(cutoff));
            Err(Refusal::new("issued_before_cutoff", observed, fix))
        }
        Some(issued) => Ok(((), format!("issued at {}, after the cutoff", format_time(issued)))),
    }
}
