//! RTSPS for a client library that speaks RTSP over TCP only: a TLS connection to the camera, whose plain end is a port of
//! the loopback interface that takes one connection. Knows nothing of RTSP.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::error::RtspError;

/// Port of RTSPS (IANA).
pub(super) const PORT: u16 = 322;

/// Our own client connects at once; if it does not, nobody else shall.
const ACCEPT_LIMIT: Duration = Duration::from_secs(5);

pub(super) struct Tunnel {
    host: String,
    port: u16,
    name: ServerName<'static>,
    connector: TlsConnector,
}

impl Tunnel {
    pub(super) fn new(host: &str, port: u16, config: Arc<ClientConfig>) -> Result<Self, RtspError> {
        // An IPv6 address stands in brackets in a URL.
        let host = host.trim_matches(['[', ']']).to_owned();
        let bad = |_| RtspError::Address(format!("{host:?} is no name that a certificate could have"));
        let name = ServerName::try_from(host.clone()).map_err(bad)?;
        Ok(Tunnel { host, port, name, connector: TlsConnector::from(config) })
    }

    /// Connects to the camera. Returns the port that is the tunnel's plain end; it lasts until either side hangs up.
    pub(super) async fn open(&self) -> Result<u16, RtspError> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await.map_err(RtspError::Tunnel)?;
        stream.set_nodelay(true).map_err(RtspError::Tunnel)?;
        let mut camera = self.connector.connect(self.name.clone(), stream).await.map_err(RtspError::Certificate)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(RtspError::Tunnel)?;
        let port = listener.local_addr().map_err(RtspError::Tunnel)?.port();
        tokio::spawn(async move {
            let Ok(Ok((mut client, _))) = timeout(ACCEPT_LIMIT, listener.accept()).await else { return };
            drop(listener);
            // What breaks it is told to the client as the end of its connection.
            let _ = client.set_nodelay(true);
            let _ = copy_bidirectional(&mut client, &mut camera).await;
        });
        Ok(port)
    }
}
