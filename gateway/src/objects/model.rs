//! An ONNX file → a model that was tried once, and a picture → the objects in it. Runs on one thread of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use outpost_detectors::observation::Blob;
use rten::{Dimension, ModelOptions, RunOptions, ThreadPool, Value};
use rustix::process::setpriority_process;

use super::letterbox::letterbox;
use super::yolox::{self, BEFORE_CLASSES, Found};
use super::{Layout, Picture};
use crate::nouns::{Object, ObjectKind};

/// Larger files are not read.
pub const FILE_BYTES_MAX: u64 = 512 << 20;
/// Longest side of the picture that a model is given.
pub const SIDE_MAX: usize = 2048;

/// Decoders and the pipeline go first.
const NICE: i32 = 5;

/// What a model's classes are called and stand for, and which of its boxes count.
#[derive(Debug, Clone, PartialEq)]
pub struct Labels {
    /// In the order of the model.
    pub classes: Vec<(Arc<str>, ObjectKind)>,
    /// 0..1.
    pub score_min: f32,
    /// Intersection over union above which two boxes of a class are one, 0..1.
    pub overlap_max: f32,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    #[error("no ONNX model that can be read here: {0}")]
    Unreadable(String),
    #[error("a model of {inputs} inputs and {outputs} outputs; a detector of this layout has one of each")]
    Ends { inputs: usize, outputs: usize },
    #[error("it is given {0}; this layout is given [1, 3, height, width], both multiples of 32 and at most {SIDE_MAX}")]
    Given(String),
    #[error("it gives {got}; for pictures of {width}x{height} and as many classes as are named ({classes}) [1, {rows}, {}] is due", BEFORE_CLASSES + .classes)]
    Gives { got: String, rows: usize, width: usize, height: usize, classes: usize },
    #[error("it does not run: {0}")]
    Run(String),
    #[error("it panicked while it {0}")]
    Panic(&'static str),
}

/// A model that works: it was run once.
pub struct Model {
    net: rten::Model,
    pool: Arc<ThreadPool>,
    labels: Labels,
    width: usize,
    height: usize,
    /// How long somebody waits for it.
    pub(super) timeout: Duration,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model")
            .field("width", &self.width)
            .field("height", &self.height)
            .field("labels", &self.labels)
            .finish_non_exhaustive()
    }
}

impl Model {
    /// Reads a model, checks what it is given and gives, and tries it on a grey picture.
    pub fn load(bytes: Vec<u8>, layout: Layout, labels: Labels, timeout: Duration) -> Result<Model, ModelError> {
        let Layout::Yolox = layout;
        let net = guarded("was read", || ModelOptions::with_all_ops().load(bytes))?;
        let net = net.map_err(|error| ModelError::Unreadable(error.to_string()))?;
        let (inputs, outputs) = (net.input_ids().len(), net.output_ids().len());
        if (inputs, outputs) != (1, 1) {
            return Err(ModelError::Ends { inputs, outputs });
        }
        let [width, height] = size(net.input_shape(0))?;
        let pool = Arc::new(ThreadPool::with_num_threads(1));
        pool.run(|| {
            // A system that refuses leaves it as nice as the rest.
            let _ = setpriority_process(None, NICE);
        });
        let model = Model { net, pool, labels, width, height, timeout };
        model.look(&Picture { width: 1, height: 1, rgb: vec![114; 3] })?;
        Ok(model)
    }

    /// Whether any of its classes is fire or smoke.
    pub fn tells_fire(&self) -> bool {
        self.labels.classes.iter().any(|(_, kind)| *kind != ObjectKind::Other)
    }

    /// What is in the picture, surest first.
    pub fn look(&self, picture: &Picture) -> Result<Vec<Object>, ModelError> {
        let (planes, scale) = letterbox(picture, self.width, self.height);
        let rows = guarded("ran", || self.run(planes))??;
        let Labels { classes, score_min, overlap_max } = &self.labels;
        let found = yolox::boxes(&rows, classes.len(), [self.width, self.height], *score_min, *overlap_max);
        let size = [picture.width.max(1) as f32, picture.height.max(1) as f32];
        Ok(found.iter().filter_map(|found| self.object(found, scale, size)).collect())
    }

    /// Rows of one picture, flat.
    fn run(&self, planes: Vec<f32>) -> Result<Vec<f32>, ModelError> {
        let told = |error: &dyn std::fmt::Display| ModelError::Run(error.to_string());
        let given = Value::from_shape([1, 3, self.height, self.width], planes).map_err(|error| told(&error))?;
        let options = RunOptions::default().with_thread_pool(Some(self.pool.clone()));
        let gives = self.net.run_one(given.into(), Some(options)).map_err(|error| told(&error))?;
        let (rows, classes) = (yolox::n_rows(self.width, self.height), self.labels.classes.len());
        let misfit = |got: String| ModelError::Gives { got, rows, width: self.width, height: self.height, classes };
        let (shape, rows_given) =
            gives.into_shape_vec::<f32, 3>().map_err(|error| misfit(format!("something else ({error})")))?;
        if shape != [1, rows, BEFORE_CLASSES + classes] {
            return Err(misfit(format!("{shape:?}")));
        }
        Ok(rows_given)
    }

    /// None where the box lies beside the picture.
    fn object(&self, found: &Found, scale: f32, [width, height]: [f32; 2]) -> Option<Object> {
        let share = |pixel: f32, side: f32| (pixel / scale / side).clamp(0.0, 1.0);
        let (left, right) = (share(found.left, width), share(found.right, width));
        let (top, bottom) = (share(found.top, height), share(found.bottom, height));
        let area = (right - left) * (bottom - top);
        let (class, kind) = self.labels.classes.get(found.class)?.clone();
        let place = Blob { left, top, right, bottom, area };
        (area > 0.0).then_some(Object { class, kind, score: found.score, place })
    }
}

/// Width and height that a model is given.
fn size(shape: Option<Vec<Dimension>>) -> Result<[usize; 2], ModelError> {
    let shape = shape.unwrap_or_default();
    if let [Dimension::Fixed(1), Dimension::Fixed(3), Dimension::Fixed(height), Dimension::Fixed(width)] = shape[..]
        && [width, height].iter().all(|side| yolox::is_side(*side) && *side <= SIDE_MAX)
    {
        return Ok([width, height]);
    }
    let sides: Vec<String> = shape
        .iter()
        .map(|side| match side {
            Dimension::Fixed(side) => side.to_string(),
            Dimension::Symbolic(name) => name.chars().take(32).collect(),
        })
        .collect();
    Err(ModelError::Given(format!("[{}]", sides.join(", "))))
}

/// A model that panics costs one look. Unwind safety: a run leaves nothing behind in the model but buffers that it reuses, and a
/// model that was not read is thrown away.
fn guarded<T>(what: &'static str, run: impl FnOnce() -> T) -> Result<T, ModelError> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|_| ModelError::Panic(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_costs_what_was_asked_and_no_more() {
        assert_eq!(
            guarded("ran", || -> u8 { panic!("a shape that nobody thought of") }),
            Err(ModelError::Panic("ran"))
        );
        assert_eq!(guarded("ran", || 1), Ok(1));
    }
}
