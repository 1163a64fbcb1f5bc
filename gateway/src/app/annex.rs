//! Writes the annex of the configuration: what is asked over the API is put into its text, checked with all the rest as a
//! reload checks it, written down in the audit, and only then laid in the place of what was there.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use outpost_fences::FenceSet;
use tracing::warn;

use super::fences;
use crate::api::{Change, Edit, NotEdited, Told, Tried, Unless, tag_of};
use crate::config::annex::{EditError, append, elements, put, remove, secrets_folder};
use crate::config::check::{self, Checked, Problem};
use crate::config::{CameraRow, Config, Written};
use crate::pipeline::watch::Watch;
use crate::store::{Archive, Doer};
use crate::telemetry::now_ms;

/// Whoever asks for an annex that grew beyond this is told so.
const ANNEX_BYTES_MAX: usize = check::TEXT_BYTES_MAX;

/// The files that are read and written, and where changes are written down.
#[derive(Clone)]
pub(super) struct Annex {
    main: PathBuf,
    archive: Arc<Archive>,
}

/// A change that can be made, and what the configuration then is.
pub(super) struct Draft {
    pub(super) config: Config,
    pub(super) fences: FenceSet,
    /// Warnings.
    pub(super) told: Vec<Told>,
    path: PathBuf,
    before: String,
    text: String,
    has_secrets: bool,
}

/// Where elements of a draft begin and end in the annex, lines from 1.
struct Stretch {
    first: usize,
    last: usize,
    row: Option<u64>,
}

/// Names of files, and what is in them.
type Secrets = Vec<(String, String)>;

impl Annex {
    pub(super) fn new(main: &Path, archive: Arc<Archive>) -> Annex {
        Annex { main: main.to_owned(), archive }
    }

    /// Makes the change in memory and checks all there is with it. Reads files; writes only secrets, which the check looks for,
    /// and not on trial.
    pub(super) fn draft(&self, edit: &Edit) -> Result<Draft, NotEdited> {
        let disk = |cause: io::Error| NotEdited::Disk(cause.to_string());
        let (main, path, before) = self.read()?;
        self.meet(&main, &before, edit)?;
        let (text, stretches, secrets) = change(&before, &path, edit)?;
        if text.len() > ANNEX_BYTES_MAX {
            let message = format!("the annex would have {} bytes, at most {ANNEX_BYTES_MAX}", text.len());
            return Err(NotEdited::Element(EditError::Annex(message)));
        }
        if !edit.is_trial {
            keep_secrets(&path, &secrets).map_err(disk)?;
        }
        let Checked { config, problems } = check::check_with(&main, &self.main, (&text, &path));
        let told: Vec<Told> = problems.into_iter().map(|problem| tell(problem, &path, &stretches)).collect();
        let made = config.ok_or_else(|| NotEdited::Problems(told.clone())).and_then(|config| {
            let fences = fences(&config, &self.main).map_err(|error| NotEdited::Disk(format!("{error:#}")))?;
            // What only the rules' compiler finds.
            Watch::new(&config, &fences).map_err(|error| NotEdited::Problems(vec![Told::plain(error.to_string())]))?;
            Ok((config, fences))
        });
        if made.is_err() {
            forget_secrets(&path, &before);
        }
        let (config, fences) = made?;
        Ok(Draft { config, fences, told, path, before, text, has_secrets: !secrets.is_empty() })
    }

    /// What the configuration is, and what it would be with all of these drafts.
    pub(super) fn attempt(&self, drafts: &[Change]) -> Result<Tried, NotEdited> {
        let (main, path, before) = self.read()?;
        let mut text = before.clone();
        for draft in drafts {
            let Change::Put { table, id, text: draft } = draft else { continue };
            text = put(&text, *table, id, draft)?.0;
        }
        let read = |text: String| -> Result<(Config, FenceSet), NotEdited> {
            let Checked { config, problems } = check::check_with(&main, &self.main, (&text, &path));
            let told = || problems.into_iter().map(|problem| tell(problem, &path, &[])).collect();
            let config = config.ok_or_else(|| NotEdited::Problems(told()))?;
            let fences = fences(&config, &self.main).map_err(|error| NotEdited::Disk(format!("{error:#}")))?;
            Ok((config, fences))
        };
        Ok(Tried { now: read(before)?, then: read(text)? })
    }

