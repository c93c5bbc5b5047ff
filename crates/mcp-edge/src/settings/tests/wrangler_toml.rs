//! The settings as `wrangler.toml` has them: which are set, and the defaults of the others.

use super::*;

/// The lines of `[vars]` in a `wrangler.toml`: whether a setting is set or only shown as a comment, its name and value.
fn variables(toml: &'static str) -> impl Iterator<Item = (bool, &'static str, &'static str)> {
    let (_, variables) = toml.split_once("[vars]").expect("variables");
    variables.lines().filter_map(|line| {
        let (is_set, line) = line.strip_prefix("# ").map_or((true, line), |comment| (false, comment));
        let (name, value) = line.split_once(" = \"")?;
        let is_name = name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
        is_name.then_some((is_set, name, value.strip_suffix('"')?))
    })
}

const WRANGLER_TOML: &str = include_str!("../../../../../wrangler.toml");

#[test]
fn few_variables_are_set_unless_an_operator_sets_more() {
    // 64 variables are allowed on the free plan, and operators have their own.
    let set: Vec<_> = variables(WRANGLER_TOML).filter(|(is_set, ..)| *is_set).map(|(_, name, _)| name).collect();
    assert_eq!(set, ["PROVIDER", "ISSUER", "RESOURCE", "REQUIRED_SCOPES", "CLAIM_SCOPES"]);
}

const SECRET: &str = "0123456789abcdef0123456789abcdef";

const SIGNING_KEY: &str = r#"{"kty":"EC","crv":"P-256","kid":"k","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;

#[test]
fn a_commented_setting_shows_its_default() {
    // Those of a gateway have no meaning without one, and none where it is left out.
    let gateway: &[_] = if cfg!(feature = "gateway") {
        &[("UPSTREAM", "https://upstream.example/mcp"), ("UPSTREAM_SIGNING_KEY", SIGNING_KEY), ("STATE_SECRET", SECRET)]
    } else {
        &[]
    };
    // And so those of personal access tokens.
    let personal_tokens: &[_] = if cfg!(feature = "access-keys") {
        &[
            ("PAT_PREFIX", "pat_"),
            ("PAT_SCOPES", "whoami:read"),
            ("PAT_CLIENT_ID", "client"),
            ("PAT_CLIENT_SECRET", SECRET),
        ]
    } else {
        &[]
    };
    let of_which = |name: &str| match name {
        "LIST_TOOLS" => gateway,
        "PAT_SECONDS" | "PAT_TOKEN_TYPE" => personal_tokens,
        name if name.starts_with("UPSTREAM_") => gateway,
        _ => &[],
    };
    let commented: Vec<_> = variables(WRANGLER_TOML).filter(|(is_set, ..)| !is_set).collect();
    assert!(commented.len() > 25, "{commented:?}");
    for (_, name, value) in commented {
        let others = of_which(name);
        let settings = [&[(name, value)][..], others].concat();
        let default = format!("{:?}", parse(others).unwrap());
        assert_eq!(format!("{:?}", parse(&settings).unwrap()), default, "{name} = {value:?}");
    }
}
