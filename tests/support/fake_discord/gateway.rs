//! The gateway: hello, heartbeats, identify, resume with replay, and the ways in which it fails.

use std::sync::Weak;
use std::time::{Duration, Instant};

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

use super::state::{Link, Session, State};
use super::{APPLICATION, BOT_TOKEN, FakeDiscord, GUILD, Inner, guild};

pub const GUILDS: u64 = 1;
pub const GUILD_MEMBERS: u64 = 1 << 1;
pub const GUILD_PRESENCES: u64 = 1 << 8;
pub const GUILD_MESSAGES: u64 = 1 << 9;
pub const MESSAGE_CONTENT: u64 = 1 << 15;
const PRIVILEGED: u64 = GUILD_MEMBERS | GUILD_PRESENCES | MESSAGE_CONTENT;
/// Every bit that means something.
const KNOWN: u64 = 0x0331_ffff;
/// No intent is needed.
pub const ALWAYS: u64 = 0;

/// What a client may send.
const LARGEST: usize = 4096;
const MOST_IN_A_MINUTE: usize = 120;
/// One identify in this time.
const BETWEEN_STARTS: Duration = Duration::from_secs(5);
/// How much is kept for a resume.
const KEPT: usize = 1000;

/// What a link is told to do.
#[derive(Clone, Debug)]
pub enum Order {
    Send(Value),
    /// Acknowledges no heartbeat any more, and sends nothing either.
    FallSilent,
    /// Ends the TCP connection without a word.
    Drop,
    /// Closes with that code; `None`: with none at all.
    Close(Option<u16>),
}

/// Asks for a reconnect and a resume.
pub fn reconnect() -> Order {
    Order::Send(json!({"op": 7, "d": null, "s": null, "t": null}))
}

/// Says that the session is not valid any more; whether it can be resumed.
pub fn invalid_session(resumable: bool) -> Order {
    Order::Send(json!({"op": 9, "d": resumable, "s": null, "t": null}))
}

pub async fn serve(listener: TcpListener, discord: Weak<Inner>) {
    let mut links = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        links.spawn(link(stream, discord.clone()));
    }
}

/// How a link stands.
struct Standing {
    id: u64,
    /// Where the client connected: behind READY's `resume_gateway_url`, or elsewhere.
    path: String,
    beat: Instant,
    sent: Vec<Instant>,
    silent: bool,
}

async fn link(stream: TcpStream, discord: Weak<Inner>) {
    let mut asked = String::new();
    // The handshake's own error type is large.
    #[allow(clippy::result_large_err)]
    let admits = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        asked = request.uri().to_string();
        Ok(response)
    };
    let Ok(mut socket) = accept_hdr_async(stream, admits).await else { return };
    if !(asked.contains("v=10") && (asked.contains("encoding=json") || !asked.contains("encoding="))) {
        let _ = close(&mut socket, Some(4012)).await;
        return;
    }
    let (orders, mut told) = mpsc::unbounded_channel();
    let Some((id, heartbeat)) = register(&discord, orders) else { return };
    let path = asked.split('?').next().unwrap_or_default().to_owned();
    let mut standing = Standing { id, path, beat: Instant::now(), sent: Vec::new(), silent: false };
    let hello =
        json!({"op": 10, "d": {"heartbeat_interval": heartbeat.as_millis() as u64}, "s": null, "t": null});
    let _ = socket.send(Message::text(hello.to_string())).await;
    let overdue = heartbeat.mul_f64(1.5) + Duration::from_secs(5);
    let ended = loop {
        tokio::select! {
            order = told.recv() => match order {
                Some(Order::Send(_)) if standing.silent => {}
                Some(Order::Send(frame)) => {
                    if socket.send(Message::text(frame.to_string())).await.is_err() { break None }
                }
                Some(Order::FallSilent) => standing.silent = true,
                Some(Order::Drop) | None => break None,
                Some(Order::Close(code)) => { let _ = close(&mut socket, code).await; break None }
            },
            frame = socket.next() => match frame {
                Some(Ok(Message::Text(text))) => {
                    match heard(&discord, &mut standing, &text) {
                        Ok(answers) => for answer in answers {
                            if socket.send(Message::text(answer.to_string())).await.is_err() { break }
                        },
                        Err(code) => { let _ = close(&mut socket, Some(code)).await; break Some(code) }
                    }
                }
                Some(Ok(Message::Close(frame))) => break frame.map(|frame| frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => break None,
            },
            () = tokio::time::sleep(overdue.saturating_sub(standing.beat.elapsed())), if !standing.silent => {
                let _ = close(&mut socket, Some(4009)).await;
                break Some(4009)
            }
        }
    };
    gone(&discord, id, ended);
}

