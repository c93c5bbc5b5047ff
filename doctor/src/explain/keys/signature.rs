//! Verification of signatures by `jsonwebtoken`, of RSA by `rsa` (for long keys) and of ES512 by `p521`: other code than
//! `WebCrypto`, which the Worker uses.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey};
use p521::ecdsa::{Signature, VerifyingKey, signature::Verifier};
use rsa::{BigUint, Pkcs1v15Sign, Pss, RsaPublicKey};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::jwk::{Curve, Jwk, MAX_RSA_BITS, Material};

/// Why a signature is not good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatureError {
    /// The key is broken, for example no point of its curve.
    Key(String),
    /// The signature has another length than those of this key.
    Length(usize),
    /// The signature was made by another key, or of another token.
    Wrong,
}

/// Verifies a signature.
///
/// # Errors
/// [`SignatureError`] if it is not a signature of the message by the key.
pub fn verify(key: &Jwk, algorithm: &str, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
    let expected = match &key.material {
        Material::Rsa { n, .. } => decode(n).into_iter().skip_while(|byte| *byte == 0).count(),
        Material::Ec { curve, .. } => 2 * curve.bytes(),
        Material::Ed25519 { .. } => 64,
    };
    if signature.len() != expected {
        return Err(SignatureError::Length(signature.len()));
    }
    let broken = |error: &dyn std::fmt::Display| SignatureError::Key(error.to_string());
    let decoding_key = match &key.material {
        Material::Ec { curve: Curve::P521, x, y } => {
            let point = [vec![4], decode(x), decode(y)].concat();
            let key = VerifyingKey::from_sec1_bytes(&point).map_err(|error| broken(&error))?;
            let is_good =
                Signature::from_slice(signature).is_ok_and(|signature| key.verify(message, &signature).is_ok());
            return if is_good { Ok(()) } else { Err(SignatureError::Wrong) };
        }
        Material::Ec { x, y, .. } => DecodingKey::from_ec_components(x, y),
        Material::Rsa { n, e } => {
            let [n, e] = [n, e].map(|number| BigUint::from_bytes_be(&decode(number)));
            let key = RsaPublicKey::new_with_max_size(n, e, MAX_RSA_BITS).map_err(|error| broken(&error))?;
            return if is_of_rsa(&key, algorithm, message, signature) { Ok(()) } else { Err(SignatureError::Wrong) };
        }
        Material::Ed25519 { x } => DecodingKey::from_ed_components(x),
    };
    let decoding_key = decoding_key.map_err(|error| broken(&error))?;
    // The library knows EdDSA by its older name alone.
    let name = if algorithm == "Ed25519" { "EdDSA" } else { algorithm };
    let algorithm: Algorithm = name.parse().map_err(|error| broken(&error))?;
    match jsonwebtoken::crypto::verify(&URL_SAFE_NO_PAD.encode(signature), message, &decoding_key, algorithm) {
        Ok(true) => Ok(()),
        Ok(false) => Err(SignatureError::Wrong),
        Err(error) => Err(broken(&error)),
    }
}

/// Whether it is a signature by an RSA key (RFC 7518 §3.3 and §3.5). A salt is as long as the hash.
fn is_of_rsa(key: &RsaPublicKey, algorithm: &str, message: &[u8], signature: &[u8]) -> bool {
    let verified = match algorithm {
        "RS256" => key.verify(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message), signature),
        "RS384" => key.verify(Pkcs1v15Sign::new::<Sha384>(), &Sha384::digest(message), signature),
        "RS512" => key.verify(Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(message), signature),
        "PS256" => key.verify(Pss::new_with_salt::<Sha256>(32), &Sha256::digest(message), signature),
        "PS384" => key.verify(Pss::new_with_salt::<Sha384>(48), &Sha384::digest(message), signature),
        "PS512" => key.verify(Pss::new_with_salt::<Sha512>(64), &Sha512::digest(message), signature),
        _ => return false,
    };
    verified.is_ok()
}

