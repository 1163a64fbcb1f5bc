//! What fences promise, as claims about random shapes and about files.

mod containment;
mod crossings;
mod distance;
mod files;
mod flicker;
mod garbage;
mod index;
mod movement;
mod shapes;
mod tiling;
mod track;
