//! Asks the mounts of cameras where they look.

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::ingest::onvif::Mount;
use crate::ingest::onvif::poses::Poses;

/// Starts one task for each mount, until stopped.
pub(super) fn start_mounts(config: &Config, stop: &CancellationToken) -> anyhow::Result<Poses> {
    let poses = Poses::default();
    for source in &config.sources {
        let (Some(ptz), Some(view)) = (&source.ptz, source.view) else { continue };
        let told = || format!("failed to start asking the mount of source \"{}\"", source.id);
        let password = ptz.password.as_ref().map(|password| password.read()).transpose().with_context(told)?;
        let mount = Mount::new(source.id.as_str().into(), ptz.clone(), view, password).with_context(told)?;
        tokio::spawn(mount.run(poses.clone(), stop.clone()));
    }
    Ok(poses)
}
