//! What needs a token of another service, as endpoints name it.

/// What needs a token. Names of tools have no colon, so that no tool can be called like one of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserOfToken<'a> {
    /// The tool with this name.
    Tool(&'a str),
    /// The prompt with this name: `prompt:…`.
    Prompt(&'a str),
    /// The resource with this name: `resource:…`.
    Resource(&'a str),
    /// A gateway, for a message that it passes on: `gateway:`.
    Gateway,
}

impl<'a> UserOfToken<'a> {
    /// Reads a name. What is of no known form counts as a tool, which not everybody may call.
    #[must_use]
    pub fn of(name: &'a str) -> Self {
        match name.split_once(':') {
            Some(("prompt", name)) => Self::Prompt(name),
            Some(("resource", name)) => Self::Resource(name),
            Some(("gateway", "")) => Self::Gateway,
            _ => Self::Tool(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_no_known_form_is_a_tool() {
        for (name, user) in [
            ("list_issues", UserOfToken::Tool("list_issues")),
            ("gateway", UserOfToken::Tool("gateway")),
            ("gateway:", UserOfToken::Gateway),
            ("gateway:x", UserOfToken::Tool("gateway:x")),
            ("prompt:review", UserOfToken::Prompt("review")),
            ("prompt:a:b", UserOfToken::Prompt("a:b")),
            ("resource:all", UserOfToken::Resource("all")),
            ("resource", UserOfToken::Tool("resource")),
            ("Prompt:review", UserOfToken::Tool("Prompt:review")),
            (":x", UserOfToken::Tool(":x")),
            ("", UserOfToken::Tool("")),
        ] {
            assert_eq!(UserOfToken::of(name), user, "{name}");
        }
    }
}
