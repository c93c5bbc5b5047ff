//! Command-line options: help text, parsing and validation.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use lexopt::{Arg, Parser, ValueExt};
use url::Url;

use crate::{
    explain,
    gateway::authorization::{Authorization, AuthorizationError},
    target::{Target, TargetError},
    token::{Token, TokenError},
};

/// What `--help` prints, with the places of [`CommandNames`].
pub const HELP: &str = "\
Checks a remote MCP server and its identity provider from outside, as a client would.

Usage: {doctor} [options] URL
       {explain} [options] < token   (see {explain} --help)

URL is the MCP endpoint, exactly as users enter it in their client, for example
https://mcp.example.com/mcp. Plain http is supported for servers on this machine.

  --token TOKEN      a user's access token for the server; tests tools/list and
                     whoami. Prefer the environment variable MCP_EDGE_DOCTOR_TOKEN,
                     which stays out of the shell history. The token is sent to URL
                     only, and never shown.
  --upstream URL     the MCP server behind URL, if URL is a gateway: tests whether it can
                     be used without the gateway, and compares the two. Credentials for
                     it may be in MCP_EDGE_DOCTOR_UPSTREAM_AUTHORIZATION: the whole value
                     of the Authorization header, sent to the upstream only, and never
                     shown.
  --settings FILE    the gateway's wrangler.toml or wrangler.jsonc: compares TOOL_SCOPES,
                     PROMPT_SCOPES and RESOURCE_SCOPES with what the upstream has
  --env NAME         an environment of it (env.NAME.vars)
  --origin ORIGIN    the origin of a web page that must be able to call the server,
                     for example https://app.example.com
  --directories      also check what Anthropic's and OpenAI's directories and the MCP
                     registry require of a server that is to be listed
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

/// How the program is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandNames {
    /// The program, and what examines a server.
    pub doctor: &'static str,
    /// What explains a token.
    pub explain: &'static str,
}

impl CommandNames {
    /// The program of this crate.
    pub const PROGRAM: Self = Self { doctor: "mcp-edge-doctor", explain: "mcp-edge-doctor explain" };
    /// Commands of the npm package `mcp-edge`.
    pub const NPM: Self = Self { doctor: "npx mcp-edge doctor", explain: "npx mcp-edge explain" };

