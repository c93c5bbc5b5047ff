//! Joiners, and selectors of an emoji's look, in names: which of them are seen.
//!
//! The zero width joiner and non-joiner belong to the spelling of some languages and to many emoji, and the selectors of an
//! emoji's look (FE0E, FE0F) to emoji. Elsewhere nobody sees them, so there they are left out: what is registered, shown and
//! compared is the name as it is seen. That makes no name unique: two clients may have the same one, and letters of
//! different scripts look alike.

const NON_JOINER: char = '\u{200c}';
const JOINER: char = '\u{200d}';

/// The colours of skin of an emoji, from the first to the last.
const SKIN_FIRST: char = '\u{1f3fb}';
const SKIN_LAST: char = '\u{1f3ff}';

/// Whether it is the zero width joiner or non-joiner.
pub(super) const fn is_joiner(character: char) -> bool {
    matches!(character, JOINER | NON_JOINER)
}

/// Whether it selects how an emoji looks: as a character of the text, or in colour.
pub(super) const fn is_selector(character: char) -> bool {
    matches!(character, '\u{fe0e}' | '\u{fe0f}')
}

/// Leaves out each joiner, non-joiner and selector that changes nothing. These stay:
///
/// | what | where |
/// |---|---|
/// | non-joiner | between two letters of Arabic that would join (RFC 5892 Appendix A.1) |
/// | joiner, non-joiner | between a virama and a consonant (UAX #31 §2.3.1); a joiner after a consonant that it makes a half form of |
/// | joiner | between two emoji that make another together (UTS #51) |
/// | selector of a look | after a character that has two, one of them that of an emoji; in a keycap |
pub(super) fn without_idle(name: &str) -> String {
    let mut kept = String::with_capacity(name.len());
    // The last character that was kept, and the last one that is neither a vowel sign of Arabic nor belongs to the look of
    // the emoji before it.
    let (mut last, mut base) = (' ', ' ');
    let mut rest = name.chars();
    while let Some(character) = rest.next() {
        let next = rest.clone().next().unwrap_or(' ');
        let next_base = rest.clone().find(|it| !is_arabic_mark(*it)).unwrap_or(' ');
        let stays = match character {
            NON_JOINER => (joins_next(base) && joins_previous(next_base)) || is_conjunct(last, next),
            JOINER => is_conjunct(last, next) || makes_half_form(last) || is_sequence(base, next),
            '\u{fe0e}' | '\u{fe0f}' => {
                has_two_looks(last) || (matches!(last, '0'..='9' | '#' | '*') && next == '\u{20e3}')
            }
            _ => true,
        };
        if stays {
            kept.push(character);
            last = character;
            if !is_arabic_mark(character) && !matches!(character, '\u{fe0e}' | '\u{fe0f}' | SKIN_FIRST..=SKIN_LAST) {
                base = character;
            }
        }
    }
    kept
}

/// Whether these are a virama, the sign that joins two consonants in the scripts of India, Sri Lanka, Myanmar and Cambodia,
/// and a consonant of the same script.
const fn is_conjunct(virama: char, consonant: char) -> bool {
    let (block, place) = (consonant as u32 & !0x7f, consonant as u32 & 0x7f);
    match virama {
        '\u{dca}' => matches!(consonant, '\u{d9a}'..='\u{dc6}'),
        '\u{1039}' => matches!(consonant, '\u{1000}'..='\u{1021}' | '\u{103f}' | '\u{1050}'..='\u{1081}'),
        '\u{17d2}' => matches!(consonant, '\u{1780}'..='\u{17b3}'),
        // Nine scripts have both at the same places of their blocks.
        '\u{900}'..='\u{d7f}' => {
            virama as u32 == block + 0x4d
                && (matches!(place, 0x15..=0x39 | 0x58..=0x5f)
                    || matches!(consonant, '\u{9f0}' | '\u{9f1}' | '\u{d3a}'))
        }
        _ => false,
    }
}

/// Whether it is a virama after which a joiner is seen at the end of a word, too: of Devanagari, Bengali, Gujarati and
/// Malayalam.
const fn makes_half_form(virama: char) -> bool {
    matches!(virama, '\u{94d}' | '\u{9cd}' | '\u{acd}' | '\u{d4d}')
}

/// Marks of Arabic that stand between letters which join all the same: `Joining_Type` T.
const fn is_arabic_mark(character: char) -> bool {
    matches!(character,
        '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6dc}' | '\u{6df}'..='\u{6e4}'
        | '\u{6e7}'..='\u{6e8}' | '\u{6ea}'..='\u{6ed}')
}

/// Letters of Arabic that join the next one: `Joining_Type` D.
const fn joins_next(character: char) -> bool {
    matches!(character,
        '\u{620}' | '\u{626}' | '\u{628}' | '\u{62a}'..='\u{62e}' | '\u{633}'..='\u{63f}' | '\u{641}'..='\u{647}'
        | '\u{649}'..='\u{64a}' | '\u{66e}'..='\u{66f}' | '\u{678}'..='\u{687}' | '\u{69a}'..='\u{6bf}'
        | '\u{6c1}'..='\u{6c2}' | '\u{6cc}' | '\u{6ce}' | '\u{6d0}'..='\u{6d1}' | '\u{6fa}'..='\u{6fc}' | '\u{6ff}')
}

