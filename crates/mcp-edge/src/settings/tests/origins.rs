//! Origins that no web page has: those of browser extensions and applications.

use super::*;

#[test]
fn browser_extensions_are_origins_by_their_ids() {
    let extensions = "chrome-extension://nmmhkkegccagdldgiimedpiccmgmieda \
                      moz-extension://a1cd9ab7-ab15-462c-9315-8eece8e16982 \
                      safari-web-extension://E9B0EB5E-3A2C-4D6F-8B1A-0C7D2F3A4B5C";
    let listed = extensions.split(' ').map(str::to_owned).collect();
    assert_eq!(parse(&[("ALLOWED_ORIGINS", extensions)]).unwrap().origins, Origins::Listed(listed));
}

#[test]
fn applications_are_origins_by_their_schemes() {
    let apps = "tauri://localhost http://tauri.localhost capacitor://localhost https://localhost ionic://localhost app://. \
                app://obsidian.md vscode-webview://0a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8s9t0u1v2w3x4y5z";
    let listed = apps.split(' ').map(str::to_owned).collect();
    assert_eq!(parse(&[("ALLOWED_ORIGINS", apps)]).unwrap().origins, Origins::Listed(listed));
    for wrong in
        ["tauri://", "tauri://localhost/", "tauri://*", "Tauri://localhost", "tauri:localhost", "tuari://localhost"]
    {
        let error = only_error(&[("ALLOWED_ORIGINS", wrong)]);
        assert!(error.contains(wrong) && error.contains("no slash at the end"), "{error}");
    }
    for other in ["file://", "data://x", "javascript://localhost", "null"] {
        assert!(only_error(&[("ALLOWED_ORIGINS", other)]).contains("must be an origin"), "{other}");
    }
}
