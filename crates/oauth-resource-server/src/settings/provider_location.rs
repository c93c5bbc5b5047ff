//! `DISCOVERY_URL`, `JWKS_URL` and `INTROSPECTION_URL`: what counts in place of what a provider publishes.

use mcp_edge_runtime::{settings::Reader, uri::is_endpoint_url};

use crate::provider::ProviderUrls;

/// Reads those of `ISSUER`, which is `issuer`.
pub(super) fn read(reader: &mut Reader<'_>, issuer: &str) -> ProviderUrls {
    let mut url = |name: &str| checked(reader, name, reader.text(name));
    let (discovery, jwks, introspection) = (url("DISCOVERY_URL"), url("JWKS_URL"), url("INTROSPECTION_URL"));
    let is_by_userinfo = || reader.text("OPAQUE_TOKEN_CHECK").is_some_and(|check| check == "userinfo");
    if introspection.is_some() && (reader.text("OPAQUE_TOKEN_CLIENTS").is_none() || is_by_userinfo()) {
        reader.error(
            "INTROSPECTION_URL is for opaque tokens: it needs OPAQUE_TOKEN_CLIENTS, and OPAQUE_TOKEN_CHECK = \
             \"introspection\"",
        );
    }
    ProviderUrls { discovery, jwks, introspection, ..ProviderUrls::of_issuer(issuer) }
}

/// Reads `discovery_url` and `jwks_url` of the entry of `issuer` in `MORE_ISSUERS`. Opaque tokens are those of `ISSUER`.
pub(super) fn read_entry(
    reader: &mut Reader<'_>,
    issuer: &str,
    discovery_url: Option<String>,
    jwks_url: Option<String>,
) -> ProviderUrls {
    let mut url = |url| checked(reader, "MORE_ISSUERS", url);
    let (discovery, jwks) = (url(discovery_url), url(jwks_url));
    ProviderUrls { discovery, jwks, ..ProviderUrls::of_issuer(issuer) }
}

/// The URL of a setting, if it is one that requests may be sent to. A query is part of some providers' URLs: of
/// applications with signing keys of their own at Entra (`?appid=…`), and of policies at Azure AD B2C (`?p=…`).
fn checked(reader: &mut Reader<'_>, name: &str, url: Option<String>) -> Option<String> {
    let url = url?;
    if is_endpoint_url(&url) {
        return Some(url);
    }
    reader.error(format!(
        "{name}: {url:?} must be an https URL (http for localhost, 127.0.0.1 and [::1] only) without user information, \
         fragment, white space, quotes and braces"
    ));
    None
}

#[cfg(test)]
mod tests {
    use mcp_edge_runtime::settings::SettingsError;

    use super::*;

    fn read_all(settings: &[(&str, &str)]) -> Result<ProviderUrls, SettingsError> {
        let get = |name: &str| settings.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let mut reader = Reader::new(&get);
        let urls = read(&mut reader, "https://provider.example");
        reader.finish(urls)
    }

    fn errors(settings: &[(&str, &str)]) -> Vec<String> {
        read_all(settings).expect_err("an error").0
    }

    const OPAQUE: (&str, &str) = ("OPAQUE_TOKEN_CLIENTS", "agent");

    const NAMES: [&str; 3] = ["DISCOVERY_URL", "JWKS_URL", "INTROSPECTION_URL"];

    #[test]
    fn urls_are_those_of_endpoints_and_may_have_a_query() {
        assert_eq!(read_all(&[]), Ok(ProviderUrls::default()));
        for good in [
            "https://login.microsoftonline.com/t/v2.0/.well-known/openid-configuration?appid=6731de76-14a6-49ae-97bc-6eba6914391e",
            "https://contoso.b2clogin.com/contoso.onmicrosoft.com/discovery/v2.0/keys?p=b2c_1_sign_in",
            "http://127.0.0.1:3000/keys",
            "https://provider.example",
        ] {
            for name in NAMES {
                let ProviderUrls { discovery, jwks, introspection, .. } = read_all(&[(name, good), OPAQUE]).unwrap();
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
        assert!(read_all(&[url, OPAQUE]).is_ok());
        assert!(read_all(&[url, OPAQUE, ("OPAQUE_TOKEN_CHECK", "introspection")]).is_ok());
        for others in [vec![url], vec![url, ("OPAQUE_TOKEN_CLIENTS", "*"), ("OPAQUE_TOKEN_CHECK", "userinfo")]] {
            let errors = errors(&others);
            assert!(errors.len() == 1 && errors[0].starts_with("INTROSPECTION_URL is for opaque tokens"), "{errors:?}");
        }
    }

    #[test]
    fn an_entry_has_urls_of_its_own() {
        let entry = |discovery: Option<&str>, jwks: Option<&str>| {
            let get = |_: &str| None;
            let mut reader = Reader::new(&get);
            let (discovery, jwks) = (discovery.map(str::to_owned), jwks.map(str::to_owned));
            let urls = read_entry(&mut reader, "https://partner.example", discovery, jwks);
            reader.finish(urls)
        };
        assert_eq!(entry(None, None), Ok(ProviderUrls::default()));
        let urls = entry(Some("https://partner.example/d?p=a"), Some("https://partner.example/k")).unwrap();
        assert_eq!(urls.discovery.as_deref(), Some("https://partner.example/d?p=a"));
        assert_eq!(urls.jwks.as_deref(), Some("https://partner.example/k"));
        let SettingsError(errors) = entry(Some("http://partner.example/d"), Some("x")).unwrap_err();
        assert!(errors[0].starts_with("MORE_ISSUERS: \"http://partner.example/d\" must be an https URL"), "{errors:?}");
        assert!(errors[1].starts_with("MORE_ISSUERS: \"x\" must be an https URL"), "{errors:?}");
    }
}
