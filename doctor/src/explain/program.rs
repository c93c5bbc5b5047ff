//! The program: reads token, settings and keys from outside, and renders the explanation.

use std::{
    env, fs,
    io::{self, IsTerminal, Read},
    path::{Path, PathBuf},
};

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
    },
    token_input::{VARIABLES, find},
};
use crate::{token::Token, transport::Transport};

/// No token is longer, nor a token response.
const MAX_INPUT_BYTES: u64 = 256 * 1024;

/// Explains a token: the report, and the exit status.
///
/// # Errors
/// A sentence, if the token, a file or the settings cannot be read.
pub fn run(options: &Options, now: u64, width: usize) -> Result<(String, u8), String> {
    let (token, token_source) = token()?;
    let (values, notes) = settings(options)?;
    let keys = key_source(options, &token)?;
    let question = Question {
        token: &token,
        values: &values,
        tool_scopes: &options.scopes,
        now: options.now.unwrap_or(now),
        keys: &*keys,
    };
    let explanation = explain(&question);
    let status = explanation.verdict().exit_status();
    let report = Report { token_source, settings: values.sources(), notes, other_time: options.now, explanation };
    let text = if options.json { json::render(&report) + "\n" } else { terminal::render(&report, width) };
    Ok((text, status))
}

fn token() -> Result<(Token, String), String> {
    // Many systems cannot unset a variable, and set it to the empty string instead.
    let variable = |name: &str| env::var(name).ok().filter(|text| !text.trim().is_empty());
    if let Some((name, text)) = VARIABLES.into_iter().find_map(|name| Some((name, variable(name)?))) {
        let token = find(&text).map_err(|error| format!("{name}: {error}"))?;
        return Ok((token, format!("the environment variable {name}")));
    }
    let missing = "no token: pass it on standard input, or in the environment variable TOKEN";
    if io::stdin().is_terminal() {
        return Err(missing.to_owned());
    }
    let mut entered = String::new();
    let read = io::stdin().take(MAX_INPUT_BYTES).read_to_string(&mut entered);
    read.map_err(|error| format!("standard input: {error}"))?;
    if entered.trim().is_empty() {
        return Err(missing.to_owned());
    }
    Ok((find(&entered).map_err(|error| format!("standard input: {error}"))?, "standard input".to_owned()))
}

/// The settings, and what the operator should know about where they are from.
fn settings(options: &Options) -> Result<(Values, Vec<String>), String> {
    let config = options.config.clone().unwrap_or_else(|| PathBuf::from("wrangler.toml"));
    let mut notes = Vec::new();
    let wrangler = match fs::read_to_string(&config) {
        Ok(text) => Some((config.display().to_string(), text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound && options.config.is_none() && options.env.is_none() => {
            notes.push("There is no wrangler.toml in this folder; --config names another.".to_owned());
            None
        }
        Err(error) => return Err(format!("{}: {error}", config.display())),
    };
    let dev_vars = dev_vars(&config, options.env.as_deref());
    if !options.dev
        && let Some((name, _)) = &dev_vars
    {
        notes.push(format!("{name} is not read, because deployments do not have it; --dev reads it."));
    }
    let sources = Sources {
        wrangler,
        env: options.env.clone(),
        dev_vars: dev_vars.filter(|_| options.dev),
        environment: NAMES.into_iter().filter_map(|name| Some((name.to_owned(), env::var(name).ok()?))).collect(),
        set: options.set.clone(),
    };
    Ok((sources.read().map_err(|error| error.to_string())?, notes))
}

/// `.dev.vars` beside `wrangler.toml`; with an environment, `.dev.vars.<name>` in its place if it is there (wrangler's
/// documentation, "Environment variables and secrets").
fn dev_vars(config: &Path, env: Option<&str>) -> Option<(String, String)> {
    let read = |name: String| {
        let path = config.with_file_name(&name);
        Some((path.display().to_string(), fs::read_to_string(path).ok()?))
    };
    env.and_then(|env| read(format!(".dev.vars.{env}"))).or_else(|| read(".dev.vars".to_owned()))
}

type KeySource = Box<dyn Fn(&TrustedIssuer) -> Keys>;

/// Where keys are from: a file, nowhere, or the issuer.
fn key_source(options: &Options, token: &Token) -> Result<KeySource, String> {
    if let Some(file) = &options.jwks {
        let name = file.display().to_string();
        let text = fs::read_to_string(file).map_err(|error| format!("--jwks {name}: {error}"))?;
        let set = KeySet::parse(&text).map_err(|problem| format!("--jwks {name}: {problem}"))?;
        if set.keys.is_empty() {
            return Err(format!("--jwks {name}: no key in it can verify a token"));
        }
        return Ok(Box::new(move |_| Keys::Found(set.clone(), name.clone())));
    }
    if options.offline {
        return Ok(Box::new(|_| Keys::Offline));
    }
    let authorities = match &options.ca_file {
        None => None,
        Some(file) => Some(crate::transport::read_certificates(file)?),
    };
    // The token is for redacting it alone: no request for keys has it.
    let transport = Transport::new(options.timeout, authorities, &[token.expose()]);
    Ok(Box::new(move |issuer| keys_of(issuer, &transport)))
}
