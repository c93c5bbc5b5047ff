//! The command line of the doctor: reads the options, has the server examined, prints the report.

use std::{
    env, fs,
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use mcp_edge_doctor::{
    checks::TOKEN_VARIABLE,
    examine::examine,
    finding::Verdict,
    options::{self, Command, HELP, Options},
    render,
    report::Report,
    wire::{self, Wire},
};

/// The doctor could not run.
const NOT_RUN: u8 = 2;

fn main() -> ExitCode {
    let status = match options::parse(env::args_os().skip(1), env::var(TOKEN_VARIABLE).ok()) {
        Ok(Command::Help) => print(HELP).map(|()| ExitCode::SUCCESS),
        Ok(Command::Version) => {
            print(concat!("mcp-edge-doctor ", env!("CARGO_PKG_VERSION"), "\n")).map(|()| ExitCode::SUCCESS)
        }
        Ok(Command::Examine(options)) => run(*options),
        Err(error) => Err(format!("{error}\nTry --help.")),
    };
    status.unwrap_or_else(|message| {
        let _ = writeln!(io::stderr(), "mcp-edge-doctor: {message}");
        ExitCode::from(NOT_RUN)
    })
}

fn run(options: Options) -> Result<ExitCode, String> {
    let authorities = match &options.ca_file {
        None => None,
        Some(file) => {
            let pem = fs::read(file).map_err(|error| format!("--ca-file {}: {error}", file.display()))?;
            Some(wire::certificates(&pem).map_err(|error| format!("--ca-file {}: {error}", file.display()))?)
        }
    };
    let wire = Wire::new(options.timeout, authorities, options.token.clone());
    let waiting = Waiting::begin(options.target.typed());
    let report = Report::of(&examine(options.target, options.page, options.token, now(), &wire));
    drop(waiting);
    print(&if options.json { render::json::render(&report) + "\n" } else { render::terminal::render(&report) })?;
    Ok(if report.verdict() == Verdict::Failure { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// A line that tells a person at a terminal that something is going on, until it is dropped.
struct Waiting(bool);

impl Waiting {
    fn begin(url: &str) -> Self {
        let is_watched = io::stderr().is_terminal();
        if is_watched {
            let _ = write!(io::stderr(), "Examining {url} …");
        }
        Self(is_watched)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if self.0 {
            // Back to the start of the line, which is emptied.
            let _ = write!(io::stderr(), "\r\x1b[2K");
        }
    }
}

/// Writes to standard output, with colours only where wanted. A reader that has enough (`| head`) is no mistake.
fn print(text: &str) -> Result<(), String> {
    let mut out = anstream::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(format!("cannot write the report: {error}")),
        _ => Ok(()),
    }
}

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "this program runs on a machine, not at the edge")]
fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}
