//! Client authentication at the provider with client id and secret (RFC 6749 §2.3.1).

use mcp_edge_runtime::base64::STANDARD;

/// The value of `Authorization` for `client_secret_basic`. Both parts are form-encoded first, as the RFC says and
/// secrets with a colon or a percent sign need.
#[must_use]
pub fn basic(client_id: &str, client_secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{}:{}", form_encode(client_id), form_encode(client_secret))))
}

/// `application/x-www-form-urlencoded` for one name or value. Space becomes `%20`, which every parser
/// accepts. (The crate `percent-encoding` 2.3 does the same with 0.9 KB more in the compressed bundle.)
#[must_use]
pub fn form_encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' => encoded.push(char::from(byte)),
            _ => {
                const HEX: &[u8; 16] = b"0123456789ABCDEF";
                encoded.push('%');
                encoded.push(char::from(HEX[usize::from(byte >> 4)]));
                encoded.push(char::from(HEX[usize::from(byte & 15)]));
            }
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_form_encoded_before_base64() {
        assert_eq!(basic("id", "p:w d"), format!("Basic {}", STANDARD.encode("id:p%3Aw%20d")));
        assert_eq!(form_encode("a+b/c="), "a%2Bb%2Fc%3D");
    }
}
