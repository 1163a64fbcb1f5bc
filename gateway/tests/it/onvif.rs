//! A camera on a mount that tells by ONVIF where it looks: a scripted service that checks the digest (RFC 7616) by itself, which
//! is held to the standard's own example.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use md5::{Digest as _, Md5};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;

use crate::dual_spectrum::{WARM, upload};
use crate::support::program::Program;

const PATH: &str = "/onvif/ptz_service";
const REALM: &str = "camera";
const NONCE: &str = "dcd98b7102dd2f0e8b11d0f600bfb0c0";
const OPAQUE: &str = "5ccc069c403ebaf9f0171e9517f40e41";

const RULES: &str = r#"
    [land]
    flat_m = 200.0

    [[rules]]
    id = "fire"
    sources = ["thermal/*"]
    detect = { kind = "hotspot", above = 25.0 }
    severity = "severe"
"#;

/// How a camera asks for the password.
#[derive(Clone, Copy)]
enum Asks {
    /// Beside Basic, as cameras do that offer both.
    Sha256,
    /// As old firmware does: by no algorithm, which is MD5, and with more than is needed.
    Md5,
}

/// What the mount does: where it points, and how often it was asked since.
#[derive(Clone)]
struct Mount {
    asks: Asks,
    does: Arc<Mutex<(f64, &'static str, usize)>>,
}

impl Mount {
    fn new(asks: Asks) -> Mount {
        Mount { asks, does: Arc::new(Mutex::new((0.25, "IDLE", 0))) }
    }

    fn points(&self, pan: f64, status: &'static str) {
        *self.does.lock().unwrap() = (pan, status, 0);
    }

    fn n_asked(&self) -> usize {
        self.does.lock().unwrap().2
    }

    /// Its service, on a port of its own.
    async fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}{PATH}", listener.local_addr().unwrap());
        let router = Router::new().route(PATH, post(serve)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }
}

impl Asks {
    fn hash(self, text: &str) -> String {
        let bytes = match self {
            Asks::Sha256 => Sha256::digest(text).to_vec(),
            Asks::Md5 => Md5::digest(text).to_vec(),
        };
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// What proves a password, as section 3.4.1 has it for `qop=auth`.
    fn proof(self, secret: &str, nonce: &str, nc: &str, cnonce: &str, asked: &str) -> String {
        self.hash(&format!("{}:{nonce}:{nc}:{cnonce}:auth:{}", self.hash(secret), self.hash(asked)))
    }

    /// Whether the header proves the password.
    fn is_proven(self, authorization: &str) -> bool {
        let field = |name: &str| {
            let fields = authorization.trim_start_matches("Digest ").split(',').map(str::trim);
            let value = fields.filter_map(|field| field.split_once('=')).find(|(key, _)| *key == name);
            value.map_or("", |(_, value)| value.trim_matches('"'))
        };
        let secret = format!("watch:{REALM}:correct-horse");
        let expected = self.proof(&secret, NONCE, field("nc"), field("cnonce"), &format!("POST:{PATH}"));
        let is_opaque = matches!(self, Asks::Sha256) || field("opaque") == OPAQUE;
        field("uri") == PATH && field("nonce") == NONCE && is_opaque && field("response") == expected
    }
}

async fn serve(State(mount): State<Mount>, headers: HeaderMap, body: String) -> Response {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if !authorization.is_some_and(|authorization| mount.asks.is_proven(authorization)) {
        let offers = match mount.asks {
            Asks::Sha256 => vec![
                format!("Basic realm=\"{REALM}\""),
                format!("Digest realm=\"{REALM}\", nonce=\"{NONCE}\", qop=\"auth\", algorithm=SHA-256"),
            ],
            Asks::Md5 => vec![format!(
                "Digest qop=\"auth\", realm=\"{REALM}\", nonce=\"{NONCE}\", opaque=\"{OPAQUE}\", stale=\"FALSE\""
            )],
        };
        let offers: Vec<_> = offers.into_iter().map(|offer| (header::WWW_AUTHENTICATE, offer)).collect();
        return (StatusCode::UNAUTHORIZED, axum::response::AppendHeaders(offers)).into_response();
    }
    assert!(body.contains("<ProfileToken>Profile_1</ProfileToken>"), "{body}");
    let (pan, status, _) = *mount.does.lock().unwrap();
    let inner = if body.contains("<GetStatus ") {
        mount.does.lock().unwrap().2 += 1;
        format!(
            r#"<tptz:GetStatusResponse><tptz:PTZStatus><tt:Position>
            <tt:PanTilt x="{pan}" y="0" space="http://www.onvif.org/ver10/tptz/PanTiltSpaces/PositionGenericSpace"/>
            <tt:Zoom x="0" space="http://www.onvif.org/ver10/tptz/ZoomSpaces/PositionGenericSpace"/></tt:Position>
            <tt:MoveStatus><tt:PanTilt>{status}</tt:PanTilt><tt:Zoom>IDLE</tt:Zoom></tt:MoveStatus>
            <tt:UtcTime>2026-11-27T10:00:00Z</tt:UtcTime></tptz:PTZStatus></tptz:GetStatusResponse>"#
        )
    } else {
        let preset = |token: u32, pan: f64| {
            format!(
                r#"<tptz:Preset token="{token}"><tt:Name>{token}</tt:Name><tt:PTZPosition><tt:PanTilt x="{pan}" y="0"/>
                <tt:Zoom x="0"/></tt:PTZPosition></tptz:Preset>"#
            )
        };
        format!("<tptz:GetPresetsResponse>{}{}</tptz:GetPresetsResponse>", preset(1, -0.5), preset(2, 0.25))
    };
    let envelope = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope"
        xmlns:tptz="http://www.onvif.org/ver20/ptz/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema"><env:Body>{inner}</env:Body>
        </env:Envelope>"#
    );
    ([(header::CONTENT_TYPE, "application/soap+xml; charset=utf-8")], envelope).into_response()
}

