//! What fences promise, as claims about random shapes and about files.

mod antimeridian;
mod containment;
mod crossings;
mod curves;
mod distance;
mod files;
mod flicker;
mod fuzz;
mod garbage;
mod index;
mod movement;
mod noise;
mod notations;
mod oracle;
mod recurrence;
mod shapes;
mod sight;
mod terrain;
mod tiling;
mod track;
