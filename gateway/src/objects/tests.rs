//! A real model on real pictures, beside what onnxruntime finds in them; files that are no such model; and who waits in vain.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::{Judge, Labels, Layout, Model, ModelError, Picture, QUEUE_MAX};
use crate::nouns::{Object, ObjectKind};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/models")
}

fn labels(score_min: f32) -> Labels {
    let names = std::fs::read_to_string(folder().join("coco_classes.txt")).unwrap();
    let class = |name: &str| (Arc::from(name), if name == "person" { ObjectKind::Fire } else { ObjectKind::Other });
    Labels { classes: names.lines().map(class).collect(), score_min, overlap_max: 0.45 }
}

fn load(file: &str, labels: Labels) -> Result<Model, ModelError> {
    Model::load(std::fs::read(folder().join(file)).unwrap(), Layout::Yolox, labels, Duration::from_secs(60))
}

fn nano() -> Model {
    load("yolox_nano.onnx", labels(0.35)).unwrap()
}

fn picture(file: &Path) -> Picture {
    let image = image::open(file).unwrap().into_rgb8();
    Picture { width: image.width() as usize, height: image.height() as usize, rgb: image.into_raw() }
}

fn visitor() -> Picture {
    picture(&folder().join("pictures/one-by-one-person-detection-929.png"))
}

#[derive(Deserialize)]
struct Reference {
    score_min: f32,
    frames: Vec<Frame>,
}

#[derive(Deserialize)]
struct Frame {
    picture: String,
    objects: Vec<Known>,
}

#[derive(Debug, Deserialize)]
struct Known {
    class: String,
    score: f32,
    #[serde(rename = "box")]
    corners: [f32; 4],
}

/// The same objects, in any order: classes, boxes within 2 pixels, scores within 0.02. What is as near as that to the least score
/// may be missing on either side.
fn check(found: &[Object], known: &[Known], picture: &Picture, score_min: f32) {
    let corners = |object: &Object| {
        let place = object.place;
        let (width, height) = (picture.width as f32, picture.height as f32);
        [place.left * width, place.top * height, place.right * width, place.bottom * height]
    };
    let is_same = |object: &Object, known: &Known| {
        *object.class == *known.class
            && (object.score - known.score).abs() <= 0.02
            && corners(object).iter().zip(known.corners).all(|(is, was)| (is - was).abs() <= 2.0)
    };
    let is_clear = |score: f32| score > score_min + 0.02;
    for known in known.iter().filter(|known| is_clear(known.score)) {
        assert!(found.iter().any(|object| is_same(object, known)), "{known:?} is not among {found:?}");
    }
    for object in found.iter().filter(|object| is_clear(object.score)) {
        assert!(known.iter().any(|known| is_same(object, known)), "{object:?} is not among {known:?}");
    }
}

#[test]
fn a_real_model_finds_what_onnxruntime_finds() {
    let reference: Reference =
        serde_json::from_slice(&std::fs::read(folder().join("reference.json")).unwrap()).unwrap();
    assert!(reference.frames.iter().any(|frame| !frame.objects.is_empty()));
    let model = nano();
    for frame in &reference.frames {
        let picture = picture(&folder().join("pictures").join(&frame.picture));
        check(&model.look(&picture).unwrap(), &frame.objects, &picture, reference.score_min);
    }
}

/// Frames of others that may not be copied into the project, where they lie beside it.
#[test]
fn a_real_model_finds_in_the_pictures_of_others_what_onnxruntime_finds() {
    #[derive(Deserialize)]
    struct All {
        models: std::collections::HashMap<String, OfModel>,
    }
    #[derive(Deserialize)]
    struct OfModel {
        score_threshold: f32,
        frames: Vec<OfFrame>,
    }
    #[derive(Deserialize)]
    struct OfFrame {
        clip: String,
        frame_index: usize,
        detections: Vec<Detection>,
    }
    #[derive(Deserialize)]
    struct Detection {
        #[serde(rename = "box")]
        corners: [f32; 4],
        score: f32,
        class_id: usize,
    }
    let data = std::env::var_os("OUTPOST_DATA").map(PathBuf::from);
    let data = data.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"));
    let Ok(all) = std::fs::read(data.join("models/reference_detections.json")) else {
        eprintln!("{} has no pictures with detections: those in fixtures/ are compared only", data.display());
        return;
    };
    let mut all: All = serde_json::from_slice(&all).unwrap();
    let OfModel { score_threshold, frames } = all.models.remove("yolox_nano.onnx").unwrap();
    let (model, labels, out) = (nano(), labels(0.35), tempfile::tempdir().unwrap());
    for OfFrame { clip, frame_index, detections } in frames {
        let file = out.path().join(format!("{clip}-{frame_index}.png"));
        #[expect(clippy::disallowed_methods, reason = "a frame of a clip, by another program")]
        let done = Command::new("ffmpeg")
            .args(["-v", "error", "-i"])
            .arg(data.join("video").join(&clip))
            .args(["-vf", &format!("select=eq(n\\,{frame_index})"), "-vsync", "0", "-frames:v", "1"])
            .arg(&file)
            .status();
        assert!(done.unwrap().success());
        let known = |seen: &Detection| Known {
            class: labels.classes[seen.class_id].0.to_string(),
            score: seen.score,
            corners: seen.corners,
        };
        let (picture, known) = (picture(&file), detections.iter().map(known).collect::<Vec<_>>());
        check(&model.look(&picture).unwrap(), &known, &picture, score_threshold);
    }
}

