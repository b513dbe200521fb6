//! TLS with a certificate authority of its own, as most GitHub Enterprise Servers have.
//!
//! The authority is made anew at each start and trusts nobody; its certificate is a file, for `SSL_CERT_FILE`. The
//! private keys never leave memory.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// How a fake GitHub speaks TLS.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The host of its address. `localhost` is reached directly, any other name through a [`Proxy`](crate::Proxy).
    pub host: String,
    /// Where the authority's certificate is written; a folder of the fake's own when absent.
    pub ca_file: Option<PathBuf>,
}

impl Default for Tls {
    fn default() -> Self {
        Self { host: "localhost".to_owned(), ca_file: None }
    }
}

/// What a listener needs to speak TLS.
pub(crate) struct Identity {
    pub host: String,
    pub ca_file: PathBuf,
    pub acceptor: TlsAcceptor,
}

impl Identity {
    /// Makes the authority and a certificate for the host, `localhost` and 127.0.0.1, and writes the authority's.
    pub fn new(tls: &Tls, folder: &Path) -> anyhow::Result<Self> {
        let ca_file = tls.ca_file.clone().unwrap_or_else(|| folder.join("ca.pem"));
        let key = KeyPair::generate()?;
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.distinguished_name.push(DnType::CommonName, "fake-github authority");
        std::fs::write(&ca_file, authority.self_signed(&key)?.pem())?;
        let issuer = Issuer::new(authority, key);

        let key = KeyPair::generate()?;
        let names = [tls.host.as_str(), "localhost", "127.0.0.1"].map(str::to_owned);
        let mut server = CertificateParams::new(names)?;
        server.distinguished_name.push(DnType::CommonName, tls.host.as_str());
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        server.use_authority_key_identifier_extension = true;
        let certificate = server.signed_by(&key, &issuer)?;
        let secret = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], secret)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { host: tls.host.clone(), ca_file, acceptor: TlsAcceptor::from(Arc::new(config)) })
    }
}
