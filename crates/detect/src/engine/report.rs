//! Values that are attacks, as hits: one per attack type.

use std::ops::Range;

use super::{Engine, Value};
use crate::attack::AttackType;
use crate::judge;
use crate::score::{to_weight, Counted, ALERT};
use crate::verdict::{excerpt, Hit};
use crate::views::{Field, PointId, Views};

/// Grams named in one hit.
const MOST_GRAMS: usize = 8;

impl Engine {
    /// Adds a value to the hits of the attack types whose score is high enough.
    pub(super) fn report(
        &self,
        hits: &mut Vec<Hit>,
        views: &Views,
        value: Value<'_>,
        payload: usize,
    ) {
        if value.score < ALERT {
            return;
        }
        let Value { rules, score, best, .. } = value;
        let scores = judge::by_attack(&rules, score, best, &self.model, value.windows);
        for (attack, sum) in AttackType::ALL.into_iter().zip(scores) {
            if sum < ALERT {
                continue;
            }
            let known = hits.iter().position(|hit| hit.attack == attack);
            let index = known.unwrap_or_else(|| {
                hits.push(Hit::empty(attack));
                hits.len() - 1
            });
            let Some(hit) = hits.get_mut(index) else { continue };
            hit.score = hit.score.max(to_weight(sum));
            let strongest = self.name_rules(hit, views, value.counted);
            // What comes after the last place that is named tells no more, and would be looked up for every value.
            if let Some(best) = best.filter(|_| hit.points.len() < Hit::MOST_POINTS) {
                let grams = value.windows.contributions(&self.model, best);
                for (gram, _, points) in grams.iter().filter(|gram| gram.2 > 0).take(MOST_GRAMS) {
                    let name = format!("gram {}", gram.spell(&self.model.words));
                    hit.indicator(name, to_weight(*points));
                }
            }
            let seen = strongest.and_then(|counted| {
                let field = views.fields.get(counted.field as usize)?;
                Some((field, counted.start..counted.end))
            });
            let whole = value.shown.field.start..value.shown.field.end;
            let (field, bytes) = seen.unwrap_or_else(|| {
                (value.shown.field, best.map_or(whole, |best| value.seen(best)))
            });
            add_place(hit, views, value.point, field, bytes, payload);
        }
    }

    /// Names the rules of the hit's attack type that counted, and returns the strongest.
    fn name_rules<'c>(
        &self,
        hit: &mut Hit,
        views: &Views,
        counted: &'c [Counted],
    ) -> Option<&'c Counted> {
        let mut best: Option<(&Counted, i32)> = None;
        for counted in counted {
            let Some((rule, points)) = self.rule_of(counted) else { continue };
            if rule.attack != hit.attack {
                continue;
            }
            if best.is_none_or(|(_, strongest)| points > strongest) {
                best = Some((counted, points));
            }
            if let Err(at) = hit.rules.binary_search(&rule.id) {
                hit.rules.insert(at, rule.id);
                hit.indicator(rule.name.clone(), to_weight(points));
            }
            let field = views.fields.get(counted.field as usize);
            for name in field.into_iter().flat_map(|field| field.decoders.names()) {
                hit.decoder(name);
            }
        }
        best.map(|(counted, _)| counted)
    }
}

/// Adds a value to the places of a hit, with an excerpt around `bytes` of the view `field`, which are offsets into [`Views::text`].
fn add_place(
    hit: &mut Hit,
    views: &Views,
    point: PointId,
    field: &Field,
    bytes: Range<u32>,
    most: usize,
) {
    if hit.points.len() >= Hit::MOST_POINTS {
        (hit.points_cut, hit.payloads_cut) = (true, true);
        return;
    }
    let payload = payload_of(views, field, bytes, most);
    hit.payloads_cut |= payload.len() < field.range().len();
    hit.points.push(views.point_name(point));
    hit.payloads.push(payload.to_vec());
}

/// Up to `most` bytes of a view around `bytes`, which are offsets into [`Views::text`].
pub(crate) fn payload_of<'v>(
    views: &'v Views,
    field: &Field,
    bytes: Range<u32>,
    most: usize,
) -> &'v [u8] {
    let start = bytes.start.saturating_sub(field.start) as usize;
    let end = bytes.end.saturating_sub(field.start) as usize;
    excerpt(views.bytes(field), start..end, most)
}
