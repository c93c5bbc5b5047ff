//! The name of a client (`client_name`, RFC 7591 §2), which users read when they are asked to allow access.
//!
//! The zero width joiner and non-joiner belong to the spelling of some languages and to many emoji. Elsewhere nobody sees
//! them, and a name with one would look like another client's, so there they are left out: what is registered, shown and
//! compared is the name as it is seen.

use std::borrow::Cow;

use super::{
    error::MetadataError,
    members::{Members, is_invisible},
    page_uri,
};

/// The longest name, in characters. A consent page shows it in its heading.
pub const MAX_NAME_CHARACTERS: usize = 80;

const NON_JOINER: char = '\u{200c}';
const JOINER: char = '\u{200d}';

/// Reads the name: a short text, without markup, that can be seen and cannot change how the text around it looks. A client
/// without a name gets one.
///
/// # Errors
/// `invalid_client_metadata` if the name is none of that.
pub(super) fn client_name(reader: &Members<'_>, redirect_uris: &[String]) -> Result<String, MetadataError> {
    const MEMBER: &str = "client_name";
    let wrong = |problem: String| Err(MetadataError::metadata(MEMBER, problem));
    let mut name = Cow::Borrowed(reader.string(MEMBER, 4 * MAX_NAME_CHARACTERS)?.unwrap_or_default());
    if name.contains(is_joiner) {
        name = Cow::Owned(without_idle_joiners(&name));
    }
    let name = name.trim();
    match name {
        "" => Ok(name_by_host(redirect_uris)),
        _ if name.chars().any(|it| is_invisible(it) && !is_joiner(it)) => {
            wrong("must not contain control or formatting characters".to_owned())
        }
        _ if name.chars().count() > MAX_NAME_CHARACTERS => {
            wrong(format!("must not be longer than {MAX_NAME_CHARACTERS} characters"))
        }
        _ if name.contains(['<', '>']) => wrong("must not contain < or >".to_owned()),
        _ if !name.chars().any(|it| it.is_alphanumeric() || is_emoji(it)) => {
            wrong("must contain a letter or a digit".to_owned())
        }
        _ => Ok(name.to_owned()),
    }
}

/// The name of a client that gives none. It must be true, so no host that gets some of the answers only: anybody can name a
/// bank's address beside their own.
fn name_by_host(redirect_uris: &[String]) -> String {
    let mut hosts = redirect_uris.iter().map(|uri| page_uri::host_of(uri));
    let first = hosts.next().flatten().filter(|first| hosts.all(|other| other.as_ref() == Some(first)));
    let name = first.map(|host| format!("An agent at {host}"));
    // Clients send back what was returned (RFC 7592 §2.2), so it must be a name that is accepted.
    name.filter(|name| name.len() <= MAX_NAME_CHARACTERS).unwrap_or_else(|| "An agent without a name".to_owned())
}

const fn is_joiner(character: char) -> bool {
    matches!(character, JOINER | NON_JOINER)
}

/// Leaves out each joiner and non-joiner that changes nothing. One stays after a virama, a non-joiner between two letters
/// of Arabic that would join (RFC 5892 Appendix A.1, A.2), a joiner between two emoji (UTS #51).
fn without_idle_joiners(name: &str) -> String {
    let mut kept = String::with_capacity(name.len());
    let mut before = ' ';
    let mut rest = name.chars().peekable();
    while let Some(character) = rest.next() {
        let after = rest.peek().copied().unwrap_or(' ');
        let stays = match character {
            NON_JOINER => is_virama(before) || (joins_next(before) && is_arabic(after)),
            JOINER => is_virama(before) || (is_emoji(before) && is_emoji(after)),
            _ => true,
        };
        if stays {
            kept.push(character);
            // Vowel signs of Arabic, and the selectors of an emoji's look, stand between what is joined.
            if !matches!(character, '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{fe0e}' | '\u{fe0f}') {
                before = character;
            }
        }
    }
    kept
}

/// The sign that joins two consonants, in the scripts of India, Sri Lanka, Myanmar and Cambodia.
const fn is_virama(character: char) -> bool {
    // Nine scripts have it at the same place of their blocks.
    let is_at_its_place = character as u32 & 0x7f == 0x4d;
    matches!(character, '\u{900}'..='\u{d7f}' if is_at_its_place)
        || matches!(character, '\u{dca}' | '\u{1039}' | '\u{17d2}')
}

fn is_arabic(character: char) -> bool {
    matches!(character, '\u{620}'..='\u{6ff}') && character.is_alphabetic()
}

