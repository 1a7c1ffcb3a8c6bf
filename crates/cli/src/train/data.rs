//! What is learned from: requests as sets of rows, rows as sets of features.

use std::collections::{BTreeSet, HashMap};

use wallarm_detect::{AttackType, Engine, Evidence, Gram, Limits, Scratch};

use crate::input::corpus::Labels;
use crate::input::Message;

/// Something that gets a weight.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Feature {
    Gram(Gram),
    Rule(String),
}

/// What one window of a value shows; equal ones are one row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    /// Indexes of features, ascending.
    pub(super) features: Vec<u32>,
    /// The score by the rules' own weights.
    pub(super) base: f32,
}

pub(super) struct Labelled {
    pub(super) labels: Labels,
    pub(super) attack: bool,
    /// Indexes of rows, each once.
    pub(super) rows: Vec<u32>,
}

pub(super) struct Data {
    pub(super) engine: Engine,
    pub(super) features: Vec<Feature>,
    pub(super) rows: Vec<Row>,
    pub(super) requests: Vec<Labelled>,
}

/// Takes requests apart.
pub(super) struct Collector {
    data: Data,
    scratch: Scratch,
    limits: Limits,
    known: HashMap<Feature, u32>,
    /// Rows by features and the bits of the base.
    rows: HashMap<(Vec<u32>, u32), u32>,
}

impl Collector {
    pub(super) fn new(engine: Engine) -> Self {
        let (features, rows, requests) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            data: Data { engine, features, rows, requests },
            scratch: Scratch::default(),
            limits: Limits::default(),
            known: HashMap::new(),
            rows: HashMap::new(),
        }
    }

    pub(super) fn add(&mut self, message: &Message, labels: Labels) {
        let headers = message.headers();
        let request = message.request(&headers);
        let Self { data, scratch, limits, known, rows: index } = self;
        let Data { engine, features, rows: all, .. } = data;
        let mut found = BTreeSet::new();
        let mut number = |feature: Feature| {
            *known.entry(feature.clone()).or_insert_with(|| {
                features.push(feature);
                features.len() as u32 - 1
            })
        };
        engine.evidence(&request, limits, scratch, |evidence| {
            for (features, base) in windows(&evidence, &mut number) {
                let row = *index.entry((features.clone(), base.to_bits())).or_insert_with(|| {
                    all.push(Row { features, base });
                    all.len() as u32 - 1
                });
                found.insert(row);
            }
        });
        let attack = labels.label.as_deref() == Some("attack");
        let rows = found.into_iter().collect();
        data.requests.push(Labelled { labels, attack, rows });
    }

    pub(super) fn finish(self) -> Data {
        self.data
    }
}

/// The features of each window of a value; the rules count in all of them.
fn windows(
    evidence: &Evidence<'_>,
    number: &mut impl FnMut(Feature) -> u32,
) -> Vec<(Vec<u32>, f32)> {
    let rules: Vec<u32> =
        evidence.rules.iter().map(|name| number(Feature::Rule((*name).to_owned()))).collect();
    let mut rows = Vec::new();
    let none = [Vec::new()];
    let windows = if evidence.windows.is_empty() { &none[..] } else { &evidence.windows };
    for grams in windows {
        let grams = grams.iter().map(|gram| number(Feature::Gram(*gram)));
        let mut features: Vec<u32> = rules.iter().copied().chain(grams).collect();
        features.sort_unstable();
        features.dedup();
        rows.push((features, evidence.base));
    }
    rows
}

/// The attack type that a corpus's class of attacks belongs to.
pub(super) fn attack_of(class: Option<&str>) -> AttackType {
    match class.unwrap_or_default() {
        "sqli" => AttackType::Sqli,
        "xss" => AttackType::Xss,
        "lfi" | "rfi" | "ptrav" => AttackType::Ptrav,
        "crlf" => AttackType::Crlf,
        "xxe" => AttackType::Xxe,
        "ssrf" => AttackType::Ssrf,
        "nosqli" | "graphql" => AttackType::Nosqli,
        "ldapi" | "xpath" => AttackType::Ldapi,
        "ssti" => AttackType::Ssti,
        "ssi" => AttackType::Ssi,
        "mail" => AttackType::MailInjection,
        "scanner" => AttackType::Scanner,
        // Commands and code, whatever the language.
        _ => AttackType::Rce,
    }
}
