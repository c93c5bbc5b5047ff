//! Why a folder is no skill that can be served. Each variant is one rule, and says how to keep it.

use std::path::PathBuf;

/// What is wrong with a folder, or with its `SKILL.md`.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SkillError {
    #[error("{} cannot be read: {problem}. The path is relative to the folder of Cargo.toml", path.display())]
    Unreadable { path: PathBuf, problem: String },
    #[error("{} has no SKILL.md. A skill is a folder with a file of exactly that name", .0.display())]
    NoManifest(PathBuf),
    #[error("SKILL.md is not UTF-8. Save it as UTF-8")]
    NotUtf8,
    #[error("SKILL.md has no front matter. Its first line must be `---`, without a byte order mark")]
    NoFrontMatter,
    #[error("the front matter of SKILL.md does not end. Add a line `---` before the instructions")]
    Unclosed,
    #[error("line {line} of SKILL.md is not valid YAML: {problem}")]
    Yaml { line: usize, problem: String },
    #[error("the front matter of SKILL.md is no mapping. Write `name: …` and `description: …`, each on its line")]
    NoMapping,
    #[error("line {line} of SKILL.md: hosts do not read {what}. Write the value itself")]
    Unsupported { line: usize, what: &'static str },
    #[error("line {line} of SKILL.md: `{key}` is there twice. Remove one")]
    DuplicateKey { line: usize, key: String },
    #[error(
        "line {line} of SKILL.md: readers of YAML differ about what `{value}` is. Put it in quotes if it is text; write \
         a number in decimal digits, and a truth value as `true` or `false`"
    )]
    Ambiguous { line: usize, value: String },
    #[error("the front matter of SKILL.md has no `{0}`. Add it")]
    Missing(&'static str),
    #[error("`{0}` in SKILL.md must be text. Put it in quotes")]
    NoText(&'static str),
    #[error("`{0}` in SKILL.md is empty. Write it, or remove it if it is optional")]
    Empty(&'static str),
    #[error("`{field}` in SKILL.md has {length} characters, and at most {limit} are allowed. Shorten it")]
    TooLong { field: &'static str, length: usize, limit: usize },
    #[error(
        "the name {0:?} in SKILL.md is not made of a-z, 0-9 and single hyphens between them, 64 characters at most. \
         Change it, and the folder's name with it"
    )]
    Name(String),
    #[error("SKILL.md has the name {name:?}, and its folder is called {folder:?}. Both must be the same: rename one")]
    OtherFolder { name: String, folder: String },
    #[error("`metadata` in SKILL.md must map text to text. Put numbers and truth values in quotes")]
    Metadata,
    #[error(
        "the file name {0:?} has characters beside A-Z, a-z, 0-9, `.`, `_` and `-`, which mean something else in URIs. \
         Rename it, or remove it from the skill"
    )]
    FileName(String),
    #[error("{0} is neither a file nor a folder, but a link. Put the file itself there")]
    Link(String),
    #[error("{0} is a skill in a skill. Move its folder beside this one, and include it by itself")]
    Nested(String),
    #[error("the skill has {0} files, and hosts need not take more than 512. Remove some, or make two skills of it")]
    TooManyFiles(usize),
    #[error("the files of the skill have {0} bytes, and hosts need not take more than 16 MiB. Remove some")]
    TooLarge(usize),
}
