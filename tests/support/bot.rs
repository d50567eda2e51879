//! The real `kubemend` binary as a child process, with a configuration of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::api::Api;

/// The token that the test's person has.
pub const TOKEN: &str = "a-token-of-the-tests-only";

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
    /// Starts `kubemend run` against the cluster of that kubeconfig.
    pub fn start(kubeconfig: &Path, extra: &str) -> Self {
        let temp = tempfile::tempdir().expect("a temporary folder");
        let listen = free_address();
        let config = temp.path().join("kubemend.yaml");
        let folder = temp.path().to_owned();
        let text = format!(
            "clusters:\n- name: real\n  source:\n    kubeconfig:\n      path: {}\napi:\n  listen: {listen}\n  tokens:\n  - id: alice\n    roles: [admin]\n    tokenEnv: TEST_TOKEN\nstore:\n  path: {}\n{extra}",
            kubeconfig.display(),
            folder.join("kubemend.db").display(),
        );
        std::fs::write(&config, text).expect("the temporary folder can be written");
        let child = spawn(&config, &[]);
        Self {
            child,
            api: Api::at(&format!("http://{listen}"), TOKEN),
            folder,
            config,
            listen,
            _temp: Some(temp),
        }
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
        stat.map_or(true, |stat| stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z')))
    }

    pub fn database(&self) -> PathBuf {
        self.folder.join("kubemend.db")
    }

    pub fn config(&self) -> &Path {
        &self.config
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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
        .env("TEST_TOKEN", TOKEN)
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
