//! The certificates of `--ca-file`.

use rustls_pki_types::{CertificateDer, pem::PemObject};

/// Certificates of authorities, at least one, in DER.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificates(Vec<Vec<u8>>);

/// Why a file contains no certificates.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The file is not PEM.
    #[error("the file is not PEM: {0}")]
    NotPem(String),
    /// The file is PEM, but contains no certificate.
    #[error("the file contains no certificate")]
    NoCertificate,
}

impl Certificates {
    /// Each of them, in DER.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(Vec::as_slice)
    }
}

/// Reads the certificates of a PEM file.
///
/// # Errors
/// [`CertificateError`] if the file is not PEM or contains no certificate.
pub fn certificates(pem: &[u8]) -> Result<Certificates, CertificateError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).map(|it| it.map(|it| it.to_vec())).collect();
    let found = found.map_err(|error| CertificateError::NotPem(error.to_string()))?;
    if found.is_empty() { Err(CertificateError::NoCertificate) } else { Ok(Certificates(found)) }
}
