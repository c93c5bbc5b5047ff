//! `SCOPE_PREFIX`: its form, and that the other settings name scopes without it.

use mcp_edge_identity::is_scope_token;
use mcp_edge_runtime::settings::Reader;

use crate::scope_prefix::ScopePrefix;

/// Reads `SCOPE_PREFIX`.
pub(super) fn read(reader: &mut Reader<'_>) -> ScopePrefix {
    let Some(prefix) = reader.text("SCOPE_PREFIX") else { return ScopePrefix::default() };
    let prefix = prefix.as_str();
    // Without the separator, `api://id` and `read` would be requested as `api://idread`.
    if !is_scope_token(prefix) || !prefix.ends_with('/') {
        let expected =
            " must end with a slash, such as api://<application ID>/, and be visible ASCII without \" and \\";
        reader.error(["SCOPE_PREFIX = ", prefix, expected].concat());
    }
    for setting in ["REQUIRED_SCOPES", "SCOPE_HIERARCHY", "CLAIM_SCOPES", "PAT_SCOPES"] {
        // Behind the `=` of CLAIM_SCOPES are claims, whose names may begin with anything.
        let names_it =
            |entry: &String| entry.starts_with(prefix) || setting == "SCOPE_HIERARCHY" && entry.contains(prefix);
        if reader.words(setting).iter().any(names_it) {
            reader.error([setting, " must name scopes without SCOPE_PREFIX, ", prefix].concat());
        }
    }
    ScopePrefix::new(prefix)
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
            assert!(error.starts_with("SCOPE_PREFIX = ") && error.contains("must end with a slash"), "{error}");
        }
    }

    #[test]
    fn other_settings_name_scopes_without_the_prefix() {
        let with = |setting: &str, value: &str| read(&[("SCOPE_PREFIX", "api://notes/"), (setting, value)]);
        for (setting, value) in [
            ("REQUIRED_SCOPES", "openid api://notes/read"),
            ("SCOPE_HIERARCHY", "api://notes/write=read"),
            ("SCOPE_HIERARCHY", "a=b write=list,api://notes/read"),
            ("CLAIM_SCOPES", "email=email api://notes/read=name,plan"),
        ] {
            let expected = format!("{setting} must name scopes without SCOPE_PREFIX, api://notes/");
            assert_eq!(with(setting, value), Err(SettingsError(vec![expected])));
        }
        // Names of claims may begin with anything, and scopes of other resources are named in full.
        for (setting, value) in [("CLAIM_SCOPES", "read=api://notes/plan"), ("REQUIRED_SCOPES", "api://other/read")] {
            assert!(with(setting, value).is_ok(), "{setting}");
        }
    }
}