    /// The configuration's text, and the path and text of its annex.
    fn read(&self) -> Result<(String, PathBuf, String), NotEdited> {
        let disk = |cause: io::Error| NotEdited::Disk(cause.to_string());
        let main = std::fs::read_to_string(&self.main).map_err(disk)?;
        let path = check::annex_of(&main, &self.main).ok_or(NotEdited::NoAnnex)?;
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok((main, path, text)),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok((main, path, String::new())),
            Err(cause) => Err(disk(cause)),
        }
    }

    /// Audits the change and lays it down. On disk when it returns.
    pub(super) fn write(&self, draft: &Draft, change: &Change, doer: &Doer) -> Result<(), NotEdited> {
        let Draft { path, before, text, .. } = draft;
        let what = format!("{} {}..{}", change.verb(), tag_of(before), tag_of(text));
        // Before it is done: that it was done shows in the next entry, which begins with the hash that this one ends with.
        let noted = self.archive.changed(&format!("annex/{}", change.of()), &what, doer, now_ms());
        noted.map_err(|cause| NotEdited::Disk(cause.to_string()))?;
        replace(path, text.as_bytes()).map_err(|cause| NotEdited::Disk(format!("{}: {cause}", path.display())))?;
        forget_secrets(path, text);
        Ok(())
    }

    /// Takes back what a draft that is not written left beside the annex.
    pub(super) fn give_up(&self, draft: &Draft) {
        if draft.has_secrets {
            forget_secrets(&draft.path, &draft.before);
        }
    }

    /// The element must be as whoever changes it has seen it.
    fn meet(&self, main: &str, annex: &str, edit: &Edit) -> Result<(), NotEdited> {
        let Some((table, id)) = edit.change.element() else { return Ok(()) };
        let is_it = |one: &Written| one.table == table && one.id == id;
        if elements(main, usize::MAX).iter().any(is_it) {
            let file = self.main.file_name().unwrap_or_default().to_string_lossy().into_owned();
            return Err(NotEdited::Elsewhere { table, id: id.to_owned(), file });
        }
        let tag = elements(annex, 0).into_iter().find(is_it).map(|one| tag_of(&one.text));
        let is_met = match &edit.unless {
            Unless::Never => true,
            Unless::Known => tag.is_none(),
            Unless::OtherThan(seen) => tag.as_ref() == Some(seen),
        };
        is_met.then_some(()).ok_or(NotEdited::Changed { tag })
    }
}

/// The annex with the change, where what was changed stands in it, and the secrets that it refers to.
fn change(before: &str, path: &Path, edit: &Edit) -> Result<(String, Vec<Stretch>, Secrets), NotEdited> {
    match &edit.change {
        Change::Put { table, id, text } => {
            let (edited, first) = put(before, *table, id, text)?;
            let last = first + text.trim_matches(['\n', '\r']).lines().count();
            Ok((edited, vec![Stretch { first, last, row: None }], Vec::new()))
        }
        Change::Remove { table, id } => Ok((remove(before, *table, id)?, Vec::new(), Vec::new())),
        Change::Import(rows) => {
            let folder = secrets_folder(path);
            // A name that nothing refers to yet: what is there stays until the annex says otherwise. On trial no secret is
            // written, and none is looked for.
            let stamp = now_ms();
            let name = |row: &CameraRow| format!("{}-{stamp:x}", secret_name(&row.id));
            let secret = |row: &CameraRow| {
                let is_kept = !edit.is_trial && row.password.is_some();
                is_kept.then(|| folder.join(name(row)).to_string_lossy().into_owned())
            };
            let elements: Vec<String> = rows.iter().map(|row| row.element(secret(row).as_deref())).collect();
            let (edited, lines) = append(before, &elements)?;
            let stretch = |((row, element), first): ((&CameraRow, &String), usize)| Stretch {
                first,
                last: first + element.lines().count(),
                row: Some(row.no),
            };
            let stretches = rows.iter().zip(&elements).zip(lines).map(stretch).collect();
            let secrets = rows.iter().filter_map(|row| Some((name(row), row.password.clone()?))).collect();
            Ok((edited, stretches, secrets))
        }
    }
}

fn tell(problem: Problem, annex: &Path, stretches: &[Stretch]) -> Told {
    let own = |stretch: &&Stretch| problem.file == annex && (stretch.first..=stretch.last).contains(&problem.line);
    let stretch = stretches.iter().find(own);
    Told {
        draft_line: stretch.map(|stretch| problem.line + 1 - stretch.first),
        row: stretch.and_then(|stretch| stretch.row),
        problem,
    }
}

/// All of the new text or all of the old one, whenever the power goes.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let fresh = folder.join(format!(".{name}.new"));
    let mut file = File::create(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&fresh, path)?;
    File::open(folder)?.sync_all()
}

/// A name of a file for any id: letters and digits as they are, other bytes in hexadecimal.
fn secret_name(id: &str) -> String {
    let part = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' => char::from(byte).to_string(),
        other => format!("_{other:02x}"),
    };
    id.bytes().map(part).collect()
}

fn keep_secrets(annex: &Path, secrets: &Secrets) -> io::Result<()> {
    if secrets.is_empty() {
        return Ok(());
    }
    let folder = secrets_folder(annex);
    // Readable by nobody else.
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    for (name, secret) in secrets {
        // A new file, so that it has its mode from the beginning.
        let fresh = folder.join(format!("{name}.new"));
        let _ = std::fs::remove_file(&fresh);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
        file.write_all(secret.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&fresh, folder.join(name))?;
    }
    File::open(&folder)?.sync_all()
}

/// Removes the secrets to which nothing in the annex refers any more.
fn forget_secrets(annex: &Path, text: &str) {
    let folder = secrets_folder(annex);
    let Ok(entries) = std::fs::read_dir(&folder) else { return };
    let folder_name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_needed = ['"', '\''].iter().any(|quote| text.contains(&format!("/{folder_name}/{name}{quote}")));
        if is_needed {
            continue;
        }
        if let Err(cause) = std::fs::remove_file(entry.path()) {
            warn!(path = %entry.path().display(), %cause, "a secret that nothing needs any more is still there");
        }
    }
}

impl From<EditError> for NotEdited {
    fn from(error: EditError) -> NotEdited {
        NotEdited::Element(error)
    }
}
