//! `outpost report` on the command line.

use std::path::{Path, PathBuf};

use outpost_fences::FenceSet;

use super::{Language, ReportError, write};
use crate::config::check::check_alone;
use crate::telemetry::now_ms;
use crate::{app, config};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Month in the desk's zone, as 2026-11.
    #[arg(long, value_name = "YYYY-MM")]
    month: String,
    /// Configuration of the gateway: names of centres and people, formulas, calendar. Default: the standard ones.
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of the gateway's store. Default: that of the configuration.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Folder that the files go to.
    #[arg(long, value_name = "DIR", default_value = "report")]
    out: PathBuf,
    /// Of the page; the tables name everything by its id, too.
    #[arg(long, value_enum, default_value_t = Language::Chinese)]
    language: Language,
}

/// Writes the report and prints the names of its files.
pub fn run(args: &Args) -> Result<(), ReportError> {
    let (config, fences) = match &args.config {
        Some(file) => {
            let config = config::load(file).map_err(|problems| ReportError::Config(problems.to_string()))?;
            let fences = app::fences(&config, file).map_err(|error| ReportError::Config(format!("{error:#}")))?;
            (config, fences)
        }
        None => {
            let checked = check_alone("", Path::new("default"));
            let config = checked.config.ok_or_else(|| ReportError::Config("no configuration".into()))?;
            (config, FenceSet::default())
        }
    };
    let data = args.data.as_ref().unwrap_or(&config.store.folder);
    for path in write(&config, &fences, &args.month, (data, &args.out), args.language, now_ms())? {
        println!("{}", path.display());
    }
    Ok(())
}
