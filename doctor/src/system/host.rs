//! Node.js.

use std::{ffi::OsString, path::Path};

use super::{ReadError, System};
use crate::{
    host::{Host, Reading},
    options::CommandNames,
    transport::{ConnectionOptions, host::HostTransport},
};

/// Node.js.
#[derive(Debug, Clone)]
pub struct HostSystem {
    host: Host,
}

impl HostSystem {
    /// The machine that Node.js runs on.
    #[must_use]
    pub fn new(host: Host) -> Self {
        Self { host }
    }
}

impl System for HostSystem {
    type Client = HostTransport;

    fn command_names(&self) -> CommandNames {
        CommandNames::NPM
    }

    fn arguments(&self) -> Vec<OsString> {
        self.host.arguments().into_iter().map(OsString::from).collect()
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.host.variable(name)
    }

    fn separators(&self) -> &'static [char] {
        if self.host.is_windows() { &['/', '\\'] } else { &['/'] }
    }

    fn read_file(&self, file: &Path) -> Result<Vec<u8>, ReadError> {
        content(&self.host.read_file(&file.to_string_lossy()))
    }

    fn read_input(&self, max_bytes: usize) -> Result<Option<Vec<u8>>, ReadError> {
        let max_bytes = u32::try_from(max_bytes).unwrap_or(u32::MAX);
        self.host.read_input(max_bytes).map(|it| content(&it)).transpose()
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds since 1970 fit")]
    fn now(&self) -> u64 {
        self.host.now() as u64
    }

    fn width(&self) -> Option<usize> {
        self.host.width().map(|it| it as usize)
    }

    fn print(&self, text: &str) -> Result<(), String> {
        if self.host.has_colours() {
            self.host.print(text);
        } else {
            self.host.print(&anstream::adapter::strip_str(text).to_string());
        }
        Ok(())
    }

    fn print_error(&self, text: &str) {
        self.host.print_error(text);
    }

    fn print_progress(&self, text: &str) {
        self.host.print_progress(text);
    }

    fn client(&self, options: &ConnectionOptions) -> HostTransport {
        HostTransport::new(&self.host, options)
    }
}

fn content(reading: &Reading) -> Result<Vec<u8>, ReadError> {
    reading.content().ok_or_else(|| match reading.error_code().as_str() {
        "ENOENT" => ReadError::NotFound,
        "EACCES" | "EPERM" => ReadError::PermissionDenied,
        "EISDIR" => ReadError::IsFolder,
        _ => ReadError::Other(reading.error_message()),
    })
}
