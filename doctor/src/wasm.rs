//! What Node.js calls.

use wasm_bindgen::prelude::wasm_bindgen;

use crate::{host::Host, program, system::host::HostSystem};

/// Runs the program, and returns the exit status.
#[wasm_bindgen]
#[must_use]
pub fn run(host: Host) -> u8 {
    let panicking = host.clone();
    // Without it a panic is a trap without a message.
    std::panic::set_hook(Box::new(move |panic| panicking.print_error(&format!("mcp-edge-doctor: {panic}\n"))));
    program::run(&HostSystem::new(host))
}
