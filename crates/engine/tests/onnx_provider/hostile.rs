//! Model files that are corrupted or made to harm give an error or vectors, never the end of the process: in a worker that
//! would be the end of every session of the server.
//!
//! Damage by chance is tried in a child: the parent starts this test binary again with one ignored test and sees how it
//! ends. What damage is done is a function of its number, so a crash can be looked at.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use vb_engine::batch::FailureClass;
use vb_engine::provider::contract::{ProviderError, Purpose};
use vb_engine::provider::registry::ProviderRegistry;

use crate::support::{config, copy_of, onnx_mut, request, tiny, turn};

const FILE: &str = "VB_HOSTILE_FILE";
const FOLDER: &str = "VB_HOSTILE_FOLDER";
/// More of them, or those of another model, can be tried by hand.
const FIRST: &str = "VB_HOSTILE_FIRST";
const COUNT: &str = "VB_HOSTILE_COUNT";

/// Numbers that look random and are the same for the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// A place in so many bytes: structure is mostly at both ends, weights lie between.
    fn place(&mut self, length: usize) -> usize {
        match self.below(3) {
            0 => self.below(length.min(2_000)),
            1 => length.saturating_sub(1 + self.below(length.min(200_000))),
            _ => self.below(length),
        }
    }
}

/// The bytes with one sort of damage.
fn damaged(mut bytes: Vec<u8>, number: u64) -> Vec<u8> {
    let mut random = Random(number);
    let at = random.place(bytes.len());
    let end = |length: usize| (at + length).min(bytes.len());
    match random.below(7) {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => (0..8).for_each(|_| {
            let at = random.place(bytes.len());
            bytes[at] = random.next() as u8;
        }),
        2 => bytes.truncate(at),
        3 => {
            let end = end(4);
            bytes[at..end].fill(0xff);
        }
        4 => {
            let from = random.place(bytes.len());
            let piece = bytes[from..(from + 16).min(bytes.len())].to_vec();
            bytes.splice(at..at, piece);
        }
        // The largest number there is, where a length may be.
        5 => drop(bytes.splice(at..at, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f])),
        _ => {
            let end = end(1 + random.below(64));
            bytes.drain(at..end);
        }
    }
    bytes
}

fn runtime() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).enable_all().build().unwrap()
}

/// Uses a model as the worker does.
fn used(runtime: &Runtime, folder: &Path) -> Result<usize, ProviderError> {
    let mut config = config(folder);
    onnx_mut(&mut config).threads = 1;
    let registry = ProviderRegistry::new();
    let outcome = runtime.block_on(async {
        let provider = registry.get(&config).await?;
        let texts = ["red green blue a b, c.", "one two"];
        provider.embed(request(&texts, Purpose::Passage)).await
    });
    registry.shutdown();
    outcome.map(|embeddings| embeddings.len())
}

#[test]
#[ignore = "run by the next test, in a process of its own"]
fn uses_damaged_files() {
    let from = |name: &str| env::var(name).expect("the parent says it");
    let number = |name: &str| from(name).parse::<u64>().expect("a number");
    let (folder, file) = (PathBuf::from(from(FOLDER)), from(FILE));
    let (first, count) = (number(FIRST), number(COUNT));
    let copy = copy_of(&folder);
    let whole = fs::read(folder.join(&file)).unwrap();
    let runtime = runtime();
    for number in first..first + count {
        println!("damage {number}");
        fs::write(copy.path().join(&file), damaged(whole.clone(), number)).unwrap();
        match used(&runtime, copy.path()) {
            Ok(vectors) => assert_eq!(vectors, 2),
            Err(error) => println!("{error}"),
        }
    }
    println!("all {count} tried");
}

#[test]
fn whatever_is_damaged_in_a_models_files_the_process_lives() {
    let or = |name: &str, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());
    let count = or(COUNT, "400");
    let _turn = runtime().block_on(turn());
    for file in ["model.onnx", "tokenizer.json"] {
        let child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "hostile::uses_damaged_files", "--ignored", "--nocapture"])
            .env(FOLDER, or(FOLDER, tiny().to_str().unwrap()))
            .env(FILE, file)
            .env(FIRST, or(FIRST, "0"))
            .env(COUNT, &count)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stdout);
        let last: Vec<&str> = said.lines().rev().take(4).collect();
        assert!(
            child.status.success() && said.contains(&format!("all {count} tried")),
            "{file}: {}: {last:?}",
            child.status
        );
    }
}

/// The reason why a model cannot be used, which is its own and no text's.
fn refusal(folder: &TempDir, file: &str) -> String {
    let error = used(&runtime(), folder.path()).expect_err("it was used");
    assert_eq!(error.class(), Some(FailureClass::Configuration), "{error}");
    let message = error.to_string();
    assert!(
        message.contains(folder.path().join(file).to_str().unwrap()),
        "{message}"
    );
    message
}

