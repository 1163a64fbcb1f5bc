//! TLS of a listener: rustls with ring, everything from PEM files. Knows nothing of MQTT.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

use crate::config::ListenerTls;

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{path}: {cause}")]
    File { path: PathBuf, cause: rustls::pki_types::pem::Error },
    #[error("{path}: no certificate in it")]
    Empty { path: PathBuf },
    #[error("{path}: {cause}")]
    Verifier { path: PathBuf, cause: rustls::server::VerifierBuilderError },
    #[error(transparent)]
    Rustls(#[from] rustls::Error),
}

pub(super) fn acceptor(tls: &ListenerTls) -> Result<TlsAcceptor, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier: Arc<dyn ClientCertVerifier> = match &tls.client_ca_file {
        None => WebPkiClientVerifier::no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path)? {
                roots.add(certificate)?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone()).build();
            verifier.map_err(|cause| TlsError::Verifier { path: path.clone(), cause })?
        }
    };
    let key_error = |cause| TlsError::File { path: tls.key_file.clone(), cause };
    let key = PrivateKeyDer::from_pem_file(&tls.key_file).map_err(key_error)?;
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(certificates(&tls.certificate_file)?, key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let error = |cause| TlsError::File { path: path.to_owned(), cause };
    let certificates: Vec<_> =
        CertificateDer::pem_file_iter(path).map_err(error)?.collect::<Result<_, _>>().map_err(error)?;
    if certificates.is_empty() {
        return Err(TlsError::Empty { path: path.to_owned() });
    }
    Ok(certificates)
}
