//! Descriptions from doc comments.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The text of the doc comments among `attributes`: lines of a paragraph become one line, since they are wrapped for
/// readers of the source. Lists, tables and code keep their lines.
pub fn text(attributes: &[Attribute]) -> Option<String> {
    let mut text = String::new();
    let mut in_code = false;
    let mut after_break = true;
    for line in attributes.iter().filter_map(line) {
        for line in line.lines().chain(line.is_empty().then_some("")) {
            let line = line.strip_prefix(' ').unwrap_or(line).trim_end();
            let is_fence = line.trim_start().starts_with("```");
            if line.is_empty() && !in_code {
                if !text.is_empty() && !text.ends_with("\n\n") {
                    text.push_str(if text.ends_with('\n') { "\n" } else { "\n\n" });
                }
                after_break = true;
                continue;
            }
            if !after_break {
                text.push(if in_code || is_fence || starts_a_line(line) { '\n' } else { ' ' });
            }
            let joined = !in_code && !is_fence && !starts_a_line(line);
            text.push_str(if joined { line.trim_start() } else { line });
            after_break = false;
            if is_fence {
                in_code = !in_code;
                if !in_code {
                    text.push('\n');
                    after_break = true;
                }
            }
        }
    }
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn line(attribute: &Attribute) -> Option<String> {
    match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

/// List items, headings and rows of tables.
fn starts_a_line(line: &str) -> bool {
    let line = line.trim_start();
    let numbered = line.trim_start_matches(|digit: char| digit.is_ascii_digit());
    ["- ", "* ", "+ ", "#", "|"].iter().any(|mark| line.starts_with(mark))
        || (numbered.len() < line.len() && (numbered.starts_with(". ") || numbered.starts_with(") ")))
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn a_paragraph_is_one_line_and_a_list_keeps_its_lines() {
        let attributes: Vec<Attribute> = vec![
            parse_quote!(#[doc = " Searches"]),
            parse_quote!(#[doc = " notes."]),
            parse_quote!(#[doc = ""]),
            parse_quote!(#[allow(dead_code)]),
            parse_quote!(#[doc = " In:"]),
            parse_quote!(#[doc = " - titles,"]),
            parse_quote!(#[doc = "   wherever"]),
            parse_quote!(#[doc = " 2. texts"]),
        ];
        assert_eq!(text(&attributes).as_deref(), Some("Searches notes.\n\nIn:\n- titles, wherever\n2. texts"));
    }

    #[test]
    fn code_keeps_its_lines_and_indentation() {
        let attributes: Vec<Attribute> = vec![parse_quote!(#[doc = " For example\n ```\n a\n\n   b\n ```\n Done."])];
        assert_eq!(text(&attributes).as_deref(), Some("For example\n```\na\n\n  b\n```\nDone."));
    }

    #[test]
    fn there_is_no_empty_description() {
        assert_eq!(text(&[]), None);
        assert_eq!(text(&[parse_quote!(#[doc = " "]), parse_quote!(#[doc(hidden)])]), None);
    }
}
