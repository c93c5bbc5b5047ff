//! The program for this machine; `wasm.rs` is the one for Node.js.

use std::process::ExitCode;

use mcp_edge_doctor::{program, system::native::Native};

fn main() -> ExitCode {
    ExitCode::from(program::run(&Native))
}