/// The small model after a change of its bytes.
fn changed_model(change: impl FnOnce(&mut Vec<u8>)) -> TempDir {
    let copy = copy_of(&tiny());
    let path = copy.path().join("model.onnx");
    let mut bytes = fs::read(&path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
    copy
}

fn replace(bytes: &mut [u8], from: &str, to: &str) {
    assert_eq!(from.len(), to.len());
    let places: Vec<usize> = (0..bytes.len() - from.len())
        .filter(|&at| bytes[at..].starts_with(from.as_bytes()))
        .collect();
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
}

/// A field of a message that holds a message or bytes, as ONNX writes it.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, content.len() as u8], content].concat()
}

/// One more tensor for the graph: what follows a message is merged into it.
fn add_tensor(bytes: &mut Vec<u8>, tensor: &[u8]) {
    bytes.extend(field(7, &field(5, tensor)));
}

#[test]
fn a_model_that_does_not_fit_or_means_harm_is_refused() {
    type Change = fn(&mut Vec<u8>);
    let table: [(&str, Change); 6] = [
        ("wants an input \"input_idx\"", |bytes| {
            replace(bytes, "input_ids", "input_idx");
        }),
        ("has the outputs [\"last_hidden_stage\"]", |bytes| {
            replace(bytes, "last_hidden_state", "last_hidden_stage");
        }),
        ("not finite", |bytes| {
            // The row of "poison" is not finite; from there all are.
            let nan = f32::NAN.to_le_bytes();
            let at = bytes.windows(4).position(|window| window == nan).unwrap();
            let weights = at - 4 * 4 * 4..at + 18 * 4 * 4;
            bytes[weights]
                .chunks_exact_mut(4)
                .for_each(|number| number.copy_from_slice(&nan));
        }),
        ("weights in other files", |bytes| {
            let location = [field(1, b"location"), field(2, b"/etc/passwd")].concat();
            add_tensor(bytes, &field(13, &location));
        }),
        ("cannot be loaded", |bytes| {
            // It says that there are more rows than there are.
            let shape = bytes
                .windows(4)
                .position(|window| window == [1 << 3, 22, 1 << 3, 4])
                .unwrap();
            bytes[shape + 1] = 127;
        }),
        ("not an ONNX model", |bytes| *bytes = b"\x20\0\0\0ORTM".repeat(40)),
    ];
    let _turn = runtime().block_on(turn());
    for (words, change) in table {
        let message = refusal(&changed_model(change), "model.onnx");
        assert!(message.contains(words), "{words}: {message}");
    }
}

#[test]
fn a_tokenizer_that_panics_refuses_everything_or_means_harm_is_refused() {
    let split =
        |regex: String| json!({"type": "Split", "pattern": {"Regex": regex}, "behavior": "Isolated", "invert": false});
    let nested = (0..200).fold(
        json!({"type": "Lowercase"}),
        |inner, _| json!({"type": "Sequence", "normalizers": [inner]}),
    );
    let precompiled = json!({"type": "Precompiled", "precompiled_charsmap": "////////"});
    let table: [(&str, &str, Value); 7] = [
        ("pre_tokenizer", "is not a tokenizer", split("(".repeat(100_000))),
        (
            "pre_tokenizer",
            "is not a tokenizer",
            split("(?:a{1,1000}){1,1000}{1,1000}".to_owned()),
        ),
        ("normalizer", "recursion limit", nested),
        ("normalizer", "panicked", precompiled),
        ("pre_tokenizer", "panicked", json!({"type": "FixedLength", "length": 0})),
        (
            "model",
            "refused the text",
            json!({"type": "WordLevel", "vocab": {"red": 7}, "unk_token": "none"}),
        ),
        ("post_processor", "no tokens", {
            json!({"type": "TemplateProcessing", "single": [], "pair": [{"Sequence": {"id": "A", "type_id": 0}},
                   {"Sequence": {"id": "B", "type_id": 1}}], "special_tokens": {}})
        }),
    ];
    let _turn = runtime().block_on(turn());
    for (part, words, hostile) in table {
        let copy = copy_of(&tiny());
        let path = copy.path().join("tokenizer.json");
        let mut tokenizer: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        tokenizer[part] = hostile;
        fs::write(&path, tokenizer.to_string()).unwrap();
        let message = refusal(&copy, "tokenizer.json");
        assert!(message.contains(words), "{part}: {message}");
    }
}

#[test]
fn a_slow_pattern_ends_with_its_text() {
    let copy = copy_of(&tiny());
    let path = copy.path().join("tokenizer.json");
    let mut tokenizer: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    tokenizer["pre_tokenizer"] = json!({"type": "Split", "pattern": {"Regex": "(a+a+)+(?=z)"}, "behavior": "Isolated",
                                        "invert": false});
    fs::write(&path, tokenizer.to_string()).unwrap();
    let runtime = runtime();
    let _turn = runtime.block_on(turn());
    let registry = ProviderRegistry::new();
    let provider = runtime.block_on(registry.get(&config(copy.path()))).unwrap();
    let text = "a".repeat(2_000);
    let start = std::time::Instant::now();
    let outcome = runtime.block_on(provider.embed(request(&[text], Purpose::Passage)));
    assert!(
        !matches!(&outcome, Err(error) if error.class() != Some(FailureClass::Record)),
        "{outcome:?}"
    );
    assert!(
        start.elapsed() < std::time::Duration::from_secs(10),
        "it took {:?}",
        start.elapsed()
    );
    registry.shutdown();
}