async fn close(socket: &mut WebSocketStream<TcpStream>, code: Option<u16>) -> Option<()> {
    let frame = code.map(|code| CloseFrame { code: code.into(), reason: "".into() });
    socket.close(frame).await.ok()?;
    let rest = async { while let Some(Ok(_)) = socket.next().await {} };
    tokio::time::timeout(Duration::from_secs(2), rest).await.ok()
}

fn register(discord: &Weak<Inner>, orders: mpsc::UnboundedSender<Order>) -> Option<(u64, Duration)> {
    let inner = discord.upgrade()?;
    let mut state = inner.state.lock();
    let id = state.number();
    state.links.insert(id, Link { orders, session: None });
    Some((id, state.heartbeat))
}

/// A session that its client closed with 1000 or 1001, or that Discord ended for good, is over.
fn gone(discord: &Weak<Inner>, id: u64, code: Option<u16>) {
    let Some(inner) = discord.upgrade() else { return };
    let mut state = inner.state.lock();
    let Some(session) = state.links.remove(&id).and_then(|link| link.session) else { return };
    if matches!(code, Some(1000 | 1001 | 4004 | 4007 | 4009 | 4010..=4014)) {
        state.sessions.remove(&session);
    } else if let Some(session) = state.sessions.get_mut(&session).filter(|session| session.link == Some(id))
    {
        session.link = None;
    }
}

/// What a client's frame brings about: answers, or the code with which the link is closed.
fn heard(discord: &Weak<Inner>, standing: &mut Standing, text: &str) -> Result<Vec<Value>, u16> {
    let inner = discord.upgrade().ok_or(4000_u16)?;
    let url = format!("ws://{}/resume", inner.sockets);
    let mut state = inner.state.lock();
    let outcome = taken(&mut state, standing, text, &url);
    if let Err(code) = outcome {
        state.closed.push(code);
    }
    outcome
}

fn taken(state: &mut State, standing: &mut Standing, text: &str, url: &str) -> Result<Vec<Value>, u16> {
    standing.sent.retain(|at| at.elapsed() < Duration::from_secs(60));
    standing.sent.push(Instant::now());
    if text.len() > LARGEST {
        return Err(4002);
    }
    if standing.sent.len() > MOST_IN_A_MINUTE {
        return Err(4008);
    }
    let frame: Value = serde_json::from_str(text).map_err(|_| 4002_u16)?;
    let begun = state.links.get(&standing.id).and_then(|link| link.session.clone());
    match frame["op"].as_u64().ok_or(4002_u16)? {
        1 => {
            let known = begun.as_ref().and_then(|id| state.sessions.get(id)).map_or(0, |session| session.seq);
            let told = &frame["d"];
            if !(told.is_null() || told.as_u64().is_some_and(|told| told <= known)) {
                return Err(4007);
            }
            standing.beat = Instant::now();
            Ok(if standing.silent {
                Vec::new()
            } else {
                vec![json!({"op": 11, "d": null, "s": null, "t": null})]
            })
        }
        2 if begun.is_some() => Err(4005),
        2 => identify(state, standing, &frame["d"], url),
        6 if begun.is_some() => Err(4005),
        6 => resume(state, standing, &frame["d"]),
        3 | 4 | 8 if begun.is_none() => Err(4003),
        3 | 4 | 8 => Ok(Vec::new()),
        _ => Err(4001),
    }
}

fn identify(state: &mut State, standing: &Standing, asked: &Value, url: &str) -> Result<Vec<Value>, u16> {
    let described = ["os", "browser", "device"].iter().all(|name| asked["properties"][name].is_string());
    if !described || !asked["token"].is_string() || asked["compress"] == true {
        return Err(4002);
    }
    let bare = asked["token"].as_str().unwrap_or_default().trim_start_matches("Bot ");
    if bare != BOT_TOKEN {
        return Err(4004);
    }
    let intents = asked["intents"].as_u64().ok_or(4013_u16)?;
    if intents & !KNOWN != 0 {
        return Err(4013);
    }
    if intents & PRIVILEGED & !state.privileged != 0 {
        return Err(4014);
    }
    if !asked["shard"].is_null() && asked["shard"] != json!([0, 1]) {
        return Err(4010);
    }
    let now = state.now();
    let early = state.started_last.is_some_and(|last| now < last + BETWEEN_STARTS);
    if early || state.starts_left == 0 {
        return Ok(vec![json!({"op": 9, "d": false, "s": null, "t": null})]);
    }
    state.started_last = Some(now);
    state.starts_left -= 1;
    state.identified += 1;
    let id = format!("session-{:08x}", state.number());
    let session =
        Session { intents, seq: 0, sent: std::collections::VecDeque::new(), link: Some(standing.id) };
    state.sessions.insert(id.clone(), session);
    state.links.get_mut(&standing.id).expect("it is open").session = Some(id.clone());
    let ready = json!({"v": 10, "user": guild::user(state, super::BOT_USER), "session_type": "normal",
        "session_id": id, "resume_gateway_url": url, "relationships": [], "private_channels": [],
        "guilds": [{"id": GUILD, "unavailable": true}], "application": {"id": APPLICATION, "flags": 0}});
    let mut frames = vec![next(state, &id, "READY", &ready)];
    if intents & GUILDS != 0 {
        let guild = guild::whole(state, GUILD).map(|(_, guild)| guild).unwrap_or_default();
        frames.push(next(state, &id, "GUILD_CREATE", &created(state, guild)));
    }
    Ok(frames)
}

