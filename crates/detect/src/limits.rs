//! Bounds of one scan, and which of them a scan ran into.
//!
//! Work is counted in *steps* and not in time, so that the same request always ends the same way on any machine. A step is about one
//! byte read by one pass, or a fixed price for a call; one step takes roughly a nanosecond.

use crate::attack::AttackType;
use crate::views::ParserSet;

/// Views are addressed with 32 bits.
pub(crate) const MOST_VIEW_BYTES: usize = (u32::MAX >> 1) as usize;

/// Bounds of one scan. What was extracted before a bound was reached is kept and matched.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Steps granted to every request, whatever its size.
    pub steps: u64,
    /// Further steps granted per byte of the request.
    pub steps_per_byte: u32,
    /// How often a parser may be applied to the output of a parser (JSON in a form value in ...).
    pub depth: u8,
    /// Levels of objects and arrays named inside one document; deeper values belong to the last named one.
    pub nesting: u16,
    /// Distinct places of a request; values beyond them are reported at the place around them.
    pub points: u32,
    /// Bytes of views granted to every request; each byte of the request adds `view_bytes_per_byte`.
    pub view_bytes: u32,
    pub view_bytes_per_byte: u32,
    /// Bytes that everything compressed in a request may become, body and values together; entities of XML likewise.
    pub inflated_bytes: u32,
    /// Aliases in one GraphQL document, entities of one document type, messages of one gRPC body.
    pub fan_out: u32,
    /// Rounds of percent, entity and escape decoding applied to one value.
    pub rounds: u8,
    /// Longest excerpt of a payload in a report, in bytes.
    pub payload: usize,
    /// Parsers that are not to be applied.
    pub disabled: ParserSet,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            steps: 192_000,
            steps_per_byte: 64,
            depth: 5,
            nesting: 64,
            points: 8192,
            view_bytes: 4 << 20,
            view_bytes_per_byte: 6,
            inflated_bytes: 1 << 20,
            fan_out: 256,
            rounds: 6,
            payload: 256,
            disabled: ParserSet::NONE,
        }
    }
}

impl Limits {
    /// The steps granted to a request of `len` bytes.
    pub fn budget(&self, len: usize) -> Budget {
        let len = u64::try_from(len).unwrap_or(u64::MAX);
        let steps = self.steps.saturating_add(len.saturating_mul(u64::from(self.steps_per_byte)));
        Budget::new(steps)
    }

    /// The bytes of views granted to a request of `len` bytes; below 4 GiB, since views are addressed with 32 bits.
    pub fn view_budget(&self, len: usize) -> usize {
        let more = len.saturating_mul(self.view_bytes_per_byte as usize);
        (self.view_bytes as usize).saturating_add(more).min(MOST_VIEW_BYTES)
    }
}

/// The limits that a scan ran into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitsHit {
    /// The step budget was used up.
    pub overlimit_res: bool,
    /// Parsers were nested deeper than [`Limits::depth`], or a document deeper than [`Limits::nesting`].
    pub depth: bool,
    /// More places than [`Limits::points`].
    pub points: bool,
    /// More bytes of views than [`Limits::view_bytes`] allows, or something compressed larger than [`Limits::inflated_bytes`].
    pub view_bytes: bool,
    /// Something compressed grows beyond [`Limits::inflated_bytes`] and to more than fifty times its size.
    pub data_bomb: bool,
    /// More of one kind than [`Limits::fan_out`].
    pub fan_out: bool,
    /// The captured body is not the whole body.
    pub body_truncated: bool,
}

impl LimitsHit {
    /// Names of the limits hit, as reported in events.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        [
            (self.overlimit_res, "overlimit_res"),
            (self.depth, "depth"),
            (self.points, "points"),
            (self.view_bytes, "view_bytes"),
            (self.data_bomb, "data_bomb"),
            (self.fan_out, "fan_out"),
            (self.body_truncated, "body_truncated"),
        ]
        .into_iter()
        .filter_map(|(hit, name)| hit.then_some(name))
    }

    /// The limits that a request is made to hit, as attacks, with the name of what was used up.
    pub(crate) fn attacks(self) -> impl Iterator<Item = (AttackType, &'static str)> {
        [
            (self.overlimit_res, (AttackType::OverlimitRes, "step-budget")),
            (self.data_bomb, (AttackType::DataBomb, "inflated-size")),
        ]
        .into_iter()
        .filter_map(|(hit, attack)| hit.then_some(attack))
    }

    /// True if any limit was hit.
    pub fn any(self) -> bool {
        self != LimitsHit::default()
    }
}

/// The steps of one scan: each pass over bytes pays into it.
#[derive(Clone, Debug)]
pub struct Budget {
    granted: u64,
    left: u64,
}

impl Budget {
    pub fn new(steps: u64) -> Self {
        Budget { granted: steps, left: steps }
    }

    /// Pays `steps`. False once the budget is used up: the caller then stops, keeping what it has.
    #[must_use]
    pub fn spend(&mut self, steps: usize) -> bool {
        let steps = steps as u64;
        if steps > self.left {
            self.left = 0;
            return false;
        }
        self.left -= steps;
        true
    }

    /// Adds steps, for work that was not known at the start.
    pub(crate) fn grant(&mut self, steps: u64) {
        self.granted = self.granted.saturating_add(steps);
        self.left = self.left.saturating_add(steps);
    }

    /// All steps granted so far.
    pub(crate) fn granted(&self) -> u64 {
        self.granted
    }

    /// Steps paid so far.
    pub fn spent(&self) -> u64 {
        self.granted - self.left
    }

    /// Steps that can still be paid.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// True if nothing is left.
    pub fn exhausted(&self) -> bool {
        self.left == 0
    }
}
