//! The program: reads token, settings and keys from outside, and renders the explanation.

use std::path::{Path, PathBuf};

use super::{
    evaluate::{Question, explain},
    keys::{
        fetch::{Keys, keys_of},
        key_set::KeySet,
    },
    options::Options,
    render::{json, report::Report, terminal},
    settings::{
        issuers::TrustedIssuer,
        sources::Sources,
        values::{NAMES, Values},
        wrangler_file::FILE_NAMES,
    },
    token_input::{VARIABLES, find},
};
use crate::{
    system::{self, ReadError, System},
    token::Token,
    transport::{ConnectionOptions, certificates::Certificates, secrets::Secrets},
};

/// No token is longer, nor a token response.
const MAX_INPUT_BYTES: usize = 256 * 1024;

/// Explains a token: the report, and the exit status. Keys are fetched from issuers with certificates of these
/// `authorities`, or of the public ones.
///
/// # Errors
/// A sentence, if the token, a file or the settings cannot be read.
pub fn run(
    system: &impl System,
    options: &Options,
    authorities: Option<Certificates>,
    width: usize,
) -> Result<(String, u8), String> {
    let (token, token_source) = token(system)?;
    let (values, notes) = settings(system, options)?;
    let keys = key_source(system, options, authorities, &token)?;
    let question = Question {
        token: &token,
        values: &values,
        tool_scopes: &options.scopes,
        now: options.now.unwrap_or_else(|| system.now()),
        keys: &*keys,
    };
    let explanation = explain(&question);
    let status = explanation.verdict().exit_status();
    let report = Report { token_source, settings: values.sources(), notes, other_time: options.now, explanation };
    let text = if options.json { json::render(&report) + "\n" } else { terminal::render(&report, width) };
    Ok((text, status))
}

fn token(system: &impl System) -> Result<(Token, String), String> {
    // Many systems cannot unset a variable, and set it to the empty string instead.
    let variable = |name: &str| system.variable(name).filter(|text| !text.trim().is_empty());
    if let Some((name, text)) = VARIABLES.into_iter().find_map(|name| Some((name, variable(name)?))) {
        let token = find(&text).map_err(|error| format!("{name}: {error}"))?;
        return Ok((token, format!("the environment variable {name}")));
    }
    let named = |error: &dyn std::fmt::Display| format!("standard input: {error}");
    let entered = system.read_input(MAX_INPUT_BYTES).map_err(|error| named(&error))?;
    let entered = system::text(entered.unwrap_or_default()).map_err(|error| named(&error))?;
    if entered.trim().is_empty() {
        return Err("no token: pass it on standard input, or in the environment variable TOKEN".to_owned());
    }
    Ok((find(&entered).map_err(|error| named(&error))?, "standard input".to_owned()))
}

/// The settings, and what the operator should know about where they are from.
fn settings(system: &impl System, options: &Options) -> Result<(Values, Vec<String>), String> {
    let mut notes = Vec::new();
    let wrangler = wrangler_file(system, options, &mut notes)?;
    let config = wrangler.as_ref().map_or("", |(name, _)| name.as_str());
    let dev_vars = dev_vars(system, config, options.env.as_deref());
    if !options.dev
        && let Some((name, _)) = &dev_vars
    {
        notes.push(format!("{name} is not read, because deployments do not have it; --dev reads it."));
    }
    let variables = NAMES.into_iter().filter_map(|name| Some((name.to_owned(), system.variable(name)?)));
    let sources = Sources {
        environment: variables.collect(),
        wrangler,
        env: options.env.clone(),
        dev_vars: dev_vars.filter(|_| options.dev),
        set: options.set.clone(),
    };
    Ok((sources.read().map_err(|error| error.to_string())?, notes))
}

/// The text of wrangler's file, with its name: the one that is named, or the one in this folder.
fn wrangler_file(
    system: &impl System,
    options: &Options,
    notes: &mut Vec<String>,
) -> Result<Option<(String, String)>, String> {
    if let Some(file) = &options.config {
        let name = file.display().to_string();
        let text = system.read_text(file).map_err(|error| format!("--config {name}: {error}"))?;
        return Ok(Some((name, text)));
    }
    let mut found = Vec::new();
    for name in FILE_NAMES {
        match system.read_text(Path::new(name)) {
            Ok(text) => found.push((name.to_owned(), text)),
            Err(ReadError::NotFound) => {}
            Err(error) => return Err(format!("{name}: {error}")),
        }
    }
    match &found[..] {
        [] if options.env.is_some() => {
            return Err(
                "--env names an environment of wrangler.jsonc or wrangler.toml, and neither is in this folder; \
                        --config names another file"
                    .to_owned(),
            );
        }
        [] => notes.push(
            "There is no wrangler.jsonc and no wrangler.toml in this folder; --config names another file.".to_owned(),
        ),
        [_] => {}
        [(first, _), others @ ..] => {
            let others: Vec<_> = others.iter().map(|(name, _)| name.as_str()).collect();
            notes.push(format!(
                "{first} is read, as wrangler does; {} in this folder is not, unless --config names it.",
                others.join(" or ")
            ));
        }
    }
    Ok(found.into_iter().next())
}