/// The server as GUILD_CREATE brings it.
fn created(state: &State, mut whole: Value) -> Value {
    let members = state.users.keys().filter_map(|id| guild::member_of(state, id));
    whole["members"] = members.collect();
    let is_thread = |channel: &super::state::Channel| channel.kind == super::state::THREAD;
    let shown = |threads: bool| -> Value {
        let own = state.channels.iter().filter(|(_, channel)| is_thread(channel) == threads);
        own.map(|(id, _)| super::channels::shown(state, id)).collect()
    };
    (whole["channels"], whole["threads"]) = (shown(false), shown(true));
    for (name, value) in [
        ("joined_at", json!("2024-01-01T00:00:00.000000+00:00")),
        ("large", json!(false)),
        ("unavailable", json!(false)),
        ("member_count", json!(state.users.len())),
        ("voice_states", json!([])),
        ("presences", json!([])),
        ("stage_instances", json!([])),
        ("guild_scheduled_events", json!([])),
        ("soundboard_sounds", json!([])),
    ] {
        whole[name] = value;
    }
    whole
}

fn resume(state: &mut State, standing: &Standing, asked: &Value) -> Result<Vec<Value>, u16> {
    let bare = asked["token"].as_str().ok_or(4002_u16)?.trim_start_matches("Bot ");
    if bare != BOT_TOKEN {
        return Err(4004);
    }
    let (id, seq) = (asked["session_id"].as_str().ok_or(4002_u16)?, asked["seq"].as_u64().ok_or(4002_u16)?);
    let Some(session) = state.sessions.get_mut(id) else {
        return Ok(vec![json!({"op": 9, "d": false, "s": null, "t": null})]);
    };
    if seq > session.seq {
        return Err(4007);
    }
    // The older link of a session that is resumed elsewhere ends.
    if let Some(old) = session.link.replace(standing.id)
        && let Some(old) = state.links.get_mut(&old)
    {
        old.session = None;
        let _ = old.orders.send(Order::Drop);
    }
    state.links.get_mut(&standing.id).expect("it is open").session = Some(id.to_owned());
    state.resumed += 1;
    if !standing.path.starts_with("/resume") {
        state.resumed_elsewhere += 1;
    }
    let missed = |frame: &&Value| frame["s"].as_u64().is_some_and(|own| own > seq);
    let mut frames: Vec<Value> = state.sessions[id].sent.iter().filter(missed).cloned().collect();
    frames.push(next(state, id, "RESUMED", &json!({})));
    Ok(frames)
}

/// The next event of a session, kept for a resume.
fn next(state: &mut State, session: &str, event: &str, data: &Value) -> Value {
    let session = state.sessions.get_mut(session).expect("it is there");
    session.seq += 1;
    let frame = json!({"op": 0, "t": event, "s": session.seq, "d": data});
    session.sent.push_back(frame.clone());
    if session.sent.len() > KEPT {
        session.sent.pop_front();
    }
    frame
}

/// Sends an event to every session whose intents ask for it; who is away gets it with the resume.
pub fn dispatch(state: &mut State, event: &str, data: &Value, intent: u64) {
    let wanting =
        state.sessions.iter().filter(|(_, session)| intent == ALWAYS || session.intents & intent != 0);
    let ids: Vec<String> = wanting.map(|(id, _)| id.clone()).collect();
    for id in ids {
        let frame = next(state, &id, event, data);
        let link = state.sessions[&id].link.and_then(|link| state.links.get(&link));
        if let Some(link) = link {
            let _ = link.orders.send(Order::Send(frame));
        }
    }
}

impl FakeDiscord {
    /// Tells all links something.
    pub fn to_all_links(&self, order: &Order) {
        self.with(|state| {
            for link in state.links.values() {
                let _ = link.orders.send(order.clone());
            }
        });
    }

    /// How many links have a session.
    pub fn linked(&self) -> usize {
        self.with(|state| state.links.values().filter(|link| link.session.is_some()).count())
    }

    /// Forgets every session, as Discord does now and then: a resume gets op 9 false.
    pub fn forget_sessions(&self) {
        self.with(|state| state.sessions.clear());
    }
}
