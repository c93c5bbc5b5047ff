//! The token that was lent: what it is, whether the server should take it, and what it tells of its user.

use serde_json::Value;

use super::{is_blocked, protocol, quote};
use crate::{
    challenge::Challenge,
    exchange::Answer,
    finding::{Check, Judgement, Skip},
    record::{Probe, Record, document, string, strings},
    token::Peek,
    token_kind::{Kind, Misplaced},
};

/// Where a token can come from beside `--token`.
pub const TOKEN_VARIABLE: &str = "MCP_EDGE_DOCTOR_TOKEN";

/// Members of a `whoami` that tell nothing of the user: who asks, for how long, and what they may.
const NO_USER_CLAIMS: [&str; 15] = [
    "sub",
    "iss",
    "issuer",
    "aud",
    "azp",
    "client_id",
    "client_party",
    "kind",
    "scope",
    "scopes",
    "exp",
    "expires_at",
    "iat",
    "jti",
    "email_verified",
];

pub fn token(record: &Record) -> Result<Judgement, Skip> {
    let Some(token) = &record.token else {
        return Err(Skip::new(format!("no token was given (--token, or {TOKEN_VARIABLE})")));
    };
    if !record.target.is_https() && !record.target.is_loopback() {
        return Ok(Judgement::failure("it was not sent: the URL is plain http").mend("Use https."));
    }
    let answer = answer_to_token(record)?;
    let kind = Kind::of(token);
    Ok(match refusal(answer) {
        Some(refusal) => refused(record, answer, &kind, &refusal),
        None => accepted(record, &kind),
    })
}

/// The answer that tells whether the server takes the token: an outage tells nothing, nor does an era that it does not
/// speak.
fn answer_to_token(record: &Record) -> Result<&Answer, Skip> {
    let first = record.of_server(Probe::LegacyInitialize)?;
    let tells = |answer: &&Answer| answer.is_success() || matches!(answer.status, 401 | 403);
    [Some(first), record.answer(Probe::ModernDiscover)].into_iter().flatten().find(tells).ok_or_else(|| {
        Skip::new(format!("the server answers {}, which tells nothing of the token (see legacy)", first.in_short()))
    })
}

/// How a token was refused. `None` if it was not.
fn refusal(answer: &Answer) -> Option<String> {
    if !matches!(answer.status, 401 | 403) {
        return None;
    }
    let challenge = answer.header("www-authenticate").and_then(|it| Challenge::parse(it).ok());
    let said = challenge.as_ref().and_then(|it| it.get("error_description").or_else(|| it.get("error")));
    Some(match said {
        Some(said) => format!("the server refuses it with {}: {}", answer.status, quote(said)),
        None => format!("the server refuses it with {}", answer.status),
    })
}

fn refused(record: &Record, answer: &Answer, kind: &Kind, refusal: &str) -> Judgement {
    let misfit = match kind {
        // Of what clients are given it says nothing.
        Kind::Misplaced(what) => {
            return Judgement::failure(format!("{refusal}; it is {}", what.name()))
                .mend(what.mend(record.target.typed()))
                .hits([]);
        }
        // What servers may see otherwise explains a refusal, and is nothing to blame them for.
        Kind::Jwt(peek) => trouble_with_claims(record, peek).or_else(|| trouble_with_header(record, peek)),
        Kind::Opaque | Kind::Encrypted => None,
    };
    if let Some(Misfit { seen, mend }) = misfit {
        let judgement = Judgement::failure(format!("{refusal}; {seen}"));
        return match mend {
            Some(mend) => judgement.mend(mend),
            None => judgement,
        };
    }
    if is_blocked(answer) {
        return Judgement::failure(format!("{refusal}, with a page for people: that is not the server's answer"))
            .mend(Check::BotProtection.text().mend);
    }
    if answer.status == 403 {
        return Judgement::failure(refusal).mend(
            "The token is good and may not do this. Give its user and client the permission at the provider; for \
             mcp-edge see docs/denials.md, Permission.",
        );
    }
    match kind {
        Kind::Encrypted => Judgement::failure(format!(
            "{refusal}; the token is encrypted (JWE): nobody can read it but the one for whom it was encrypted"
        ))
        .mend(
            "Have the provider issue signed tokens (JWS) for this server. Auth0 encrypts for itself what it issues if a \
             request names no API: send audience, or switch on its Resource Parameter Compatibility Profile and send \
             resource.",
        ),
        Kind::Opaque => Judgement::failure(format!(
            "{refusal}; the token is no JWT: providers issue such opaque ones if the token request names no resource, and \
             a refresh token, a code or a secret looks the same"
        ))
        .mend(format!(
            "Take access_token from the answer to the token request, and have both the authorization and the token \
             request name resource={}.",
            record.target.typed()
        )),
        _ => Judgement::failure(format!("{refusal}; its issuer, audience and end look right"))
            .mend("The server's log has the reason; for mcp-edge see docs/denials.md."),
    }
}

