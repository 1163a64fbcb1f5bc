//! `outpost demo`: a broker, cameras and publishers on loopback that replay real recordings over the real protocols.
//! Nothing is injected past them: the gateway under demonstration is the one that `outpost run` starts.

pub mod broker;
pub mod camera;
pub mod crew;
mod publishers;
pub mod rtsp;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use outpost_fences::{FenceSet, geojson};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::config::{self, Config};
pub use publishers::FIRE;

/// Files that the demo replays travel in the binary, so that it runs from anywhere.
const CONFIG: &str = include_str!("../../../configs/demo.toml");
const FENCES: &str = include_str!("../../../fixtures/demo/fences.geojson");
/// What the cameras of `configs/demo.toml` show, in their order: visitors in a hall, and a model house that burns.
const CLIPS: [&[u8]; 2] = [
    include_bytes!("../../../fixtures/video/visitors.h264"),
    include_bytes!("../../../fixtures/video/burning_house.h264"),
];
const CLIP_FPS: f64 = 10.0;

/// How many times as fast limits of work run as they are written in `configs/demo.toml`, where nobody says otherwise.
pub const SPEED: u32 = 60;

/// Starts everything on free loopback ports. `folder` is where the database and the evidence go; `listen` the address
/// of the page.
pub async fn start(folder: &Path, listen: &str, stop: CancellationToken) -> anyhow::Result<App> {
    start_at(SPEED, folder, listen, stop).await
}

/// The same with limits of work that run `speed` times as fast as they are written.
pub async fn start_at(speed: u32, folder: &Path, listen: &str, stop: CancellationToken) -> anyhow::Result<App> {
    let mut config = config()?;
    config.desk.hurry(speed);
    config.store.folder = folder.to_path_buf();
    config.api.listen = listen.to_owned();

    let broker = broker::start().await.context("failed to start the demo's broker")?;
    config.brokers[0].port = broker.address().port();

    for (camera, clip) in config.cameras.iter_mut().zip(CLIPS) {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("failed to bind the demo's camera")?;
        let address = listener.local_addr().context("failed to bind the demo's camera")?;
        let clip = Arc::new(camera::Clip::from_annex_b(clip).context("failed to read the demo's clip")?);
        tokio::spawn(camera::serve(listener, clip, CLIP_FPS, stop.clone()));
        camera.url = format!("rtsp://{address}/{}", camera.id);
    }

    let fences = FenceSet::new(geojson::parse(FENCES).fences);
    let app = App::start(&config, fences, None, stop.clone()).await?;
    publishers::start(&config.brokers[0], stop)?;
    Ok(app)
}

fn config() -> anyhow::Result<Config> {
    let checked = config::check::check_alone(CONFIG, Path::new("configs/demo.toml"));
    checked.config.ok_or_else(|| anyhow!("the demo's configuration is broken"))
}
