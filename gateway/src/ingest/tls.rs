//! TLS of a connection that we make: rustls with ring, roots from a file or from the system. Knows nothing of protocols.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rumqttc::{TlsConfiguration, TlsError as ClientTlsError};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

#[derive(Debug, thiserror::Error)]
pub(super) enum TlsError {
    #[error("{path}: {cause}")]
    File { path: PathBuf, cause: rustls::pki_types::pem::Error },
    #[error("{path}: no certificate in it")]
    Empty { path: PathBuf },
    #[error("the system's certificates: {0}")]
    System(#[from] ClientTlsError),
    #[error("{0}")]
    Rustls(#[from] rustls::Error),
}

pub(super) fn client_config(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, TlsError> {
    let Some(path) = ca_file else {
        return match TlsConfiguration::try_default_rustls()? {
            TlsConfiguration::Rustls(config) => Ok(config),
            TlsConfiguration::Simple { .. } => Err(TlsError::Rustls(rustls::Error::General("no configuration".into()))),
        };
    };
    let file_error = |cause| TlsError::File { path: path.to_owned(), cause };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(file_error)? {
        roots.add(certificate.map_err(file_error)?)?;
    }
    if roots.is_empty() {
        return Err(TlsError::Empty { path: path.to_owned() });
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}