fn accepted(record: &Record, kind: &Kind) -> Judgement {
    match kind {
        // A server may exchange them itself.
        Kind::Misplaced(Misplaced::PersonalAccessToken | Misplaced::SubjectToken) => Judgement::ok(
            "the server accepts it, though it is no access token: it must have had it exchanged at the provider",
        ),
        Kind::Misplaced(what) => Judgement::failure(format!("the server accepts it, but it is {}", what.name()))
            .mend("Have the server take access tokens only. For mcp-edge, TOKEN_TYPES should admit at+jwt and no more."),
        // It lets a token in that says of itself that it should not.
        Kind::Jwt(peek) => match trouble_with_claims(record, peek) {
            Some(Misfit { seen, .. }) => Judgement::failure(format!("the server accepts it, but {seen}")).mend(
                "If the server lists this audience or issuer on purpose, that is how it should be. If not, it does not \
                 check them: any token of the provider gets in.",
            ),
            None if peek.is_bound => Judgement::failure(format!("the server accepts it, but {BOUND}")).mend(
                "Have the server ask for the proof, or refuse such tokens (RFC 9449 §7.2, RFC 8705 §3): as it is, whoever \
                 gets hold of one can use it.",
            ),
            None => Judgement::ok("the server accepts it"),
        },
        Kind::Encrypted => Judgement::ok("the server accepts it; it is encrypted (JWE), so that is all one can see"),
        Kind::Opaque => Judgement::warning("the server accepts it, but it is no JWT and names no audience")
            .mend("Have clients send resource in the token request, too: they get a JWT for this server then."),
    }
}

/// What does not fit, and what to do about it unless that is what the check always says.
struct Misfit {
    seen: String,
    mend: Option<String>,
}

impl Misfit {
    fn new(seen: impl Into<String>) -> Self {
        Self { seen: seen.into(), mend: None }
    }

    fn mend(self, mend: impl Into<String>) -> Self {
        Self { mend: Some(mend.into()), ..self }
    }
}

/// What is wrong with a token that is bound to a key (`DPoP` or mutual TLS).
const BOUND: &str = "it is bound to a key, and was sent without the proof that the key is there";

/// What a token claims that does not fit this server. `None` if everything does.
fn trouble_with_claims(record: &Record, peek: &Peek) -> Option<Misfit> {
    let metadata = record.metadata().unwrap_or_default();
    let typed = record.target.typed();
    let resource = string(&metadata, "resource").unwrap_or(typed);
    // If the two differ, that is another check's matter.
    if !peek.audience.iter().any(|audience| audience == resource || audience == typed) {
        let audience = peek.audience.join(" ");
        return Some(match audience.as_str() {
            "" => Misfit::new(format!("it names no audience; it should be {}", quote(resource))),
            // What Logto gives for a refresh token with `organization_id` and no `resource`.
            organization if organization.starts_with("urn:logto:organization:") => Misfit::new(format!(
                "it is a token for an organization: its audience is {} instead of {}",
                quote(organization),
                quote(resource)
            ))
            .mend(format!("Have the token request name resource={typed}, beside organization_id if that is needed.")),
            other => Misfit::new(format!("its audience is {} instead of {}", quote(other), quote(resource))),
        });
    }
    let issuers = strings(&metadata, "authorization_servers");
    let issuer = peek.issuer.as_deref().unwrap_or_default();
    if !issuers.is_empty() && !issuers.contains(&issuer) {
        let trusted = quote(&issuers.join(" "));
        return Some(
            Misfit::new(format!("its issuer is {} instead of {trusted}", quote(issuer)))
                .mend(format!("Get a token from {trusted}: that is the provider that the server's metadata names.")),
        );
    }
    trouble_with_time(record.now, peek)
}

