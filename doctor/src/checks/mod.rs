//! The judges: pure functions from what was recorded to what is to be said about it, one for each [`Check`].
//!
//! A judge looks at one thing and takes for granted what an earlier check is about: where that is missing it skips, so
//! that one cause makes one failure.

mod browsers;
mod metadata;
mod protocol;
mod provider;
mod reaching;
mod sign_in;
mod token;

use crate::{
    exchange::Answer,
    finding::{Check, Finding},
    record::Record,
};

pub use browsers::{ENDPOINT_HEADERS, METADATA_HEADERS, refuses_other_origins};
pub use provider::offer;
pub use token::TOKEN_VARIABLE;

/// Judges a record: one finding for each check, in order.
#[must_use]
pub fn judge(record: &Record) -> Vec<Finding> {
    Check::ALL.into_iter().map(|check| judge_one(check, record)).collect()
}

fn judge_one(check: Check, record: &Record) -> Finding {
    let outcome = match check {
        Check::Url => Ok(reaching::url(record)),
        Check::Reachable => reaching::reachable(record),
        Check::Redirect => reaching::redirect(record),
        Check::Endpoint => reaching::endpoint(record),
        Check::Slash => reaching::slash(record),
        Check::BotProtection => reaching::bot_protection(record),
        Check::Challenge => sign_in::challenge(record),
        Check::ChallengeMetadata => sign_in::challenge_metadata(record),
        Check::ChallengeError => sign_in::challenge_error(record),
        Check::ChallengeEverywhere => sign_in::challenge_everywhere(record),
        Check::ForgedToken => sign_in::forged_token(record),
        Check::MetadataPath => metadata::at_path(record),
        Check::MetadataRoot => metadata::at_root(record),
        Check::Resource => metadata::resource(record),
        Check::AuthorizationServers => metadata::authorization_servers(record),
        Check::Scopes => metadata::scopes(record),
        Check::Discovery => provider::discovery(record),
        Check::Issuer => provider::issuer(record),
        Check::ProviderEndpoints => provider::endpoints(record),
        Check::Pkce => provider::pkce(record),
        Check::Registration => provider::registration(record),
        Check::PublicClients => provider::public_clients(record),
        Check::RefreshTokens => provider::refresh_tokens(record),
        Check::ResponseIssuer => provider::response_issuer(record),
        Check::Keys => provider::keys(record),
        Check::Mirror => provider::mirror(record),
        Check::OwnOrigin => browsers::own_origin(record),
        Check::Preflight => browsers::preflight(record),
        Check::CorsEndpoint => browsers::cors_endpoint(record),
        Check::CorsMetadata => browsers::cors_metadata(record),
        Check::CorsProvider => browsers::cors_provider(record),
        Check::Token => token::token(record),
        Check::Legacy => protocol::legacy(record),
        Check::Modern => protocol::modern(record),
        Check::Stream => protocol::stream(record),
        Check::Tools => protocol::tools(record),
        Check::Whoami => protocol::whoami(record),
        Check::UserClaims => token::user_claims(record),
    };
    Finding::new(check, outcome)
}

/// How much of a text that the server wrote is repeated.
const QUOTED_CHARS: usize = 160;

/// A text that somebody else wrote, in quotes and cut to a length that one can read.
pub(crate) fn quote(text: &str) -> String {
    let mut chars = text.chars();
    let beginning: String = chars.by_ref().take(QUOTED_CHARS).collect();
    if chars.next().is_some() { format!("\"{beginning}…\"") } else { format!("\"{beginning}\"") }
}

/// Whether an answer looks like that of a bot protection rather than of the server.
fn is_blocked(answer: &Answer) -> bool {
    answer.header("cf-mitigated").is_some() || (matches!(answer.status, 403 | 406 | 429 | 503) && answer.is_page())
}

/// What is wrong with an answer that should have been a JSON document. `None` if nothing is.
fn trouble_with_document(answer: &Answer) -> Option<String> {
    if let Some(place) = answer.redirect() {
        return Some(format!("it redirects to {}", quote(place)));
    }
    if answer.status != 200 {
        return Some(format!("it answers {}", answer.in_short()));
    }
    if let Some(cut) = &answer.cut {
        return Some(match cut {
            crate::exchange::Cut::TooLong => "it is longer than a megabyte".to_owned(),
            crate::exchange::Cut::Broken(why) => format!("it breaks off ({why})"),
        });
    }
    if crate::record::document(answer).is_some() {
        return None;
    }
    if let Some(coding) = answer.header("content-encoding") {
        return Some(format!("it is compressed ({}), which was not asked for", quote(coding)));
    }
    Some(if answer.is_page() {
        "it is a page for people, not JSON".to_owned()
    } else {
        "it is not a JSON object".into()
    })
}
