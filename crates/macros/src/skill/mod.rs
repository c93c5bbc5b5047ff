//! `include_skill!`: a folder with a `SKILL.md` becomes a `Skill` (MCP Skills extension, SEP-2640).
//!
//! Front matter, digests and entries are made while the Worker is compiled, of the bytes that are compiled in: what the Worker
//! says of a file is true of what it serves, and a request computes nothing.

mod error;
mod folder;
mod front_matter;
mod rules;

use std::{env, path::Path};

use proc_macro2::{Literal, TokenStream};
use quote::quote;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use syn::LitStr;

use error::SkillError;
use folder::{File, MANIFEST};

/// The expansion of `include_skill!("skills/setup")`.
///
/// # Errors
/// Of the compiler, at the path, if the folder is no skill that can be served.
pub fn expand(path: TokenStream) -> syn::Result<TokenStream> {
    let path: LitStr = syn::parse2(path).map_err(|error| {
        syn::Error::new(error.span(), "write the path of a folder: `include_skill!(\"skills/setup\")`")
    })?;
    let root = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    let folder = Path::new(&root).join(path.value());
    let refused = |error: &SkillError| {
        syn::Error::new(path.span(), format!("the skill {:?} cannot be included: {error}", path.value()))
    };
    let skill = read(&folder).map_err(|error| refused(&error))?;
    Ok(skill.to_tokens())
}

/// A skill, with all that is said of it.
#[derive(Debug)]
struct IncludedSkill {
    name: String,
    fields: Map<String, Value>,
    files: Vec<File>,
}

/// Reads the folder of a skill.
fn read(folder: &Path) -> Result<IncludedSkill, SkillError> {
    let files = folder::read(folder)?;
    let manifest = files.iter().find(|file| file.path == MANIFEST).map(|file| file.bytes.as_slice());
    let manifest = str::from_utf8(manifest.unwrap_or_default()).map_err(|_| SkillError::NotUtf8)?;
    let fields = front_matter::read(manifest)?;
    // The path may end with `..` or be a link: the name is that of the folder itself.
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    rules::check(&fields, &name)?;
    Ok(IncludedSkill { name, fields, files })
}

impl IncludedSkill {
    fn uri(&self, file: &File) -> String {
        format!("skill://{}/{}", self.name, file.path)
    }

    /// The entry of `skills/list` and `skills/get`.
    fn entry(&self) -> Value {
        let resources = self.files.iter().map(|file| {
            let digest = hex(&Sha256::digest(&file.bytes));
            json!({"uri": self.uri(file), "digest": format!("sha256:{digest}"), "size": file.bytes.len()})
        });
        json!({
            "uri": format!("skill://{}/{MANIFEST}", self.name),
            "frontmatter": self.fields,
            "resources": resources.collect::<Vec<_>>(),
        })
    }