/// Numbers of a [`Material`] are base64url: the key was read.
fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Made by OpenSSL: a key of 5120 bits, and its signatures of "a message".
    const MODULUS: &str = "c37de854ac3c8f55692ea8b63da7c78f95896a954ea54531d9d4019ee6e5c6f4839eabbc4309149099a45f67bc0624e78fe01ed97aae6dc0ae9f17d334bd7c96b75c79a342aeaf495db52d8679e728149f82acbcd5be9e1e07b42a31062090d0adec2bc41bb6b2f4b458fc21a435eb568ab4c354226f64e914cc8cc6b3d85127728abdf654ad33b88ee4763c1469d802f1bacd33cbdcd66c5e97a607098cafc6611686ebcd46f199f7cee46eefa32860b2ec1612991949c27a5fdcab76b4703a4dc7e48d5814b701375a29f13c3d02c5770fc078ea416db5e8526a7a25d8e4f62627da197168e653ed556cc25538f72f72804489915a5970dc336f167a57e034577ea436696fdb9b6f18de08016823ec235ac1141c9be54bb107eccfee4403071290ed9b6877ad07d0c90f340602029a7d0643ee0d080664f193efe0413103f03e2f4b8d5551bc73350f4d7fee918add236ad9c47572ee56ac23ff400778b717b08bdf6d6db4ed2b22d3e34a12de5aaf22a26ce66fc7e675a286463af2954a0a502595b22a506b365c066b88e89f096c99c4f4088c9564c8916ea899c40c06850b3f9f20484d42ec6364d9a420d9ae8c27f38c9e3d7c63987e73265c59a11b35db4e2fea41e33b16890dd32d870b1e85102dc6fac709c0d46e607638f9b2c27a9b3a293ef18a701bc1d2c821054f4f531051c07cf39223c3b33e2d06086d4b029c1c43a0b082cfbdc335377099d79716c64a819b93bfe76a29b0a27dd2358c19c5fa0fc34dee3d1ee35eb76e8e177fb3dea446bfb5e0bb7db6e0cf2a6ae3668da73784bc08e5338ee51572a392825e2a7bd2cd74547a1d82406e2c1958668beb39370a780b69dee657ce17154595b9769154b363b6ad0ad02ecfcdd97750585f";
    const RS256: &str = "185c3f9e418ba5446e58072ef9354e4d693d668a29f5be377665cb3d354905960707bcb2580a5c78495dca3f32d06bbc86c18a4c4ee955270296046be167b20a5b69b4c3af47fefb0225862d3ca0d3c6e9c00b4c5467e60c16d8218bcf7931cafa72d16d9cf4b07148cbbdfbb0ee958a85b8a55d94f8c46b3d31922c0e93f7de5d5dbff8f2e792a69703b61453fe7bc8c5dcf46cb37b5189348c4d57ee7c91c77b5043aff3ef06a65d72ee68dc9b3c37ba1b9f94e0a825bf6f415cbf8cc0ead626fcc9f49f8b65ce55cd44e7fa66edc2c078154370d44d3c6987d34864925f4637edfd25255a1db60b92332fc0c59df2cc279c31018f05d708f5202a9fe8caf7faa7341ae4f26cc484075f22c79013acb68e2f36ba80b6c5c4d185e28cec137b94a2f8b24037f6eefc18ec6253062b9aba440a49f9bf5fc038dcd47d8e67b658c18d2a8a4462c07d016c48d22ddb96bd73620d12a7b8d89e4b77fd44c5f3864ad7cc327cc6bdf44a5492ebeab6a7de90f3e92361a495445a7a79e051f3e12d59583f9b51c8580acc36c812d53c216302c8965df3e1822c3a1b1865033851d9ce506c848e9d4da24bd52df657e246f1b4d9cc388ba1f6d06abcdba574524f2086dd79b4ed43ba9d53bb588f38b1601910d6645d8b6a31faa149f53a1d43e7f66867a191186460f05337194208f328830871577dc2fdde85cb113e8a8cff16b2a6920fb0c9e4b8f1ec776a072b27cc3ea29df71672162489c236d9b855626ff56816a64b98f5363633d76b6f920351f0637dd276c447551ef3489fc84af64e75320265646619e6b31a5f17273b0ca8d50565f361b9970092bfe3044d57622b035dadd489e33e5787cbd8f995a18b0dca5fa9439cd286104f92c6bc9f6453d5b90e";
    const PS256: &str = "61a677ae3973cb8b2c20ef341f93aad07defc24344343cec27a0085cab1ce6c3d6a94a68deeb4e97dac2e50852c638ba8116c9a2e7457e7b3fdce6ff7bf53ec11f2700a8bea6ca9d66458937e4c0e6b587425e4eadde440aceaadbff5c9d240f31d4bc01ef43b68654fedaa9a1b48ba32433149afa3c48ee8dcd8ebfd7cdb542c8dfc250de5349bc046ceb5ba842318af8820dd54a9ef17b6f17b15ae13b276ea84ffd587ec4dcab48e183407ab2d7608939569bd6a08fdd778e6e25b222ba13a747880c718e4b5f647172db12d909228d9821e81c53f4dd8e955c66f9bbcfc2c6a49ebfb51dd42bd05eb6f03798fb6ade6f16de52f8e6f8d011e4e5ea71e3abfdfde59db935c019ddbdede62971e9abd82c0410cabd6573e91c2025df2664938e1c18f9a0f52693cc3bd7a2282ba3f9f2d8a44767a08cdbeb473325ba2d693ed0a72fd42a8118930e1344570fc1b8ccf85927ac916951909abd779634b90121d8bcd629d86915d96938baa3422198b0d72c4339bad933cc532d0114bf2e36281643fef96146a5f47781edbe0ad0b405252632a1824e9108eb6861705d17074a001b7e243cd2bcd4c9f90ad22964e640a440de48f6da80650c9cb1820ab8ed7814f8fa09e0433edac81d9918c9ed9a8663763abeb70fbcb7db9b012aa768118ae1f48dd342407840d9a12df271f2cbcbf67821e4e61f01c4e6097bc1fb8501e1cf20b4eff58da11ab2f7b30b9bb88052bae40323a490cd52004567ae9e2bd12e5e87ecf0a9f857caab9bbf22384e592c390aed67eb4f8938dcb817a5dc385e234bf8c4d653abd758449be061502d268ebcfe39f8c4eedae0354d769c7c98ca81c3e410fde764a41f4b823068c880d6b8cf04ded36e3d6fb33db0b2fa9f7bd024";

    fn hexadecimal(text: &str) -> Vec<u8> {
        let digit = |byte: u8| u8::try_from(char::from(byte).to_digit(16).unwrap()).unwrap();
        text.as_bytes().chunks(2).map(|pair| digit(pair[0]) * 16 + digit(pair[1])).collect()
    }

    #[test]
    fn keys_of_more_than_4096_bits_verify() {
        let modulus = URL_SAFE_NO_PAD.encode(hexadecimal(MODULUS));
        let key = Jwk::parse(&json!({ "kty": "RSA", "n": modulus, "e": "AQAB" })).unwrap();
        for (algorithm, signature) in [("RS256", RS256), ("PS256", PS256)] {
            let signature = hexadecimal(signature);
            assert_eq!(verify(&key, algorithm, b"a message", &signature), Ok(()), "{algorithm}");
            assert_eq!(verify(&key, algorithm, b"another", &signature), Err(SignatureError::Wrong), "{algorithm}");
        }
    }
}
