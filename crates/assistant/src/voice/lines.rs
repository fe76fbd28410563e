//! What the engine itself says. English, as the voice is.

/// The first thing every caller hears, to its end (AI Act, article 50).
pub(super) const DISCLOSURE: &str = "You are speaking with an AI assistant. ";
/// Said with it in calls of the voice desk, which staff may read along in.
pub(super) const STAFF_MAY_LISTEN: &str = "A member of staff may follow this call. ";
/// When a member of staff takes the call over,
pub(super) const A_PERSON: &str = "You are now talking to a person. ";
/// gives it back,
pub(super) const THE_AGENT: &str = "You are talking to the AI assistant again. ";
/// is gone without a word,
pub(super) const PERSON_GONE: &str =
    "The person has left this call. You are talking to the AI assistant again. ";
/// or ends it.
pub(super) const STAFF_ENDS: &str = "This call ends now. Goodbye.";
/// What the model is told when it goes on after them.
pub(super) const GO_ON: &str = "A member of staff held this call in your place and has given it back. What was said in your name meanwhile, they said. Go on from there.";
/// After long silence of both.
pub(super) const ARE_YOU_THERE: &str = "Are you still there?";
/// When nobody answers that.
pub(super) const IDLE: &str = "I will end the call now. Goodbye.";
/// When the caller's words could not be recognised.
pub(super) const NOT_HEARD: &str = "Sorry, I did not catch that. Please say it again.";
/// When an answer did not come.
pub(super) const NO_ANSWER: &str = "Sorry, I cannot answer just now. Please try again.";
/// When it broke off.
pub(super) const BROKE_OFF: &str = " Sorry, I lost the thread there. Please ask again.";
/// When an answer takes long.
pub(super) const ONE_MOMENT: &str = "One moment, please. ";
/// When the call's time is over.
pub(super) const TIME_OVER: &str = "The time for this call is over. Goodbye.";
/// When the person's quota is used up.
pub(super) const USED_UP: &str = "Your time for voice is used up for now. Goodbye.";
/// When too many are being answered.
pub(super) const BUSY: &str =
    "Sorry, too many people are being answered just now. Please try again in a moment.";
