//! Command-line options: help text, parsing and validation.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use lexopt::{Arg, Parser, ValueExt};
use url::Url;

use crate::{
    explain,
    target::{Target, TargetError},
    token::{Token, TokenError},
};

/// What `--help` prints.
pub const HELP: &str = "\
Checks a remote MCP server and its identity provider from outside, as a client would.

Usage: mcp-edge-doctor [options] URL
       mcp-edge-doctor explain [options] < token   (see explain --help)

URL is the MCP endpoint, exactly as users enter it in their client, for example
https://mcp.example.com/mcp. Plain http is supported for servers on this machine.

  --token TOKEN      a user's access token for the server; tests tools/list and
                     whoami. Prefer the environment variable MCP_EDGE_DOCTOR_TOKEN,
                     which stays out of the shell history. The token is sent to URL
                     only, and never shown.
  --origin ORIGIN    the origin of a web page that must be able to call the server,
                     for example https://app.example.com
  --timeout SECONDS  timeout of each request (default: 10)
  --ca-file FILE     trust the certificate authorities in this PEM file instead of the
                     public ones, for servers inside a company network
  --json             print the report as JSON
  --help             print this help
  --version          print the version

The doctor changes nothing: it registers no client and calls no tool except whoami.

Exit status: 0 without failures (there may be warnings), 1 with failures, 2 if the
doctor could not run. Set NO_COLOR to disable colours.
";

/// Default of `--timeout`: MCP clients do not wait longer.
const TIMEOUT_SECONDS_DEFAULT: u64 = 10;
/// Maximum of `--timeout`.
const TIMEOUT_SECONDS_MAX: u64 = 300;

/// The first argument that asks for the explanation of a token.
const EXPLAIN: &str = "explain";

/// What the command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Examine a server.
    Examine(Box<Options>),
    /// Explain a token.
    Explain(Box<explain::options::Options>),
    /// Print [`HELP`].
    Help,
    /// Print the version.
    Version,
}

/// The options of an examination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The endpoint.
    pub target: Target,
    /// `--token`, or the environment variable.
    pub token: Option<Token>,
    /// `--origin`.
    pub required_origin: Option<String>,
    /// `--timeout`, for each request.
    pub timeout: Duration,
    /// `--ca-file`.
    pub ca_file: Option<PathBuf>,
    /// `--json`.
    pub json: bool,
}

/// Why a command line is invalid.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    /// An unknown option, or an option without its value.
    #[error("{0}")]
    CommandLine(#[from] lexopt::Error),
    /// There is no URL.
    #[error("give the URL of an MCP endpoint, for example https://mcp.example.com/mcp")]
    NoUrl,
    /// There are several URLs.
    #[error("only one URL can be examined at a time")]
    SeveralUrls,
    /// The URL cannot be examined.
    #[error("{0}")]
    Target(#[from] TargetError),
    /// The token cannot be sent.
    #[error("{0}")]
    Token(#[from] TokenError),
    /// `--origin` is not an origin.
    #[error("--origin: {0:?} is not an origin; enter scheme, host and port only, for example https://app.example.com")]
    Origin(String),
    /// `--timeout` is out of range.
    #[error("--timeout must be a whole number of seconds from 1 to {TIMEOUT_SECONDS_MAX}")]
    Timeout,
    /// The options of `explain` are invalid.
    #[error("explain: {0}")]
    Explain(#[from] explain::options::UsageError),
}

/// Parses the arguments (without the program's name). `token_variable` is the value of the environment variable.
///
/// # Errors
/// [`UsageError`] if the command line is invalid.
pub fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    token_variable: Option<String>,
) -> Result<Command, UsageError> {
    let mut arguments = arguments.into_iter().peekable();
    if arguments.next_if(|first| first == EXPLAIN).is_some() {
        return Ok(Command::Explain(Box::new(explain::options::parse(arguments)?)));
    }
    let mut parser = Parser::from_args(arguments);
    let (mut url, mut token, mut required_origin, mut ca_file) = (None, None, None, None);
    let (mut timeout, mut json) = (TIMEOUT_SECONDS_DEFAULT, false);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("help") | Arg::Short('h') => return Ok(Command::Help),
            Arg::Long("version") | Arg::Short('V') => return Ok(Command::Version),
            Arg::Long("json") => json = true,
            Arg::Long("token") => token = Some(parser.value()?.string()?),
            Arg::Long("origin") => required_origin = Some(origin(&parser.value()?.string()?)?),
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
    // Many systems cannot unset a variable, and set it to the empty string instead.
    let token = token.or_else(|| token_variable.filter(|text| !text.trim().is_empty()));
    Ok(Command::Examine(Box::new(Options {
        target: Target::parse(&url.ok_or(UsageError::NoUrl)?)?,
        token: token.as_deref().map(Token::new).transpose()?,
        required_origin,
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
        assert_eq!((it.target.as_str(), it.timeout.as_secs(), it.json), ("https://mcp.example.com/mcp", 10, false));
        assert_eq!((it.token, it.required_origin, it.ca_file), (None, None, None));
    }

    #[test]
    fn the_token_option_takes_precedence_over_the_environment() {
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
    fn each_invalid_command_line_has_its_own_message() {
        for (line, sentence) in [
            ("", "give the URL of an MCP endpoint"),
            ("https://a/mcp https://b/mcp", "only one URL"),
            ("mcp.example.com/mcp", "is not a URL"),
            ("https://a/mcp --token", "missing argument"),
            ("https://a/mcp --tokn x", "--tokn"),
            ("https://a/mcp --token Bearer%20x", "a bearer token cannot have"),
            ("https://a/mcp --origin https://app.example.com/", "is not an origin"),
            ("https://a/mcp --origin null", "is not an origin"),
            ("https://a/mcp --timeout 0", "from 1 to 300"),
            ("https://a/mcp --timeout soon", "from 1 to 300"),
        ] {
            let message = run(line).unwrap_err().to_string();
            assert!(message.contains(sentence), "{line:?}: {message:?}");
        }
    }

    #[test]
    fn help_and_version_need_no_url() {
        assert_eq!(run("--help").unwrap(), Command::Help);
        assert_eq!(run("-V").unwrap(), Command::Version);
    }
}
