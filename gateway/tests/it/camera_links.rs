//! Ways to a camera beside RTSP over TCP: UDP, RTSPS, another maker's server; and many cameras at once.

#![expect(clippy::unwrap_used, reason = "shared by tests: a failure here is a failed test")]

use std::sync::Arc;

use outpost::demo::camera::{Clip, serve};
use outpost_detectors::observation::{Fact, LinkReason, LinkState};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::support_rtsp::{GstCamera, VlcCamera, Watched, camera, fixture};

async fn gives_pictures(url: &str, more: &str) {
    let mut watched = Watched::start(&[camera("a", url, more)]);
    watched.until_link("cam:a", LinkState::Live).await;
    for _ in 0..3 {
        watched.until_picture("cam:a").await;
    }
    assert_eq!(watched.counts("cam:a").decode_errors, 0);
    watched.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_gives_pictures_over_udp_in_each_codec() {
    for codec in ["h264", "h265", "mjpeg"] {
        let server = GstCamera::start(0, codec, &[]);
        gives_pictures(&server.url(), "transport = \"udp\"").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn vlc_serves_over_udp_only_and_gives_pictures() {
    let server = VlcCamera::start().await;
    gives_pictures(&server.url(), "transport = \"udp\"\nopen_timeout = \"10s\"").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_gives_pictures_over_tls_if_its_certificate_is_good() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = certificate(folder.path());
    let server = GstCamera::start(0, "h264", &["anna", "s3cret", &certificate, &key]);
    let password = folder.path().join("password");
    std::fs::write(&password, "s3cret").unwrap();
    let login = format!("username = \"anna\"\npassword = {{ file = {:?} }}", password.display());
    let url = format!("rtsps://localhost:{}/live", server.port);
    gives_pictures(&url, &format!("{login}\nca_file = {certificate:?}")).await;

    let mut watched = Watched::start(&[camera("a", &url, &login)]);
    let reason = watched.until_link("cam:a", LinkState::Offline).await;
    assert_eq!(reason, Some(LinkReason::Auth), "an authority that nobody here trusts");
    watched.stop().await;
}

/// A self-signed certificate for `localhost`: its own authority.
fn certificate(folder: &std::path::Path) -> (String, String) {
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (certificate, key) = (path("camera.pem"), path("camera.key"));
    #[expect(clippy::disallowed_methods, reason = "a certificate of the hour, by openssl")]
    let output = std::process::Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", &key, "-out", &certificate])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (certificate, key)
}

/// Cameras of the demo, sixteen at each address; ends with the value.
struct Street {
    addresses: Vec<std::net::SocketAddr>,
    stop: CancellationToken,
    servers: Vec<tokio::task::JoinHandle<()>>,
}

const PER_ADDRESS: usize = 16;

impl Street {
    /// Port 0 takes free ones.
    async fn start(ports: &[u16], clip: &Arc<Clip>) -> Street {
        let stop = CancellationToken::new();
        let (mut addresses, mut servers) = (Vec::new(), Vec::new());
        for port in ports {
            let listener = TcpListener::bind(("127.0.0.1", *port)).await.unwrap();
            addresses.push(listener.local_addr().unwrap());
            // Slow pictures: it is the sessions that are many here.
            servers.push(tokio::spawn(serve(listener, clip.clone(), 1.0, stop.clone())));
        }
        Street { addresses, stop, servers }
    }

    async fn cut(self) -> Vec<u16> {
        self.stop.cancel();
        for server in self.servers {
            server.await.unwrap();
        }
        self.addresses.iter().map(|address| address.port()).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_and_fifty_six_cameras_come_back_together() {
    const CAMERAS: usize = 256;
    let clip = Arc::new(Clip::from_annex_b(&std::fs::read(fixture("visitors.h264")).unwrap()).unwrap());
    let street = Street::start(&[0; CAMERAS / PER_ADDRESS], &clip).await;
    let url = |number: usize| format!("rtsp://{}/{number}", street.addresses[number / PER_ADDRESS]);
    let limits = "stall_after = \"10s\"\nretry_max = \"5s\"\nopen_timeout = \"10s\"";
    let cameras: Vec<_> = (0..CAMERAS).map(|number| camera(&number.to_string(), &url(number), limits)).collect();
    let mut watched = Watched::start(&cameras);
    all(&mut watched, CAMERAS, LinkState::Live).await;
    let ports = street.cut().await;
    all(&mut watched, CAMERAS, LinkState::Offline).await;
    let _street = Street::start(&ports, &clip).await;
    // The collector's limit is the minute that is allowed.
    all(&mut watched, CAMERAS, LinkState::Live).await;
    watched.stop().await;
}

/// Until each of `n` cameras has come into this state from now on.
async fn all(watched: &mut Watched, n: usize, state: LinkState) {
    let mut seen = std::collections::HashSet::new();
    watched
        .until(&format!("{n} times {state:?}"), |observation| match &observation.fact {
            Fact::Link(link) if link.state == state => {
                seen.insert(observation.source.clone());
                (seen.len() == n).then_some(())
            }
            _ => None,
        })
        .await;
}
