//! The name of a client (`client_name`, RFC 7591 §2), which users read when they are asked to allow access.

use std::borrow::Cow;

use super::{
    error::MetadataError,
    joiners::{is_emoji, is_joiner, is_selector, without_idle},
    members::{Members, is_invisible},
    page_uri,
};

/// The longest name, in characters. A consent page shows it in its heading.
pub const MAX_NAME_CHARACTERS: usize = 80;

/// Reads the name: a short text, without markup, that can be seen and cannot change how the text around it looks. A client
/// without a name gets one.
///
/// # Errors
/// `invalid_client_metadata` if the name is none of that.
pub(super) fn client_name(reader: &Members<'_>, redirect_uris: &[String]) -> Result<String, MetadataError> {
    const MEMBER: &str = "client_name";
    let wrong = |problem: String| Err(MetadataError::metadata(MEMBER, problem));
    let mut name = Cow::Borrowed(reader.string(MEMBER, 4 * MAX_NAME_CHARACTERS)?.unwrap_or_default());
    if name.contains(|it| is_joiner(it) || is_selector(it)) {
        name = Cow::Owned(without_idle(&name));
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
            // A mark between the letters, a form of consonants, a keycap, a watch and a trademark in colour, families, a
            // woman who runs to the right.
            "مِ\u{200c}ن",
            "ক্\u{200c}ষ",
            "க்\u{200c}ஷ",
            "र्\u{200d}",
            "Agent 1\u{fe0f}\u{20e3}",
            "\u{231a}\u{fe0e} Agent\u{2122}\u{fe0f}",
            "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
            "\u{1f469}\u{200d}\u{2764}\u{fe0f}\u{200d}\u{1f468}",
            "\u{1f3c3}\u{1f3fd}\u{200d}\u{2640}\u{fe0f}\u{200d}\u{27a1}\u{fe0f}",
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
            // Before a letter that does not join, a mark without one, a letter of another script.
            ("شي\u{200c}ء", "شيء"),
            ("شي\u{200c}\u{674}", "شي\u{674}"),
            ("شي\u{200c}\u{6e5}", "شي\u{6e5}"),
            ("شي\u{200c}\u{64e}", "شي\u{64e}"),
            ("شي\u{200c}\u{64e}ء", "شي\u{64e}ء"),
            ("ـ\u{200c}ن", "ـن"),
            ("شيa\u{200c}ن", "شيaن"),
            // After a virama that is seen anyway.
            ("தமிழ்\u{200c}", "தமிழ்"),
            ("தமிழ்\u{200d}", "தமிழ்"),
            ("தமிழ்\u{200c} Agent", "தமிழ் Agent"),
            ("क्\u{200c}a", "क्a"),
            ("क्\u{200c}अ", "क्अ"),
            ("क्\u{200c}\u{200d}ष", "क्\u{200d}ष"),
            ("a\u{fe0f}\u{200d}\u{1f525}", "a\u{1f525}"),
            // Emoji that are no sequence, and a look that nothing has.
            ("\u{1f525}\u{200d}\u{1f525}", "\u{1f525}\u{1f525}"),
            ("\u{1f525}\u{200d}\u{1f4bb}", "\u{1f525}\u{1f4bb}"),
            ("\u{1f916}\u{200d}\u{2640}\u{fe0f}", "\u{1f916}\u{2640}\u{fe0f}"),
            ("\u{2764}\u{fe0f}\u{fe0f}", "\u{2764}\u{fe0f}"),
            ("Claude\u{fe0f}", "Claude"),
            ("Cl\u{fe0f}au\u{fe0e}de", "Claude"),
            ("GPT-4\u{fe0f}", "GPT-4"),
            ("Банк\u{fe0e}", "Банк"),
            ("\u{1f525}\u{200d}Agent", "\u{1f525}Agent"),
            ("\u{1f469}\u{200d}\u{200d}\u{1f4bb}", "\u{1f469}\u{200d}\u{1f4bb}"),
            ("\u{1f469}\u{200c}\u{1f4bb}", "\u{1f469}\u{1f4bb}"),
        ] {
            assert_eq!(name(text).as_deref(), Ok(registered), "{text:?}");
            assert_eq!(name(registered).as_deref(), Ok(registered), "and as it was registered: {text:?}");
        }
        // What is left is judged as any name.
        for invisible in ["\u{200d}\u{200c}", "\u{fe0f}"] {
            assert_eq!(name(invisible).as_deref(), Ok("An agent at 127.0.0.1"));
        }
        assert!(name("<\u{200d}b>").is_err() && name("\u{200d}…").is_err() && name("Ba\u{200b}\u{200d}nk").is_err());
        for member in ["software_id", "scope"] {
            let body = json!({"redirect_uris": ["http://127.0.0.1/"], member: "a\u{200d}"});
            assert!(ClientMetadata::parse(&body.to_string(), &[]).is_err(), "{member}");
        }
    }

    #[test]
    fn a_joiner_makes_no_other_name_out_of_one_of_the_west() {
        for known in ["Claude", "ChatGPT", "Visual Studio Code", "Банк", "Τράπεζα", "日本銀行"] {
            for joiner in ["\u{200c}", "\u{200d}", "\u{fe0e}", "\u{fe0f}"] {
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
        assert!(name("—\u{fe0f}").is_err() && name("—").is_err());
    }
}
