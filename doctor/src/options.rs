//! The command line.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use lexopt::{Arg, Parser, ValueExt};
use url::Url;

use crate::{
    target::{Target, TargetError},
    token::{Token, TokenError},
};

/// What `--help` prints.
pub const HELP: &str = "\
Checks a remote MCP server and its identity provider from outside, as a client would.

Usage: mcp-edge-doctor [options] URL

URL is the MCP endpoint exactly as people enter it in their client, for example
https://mcp.example.com/mcp. Plain http is for servers on this machine.

  --token TOKEN      an access token for the server, to try tools/list and whoami;
                     better set MCP_EDGE_DOCTOR_TOKEN, which leaves no trace in the
                     history of your shell. It is sent to URL alone, and never shown.
  --origin ORIGIN    a web page that should be able to call, for example
                     https://app.example.com
  --timeout SECONDS  for each request; 10 unless given
  --ca-file FILE     trust these certificate authorities (PEM) instead of the public
                     ones, for servers inside a company
  --json             print the report for programs
  --help             show this
  --version          show the version

Nothing is changed anywhere: no client is registered, no tool is called but whoami.

Exit status: 0 if nothing failed (there may be warnings), 1 if something failed,
2 if the doctor could not run. Colours are left out where NO_COLOR is set.
";

/// How long a request may take unless told otherwise. Clients are not more patient.
const TIMEOUT_SECONDS_DEFAULT: u64 = 10;
/// Nobody waits longer.
const TIMEOUT_SECONDS_MAX: u64 = 300;

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Examine a server.
    Examine(Box<Options>),
    /// Print [`HELP`].
    Help,
    /// Print the version.
    Version,
}

/// How to examine a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Which.
    pub target: Target,
    /// With this token.
    pub token: Option<Token>,
    /// For a page of this origin.
    pub page: Option<String>,
    /// For each request.
    pub timeout: Duration,
    /// PEM file of authorities to trust.
    pub ca_file: Option<PathBuf>,
    /// For programs.
    pub json: bool,
}

/// Why a command line cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    /// An unknown option, a missing value.
    #[error("{0}")]
    CommandLine(#[from] lexopt::Error),
    /// Nothing to examine.
    #[error("give the URL of an MCP endpoint, for example https://mcp.example.com/mcp")]
    NoUrl,
    /// More than one.
    #[error("one URL at a time, please")]
    SeveralUrls,
    /// Not the URL of an endpoint.
    #[error("{0}")]
    Target(#[from] TargetError),
    /// Not a token.
    #[error("{0}")]
    Token(#[from] TokenError),
    /// Not an origin.
    #[error("{0:?} is not an origin; give scheme and host (and port) alone, for example https://app.example.com")]
    Origin(String),
    /// Not a time.
    #[error("--timeout takes whole seconds from 1 to {TIMEOUT_SECONDS_MAX}")]
    Timeout,
}

/// Reads the arguments (without the program's name), and the token that the environment holds, if any.
///
/// # Errors
/// [`UsageError`] with a sentence for the user.
pub fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    token_of_environment: Option<String>,
) -> Result<Command, UsageError> {
    let mut parser = Parser::from_args(arguments);
    let (mut url, mut token, mut page, mut ca_file) = (None, None, None, None);
    let (mut timeout, mut json) = (TIMEOUT_SECONDS_DEFAULT, false);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("help") | Arg::Short('h') => return Ok(Command::Help),
            Arg::Long("version") | Arg::Short('V') => return Ok(Command::Version),
            Arg::Long("json") => json = true,
            Arg::Long("token") => token = Some(parser.value()?.string()?),
            Arg::Long("origin") => page = Some(origin(&parser.value()?.string()?)?),
            Arg::Long("timeout") => {
                let seconds = parser.value()?.parse::<u64>().map_err(|_| UsageError::Timeout)?;
                timeout =
                    Some(seconds).filter(|it| (1..=TIMEOUT_SECONDS_MAX).contains(it)).ok_or(UsageError::Timeout)?;
            }
            Arg::Long("ca-file") => ca_file = Some(parser.value()?.into()),
            Arg::Value(value) if url.is_none() => url = Some(value.string()?),
            Arg::Value(_) => return Err(UsageError::SeveralUrls),
            other => return Err(other.unexpected().into()),
        }
    }
    // An empty variable is how many systems spell "not set".
    let token = token.or_else(|| token_of_environment.filter(|text| !text.trim().is_empty()));
    Ok(Command::Examine(Box::new(Options {
        target: Target::parse(&url.ok_or(UsageError::NoUrl)?)?,
        token: token.as_deref().map(Token::new).transpose()?,
        page,
        timeout: Duration::from_secs(timeout),
        ca_file,
        json,
    })))
}

fn origin(text: &str) -> Result<String, UsageError> {
    match Url::parse(text) {
        Ok(url) if url.origin().ascii_serialization() == text => Ok(text.to_owned()),
        _ => Err(UsageError::Origin(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(line: &str) -> Result<Command, UsageError> {
        parse(line.split_whitespace().map(OsString::from), None)
    }

    fn options(line: &str) -> Options {
        match run(line) {
            Ok(Command::Examine(options)) => *options,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_url_is_enough() {
        let it = options("https://mcp.example.com/mcp");
        assert_eq!((it.target.typed(), it.timeout.as_secs(), it.json), ("https://mcp.example.com/mcp", 10, false));
        assert_eq!((it.token, it.page, it.ca_file), (None, None, None));
    }

    #[test]
    fn a_token_on_the_line_goes_before_that_of_the_environment() {
        let parse_with = |line: &str, variable: &str| {
            let arguments = line.split_whitespace().map(OsString::from);
            match parse(arguments, Some(variable.to_owned())) {
                Ok(Command::Examine(options)) => options.token.map(|token| token.expose().to_owned()),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(parse_with("https://h/mcp", "from-environment\n").as_deref(), Some("from-environment"));
        assert_eq!(parse_with("https://h/mcp --token from-line", "from-environment").as_deref(), Some("from-line"));
        assert_eq!(parse_with("https://h/mcp", " "), None);
    }

    #[test]
    fn mistakes_have_a_sentence_each() {
        for (line, sentence) in [
            ("", "give the URL of an MCP endpoint"),
            ("https://a/mcp https://b/mcp", "one URL at a time"),
            ("mcp.example.com/mcp", "is not a URL"),
            ("https://a/mcp --token", "missing argument"),
            ("https://a/mcp --tokn x", "--tokn"),
            ("https://a/mcp --token Bearer%20x", "no bearer token has"),
            ("https://a/mcp --origin https://app.example.com/", "is not an origin"),
            ("https://a/mcp --origin null", "is not an origin"),
            ("https://a/mcp --timeout 0", "from 1 to 300"),
            ("https://a/mcp --timeout soon", "from 1 to 300"),
        ] {
            let said = run(line).unwrap_err().to_string();
            assert!(said.contains(sentence), "{line:?} says {said:?}");
        }
    }

    #[test]
    fn help_and_version_need_no_url() {
        assert_eq!(run("--help").unwrap(), Command::Help);
        assert_eq!(run("-V").unwrap(), Command::Version);
    }
}
