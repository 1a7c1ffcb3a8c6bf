//! What is learned from: requests as sets of rows, rows as sets of features.

use std::collections::{BTreeSet, HashMap};

use wallarm_detect::{AttackType, Engine, Evidence, Gram, Limits, Scratch};

use crate::input::corpus::Labels;
use crate::input::Message;

/// What one window of a value shows; equal ones are one row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    /// Indexes of features, ascending.
    pub(super) features: Vec<u32>,
    /// The score by the rules' own weights.
    pub(super) base: f32,
    /// From a value that a scan would not let the model read: it only teaches what is ordinary.
    pub(super) plain: bool,
}

pub(super) struct Labelled {
    pub(super) labels: Labels,
    pub(super) attack: bool,
    /// Indexes of rows, each once.
    pub(super) rows: Vec<u32>,
}

pub(super) struct Data {
    pub(super) engine: Engine,
    /// What gets a weight.
    pub(super) features: Vec<Gram>,
    pub(super) rows: Vec<Row>,
    pub(super) requests: Vec<Labelled>,
}

/// Takes requests apart.
pub(super) struct Collector {
    data: Data,
    scratch: Scratch,
    limits: Limits,
    known: HashMap<Gram, u32>,
    /// Rows by features, the bits of the base, and whether they are plain.
    rows: HashMap<(Vec<u32>, u32, bool), u32>,
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
        let mut number = |gram: &Gram| {
            *known.entry(*gram).or_insert_with(|| {
                features.push(*gram);
                features.len() as u32 - 1
            })
        };
        let attack = labels.is_attack();
        engine.evidence(&request, limits, scratch, |mut evidence| {
            if attack && evidence.plain {
                evidence.windows.clear();
            }
            let (base, plain) = (evidence.base, evidence.plain && !attack);
            for features in windows(&evidence, &mut number) {
                let row = index.entry((features, base.to_bits(), plain));
                found.insert(*row.or_insert_with_key(|(features, ..)| {
                    all.push(Row { features: features.clone(), base, plain });
                    all.len() as u32 - 1
                }));
            }
        });
        let rows = found.into_iter().collect();
        data.requests.push(Labelled { labels, attack, rows });
    }

    pub(super) fn finish(self) -> Data {
        self.data
    }
}

/// The features of each window of a value; the rules count in all of them.
fn windows(evidence: &Evidence, mut number: impl FnMut(&Gram) -> u32) -> Vec<Vec<u32>> {
    let none = [Vec::new()];
    let windows = if evidence.windows.is_empty() { &none[..] } else { &evidence.windows };
    let features = windows.iter().map(|grams| {
        let mut features: Vec<u32> = grams.iter().map(&mut number).collect();
        features.sort_unstable();
        features
    });
    features.collect()
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
