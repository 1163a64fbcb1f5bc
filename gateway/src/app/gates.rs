//! What cameras' size gates have earned goes to the store from time to time, and comes from it after a restart.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use outpost_detectors::size_gate::Earned;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::config::Camera;
use crate::store::{GateRow, Queues, StoreError};
use crate::video::Cameras;

const KEEP_EVERY: Duration = Duration::from_secs(300);

/// What was earned on the streams that the configuration names.
pub(super) fn earned(queues: &Queues, cameras: &[Camera]) -> Result<HashMap<Arc<str>, Earned>, StoreError> {
    let urls = urls(cameras);
    let mut earned = HashMap::new();
    for row in queues.gates()? {
        let Some((source, _)) = urls.get_key_value(row.source.as_str()).filter(|(_, url)| **url == row.url) else {
            continue;
        };
        match serde_json::from_str(&row.earned) {
            Ok(gate) => drop(earned.insert(source.clone(), gate)),
            Err(cause) => warn!(%source, %cause, "what the camera's size gate had earned is not understood"),
        }
    }
    Ok(earned)
}

fn urls(cameras: &[Camera]) -> HashMap<Arc<str>, String> {
    cameras.iter().map(|camera| (format!("cam:{}", camera.id).into(), camera.url.clone())).collect()
}

/// Until stopped, and once more then.
pub(super) async fn keep(queues: Arc<Queues>, cameras: Arc<Cameras>, stop: CancellationToken) {
    let mut kept: HashMap<Arc<str>, Earned> = HashMap::new();
    loop {
        let is_over = stop.run_until_cancelled(tokio::time::sleep(KEEP_EVERY)).await.is_none();
        let mut news = cameras.earned();
        news.retain(|(source, _, earned)| kept.get(source) != Some(earned));
        let row = |(source, url, earned): &(Arc<str>, String, Earned)| {
            let earned = serde_json::to_string(earned).ok()?;
            Some(GateRow { source: source.to_string(), url: url.clone(), earned })
        };
        let rows: Vec<GateRow> = news.iter().filter_map(row).collect();
        let store = queues.clone();
        match tokio::task::spawn_blocking(move || store.keep_gates(&rows)).await {
            Ok(Ok(())) => kept.extend(news.into_iter().map(|(source, _, earned)| (source, earned))),
            Ok(Err(cause)) => warn!(%cause, "what size gates earned is not kept"),
            Err(cause) => warn!(%cause, "what size gates earned is not kept"),
        }
        if is_over {
            return;
        }
    }
}
