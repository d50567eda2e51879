//! `/api/v1` over HTTP, with a real engine before a simulated cluster: from first sight to *fixed*, every route
//! once, every answer held against the OpenAPI document that the server itself serves.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use crate::support::api::Api;
use crate::support::eventually;
use http::{Method, StatusCode};
use kubemend::app::App;
use kubemend::config::shape;
use kubemend::config::tree::Node;
use kubemend::config::{Config, Environment};
use kubemend::engine::Options;
use kubemend::sim::{Sim, SimOptions};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const ALICE: &str = "alice-0123456789abcdef";
const VIEWER: &str = "viewer-0123456789abcdef";
const NOBODY: &str = "nobody-0123456789abcdef";
const LONG: Duration = Duration::from_secs(240);

/// A kubemend and a simulated cluster in this process.
struct House {
    sim: Sim,
    address: SocketAddr,
    document: Value,
    covered: BTreeSet<String>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
    _folder: tempfile::TempDir,
}

impl House {
    async fn start() -> Self {
        // Another test of this process may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let sim =
            Sim::start(SimOptions { pace: 100.0, background: false, ..SimOptions::default() }).await.unwrap();
        let kubeconfig = folder.path().join("kubeconfig");
        std::fs::write(&kubeconfig, sim.kubeconfig()).unwrap();
        let config = json!({
            "clusters": [{"name": "sim", "source": {"kubeconfig": {"path": kubeconfig}}}],
            "api": {"listen": "127.0.0.1:0", "limits": {"eventStreams": 2, "heartbeatSeconds": 1}, "tokens": [
                {"id": "alice", "roles": ["admin"], "tokenEnv": "ALICE"},
                {"id": "viewer", "roles": ["viewer"], "tokenEnv": "VIEWER"},
                {"id": "nobody", "tokenEnv": "NOBODY"},
            ]},
            "gate": {"roles": {
                "admin": {"grants": [{"actions": ["*"], "maxRisk": "high"}], "rights": ["pause", "silence", "audit"]},
                "viewer": {},
            }},
            "store": {"path": folder.path().join("kubemend.db")},
        });
        let file = folder.path().join("kubemend.yaml");
        std::fs::write(&file, config.to_string()).unwrap();
        let environment: Environment =
            [("ALICE", ALICE), ("VIEWER", VIEWER), ("NOBODY", NOBODY)].into_iter().collect();
        let loaded = Config::load(&file, &environment).map_err(|report| report.to_string()).unwrap();
        let app = App::build(loaded, Options::default()).await.unwrap();
        let (address, stop) = (app.address(), CancellationToken::new());
        let mut tasks = JoinSet::new();
        let stopped = stop.clone();
        tasks.spawn(async move { app.run(stopped).await.unwrap() });
        let api = Api::at(&format!("http://{address}"), ALICE);
        api.wait_ready().await;
        let document = api.get("/api/v1/openapi.json").await;
        let covered = BTreeSet::from(["GET /api/v1/openapi.json".to_owned()]);
        Self { sim, address, document, covered, stop, tasks, _folder: folder }
    }

    fn api(&self, token: &str) -> Api {
        Api::at(&format!("http://{}", self.address), token)
    }

    /// Asks, and holds the answer against the document.
    async fn ask(
        &mut self,
        token: &str,
        method: Method,
        template: &str,
        id: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        let (bare, query) = template.split_once('?').unwrap_or((template, ""));
        let path = format!("{}{}{query}", bare.replace("{id}", id), if query.is_empty() { "" } else { "?" });
        let (status, answer) = self.api(token).send(method.clone(), &path, body.as_ref()).await.unwrap();
        let operation = &self.document["paths"][bare][method.as_str().to_lowercase()];
        let described = &operation["responses"][status.as_str()];
        assert!(described.is_object(), "{method} {path} answered {status}, which is not described: {answer}");
        let schema = &described["content"]["application/json"]["schema"];
        let mistakes = shape::check(&self.document, schema, &Node::from_json(&answer));
        assert!(mistakes.is_empty(), "{method} {path} {status}: {mistakes:#?}\n{answer:#}");
        self.covered.insert(format!("{method} {bare}"));
        (status.as_u16(), answer)
    }

