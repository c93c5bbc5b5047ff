//! The command line of `explain`: help text and parsing.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use lexopt::{Arg, Parser, ValueExt};

use super::settings::time;

/// What `explain --help` prints, with the places of [`CommandNames`](crate::options::CommandNames).
pub const HELP: &str = "\
Says what the settings of a deployment make of an access token, check by check.

Usage: {explain} [options] < token

The token is read from the environment variable TOKEN or MCP_EDGE_DOCTOR_TOKEN, or
from standard input: the access token alone, with \"Bearer\" before it, or a whole
token response. It is sent to nobody, and never shown.

Settings, each in place of those before it:
  the vars of wrangler.jsonc or wrangler.toml, --dev for .dev.vars, environment
  variables of their names, --set

  --config FILE      another file than the one in this folder, .jsonc, .json or .toml
  --env NAME         an environment of it (env.NAME.vars)
  --dev              also read .dev.vars, as wrangler dev does and deployments do not
  --set NAME=VALUE   a setting, for example --set PROVIDER=keycloak; may be repeated

  --scopes SCOPES    ask for a tool that needs these scopes, for example notes:read
  --now TIME         another time than now: seconds since 1970, or
                     2026-11-25T20:00:00Z
  --jwks FILE        the provider's key set, instead of fetching it
  --offline          fetch nothing; without --jwks the signature is not checked
  --timeout SECONDS  timeout of each request for keys (default: 10)
  --ca-file FILE     trust the certificate authorities in this PEM file
  --json             print the explanation as JSON
  --help             print this help

Exit status: 0 the token is accepted, 1 it is refused, 2 the command line, the token
or a file cannot be read, 3 undecided: the signature was not checked, or only the
provider can tell. Set NO_COLOR to disable colours.
";

/// The options of an explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
pub struct Options {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--env`.
    pub env: Option<String>,
    /// `--dev`.
    pub dev: bool,
    /// `--set`, in order.
    pub set: Vec<(String, String)>,
    /// `--scopes`.
    pub scopes: Vec<String>,
    /// `--now`, in seconds since 1970.
    pub now: Option<u64>,
    /// `--jwks`.
    pub jwks: Option<PathBuf>,
    /// `--offline`.
    pub offline: bool,
    /// `--timeout`.
    pub timeout: Duration,
    /// `--ca-file`.
    pub ca_file: Option<PathBuf>,
    /// `--json`.
    pub json: bool,
    /// `--help`.
    pub help: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            config: None,
            env: None,
            dev: false,
            set: Vec::new(),
            scopes: Vec::new(),
            now: None,
            jwks: None,
            offline: false,
            timeout: Duration::from_secs(10),
            ca_file: None,
            json: false,
            help: false,
        }
    }
}

/// Why a command line is invalid.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    /// An unknown option, or an option without its value.
    #[error("{0}")]
    CommandLine(#[from] lexopt::Error),
    /// Something that is no option. It is not shown, because it may be a token.
    #[error(
        "explain takes no argument besides its options; pass the token on standard input, where no other user of this machine and no history sees it: make explain < file, or npx mcp-edge explain < file"
    )]
    Argument,
    /// `--set` without `=`.
    #[error("--set must be NAME=VALUE")]
    Set,
    /// `--now` is no time.
    #[error("--now must be seconds since 1970, or a time in UTC such as 2026-11-25T20:00:00Z")]
    Now,
    /// `--timeout` is out of range.
    #[error("--timeout must be a whole number of seconds from 1 to 300")]
    Timeout,
}

/// Parses the arguments after `explain`.
///
/// # Errors
/// [`UsageError`] if the command line is invalid.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Options, UsageError> {
    let mut parser = Parser::from_args(arguments);
    let mut options = Options::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("help") | Arg::Short('h') => options.help = true,
            Arg::Long("config") => options.config = Some(parser.value()?.into()),
            Arg::Long("env") => options.env = Some(parser.value()?.string()?),
            Arg::Long("dev") => options.dev = true,
            Arg::Long("set") => {
                let text = parser.value()?.string()?;
                let (name, value) = text.split_once('=').ok_or(UsageError::Set)?;
                options.set.push((name.to_owned(), value.to_owned()));
            }
            Arg::Long("scopes") => {
                options.scopes.extend(parser.value()?.string()?.split_whitespace().map(str::to_owned));
            }
            Arg::Long("now") => options.now = Some(time::parse(&parser.value()?.string()?).ok_or(UsageError::Now)?),
            Arg::Long("jwks") => options.jwks = Some(parser.value()?.into()),
            Arg::Long("offline") => options.offline = true,
            Arg::Long("timeout") => {
                let seconds = parser.value()?.parse::<u64>().map_err(|_| UsageError::Timeout)?;
                let seconds = Some(seconds).filter(|it| (1..=300).contains(it)).ok_or(UsageError::Timeout)?;
                options.timeout = Duration::from_secs(seconds);
            }
            Arg::Long("ca-file") => options.ca_file = Some(parser.value()?.into()),
            Arg::Long("json") => options.json = true,
            Arg::Value(_) => return Err(UsageError::Argument),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(line: &str) -> Result<Options, UsageError> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn every_option_is_read() {
        assert_eq!(run("").unwrap(), Options::default());
        let it = run(
            "--config w.toml --env prod --dev --set A=b=c --set D= --scopes notes:read --now 7 --jwks k --offline \
                      --timeout 5 --ca-file c --json",
        )
        .unwrap();
        assert_eq!((it.config, it.env, it.dev), (Some("w.toml".into()), Some("prod".into()), true));
        assert_eq!(it.set, [("A", "b=c"), ("D", "")].map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!((it.scopes, it.now, it.jwks), (vec!["notes:read".to_owned()], Some(7), Some("k".into())));
        assert_eq!((it.offline, it.timeout.as_secs(), it.ca_file, it.json), (true, 5, Some("c".into()), true));
        assert_eq!(run("--now 2026-11-25T20:00:00Z").unwrap().now, Some(1_795_636_800));
        assert!(run("-h").unwrap().help);
    }

    #[test]
    fn each_invalid_command_line_has_its_own_message_without_the_token() {
        for (line, sentence) in [
            ("eyJhbGciOi", "on standard input"),
            ("--token eyJhbGciOi", "--token"),
            ("--set ISSUER", "NAME=VALUE"),
            ("--now soon", "seconds since 1970"),
            ("--timeout 0", "from 1 to 300"),
            ("--jwks", "missing argument"),
        ] {
            let message = run(line).unwrap_err().to_string();
            assert!(message.contains(sentence) && !message.contains("eyJ"), "{line:?}: {message:?}");
        }
    }
}
