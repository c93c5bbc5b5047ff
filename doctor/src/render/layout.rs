//! The layout of terminal reports: lines with a mark and a name, details below them, wrapped to the width of the terminal.
//! Colours are always written; the program removes them if the output is not a terminal.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

/// The longest line, in characters: longer ones are hard to read.
pub const MAX_WIDTH: usize = 100;

/// The shortest line, in characters. Narrower terminals break the lines once more.
const MIN_WIDTH: usize = 60;

/// The column of the text, after mark and name.
pub(crate) const INDENT: usize = 26;

pub(crate) const OK: Style = AnsiColor::Green.on_default();
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default();
pub(crate) const FAILURE: Style = AnsiColor::Red.on_default().bold();
pub(crate) const DIMMED: Style = Style::new().dimmed();
pub(crate) const HEADING: Style = Style::new().bold();

/// A report in the making.
pub(crate) struct Output {
    pub(crate) text: String,
    /// The longest line, in characters.
    width: usize,
}

impl Output {
    /// Creates an empty report for a terminal of this width in characters.
    pub(crate) fn new(width: usize) -> Self {
        Self { text: String::new(), width: width.clamp(MIN_WIDTH, MAX_WIDTH) }
    }

    /// An empty line and a heading.
    pub(crate) fn heading(&mut self, text: &str) {
        let _ = writeln!(self.text, "\n{HEADING}{text}{HEADING:#}");
    }

    /// `  ✓ name                  text`, the text wrapped under its beginning.
    pub(crate) fn line(&mut self, style: Style, mark: &str, name: &str, text_style: Style, text: &str) {
        for (index, line) in wrap(text, self.width - INDENT).iter().enumerate() {
            let _ = if index == 0 {
                writeln!(self.text, "  {style}{mark}{style:#} {name:<22}{text_style}{line}{text_style:#}")
            } else {
                writeln!(self.text, "{:INDENT$}{text_style}{line}{text_style:#}", "")
            };
        }
    }

    /// A labelled text below a line.
    pub(crate) fn detail(&mut self, label: &str, text: &str) {
        // The label ends two columns before the text.
        for (index, line) in wrap(text, self.width - INDENT).iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            let _ = writeln!(self.text, "{DIMMED}{label:>24}{DIMMED:#}  {line}");
        }
    }

    /// Text over the whole width.
    pub(crate) fn paragraph(&mut self, style: Style, text: &str) {
        for line in wrap(text, self.width) {
            let _ = writeln!(self.text, "{style}{line}{style:#}");
        }
    }
}

/// Breaks a text into lines between words, at least one. A word that is longer than a line is not broken.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let Some(line) = lines.last_mut() else { break };
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// Replaces characters that a terminal interprets as a command, or that change the direction of the text.
#[must_use]
pub fn sanitize(text: &str) -> String {
    text.chars().map(|char| if char != '\n' && is_command(char) { '\u{fffd}' } else { char }).collect()
}

/// Escapes the same characters in a JSON document: they can only be inside of its strings.
#[must_use]
pub fn escape(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for char in json.chars() {
        if char != '\n' && is_command(char) {
            let _ = write!(escaped, "\\u{:04x}", u32::from(char));
        } else {
            escaped.push(char);
        }
    }
    escaped
}

fn is_command(char: char) -> bool {
    let is_direction =
        matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    char.is_control() || is_direction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("unbreakable x", 4), ["unbreakable", "x"]);
        assert_eq!(wrap("", 10), [""]);
    }

    #[test]
    fn what_controls_a_terminal_is_replaced_and_in_json_escaped() {
        let text = "a\u{9b}\u{202e}\u{200f}\u{61c}\u{7f}é\nb";
        assert_eq!(sanitize(text), "a\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}é\nb");
        let json = serde_json::to_string_pretty(&[text]).unwrap();
        assert_eq!(escape(&json), "[\n  \"a\\u009b\\u202e\\u200f\\u061c\\u007fé\\nb\"\n]");
        assert_eq!(serde_json::from_str::<[String; 1]>(&escape(&json)).unwrap(), [text]);
    }
}
