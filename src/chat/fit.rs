//! Fitting a card to a platform: what does not fit is cut or left out, and the card says so.
//!
//! Works on what will be rendered: every length is that of the text in the platform's dialect, in the platform's
//! units. What tells most comes first and is kept: title, facts, buttons, then the body in its order. So a card
//! of anything whatsoever gives a valid message. Refuses to know JSON.

use serde::Serialize;
use serde_json::{Value, json};

use super::card::{Block, Button, Card, Field, Mention, Rich, Span, Style, Tone};
use super::cut::{cut, fit};
use super::dialect::Dialect;
use super::limits::Limits;

/// What each block costs besides its text, at most.
const FRAME: usize = 8;
/// A block of which less than this would be left is left out.
const LEAST: usize = 40;

/// A card that fits. All texts are in the platform's dialect already, except those marked as plain.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fitted {
    pub tone: Tone,
    /// Plain text.
    pub summary: String,
    /// Plain text; `""` if there is none.
    pub title: String,
    /// The same in the platform's dialect.
    pub title_text: String,
    /// The blocks of the body, each in the platform's dialect.
    pub body: Vec<String>,
    pub fields: Vec<FittedField>,
    /// Small print in the platform's dialect.
    pub notes: Vec<String>,
    /// The same as plain text, for places that show no formatting.
    pub plain_notes: Vec<String>,
    pub buttons: Vec<FittedButton>,
    pub more: Vec<FittedButton>,
    /// Ids that the message may call.
    pub users: Vec<String>,
    pub groups: Vec<String>,
    /// The same, as the platform writes them.
    pub calls: Vec<String>,
    /// Whether something had to go.
    pub left_out: bool,
}

/// A label and a value, in the platform's dialect.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FittedField {
    pub label: String,
    /// The label, emphasised.
    pub heading: String,
    pub value: String,
}

/// A button whose label is plain text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FittedButton {
    pub id: String,
    pub label: String,
    pub style: Style,
}

impl Fitted {
    /// As much of the card as fits. `left_out` is what is said when something does not: plain text.
    pub fn of(card: &Card, limits: &Limits, left_out: &str) -> Self {
        let mut fitted = Fitter { limits, used: 0, cut: false, rest: Vec::new() }.fit(card);
        if fitted.left_out {
            let note = fit(left_out, LEFT_OUT, limits.unit, &|text| limits.dialect.text(text));
            fitted.notes.push(note);
            fitted.plain_notes.push(cut(left_out, LEFT_OUT, limits.unit));
        }
        fitted
    }

    /// The blocks of which something does not fit, whole; each under its heading.
    pub fn rest(card: &Card, limits: &Limits) -> Vec<Block> {
        let mut fitter = Fitter { limits, used: 0, cut: false, rest: Vec::new() };
        fitter.fit(card);
        fitter.rest
    }

    /// For the layout.
    pub fn values(&self) -> Value {
        let mut values = serde_json::to_value(self).expect("plain data with string keys always serialises");
        values["rows"] = json!(self.buttons.chunks(5).collect::<Vec<_>>());
        values["color"] = json!(color(self.tone));
        values["actions"] = json!(!self.buttons.is_empty() || !self.more.is_empty());
        values
    }
}

/// What is kept for saying that something was left out.
const LEFT_OUT: usize = 200;

/// As platforms with coloured bars take it.
fn color(tone: Tone) -> u32 {
    match tone {
        Tone::Critical => 0x00d1_242f,
        Tone::Warning => 0x00bf_8700,
        Tone::Info => 0x0009_69da,
        Tone::Good => 0x001a_7f37,
        Tone::Neutral => 0x0059_636e,
    }
}

struct Fitter<'l> {
    limits: &'l Limits,
    used: usize,
    cut: bool,
    /// What did not fit, whole.
    rest: Vec<Block>,
}