/// Letters of Arabic that join the previous one: `Joining_Type` R or D.
const fn joins_previous(character: char) -> bool {
    joins_next(character)
        || matches!(character,
            '\u{622}'..='\u{625}' | '\u{627}' | '\u{629}' | '\u{62f}'..='\u{632}' | '\u{648}' | '\u{671}'..='\u{673}'
            | '\u{675}'..='\u{677}' | '\u{688}'..='\u{699}' | '\u{6c0}' | '\u{6c3}'..='\u{6cb}' | '\u{6cd}' | '\u{6cf}'
            | '\u{6d2}'..='\u{6d3}' | '\u{6d5}' | '\u{6ee}'..='\u{6ef}')
}

/// Whether a joiner between these makes one emoji of them: people at work, of a sex, with hair, who look to the right;
/// families and couples; and the others of which there is one each (`emoji-zwj-sequences.txt` of UTS #51).
const fn is_sequence(first: char, second: char) -> bool {
    const fn is_person(character: char) -> bool {
        matches!(character, '\u{1f466}'..='\u{1f469}' | '\u{1f9d1}'..='\u{1f9d2}')
    }
    /// What stands between two people.
    const fn is_between(character: char) -> bool {
        matches!(character, '\u{2764}' | '\u{1f48b}' | '\u{1f91d}' | '\u{1f430}' | '\u{1faef}')
    }
    match second {
        '\u{2640}' | '\u{2642}' => matches!(first,
            '\u{26f9}' | '\u{1f3c3}'..='\u{1f3cc}' | '\u{1f46e}'..='\u{1f487}' | '\u{1f575}' | '\u{1f645}'..='\u{1f64e}'
            | '\u{1f6a3}' | '\u{1f6b4}'..='\u{1f6b6}' | '\u{1f926}'..='\u{1f93e}' | '\u{1f9b8}'..='\u{1f9b9}'
            | '\u{1f9cd}'..='\u{1f9df}'),
        '\u{27a1}' => matches!(
            first,
            '\u{2640}' | '\u{2642}' | '\u{1f3c3}' | '\u{1f6b6}' | '\u{1f9ce}' | '\u{1f9af}' | '\u{1f9bc}'..='\u{1f9bd}'
        ),
        '\u{2695}'
        | '\u{2696}'
        | '\u{2708}'
        | '\u{1f33e}'
        | '\u{1f373}'
        | '\u{1f37c}'
        | '\u{1f384}'
        | '\u{1f393}'
        | '\u{1f3a4}'
        | '\u{1f3a8}'
        | '\u{1f3eb}'
        | '\u{1f3ed}'
        | '\u{1f4bb}'
        | '\u{1f4bc}'
        | '\u{1f527}'
        | '\u{1f52c}'
        | '\u{1f680}'
        | '\u{1f692}'
        | '\u{1f9af}'..='\u{1f9b3}'
        | '\u{1f9bc}'..='\u{1f9bd}'
        | '\u{1fa70}' => is_person(first),
        _ if is_person(second) => is_person(first) || is_between(first),
        '\u{1f48b}' if first == '\u{2764}' => true,
        _ if is_between(second) && is_person(first) => true,
        _ => matches!(
            (first, second),
            ('\u{1f3f3}', '\u{1f308}' | '\u{26a7}')
                | ('\u{1f3f4}', '\u{2620}')
                | ('\u{2764}', '\u{1f525}' | '\u{1fa79}')
                | ('\u{1f408}' | '\u{1f426}', '\u{2b1b}')
                | ('\u{1f426}', '\u{1f525}')
                | ('\u{1f415}', '\u{1f9ba}')
                | ('\u{1f43b}', '\u{2744}')
                | ('\u{1f441}', '\u{1f5e8}')
                | ('\u{1f62e}', '\u{1f4a8}')
                | ('\u{1f635}', '\u{1f4ab}')
                | ('\u{1f636}', '\u{1f32b}')
                | ('\u{1f642}', '\u{2194}' | '\u{2195}')
                | ('\u{1f34b}', '\u{1f7e9}')
                | ('\u{1f344}', '\u{1f7eb}')
                | ('\u{26d3}', '\u{1f4a5}')
                | ('\u{1faf1}', '\u{1faf2}')
        ),
    }
}

/// Whether it can look as a character of the text and as an emoji.
const fn has_two_looks(character: char) -> bool {
    // The letters of flags, and colours of skin, have one.
    (is_emoji(character) && !matches!(character, '\u{1f1e6}'..='\u{1f1ff}' | SKIN_FIRST..=SKIN_LAST))
        || matches!(character,
            '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{2196}'..='\u{2199}'
            | '\u{21a9}'..='\u{21aa}' | '\u{231a}'..='\u{231b}' | '\u{2328}' | '\u{23cf}' | '\u{23e9}'..='\u{23f3}'
            | '\u{23f8}'..='\u{23fa}' | '\u{24c2}' | '\u{25aa}'..='\u{25ab}' | '\u{25b6}' | '\u{25c0}'
            | '\u{25fb}'..='\u{25fe}' | '\u{2934}'..='\u{2935}' | '\u{2b05}'..='\u{2b07}' | '\u{2b1c}' | '\u{2b50}'
            | '\u{2b55}' | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}')
}

/// The characters that most emoji are made of.
pub(super) const fn is_emoji(character: char) -> bool {
    matches!(character,
        '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{2194}'..='\u{2195}' | '\u{2b1b}')
}
