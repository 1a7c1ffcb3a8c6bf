//! Why a request got its verdict: every view, everything that counted, and the sums.

use std::fmt;

use crate::attack::AttackType;
use crate::engine::{payload_of, Engine, Value};
use crate::judge::{self, SUSPECT};
use crate::limits::LimitsHit;
use crate::score::{to_weight, Counted, ALERT};
use crate::verdict::{self, excerpt};
use crate::views::{Group, Views};

/// Bytes of a view or match that are shown.
const SHOWN: usize = 160;

/// Everything that led to a verdict. `Display` is meant for people.
#[derive(Clone, Debug, Default)]
pub struct Explanation {
    pub views: Vec<ViewNote>,
    /// The values in which a rule counted or that the model read.
    pub values: Vec<ValueNote>,
    /// A value scored at least [`crate::SUSPECT`] and is no attack.
    pub suspect: bool,
    pub limits: LimitsHit,
    pub steps: u64,
}

/// One view of a value.
#[derive(Clone, Debug)]
pub struct ViewNote {
    pub point: String,
    pub group: Group,
    pub decoders: Vec<&'static str>,
    pub anomalies: Vec<&'static str>,
    /// The beginning, printable.
    pub text: String,
    /// Bytes of the whole view.
    pub length: usize,
}

/// One value and its score.
#[derive(Clone, Debug)]
pub struct ValueNote {
    pub point: String,
    pub indicators: Vec<Indicator>,
    /// The sums that are not 0.
    pub sums: Vec<(AttackType, f32)>,
    /// The attack types whose sum reached the threshold.
    pub attacks: Vec<AttackType>,
}

/// One rule that counted, or one gram of the value's densest window.
#[derive(Clone, Debug)]
pub struct Indicator {
    /// Id of the rule; 0 for a gram.
    pub rule: u32,
    pub name: String,
    pub attack: AttackType,
    pub weight: f32,
    /// Index in [`Explanation::views`].
    pub view: usize,
    /// What it was found in, printable.
    pub text: String,
}

impl ValueNote {
    /// True if a rule of this type counted.
    fn rules(&self, attack: AttackType) -> bool {
        self.indicators.iter().any(|found| found.rule != 0 && found.attack == attack)
    }
}

impl Indicator {
    fn rule(engine: &Engine, views: &Views, counted: &Counted) -> Option<Indicator> {
        let (rule, points) = engine.rule_of(counted)?;
        let field = views.fields.get(counted.field as usize)?;
        Some(Indicator {
            rule: rule.id,
            name: rule.name.clone(),
            attack: rule.attack,
            weight: to_weight(points),
            view: counted.field as usize,
            text: printable(payload_of(views, field, counted.start..counted.end, SHOWN / 2)),
        })
    }
}

impl Explanation {
    pub(crate) fn value(&mut self, engine: &Engine, views: &Views, value: Value<'_>) {
        let Value { counted, rules, score, best, .. } = value;
        let mut indicators: Vec<Indicator> =
            counted.iter().filter_map(|counted| Indicator::rule(engine, views, counted)).collect();
        if let Some(best) = best {
            let view = value.shown.index as usize;
            let text = printable(payload_of(views, value.shown.field, value.seen(best), SHOWN / 2));
            let grams = value.windows.contributions(engine.model(), best);
            indicators.extend(grams.into_iter().map(|(gram, attack, points)| Indicator {
                rule: 0,
                name: format!("gram {}", gram.spell(&engine.model().words)),
                attack,
                weight: to_weight(points),
                view,
                text: text.clone(),
            }));
        }
        if indicators.is_empty() {
            return;
        }
        self.suspect |= (SUSPECT..ALERT).contains(&score);
        let scores = judge::by_attack(&rules, score, best, engine.model(), value.windows);
        let scores = AttackType::ALL.into_iter().zip(scores);
        self.values.push(ValueNote {
            point: views.point_name(value.point),
            indicators,
            sums: scores.clone().filter(|(_, s)| *s != 0).map(|(a, s)| (a, to_weight(s))).collect(),
            attacks: scores.filter(|(_, sum)| *sum >= ALERT).map(|(attack, _)| attack).collect(),
        });
    }

    pub(crate) fn finish(&mut self, views: &Views, limits: LimitsHit, steps: u64) {
        self.limits = limits;
        self.steps = steps;
        let notes = views.fields.iter().map(|field| ViewNote {
            point: views.point_name(field.point),
            group: field.group,
            decoders: field.decoders.names().collect(),
            anomalies: field.anomalies.names().collect(),
            text: printable(excerpt(views.bytes(field), 0..0, SHOWN)),
            length: field.range().len(),
        });
        self.views = notes.collect();
    }
}

fn printable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                letter if letter.is_control() => text.extend(letter.escape_default()),
                letter => text.push(letter),
            }
        }
        for byte in chunk.invalid() {
            text.extend(std::ascii::escape_default(*byte).map(char::from));
        }
    }
    text
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "views")?;
        for (index, view) in self.views.iter().enumerate() {
            writeln!(f, "{index:>4} {view}")?;
        }
        for value in &self.values {
            write!(f, "\n{value}")?;
        }
        writeln!(f, "\nverdict: {}; {} steps", self.verdict(), self.steps)?;
        let limits: Vec<&str> = self.limits.names().collect();
        if !limits.is_empty() {
            writeln!(f, "limits hit: {}", limits.join(", "))?;
        }
        Ok(())
    }
}

impl Explanation {
    /// In words, as [`Engine::scan`] judges.
    fn verdict(&self) -> String {
        let attacks: Vec<&str> = self.attacks().map(AttackType::name).collect();
        match (attacks.is_empty(), self.suspect) {
            (false, _) => attacks.join(", "),
            (true, true) => "suspect, no attack".to_owned(),
            (true, false) => "clean".to_owned(),
        }
    }

    /// The attack types found, each once; those that only the tokens suggest, if rules convict of none.
    pub fn attacks(&self) -> impl Iterator<Item = AttackType> + '_ {
        let by_rules =
            self.values.iter().any(|value| value.attacks.iter().any(|a| value.rules(*a)));
        let found = move |attack: &AttackType| {
            let convicts = |value: &ValueNote| {
                value.attacks.contains(attack) && (!by_rules || value.rules(*attack))
            };
            let limit = self.limits.attacks().any(|(limit, _)| limit == *attack);
            limit || self.values.iter().any(convicts)
        };
        AttackType::ALL.into_iter().filter(found)
    }
}

impl fmt::Display for ViewNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}, {} bytes", self.point, self.group, self.length)?;
        if !self.decoders.is_empty() {
            write!(f, ", decoded by {}", self.decoders.join(" "))?;
        }
        if !self.anomalies.is_empty() {
            write!(f, ", odd: {}", self.anomalies.join(" "))?;
        }
        write!(f, "\n     | {}", self.text)
    }
}

impl fmt::Display for ValueNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.point)?;
        for found in &self.indicators {
            writeln!(
                f,
                "  {:>+6} {} {} {} (view {}): {}",
                found.weight, found.attack, found.rule, found.name, found.view, found.text
            )?;
        }
        for (attack, sum) in &self.sums {
            let mark = match self.attacks.contains(attack) {
                true => "attack",
                false if *sum >= verdict::SUSPECT => "suspect",
                false => "below",
            };
            writeln!(f, "  {sum:>6} {attack}: {mark}, the threshold is {}", to_weight(ALERT))?;
        }
        Ok(())
    }
}
