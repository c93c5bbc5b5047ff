//! Which scopes imply others (MCP 2026-07-28 authorization, "scope hierarchies").

use mcp_edge_identity::Scopes;

/// Which scopes imply others, for example `mail:write` implies `mail:read`.
#[derive(Debug, Clone, Default)]
pub struct Hierarchy(Vec<(String, Scopes)>);

impl Hierarchy {
    /// Declares that `scope` implies every scope of `implied`.
    pub fn imply(&mut self, scope: &str, implied: &Scopes) {
        self.0.push((scope.to_owned(), implied.clone()));
    }

    /// `granted` and everything it implies, directly or through others.
    #[must_use]
    pub fn expand(&self, granted: Scopes) -> Scopes {
        let mut scopes = granted;
        loop {
            let wider = self
                .0
                .iter()
                .filter(|(scope, implied)| scopes.contains(scope) && !scopes.covers(implied))
                .fold(scopes.clone(), |wider, (_, implied)| wider.union(implied));
            if wider == scopes {
                return scopes;
            }
            scopes = wider;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn implication_is_transitive_and_survives_a_circle() {
        let mut hierarchy = Hierarchy::default();
        hierarchy.imply("admin", &Scopes::parse("write"));
        hierarchy.imply("write", &Scopes::parse("read"));
        hierarchy.imply("read", &Scopes::parse("write"));
        assert_eq!(hierarchy.expand(Scopes::parse("admin")).to_string(), "admin read write");
        assert_eq!(hierarchy.expand(Scopes::parse("read")).to_string(), "read write");
        assert_eq!(hierarchy.expand(Scopes::parse("other")).to_string(), "other");
    }
}
