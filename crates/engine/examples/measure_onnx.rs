//! Temporary measurement.
use std::sync::Arc;
use std::time::Instant;
use vb_engine::cancel::CancelFlag;
use vb_engine::policy::packing::{PackLimits, pack};
use vb_engine::provider::config::{OnnxConfig, ProviderConfig, ProviderKind};
use vb_engine::provider::contract::{EmbedRequest, EmbeddingProvider, Purpose};
use vb_engine::provider::onnx::OnnxProvider;
unsafe extern "C" { fn malloc_trim(pad: usize) -> i32; }
fn cpu() -> f64 { let s = std::fs::read_to_string("/proc/self/stat").unwrap(); let f: Vec<&str> = s.rsplit_once(')').unwrap().1.split_whitespace().collect(); (f[11].parse::<f64>().unwrap() + f[12].parse::<f64>().unwrap()) / 100.0 }
fn status(key: &str) -> String {
    std::fs::read_to_string("/proc/self/status").unwrap().lines().find(|l| l.starts_with(key)).unwrap().to_owned()
}
#[tokio::main]
async fn main() {
    let budget: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    let threads: usize = std::env::args().nth(2).unwrap().parse().unwrap();
    let rounds: usize = std::env::args().nth(3).unwrap().parse().unwrap();
    let onnx = OnnxConfig {
        library: std::env::var("VB_ONNXRUNTIME_LIBRARY").unwrap().into(),
        model_directory: format!("{}/all-MiniLM-L6-v2", std::env::var("VB_MODEL_DIRECTORY").unwrap()).into(),
        threads, nice: 0,
    };
    let config = ProviderConfig { name: "x".into(), model: "m".into(), dimensions: None, max_tokens: None, kind: ProviderKind::Onnx(onnx.clone()) };
    let limits = PackLimits { padded_tokens: budget, texts: 256 };
    let start = Instant::now();
    let provider = OnnxProvider::load(&config, &onnx, limits).unwrap();
    let loaded = start.elapsed();
    let rss_untrimmed = status("VmRSS"); let hwm_load = status("VmHWM");
    unsafe { malloc_trim(0); }
    let rss_loaded = format!("{rss_untrimmed} trimmed {} hwm {hwm_load}", status("VmRSS"));
    let texts: Vec<Arc<str>> = serde_json::from_str::<Vec<String>>(&std::fs::read_to_string("/tmp/packages.json").unwrap()).unwrap().into_iter().map(Into::into).collect();
    for _ in 0..rounds {
        let start = Instant::now(); let c = cpu();
        let answer = provider.embed(EmbedRequest { texts: texts.clone(), purpose: Purpose::Passage, cancel: CancelFlag::default() }).await.unwrap();
        let took = start.elapsed().as_secs_f64(); let c = cpu() - c;
        let lengths: Vec<usize> = answer.iter().map(|e| e.tokens as usize).collect();
        let real: usize = lengths.iter().sum();
        let packs = pack(&lengths, limits);
        let padded: usize = packs.iter().map(|p| p.len() * p.iter().map(|&i| lengths[i]).max().unwrap()).sum();
        println!("budget {budget} threads {threads} load {loaded:?} packs {} avg {:.0} waste {:.1}% real/s {:.0} padded/s {:.0} texts/s {:.1} | real/cpu-s {:.0} padded/cpu-s {:.0} | {rss_loaded} {} {}", packs.len(), real as f64 / lengths.len() as f64, 100.0 * (padded - real) as f64 / padded as f64, real as f64 / took, padded as f64 / took, texts.len() as f64 / took, real as f64 / c, padded as f64 / c, status("VmRSS"), status("VmHWM"));
    }
    let start = Instant::now();
    let q = || EmbedRequest { texts: vec!["where is my order?".into()], purpose: Purpose::Query, cancel: CancelFlag::default() };
    provider.embed(q()).await.unwrap();
    let first = start.elapsed();
    let start = Instant::now();
    provider.embed(q()).await.unwrap();
    println!("first query {first:?}, next {:?} {}", start.elapsed(), status("VmHWM"));
    let text = "Rows that are in the database are read. ".repeat(25000);
    let start = Instant::now();
    provider.embed(EmbedRequest { texts: vec![text.as_str().into()], purpose: Purpose::Query, cancel: CancelFlag::default() }).await.unwrap();
    let megabyte = start.elapsed();
    let start = Instant::now();
    let spans = provider.token_spans(&text).unwrap().len();
    println!("1 MB embed {megabyte:?}, spans {:?} ({spans})", start.elapsed());
    let start = Instant::now();
    provider.shutdown();
    println!("shutdown {:?} {}", start.elapsed(), status("VmRSS"));
}
