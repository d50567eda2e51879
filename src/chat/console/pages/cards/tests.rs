//! Look-alikes: what platforms' messages become, and what must not get through.

use serde_json::json;

use super::{discord, slack};

#[test]
fn block_kit_becomes_readable_html() {
    let html = slack::html(&json!({ "blocks": [
        { "type": "header", "text": { "type": "plain_text", "text": "Out of memory" } },
        { "type": "section", "text": { "type": "mrkdwn", "text": "*api* of `web` &lt;b&gt; <https://e.example/x|more>\n> killed" } },
        { "type": "actions", "elements": [{ "type": "button", "style": "primary", "text": { "type": "plain_text", "text": "Approve" } }] },
    ]}));
    assert!(html.contains("<p class=\"header\">Out of memory</p>"), "{html}");
    assert!(html.contains("<b>api</b> of <code>web</code> &lt;b&gt; <a href=\"https:"), "{html}");
    assert!(html.contains("<blockquote>killed</blockquote>"), "{html}");
    assert!(html.contains("<span class=\"key primary\">Approve</span>"), "{html}");
}

#[test]
fn embeds_become_readable_html() {
    let html = discord::html(&json!({
        "content": "**i-1** \\*not bold\\*",
        "embeds": [{ "title": "Out of memory", "color": 0x00c0_392b_u32, "description": "[docs](https://e.example)",
            "fields": [{ "name": "Where", "value": "`demo`", "inline": true }] }],
        "components": [{ "type": 1, "components": [{ "type": 2, "style": 4, "label": "Deny" }] }],
    }));
    assert!(html.contains("<b>i-1</b> *not bold*"), "{html}");
    assert!(html.contains("class=\"embed critical\""), "{html}");
    assert!(html.contains("<code>demo</code>") && html.contains("key danger"), "{html}");
}

#[test]
fn times_are_shown_as_times() {
    let text = "<!date^1790000010^{date_short_pretty} {time_secs}|2026-09-21 14:13:30Z>";
    let html = slack::html(&json!([{ "type": "section", "text": { "type": "mrkdwn", "text": text } }]));
    assert!(html.contains("<span class=\"moment\">2026-09-21 14:13:30Z</span>"), "{html}");
    let html = discord::html(&json!({ "content": "<t:1790000010:f> (<t:1790000010:R>) <t:x:R>" }));
    assert!(html.contains("<span class=\"moment\">2026-09-21 14:13 UTC</span>"), "{html}");
    assert!(html.contains("datetime=\"2026-09-21T14:13:30Z\"") && html.contains("&lt;t:x:R&gt;"), "{html}");
}

#[test]
fn signs_that_are_kept_from_being_marks_end_nothing() {
    let text = "*a \u{200b}*\u{200b} b* c";
    let html = slack::html(&json!([{ "type": "section", "text": { "type": "mrkdwn", "text": text } }]));
    assert!(html.contains("<b>a * b</b> c"), "{html}");
    let html = discord::html(&json!({ "content": "**a \\*\\* b** @\u{200b}everyone" }));
    assert!(html.contains("<b>a ** b</b> @everyone"), "{html}");
}

#[test]
fn nothing_hostile_gets_through() {
    let evil = "<script>alert(1)</script> <javascript:alert(1)|x> [x](javascript:alert(1)) \"'><img src=x onerror=y>";
    let block = json!([{ "type": "section", "text": { "type": "mrkdwn", "text": evil } }, { "type": evil }]);
    let embed =
        json!({ "content": evil, "embeds": [{ "title": evil, "url": "javascript:1", "description": evil }] });
    for html in [slack::html(&block), discord::html(&embed)] {
        for bad in ["<script", "<img", "href=\"javascript", "href=\"\""] {
            assert!(!html.contains(bad), "{bad} in {html}");
        }
    }
}
