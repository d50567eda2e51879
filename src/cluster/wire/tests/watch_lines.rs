//! The lines of a watch and the pages of a list.

use crate::cluster::wire::{Form, Frame, frame, page};

fn read(line: &str) -> Frame {
    frame(line.as_bytes(), Form::Pod).unwrap()
}

#[test]
fn each_type_of_line_is_read_in_place() {
    let Frame::Applied(object) = read(r#"{"type":"ADDED","object":{"metadata":{"name":"a"}}}"#) else {
        panic!()
    };
    assert_eq!(object.meta().name, "a");
    assert!(matches!(read(r#"{"type":"MODIFIED","object":{}}"#), Frame::Applied(_)));
    assert!(matches!(read(r#"{"type":"DELETED","object":{}}"#), Frame::Deleted(_)));
    let bookmark = r#"{"type":"BOOKMARK","object":{"kind":"Pod","metadata":{"resourceVersion":"x7",
        "annotations":{"k8s.io/initial-events-end":"true","other":"1"}}}}"#;
    let Frame::Bookmark { resource_version, initial_events_end } = read(bookmark) else { panic!() };
    assert_eq!((resource_version.as_str(), initial_events_end), ("x7", true));
    let gone = r#"{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"old"}}"#;
    let Frame::Failed(status) = read(gone) else { panic!() };
    assert_eq!((status.code, status.reason.as_str()), (410, "Expired"));
}

#[test]
fn a_line_with_its_object_first_is_read_too() {
    let Frame::Deleted(object) = read(r#"{"object":{"metadata":{"name":"a"}},"type":"DELETED"}"#) else {
        panic!()
    };
    assert_eq!(object.meta().name, "a");
}

#[test]
fn a_line_that_does_not_parse_names_its_object() {
    let bad = r#"{"type":"ADDED","object":{"metadata":{"name":"a","namespace":"n"},"status":7}}"#;
    let error = frame(bad.as_bytes(), Form::Pod).unwrap_err().to_string();
    assert!(error.starts_with("Pod n/a"), "{error}");
    let odd = r#"{"type":"EXPLODED","object":{"metadata":{"name":"b"}}}"#;
    assert!(frame(odd.as_bytes(), Form::Pod).unwrap_err().to_string().contains("Pod b"));
    assert!(frame(b"garbage", Form::Pod).is_err());
    assert!(frame(b"{\"type\":\"ADDED\",\"obj", Form::Pod).is_err());
}

#[test]
fn a_page_says_how_it_goes_on() {
    let body =
        br#"{"kind":"PodList","metadata":{"resourceVersion":"9","continue":"tok"},"items":[{"a":1},{}]}"#;
    let page = page(body).unwrap();
    assert_eq!((page.resource_version(), page.more(), page.items.len()), ("9", Some("tok"), 2));
    let last =
        super::super::page(br#"{"metadata":{"resourceVersion":"9","continue":""},"items":null}"#).unwrap();
    assert_eq!((last.more(), last.items.len()), (None, 0));
}