/// Whether it is a letter of Arabic that joins the next one: `Joining_Type` D.
fn joins_next(character: char) -> bool {
    is_arabic(character)
        && !matches!(character,
            '\u{621}'..='\u{625}' | '\u{627}' | '\u{629}' | '\u{62f}'..='\u{632}' | '\u{648}' | '\u{671}'..='\u{677}'
            | '\u{688}'..='\u{699}' | '\u{6c0}' | '\u{6c3}'..='\u{6cb}' | '\u{6cd}' | '\u{6cf}' | '\u{6d2}'..='\u{6ef}')
}

/// The characters that emoji are made of, and of which sequences with a joiner are.
const fn is_emoji(character: char) -> bool {
    matches!(character,
        '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{2194}'..='\u{2195}' | '\u{2b1b}')
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::ClientMetadata;

    fn name(text: &str) -> Result<String, String> {
        let body = json!({"redirect_uris": ["http://127.0.0.1/cb"], "client_name": text}).to_string();
        ClientMetadata::parse(&body, &[]).map(|metadata| metadata.client_name).map_err(|error| error.to_string())
    }

    #[test]
    fn joiners_stay_where_they_belong_and_are_left_out_elsewhere() {
        // Spelling and emoji: Persian, Hindi, Sinhala, Malayalam, a programmer, a heart on fire, the rainbow flag.
        for text in [
            "دستیار می\u{200c}خواهم",
            "क्\u{200d}ष सहायक",
            "क्\u{200c}ष सहायक",
            "ශ්\u{200d}රී",
            "അവന്\u{200d}",
            "Agent \u{1f469}\u{200d}\u{1f4bb}",
            "\u{1f469}\u{1f3fd}\u{200d}\u{1f4bb} Agent",
            "\u{2764}\u{fe0f}\u{200d}\u{1f525}",
            "Agent \u{1f3f3}\u{fe0f}\u{200d}\u{1f308}",
            "\u{1f408}\u{200d}\u{2b1b}",
        ] {
            assert_eq!(name(text).as_deref(), Ok(text), "{text:?}");
        }
        // Where they cannot be seen, a name with them would look like another client's.
        for (text, registered) in [
            ("Cl\u{200d}au\u{200c}de", "Claude"),
            ("\u{200c}Claude\u{200d}", "Claude"),
            ("Банк\u{200c} Россия", "Банк Россия"),
            ("Τρά\u{200d}πεζα", "Τράπεζα"),
            ("日\u{200d}本", "日本"),
            ("می\u{200c}\u{200c}\u{200c}خواهم", "می\u{200c}خواهم"),
            // After a letter that never joins the next one, at the end, between joined letters.
            ("دو\u{200c}ست", "دوست"),
            ("بانک\u{200c}", "بانک"),
            ("با\u{200d}نک", "بانک"),
            ("بان\u{200d}ک", "بانک"),
            ("a\u{fe0f}\u{200d}\u{1f525}", "a\u{fe0f}\u{1f525}"),
            ("\u{1f525}\u{200d}Agent", "\u{1f525}Agent"),
            ("\u{1f469}\u{200d}\u{200d}\u{1f4bb}", "\u{1f469}\u{200d}\u{1f4bb}"),
            ("\u{1f469}\u{200c}\u{1f4bb}", "\u{1f469}\u{1f4bb}"),
        ] {
            assert_eq!(name(text).as_deref(), Ok(registered), "{text:?}");
        }
        // What is left is judged as any name.
        assert_eq!(name("\u{200d}\u{200c}").as_deref(), Ok("An agent at 127.0.0.1"));
        assert!(name("<\u{200d}b>").is_err() && name("\u{200d}…").is_err() && name("Ba\u{200b}\u{200d}nk").is_err());
        for member in ["software_id", "scope"] {
            let body = json!({"redirect_uris": ["http://127.0.0.1/"], member: "a\u{200d}"});
            assert!(ClientMetadata::parse(&body.to_string(), &[]).is_err(), "{member}");
        }
    }

    #[test]
    fn a_joiner_makes_no_other_name_out_of_one_of_the_west() {
        for known in ["Claude", "ChatGPT", "Visual Studio Code", "Банк", "Τράπεζα", "日本銀行"] {
            for joiner in ["\u{200c}", "\u{200d}"] {
                for at in known.char_indices().map(|(at, _)| at).chain([known.len()]) {
                    let mut text = known.to_owned();
                    text.insert_str(at, joiner);
                    assert_eq!(name(&text).as_deref(), Ok(known));
                }
            }
        }
    }

    #[test]
    fn a_name_of_emoji_alone_is_a_name() {
        assert_eq!(name("\u{1f916}").as_deref(), Ok("\u{1f916}"));
        assert!(name("\u{fe0f}").is_err() && name("—").is_err());
    }
}
