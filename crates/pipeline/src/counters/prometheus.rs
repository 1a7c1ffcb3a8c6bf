//! The counters in the text format of Prometheus.

use std::fmt::{self, Write};

use super::snapshot::{About, Snapshot};

impl Snapshot {
    /// The status page in the text format 0.0.4 of Prometheus: the JSON names with `wallarm_` before them, and `_total`
    /// behind those that only grow.
    pub fn to_prometheus(&self, about: &About<'_>) -> String {
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = self.write_prometheus(&mut text, about);
        text
    }

    fn write_prometheus(&self, text: &mut String, about: &About<'_>) -> fmt::Result {
        counter(text, "seen", "Requests captured.", self.seen)?;
        counter(text, "scanned", "Requests scanned.", self.scanned)?;
        let dropped = &self.dropped;
        let reasons = [
            ("queue_full", dropped.queue_full),
            ("no_arena", dropped.no_arena),
            ("exit", dropped.exit),
            ("worker_died", dropped.worker_died),
            ("panic", dropped.panic),
        ];
        by_reason(text, "dropped", "Requests not scanned.", &reasons)?;
        gauge(text, "in_flight", "Requests captured that have not ended.", self.in_flight())?;
        counter(text, "body_dropped", "Bodies not scanned.", self.body_dropped)?;
        counter(text, "truncated", "Bodies cut.", self.truncated)?;
        counter(text, "completions", "Bodies scanned after their heads.", self.completions)?;
        counter(text, "attacks", "Scans that found an attack.", self.attacks)?;
        counter(
            text,
            "suspects",
            "Scans that found something suspect but no attack.",
            self.suspects,
        )?;
        counter(text, "events", "Events made.", self.events)?;
        counter(text, "events_written", "Events written.", self.events_written)?;
        let lost = &self.events_lost;
        let reasons = [
            ("queue_full", lost.queue_full),
            ("rate", lost.rate),
            ("disk", lost.disk),
            ("write", lost.write),
            ("exit", lost.exit),
        ];
        by_reason(text, "events_lost", "Events not written.", &reasons)?;
        counter(text, "bytes", "Bytes of the records scanned.", self.bytes)?;
        let seconds = self.detect_ns as f64 / 1e9;
        counter(text, "time_detect_seconds", "CPU time of the scan threads.", seconds)?;
        counter(text, "panics", "Scans that failed.", self.panics)?;
        counter(text, "bad_values", "Bad run-time values of directives.", self.bad_values)?;
        gauge(text, "workers", "Worker processes.", self.workers)?;
        head(text, "build_info", "gauge", "The node.")?;
        let (node, version) = (escaped(about.node), escaped(about.version));
        writeln!(
            text,
            "wallarm_build_info{{node=\"{node}\",version=\"{version}\",startid=\"{}\"}} 1",
            about.start_id
        )
    }
}

fn counter(text: &mut String, name: &str, help: &str, value: impl fmt::Display) -> fmt::Result {
    head(text, &format!("{name}_total"), "counter", help)?;
    writeln!(text, "wallarm_{name}_total {value}")
}

fn gauge(text: &mut String, name: &str, help: &str, value: u64) -> fmt::Result {
    head(text, name, "gauge", help)?;
    writeln!(text, "wallarm_{name} {value}")
}

fn by_reason(text: &mut String, name: &str, help: &str, reasons: &[(&str, u64)]) -> fmt::Result {
    head(text, &format!("{name}_total"), "counter", help)?;
    for (reason, value) in reasons {
        writeln!(text, "wallarm_{name}_total{{reason=\"{reason}\"}} {value}")?;
    }
    Ok(())
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) -> fmt::Result {
    writeln!(text, "# HELP wallarm_{name} {help}\n# TYPE wallarm_{name} {kind}")
}

/// A label value.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counters::Dropped;

    #[test]
    fn every_sample_has_a_type_and_the_names_of_the_json() {
        let snapshot = Snapshot {
            seen: 9,
            scanned: 4,
            dropped: Dropped { panic: 2, ..Dropped::default() },
            suspects: 5,
            detect_ns: 1_500_000_000,
            ..Snapshot::default()
        };
        let about = About { node: "a\"b\\c\nd", version: "0.1.0", start_id: 7, timestamp: 0 };
        let text = snapshot.to_prometheus(&about);
        for line in [
            "wallarm_seen_total 9",
            "wallarm_in_flight 3",
            "wallarm_dropped_total{reason=\"panic\"} 2",
            "wallarm_suspects_total 5",
            "wallarm_time_detect_seconds_total 1.5",
            "wallarm_build_info{node=\"a\\\"b\\\\c\\nd\",version=\"0.1.0\",startid=\"7\"} 1",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is missing in:\n{text}");
        }
        let json: serde_json::Value = serde_json::from_str(&snapshot.to_json(&about)).unwrap();
        let about_only = ["startid", "node", "version", "timestamp"];
        for name in json.as_object().unwrap().keys().filter(|n| !about_only.contains(&n.as_str())) {
            let name = if name == "time_detect" { "time_detect_seconds" } else { name };
            let of = |kind| format!("# TYPE wallarm_{name}{kind}\n");
            let typed = text.contains(&of("_total counter")) || text.contains(&of(" gauge"));
            assert!(typed, "{name}");
        }
        for sample in text.lines().filter(|line| !line.starts_with('#')) {
            let name = sample.split(['{', ' ']).next().unwrap();
            assert_eq!(text.matches(&format!("# TYPE {name} ")).count(), 1, "{sample}");
        }
    }
}