    /// A text with the names in their places.
    #[must_use]
    pub fn inserted(&self, text: &str) -> String {
        text.replace("{doctor}", self.doctor).replace("{explain}", self.explain)
    }
}

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
    /// `--upstream`.
    pub upstream: Option<Target>,
    /// The environment variable with credentials for the upstream.
    pub upstream_authorization: Option<Authorization>,
    /// `--settings`.
    pub settings: Option<PathBuf>,
    /// `--env`.
    pub env: Option<String>,
    /// `--origin`.
    pub required_origin: Option<String>,
    /// `--directories`.
    pub directories: bool,
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
    /// The upstream cannot be examined.
    #[error("--upstream: {0}")]
    Upstream(TargetError),
    /// The upstream is the gateway.
    #[error("--upstream must be the URL of the server behind the gateway, not of the gateway itself")]
    UpstreamIsGateway,
    /// The credentials for the upstream cannot be sent.
    #[error("{0}")]
    UpstreamAuthorization(#[from] AuthorizationError),
    /// `--settings` without `--upstream`.
    #[error("--settings needs --upstream, with which the settings are compared")]
    SettingsAlone,
    /// `--env` without `--settings`.
    #[error("--env needs --settings: it is an environment of that file")]
    EnvAlone,
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

/// The environment variables that hold secrets.
#[derive(Default)]
pub struct Variables {
    /// [`TOKEN_VARIABLE`](crate::token::TOKEN_VARIABLE).
    pub token: Option<String>,
    /// [`AUTHORIZATION_VARIABLE`](crate::gateway::authorization::AUTHORIZATION_VARIABLE).
    pub upstream_authorization: Option<String>,
}

/// Parses the arguments (without the program's name).
///
/// # Errors
/// [`UsageError`] if the command line is invalid.
pub fn parse(arguments: impl IntoIterator<Item = OsString>, variables: Variables) -> Result<Command, UsageError> {
    let mut arguments = arguments.into_iter().peekable();
    if arguments.next_if(|first| first == EXPLAIN).is_some() {
        return Ok(Command::Explain(Box::new(explain::options::parse(arguments)?)));
    }
    let mut parser = Parser::from_args(arguments);
    let (mut url, mut token, mut required_origin, mut ca_file) = (None, None, None, None);
    let (mut upstream, mut settings, mut env) = (None, None, None);
    let (mut timeout, mut json, mut directories) = (TIMEOUT_SECONDS_DEFAULT, false, false);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("help") | Arg::Short('h') => return Ok(Command::Help),
            Arg::Long("version") | Arg::Short('V') => return Ok(Command::Version),
            Arg::Long("json") => json = true,
            Arg::Long("directories") => directories = true,
            Arg::Long("token") => token = Some(parser.value()?.string()?),
            Arg::Long("upstream") => {
                upstream = Some(Target::parse(&parser.value()?.string()?).map_err(UsageError::Upstream)?);
            }
            Arg::Long("settings") => settings = Some(PathBuf::from(parser.value()?)),
            Arg::Long("env") => env = Some(parser.value()?.string()?),
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
    let target = Target::parse(&url.ok_or(UsageError::NoUrl)?)?;
    if upstream.as_ref() == Some(&target) {
        return Err(UsageError::UpstreamIsGateway);
    }
    if settings.is_some() && upstream.is_none() {
        return Err(UsageError::SettingsAlone);
    }
    if env.is_some() && settings.is_none() {
        return Err(UsageError::EnvAlone);
    }
    // Many systems cannot unset a variable, and set it to the empty string instead.
    let is_set = |text: &String| !text.trim().is_empty();
    let token = token.or_else(|| variables.token.filter(is_set));
    let authorization = variables.upstream_authorization.filter(is_set).filter(|_| upstream.is_some());
    Ok(Command::Examine(Box::new(Options {
        target,
        token: token.as_deref().map(Token::new).transpose()?,
        upstream,
        upstream_authorization: authorization.as_deref().map(Authorization::new).transpose()?,
        settings,
        env,
        required_origin,
        directories,
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
        parse(line.split_whitespace().map(OsString::from), Variables::default())
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
        assert_eq!((it.token, it.required_origin, it.ca_file, it.directories), (None, None, None, false));
        assert!(options("https://mcp.example.com/mcp --directories").directories);
    }

    #[test]
    fn the_token_option_takes_precedence_over_the_environment() {
        let parse_with = |line: &str, variable: &str| {
            let arguments = line.split_whitespace().map(OsString::from);
            let variables = Variables { token: Some(variable.to_owned()), ..Variables::default() };
            match parse(arguments, variables) {
                Ok(Command::Examine(options)) => options.token.map(|token| token.expose().to_owned()),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(parse_with("https://h/mcp", "from-environment\n").as_deref(), Some("from-environment"));
        assert_eq!(parse_with("https://h/mcp --token from-line", "from-environment").as_deref(), Some("from-line"));
        assert_eq!(parse_with("https://h/mcp", " "), None);
    }

    #[test]
    fn an_upstream_may_have_credentials_and_settings() {
        let line = "https://h/mcp --upstream https://u/mcp --settings w.toml --env staging";
        let parse_with = |line: &str, variable: &str| {
            let upstream_authorization = Some(variable.to_owned());
            let variables = Variables { upstream_authorization, ..Variables::default() };
            match parse(line.split_whitespace().map(OsString::from), variables) {
                Ok(Command::Examine(options)) => Ok(*options),
                Err(error) => Err(error.to_string()),
                other => panic!("{other:?}"),
            }
        };
        let it = parse_with(line, "Bearer s3cr3t").unwrap();
        assert!(!format!("{it:?}").contains("s3cr3t"));
        assert_eq!(it.upstream.as_ref().map(Target::as_str), Some("https://u/mcp"));
        assert_eq!((it.settings, it.env.as_deref()), (Some("w.toml".into()), Some("staging")));
        assert_eq!(it.upstream_authorization, Authorization::new("Bearer s3cr3t").ok());
        assert_eq!(parse_with(line, " ").unwrap().upstream_authorization, None);
        let error = parse_with(line, "s3cr3t").unwrap_err();
        assert!(error.contains("whole value") && !error.contains("s3cr3t"), "{error}");
        // Without an upstream they are for nobody.
        assert_eq!(parse_with("https://h/mcp", "s3cr3t").unwrap().upstream_authorization, None);
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
            ("https://a/mcp --upstream b", "--upstream: \"b\" is not a URL"),
            ("https://a/mcp --upstream https://a/mcp", "not of the gateway itself"),
            ("https://a/mcp --settings wrangler.toml", "--settings needs --upstream"),
            ("https://a/mcp --upstream https://b/mcp --env staging", "--env needs --settings"),
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