impl Fitter<'_> {
    fn fit(&mut self, card: &Card) -> Fitted {
        let Limits { unit, dialect, .. } = *self.limits;
        let title = cut(&one_line(&card.title), self.limits.title, unit);
        let title_text = fit(&one_line(&card.title), self.limits.title, unit, &|text| dialect.text(text));
        self.used = unit.count(&title).max(unit.count(&title_text)) + LEFT_OUT + FRAME;
        let fields = self.fields(card);
        let (notes, plain_notes) = self.notes(card);
        let body = self.body(card);
        let (buttons, more) = self.actions(card);
        let (users, groups) = called(card);
        Fitted {
            tone: card.tone,
            summary: self.summary(card),
            title,
            title_text,
            body,
            fields,
            notes,
            plain_notes,
            buttons,
            more,
            calls: calls(card, dialect),
            users,
            groups,
            left_out: self.cut,
        }
    }

    /// Never empty: platforms refuse a message without a line.
    fn summary(&self, card: &Card) -> String {
        let lines = [&card.summary, &card.title].map(|line| one_line(line));
        let line = lines.into_iter().find(|line| !line.trim().is_empty());
        cut(&line.unwrap_or_else(|| "kubemend".to_owned()), self.limits.summary, self.limits.unit)
    }

    fn fields(&mut self, card: &Card) -> Vec<FittedField> {
        let Limits { unit, dialect, fields, field_label, field_value, all_fields, .. } = *self.limits;
        let all: Vec<&Field> = card
            .blocks
            .iter()
            .filter_map(|block| if let Block::Fields { fields } = block { Some(fields) } else { None })
            .flatten()
            .collect();
        self.cut |= all.len() > fields;
        let mut rest: Vec<Field> = all.iter().skip(fields).map(|field| (*field).clone()).collect();
        let (mut fitted, mut room) = (Vec::new(), all_fields);
        for field in all.into_iter().take(fields) {
            let before = std::mem::replace(&mut self.cut, false);
            let room_for_label = field_label.min(room.saturating_sub(FRAME)) / 2;
            let label = cut(&one_line(&field.label), room_for_label, unit);
            let label_cost = unit.count(&dialect.text(&label)) + FRAME;
            let value = self.rich(&field.value, field_value.min(room.saturating_sub(label_cost)));
            let cost = label_cost + unit.count(&value);
            if label.trim().is_empty() || value.trim().is_empty() || cost > room {
                self.cut |= cost > room || !field.value.0.is_empty() && value.is_empty();
            } else {
                room -= cost;
                let (heading, label) = (dialect.strong(&label), dialect.text(&label));
                fitted.push(FittedField { label, heading, value });
            }
            rest.extend(self.cut.then(|| field.clone()));
            self.cut |= before;
        }
        if !rest.is_empty() {
            self.rest.push(Block::Fields { fields: rest });
        }
        self.used += all_fields - room;
        fitted
    }

    /// In the dialect, and plain; neither is longer than the other may be.
    fn notes(&mut self, card: &Card) -> (Vec<String>, Vec<String>) {
        let (mut notes, mut plain, mut room) = (Vec::new(), Vec::new(), self.limits.notes);
        for block in &card.blocks {
            let Block::Note { text } = block else { continue };
            let note = self.rich(text, room.saturating_sub(FRAME));
            let cost = self.limits.unit.count(&note) + FRAME;
            if !note.trim().is_empty() && cost <= room && notes.len() < 8 {
                room -= cost;
                let limit = self.limits.unit.count(&note);
                plain.push(cut(&Dialect::Plain.rich(text), limit, self.limits.unit));
                notes.push(note);
            }
        }
        self.used += self.limits.notes - room;
        (notes, plain)
    }

    fn body(&mut self, card: &Card) -> Vec<String> {
        let Limits { body, total, text, blocks, unit, .. } = *self.limits;
        let mut room = body.min(total.saturating_sub(self.used));
        let mut fitted = Vec::new();
        let mut heading = None;
        for block in card.blocks.iter().filter(|block| is_body(block)) {
            if matches!(block, Block::Heading { .. }) {
                heading = Some(block);
            }
            let space = text.min(room.saturating_sub(FRAME));
            if fitted.len() >= blocks || space < LEAST {
                self.cut = true;
                self.keep(block, &mut heading);
                continue;
            }
            let before = std::mem::replace(&mut self.cut, false);
            let written = self.block(block, space);
            if self.cut {
                self.keep(block, &mut heading);
            }
            self.cut |= before;
            if written.trim().is_empty() {
                continue;
            }
            room -= unit.count(&written) + FRAME;
            fitted.push(written);
        }
        fitted
    }

    /// Keeps a block that does not fit, under its heading.
    fn keep(&mut self, block: &Block, heading: &mut Option<&Block>) {
        let heading = heading.take().filter(|heading| *heading != block);
        self.rest.extend(heading.cloned());
        self.rest.push(block.clone());
    }

    /// A block in the dialect, cut to the space.
    fn block(&mut self, block: &Block, space: usize) -> String {
        let Limits { dialect, unit, .. } = *self.limits;
        let whole = dialect.block(block);
        if unit.count(&whole) <= space {
            return whole;
        }
        self.cut = true;
        match block {
            Block::Heading { text } => fit(text, space, unit, &|text| dialect.strong(text)),
            Block::Text { text } => self.rich(text, space),
            Block::Quote { origin, at, text } => {
                let origin = cut(origin, space / 4, unit);
                let form = |text: &str| {
                    let block = Block::Quote { origin: origin.clone(), at: *at, text: text.to_owned() };
                    dialect.block(&block)
                };
                fit(text, space, unit, &form)
            }
            Block::Code { text } => fit(text, space, unit, &|text| dialect.fence(text)),
            Block::Diff { text } => fit(text, space, unit, &|text| dialect.diff(text)),
            Block::List { items } => self.list(items, space),
            Block::Fields { .. } | Block::Actions { .. } | Block::Note { .. } => String::new(),
        }
    }

    /// As many items as fit; each of them to a quarter of the space if it is long.
    fn list(&mut self, items: &[Rich], space: usize) -> String {
        let Limits { dialect, unit, .. } = *self.limits;
        let one = |rich: &Rich| dialect.block(&Block::List { items: vec![rich.clone()] });
        let mut lines: Vec<String> = Vec::new();
        let mut room = space.saturating_sub(2);
        for item in items {
            let line = one(item);
            let line = if unit.count(&line) > space / 4 {
                let marked = unit.count(&one(&Rich::plain("x")));
                let text = self.rich(item, (space / 4).saturating_sub(marked)).replace('\n', " ");
                one(&Rich::plain("\u{fffc}")).replace('\u{fffc}', &text)
            } else {
                line
            };
            let cost = unit.count(&line) + 1;
            if cost > room {
                break;
            }
            room -= cost;
            lines.push(line);
        }
        if lines.len() < items.len() && room >= 1 {
            lines.push("…".to_owned());
        }
        lines.join("\n")
    }

    /// Spans one after the other; the one that does not fit is cut and is the last.
    fn rich(&mut self, rich: &Rich, limit: usize) -> String {
        let Limits { dialect, unit, .. } = *self.limits;
        let (mut written, mut room) = (String::new(), limit);
        for span in &rich.0 {
            let whole = dialect.span(span);
            let length = unit.count(&whole);
            if length <= room {
                room -= length;
                written.push_str(&whole);
                continue;
            }
            self.cut = true;
            match span {
                Span::Plain { text } => written += &fit(text, room, unit, &|text| dialect.text(text)),
                Span::Strong { text } => written += &fit(text, room, unit, &|text| dialect.strong(text)),
                Span::Code { text } => written += &fit(text, room, unit, &|text| dialect.code(text)),
                Span::Time { .. } | Span::Mention { .. } => {}
            }
            break;
        }
        written
    }

    fn actions(&mut self, card: &Card) -> (Vec<FittedButton>, Vec<FittedButton>) {
        let (mut first, mut rest) = (Vec::new(), Vec::new());
        let mut seen = std::collections::BTreeSet::new();
        for block in &card.blocks {
            if let Block::Actions { buttons, more } = block {
                first.extend(buttons.iter().filter(|button| seen.insert(button.id.as_str())));
                rest.extend(more.iter().filter(|button| seen.insert(button.id.as_str())));
            }
        }
        let menu: Vec<&Button> = first.iter().skip(self.limits.buttons).copied().chain(rest).collect();
        self.cut |= menu.len() > self.limits.options;
        let button = |button: &&Button, limit| FittedButton {
            id: button.id.clone(),
            label: cut(&one_line(&button.label), limit, self.limits.unit),
            style: button.style,
        };
        let first = first.iter().take(self.limits.buttons).map(|b| button(b, self.limits.button_label));
        let menu = menu.iter().take(self.limits.options).map(|b| button(b, self.limits.option_label));
        let labelled = |button: &FittedButton| !button.label.trim().is_empty();
        (first.filter(labelled).collect(), menu.filter(labelled).collect())
    }
}

