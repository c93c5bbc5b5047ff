//! The tools of this Worker, one file each.

mod whoami;

pub use whoami::whoami;
