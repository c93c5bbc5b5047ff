//! The program: parses the command line, examines the server or explains the token, and prints the report.

use std::{
    env, fs,
    io::{self, IsTerminal, Write},
    path::Path,
    process::ExitCode,
};

use mcp_edge_doctor::{
    examine::examine,
    explain,
    gateway::{
        authorization::{AUTHORIZATION_VARIABLE, Authorization},
        settings::GatewaySettings,
    },
    options::{self, Command, HELP, Options, Variables},
    outcome::Verdict,
    record::Upstream,
    render::{
        self,
        layout::{MAX_WIDTH, sanitize},
    },
    report::Report,
    token::{TOKEN_VARIABLE, Token},
    transport::{self, Transport},
};

/// The exit status if the doctor could not run.
const NOT_RUN: u8 = 2;

fn main() -> ExitCode {
    let variables = Variables {
        token: env::var(TOKEN_VARIABLE).ok(),
        upstream_authorization: env::var(AUTHORIZATION_VARIABLE).ok(),
    };
    let status = match options::parse(env::args_os().skip(1), variables) {
        Ok(Command::Help) => print(HELP).map(|()| ExitCode::SUCCESS),
        Ok(Command::Version) => {
            print(concat!("mcp-edge-doctor ", env!("CARGO_PKG_VERSION"), "\n")).map(|()| ExitCode::SUCCESS)
        }
        Ok(Command::Examine(options)) => run(*options),
        Ok(Command::Explain(options)) if options.help => print(explain::options::HELP).map(|()| ExitCode::SUCCESS),
        Ok(Command::Explain(options)) => explain_token(&options),
        Err(error) => Err(format!("{error}\nRun mcp-edge-doctor --help for the options.")),
    };
    status.unwrap_or_else(|message| {
        let _ = writeln!(io::stderr(), "mcp-edge-doctor: {}", sanitize(&message));
        ExitCode::from(NOT_RUN)
    })
}

fn explain_token(options: &explain::options::Options) -> Result<ExitCode, String> {
    let (report, status) = explain::program::run(options, now(), width())?;
    print(&report)?;
    Ok(ExitCode::from(status))
}

fn run(options: Options) -> Result<ExitCode, String> {
    let authorities = options.ca_file.as_deref().map(transport::read_certificates).transpose()?;
    let token = options.token.as_ref().map(Token::expose);
    let secrets = token.into_iter().chain(options.upstream_authorization.as_ref().map(Authorization::secret));
    let transport = Transport::new(options.timeout, authorities, &secrets.collect::<Vec<_>>());
    let now = now();
    let settings = options.settings.as_deref().map(|file| read_settings(file, options.env.as_deref())).transpose()?;
    let upstream = options.upstream.map(|it| Upstream::new(it, options.upstream_authorization, settings, now));
    let progress = ProgressLine::show(options.target.as_str());
    let record =
        examine(options.target, options.required_origin, options.token, upstream, options.directories, now, &transport);
    let report = Report::new(&record);
    drop(progress);
    print(&if options.json {
        render::json::render(&report) + "\n"
    } else {
        render::terminal::render(&report, width())
    })?;
    Ok(if report.verdict() == Verdict::Failure { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn read_settings(file: &Path, env: Option<&str>) -> Result<GatewaySettings, String> {
    let name = file.display().to_string();
    let text = fs::read_to_string(file).map_err(|error| format!("--settings {name}: {error}"))?;
    GatewaySettings::read(&name, &text, env).map_err(|error| format!("--settings: {error}"))
}

/// A line on the terminal that says that the examination is running. Dropping it erases the line.
struct ProgressLine(bool);

impl ProgressLine {
    fn show(url: &str) -> Self {
        let is_terminal = io::stderr().is_terminal();
        if is_terminal {
            let _ = write!(io::stderr(), "Examining {} …", sanitize(url));
        }
        Self(is_terminal)
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        if self.0 {
            // Returns to the start of the line and erases it.
            let _ = write!(io::stderr(), "\r\x1b[2K");
        }
    }
}

/// Writes to standard output, with colours only on a terminal. A reader that closes early (`| head`) is not an error.
fn print(text: &str) -> Result<(), String> {
    let mut out = anstream::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(format!("cannot write the report: {error}")),
        _ => Ok(()),
    }
}

/// The width of the terminal in characters; the widest report if the output is not a terminal.
fn width() -> usize {
    terminal_size::terminal_size_of(io::stdout()).map_or(MAX_WIDTH, |(width, _)| width.0.into())
}

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "this program does not run on Workers")]
fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}
