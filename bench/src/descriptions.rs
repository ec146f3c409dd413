//! Real texts of many lengths: the descriptions of the Debian packages installed on this machine.

use std::fs;

/// Fewer texts than this say nothing about a speed.
const FEWEST: usize = 100;

/// The first so many descriptions, or all when the machine has fewer.
///
/// Panics when it has hardly any.
pub(crate) fn descriptions(count: usize) -> Vec<String> {
    let status = fs::read_to_string("/var/lib/dpkg/status").unwrap_or_default();
    let found: Vec<String> = status.split("\n\n").filter_map(description).take(count).collect();
    assert!(
        found.len() >= FEWEST.min(count),
        "only {} Debian packages are installed on this machine, and their descriptions are the texts to embed",
        found.len()
    );
    found
}

/// The whole description of a record, its lines joined.
fn description(record: &str) -> Option<String> {
    let (_, rest) = record.split_once("\nDescription: ")?;
    let lines = rest
        .lines()
        .enumerate()
        .take_while(|(number, line)| *number == 0 || line.starts_with(' '));
    let words: Vec<&str> = lines.map(|(_, line)| line.trim()).filter(|line| *line != ".").collect();
    Some(words.join(" "))
}