/// Why a token is good at another time only. `None` if it is good now.
fn trouble_with_time(now: u64, peek: &Peek) -> Option<Misfit> {
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit into 52 bits for a long time")]
    let now = now as f64;
    let Some(end) = peek.expires_at else {
        return Some(
            Misfit::new("it has no exp, and counts as expired")
                .mend("Have the provider set exp: access tokens end (RFC 9068)."),
        );
    };
    if end <= now {
        return Some(
            Misfit::new(format!("it has expired {} ago", span(now - end)))
                .mend("Get a new one: sign in again, or have the client use its refresh token."),
        );
    }
    peek.not_before.filter(|beginning| *beginning > now + CLOCK_SKEW_SECONDS).map(|beginning| {
        Misfit::new(format!("it is good only in {} (nbf)", span(beginning - now)))
            .mend("Set the clocks: that of the provider, of this machine, or both.")
    })
}

/// Servers allow for clocks that differ by so much.
const CLOCK_SKEW_SECONDS: f64 = 60.0;

/// A time that people can grasp.
fn span(seconds: f64) -> String {
    let (length, unit) = match seconds {
        ..120.0 => (1.0, "seconds"),
        ..7_200.0 => (60.0, "minutes"),
        ..172_800.0 => (3_600.0, "hours"),
        _ => (86_400.0, "days"),
    };
    format!("{:.0} {unit}", (seconds / length).floor())
}

/// What is unusual about a token's header, or how it must be sent. `None` if nothing is.
fn trouble_with_header(record: &Record, peek: &Peek) -> Option<Misfit> {
    if peek.is_bound {
        return Some(Misfit::new(BOUND).mend(
            "The doctor has no such key: have a client without DPoP and mutual TLS get a token. If all clients get bound \
             ones, switch that off at the provider for this server, unless the server checks the proofs.",
        ));
    }
    let kind = peek.kind.as_deref().unwrap_or_default();
    if !kind.eq_ignore_ascii_case("at+jwt") && !kind.eq_ignore_ascii_case("application/at+jwt") {
        return Some(
            Misfit::new(format!(
                "its typ is {} instead of \"at+jwt\": the provider does not follow RFC 9068",
                quote(kind)
            ))
            .mend(
                "If this is access_token of the answer to the token request, have the server admit its typ (for mcp-edge \
                 see TOKEN_TYPES), or the provider follow RFC 9068.",
            ),
        );
    }
    let set = document(record.answer(Probe::Keys)?)?;
    let published: Vec<_> = set.get("keys")?.as_array()?.iter().filter_map(|key| key["kid"].as_str()).collect();
    let signer = peek.kid.as_deref()?;
    (!published.is_empty() && !published.contains(&signer)).then(|| {
        Misfit::new("the provider no longer publishes the key that signed it")
            .mend("Get a new one: the keys have changed.")
    })
}

