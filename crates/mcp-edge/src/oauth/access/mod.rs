//! Who is calling, through which client, and what they may do and see.

pub mod client;
pub mod disclosure;
pub mod identity;
pub mod scope;
