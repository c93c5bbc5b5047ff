//! `ISSUER`, `AUDIENCE` and `MORE_ISSUERS`: whose tokens are accepted, and for which audiences.

use mcp_edge_runtime::settings::{Reader, check_url};
use serde::Deserialize;

use super::{provider_location, resource::Resource};
use crate::resource_server::TrustedIssuer;

/// More issuers than any product federates with; each has its own keys to keep.
pub const MAX_ISSUERS: usize = 8;

/// `ISSUER` with `RESOURCE` and `AUDIENCE`, then those of `MORE_ISSUERS`.
pub(super) fn read(reader: &mut Reader<'_>, resource: Option<&Resource>) -> Vec<TrustedIssuer> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Further {
        issuer: String,
        audience: Vec<String>,
        discovery_url: Option<String>,
        jwks_url: Option<String>,
    }

    let mut issuers = Vec::new();
    if reader.text("ISSUER").is_none() {
        reader.error(
            "ISSUER is not set: give the issuer exactly as the provider's discovery document says it, for example \
             https://your-tenant.logto.app/oidc"
                .to_owned(),
        );
    } else if let Some(issuer) = reader.url("ISSUER") {
        let audiences = resource.map(|resource| resource.url.clone()).into_iter().chain(reader.words("AUDIENCE"));
        let (audiences, urls) = (audiences.collect(), provider_location::read(reader, &issuer));
        issuers.push(TrustedIssuer { issuer, audiences, urls });
    }
    let further = reader.text("MORE_ISSUERS").unwrap_or_else(|| "[]".to_owned());
    match serde_json::from_str::<Vec<Further>>(&further) {
        Err(error) => reader.error(format!(
            "MORE_ISSUERS must be an array of {{ issuer = \"https://…\", audience = [\"…\"] }}: {error}"
        )),
        Ok(further) => {
            for Further { issuer, audience, discovery_url, jwks_url } in further {
                if let Err(problem) = check_url(&issuer) {
                    reader.error(format!("MORE_ISSUERS: {issuer:?} {problem}"));
                } else if audience.is_empty() || audience.iter().any(String::is_empty) {
                    reader.error(format!("MORE_ISSUERS: {issuer:?} needs at least one audience, and no empty one"));
                } else if issuers.iter().any(|known| known.issuer == issuer) {
                    reader.error(format!("MORE_ISSUERS: {issuer:?} is named twice"));
                } else {
                    let urls = provider_location::read_entry(reader, &issuer, discovery_url, jwks_url);
                    issuers.push(TrustedIssuer { issuer, audiences: audience, urls });
                }
            }
        }
    }
    if issuers.len() > MAX_ISSUERS {
        reader.error(format!(
            "MORE_ISSUERS must leave at most {MAX_ISSUERS} issuers in all, and there are {}",
            issuers.len()
        ));
    }
    issuers
}
