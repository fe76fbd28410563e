//! Calls of the voice desk as its staff see them: what one is doing, how it ended, what it was about.
//!
//! `assistant` tells and keeps these, `store` spells them, `web` shows them. Invariant: none of them says anything
//! about who called or what was said.

/// What a call is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CallState {
    /// Nobody speaks.
    #[default]
    Waiting,
    /// The caller speaks.
    Listening,
    /// An answer is being made.
    Thinking,
    /// The agent, or staff in its voice, speaks.
    Speaking,
}

impl CallState {
    /// The state as pages spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Listening => "listening",
            Self::Thinking => "thinking",
            Self::Speaking => "speaking",
        }
    }
}

/// How a call came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// Through a program with a key of the desk's.
    Program,
    /// Through the voice page.
    Page,
}

impl Way {
    /// Every way.
    pub const ALL: [Self; 2] = [Self::Program, Self::Page];

    /// The way as the store spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Program => "program",
            Self::Page => "page",
        }
    }

    /// The way spelt `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.as_str() == name)
    }
}

/// How a call of the desk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The last question was answered.
    Answered,
    /// An appointment was made.
    AppointmentMade,
    /// A person was needed: the agent handed over, or staff held the call.
    HandedOver,
    /// The caller left without an answer.
    EndedByCaller,
    /// It broke off on our side.
    Failed,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 5] =
        [Self::Answered, Self::AppointmentMade, Self::HandedOver, Self::EndedByCaller, Self::Failed];

    /// The outcome as the store spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::AppointmentMade => "appointment_made",
            Self::HandedOver => "handed_over",
            Self::EndedByCaller => "ended_by_caller",
            Self::Failed => "failed",
        }
    }

    /// The outcome spelt `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == name)
    }
}

/// What a call was about, as staff sort it: a closed list, so that nothing about anybody is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Category {
    /// An order.
    Order,
    /// An appointment.
    Appointment,
    /// A question about something else.
    Question,
    /// A complaint.
    Complaint,
    /// None of them.
    Other,
}

impl Category {
    /// Every category.
    pub const ALL: [Self; 5] = [Self::Order, Self::Appointment, Self::Question, Self::Complaint, Self::Other];

    /// The category as the store and forms spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Appointment => "appointment",
            Self::Question => "question",
            Self::Complaint => "complaint",
            Self::Other => "other",
        }
    }

    /// The category spelt `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found_by_its_name() {
        assert!(Way::ALL.into_iter().all(|one| Way::named(one.as_str()) == Some(one)));
        assert!(Outcome::ALL.into_iter().all(|one| Outcome::named(one.as_str()) == Some(one)));
        assert!(Category::ALL.into_iter().all(|one| Category::named(one.as_str()) == Some(one)));
        assert_eq!((Way::named("air"), Outcome::named(""), Category::named("Order")), (None, None, None));
    }
}
