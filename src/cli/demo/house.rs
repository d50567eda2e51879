//! kubemend itself, as the demo sets it up: configuration made here, a store in a folder of its own, a token
//! made anew each time.

use std::fmt::Write as _;
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

use super::super::failure::{Failure, note};
use super::super::run::failed;
use super::Args;
use super::stage::Stage;
use crate::app::App;
use crate::chat::console::Pass;
use crate::config::{Config, Environment};
use crate::engine::{Handle, Options};
use crate::incident::{Actor, Digest, Via};

/// A kubemend on the stage.
pub(super) struct House {
    app: App,
    token: String,
    kubeconfig: PathBuf,
    _folder: Folder,
}

impl House {
    /// Builds it. Nothing runs before [`Self::run`].
    pub(super) async fn build(arguments: &Args, stage: &Stage) -> Result<Self, Failure> {
        let folder = Folder::make()?;
        let kubeconfig = arguments.kubeconfig_out.clone().unwrap_or_else(|| folder.0.join("kubeconfig"));
        write_private(&kubeconfig, &stage.kubeconfig())?;
        let token: String = (0..16).fold(String::new(), |mut token, _| {
            let _ = write!(token, "{:02x}", rand::random::<u8>());
            token
        });
        let file = folder.0.join("kubemend.yaml");
        write_private(&file, &configuration(arguments, &kubeconfig, &folder.0))?;
        let environment: Environment = [(TOKEN, token.as_str())].into_iter().collect();
        let loaded = Config::load(&file, &environment).map_err(|report| {
            Failure::new(format!("the demo's own configuration has mistakes\n{report}"), "")
        })?;
        let app = App::build_demo(loaded, Options::default()).await.map_err(|error| failed(&error))?;
        Ok(Self { app, token, kubeconfig, _folder: folder })
    }

    pub(super) fn handle(&self) -> Handle {
        self.app.handle()
    }

    /// Where everything is.
    pub(super) fn welcome(&self) -> String {
        let link = self.app.console().map(|console| console.link(self.pass())).unwrap_or_default();
        let (address, token, kubeconfig) = (self.app.address(), &self.token, self.kubeconfig.display());
        let exposed = if address.ip().is_loopback() {
            ""
        } else {
            "warning     this listens beyond this machine, over plain HTTP: whoever has the token or the link may do everything here\n"
        };
        format!(
            "kubemend demo: a simulated cluster; nothing real is touched\n\
             open        http://{address}{link}\n\
             \x20           (signs you in, once and within 15 minutes; later with the token)\n\
             {exposed}\
             api         http://{address}/api/v1\n\
             token       {token}\n\
             kubeconfig  {kubeconfig}\n\
             try         curl -H 'Authorization: Bearer {token}' http://{address}/api/v1/incidents\n\
             \x20           kubectl --kubeconfig {kubeconfig} get pods -A\n\n"
        )
    }

    /// Whoever started the demo.
    fn pass(&self) -> Pass {
        let who = Actor { via: Via::Console, id: "demo".into(), name: "you".into() };
        Pass { who, roles: Vec::new(), credential: Digest::of_bytes(self.token.as_bytes()) }
    }

    /// Runs until `stop`.
    pub(super) async fn run(self, stop: CancellationToken) -> Result<(), Failure> {
        let Self { app, _folder, .. } = self;
        let ran = app.run(stop.clone()).await.map_err(|error| failed(&error));
        stop.cancel();
        ran
    }
}

const TOKEN: &str = "DEMO_TOKEN";

/// YAML is a superset of JSON: paths go in as JSON texts.
fn configuration(arguments: &Args, kubeconfig: &Path, folder: &Path) -> String {
    serde_json::json!({
        "clusters": [{"name": "demo", "source": {"kubeconfig": {"path": kubeconfig}}}],
        "api": {
            "listen": arguments.listen.to_string(),
            "tokens": [{"id": "demo", "name": "you", "tokenEnv": TOKEN}],
        },
        "gate": {
            "roles": {"demo": {
                "grants": [{"actions": ["*"], "maxRisk": "high"}],
                "rights": ["pause", "silence", "audit"],
            }},
            "people": {"you": {
                "roles": ["demo"],
                "identities": [{"via": "api", "id": "demo"}, {"via": "console", "id": "demo"}, {"via": "terminal", "id": "demo"}],
            }},
            "approvals": {"high": {"requesterCounts": true, "typedConfirmation": true, "lives": "1h"}},
        },
        "store": {"path": folder.join("kubemend.db")},
        "log": {"format": "text", "filter": "warn"},
    })
    .to_string()
}

/// A folder of the demo's own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("kubemend-demo-{:08x}", rand::random::<u32>()));
        let made = DirBuilder::new().mode(0o700).create(&path);
        made.map_err(|error| {
            Failure::new(
                format!("{} cannot be made: {error}", path.display()),
                "set TMPDIR to a folder that can be written",
            )
        })?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            note(&format!("{} could not be removed: {error}", self.0.display()));
        }
    }
}

/// Writes a file that only its owner can read.
fn write_private(path: &Path, text: &str) -> Result<(), Failure> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| {
        Failure::new(
            format!("{} cannot be written: {error}", path.display()),
            "name a file in a folder that exists",
        )
    })
}
