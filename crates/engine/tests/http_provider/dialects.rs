//! Each service is asked in its own way.

use vb_engine::provider::config::Dialect;
use vb_engine::provider::contract::{EmbedRequest, Purpose};
use vb_engine::provider::options::EncodingFormat;
use vb_provider_double::server::ProviderDouble;
use vb_provider_double::settings::Settings;

use crate::support::{Owner, assert_right, config, http, passages};

#[test]
fn openai_is_asked_at_its_path_with_a_bearer_key_and_dimensions() {
    let server = ProviderDouble::start(Settings {
        key: Some("sk-right".into()),
        dimensions: 1536,
        ..Settings::default()
    });
    let owner = Owner::new();
    let mut config = config(&server);
    config.model = "text-embedding-3-small".into();
    config.dimensions = Some(64);
    http(&mut config).dialect = Dialect::Openai;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "sk-right\n").unwrap();
    http(&mut config).api_key_ref = Some(format!("file:{}", file.path().display()));
    let found = owner.embed(&config, &["a", "b"]).unwrap();
    assert_right(&found, &["a", "b"]);
    assert_eq!(found[0].vector.len(), 64);
    let call = &server.calls()[0];
    assert_eq!(call.path, "/v1/embeddings");
    assert_eq!(call.header("authorization"), Some("Bearer sk-right"));
    assert_eq!(call.dimensions, Some(64));
    assert_eq!(call.encoding_format.as_deref(), Some("base64"));
    assert_eq!(call.model, "text-embedding-3-small");
}

#[test]
fn azure_is_asked_by_deployment_and_version_with_its_own_header() {
    let server = ProviderDouble::start(Settings {
        key: Some("azure-key".into()),
        ..Settings::default()
    });
    let owner = Owner::new();
    let mut config = config(&server);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "azure-key").unwrap();
    let http = http(&mut config);
    http.dialect = Dialect::AzureOpenai;
    http.endpoint = Some(server.base());
    http.api_key_ref = Some(format!("file:{}", file.path().display()));
    http.options.deployment = Some("my deployment".into());
    http.options.api_version = Some("2024-06-01".into());
    assert_right(&owner.embed(&config, &["a"]).unwrap(), &["a"]);
    let call = &server.calls()[0];
    assert_eq!(
        call.path,
        "/openai/deployments/my%20deployment/embeddings?api-version=2024-06-01"
    );
    assert_eq!(call.header("api-key"), Some("azure-key"));
    assert_eq!(call.header("authorization"), None);
}

#[test]
fn prefixes_and_headers_go_with_each_request_and_dimensions_only_where_told() {
    let server = ProviderDouble::start(Settings::default());
    let owner = Owner::new();
    let mut config = config(&server);
    let options = &mut http(&mut config).options;
    options.query_prefix = "query: ".into();
    options.passage_prefix = "passage: ".into();
    options.headers.insert("x-team".into(), "search".into());
    owner.embed(&config, &["a"]).unwrap();
    let provider = owner.provider(&config).unwrap();
    let query = EmbedRequest {
        purpose: Purpose::Query,
        ..passages(&["a"])
    };
    owner.runtime.block_on(provider.embed(query)).unwrap();
    let calls = server.calls();
    assert_eq!(calls[0].texts, ["passage: a"]);
    assert_eq!(calls[1].texts, ["query: a"]);
    assert_eq!(calls[0].header("x-team"), Some("search"));
    assert_eq!(calls[0].dimensions, None);
    http(&mut config).options.send_dimensions = Some(true);
    owner.embed(&config, &["a"]).unwrap();
    assert_eq!(server.calls()[2].dimensions, Some(32));
}

#[test]
fn the_length_of_embeddings_is_asked_for_when_nobody_says_it() {
    let server = ProviderDouble::start(Settings::default());
    let owner = Owner::new();
    let mut config = config(&server);
    config.dimensions = None;
    assert_eq!(owner.provider(&config).unwrap().dimensions(), 32);
    assert_eq!(server.count(), 1);
}

#[test]
fn decimals_are_asked_for_when_told_and_when_base64_is_not_known() {
    use vb_provider_double::behaviour::Behaviour;
    let server = ProviderDouble::start_with(Settings::default(), Box::new(|_| Behaviour::RefusesBase64));
    let owner = Owner::new();
    let mut config = config(&server);
    assert_right(&owner.embed(&config, &["a"]).unwrap(), &["a"]);
    assert_right(&owner.embed(&config, &["b"]).unwrap(), &["b"]);
    let formats: Vec<_> = server
        .calls()
        .into_iter()
        .map(|call| call.encoding_format.unwrap())
        .collect();
    assert_eq!(formats, ["base64", "float", "float"], "it is tried once");
    server.forget();
    config.name = "told".into();
    http(&mut config).options.encoding_format = EncodingFormat::Float;
    owner.embed(&config, &["a"]).unwrap();
    assert_eq!(server.calls()[0].encoding_format.as_deref(), Some("float"));
}

#[test]
fn texts_longer_than_the_model_sees_are_cut_and_said_to_be() {
    let server = ProviderDouble::start(Settings::default());
    let owner = Owner::new();
    let mut config = config(&server);
    config.max_tokens = Some(10);
    let long = "word ".repeat(1_000);
    let found = owner.embed(&config, &["short", &long]).unwrap();
    assert_eq!([found[0].truncated, found[1].truncated], [false, true]);
    let sent = &server.calls()[0].texts;
    assert_eq!(sent[0], "short");
    assert_eq!(sent[1].split_whitespace().count(), 10);
}

#[test]
fn tokens_are_those_that_the_service_charges() {
    let server = ProviderDouble::start(Settings::default());
    let owner = Owner::new();
    let texts = ["four", "eight letters", ""].map(|text| format!("{text} and more"));
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let charged: usize = texts
        .iter()
        .map(|text| vb_provider_double::embedding::tokens(text))
        .sum();
    let found = owner.embed(&config(&server), &texts).unwrap();
    let counted: u32 = found.iter().map(|embedding| embedding.tokens).sum();
    assert_eq!(counted as usize, charged);
    let reports = owner.registry.reports();
    assert_eq!((reports[0].usage.tokens as usize, reports[0].usage.texts), (charged, 3));
}