/// What `whoami` tells of the user. It is judged for users only: a machine has no name.
pub fn user_claims(record: &Record) -> Result<Judgement, Skip> {
    protocol::spoken(record, Probe::LegacyInitialize)?;
    let told = [Probe::LegacyWhoami, Probe::ModernWhoami].into_iter().find_map(|probe| {
        let told = protocol::result(record.answer(probe)?)?.get("structuredContent")?.as_object()?.clone();
        told.contains_key("sub").then_some(told)
    });
    let Some(told) = told else { return Err(Skip::new("nobody was named (see whoami)")) };
    if told.get("kind").is_some_and(|kind| kind == protocol::MACHINE) {
        return Err(Skip::new("the token is a machine's; give one that a user has signed in for"));
    }
    let tells = |value: &Value| !matches!(value, Value::Null) && value != "";
    let known = told.iter().filter(|(name, value)| !NO_USER_CLAIMS.contains(&name.as_str()) && tells(value));
    let known: Vec<_> = known.map(|(name, _)| name.as_str()).collect();
    if !known.is_empty() {
        return Ok(Judgement::ok(known.join(", ")));
    }
    let nothing = "it knows nothing but sub";
    Ok(match record.token.as_ref().map(Kind::of) {
        Some(Kind::Jwt(peek)) if peek.user_claims.is_empty() => {
            Judgement::warning(format!("{nothing}: the token has no claims about its user"))
        }
        Some(Kind::Jwt(peek)) => Judgement::warning(format!(
            "{nothing}: the token has {}, and the server does not disclose it",
            peek.user_claims.join(", ")
        ))
        .mend(
            "Have a granted scope disclose these claims. For mcp-edge map them in CLAIM_SCOPES, for example \
             whoami:read=username,name,email,email_verified,picture; profile, email, phone and address disclose what OpenID \
             Connect says, if the token has them.",
        ),
        _ => Judgement::warning(nothing),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        finding::{
            Check,
            Verdict::{Failure as Bad, Ok as Fine, Skipped, Warning},
        },
        target::Target,
        testing::{self, Change, answered, expect, found, good},
    };

    fn lent(changes: Value) -> impl FnOnce(&mut Record) {
        move |record| record.token = Some(testing::token(&changes))
    }

    /// A token that is right but for its header, which is empty.
    fn without_typ(record: &mut Record) {
        let token = testing::token(&json!({}));
        let (_, rest) = token.expose().split_once('.').unwrap();
        record.token = crate::token::Token::new(&format!("e30.{rest}")).ok();
    }

    /// The server refuses the token.
    fn refused(record: &mut Record) {
        let challenge = "Bearer error=\"invalid_token\", error_description=\"The access token is not valid\"";
        let refusal = answered(401, &[("www-authenticate", challenge)], "{}");
        for probe in [Probe::LegacyInitialize, Probe::ModernDiscover] {
            record.change(probe, |answer| *answer = refusal.clone());
        }
    }

    #[test]
    fn without_a_token_nothing_is_tried_and_nothing_is_wrong() {
        let mut record = good();
        record.token = None;
        record.exchanges.retain(|probe, _| *probe < Probe::LegacyInitialize);
        for finding in super::super::judge(&record).into_iter().filter(|it| it.check >= Check::Token) {
            assert_eq!(finding.verdict, Skipped, "{finding:#?}");
            assert!(finding.seen.contains("token"), "{finding:#?}");
        }
    }

    #[test]
    fn a_refused_token_says_why_as_far_as_it_can_be_seen() {
        let why = |changes| {
            let finding = found(Check::Token, |record| {
                refused(record);
                lent(changes)(record);
            });
            assert_eq!(finding.verdict, Bad);
            assert!(finding.seen.contains("refuses it with 401: \"The access token is not valid\""), "{finding:#?}");
            finding.seen
        };
        for (changes, reason) in [
            (
                json!({ "aud": "https://mcp.example.com/mcp/" }),
                "its audience is \"https://mcp.example.com/mcp/\" instead",
            ),
            (json!({ "aud": null }), "names no audience"),
            (json!({ "iss": "https://other" }), "its issuer is \"https://other\" instead"),
            (json!({ "exp": testing::NOW }), "expired"),
            (json!({ "exp": null }), "expired"),
            (json!({}), "look right"),
        ] {
            let seen = why(changes.clone());
            assert!(seen.contains(reason), "{changes}: {seen}");
        }
        expect(Check::Token, Bad, "its typ is \"\" instead", |record| {
            refused(record);
            without_typ(record);
        });
        let mut record = good();
        refused(&mut record);
        record.edit(Probe::Keys, |it| drop(it.insert("keys".into(), json!([{ "kid": "k2" }]))));
        assert!(token(&record).is_ok_and(|it| format!("{it:?}").contains("no longer publishes")));
    }

    #[test]
    fn a_refusal_is_told_once() {
        for check in [Check::Legacy, Check::Modern, Check::Tools, Check::Whoami] {
            expect(check, Skipped, "see token", refused);
        }
    }

    #[test]
    fn a_server_that_takes_what_was_meant_for_others_is_a_failure() {
        expect(Check::Token, Bad, "accepts it, but its audience", lent(json!({ "aud": "https://other" })));
        expect(Check::Token, Bad, "accepts it, but it has expired", lent(json!({ "exp": 1 })));
        // For its typ a server is not to blame: not every provider follows RFC 9068.
        expect(Check::Token, Fine, "accepts", without_typ);
        expect(Check::Token, Warning, "no JWT", |it| it.token = crate::token::Token::new("opaque").ok());
    }

    #[test]
    fn a_shortfall_of_permission_is_no_bad_token() {
        let finding = found(Check::Token, |record| {
            record.change(Probe::LegacyInitialize, |it| {
                *it = answered(403, &[("www-authenticate", "Bearer error=\"insufficient_scope\"")], "{}");
            });
        });
        assert!(finding.seen.contains("insufficient_scope") && finding.mend.contains("permission"), "{finding:#?}");
    }

    #[test]
    fn a_token_is_not_sent_in_the_clear() {
        expect(Check::Token, Bad, "not sent", |it| it.target = Target::parse("http://mcp.example.com/mcp").unwrap());
    }

    /// A text instead of the good token.
    fn text(text: &str) -> impl FnOnce(&mut Record) {
        move |record| record.token = crate::token::Token::new(text).ok()
    }

    /// `whoami` tells this of its caller, in both eras.
    fn told(content: &Value) -> impl FnOnce(&mut Record) {
        move |record| {
            for probe in [Probe::LegacyWhoami, Probe::ModernWhoami] {
                record.edit(probe, |message| message["result"]["structuredContent"] = content.clone());
            }
        }
    }

    #[test]
    fn what_is_no_access_token_is_called_by_its_name_and_one_learns_how_to_get_one() {
        for (it, name, mend) in [
            ("pat_0123", "personal access token", "urn:logto:token-type:personal_access_token, resource=https://mcp."),
            ("sub_0123", "subject token", "urn:ietf:params:oauth:token-type:access_token, resource=https://mcp."),
            ("mcpreg_0123", "registration access token", "sign in"),
            ("mcpinit_0123", "initial access token", "sign in"),
            ("0123456789", "no JWT", "resource=https://mcp.example.com/mcp"),
            ("eyJlbmMiOiJBMjU2R0NNIn0..a.b.c", "encrypted (JWE)", "Auth0"),
        ] {
            let finding = found(Check::Token, |record| {
                refused(record);
                text(it)(record);
            });
            assert_eq!(finding.verdict, Bad);
            assert!(finding.seen.contains(name) && finding.mend.contains(mend), "{finding:#?}");
            assert!(!format!("{finding:?}").contains(it), "it is shown");
        }
    }

    #[test]
    fn a_server_that_takes_what_is_no_access_token_is_a_failure_unless_it_can_be_exchanged() {
        expect(Check::Token, Fine, "exchanged", text("pat_0123"));
        expect(Check::Token, Bad, "accepts it, but it is a registration", text("mcpreg_0123"));
        expect(Check::Token, Bad, "accepts it, but it is bound to a key", lent(json!({ "cnf": { "jkt": "x" } })));
        expect(Check::Token, Fine, "encrypted", text("eyJlbmMiOiJBMjU2R0NNIn0..a.b.c"));
    }

    #[test]
    fn a_refused_token_that_is_bound_or_not_good_yet_is_told_so() {
        for (changes, seen, mend) in [
            (json!({ "cnf": { "x5t#S256": "x" } }), "bound to a key", "DPoP"),
            (json!({ "nbf": testing::NOW + 7_200 }), "good only in 2 hours", "clocks"),
            (json!({ "exp": testing::NOW - 300 }), "expired 5 minutes ago", "sign in again"),
            (json!({ "iss": "https://other" }), "its issuer is", "Get a token from \"https://tenant.logto.app/oidc\""),
            (
                json!({ "aud": "urn:logto:organization:o1" }),
                "for an organization",
                "resource=https://mcp.example.com/mcp",
            ),
        ] {
            let finding = found(Check::Token, |record| {
                refused(record);
                lent(changes)(record);
            });
            assert!(finding.seen.contains(seen) && finding.mend.contains(mend), "{finding:#?}");
        }
    }

    #[test]
    fn an_answer_that_tells_nothing_of_the_token_is_no_judgement_of_it() {
        let both = |record: &mut Record, status| {
            for probe in [Probe::LegacyInitialize, Probe::ModernDiscover] {
                record.put(probe, status, "application/json", "{}");
            }
        };
        for status in [429, 500, 503] {
            expect(Check::Token, Skipped, "tells nothing of the token", |record| both(record, status));
        }
        // One era is enough.
        expect(Check::Token, Fine, "accepts", |record| {
            record.put(Probe::LegacyInitialize, 404, "application/json", "{}");
        });
        let blocked = found(Check::Token, |record| record.put(Probe::LegacyInitialize, 403, "text/html", "<html>"));
        assert!(blocked.verdict == Bad && blocked.mend.contains("bot protection"), "{blocked:#?}");
    }

    #[test]
    fn an_opaque_token_that_lacks_permission_is_not_taken_for_a_bad_one() {
        let finding = found(Check::Token, |record| {
            text("0123456789")(record);
            record.change(Probe::LegacyInitialize, |it| {
                *it = answered(403, &[("www-authenticate", "Bearer error=\"insufficient_scope\"")], "{}");
            });
        });
        assert!(!finding.seen.contains("JWT") && finding.mend.contains("permission"), "{finding:#?}");
    }

    #[test]
    fn a_whoami_that_knows_nothing_but_an_id_is_a_warning() {
        let only = json!({ "sub": "u1", "issuer": "https://i", "client_id": "c", "client_party": "third", "kind": "user",
                           "scopes": ["whoami:read"], "expires_at": 1, "name": null, "email": "", "email_verified": true });
        let finding = found(Check::UserClaims, told(&only));
        assert_eq!((finding.verdict, finding.hits.len()), (Warning, 0));
        for part in ["jwt-customizer/access-token", "Custom JWT", "CLAIM_SCOPES"] {
            assert!(finding.mend.contains(part), "{finding:#?}");
        }
        expect(Check::UserClaims, Warning, "knows nothing but sub: the token has no claims", told(&only));
        let undisclosed = found(Check::UserClaims, |record| {
            told(&only)(record);
            lent(json!({ "email": "ada@example.com", "name": "Ada" }))(record);
        });
        assert!(undisclosed.seen.contains("the token has name, email"), "{undisclosed:#?}");
        assert!(undisclosed.mend.contains("CLAIM_SCOPES") && !undisclosed.mend.contains("jwt-customizer"));
        assert!(!format!("{undisclosed:?}").contains("ada"), "its value");
        expect(Check::UserClaims, Warning, "nothing but sub", |record| {
            told(&only)(record);
            text("opaque")(record);
        });
    }

    #[test]
    fn what_whoami_knows_is_listed_by_name_and_machines_have_none() {
        let finding = found(Check::UserClaims, told(&json!({ "sub": "u1", "username": "ada", "email": "a@b.c" })));
        assert_eq!((finding.verdict, finding.seen.as_str()), (Fine, "email, username"));
        let machine = json!({ "sub": "app-1", "client_id": "app-1", "kind": "machine" });
        expect(Check::UserClaims, Skipped, "machine", told(&machine));
        expect(Check::Whoami, Fine, "in both eras, a machine", told(&machine));
        expect(Check::UserClaims, Skipped, "see whoami", told(&json!({})));
    }
}
