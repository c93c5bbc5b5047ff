//! The instructions of a request without the platform: `make bench-native`.
//!
//! Counts do not depend on the load of the machine, so a difference of some per cent is a change of the code. Each function
//! runs once under valgrind. Its input is prepared before the count, and its result is checked after it.

#[path = "../../../oauth-resource-server/tests/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the tests use more of it")]
mod support;

mod endpoint;
mod protocol;
mod token;

use endpoint::requests;
use gungraun::main;
use protocol::messages;
use token::tokens;

main!(library_benchmark_groups = [tokens, messages, requests]);