#[test]
fn what_is_no_detector_of_this_layout_says_why() {
    let told = |file: &str| load(file, labels(0.35)).unwrap_err();
    for file in ["bad/cut.onnx", "bad/no-model.onnx", "bad/huge-weights.onnx"] {
        assert!(matches!(told(file), ModelError::Unreadable(_)), "{file}: {}", told(file));
    }
    assert_eq!(told("bad/two-inputs.onnx"), ModelError::Ends { inputs: 2, outputs: 1 });
    let given = |shape: &str| ModelError::Given(shape.into());
    assert_eq!(told("bad/huge-picture.onnx"), given("[1, 3, 1099511627776, 1099511627776]"));
    assert_eq!(told("bad/any-picture.onnx"), given("[1, 3, height, width]"));
    let other = told("bad/identity.onnx");
    let ModelError::Gives { got, .. } = &other else { panic!("{other}") };
    assert!(got.starts_with("something else"), "{other}");
    assert!(other.to_string().contains("[1, 21, 85] is due"), "{other}");

    let mut fewer = labels(0.35);
    fewer.classes.pop();
    let told = load("yolox_nano.onnx", fewer).unwrap_err().to_string();
    assert!(told.contains("gives [1, 3549, 85]") && told.contains("(79) [1, 3549, 84] is due"), "{told}");
}

#[tokio::test]
async fn a_judge_names_what_is_in_pictures_and_takes_another_model_while_it_runs() {
    let judge = Judge::default();
    let pictures = || vec![Arc::new(visitor()), Arc::new(Picture { width: 8, height: 8, rgb: vec![90; 192] })];
    assert_eq!(judge.look(pictures()).await, Err("there is no object model"));
    judge.take(Some(Arc::new(nano()))).unwrap();
    assert!(judge.tells_fire());
    let found = judge.look(pictures()).await.unwrap();
    let [visitor, nothing] = &found[..] else { panic!("{found:?}") };
    assert!(visitor.iter().any(|object| &*object.class == "person" && object.kind == ObjectKind::Fire), "{visitor:?}");
    assert_eq!(nothing[..], []);

    judge.take(Some(Arc::new(load("yolox_nano.onnx", labels(0.99)).unwrap()))).unwrap();
    assert_eq!(judge.look(pictures()).await.unwrap(), [vec![], vec![]], "nothing is as sure as that");
    judge.take(None).unwrap();
    assert!(!judge.tells_fire());
    assert_eq!(judge.look(pictures()).await, Err("there is no object model"));
}

#[tokio::test]
async fn who_waits_too_long_gives_up_and_only_so_many_wait() {
    let model = std::fs::read(folder().join("yolox_nano.onnx")).unwrap();
    let hasty = Model::load(model, Layout::Yolox, labels(0.35), Duration::ZERO).unwrap();
    let judge = Judge::default();
    judge.take(Some(Arc::new(hasty))).unwrap();
    let picture = Arc::new(visitor());
    let many = || vec![picture.clone(); 16];
    assert_eq!(judge.look(many()).await, Err("the object model gave no answer in time"));
    // Whoever is asked first may be judged already, or not.
    let asks: Vec<_> = (0..QUEUE_MAX + 8).map(|_| judge.ask(many())).collect();
    let refused = asks.iter().filter_map(|ask| ask.as_ref().err());
    assert!(refused.clone().count() >= 1 && refused.clone().all(|why| *why == "too many wait for the object model"));
}