fn source(id: &str, url: &str, password: &str) -> String {
    format!(
        r#"
        [[sources]]
        id = "{id}"
        place = [106.05, 29.84]
        view = {{ height_m = 350.0, bearing = 50.0, elevation = -4.5, fov = 1.0 }}
        ptz = {{ url = "{url}", profile = "Profile_1", username = "watch", password = {{ file = "{password}" }}, every = "100ms" }}
        "#
    )
}

async fn alert(gateway: &Program, source: &str) -> Option<Value> {
    let alerts = gateway.json("/api/v1/alerts?state=all").await;
    alerts["alerts"].as_array().unwrap().iter().find(|alert| alert["source"] == source).cloned()
}

/// Section 3.9.1: both answers of the example.
#[test]
fn the_check_is_the_standards() {
    let (secret, asked) = ("Mufasa:http-auth@example.org:Circle of Life", "GET:/dir/index.html");
    let (nonce, cnonce) =
        ("7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ");
    let proof = |asks: Asks| asks.proof(secret, nonce, "00000001", cnonce, asked);
    assert_eq!(proof(Asks::Md5), "8ca523f5e9506fed4657c9700eebdbec");
    assert_eq!(proof(Asks::Sha256), "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_that_knows_md5_alone_is_asked_as_well() {
    let url = Mount::new(Asks::Md5).serve().await;
    let secrets = tempfile::tempdir().unwrap();
    let secret = secrets.path().join("password");
    std::fs::write(&secret, "correct-horse").unwrap();
    let source = source("thermal/tower", &url, secret.to_str().unwrap());
    let mut gateway = Program::new(&format!("{source}{RULES}"));
    gateway.start().await;
    gateway.eventually("the pose", async || gateway.log().contains("camera tells where it looks")).await;
    upload(&gateway, "thermal/tower", WARM).await;
    let seen = alert(&gateway, "thermal/tower@2").await.expect("answered once it is on disk");
    let bearing = seen["place"]["sight"]["bearing"].as_f64().unwrap();
    assert!((bearing - 95.0).abs() < 0.6, "{seen}");
    gateway.terminate().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_camera_on_a_mount_sees_lies_where_it_looks_and_nowhere_while_it_turns() {
    let mount = Mount::new(Asks::Sha256);
    let url = mount.serve().await;

    let secrets = tempfile::tempdir().unwrap();
    let secret = |name: &str, text: &str| {
        let path = secrets.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (good, bad) = (secret("good", "correct-horse"), secret("bad", "wrong"));
    let sources = source("thermal/tower", &url, &good) + &source("thermal/other", &url, &bad);
    let mut gateway = Program::new(&format!("{sources}{RULES}"));
    gateway.start().await;
    gateway
        .eventually("the pose", async || {
            let log = gateway.log();
            log.contains("camera tells where it looks") && log.contains("refuses the username or the password")
        })
        .await;
    upload(&gateway, "thermal/tower", WARM).await;
    let alert = async |source: &str| alert(&gateway, source).await;
    // Preset 2: a quarter of 180 degrees from where the view looks.
    let seen = alert("thermal/tower@2").await.expect("answered once it is on disk");
    let bearing = seen["place"]["sight"]["bearing"].as_f64().unwrap();
    assert!((bearing - 95.0).abs() < 0.6, "{seen}");

    mount.points(0.6, "MOVING");
    gateway.eventually("two answers of a mount that turns", async || mount.n_asked() >= 2).await;
    upload(&gateway, "thermal/tower", WARM).await;
    let turning = alert("thermal/tower").await.expect("it is of no preset");
    assert!(turning["place"].get("sight").is_none(), "nobody knows where it looked: {turning}");

    // Who never told where it looks has the same.
    upload(&gateway, "thermal/other", WARM).await;
    assert!(alert("thermal/other").await.unwrap()["place"].get("sight").is_none());
    let failed = gateway.metric("outpost_camera_errors_total", r#"camera="thermal/other",reason="ptz""#).await;
    assert!(failed > 0);
    gateway.terminate().await;
}
