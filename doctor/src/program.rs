//! The program: parses the command line, examines the server or explains the token, and prints the report.

use std::path::Path;

use crate::{
    examine::examine,
    explain,
    gateway::{
        authorization::{AUTHORIZATION_VARIABLE, Authorization},
        settings::GatewaySettings,
    },
    options::{self, Command, Options, Variables},
    outcome::Verdict,
    record::Upstream,
    render::{
        self,
        layout::{MAX_WIDTH, sanitize},
    },
    report::Report,
    system::System,
    token::{TOKEN_VARIABLE, Token},
    transport::{
        ConnectionOptions,
        certificates::{Certificates, certificates},
        secrets::Secrets,
    },
};

/// The exit status with failures.
const FAILED: u8 = 1;

/// The exit status if the doctor could not run.
const NOT_RUN: u8 = 2;

/// Does what the command line asks for, and returns the exit status.
#[must_use]
pub fn run(system: &impl System) -> u8 {
    let names = system.command_names();
    let variables = Variables {
        token: system.variable(TOKEN_VARIABLE),
        upstream_authorization: system.variable(AUTHORIZATION_VARIABLE),
    };
    let status = match options::parse(system.arguments(), variables) {
        Ok(Command::Help) => print(system, &names.inserted(options::HELP)).map(|()| 0),
        Ok(Command::Version) => print(system, concat!("mcp-edge-doctor ", env!("CARGO_PKG_VERSION"), "\n")).map(|()| 0),
        Ok(Command::Examine(options)) => examine_server(system, *options),
        Ok(Command::Explain(options)) if options.help => {
            print(system, &names.inserted(explain::options::HELP)).map(|()| 0)
        }
        Ok(Command::Explain(options)) => explain_token(system, &options),
        Err(error) => Err(format!("{error}\nRun {} --help for the options.", names.doctor)),
    };
    status.unwrap_or_else(|message| {
        system.print_error(&format!("mcp-edge-doctor: {}\n", sanitize(&message)));
        NOT_RUN
    })
}

fn explain_token(system: &impl System, options: &explain::options::Options) -> Result<u8, String> {
    let authorities = authorities(system, options.ca_file.as_deref())?;
    let (report, status) = explain::program::run(system, options, authorities, width(system))?;
    print(system, &report)?;
    Ok(status)
}

fn examine_server(system: &impl System, options: Options) -> Result<u8, String> {
    let authorities = authorities(system, options.ca_file.as_deref())?;
    let token = options.token.as_ref().map(Token::expose);
    let secrets = token.into_iter().chain(options.upstream_authorization.as_ref().map(Authorization::secret));
    let connections = ConnectionOptions { timeout: options.timeout, authorities, secrets: Secrets::new(secrets) };
    let client = system.client(&connections);
    let now = system.now();
    let settings =
        options.settings.as_deref().map(|file| read_settings(system, file, options.env.as_deref())).transpose()?;
    let upstream = options.upstream.map(|it| Upstream::new(it, options.upstream_authorization, settings, now));
    let progress = ProgressLine::show(system, options.target.as_str());
    let record =
        examine(options.target, options.required_origin, options.token, upstream, options.directories, now, &client);
    let report = Report::new(&record);
    drop(progress);
    print(
        system,
        &if options.json {
            render::json::render(&report) + "\n"
        } else {
            render::terminal::render(&report, width(system))
        },
    )?;
    Ok(if report.verdict() == Verdict::Failure { FAILED } else { 0 })
}

fn authorities(system: &impl System, file: Option<&Path>) -> Result<Option<Certificates>, String> {
    let Some(file) = file else { return Ok(None) };
    let named = |problem: &dyn std::fmt::Display| format!("--ca-file {}: {problem}", file.display());
    let pem = system.read_file(file).map_err(|error| named(&error))?;
    certificates(&pem).map(Some).map_err(|error| named(&error))
}

fn read_settings(system: &impl System, file: &Path, env: Option<&str>) -> Result<GatewaySettings, String> {
    let name = file.display().to_string();
    let text = system.read_text(file).map_err(|error| format!("--settings {name}: {error}"))?;
    GatewaySettings::read(&name, &text, env).map_err(|error| format!("--settings: {error}"))
}

/// A line on the terminal that says that the examination is running. Dropping it erases the line.
struct ProgressLine<'a, S: System>(&'a S);

impl<'a, S: System> ProgressLine<'a, S> {
    fn show(system: &'a S, url: &str) -> Self {
        system.print_progress(&format!("Examining {} …", sanitize(url)));
        Self(system)
    }
}

impl<S: System> Drop for ProgressLine<'_, S> {
    fn drop(&mut self) {
        // Returns to the start of the line and erases it.
        self.0.print_progress("\r\x1b[2K");
    }
}

fn print(system: &impl System, text: &str) -> Result<(), String> {
    system.print(text).map_err(|error| format!("cannot write the report: {error}"))
}

/// The width of the terminal; the widest report if the output is not a terminal.
fn width(system: &impl System) -> usize {
    system.width().unwrap_or(MAX_WIDTH)
}
