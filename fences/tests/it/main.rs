//! What fences promise, as claims about random shapes and about files.

mod containment;
mod crossings;
mod curves;
mod distance;
mod files;
mod fuzz;
mod garbage;
mod index;
mod notations;
mod oracle;
mod shapes;
mod tiling;
