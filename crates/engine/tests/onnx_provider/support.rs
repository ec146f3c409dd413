//! Where the model is, how to ask for embeddings, and a look at the process's threads.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};
use vb_engine::cancel::CancelFlag;
use vb_engine::provider::config::{OnnxConfig, ProviderConfig, ProviderKind};
use vb_engine::provider::contract::{EmbedRequest, Embedding, EmbeddingProvider, ProviderError, Purpose};
use vb_engine::provider::onnx::{OnnxProvider, PACK_LIMITS};
use vb_engine::provider::options::LocalOptions;

/// Niceness of the passage threads under test: not what the test itself runs with.
pub(crate) const NICE: i32 = 7;

/// Tests take turns: each keeps all cores busy, and some look at the threads of the whole process.
pub(crate) async fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::const_new(());
    TURN.lock().await
}

fn from_environment(name: &str) -> PathBuf {
    match std::env::var_os(name) {
        Some(value) => PathBuf::from(value),
        None => {
            panic!("{name} is not set: run these tests with `make test`, which fetches the model and says where it is")
        }
    }
}

/// The ONNX Runtime library to test with.
pub(crate) fn library() -> PathBuf {
    from_environment("VB_ONNXRUNTIME_LIBRARY")
}

/// The folder of the real model.
pub(crate) fn mini_lm() -> PathBuf {
    from_environment("VB_MODEL_DIRECTORY").join("all-MiniLM-L6-v2")
}

/// The folder of a model of 22 words: quick to load, and its word "poison" has no finite vector.
pub(crate) fn tiny() -> PathBuf {
    // Cargo's at run time: clones that share a target folder share this program as well.
    let package = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    let folder = Path::new(&package).join("tests/fixtures/tiny_model");
    // Git makes files that the owner's group may write to where the owner wants that, and such a model is refused.
    for path in [folder.clone(), folder.join("model.onnx"), folder.join("tokenizer.json")] {
        let mode = fs::metadata(&path).expect("the fixture exists").permissions().mode();
        if mode & 0o022 != 0 {
            fs::set_permissions(&path, Permissions::from_mode(mode & 0o755)).expect("it is ours");
        }
    }
    folder
}

pub(crate) fn config(model_directory: &Path) -> ProviderConfig {
    ProviderConfig {
        name: "sentence_transformers".to_owned(),
        model: "all-MiniLM-L6-v2".to_owned(),
        dimensions: None,
        max_tokens: None,
        kind: ProviderKind::Onnx(OnnxConfig {
            library: library(),
            model_directory: model_directory.to_owned(),
            threads: 2,
            nice: NICE,
            options: LocalOptions::default(),
        }),
    }
}

/// A copy of a model's folder to break.
pub(crate) fn copy_of(folder: &Path) -> TempDir {
    let copy = tempfile::tempdir().expect("temporary folder");
    for file in ["model.onnx", "tokenizer.json"] {
        fs::copy(folder.join(file), copy.path().join(file)).expect("copied");
    }
    copy
}

/// The part of a configuration that is about the local provider, to change it.
pub(crate) fn onnx_mut(config: &mut ProviderConfig) -> &mut OnnxConfig {
    match &mut config.kind {
        ProviderKind::Onnx(onnx) => onnx,
        #[allow(unreachable_patterns, reason = "there will be other kinds")]
        _ => panic!("not a local provider"),
    }
}

/// The part of a configuration that is about the local provider.
pub(crate) fn onnx(config: &ProviderConfig) -> &OnnxConfig {
    match &config.kind {
        ProviderKind::Onnx(onnx) => onnx,
        #[allow(unreachable_patterns, reason = "there will be other kinds")]
        _ => panic!("not a local provider"),
    }
}

/// Loads a provider the way the registry does.
pub(crate) fn load(config: &ProviderConfig) -> Result<OnnxProvider, ProviderError> {
    OnnxProvider::load(config, onnx(config), PACK_LIMITS)
}

pub(crate) fn provider(model_directory: &Path) -> Arc<OnnxProvider> {
    Arc::new(load(&config(model_directory)).expect("the provider loads"))
}

pub(crate) fn request<S: AsRef<str>>(texts: &[S], purpose: Purpose) -> EmbedRequest {
    let texts = texts.iter().map(|text| Arc::from(text.as_ref())).collect();
    EmbedRequest {
        texts,
        purpose,
        cancel: CancelFlag::default(),
    }
}

pub(crate) async fn embed<S: AsRef<str>>(
    provider: &dyn EmbeddingProvider,
    texts: &[S],
) -> Result<Vec<Embedding>, ProviderError> {
    provider.embed(request(texts, Purpose::Passage)).await
}

pub(crate) fn cosine(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// Many texts that fill the window: tens of seconds of work for two threads.
pub(crate) fn much_work() -> Vec<String> {
    (0..500)
        .map(|number| format!("{number} {}", "all work and no play ".repeat(80)))
        .collect()
}

/// What the kernel says about a thread.
#[derive(Debug, Clone)]
pub(crate) struct ThreadState {
    pub name: String,
    pub nice: i32,
    /// Scheduling policy as Linux numbers it.
    pub policy: i64,
    /// Processor time so far, in hundredths of a second.
    pub used: u64,
}

/// The process's model threads by thread id.
pub(crate) fn model_threads() -> BTreeMap<u32, ThreadState> {
    let tasks = fs::read_dir("/proc/self/task").expect("a Linux with /proc");
    tasks
        .filter_map(|task| {
            let task = task.ok()?;
            let id = task.file_name().to_str()?.parse().ok()?;
            // A thread may end at any moment, and then it is none.
            let stat = fs::read_to_string(task.path().join("stat")).ok()?;
            let (name, fields) = stat.split_once('(')?.1.rsplit_once(')')?;
            // Numbered as in proc(5): the state is field 3.
            let field = |number: usize| fields.split_whitespace().nth(number - 3)?.parse::<i64>().ok();
            let state = ThreadState {
                name: name.to_owned(),
                nice: field(19)? as i32,
                policy: field(41)?,
                used: (field(14)? + field(15)?) as u64,
            };
            state.name.starts_with("vb-").then_some((id, state))
        })
        .collect()
}

/// Returns when a passage thread has used processor time since the call: its model is running.
pub(crate) async fn model_runs() {
    let before = model_threads();
    loop {
        let busy = model_threads().iter().any(|(id, now)| {
            now.name.starts_with("vb-passage") && before.get(id).is_none_or(|before| now.used > before.used + 5)
        });
        if busy {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}
