//! What fences promise, as claims about random shapes and about files.

mod containment;
mod crossings;
mod distance;
mod files;
mod garbage;
mod index;
mod shapes;
mod tiling;
