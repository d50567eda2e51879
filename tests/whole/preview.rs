//! `kubemend templates preview`: a page of samples that follows templates as they are saved.

use std::time::Duration;

use crate::support::browser::Browser;
use crate::support::sent::Stream;
use http::StatusCode;

const LONG: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_preview_of_templates_follows_them_and_shows_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("en")).unwrap();
    let words = folder.path().join("en/card.yaml");
    let open = kubemend::app::Preview::open("127.0.0.1:0".parse().unwrap(), Some(folder.path().into()), &[]);
    let preview = open.await.unwrap();
    assert!(preview.mistakes().is_empty());
    let (address, stop) = (preview.address(), tokio_util::sync::CancellationToken::new());
    let running = tokio::spawn(preview.run(stop.clone()));

    let mut browser = Browser::at(address);
    assert_eq!(browser.get("/").await.location(), "/cards");
    let page = browser.get("/cards").await;
    assert_eq!((page.status, page.text.contains(">Deny<")), (StatusCode::OK, true), "{}", page.text);
    assert!(!page.text.contains("/audit\"") && !page.text.contains("/logout"), "{}", page.text);
    for path in ["/status", "/audit", "/login", "/playbooks", "/cards?name=none"] {
        assert_eq!(browser.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let looks = [("csrf", &*page.csrf()), ("theme", "dark"), ("back", "/cards?name=form")];
    assert_eq!(browser.post("/settings", &looks).await.location(), "/cards?name=form");
    assert!(browser.get("/cards").await.text.contains("data-theme=\"dark\""));

    let mut live = Stream::anybody(address, "cards").await;
    std::fs::write(&words, "button.deny: \"Leave it\"\n").unwrap();
    live.next("event: cards").await;
    let changed = browser.get("/cards?part=live").await;
    assert!(changed.text.contains("Leave it") && !changed.text.contains("class=\"mistakes\""));
    std::fs::write(&words, "# ours\nbuton.deny: \"x\"\n").unwrap();
    live.next("event: cards").await;
    let wrong = browser.get("/cards?part=live").await.text;
    assert!(wrong.contains("en/card.yaml:2</code>") && wrong.contains("did you mean"), "{wrong}");
    assert!(wrong.contains("Leave it"), "what was there stays: {wrong}");
    stop.cancel();
    tokio::time::timeout(LONG, running).await.expect("it stops").unwrap();
}
