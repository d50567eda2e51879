//! The real `kubemend` binary as a child process, with a configuration of its own.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::api::Api;

/// The token that the test's person has.
pub const TOKEN: &str = "a-token-of-the-tests-only";

/// A watch that falls silent is given up after this; ordinary patience would make a test of it take minutes.
const SILENCE_SECONDS: u32 = 10;

/// A running `kubemend run`.
pub struct Bot {
    child: Child,
    pub api: Api,
    pub folder: PathBuf,
    config: PathBuf,
    listen: String,
    _temp: Option<TempDir>,
}

impl Bot {
    /// Starts `kubemend run` against the cluster of that kubeconfig, with one person who is `admin`.
    pub fn start(kubeconfig: &Path, extra: &str) -> Self {
        Self::launch(&Launch {
            cluster: "real",
            kubeconfig,
            people: &[("alice", "admin")],
            extra,
            flags: &[],
        })
    }

    /// Starts `kubemend run`.
    pub fn launch(launch: &Launch<'_>) -> Self {
        let temp = tempfile::tempdir().expect("a temporary folder");
        let listen = free_address();
        let config = temp.path().join("kubemend.yaml");
        let folder = temp.path().to_owned();
        std::fs::write(&config, configuration(launch, &listen, &folder))
            .expect("the temporary folder can be written");
        let child = spawn(&config, launch.flags);
        Self {
            child,
            api: Api::at(&format!("http://{listen}"), TOKEN),
            folder,
            config,
            listen,
            _temp: Some(temp),
        }
    }

    /// The API as one of the other people sees it.
    pub fn api_as(&self, person: &str) -> Api {
        Api::at(&format!("http://{}", self.listen), &token_of(person))
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Whether the process has ended.
    pub fn is_gone(&mut self) -> bool {
        self.child.try_wait().expect("the child can be asked for").is_some()
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.config.with_extension("log")).unwrap_or_default()
    }

    /// Starts it again with the same configuration and store.
    pub fn restart(&mut self, flags: &[&str]) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.child = spawn(&self.config, flags);
        self.api = Api::at(&format!("http://{}", self.listen), TOKEN);
    }

    /// Waits until the process ended by itself (a crash point was reached).
    pub fn wait_gone(&mut self) -> std::process::ExitStatus {
        self.child.wait().expect("the child can be waited for")
    }

    /// Whether the process is over.
    pub fn has_ended(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()));
        // A process that ended and was not waited for yet is a zombie.
        stat.map_or(true, |stat| {
            stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z'))
        })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.listen)
    }

    pub fn database(&self) -> PathBuf {
        self.folder.join("kubemend.db")
    }

    pub fn config(&self) -> &Path {
        &self.config
    }
}

/// How to start it.
pub struct Launch<'a> {
    /// What the cluster is called.
    pub cluster: &'a str,
    pub kubeconfig: &'a Path,
    /// Tokens' ids and their roles; the first one is `Bot::api`.
    pub people: &'a [(&'a str, &'a str)],
    /// Further sections of the configuration.
    pub extra: &'a str,
    pub flags: &'a [&'a str],
}

fn configuration(launch: &Launch<'_>, listen: &str, folder: &Path) -> String {
    let Launch { cluster, kubeconfig, people, extra, flags: _ } = launch;
    let mut tokens = String::new();
    for (index, (person, role)) in people.iter().enumerate() {
        let secret = if index == 0 { TOKEN.to_owned() } else { token_of(person) };
        let file = folder.join(format!("token-{person}"));
        std::fs::write(&file, secret).expect("the temporary folder can be written");
        let _ = writeln!(tokens, "  - {{id: {person}, roles: [{role}], tokenFile: {}}}", file.display());
    }
    format!(
        "clusters:\n- name: {cluster}\n  watchSilenceSeconds: {SILENCE_SECONDS}\n  source:\n    kubeconfig:\n      path: {}\napi:\n  listen: {listen}\n  tokens:\n{tokens}store:\n  path: {}\n{extra}",
        kubeconfig.display(),
        folder.join("kubemend.db").display(),
    )
}

fn token_of(person: &str) -> String {
    format!("{TOKEN}-{person}")
}

impl Drop for Bot {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.config.with_extension("log")).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("the end of kubemend's log:\n{}", lines[lines.len().saturating_sub(40)..].join("\n"));
        }
    }
}

fn spawn(config: &Path, flags: &[&str]) -> Child {
    let log = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(config.with_extension("log"))
        .expect("the temporary folder can be written");
    Command::new(env!("CARGO_BIN_EXE_kubemend"))
        .arg("run")
        .arg("--config")
        .arg(config)
        .args(flags)
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a file handle can be duplicated"))
        .stderr(log)
        .spawn()
        .expect("the binary under test starts")
}

/// An address that was free a moment ago.
fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    listener.local_addr().expect("a bound listener has an address").to_string()
}
