//! What the limits said about one request, gathered on its way in and told on its way out.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http::{HeaderMap, HeaderName, HeaderValue};

use super::{Class, Limits, Reading, WINDOW_S, Who, over};
use crate::Problem;

/// The account of one request, shared by the edge and the extractors.
#[derive(Clone, Default)]
pub struct Meter(Arc<Mutex<Count>>);

#[derive(Default)]
struct Count {
    class: Option<Class>,
    readings: Vec<Reading>,
}

impl std::fmt::Debug for Meter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Meter")
    }
}

impl Meter {
    /// A meter for a request of this class.
    #[must_use]
    pub fn of(class: Option<Class>) -> Self {
        Self(Arc::new(Mutex::new(Count { class, ..Count::default() })))
    }

    /// Counts the request for `who`.
    ///
    /// # Errors
    /// A 429 problem when that was one too many.
    pub async fn charge(&self, limits: &Limits, who: Who) -> Result<(), Problem> {
        let Some(class) = self.count().class else { return Ok(()) };
        let reading = limits.count(class, who).await;
        self.count().readings.push(reading);
        if reading.admitted { Ok(()) } else { Err(over(&reading)) }
    }

    /// Tells the caller how much is left: the fields of the IETF's draft (`RateLimit-Policy`, `RateLimit`),
    /// and on the API the ones OpenAI's clients look at.
    pub fn tell(&self, headers: &mut HeaderMap, is_api: bool) {
        let readings = self.count().readings.clone();
        if readings.is_empty() {
            return;
        }
        let (mut policy, mut now) = (String::new(), String::new());
        for (number, Reading { kind, limit, left, seconds, .. }) in readings.iter().enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            // Writing to a text cannot fail.
            let _ = write!(policy, "{comma}\"{kind}\";q={limit};w={WINDOW_S}");
            let _ = write!(now, "{comma}\"{kind}\";r={left};t={seconds}");
        }
        put(headers, "ratelimit-policy", &policy);
        put(headers, "ratelimit", &now);
        if let Some(nearest) = readings.iter().min_by_key(|reading| reading.left).filter(|_| is_api) {
            put(headers, "x-ratelimit-limit-requests", &nearest.limit.to_string());
            put(headers, "x-ratelimit-remaining-requests", &nearest.left.to_string());
            put(headers, "x-ratelimit-reset-requests", &format!("{}s", nearest.seconds));
        }
    }

    fn count(&self) -> MutexGuard<'_, Count> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    // Names of ours and digits: always a header.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_told_as_the_draft_and_as_openai_say_it() {
        let meter = Meter::of(Some(Class::Api));
        let address = Reading { kind: "address", limit: 3000, left: 2999, seconds: 1, admitted: true };
        let key = Reading { kind: "key", limit: 600, left: 598, seconds: 1, admitted: true };
        meter.count().readings = vec![address, key];
        let mut headers = HeaderMap::new();
        meter.tell(&mut headers, true);
        let policy = "\"address\";q=3000;w=60, \"key\";q=600;w=60";
        assert_eq!(headers["ratelimit-policy"], policy);
        assert_eq!(headers["ratelimit"], "\"address\";r=2999;t=1, \"key\";r=598;t=1");
        assert_eq!(headers["x-ratelimit-limit-requests"], "600");
        assert_eq!(headers["x-ratelimit-remaining-requests"], "598");
        assert_eq!(headers["x-ratelimit-reset-requests"], "1s");
    }
}
