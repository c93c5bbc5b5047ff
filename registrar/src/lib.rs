//! The registrar.
pub mod application;
pub mod audit;
pub mod cleanup;
pub mod policy;
pub mod provider;
pub mod record;
pub mod registration;
pub mod registry;
pub mod secret;
pub mod settings;
pub mod store;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