    async fn get(&mut self, template: &str, id: &str) -> Value {
        let (status, answer) = self.ask(ALICE, Method::GET, template, id, None).await;
        assert_eq!(status, 200, "{template}: {answer}");
        answer
    }

    async fn post(&mut self, template: &str, id: &str, body: Value) -> (u16, Value) {
        self.ask(ALICE, Method::POST, template, id, Some(body)).await
    }

    /// The code of an error answer.
    async fn refused(&mut self, token: &str, template: &str, id: &str, body: Value) -> (u16, String) {
        let (status, answer) = self.ask(token, Method::POST, template, id, Some(body)).await;
        (status, answer["error"]["code"].as_str().unwrap_or_default().to_owned())
    }

    fn operations(&self) -> BTreeSet<String> {
        let paths = self.document["paths"].as_object().unwrap();
        let methods = |(path, operations): (&String, &Value)| {
            let methods: Vec<String> = operations.as_object().unwrap().keys().cloned().collect();
            methods.into_iter().map(move |method| (path.clone(), method)).collect::<Vec<_>>()
        };
        paths
            .iter()
            .flat_map(methods)
            .map(|(path, method)| format!("{} {path}", method.to_uppercase()))
            .collect()
    }

    async fn stop(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
        self.sim.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_is_driven_from_first_sight_to_fixed_over_every_route() {
    let mut house = House::start().await;
    house.sim.play("pull-secret").await.unwrap();
    let alice = house.api(ALICE);
    let incident = alice.incident("image.auth-missing", "payments", LONG).await;
    let incident = incident["id"].as_str().unwrap().to_owned();
    let proposal = alice.proposal(&incident, "pull-secrets.add", LONG).await;
    let (id, digest) = (proposal["id"].as_str().unwrap().to_owned(), proposal["digest"].clone());

    reading(&mut house, &incident, &id).await;
    refusals(&mut house, &id, &digest).await;
    silence_and_pause(&mut house, &incident).await;
    decisions(&mut house, &id, &digest).await;
    assert_eq!(alice.verdict(&proposal, LONG).await, "fixed");
    alice.resolved(&incident, LONG).await;
    afterwards(&mut house, &id, &digest).await;
    events(&mut house, &incident).await;

    let missing: Vec<String> = house.operations().difference(&house.covered).cloned().collect();
    assert!(missing.is_empty(), "never asked: {missing:?}");
    house.stop().await;
}

async fn reading(house: &mut House, incident: &str, proposal: &str) {
    let page =
        house.get("/api/v1/incidents?cluster=sim&severity=info&state=open&text=HARBOR&limit=1", "").await;
    assert_eq!(page["incidents"][0]["id"], incident);
    assert_eq!(page["incidents"][0]["members"], 3);
    let none = house.get("/api/v1/incidents?text=no-such-thing", "").await;
    assert_eq!(none, json!({"incidents": [], "next": null}));
    let detail = house.get("/api/v1/incidents/{id}", incident).await;
    assert_eq!(detail["entries"][0]["entry"]["type"], "opened");
    assert!(detail["evidence"]["seen"].is_object());
    assert!(!detail.to_string().contains("cm9ib3Q"), "no credential leaves the cluster");
    let shown = house.get("/api/v1/proposals/{id}", proposal).await;
    assert_eq!(shown["state"]["is"], "open");
    assert!(shown["proposal"]["preview"]["kubectl"][0].as_str().unwrap().starts_with("kubectl "));
    assert!(shown["proposal"]["preview"]["diff"].as_str().unwrap().contains("harbor-pull"));
    let status = house.get("/api/v1/status", "").await;
    assert_eq!((&status["paused"], &status["clusters"][0]["name"]), (&json!(false), &json!("sim")));
    assert_eq!(house.get("/api/v1/whoami", "").await["roles"], json!(["admin"]));
    let playbooks = house.get("/api/v1/playbooks", "").await;
    assert!(playbooks["playbooks"].as_array().unwrap().len() >= 16);
}

async fn refusals(house: &mut House, id: &str, digest: &Value) {
    let approve = "/api/v1/proposals/{id}/approve";
    let good = json!({"digest": digest});
    let other = json!({"digest": "0".repeat(64)});
    assert_eq!(house.refused("wrong", approve, id, good.clone()).await, (401, "unauthorized".into()));
    assert_eq!(house.refused(VIEWER, approve, id, good.clone()).await, (403, "forbidden".into()));
    assert_eq!(house.refused(NOBODY, approve, id, good.clone()).await, (403, "forbidden".into()));
    assert_eq!(house.refused(ALICE, approve, "i-9.p9", good).await, (404, "notFound".into()));
    assert_eq!(house.refused(ALICE, approve, id, other).await, (409, "staleDigest".into()));
    assert_eq!(house.refused(ALICE, approve, id, json!({"digest": "short"})).await, (422, "invalid".into()));
    assert_eq!(house.refused(ALICE, approve, id, json!({"digset": digest})).await, (422, "invalid".into()));
    assert_eq!(
        house.refused(ALICE, approve, id, json!({"digest": digest, "note": "x".repeat(70_000)})).await,
        (413, "tooLarge".into())
    );
    let (status, _) = house.ask(NOBODY, Method::GET, "/api/v1/incidents", "", None).await;
    assert_eq!(status, 403);
    let (status, _) = house.ask(VIEWER, Method::GET, "/api/v1/audit", "", None).await;
    assert_eq!(status, 403);
    let (status, _) = house.ask(ALICE, Method::GET, "/api/v1/incidents?colour=red", "", None).await;
    assert_eq!(status, 422);
    let (status, answer) = house.api(ALICE).send(Method::GET, "/api/v1/nonsense", None).await.unwrap();
    assert_eq!((status, &answer["error"]["code"]), (StatusCode::NOT_FOUND, &json!("notFound")));
    let (status, answer) = house.api(ALICE).send(Method::DELETE, "/api/v1/incidents", None).await.unwrap();
    assert_eq!(
        (status, &answer["error"]["code"]),
        (StatusCode::METHOD_NOT_ALLOWED, &json!("methodNotAllowed"))
    );
}

async fn silence_and_pause(house: &mut House, incident: &str) {
    let (status, silent) =
        house.post("/api/v1/incidents/{id}/silence", incident, json!({"minutes": 5})).await;
    assert_eq!(status, 200, "{silent}");
    assert!(silent["silencedUntil"].is_string());
    let (status, loud) = house.post("/api/v1/incidents/{id}/unsilence", incident, json!({})).await;
    assert_eq!((status, &loud["silencedUntil"]), (200, &Value::Null));
    let both = json!({"minutes": 5, "until": "2999-01-01T00:00:00Z"});
    assert_eq!(house.refused(ALICE, "/api/v1/incidents/{id}/silence", incident, both).await.0, 422);
    assert_eq!(house.refused(VIEWER, "/api/v1/pause", "", json!({})).await.0, 403);
    assert_eq!(house.post("/api/v1/pause", "", json!({})).await, (200, json!({"paused": true})));
    assert_eq!(house.get("/api/v1/status", "").await["paused"], json!(true));
    assert_eq!(house.post("/api/v1/resume", "", json!({})).await, (200, json!({"paused": false})));
}

async fn decisions(house: &mut House, id: &str, digest: &Value) {
    let approve = json!({"digest": digest, "note": "go"});
    // Nothing was approved yet, so nothing can be withdrawn.
    assert_eq!(house.refused(ALICE, "/api/v1/proposals/{id}/withdraw", id, approve.clone()).await.0, 409);
    let (status, decided) = house.post("/api/v1/proposals/{id}/approve", id, approve).await;
    assert_eq!(status, 200, "{decided}");
    assert_eq!(decided["approvals"][0]["id"], "alice");
}

async fn afterwards(house: &mut House, id: &str, digest: &Value) {
    assert_eq!(
        house.refused(ALICE, "/api/v1/proposals/{id}/deny", id, json!({"digest": digest})).await.0,
        409
    );
    let execution = format!("x-{id}");
    let settle = json!({"index": 0, "applied": true});
    assert_eq!(house.refused(ALICE, "/api/v1/executions/{id}/settle", &execution, settle).await.0, 409);
    assert_eq!(house.refused(ALICE, "/api/v1/executions/{id}/undo", "x-i-9.p9", json!({})).await.0, 404);
    let (status, undo) = house.post("/api/v1/executions/{id}/undo", &execution, json!({})).await;
    assert!(status == 200 || status == 409, "{status}: {undo}");
    let audit = house.get("/api/v1/audit?limit=5", "").await;
    assert_eq!(audit["entries"][0]["seq"], 1);
    assert_eq!(audit["next"], 5);
    let next = house.get("/api/v1/audit?after=5", "").await;
    assert_eq!(next["entries"][0]["seq"], 6);
    assert_eq!(next["entries"][0]["prev"], audit["entries"][4]["hash"]);
}

async fn events(house: &mut House, incident: &str) {
    house.covered.insert("GET /api/v1/events".to_owned());
    let mut stream = Stream::open(house.address, ALICE, "GET /api/v1/events?after=0", "").await;
    let first = stream.event().await;
    assert_eq!(first["seq"], 1);
    let schema = &house.document["components"]["schemas"]["EntryView"];
    let mistakes = shape::check(&house.document, schema, &Node::from_json(&first));
    assert!(mistakes.is_empty(), "{mistakes:#?}");
    let mut resumed = Stream::open(house.address, ALICE, "GET /api/v1/events", "Last-Event-ID: 3\r\n").await;
    assert_eq!(resumed.event().await["seq"], 4);
    let refused = Stream::open(house.address, ALICE, "GET /api/v1/events", "").await;
    assert!(refused.text.starts_with("HTTP/1.1 429"), "a third stream is one too many: {}", refused.text);
    drop((stream, resumed));
    let mut live = eventually("a place for another stream", LONG, || async {
        let stream = Stream::open(house.address, ALICE, "GET /api/v1/events", "").await;
        if stream.text.starts_with("HTTP/1.1 200") { Ok(stream) } else { Err(stream.text) }
    })
    .await;
    live.until(": alive").await;
    let api = house.api(ALICE);
    api.post(&format!("/api/v1/incidents/{incident}/silence"), &json!({"minutes": 1})).await;
    house.api(ALICE).post("/api/v1/pause", &json!({})).await;
    let paused = live.event().await;
    assert!(["silenced", "paused"].contains(&paused["entry"]["type"].as_str().unwrap()), "{paused}");
}

/// A raw connection: no client library stands between the test and what is sent.
struct Stream {
    socket: TcpStream,
    /// What was read and not yet taken.
    text: String,
}

impl Stream {
    async fn open(address: SocketAddr, token: &str, line: &str, headers: &str) -> Self {
        let mut socket = TcpStream::connect(address).await.unwrap();
        let request =
            format!("{line} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {token}\r\n{headers}\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut stream = Self { socket, text: String::new() };
        stream.until("\r\n\r\n").await;
        stream
    }

    async fn until(&mut self, wanted: &str) {
        while !self.text.contains(wanted) {
            let mut bytes = [0; 4096];
            let read = tokio::time::timeout(LONG, self.socket.read(&mut bytes))
                .await
                .expect("something is sent in time");
            let read = read.unwrap();
            assert!(read > 0, "the stream ended: {}", self.text);
            self.text.push_str(&String::from_utf8_lossy(&bytes[..read]));
        }
    }

    /// The data of the next event.
    async fn event(&mut self) -> Value {
        self.until("data: ").await;
        let start = self.text.find("data: ").unwrap();
        self.text.drain(..start + "data: ".len());
        self.until("\n\n").await;
        let line = self.text.lines().next().unwrap().to_owned();
        self.text.drain(..line.len());
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_has_an_id_and_the_headers_that_bind_a_browser() {
    let house = House::start().await;
    for line in ["GET /api/v1/incidents", "GET /healthz", "GET /nowhere"] {
        let stream = Stream::open(house.address, "wrong", line, "").await;
        let head = stream.text.to_lowercase();
        for header in [
            "x-request-id: ",
            "cache-control: no-store",
            "x-content-type-options: nosniff",
            "content-security-policy: ",
        ] {
            assert!(head.contains(header), "{line}: {header}: {head}");
        }
    }
    let stream = Stream::open(house.address, "wrong", "GET /api/v1/incidents", "").await;
    assert!(stream.text.to_lowercase().contains("www-authenticate: bearer"), "{}", stream.text);
    house.stop().await;
}
