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
