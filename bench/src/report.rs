//! Results for people (a table) and for programs (JSON with machine and commit).

use std::process::Command;
use std::{fs, io};

use serde_json::{Value, json};

/// What one measurement found.
pub(crate) struct Outcome {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// Name and value of each figure, for people.
    pub(crate) lines: Vec<(String, String)>,
    /// All figures.
    pub(crate) figures: Value,
}

/// Prints the table and writes the file, if one is wanted.
pub(crate) fn write(results: Vec<Outcome>, output: Option<&str>) -> io::Result<()> {
    for result in &results {
        println!("\n{}", result.name);
        for (name, value) in &result.lines {
            println!("  {name:<44} {value:>22}");
        }
    }
    let Some(output) = output else { return Ok(()) };
    let figures: serde_json::Map<String, Value> = results
        .into_iter()
        .map(|result| (result.name.to_owned(), result.figures))
        .collect();
    let document = json!({ "machine": machine(), "commit": answer("git", &["rev-parse", "HEAD"]), "results": figures });
    fs::write(output, format!("{document:#}\n"))
}

fn machine() -> Value {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": ").map(|(_, name)| name));
    json!({
        "processor": model,
        "cores": std::thread::available_parallelism().map_or(1, usize::from),
        "system": answer("uname", &["-sr"]),
    })
}

fn answer(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned())
}
