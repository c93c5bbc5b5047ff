//! What the tests share: a world that plays provider, store and clock ([`world`]), keys and tokens ([`tokens`]), and
//! the recorded answers of a real Logto ([`logto`]).

pub mod logto;
pub mod signatures;
pub mod tokens;
pub mod world;
