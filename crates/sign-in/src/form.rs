//! Forms (`application/x-www-form-urlencoded`), and queries, which have the same form.

/// Fields of a form in the order in which they were sent. Names may repeat.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads `application/x-www-form-urlencoded`. What is not well formed is taken as it is: the fields are checked.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        Self(pairs.map(|(name, value)| (decode(name), decode(value))).collect())
    }

    /// The first value of a field; empty if there is none.
    #[must_use]
    pub fn first(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// The value of a field that may come once; empty if there is none. `None` if it comes more than once.
    #[must_use]
    pub fn only(&self, name: &str) -> Option<&str> {
        let mut values = self.all(name);
        let value = values.next().unwrap_or_default();
        if values.next().is_some() { None } else { Some(value) }
    }

    /// All values of a field.
    pub fn all<'form, 'name>(&'form self, name: &'name str) -> impl Iterator<Item = &'form str> + use<'form, 'name> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether a field has this value among others.
    #[must_use]
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.all(name).any(|given| given == value)
    }

    /// Adds a value to a field.
    pub fn add(&mut self, name: &str, value: &str) {
        self.0.push((name.to_owned(), value.to_owned()));
    }

    /// Replaces all values of a field by this one.
    pub fn set(&mut self, name: &str, value: &str) {
        self.0.retain(|(known, _)| known != name);
        self.add(name, value);
    }
}

/// Percent and plus decoding; broken sequences stay as they are, and what is not UTF-8 becomes U+FFFD.
fn decode(text: &str) -> String {
    let digit = |at: usize| text.as_bytes().get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut decoded = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.as_bytes().get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                // Two hexadecimal digits are a byte.
                decoded.push(u8::try_from(high * 16 + low).unwrap_or_default());
                at += 3;
                continue;
            }
            (b'+', ..) => decoded.push(b' '),
            (other, ..) => decoded.push(*other),
        }
        at += 1;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use mcp_edge_oauth::client_authentication::form_encode;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decoding_takes_what_comes() {
        assert_eq!(decode("a+b%20c%C3%A4%zz%4"), "a b cä%zz%4");
        assert_eq!(decode("%+1%-1%%41%"), "% 1%-1%A%");
        assert_eq!(decode("%ff"), "\u{fffd}");
        assert_eq!(Form::parse("a&=b&c=d=e").first("c"), "d=e");
    }

    #[test]
    fn names_may_repeat() {
        let form = Form::parse("a=1&b=2&a=3&&%61=4");
        assert_eq!((form.first("a"), form.first("c")), ("1", ""));
        assert_eq!(form.all("a").collect::<Vec<_>>(), ["1", "3", "4"]);
        assert!(form.has("a", "3") && !form.has("a", "2") && !form.has("c", ""));
        assert_eq!((form.only("a"), form.only("b"), form.only("c")), (None, Some("2"), Some("")));
    }

    #[test]
    fn a_field_is_set_or_gets_another_value() {
        let mut form = Form::parse("a=1&a=2");
        form.add("b", "3");
        form.set("a", "4");
        assert_eq!((form.all("a").collect::<Vec<_>>(), form.first("b")), (vec!["4"], "3"));
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_again(name in ".{0,20}", value in ".{0,40}", text in "[ -~]{0,60}") {
            let form = Form::parse(&format!("x=y&{}={}", form_encode(&name), form_encode(&value)));
            prop_assert_eq!(form.all(&name).last(), Some(&*value));
            let _ = Form::parse(&text);
        }
    }
}
