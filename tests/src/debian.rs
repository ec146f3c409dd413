//! Real rows: the records of Debian packages that every Debian machine has.

use std::collections::HashSet;
use std::fs;
use std::process::Command;
use std::sync::OnceLock;

/// One package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its name; no two packages share one.
    pub name: String,
    /// What it is, in one line: about ten words.
    pub summary: String,
    /// What kind of software it is.
    pub section: String,
    /// How important Debian finds it.
    pub priority: String,
}

/// The first packages, always the same ones in the same order on one machine.
///
/// Panics when the machine does not know so many.
pub fn packages(count: usize) -> &'static [Package] {
    static KNOWN: OnceLock<Vec<Package>> = OnceLock::new();
    let known = KNOWN.get_or_init(known);
    assert!(
        known.len() >= count,
        "{count} package records are needed and this machine knows {}; run: apt-get update",
        known.len()
    );
    &known[..count]
}

/// Texts of about `sentences` times 15 tokens, each made of the summaries of neighbours; no two are equal.
pub fn texts(count: usize, sentences: usize) -> Vec<String> {
    let packages = packages(count + sentences);
    let text = |window: &[Package]| {
        let sentences = window
            .iter()
            .map(|package| format!("{}: {}.", package.name, package.summary));
        sentences.collect::<Vec<_>>().join(" ")
    };
    packages.windows(sentences).take(count).map(text).collect()
}

/// The summaries of installed packages, each with its long description, of which it is no part: questions and their answers.
/// At most so many; no two summaries are equal.
pub fn summaries_and_descriptions(count: usize) -> Vec<(String, String)> {
    let status = fs::read_to_string("/var/lib/dpkg/status").unwrap_or_default();
    let mut summaries = HashSet::new();
    let pairs = status.split("\n\n").filter_map(|record| {
        let summary = package(record)?.summary;
        let description = long_description(record)?;
        summaries.insert(summary.clone()).then_some((summary, description))
    });
    pairs.take(count).collect()
}

/// The lines of a record's description after the first one, joined; `None` when there is none to speak of.
fn long_description(record: &str) -> Option<String> {
    let (_, rest) = record.split_once("\nDescription: ")?;
    let lines = rest.lines().skip(1).take_while(|line| line.starts_with(' '));
    let words: Vec<&str> = lines.map(str::trim).filter(|line| *line != ".").collect();
    let description = words.join(" ");
    (description.len() > 80).then_some(description)
}

/// Available packages, then those that are only installed.
fn known() -> Vec<Package> {
    let mut records = match Command::new("apt-cache").arg("dumpavail").output() {
        Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
        Err(_) => String::new(),
    };
    records.push_str("\n\n");
    records.push_str(&fs::read_to_string("/var/lib/dpkg/status").unwrap_or_default());
    let mut names = HashSet::new();
    records
        .split("\n\n")
        .filter_map(package)
        .filter(|package| names.insert(package.name.clone()))
        .collect()
}

fn package(record: &str) -> Option<Package> {
    let field = |name: &str| {
        record
            .lines()
            .find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(": ")?.trim().to_owned()))
    };
    Some(Package {
        name: field("Package")?,
        summary: field("Description")
            .or_else(|| field("Description-en"))
            .filter(|summary| !summary.is_empty())?,
        section: field("Section")?,
        priority: field("Priority").unwrap_or_else(|| "optional".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_without_its_long_description() {
        let record = "Package: a\nSection: games\nPriority: extra\nDescription: A game\n of: chance";
        let read = package(record).expect("it is complete");
        assert_eq!((read.name.as_str(), read.summary.as_str()), ("a", "A game"));
        assert_eq!((read.section.as_str(), read.priority.as_str()), ("games", "extra"));
        assert_eq!(package("Package: a\nSection: games"), None);
    }

    #[test]
    fn long_texts_differ() {
        let texts = texts(20, 3);
        assert_eq!(texts.iter().collect::<HashSet<_>>().len(), 20);
    }
}
