//! What a check is: a question to the running system about one control.
//!
//! `assure` brings the checks that need the store alone; `server` registers those of the other rooms.
//! A check never passes by accident: an error, a panic and a time-out are findings of their own, and
//! none of them is "satisfied".

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use domain::{
    Control, Ctx,
    check::{Finding, State},
};

/// How long one check may take before it counts as not answered.
pub const TIME_BOX: Duration = Duration::from_secs(20);

/// Why a check could not come to a finding. One sentence, free of content and secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unanswered(String);

impl Unanswered {
    /// A check that could not be finished because of `reason`.
    pub fn because(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Lets a check use `?` on the errors of the rooms it asks; their `Display` is content-free by rule.
impl<E: std::error::Error> From<E> for Unanswered {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

type Answer = Pin<Box<dyn Future<Output = Result<Finding, Unanswered>> + Send>>;

/// A question to the running system about one control.
#[derive(Clone)]
pub struct Check {
    control: Control,
    every: Duration,
    time_box: Duration,
    run: Arc<dyn Fn(Ctx) -> Answer + Send + Sync>,
}

impl Check {
    /// A check of `control`, asked at least once per `every` by the scheduler.
    ///
    /// `run` gets a context that acts as [`domain::Job::Checks`].
    pub fn new<F, Fut>(control: Control, every: Duration, run: F) -> Self
    where
        F: Fn(Ctx) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Finding, Unanswered>> + Send + 'static,
    {
        Self { control, every, time_box: TIME_BOX, run: Arc::new(move |ctx| Box::pin(run(ctx))) }
    }

    /// The same check with another limit on its time than [`TIME_BOX`].
    #[must_use]
    pub fn within(mut self, time_box: Duration) -> Self {
        self.time_box = time_box;
        self
    }

    /// The control it asks about.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control
    }

    /// How often the scheduler asks.
    #[must_use]
    pub fn every(&self) -> Duration {
        self.every
    }

    /// Asks, and always comes back with a finding about this check's control within its time.
    pub(crate) async fn ask(&self, ctx: &Ctx) -> Finding {
        // A task of its own, so that a panicking check is a finding and not the end of the others.
        let mut alone = tokio::task::JoinSet::new();
        alone.spawn((self.run)(ctx.clone()));
        let reason = match tokio::time::timeout(self.time_box, alone.join_next()).await {
            Ok(Some(Ok(Ok(finding)))) if finding.control == self.control => return finding,
            Ok(Some(Ok(Ok(finding)))) => {
                format!("the check answered about {} instead", finding.control.token())
            }
            Ok(Some(Ok(Err(unanswered)))) => format!("the check could not be finished: {unanswered}"),
            Ok(Some(Err(_)) | None) => "the check itself broke off".to_owned(),
            Err(_) => format!("the check gave no answer within {} seconds", self.time_box.as_secs_f32()),
        };
        Finding::not_satisfied(self.control, ctx.now(), reason)
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").field("control", &self.control).field("every", &self.every).finish()
    }
}

/// The worse of two findings about the same control: when two checks ask, both must be satisfied.
pub(crate) fn worse(one: Finding, other: Finding) -> Finding {
    fn badness(state: State) -> u8 {
        match state {
            State::NotApplicable => 0,
            State::Satisfied => 1,
            State::NotSatisfied => 2,
        }
    }
    if badness(other.state) > badness(one.state) { other } else { one }
}
