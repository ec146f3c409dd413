//! A real browser: Chromium without a window, told what to do as a person at it would.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

use crate::monitoring::cached;
use crate::program::{Program, free_port};
use crate::wait;

/// Where pictures of pages go, beside the tests' program, unless this names another folder.
const PICTURES: &str = "VB_PICTURES";

/// What axe calls findings that keep people from using a page.
const GRAVE: [&str; 2] = ["serious", "critical"];

/// A browser with one page. Dropping it ends it.
pub struct Browser {
    runtime: Runtime,
    client: Option<Client>,
    _driver: Program,
}

/// A command of Chromium's own, which WebDriver passes on.
#[derive(Debug)]
struct OfChromium {
    name: &'static str,
    parameters: Value,
}

impl WebDriverCompatibleCommand for OfChromium {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        let session = session.unwrap_or_default();
        base.join(&format!("session/{session}/goog/cdp/execute"))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        let body = json!({"cmd": self.name, "params": self.parameters});
        (http::Method::POST, Some(body.to_string()))
    }
}

impl Browser {
    /// Starts one.
    pub fn start() -> Self {
        let port = free_port();
        let mut driver = Program::start(Command::new("chromedriver").arg(format!("--port={port}")));
        let runtime = Runtime::new().expect("a runtime can be started");
        let mut wishes = Map::new();
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--force-color-profile=srgb",
            "--lang=en-US",
        ];
        wishes.insert("goog:chromeOptions".to_owned(), json!({ "args": arguments }));
        wishes.insert("goog:loggingPrefs".to_owned(), json!({"browser": "ALL"}));
        let client = wait::until("a browser", || {
            driver.assert_running();
            let mut builder = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new());
            let session = builder.capabilities(wishes.clone());
            runtime
                .block_on(session.connect(&format!("http://127.0.0.1:{port}")))
                .ok()
        });
        let browser = Self {
            runtime,
            client: Some(client),
            _driver: driver,
        };
        browser.resize(1280, 900);
        browser
    }

    fn client(&self) -> &Client {
        self.client.as_ref().expect("it is taken at the end only")
    }

    fn chromium(&self, name: &'static str, parameters: Value) {
        let command = OfChromium { name, parameters };
        self.runtime
            .block_on(self.client().issue_cmd(command))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    }

    /// Makes the page as large as a window, or a telephone, is.
    pub fn resize(&self, width: u32, height: u32) {
        self.chromium(
            "Emulation.setDeviceMetricsOverride",
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}),
        );
    }

    /// Asks for light or dark colours.
    pub fn prefer(&self, scheme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.chromium("Emulation.setEmulatedMedia", json!({ "features": features }));
    }

    /// Goes to an address and waits until the page is there.
    pub fn open(&self, url: &str) {
        self.runtime
            .block_on(self.client().goto(url))
            .unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    /// What a script returns.
    pub fn run(&self, script: &str) -> Value {
        self.runtime
            .block_on(self.client().execute(script, Vec::new()))
            .unwrap_or_else(|error| panic!("{error}\nin: {script}"))
    }

    /// What a script gives to its last argument, which it calls.
    fn run_until_told(&self, script: &str) -> Value {
        self.runtime
            .block_on(self.client().execute_async(script, Vec::new()))
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// The text of the first element that a selector finds, as it is shown; `None` when there is none or it is hidden.
    pub fn text(&self, selector: &str) -> Option<String> {
        let selector = json!(selector);
        let found = self.run(&format!(
            "const found = document.querySelector({selector});
             return found && found.checkVisibility() ? found.innerText.trim() : null"
        ));
        found.as_str().map(str::to_owned)
    }

    /// An attribute of the first element that a selector finds.
    pub fn attribute(&self, selector: &str, name: &str) -> Option<String> {
        let (selector, name) = (json!(selector), json!(name));
        let found = self.run(&format!(
            "const found = document.querySelector({selector}); return found && found.getAttribute({name})"
        ));
        found.as_str().map(str::to_owned)
    }

    /// How many elements a selector finds.
    pub fn count(&self, selector: &str) -> usize {
        let selector = json!(selector);
        let found = self.run(&format!("return document.querySelectorAll({selector}).length"));
        usize::try_from(found.as_u64().unwrap_or(0)).unwrap_or(0)
    }

    /// Waits until the text of an element is as wished.
    pub fn until(&self, selector: &str, what: &str, wished: impl Fn(&str) -> bool) -> String {
        let mut last = None;
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait::within(Duration::from_secs(60), what, || {
                last = self.text(selector);
                last.clone().filter(|text| wished(text))
            })
        }));
        found.unwrap_or_else(|_| {
            panic!(
                "{selector} should have come to: {what}. It is {last:?}\n{}",
                self.console()
            )
        })
    }

    /// Waits until an element is shown.
    pub fn shown(&self, selector: &str) -> String {
        self.until(selector, "being shown", |_| true)
    }

    /// Waits until an element is not shown any more.
    pub fn hidden(&self, selector: &str) {
        wait::within(Duration::from_secs(60), &format!("the end of {selector}"), || {
            self.text(selector).is_none().then_some(())
        });
    }

    /// Clicks where an element is, as soon as it is shown.
    pub fn click(&self, selector: &str) {
        self.shown(selector);
        // It may be drawn anew at any moment.
        wait::within(Duration::from_secs(30), &format!("a click on {selector}"), || {
            self.runtime
                .block_on(async { self.client().find(Locator::Css(selector)).await?.click().await })
                .ok()
        });
    }

    /// Types into a field.
    pub fn type_into(&self, selector: &str, text: &str) {
        self.shown(selector);
        self.runtime
            .block_on(async {
                let field = self.client().find(Locator::Css(selector)).await?;
                field.send_keys(text).await
            })
            .unwrap_or_else(|error| panic!("{selector}: {error}"));
    }

    /// Presses keys where the focus is.
    pub fn press(&self, keys: &str) {
        self.runtime
            .block_on(async { self.client().active_element().await?.send_keys(keys).await })
            .unwrap_or_else(|error| panic!("{keys:?}: {error}"));
    }

    /// Keeps a picture of the page under that name.
    pub fn picture(&self, name: &str) {
        let picture = self
            .runtime
            .block_on(self.client().screenshot())
            .expect("a picture can be taken");
        let folder = pictures();
        fs::create_dir_all(&folder).expect("a folder can be made");
        fs::write(folder.join(format!("{name}.png")), picture).expect("a picture can be written");
    }

    /// What of the page keeps people from using it, by the rules of axe.
    pub fn barriers(&self) -> Vec<String> {
        let rules = fs::read_to_string(cached("tools/axe.min.js")).expect("its rules can be read");
        let found = self.run_until_told(&format!(
            "{rules};
             const told = arguments[arguments.length - 1];
             axe.run(document, {{resultTypes: ['violations']}}).then(
                 found => told(found.violations.map(of => [of.impact, of.id + ': ' + of.help + ' ' +
                     of.nodes.slice(0, 3).map(node => node.html.slice(0, 200)).join(' ')])),
                 error => told([['critical', String(error)]]))"
        ));
        let found = found.as_array().expect("a list").iter();
        found
            .filter(|one| one[0].as_str().is_none_or(|impact| GRAVE.contains(&impact)))
            .map(|one| format!("{} {}", one[0], one[1]))
            .collect()
    }

    /// What the page and the browser said that went wrong.
    pub fn console(&self) -> String {
        let command = Console;
        let said = self.runtime.block_on(self.client().issue_cmd(command));
        match said {
            Ok(said) => {
                let lines = said.as_array().cloned().unwrap_or_default();
                let grave = lines.iter().filter(|line| line["level"] == "SEVERE");
                grave
                    .map(|line| line["message"].as_str().unwrap_or_default().to_owned())
                    .collect::<Vec<_>>()
                    .join("\n")
            }
            Err(error) => error.to_string(),
        }
    }
}

/// Asks for what was said since the last time.
#[derive(Debug)]
struct Console;

impl WebDriverCompatibleCommand for Console {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(json!({"type": "browser"}).to_string()))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            // Otherwise Chromium would outlive the driver.
            let _ = self.runtime.block_on(client.close());
        }
    }
}

fn pictures() -> PathBuf {
    if let Ok(folder) = std::env::var(PICTURES) {
        return PathBuf::from(folder);
    }
    let own = std::env::current_exe().expect("a program knows where it is");
    let built = own.parent().and_then(Path::parent).expect("tests are in target/…/deps");
    built.join("pictures")
}
