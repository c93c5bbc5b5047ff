//! What tools with connections need of the settings.

use super::Settings;

impl Settings {
    /// Checks that the endpoint can give its tools connections, if they need any: `needed` is the name of one.
    ///
    /// # Errors
    /// One sentence if they cannot be given.
    pub fn check_connections(&self, needed: Option<&str>) -> Result<(), String> {
        match needed {
            Some(name) if !self.access_keys.has_vault => {
                const FIX: &str = " of the tools needs the vault, which is not bound. Add to [[services]] in wrangler.toml: \
                                   binding = \"VAULT_CALLS\", its service, entrypoint = \"Internal\", props = { role = \
                                   \"endpoint\" }";
                Err(["the connection ", name, FIX].concat())
            }
            _ => Ok(()),
        }
    }
}
