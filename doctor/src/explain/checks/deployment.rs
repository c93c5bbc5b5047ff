//! The settings themselves, before any token: whether the deployment can start, and whether they fit the provider.

use mcp_edge_providers::{Evidence, of_domain, profiles};

use crate::explain::{
    settings::{Settings, issuers::TrustedIssuer, values::Values},
    step::{Check, Checked, Refusal, Section},
};

/// The row of [`settings`].
pub(crate) static SETTINGS: Check =
    Check { slug: "settings", section: Section::Settings, title: "The settings are valid" };

/// Reads the settings.
pub(crate) fn settings(values: &Values) -> Checked<Settings> {
    match Settings::read(values) {
        Ok(settings) => {
            let issuers: Vec<_> = settings.issuers.iter().map(|issuer| issuer.issuer.as_str()).collect();
            let mut observed = format!("tokens of {} for {}", issuers.join(" and "), settings.resource);
            if settings.opaque_token_clients.is_some() && settings.opaque_token_check == "introspection" {
                observed += "; OPAQUE_TOKEN_CLIENTS also needs INTROSPECTION_CLIENT_ID and INTROSPECTION_CLIENT_SECRET, which \
                             are secrets and not read here";
            }
            Ok((settings, observed))
        }
        Err(errors) => Err(Refusal::new(
            "misconfigured",
            errors.join("; "),
            "Correct them in wrangler.jsonc or wrangler.toml and deploy again: until then every request is answered with 500. If they are set \
             elsewhere, name the place: --config, --env, --dev, --set.",
        )),
    }
}

/// The row of [`provider`].
pub(crate) static PROVIDER: Check =
    Check { slug: "provider", section: Section::Settings, title: "PROVIDER is the provider of ISSUER" };

/// What is to say about an issuer's profile: what was observed, and what to do, if anything.
#[must_use]
pub(crate) fn provider(issuers: &[TrustedIssuer]) -> (String, Option<String>) {
    let mut observed = Vec::new();
    let mut fixes = Vec::new();
    for (index, issuer) in issuers.iter().enumerate() {
        let profile = issuer.profile;
        let setting = if index == 0 { "PROVIDER" } else { "provider" };
        let known = of_domain(&issuer.issuer).filter(|_| profile.name == profiles::GENERIC.name);
        let subject = if index == 0 { String::new() } else { format!("{}: ", issuer.issuer) };
        match known {
            Some(known) => {
                observed.push(format!(
                    "{subject}{} is on the domain of {}, and {setting} is not set",
                    issuer.issuer, known.title
                ));
                fixes.push(format!("Set {setting} = \"{}\"; see docs/providers/{}.md.", known.name, known.name));
            }
            None if profile.evidence == Evidence::Documented => {
                observed.push(format!(
                    "{subject}{} ({}): documented, not tried on a real server",
                    profile.name, profile.title
                ));
                fixes.push(format!("Compare with docs/providers/{}.md, and report what differs.", profile.name));
            }
            None => observed.push(format!("{subject}{} ({})", profile.name, profile.title)),
        }
    }
    (observed.join("; "), (!fixes.is_empty()).then(|| fixes.join(" ")))
}
