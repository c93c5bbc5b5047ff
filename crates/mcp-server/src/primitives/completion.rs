//! Suggestions for the arguments of prompts and the variables of resource templates (MCP 2026-07-28,
//! server/utilities/completion).

use std::collections::BTreeMap;

use futures_util::future::{FutureExt, LocalBoxFuture};

use crate::{call::Call, limits::COMPLETION_VALUES};
use mcp_edge_runtime::json::{Object, array, quote};

/// What has been typed so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CompleteParams {
    /// Of the argument at hand.
    pub value: String,
    /// Of the other arguments, as far as the client tells.
    pub others: BTreeMap<String, String>,
}

/// Suggests values for one argument.
pub(crate) type Completer<E> = Box<dyn Fn(Call<E>, CompleteParams) -> LocalBoxFuture<'static, Vec<String>>>;

/// The completers of one prompt or template, by argument.
pub(crate) struct Completers<E>(Vec<(String, Completer<E>)>);

impl<E> Default for Completers<E> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<E> Completers<E> {
    pub fn add(&mut self, argument: String, completer: Completer<E>) {
        self.0.push((argument, completer));
    }

    pub fn get(&self, argument: &str) -> Option<&Completer<E>> {
        self.0.iter().find(|(known, _)| known == argument).map(|(_, completer)| completer)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A completer that knows all values beforehand, and suggests those that start with what was typed.
pub(crate) fn among<E>(values: Vec<String>) -> Completer<E> {
    Box::new(move |_, typed| {
        let fitting = values.iter().filter(|value| value.starts_with(&typed.value)).cloned().collect();
        std::future::ready(fitting).boxed_local()
    })
}

/// The builder methods that go with a field `completers`.
macro_rules! completion_methods {
    () => {
        /// Suggests values for an argument with a function: `async fn(Call<E>, CompleteParams) -> Vec<String>`, best first.
        pub fn complete<F, Fut>(mut self, argument: impl Into<String>, completer: F) -> Self
        where
            F: Fn(Call<E>, $crate::CompleteParams) -> Fut + 'static,
            Fut: Future<Output = Vec<String>> + 'static,
        {
            let completer: Completer<E> = Box::new(move |call, typed| completer(call, typed).boxed_local());
            self.completers.add(argument.into(), completer);
            self
        }

        /// Suggests those of `values` that start with what was typed.
        pub fn complete_among<I>(mut self, argument: impl Into<String>, values: I) -> Self
        where
            I: IntoIterator<Item: Into<String>>,
        {
            let values = values.into_iter().map(Into::into).collect();
            self.completers.add(argument.into(), $crate::primitives::completion::among(values));
            self
        }
    };
}
pub(crate) use completion_methods;

/// The result's members. More values than may be sent are counted, not sent.
pub(crate) fn members(values: &[String]) -> Object {
    let shown = array(values.iter().take(COMPLETION_VALUES).map(|value| quote(value)));
    let completion = Object::new()
        .raw("values", &shown)
        .number("total", values.len())
        .flag("hasMore", values.len() > COMPLETION_VALUES);
    Object::new().object("completion", &[&completion])
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_a_hundred_values_are_sent() {
        let values: Vec<String> = (0..101).map(|number| number.to_string()).collect();
        let text = members(&values).close();
        assert!(text.contains(r#""99"],"total":101,"hasMore":true"#), "{text}");
        assert_eq!(members(&[]).close(), r#"{"completion":{"values":[],"total":0,"hasMore":false}}"#);
    }
}
