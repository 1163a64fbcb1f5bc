//! Starts the shards of the pipeline with what the store kept of each.

use std::sync::{Arc, Mutex};

use anyhow::Context;
use outpost_fences::FenceSet;
use tracing::{info, warn};

use crate::config::Config;
use crate::nouns::{RedoChange, RedoRow, StateRow};
use crate::pipeline::recorder::Recorder;
use crate::pipeline::redo::entries;
use crate::pipeline::shard::{Shard, Turn};
use crate::pipeline::shards::Shards;
use crate::pipeline::watch::{Effect, Watch};
use crate::telemetry::metrics::Metrics;

/// What the store kept of rules.
pub(super) struct Kept {
    pub(super) states: Vec<StateRow>,
    pub(super) redo: Vec<(u8, RedoRow)>,
}

pub(super) struct Sharded {
    pub(super) shards: Shards,
    pub(super) turns: Vec<Turn>,
    /// What the restart did, by shard.
    pub(super) first: Vec<(usize, Effect)>,
}

pub(super) fn start_shards(
    config: &Config,
    fences: &FenceSet,
    mut kept: Kept,
    expected: &[String],
    metrics: &Metrics,
    recorder: Option<&Arc<Mutex<Recorder>>>,
    now_ms: i64,
) -> anyhow::Result<Sharded> {
    let n = config.pipeline.shards;
    let mut watches = (0..n).map(|_| Watch::new(config, fences)).collect::<Result<Vec<_>, _>>()?;
    let mut first = Vec::new();
    if is_moved(&watches[0], n, &kept.redo) {
        info!(n, "the pipeline is sharded otherwise than before");
        kept = gathered(Watch::new(config, fences)?, kept, now_ms, &mut first);
    }
    let mut states: Vec<Vec<StateRow>> = watches.iter().map(|_| Vec::new()).collect();
    for row in kept.states {
        states[watches[0].place(&row.source, n)].push(row);
    }
    let mut logs: Vec<Vec<RedoRow>> = watches.iter().map(|_| Vec::new()).collect();
    for (shard, row) in kept.redo {
        logs[usize::from(shard)].push(row);
    }
    let mut named: Vec<Vec<&str>> = watches.iter().map(|_| Vec::new()).collect();
    for source in expected {
        named[watches[0].place(source, n)].push(source);
    }
    let (mut started, mut turns) = (Vec::new(), Vec::new());
    for (number, mut watch) in watches.drain(..).enumerate() {
        let mut effects = Vec::new();
        watch.restore(std::mem::take(&mut states[number]), now_ms, &mut effects);
        redo(&mut watch, &logs[number], now_ms, &mut effects);
        watch.expect(named[number].iter().copied(), now_ms, &mut effects);
        first.extend(effects.into_iter().map(|effect| (number, effect)));
        let (shard, turn) =
            Shard::new(config, watch, metrics, recorder.cloned()).context("failed to start the decoders")?;
        started.push(shard);
        turns.push(turn);
    }
    let own = started.remove(0);
    let shards = Shards::start(own, started, config.pipeline.sources_max).context("failed to start the pipeline")?;
    Ok(Sharded { shards, turns, first })
}

/// Whether a log has entries of sources that belong to another shard now.
fn is_moved(watch: &Watch, n: usize, logs: &[(u8, RedoRow)]) -> bool {
    logs.iter().any(|(shard, row)| {
        let (shard, entries) = (usize::from(*shard), entries(row).unwrap_or_default());
        shard >= n || entries.iter().any(|entry| watch.place(&entry.observation.source, n) != shard)
    })
}

/// The same without logs: what they tell is in the states.
fn gathered(mut watch: Watch, kept: Kept, now_ms: i64, first: &mut Vec<(usize, Effect)>) -> Kept {
    let mut effects = Vec::new();
    watch.restore(kept.states, now_ms, &mut effects);
    let mut logs = kept.redo.into_iter().peekable();
    while let Some((shard, _)) = logs.peek() {
        let shard = *shard;
        let rows: Vec<RedoRow> =
            std::iter::from_fn(|| logs.next_if(|(of, _)| *of == shard)).map(|(_, row)| row).collect();
        redo(&mut watch, &rows, now_ms, &mut effects);
        first.push((shard.into(), Effect::Remember(RedoChange { row: None, from: i64::MAX })));
    }
    let states = watch.states();
    first.extend(effects.into_iter().chain(states.iter().cloned().map(Effect::Save)).map(|effect| (0, effect)));
    Kept { states, redo: Vec::new() }
}

fn redo(watch: &mut Watch, rows: &[RedoRow], now_ms: i64, effects: &mut Vec<Effect>) {
    if let Err(cause) = watch.redo(rows, now_ms, effects) {
        warn!(%cause, "some of what rules remembered is lost");
    }
}