    fn to_tokens(&self) -> TokenStream {
        let entry = self.entry().to_string();
        let files = self.files.iter().map(|file| {
            let (uri, media_type) = (self.uri(file), media_type(file));
            let contents = if let Ok(text) = str::from_utf8(&file.bytes) {
                quote!(Text(#text))
            } else {
                let bytes = Literal::byte_string(&file.bytes);
                quote!(Bytes(#bytes))
            };
            quote!(::mcp_edge::__private::IncludedFile {
                uri: #uri,
                mime_type: #media_type,
                contents: ::mcp_edge::__private::IncludedContents::#contents,
            })
        });
        let sources = self.files.iter().map(|file| file.source.to_string_lossy().into_owned());
        let (name, description) = (&self.name, self.fields.get("description").and_then(Value::as_str));
        quote!({
            // The contents are above already; this tells cargo which files to watch.
            const _: &[&[u8]] = &[#(::core::include_bytes!(#sources)),*];
            static SKILL: ::mcp_edge::__private::IncludedSkill = ::mcp_edge::__private::IncludedSkill {
                name: #name,
                description: #description,
                entry: #entry,
                files: &[#(#files),*],
            };
            ::mcp_edge::Skill::included(&SKILL)
        })
    }
}

/// Lower-case hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    nibbles.filter_map(|nibble| char::from_digit(nibble.into(), 16)).collect()
}

/// The media type that a file's name stands for, or the one of all text, or of all bytes.
fn media_type(file: &File) -> &'static str {
    let extension = file.path.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension.to_ascii_lowercase().as_str() {
        "md" => "text/markdown",
        "html" => "text/html",
        "css" => "text/css",
        "csv" => "text/csv",
        "js" | "mjs" => "text/javascript",
        "py" => "text/x-python",
        "sh" => "application/x-sh",
        "json" => "application/json",
        "yaml" | "yml" => "application/yaml",
        "toml" => "application/toml",
        "xml" => "application/xml",
        "pdf" => "application/pdf",
        "zip" => "application/zip",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        _ if str::from_utf8(&file.bytes).is_ok() => "text/plain",
        _ => "application/octet-stream",
    }
}

// ---------------------------------------------------------------------------------------------------------------------

/// Folders for tests.
#[cfg(test)]
mod testing {
    use std::{
        env, fs,
        path::{Path, PathBuf},
        process,
        sync::atomic::{AtomicU32, Ordering},
    };

    /// A folder that is removed in the end.
    pub struct Folder {
        root: PathBuf,
        folder: PathBuf,
    }

    impl Folder {
        /// Creates a folder of this name.
        pub fn new(name: &str) -> Self {
            static COUNT: AtomicU32 = AtomicU32::new(0);
            let unique = format!("mcp-edge-macros-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
            let root = env::temp_dir().join(unique);
            let folder = root.join(name);
            fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
            Self { root, folder }
        }

        pub fn path(&self) -> &Path {
            &self.folder
        }

        /// Writes a file, and the folders above it.
        pub fn write(&self, path: &str, bytes: &[u8]) {
            let path = self.folder.join(path);
            let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, bytes));
            written.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.root);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{testing::Folder, *};

    const MANIFEST_TEXT: &str = "---\nname: tea\ndescription: Makes tea.\nmetadata:\n  version: \"1\"\n---\n\n# Tea\n";

    #[test]
    fn the_entry_names_every_file_with_its_digest_and_size() {
        let folder = Folder::new("tea");
        folder.write("SKILL.md", MANIFEST_TEXT.as_bytes());
        folder.write("references/kinds.txt", b"abc");
        folder.write("leaf.png", &[0xff, 0]);
        let skill = read(folder.path()).unwrap_or_else(|error| panic!("{error}"));
        let entry = skill.entry();
        assert_eq!(entry["uri"], "skill://tea/SKILL.md");
        let frontmatter = json!({"name": "tea", "description": "Makes tea.", "metadata": {"version": "1"}});
        assert_eq!(entry["frontmatter"], frontmatter);
        // FIPS 180-4, "abc".
        let digest = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let expected = json!({"uri": "skill://tea/references/kinds.txt", "digest": digest, "size": 3});
        assert_eq!(entry["resources"][2], expected);
        let files: Vec<_> = skill.files.iter().map(|file| (skill.uri(file), media_type(file))).collect();
        let of = |path: &str, kind| (format!("skill://tea/{path}"), kind);
        assert_eq!(
            files,
            [of("SKILL.md", "text/markdown"), of("leaf.png", "image/png"), of("references/kinds.txt", "text/plain")]
        );
        assert_eq!(entry["resources"][0]["size"], MANIFEST_TEXT.len());
    }

    #[test]
    fn files_are_known_by_their_names_and_otherwise_by_their_bytes() {
        let of = |path: &str, bytes: &[u8]| {
            media_type(&File { path: path.to_owned(), source: "".into(), bytes: bytes.to_vec() })
        };
        assert_eq!(of("a/b.PDF", b"%PDF"), "application/pdf");
        assert_eq!(of("LICENSE", b"text"), "text/plain");
        assert_eq!(of("data.bin", &[0xff]), "application/octet-stream");
    }

    #[test]
    fn a_manifest_that_breaks_a_rule_makes_no_skill() {
        let folder = Folder::new("coffee");
        folder.write("SKILL.md", MANIFEST_TEXT.as_bytes());
        let other = SkillError::OtherFolder { name: "tea".to_owned(), folder: "coffee".to_owned() };
        assert_eq!(read(folder.path()).map(|skill| skill.name), Err(other));
        folder.write("SKILL.md", &[b'-', b'-', b'-', b'\n', 0xff]);
        assert_eq!(read(folder.path()).map(|skill| skill.name), Err(SkillError::NotUtf8));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_fix_where_the_path_is() {
        let error = |tokens: TokenStream| match expand(tokens) {
            Ok(tokens) => panic!("{tokens}"),
            Err(error) => error.to_string(),
        };
        assert!(error(quote!(skills)).contains("write the path of a folder"));
        assert!(error(quote!("a", "b")).contains("write the path of a folder"));
        let missing = error(quote!("no/such/skill"));
        assert!(
            missing.contains("\"no/such/skill\" cannot be included") && missing.contains("Cargo.toml"),
            "{missing}"
        );
    }
}
