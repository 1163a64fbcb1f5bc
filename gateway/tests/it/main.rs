//! x

mod camera;
mod camera_hostile;
mod support_rtsp;
