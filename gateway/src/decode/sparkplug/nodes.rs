//! What births said, kept per edge node: metrics by name and alias, the sequence, who is online. Bounded. Knows nothing
//! of payloads.

use std::collections::HashMap;
use std::sync::Arc;

/// Edge nodes of one feed.
const NODES_MAX: usize = 10_000;
/// Metrics of all births of one feed.
const METRICS_MAX: usize = 500_000;
/// A birth is asked for again after this long.
const ASK_AGAIN_MS: i64 = 60_000;

#[derive(Debug, Default)]
pub(super) struct Nodes {
    nodes: HashMap<Box<str>, Node>,
    n_metrics: usize,
}

#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) is_born: bool,
    /// Of the last message, 0 to 255.
    seq: Option<u8>,
    pub(super) bd_seq: Option<u64>,
    asked_ms: Option<i64>,
    aliases: HashMap<u64, Arc<Born>>,
    /// By name; the node's own metrics are those of "".
    devices: HashMap<Box<str>, Device>,
}

#[derive(Debug)]
pub(super) struct Device {
    pub(super) source: Arc<str>,
    metrics: HashMap<Arc<str>, Arc<Born>>,
}

/// What a birth said of a metric.
#[derive(Debug)]
pub(super) struct Born {
    pub(super) metric: Arc<str>,
    pub(super) datatype: u32,
    pub(super) unit: Option<Arc<str>>,
    device: Box<str>,
}

impl Nodes {
    /// The node of that name; none where there are too many.
    pub(super) fn node(&mut self, name: &str) -> Option<&mut Node> {
        if !self.nodes.contains_key(name) {
            if self.nodes.len() >= NODES_MAX {
                return None;
            }
            self.nodes.insert(name.into(), Node::default());
        }
        self.nodes.get_mut(name)
    }

    /// Forgets what earlier births of the node or of one of its devices said.
    pub(super) fn forget(&mut self, node: &str, device: Option<&str>) {
        let Some(node) = self.nodes.get_mut(node) else { return };
        match device {
            None => {
                self.n_metrics -= node.devices.values().map(|device| device.metrics.len()).sum::<usize>();
                node.devices.clear();
                node.aliases.clear();
            }
            Some(name) => {
                let Some(device) = node.devices.remove(name) else { return };
                self.n_metrics -= device.metrics.len();
                node.aliases.retain(|_, born| *born.device != *name);
            }
        }
    }

    /// Keeps a metric of a birth; false where there are too many.
    pub(super) fn keep(&mut self, node: &str, device: &str, alias: Option<u64>, mut born: Born) -> bool {
        if self.n_metrics >= METRICS_MAX {
            return false;
        }
        let Some(node) = self.nodes.get_mut(node) else { return false };
        let Some(place) = node.devices.get_mut(device) else { return false };
        born.device = device.into();
        let born = Arc::new(born);
        if let Some(alias) = alias {
            node.aliases.insert(alias, born.clone());
        }
        if place.metrics.insert(born.metric.clone(), born).is_none() {
            self.n_metrics += 1;
        }
        true
    }
}

impl Born {
    pub(super) fn new(metric: Arc<str>, datatype: u32, unit: Option<Arc<str>>) -> Self {
        Born { metric, datatype, unit, device: "".into() }
    }
}

impl Node {
    /// A birth begins the sequence.
    pub(super) fn begin(&mut self, seq: u8) {
        (self.is_born, self.seq, self.asked_ms) = (true, Some(seq), None);
    }

    pub(super) fn end(&mut self) {
        (self.is_born, self.seq) = (false, None);
    }

    /// The number that should have come, where another did.
    pub(super) fn follow(&mut self, seq: u8) -> Result<(), u8> {
        let expected = self.seq.replace(seq).map(|last| last.wrapping_add(1));
        match expected {
            Some(expected) if expected != seq => Err(expected),
            _ => Ok(()),
        }
    }

    /// Whether it is time to ask for a birth.
    pub(super) fn ask(&mut self, now_ms: i64) -> bool {
        let is_due = self.asked_ms.is_none_or(|asked_ms| now_ms.saturating_sub(asked_ms) >= ASK_AGAIN_MS);
        if is_due {
            self.asked_ms = Some(now_ms);
        }
        is_due
    }

    pub(super) fn add_device(&mut self, name: &str, source: Arc<str>) {
        self.devices.insert(name.into(), Device { source, metrics: HashMap::new() });
    }

    /// What the birth said of a metric that comes by its alias or its name.
    pub(super) fn born(&self, device: &str, alias: Option<u64>, name: Option<&str>) -> Option<Arc<Born>> {
        let by_alias = alias.and_then(|alias| self.aliases.get(&alias)).filter(|born| *born.device == *device);
        let by_name = || self.devices.get(device)?.metrics.get(name?);
        by_alias.or_else(by_name).cloned()
    }

    pub(super) fn devices(&self) -> impl Iterator<Item = &Device> {
        self.devices.values()
    }

    pub(super) fn has_device(&self, name: &str) -> bool {
        self.devices.contains_key(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn born(name: &str) -> Born {
        Born::new(name.into(), 9, None)
    }

    #[test]
    fn a_sequence_goes_on_after_255_with_0() {
        let mut node = Node::default();
        node.begin(254);
        assert_eq!((node.follow(255), node.follow(0), node.follow(1)), (Ok(()), Ok(()), Ok(())));
        assert_eq!(node.follow(5), Err(2));
        assert_eq!(node.follow(6), Ok(()));
    }

    #[test]
    fn a_birth_is_asked_for_once_a_minute() {
        let mut node = Node::default();
        assert!(node.ask(1_000));
        assert!(!node.ask(60_999));
        assert!(node.ask(61_000));
        node.begin(0);
        assert!(node.ask(61_001));
    }

    #[test]
    fn a_new_birth_forgets_the_aliases_of_the_old_one() {
        let mut nodes = Nodes::default();
        for device in ["", "d1", "d2"] {
            nodes.node("g/n").unwrap().add_device(device, device.into());
            let alias = device.len() as u64 * 10 + u64::from(device == "d2");
            assert!(nodes.keep("g/n", device, Some(alias), born("level")));
        }
        assert_eq!(nodes.n_metrics, 3);
        nodes.forget("g/n", Some("d1"));
        let node = nodes.node("g/n").unwrap();
        assert!(node.born("d1", Some(20), None).is_none());
        assert!(node.born("d2", Some(21), None).is_some());
        assert!(node.born("", Some(21), None).is_none(), "another device's alias");
        nodes.forget("g/n", None);
        assert_eq!(nodes.n_metrics, 0);
        assert!(nodes.node("g/n").unwrap().born("", None, Some("level")).is_none());
    }

    #[test]
    fn a_flood_of_nodes_ends_at_the_bound() {
        let mut nodes = Nodes::default();
        for i in 0..NODES_MAX {
            assert!(nodes.node(&i.to_string()).is_some());
        }
        assert!(nodes.node("one more").is_none());
        assert!(nodes.node("7").is_some());
    }
}
