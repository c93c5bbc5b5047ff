//! Instructions that a request costs before anything of the platform: `make bench-native`.
//!
//! Counts do not depend on the machine's mood, so a change of some per cent is a change of the code. Each function is
//! run once under valgrind. What it needs is prepared before the count begins, and what it returned is checked after it
//! has ended.

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
