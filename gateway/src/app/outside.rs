//! Who may report from outside, with the secrets that the configuration names.

use std::sync::Arc;

use anyhow::Context;

use crate::api::{Desk311, Mappings};
use crate::config::{Config, Secret};

pub(super) fn open311(config: &Config) -> anyhow::Result<Option<Arc<Desk311>>> {
    let Some(settings) = &config.open311 else { return Ok(None) };
    Ok(Some(Arc::new(Desk311::new(settings).context("failed to read a key of open311")?)))
}

pub(super) fn mappings(config: &Config) -> anyhow::Result<Arc<Mappings>> {
    let read = config.intake.iter().map(|intake| {
        let token = intake.token.as_ref().map(Secret::read).transpose();
        let token = token.with_context(|| format!("failed to read the token of intake \"{}\"", intake.id))?;
        Ok((intake.clone(), token))
    });
    Ok(Arc::new(Mappings(read.collect::<anyhow::Result<_>>()?)))
}