/// `.dev.vars` beside wrangler's file; with an environment, `.dev.vars.<name>` in its place if it is there (wrangler's
/// documentation, "Environment variables and secrets").
fn dev_vars(system: &impl System, config: &str, env: Option<&str>) -> Option<(String, String)> {
    let folder = config.rfind(system.separators()).and_then(|at| config.get(..=at)).unwrap_or_default();
    let read = |name: String| {
        let path = format!("{folder}{name}");
        let text = system.read_text(&PathBuf::from(&path)).ok()?;
        Some((path, text))
    };
    env.and_then(|env| read(format!(".dev.vars.{env}"))).or_else(|| read(".dev.vars".to_owned()))
}

type KeySource = Box<dyn Fn(&TrustedIssuer) -> Keys>;

/// Where keys are from: a file, nowhere, or the issuer.
fn key_source(
    system: &impl System,
    options: &Options,
    authorities: Option<Certificates>,
    token: &Token,
) -> Result<KeySource, String> {
    if let Some(file) = &options.jwks {
        let name = file.display().to_string();
        let text = system.read_text(file).map_err(|error| format!("--jwks {name}: {error}"))?;
        let set = KeySet::parse(&text).map_err(|problem| format!("--jwks {name}: {problem}"))?;
        if set.keys.is_empty() {
            return Err(format!("--jwks {name}: no key in it can verify a token"));
        }
        return Ok(Box::new(move |_| Keys::Found(set.clone(), name.clone())));
    }
    if options.offline {
        return Ok(Box::new(|_| Keys::Offline));
    }
    // The token is for redacting it alone: no request for keys has it.
    let secrets = Secrets::new([token.expose()]);
    let client = system.client(&ConnectionOptions { timeout: options.timeout, authorities, secrets });
    Ok(Box::new(move |issuer| keys_of(issuer, &client)))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, ffi::OsString};

    use super::*;
    use crate::{options::CommandNames, testing::GoodServer};

    /// A machine with these files, on which folders are separated as on Windows.
    struct Files(BTreeMap<&'static str, &'static str>);

    impl System for Files {
        type Client = GoodServer;

        fn command_names(&self) -> CommandNames {
            CommandNames::NPM
        }
        fn arguments(&self) -> Vec<OsString> {
            Vec::new()
        }
        fn variable(&self, _: &str) -> Option<String> {
            None
        }
        fn separators(&self) -> &'static [char] {
            &['/', '\\']
        }
        fn read_file(&self, file: &Path) -> Result<Vec<u8>, ReadError> {
            let text = file.to_str().and_then(|name| self.0.get(name));
            text.map(|text| text.as_bytes().to_vec()).ok_or(ReadError::NotFound)
        }
        fn read_input(&self, _: usize) -> Result<Option<Vec<u8>>, ReadError> {
            Ok(Some(b"a.b.c".to_vec()))
        }
        fn now(&self) -> u64 {
            0
        }
        fn width(&self) -> Option<usize> {
            None
        }
        fn print(&self, _: &str) -> Result<(), String> {
            Ok(())
        }
        fn print_error(&self, _: &str) {}
        fn print_progress(&self, _: &str) {}
        fn client(&self, _: &ConnectionOptions) -> GoodServer {
            GoodServer
        }
    }

    fn read(
        files: &[(&'static str, &'static str)],
        options: &Options,
    ) -> Result<(Option<String>, Vec<String>), String> {
        let (values, notes) = settings(&Files(files.iter().copied().collect()), options)?;
        Ok((values.text("ISSUER"), notes))
    }

    #[test]
    fn the_file_is_the_one_that_wrangler_reads() {
        const TOML: (&str, &str) = ("wrangler.toml", "vars.ISSUER = 'toml'");
        const JSONC: (&str, &str) = ("wrangler.jsonc", r#"{ "vars": { "ISSUER": "jsonc" } }"#);
        const JSON: (&str, &str) = ("wrangler.json", r#"{ "vars": { "ISSUER": "json" } }"#);
        let options = Options::default();
        assert_eq!(read(&[TOML], &options).unwrap(), (Some("toml".into()), vec![]));
        assert_eq!(read(&[JSONC], &options).unwrap(), (Some("jsonc".into()), vec![]));
        let (issuer, notes) = read(&[TOML, JSONC, JSON], &options).unwrap();
        assert_eq!(issuer.as_deref(), Some("json"));
        let note = "wrangler.json is read, as wrangler does; wrangler.jsonc or wrangler.toml in this folder is not, unless \
                    --config names it.";
        assert_eq!(notes, [note]);
        let named = Options { config: Some("wrangler.toml".into()), ..Options::default() };
        assert_eq!(read(&[TOML, JSONC], &named).unwrap(), (Some("toml".into()), vec![]));
    }

    #[test]
    fn dev_vars_are_beside_the_file_on_every_system() {
        for (config, dev_vars) in
            [("a/w.toml", "a/.dev.vars"), (r"C:\a\w.toml", r"C:\a\.dev.vars"), ("w.toml", ".dev.vars")]
        {
            let options = Options { config: Some(config.into()), dev: true, ..Options::default() };
            let found = read(&[(config, ""), (dev_vars, "ISSUER=dev")], &options).unwrap();
            assert_eq!(found, (Some("dev".into()), vec![]), "{config}");
        }
    }
}
