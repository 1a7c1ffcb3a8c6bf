//! The one time format that input files hold: RFC 3339.

/// Milliseconds since the epoch; `None` if `text` is no RFC 3339 time from 1970 on.
pub(crate) fn parse_rfc3339(text: &str) -> Option<u64> {
    let (date, clock) = text.split_once(['T', 't', ' '])?;
    let [year, month, day] = fields(date, '-')?;
    let zone_at = clock.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = clock.split_at(zone_at);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let [hour, minute, second] = fields(clock, ':')?;
    let valid = (1..=12).contains(&month) && (1..=31).contains(&day);
    if !valid || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = days_from_epoch(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    u64::try_from((seconds - offset_seconds(zone)?) * 1_000 + milliseconds(fraction)?).ok()
}

fn fields(text: &str, separator: char) -> Option<[i64; 3]> {
    let mut parts = text.split(separator).map(digits);
    let all = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(all)
}

fn digits(text: &str) -> Option<i64> {
    let valid = !text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit());
    valid.then(|| text.parse().ok())?
}

fn milliseconds(fraction: &str) -> Option<i64> {
    let valid = !fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit());
    let padded = fraction.bytes().chain(*b"00").take(3);
    valid.then(|| padded.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
}

/// What `Z`, `+01:00` or `-0930` adds to UTC.
fn offset_seconds(zone: &str) -> Option<i64> {
    let sign = match zone.as_bytes().first()? {
        b'Z' | b'z' if zone.len() == 1 => return Some(0),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let clock: String = zone.chars().skip(1).filter(|&c| c != ':').collect();
    let number = (clock.len() == 4).then(|| digits(&clock))??;
    Some(sign * (number / 100 * 3_600 + number % 100 * 60))
}

/// Days of the proleptic Gregorian calendar; the year is counted from March, so that the leap
/// day is its last.
fn days_from_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let month = (month + 9) % 12;
    let leap_days = year / 4 - year / 100 + year / 400;
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_converted_to_utc_milliseconds() {
        let cases = [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2000-02-29T12:30:15.5Z", Some(951_827_415_500)),
            ("2024-01-02T03:04:05.678901Z", Some(1_704_164_645_678)),
            ("2024-01-02T04:04:05.678+01:00", Some(1_704_164_645_678)),
            ("2024-01-01T17:34:05.678-0930", Some(1_704_164_645_678)),
            ("1969-12-31T23:59:59Z", None),
            ("2024-13-01T00:00:00Z", None),
            ("2024-01-01T24:00:00Z", None),
            ("2024-01-01T00:00:00", None),
            ("2024-01-01", None),
            ("yesterday", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_rfc3339(text), expected, "{text}");
        }
    }
}
