//! What is missing or broken is a configuration error that names the file: never a panic, never a crash.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use vb_engine::provider::config::{OnnxConfig, ProviderConfig, ProviderKind};
use vb_engine::provider::contract::ProviderError;

use crate::support::{config, copy_of, load, mini_lm, onnx, tiny, turn};

fn refusal(config: &ProviderConfig) -> String {
    match load(config) {
        Err(ProviderError::Configuration(message)) => message,
        Err(other) => panic!("not a configuration error: {other:?}"),
        Ok(_) => panic!("loaded"),
    }
}

fn refusal_naming(folder: &TempDir, file: &str) -> String {
    let message = refusal(&config(folder.path()));
    let named = folder.path().join(file).display().to_string();
    assert!(message.contains(&named), "{message:?} does not name {named}");
    message
}

#[tokio::test]
async fn a_missing_file_is_named() {
    let _turn = turn().await;
    for file in ["model.onnx", "tokenizer.json"] {
        let folder = copy_of(&tiny());
        fs::remove_file(folder.path().join(file)).expect("removed");
        assert!(refusal_naming(&folder, file).contains("does not exist"));
    }
    assert!(refusal(&config(Path::new("/nowhere"))).contains("/nowhere/"));
}

#[tokio::test]
async fn a_file_of_garbage_is_named() {
    let _turn = turn().await;
    for file in ["model.onnx", "tokenizer.json"] {
        for garbage in ["", "garbage", "{}"] {
            let folder = copy_of(&tiny());
            fs::write(folder.path().join(file), garbage).expect("written");
            refusal_naming(&folder, file);
        }
    }
}

#[tokio::test]
async fn a_model_that_ends_too_early_is_named() {
    let _turn = turn().await;
    for folder in [tiny(), mini_lm()] {
        let folder = copy_of(&folder);
        let model = folder.path().join("model.onnx");
        let bytes = fs::read(&model).expect("read");
        for length in [bytes.len() / 2, bytes.len() - 1] {
            fs::write(&model, &bytes[..length]).expect("written");
            refusal_naming(&folder, "model.onnx");
        }
    }
}

#[tokio::test]
async fn a_tokenizer_of_another_model_is_noticed() {
    let _turn = turn().await;
    let folder = copy_of(&tiny());
    fs::copy(mini_lm().join("tokenizer.json"), folder.path().join("tokenizer.json")).expect("copied");
    assert!(refusal_naming(&folder, "model.onnx").contains("does not fit its tokenizer"));
}

#[tokio::test]
async fn a_window_that_the_model_does_not_have_is_noticed() {
    let _turn = turn().await;
    let mut config = config(&mini_lm());
    config.max_tokens = Some(513);
    assert!(refusal(&config).contains("513 tokens"));
    config.max_tokens = Some(2);
    assert!(refusal(&config).contains("max_tokens is 2"));
}

#[tokio::test]
async fn other_dimensions_than_configured_are_noticed() {
    let _turn = turn().await;
    let mut config = config(&tiny());
    config.dimensions = Some(384);
    let message = refusal(&config);
    assert!(
        message.contains("384 dimensions") && message.contains("has 4"),
        "{message}"
    );
}

#[tokio::test]
async fn a_library_that_is_missing_or_another_than_the_loaded_one_is_named() {
    let _turn = turn().await;
    let mut config = config(&tiny());
    drop(load(&config).expect("loads"));
    let folder = tempfile::tempdir().expect("temporary folder");
    let another = folder.path().join("libonnxruntime.so");
    let good = onnx(&config).clone();
    config.kind = ProviderKind::Onnx(OnnxConfig {
        library: another.clone(),
        ..good.clone()
    });
    assert!(refusal(&config).contains(&format!("\"{}\" does not exist", another.display())));

    fs::copy(&good.library, &another).expect("copied");
    let message = refusal(&config);
    assert!(
        message.contains("already runs") && message.contains("restart the worker"),
        "{message}"
    );

    // Another name of the loaded library is the loaded library.
    let link = folder.path().join("link.so");
    std::os::unix::fs::symlink(&good.library, &link).expect("linked");
    config.kind = ProviderKind::Onnx(OnnxConfig { library: link, ..good });
    assert!(load(&config).is_ok());
}
