//! Every form that was ever shipped, with something in it, becomes the newest.

use sqlx::sqlite::SqliteConnectOptions;

use super::super::{migrations, pool};
use super::*;

/// What a kubemend of that form would have left behind.
const SAMPLES: &[&str] = &[SAMPLE_1, SAMPLE_2, SAMPLE_3, SAMPLE_4];

const SAMPLE_1: &str = include_str!("form-1.sql");
const SAMPLE_2: &str = concat!(include_str!("form-1.sql"), include_str!("form-2.sql"));
const SAMPLE_3: &str =
    concat!(include_str!("form-1.sql"), include_str!("form-2.sql"), include_str!("form-3.sql"));
const SAMPLE_4: &str = concat!(
    include_str!("form-1.sql"),
    include_str!("form-2.sql"),
    include_str!("form-3.sql"),
    include_str!("form-4.sql")
);

#[tokio::test]
async fn each_older_form_becomes_the_newest_with_its_content() {
    assert_eq!(SAMPLES.len(), migrations::FORMS.len(), "every form has a sample");
    for (version, sample) in (1..).zip(SAMPLES) {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("kubemend.db");
        at_form(&path, version, sample).await;
        let store = Store::open(&path).await.expect("open");
        store.verify().await.expect("whole");
        let incident = store.incident(&"i-1".into()).await.expect("read").expect("kept");
        assert_eq!(incident.version, 4);
        let entries = store.entries(&"i-1".into(), 0, 9).await.expect("read");
        assert_eq!(entries.len(), 4);
        write(&store, "i-1", 50, &[noted("by the newest program")]).await;
        store.verify().await.expect("still whole");
    }
}

async fn at_form(path: &std::path::Path, version: i64, sample: &'static str) {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let pool = pool(1).connect_with(options).await.expect("connect");
    sqlx::query("CREATE TABLE schema_version (version INTEGER NOT NULL) STRICT")
        .execute(&pool)
        .await
        .expect("table");
    for (form, statements) in (1..=version).zip(migrations::FORMS) {
        migrations::advance(&pool, "sample", form, statements).await.expect("advance");
    }
    sqlx::raw_sql(sample).execute(&pool).await.expect("sample");
    pool.close().await;
}

#[tokio::test]
async fn a_newer_form_is_refused_with_the_way_out() {
    let dir = tempfile::tempdir().expect("dir");
    let path = dir.path().join("kubemend.db");
    let store = Store::open(&path).await.expect("open");
    sqlx::query("INSERT INTO schema_version (version) VALUES (99)")
        .execute(&store.writer)
        .await
        .expect("edit");
    store.close().await;
    let refused = Store::open(&path).await.expect_err("newer").to_string();
    assert!(refused.contains("has form 99") && refused.contains("run that version"), "{refused}");
}

#[tokio::test]
async fn states_of_another_program_are_folded_anew() {
    let dir = tempfile::tempdir().expect("dir");
    let path = dir.path().join("kubemend.db");
    let store = Store::open(&path).await.expect("open");
    let state = write(&store, "i-1", 0, &executing().0).await;
    let other = "UPDATE incidents SET state = replace(state, '\"now\":1', '\"now\":7'), busy = 0";
    sqlx::query(other).execute(&store.writer).await.expect("edit");
    store.close().await;

    let store = Store::open(&path).await.expect("the same program trusts its own states");
    store.verify().await.expect_err("the state was edited");
    sqlx::query("UPDATE settings SET value = 'older' WHERE name = 'fold'")
        .execute(&store.writer)
        .await
        .expect("edit");
    store.close().await;

    let store = Store::open(&path).await.expect("another program folds anew");
    assert_eq!(store.incident(&"i-1".into()).await.expect("read"), Some(state));
    assert_eq!(store.verify().await.expect("whole").records, 4);
}

#[tokio::test]
async fn opening_twice_changes_nothing() {
    let dir = tempfile::tempdir().expect("dir");
    let path = dir.path().join("kubemend.db");
    let store = Store::open(&path).await.expect("open");
    write(&store, "i-1", 0, &executing().0).await;
    store.close().await;
    let store = Store::open(&path).await.expect("again");
    assert_eq!(store.verify().await.expect("whole").records, 4);
}
