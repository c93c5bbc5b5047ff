//! `SCOPE_PREFIX`: its form, and that the other settings name scopes without it.

use mcp_edge_identity::is_scope_token;
use mcp_edge_runtime::settings::Reader;

use crate::scope_prefix::ScopePrefix;

/// The settings that name scopes, each with what separates names within an entry. Behind `=`, `CLAIM_SCOPES` names claims.
const NAMING_SCOPES: [(&str, &[char]); 3] =
    [("REQUIRED_SCOPES", &[]), ("SCOPE_HIERARCHY", &['=', ',']), ("CLAIM_SCOPES", &[])];

/// Reads `SCOPE_PREFIX`.
pub(super) fn read(reader: &mut Reader<'_>) -> ScopePrefix {
    let Some(text) = reader.text("SCOPE_PREFIX") else { return ScopePrefix::default() };
    // Without the separator, `api://id` and `read` would be requested as `api://idread`.
    if !is_scope_token(&text) || !text.ends_with('/') {
        reader.error(format!(
            "SCOPE_PREFIX = {text:?} must be what stands before the names of scopes at the provider, with the slash at its \
             end, such as api://00000000-0000-0000-0000-000000000000/ (visible ASCII without space, quote and backslash)"
        ));
        return ScopePrefix::default();
    }
    let prefix = ScopePrefix::new(text);
    for (setting, separators) in NAMING_SCOPES {
        for entry in reader.words(setting) {
            for name in entry.split(separators) {
                if let Some(short) = prefix.short(name) {
                    reader.error(format!(
                        "{setting}: {name:?} must be without SCOPE_PREFIX, which is added for clients: write {short:?}"
                    ));
                }
            }
        }
    }
    prefix
}

#[cfg(test)]
mod tests {
    use mcp_edge_runtime::settings::SettingsError;

    use super::*;

    fn read(settings: &[(&str, &str)]) -> Result<ScopePrefix, SettingsError> {
        let get = |name: &str| settings.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let mut reader = Reader::new(&get);
        let prefix = super::read(&mut reader);
        reader.finish(prefix)
    }

    #[test]
    fn a_scope_prefix_ends_with_a_slash() {
        let prefix = |text: &str| read(&[("SCOPE_PREFIX", text)]);
        for good in ["api://00000000-0000-0000-0000-000000000000/", "https://mcp.example.com/mcp/", "notes/"] {
            assert_eq!(prefix(good), Ok(ScopePrefix::new(good)));
        }
        assert_eq!(prefix(" "), Ok(ScopePrefix::default()));
        for bad in
            ["api://notes", "api://notes/ api://other/", "api://not\"es/", "api://not\\es/", "api://nötes/", "a/\tb/"]
        {
            let SettingsError(errors) = prefix(bad).expect_err("an error");
            let error = &errors[0];
            assert_eq!(errors.len(), 1);
            assert!(error.starts_with("SCOPE_PREFIX = ") && error.contains("with the slash at its end"), "{error}");
        }
    }

    #[test]
    fn other_settings_name_scopes_without_the_prefix() {
        let with = |setting: &str, value: &str| read(&[("SCOPE_PREFIX", "api://notes/"), (setting, value)]);
        for (setting, value, short) in [
            ("REQUIRED_SCOPES", "openid api://notes/read", "read"),
            ("SCOPE_HIERARCHY", "api://notes/write=read", "write"),
            ("SCOPE_HIERARCHY", "write=list,api://notes/read", "read"),
            ("CLAIM_SCOPES", "email=email api://notes/read=name,plan", "read=name,plan"),
        ] {
            let SettingsError(errors) = with(setting, value).expect_err("an error");
            let expected = format!("without SCOPE_PREFIX, which is added for clients: write {short:?}");
            assert!(
                errors.len() == 1 && errors[0].starts_with(setting) && errors[0].ends_with(&expected),
                "{errors:?}"
            );
        }
        // Names of claims may begin with anything, and scopes of other resources are named in full.
        for (setting, value) in [("CLAIM_SCOPES", "read=api://notes/plan"), ("REQUIRED_SCOPES", "api://other/read")] {
            assert!(with(setting, value).is_ok(), "{setting}");
        }
    }
}
