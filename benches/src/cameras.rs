//! Serves an H.264 clip by RTSP, in a loop.

use std::sync::Arc;

use outpost::demo::camera::{Clip, serve};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::Failure;

/// `CLIP FPS LISTENERS`: prints the ports. Each listener takes 16 viewers.
pub async fn run(words: &[&str]) -> Result<(), Failure> {
    let [file, fps, n_listeners] = words else { return Err("expected CLIP FPS LISTENERS".into()) };
    let clip = Arc::new(Clip::from_annex_b(&std::fs::read(file)?)?);
    let (fps, stop): (f64, _) = (fps.parse()?, CancellationToken::new());
    let mut ports = Vec::new();
    for _ in 0..n_listeners.parse::<usize>()? {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        ports.push(listener.local_addr()?.port().to_string());
        tokio::spawn(serve(listener, clip.clone(), fps, stop.clone()));
    }
    println!("{}", ports.join(" "));
    std::future::pending().await
}
