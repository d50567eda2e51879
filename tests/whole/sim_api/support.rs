//! A running server for one test: a port of its own, an admin, and the clients that ask it.

use std::net::SocketAddr;
use std::process::{Command, Output};
use std::time::Duration;

use kube::{Client, Config};
use kubemend::sim::api::{ApiServer, Gvr, SimClock, User, gvr};
use serde_json::{Value, json};

pub struct Server {
    pub api: ApiServer,
    pub at: SocketAddr,
    home: tempfile::TempDir,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

pub const ADMIN: &str = "admin-token";

pub async fn start() -> Server {
    let api = ApiServer::new(SimClock::real());
    api.add_token(ADMIN, User::new("demo-admin", &["system:masters"]));
    api.add_token("ann-token", User::new("ann", &[]));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let router = api.router();
    let collector = api.clone();
    let tasks = vec![
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }),
        tokio::spawn(async move { collector.run().await }),
    ];
    let server = Server { api, at, home: tempfile::tempdir().unwrap(), tasks };
    let kubeconfig = json!({"apiVersion": "v1", "kind": "Config", "current-context": "sim",
        "clusters": [{"name": "sim", "cluster": {"server": format!("{}/token/{ADMIN}", server.url())}}],
        "contexts": [{"name": "sim", "context": {"cluster": "sim", "user": "admin", "namespace": "default"}}],
        "users": [{"name": "admin", "user": {}}]});
    std::fs::write(server.home.path().join("config"), kubeconfig.to_string()).unwrap();
    server
}

impl Server {
    pub fn url(&self) -> String {
        format!("http://{}", self.at)
    }

    pub fn client_of(&self, token: &str) -> Client {
        let mut config = Config::new(self.url().parse().unwrap());
        config.auth_info.token = Some(token.to_owned().into());
        // kube would repeat evictions that are refused with 429 for ever.
        config.default_retry = false;
        config.read_timeout = Some(Duration::from_secs(20));
        Client::try_from(config).unwrap()
    }

    pub fn client(&self) -> Client {
        self.client_of(ADMIN)
    }

    /// Creates an object in this process, as admin.
    pub fn put(&self, r: &Gvr, ns: Option<&str>, object: Value) -> Value {
        let who = User::system("test");
        (*self.api.create(&who, r, ns, object).unwrap()).clone()
    }

    pub fn put_pod(&self, name: &str) -> Value {
        self.put(&gvr::PODS, Some("default"), pod(name))
    }

    /// Sets the status of an object in this process.
    pub fn set_status(&self, r: &Gvr, name: &str, status: Value) {
        let who = User::system("test");
        self.api
            .modify(&who, r, Some("status"), Some("default"), name, |object| {
                object["status"] = status.clone();
            })
            .unwrap();
    }

    /// Runs kubectl in a home of its own, so that no discovery cache lies.
    pub async fn kubectl(&self, args: &[&str]) -> Ran {
        self.kubectl_with(args, "").await
    }

    /// Runs a kubectl that does not end by itself.
    pub async fn kubectl_for(&self, args: &[&str], time: &str) -> Ran {
        let home = self.home.path().to_owned();
        let mut all = vec![time.to_owned(), kubectl_name()];
        all.extend(args.iter().map(ToString::to_string));
        tokio::task::spawn_blocking(move || run(&home, "timeout", &all, "")).await.unwrap()
    }

    pub async fn kubectl_with(&self, args: &[&str], stdin: &str) -> Ran {
        let home = self.home.path().to_owned();
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        let stdin = stdin.to_owned();
        tokio::task::spawn_blocking(move || run(&home, &kubectl_name(), &args, &stdin)).await.unwrap()
    }
}

fn kubectl_name() -> String {
    std::env::var("KUBECTL").unwrap_or_else(|_| "kubectl".into())
}

fn run(home: &std::path::Path, program: &str, args: &[String], stdin: &str) -> Ran {
    let input = home.join("stdin");
    std::fs::write(&input, stdin).unwrap();
    let output = Command::new(program)
        .args(args)
        .arg("--request-timeout=20s")
        .env("HOME", home)
        .env("KUBECONFIG", home.join("config"))
        .stdin(std::fs::File::open(&input).unwrap())
        .output()
        .expect("kubectl is on the PATH");
    Ran::of(&output)
}

#[derive(Debug)]
pub struct Ran {
    pub ok: bool,
    pub out: String,
    pub err: String,
}

impl Ran {
    fn of(output: &Output) -> Self {
        Self {
            ok: output.status.success(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    #[track_caller]
    pub fn shows(&self, wanted: &str) -> &Self {
        assert!(self.ok && self.out.contains(wanted), "no {wanted:?} in {self:#?}");
        self
    }

    #[track_caller]
    pub fn fails_with(&self, wanted: &str) {
        assert!(!self.ok && self.err.contains(wanted), "no {wanted:?} in {self:#?}");
    }
}

pub fn pod(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "c", "image": "nginx:1.25"}]}})
}

pub fn deployment(name: &str) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "c", "image": "nginx:1.25"}]}}}})
}

/// Waits until something is so.
#[track_caller]
pub fn until(what: &str, mut is: impl FnMut() -> bool) -> impl Future<Output = ()> {
    let what = what.to_owned();
    async move {
        let waited = async {
            while !is() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(120), waited)
            .await
            .unwrap_or_else(|_| panic!("never: {what}"));
    }
}
