//! `DISCOVERY_URL`, `JWKS_URL` and `INTROSPECTION_URL`: what counts in place of what a provider publishes.

use mcp_edge_runtime::{settings::Reader, uri::is_endpoint_url};

use crate::provider::ProviderUrls;

/// Reads the operator's URLs into those that follow from the issuer.
pub(super) fn read(reader: &mut Reader<'_>, of_issuer: ProviderUrls) -> ProviderUrls {
    let (discovery, jwks) = (url(reader, "DISCOVERY_URL"), url(reader, "JWKS_URL"));
    let introspection = url(reader, "INTROSPECTION_URL");
    let is_by_userinfo = || reader.text("OPAQUE_TOKEN_CHECK").is_some_and(|check| check == "userinfo");
    if introspection.is_some() && (reader.text("OPAQUE_TOKEN_CLIENTS").is_none() || is_by_userinfo()) {
        reader.error(
            "INTROSPECTION_URL is for opaque tokens: it needs OPAQUE_TOKEN_CLIENTS, and OPAQUE_TOKEN_CHECK = \
             \"introspection\"",
        );
    }
    ProviderUrls { discovery, jwks, introspection, ..of_issuer }
}

/// The URL of a setting, if it is one that requests may be sent to. A query is part of some providers' URLs: of
/// applications with signing keys of their own at Entra (`?appid=…`), and of policies at Azure AD B2C (`?p=…`).
fn url(reader: &mut Reader<'_>, name: &str) -> Option<String> {
    let url = reader.text(name)?;
    if is_endpoint_url(&url) {
        return Some(url);
    }
    reader.wrong_entry(
        name,
        &url,
        "must be an https URL (http for localhost, 127.0.0.1 and [::1] only) without user information, fragment, white \
         space, quotes and braces",
    );
    None
}

#[cfg(test)]
mod tests {
    use mcp_edge_runtime::settings::SettingsError;

    use super::*;

    fn read(settings: &[(&str, &str)]) -> Result<ProviderUrls, SettingsError> {
        let get = |name: &str| settings.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let mut reader = Reader::new(&get);
        let urls = super::read(&mut reader, ProviderUrls::of_issuer("https://provider.example"));
        reader.finish(urls)
    }

    fn errors(settings: &[(&str, &str)]) -> Vec<String> {
        read(settings).expect_err("an error").0
    }

    const OPAQUE: (&str, &str) = ("OPAQUE_TOKEN_CLIENTS", "agent");

    const NAMES: [&str; 3] = ["DISCOVERY_URL", "JWKS_URL", "INTROSPECTION_URL"];

    #[test]
    fn urls_are_those_of_endpoints_and_may_have_a_query() {
        assert_eq!(read(&[]), Ok(ProviderUrls::default()));
        for good in [
            "https://login.microsoftonline.com/t/v2.0/.well-known/openid-configuration?appid=6731de76-14a6-49ae-97bc-6eba6914391e",
            "https://contoso.b2clogin.com/contoso.onmicrosoft.com/discovery/v2.0/keys?p=b2c_1_sign_in",
            "http://127.0.0.1:3000/keys",
            "https://provider.example",
        ] {
            for name in NAMES {
                let ProviderUrls { discovery, jwks, introspection, .. } = read(&[(name, good), OPAQUE]).unwrap();
                let found = [discovery, jwks, introspection];
                assert_eq!(found, NAMES.map(|known| (known == name).then(|| good.to_owned())), "{name}");
            }
        }
        for bad in [
            "http://provider.example/keys",
            "provider.example/keys",
            "https://user@provider.example/keys",
            "https://provider.example/keys#fragment",
            "https://provider.example/ke ys",
            "https://login.microsoftonline.com/{tenantid}/discovery/v2.0/keys",
            "https://provider.example:0/keys",
            "ftp://provider.example/keys",
        ] {
            for name in NAMES {
                let errors = errors(&[(name, bad), OPAQUE]);
                assert_eq!(errors.len(), 1, "{errors:?}");
                assert!(errors[0].starts_with(&format!("{name}: {bad:?} must be an https URL")), "{errors:?}");
            }
        }
    }

    #[test]
    fn an_introspection_url_without_introspection_is_an_error() {
        let url = ("INTROSPECTION_URL", "https://provider.example/introspect");
        assert!(read(&[url, OPAQUE]).is_ok());
        assert!(read(&[url, OPAQUE, ("OPAQUE_TOKEN_CHECK", "introspection")]).is_ok());
        for others in [vec![url], vec![url, ("OPAQUE_TOKEN_CLIENTS", "*"), ("OPAQUE_TOKEN_CHECK", "userinfo")]] {
            let errors = errors(&others);
            assert!(errors.len() == 1 && errors[0].starts_with("INTROSPECTION_URL is for opaque tokens"), "{errors:?}");
        }
    }
}