/// Whether a block stands in the body; the others have places of their own.
fn is_body(block: &Block) -> bool {
    match block {
        Block::Heading { .. }
        | Block::Text { .. }
        | Block::Quote { .. }
        | Block::Code { .. }
        | Block::Diff { .. }
        | Block::List { .. } => true,
        Block::Fields { .. } | Block::Actions { .. } | Block::Note { .. } => false,
    }
}

/// Whom the card calls: the only ones whom the message may call.
fn called(card: &Card) -> (Vec<String>, Vec<String>) {
    let (mut users, mut groups) = (Vec::new(), Vec::new());
    let texts = card
        .blocks
        .iter()
        .filter_map(|block| if let Block::Text { text } = block { Some(text) } else { None });
    for span in texts.flat_map(|text| &text.0) {
        match span {
            Span::Mention { whom: Mention::User(id) } => users.push(id.clone()),
            Span::Mention { whom: Mention::Group(id) } => groups.push(id.clone()),
            Span::Plain { .. } | Span::Strong { .. } | Span::Code { .. } | Span::Time { .. } => {}
        }
    }
    (users, groups)
}

fn calls(card: &Card, dialect: Dialect) -> Vec<String> {
    let (users, groups) = called(card);
    let users = users.into_iter().map(Mention::User);
    let all = users.chain(groups.into_iter().map(Mention::Group));
    all.take(20).map(|whom| dialect.mention(&whom)).collect()
}

/// On one line, without what no dialect shows.
fn one_line(text: &str) -> String {
    Dialect::Plain.code(text)
}
