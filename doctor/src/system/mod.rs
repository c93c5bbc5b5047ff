//! What the program needs of the machine that it runs on, and the two ways to get it.
//!
//! `native` is this process; `host` is Node.js, for the doctor that is compiled to WebAssembly.

#[cfg(target_family = "wasm")]
pub mod host;
#[cfg(not(target_family = "wasm"))]
pub mod native;

use std::{ffi::OsString, path::Path};

use crate::{http::HttpClient, options::CommandNames, transport::ConnectionOptions};

/// The machine that the program runs on.
pub trait System {
    /// What opens connections.
    type Client: HttpClient + 'static;

    /// How this program is started.
    fn command_names(&self) -> CommandNames;
    /// The arguments, without the program's name.
    fn arguments(&self) -> Vec<OsString>;
    /// An environment variable. `None` if it is not set, or is not text.
    fn variable(&self, name: &str) -> Option<String>;
    /// The characters that separate the folders of a path.
    fn separators(&self) -> &'static [char];

    /// Reads a file.
    ///
    /// # Errors
    /// [`ReadError`]
    fn read_file(&self, file: &Path) -> Result<Vec<u8>, ReadError>;
    /// Reads standard input to its end, or at most so many bytes. `None` if it is a terminal.
    ///
    /// # Errors
    /// [`ReadError`]
    fn read_input(&self, max_bytes: usize) -> Result<Option<Vec<u8>>, ReadError>;

    /// Seconds since 1970.
    fn now(&self) -> u64;
    /// The width of the terminal in characters. `None` if the output is not a terminal.
    fn width(&self) -> Option<usize>;

    /// Writes to standard output, with colours only where they are wanted. A reader that closes early (`| head`) is not
    /// an error.
    ///
    /// # Errors
    /// The message of the system.
    fn print(&self, text: &str) -> Result<(), String>;
    /// Writes to standard error.
    fn print_error(&self, text: &str);
    /// Writes to standard error if it is a terminal.
    fn print_progress(&self, text: &str);

    /// A client with these options.
    fn client(&self, options: &ConnectionOptions) -> Self::Client;

    /// Reads a file as text.
    ///
    /// # Errors
    /// [`ReadError`]
    fn read_text(&self, file: &Path) -> Result<String, ReadError> {
        text(self.read_file(file)?)
    }
}

/// Why a file or standard input cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// There is none.
    #[error("there is no such file")]
    NotFound,
    /// It belongs to somebody else.
    #[error("there is no permission to read it")]
    PermissionDenied,
    /// It has files.
    #[error("it is a folder")]
    IsFolder,
    /// It is not text.
    #[error("it is not text in UTF-8")]
    NotText,
    /// Something else, in the words of the system.
    #[error("{0}")]
    Other(String),
}

/// Bytes as text.
///
/// # Errors
/// [`ReadError::NotText`] if they are not UTF-8.
pub fn text(bytes: Vec<u8>) -> Result<String, ReadError> {
    String::from_utf8(bytes).map_err(|_| ReadError::NotText)
}
