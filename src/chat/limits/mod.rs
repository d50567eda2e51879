//! What the platforms take, as data; and whether a rendered message keeps to it.
//!
//! A card is fitted to [`Limits`] before it is rendered, so that what comes out is valid by construction. The
//! validators ([`slack`], [`discord`]) look at the rendered JSON instead: `templates lint` and the tests hold
//! every layout against them.

use super::cut::Unit;
use super::dialect::Dialect;

/// How much fits where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    pub dialect: Dialect,
    pub unit: Unit,
    /// The plain line of a notification.
    pub summary: usize,
    pub title: usize,
    /// One block of the body.
    pub text: usize,
    /// All blocks of the body together.
    pub body: usize,
    /// How many blocks the body may have.
    pub blocks: usize,
    pub fields: usize,
    pub field_label: usize,
    pub field_value: usize,
    /// All fields together.
    pub all_fields: usize,
    /// All small print together.
    pub notes: usize,
    /// Everything together.
    pub total: usize,
    pub buttons: usize,
    pub button_label: usize,
    /// How many choices the menu has.
    pub options: usize,
    pub option_label: usize,
    /// Titles of forms, and what their buttons say.
    pub form_title: usize,
    pub form_label: usize,
}

/// Slack's, from Block Kit's reference; `total` stays below what is refused as `msg_blocks_too_long`, which is
/// not documented.
pub const SLACK: Limits = Limits {
    dialect: Dialect::Slack,
    unit: Unit::Chars,
    summary: 3000,
    title: 150,
    text: 3000,
    body: 7000,
    blocks: 40,
    fields: 10,
    field_label: 80,
    field_value: 600,
    all_fields: 2000,
    notes: 1500,
    total: 10_000,
    buttons: 5,
    button_label: 75,
    options: 5,
    option_label: 75,
    form_title: 24,
    form_label: 24,
};

/// Discord's: 6,000 over title, description, fields and footer.
pub const DISCORD: Limits = Limits {
    dialect: Dialect::Discord,
    unit: Unit::Utf16,
    summary: 1500,
    title: 256,
    text: 3000,
    body: 3800,
    blocks: 40,
    fields: 10,
    field_label: 200,
    field_value: 500,
    all_fields: 1200,
    notes: 600,
    total: 5800,
    buttons: 5,
    button_label: 80,
    options: 25,
    option_label: 100,
    form_title: 45,
    form_label: 45,
};
