//! This process.

use std::{
    env,
    ffi::OsString,
    fs,
    io::{self, ErrorKind, IsTerminal, Read, Write},
    path::{MAIN_SEPARATOR, Path},
};

use super::{ReadError, System};
use crate::{
    options::CommandNames,
    transport::{ConnectionOptions, native::Transport},
};

/// This process.
#[derive(Debug, Clone, Copy)]
pub struct Native;

impl System for Native {
    type Client = Transport;

    fn command_names(&self) -> CommandNames {
        CommandNames::PROGRAM
    }

    fn arguments(&self) -> Vec<OsString> {
        env::args_os().skip(1).collect()
    }

    fn variable(&self, name: &str) -> Option<String> {
        env::var(name).ok()
    }

    fn separators(&self) -> &'static [char] {
        &['/', MAIN_SEPARATOR]
    }

    fn read_file(&self, file: &Path) -> Result<Vec<u8>, ReadError> {
        fs::read(file).map_err(|error| read_error(&error))
    }

    fn read_input(&self, max_bytes: usize) -> Result<Option<Vec<u8>>, ReadError> {
        if io::stdin().is_terminal() {
            return Ok(None);
        }
        let mut entered = Vec::new();
        let read = io::stdin().take(max_bytes as u64).read_to_end(&mut entered);
        read.map(|_| Some(entered)).map_err(|error| read_error(&error))
    }

    #[expect(clippy::disallowed_methods, reason = "this module is not compiled to WebAssembly")]
    fn now(&self) -> u64 {
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
    }

    fn width(&self) -> Option<usize> {
        terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| width.0.into())
    }

    fn print(&self, text: &str) -> Result<(), String> {
        let mut out = anstream::stdout();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.to_string()),
            _ => Ok(()),
        }
    }

    fn print_error(&self, text: &str) {
        let _ = io::stderr().write_all(text.as_bytes());
    }

    fn print_progress(&self, text: &str) {
        if io::stderr().is_terminal() {
            self.print_error(text);
        }
    }

    fn client(&self, options: &ConnectionOptions) -> Transport {
        Transport::new(options)
    }
}

fn read_error(error: &io::Error) -> ReadError {
    match error.kind() {
        ErrorKind::NotFound => ReadError::NotFound,
        ErrorKind::PermissionDenied => ReadError::PermissionDenied,
        ErrorKind::IsADirectory => ReadError::IsFolder,
        _ => ReadError::Other(error.to_string()),
    }
}
