//! All playbooks together: what is shipped, and what an operator put in its place.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::compiled::{Playbook, compile};
use super::known::Known;
use super::patterns::{Hit, Index, Rule, Sight};
use super::problem::Problem;
use super::shipped::SHIPPED;
use crate::incident::{ConditionId, Source};

/// No more files are read from an operator's folders.
const MOST_FILES: usize = 1_000;
/// No larger file is read.
const LARGEST_FILE: u64 = 1 << 20;

/// The playbooks that are in force.
#[derive(Debug, Default)]
pub struct Book {
    playbooks: Vec<Playbook>,
    index: Index,
}

impl Book {
    /// The playbooks that come with the binary.
    pub fn shipped() -> Self {
        Self::of(SHIPPED.iter().map(|&(file, text)| (file.to_owned(), text.to_owned())), &[])
            .expect("the shipped playbooks are linted by the tests")
    }

    /// The shipped playbooks, those in `dirs` in their place or beside them, without those in `off`.
    pub fn load(dirs: &[PathBuf], off: &[ConditionId]) -> Result<Self, Vec<Problem>> {
        let mut files: Vec<(String, String)> =
            SHIPPED.iter().map(|&(file, text)| (file.to_owned(), text.to_owned())).collect();
        let mut problems = Vec::new();
        for dir in dirs {
            read_dir(dir, &mut files, &mut problems);
        }
        match Self::of(files, off) {
            Ok(book) if problems.is_empty() => Ok(book),
            Ok(_) => Err(problems),
            Err(more) => {
                problems.extend(more);
                Err(problems)
            }
        }
    }

    /// A book of these files alone; of two with one name, the later is in force.
    pub fn of(
        files: impl IntoIterator<Item = (String, String)>,
        off: &[ConditionId],
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut kept: BTreeMap<ConditionId, (Playbook, Vec<Rule>)> = BTreeMap::new();
        for (file, text) in files {
            match compile(&file, &text) {
                Ok((playbook, rules)) => drop(kept.insert(playbook.id.clone(), (playbook, rules))),
                Err(found) => problems.extend(found),
            }
        }
        for id in off {
            if kept.remove(id).is_none() {
                let message = format!("the playbook `{id}` is switched off and does not exist");
                problems.push(Problem::new("playbooks.off", None, message));
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let (playbooks, rules): (Vec<Playbook>, Vec<Vec<Rule>>) = kept.into_values().unzip();
        let rules = rules.into_iter().enumerate();
        let rules =
            rules.flat_map(|(at, rules)| rules.into_iter().map(move |rule| Rule { playbook: at, ..rule }));
        Ok(Self { index: Index::new(rules.collect()), playbooks })
    }

    /// The playbook of a condition.
    pub fn get(&self, id: &ConditionId) -> Option<&Playbook> {
        self.playbooks.binary_search_by(|playbook| playbook.id.cmp(id)).ok().map(|at| &self.playbooks[at])
    }

    /// All playbooks, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Playbook> {
        self.playbooks.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.playbooks.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.playbooks.is_empty()
    }

    /// What each playbook makes of a piece of evidence.
    pub fn hits<'b>(&'b self, sight: &Sight<'_>, found: &mut Vec<Hit<'b>>) {
        self.index.hits(sight, found);
    }

    /// Whether any playbook names this reason at this place.
    pub fn names(&self, place: Source, reason: &str) -> bool {
        self.index.names(place, reason)
    }

    /// The playbook at a place in the book.
    pub fn at(&self, place: usize) -> &Playbook {
        &self.playbooks[place]
    }
}

impl Playbook {
    /// Whether the condition on the facts holds; without one it does. One that cannot be evaluated does not.
    pub fn holds(&self, known: &Known<'_>, captures: &BTreeMap<String, String>) -> bool {
        self.when.as_ref().is_none_or(|when| when.holds(known, captures).unwrap_or(false))
    }

    /// The conditions that the facts do not exclude, most likely first.
    pub fn rivals(&self, known: &Known<'_>, captures: &BTreeMap<String, String>) -> Vec<ConditionId> {
        let open = |rival: &&super::compiled::CompiledRival| {
            rival.when.as_ref().is_none_or(|when| when.holds(known, captures).unwrap_or(false))
        };
        self.rivals.iter().filter(open).map(|rival| rival.condition.clone()).collect()
    }

    /// The names of the groups that its patterns capture.
    pub fn captures(&self) -> impl Iterator<Item = &str> {
        self.captures.iter().map(String::as_str)
    }
}

/// Reads `*.yaml` and `*.yml` of a folder and of the folders in it.
fn read_dir(dir: &Path, files: &mut Vec<(String, String)>, problems: &mut Vec<Problem>) {
    let shown = dir.display().to_string();
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) => {
            return problems.push(Problem::new(&shown, None, format!("cannot read the folder: {error}")));
        }
    };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        if files.len() >= MOST_FILES {
            return problems.push(Problem::new(&shown, None, format!("more than {MOST_FILES} playbooks")));
        }
        // A mounted ConfigMap shows its files through hidden folders: `..data`.
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if path.is_dir() && !hidden {
            read_dir(&path, files, problems);
        } else if path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml") {
            read_file(&path, files, problems);
        }
    }
}

fn read_file(path: &Path, files: &mut Vec<(String, String)>, problems: &mut Vec<Problem>) {
    let shown = path.display().to_string();
    match std::fs::metadata(path) {
        Ok(about) if about.len() > LARGEST_FILE => {
            return problems.push(Problem::new(&shown, None, format!("larger than {LARGEST_FILE} bytes")));
        }
        Ok(_) | Err(_) => {}
    }
    match std::fs::read_to_string(path) {
        Ok(text) => files.push((shown, text)),
        Err(error) => problems.push(Problem::new(&shown, None, format!("cannot read it: {error}"))),
    }
}
