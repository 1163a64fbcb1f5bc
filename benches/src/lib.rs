//! What the benches share: the job that every side is given, and the numbers of a process. `benches/run` starts them.

pub mod acknowledge;
pub mod cameras;
pub mod desk;
pub mod farm;
pub mod flood;
pub mod gate;
pub mod job;
pub mod latency;
pub mod listen;
pub mod mqtt;
pub mod parsers;
pub mod pipeline;
pub mod publish;

use std::error::Error;

pub type Failure = Box<dyn Error + Send + Sync>;

/// Unit of /proc/PID/stat on Linux.
const TICKS_PER_S: f64 = 100.0;

/// User and system time that a process has used so far, its ended threads included.
pub fn cpu_s_of(pid: &str) -> Result<f64, Failure> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, after_name) = stat.rsplit_once(')').ok_or("no name in stat")?;
    let mut fields = after_name.split_whitespace().skip(11);
    let mut ticks = || -> Result<f64, Failure> { Ok(fields.next().ok_or("too few fields in stat")?.parse()?) };
    Ok((ticks()? + ticks()?) / TICKS_PER_S)
}
