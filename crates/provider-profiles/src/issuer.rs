//! The forms that the issuers of a provider have.

/// What stands for the tenant in an issuer of all tenants (Entra).
pub const TENANT_PLACEHOLDER: &str = "{tenantid}";

/// A form of a provider's own issuers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IssuerForm {
    /// The host, by its labels; `*` stands for one label, `**` at the beginning for one or more.
    pub host: &'static str,
    /// The path, by its segments; `*` stands for one segment that is not empty, `<tenant id>` for the id of a tenant or
    /// the placeholder for all.
    pub path: &'static str,
    /// What an operator would write.
    pub example: &'static str,
}

impl IssuerForm {
    /// Whether the issuer is an https URL with a host of this form, regardless of its path.
    #[must_use]
    pub fn is_of_host(&self, issuer: &str) -> bool {
        split(issuer).is_some_and(|(host, _)| matches_host(self.host, &host.to_ascii_lowercase()))
    }

    /// Whether the issuer has this form, host and path.
    #[must_use]
    pub fn matches(&self, issuer: &str) -> bool {
        self.is_of_host(issuer) && split(issuer).is_some_and(|(_, path)| matches_parts(self.path, path, '/'))
    }
}

/// Host (with its port, if any) and path of an https URL.
fn split(issuer: &str) -> Option<(&str, &str)> {
    let rest = issuer.strip_prefix("https://")?;
    Some(rest.split_at(rest.find('/').unwrap_or(rest.len())))
}

/// Whether it is the id of a tenant: a GUID in lower case.
#[must_use]
pub fn is_tenant_id(text: &str) -> bool {
    let is_of_id = |byte: u8| byte == b'-' || byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
    text.len() == 36 && text.bytes().all(is_of_id)
}

fn matches_host(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix("**") {
        Some(suffix) => host.strip_suffix(suffix).is_some_and(|labels| !labels.is_empty()),
        None => matches_parts(pattern, host, '.'),
    }
}

fn matches_parts(pattern: &str, text: &str, separator: char) -> bool {
    let (mut wanted, mut found) = (pattern.split(separator), text.split(separator));
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return true,
            (Some("*"), Some(part)) if !part.is_empty() => {}
            (Some("<tenant id>"), Some(part)) if part == TENANT_PLACEHOLDER || is_tenant_id(part) => {}
            (Some(wanted), Some(part)) if wanted == part => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGIONAL: IssuerForm = IssuerForm { host: "idp.*.example.com", path: "/*", example: "" };
    const TENANT: IssuerForm = IssuerForm { host: "**.example.com", path: "/", example: "" };

    #[test]
    fn a_star_is_one_part_and_two_are_one_or_more() {
        assert!(REGIONAL.matches("https://idp.eu-1.example.com/pool"));
        assert!(TENANT.matches("https://a.example.com/") && TENANT.matches("https://a.eu.Example.com/"));
        for other in [
            "https://idp.example.com/pool",
            "https://idp.eu.1.example.com/pool",
            "https://idp.eu-1.example.com/",
            "https://idp.eu-1.example.com/pool/",
            "https://idp.eu-1.example.com",
            "http://idp.eu-1.example.com/pool",
            "https://idp.eu-1.example.com.evil.example/pool",
        ] {
            assert!(!REGIONAL.matches(other), "{other}");
        }
        for other in
            ["https://example.com/", "https://.example.com/", "https://badexample.com/", "https://a.example.com"]
        {
            assert!(!TENANT.matches(other), "{other}");
        }
    }

    #[test]
    fn the_host_alone_tells_whose_domain_it_is() {
        assert!(TENANT.is_of_host("https://a.example.com") && TENANT.is_of_host("https://a.example.com/x/y"));
        assert!(!TENANT.is_of_host("https://a.example.com:8443/"), "another port is another server");
    }
}
