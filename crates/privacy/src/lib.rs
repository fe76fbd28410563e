//! What people agree to about themselves: the letter they read, the ledger of what they agreed to, and what ends
//! when they take it back.
//!
//! `web` calls [`Privacy`] for people; `server` tells it what is possible on this instance ([`Offer`]) and has it
//! [look again](Privacy::look_again) for what other replicas were told. Invariants: everybody agrees for themselves
//! alone; nothing that was agreed to or taken back is ever changed or forgotten while the account is there; what
//! rests on a consent ends when it is taken back.

mod error;
mod history;
mod holds;
mod letter;

use std::sync::Arc;

use domain::{
    Action, Actor, Ctx, Denied, Permit, Resource,
    audit::{Act, Entry},
    authorize,
    consent::{Purpose, Standing},
    enforced,
    id::UserId,
};
use store::{
    Store,
    consents::{self, Consent, Kept},
};

pub use error::Error;
pub use history::Record;
pub use holds::Hold;
pub use letter::{Asked, Letter};

use holds::Holds;
use letter::Published;

/// What is possible on this instance, so that nobody is asked about what is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// The third parties that may hear or speak, by the names people read; none where all of it stays here.
    pub shares_with: Vec<String>,
}

impl Offer {
    fn has(&self, purpose: Purpose) -> bool {
        match purpose {
            Purpose::ProcessCall | Purpose::KeepTranscript => true,
            // No sound is kept by this version at all.
            Purpose::KeepAudio => false,
            Purpose::ShareSpeech => !self.shares_with.is_empty(),
        }
    }
}

/// The room's one door. Cheap to clone; all clones share which calls rest on which consent.
#[derive(Clone)]
pub struct Privacy(Arc<Inner>);

struct Inner {
    store: Store,
    offer: Offer,
    letter: Published,
    holds: Arc<Holds>,
}

impl Privacy {
    /// Opens the room on `store`.
    ///
    /// # Errors
    /// [`Error::Letter`] when a letter that was compiled in cannot be read.
    pub fn new(store: Store, mut offer: Offer) -> Result<Self, Error> {
        offer.shares_with.sort_unstable();
        offer.shares_with.dedup();
        let letter = Published::in_force()?;
        Ok(Self(Arc::new(Inner { store, offer, letter, holds: Arc::default() })))
    }

    /// The letter in force, in a language by its tag (English where we do not have it). It asks only about what is
    /// possible here; the other languages of a version ask the same.
    #[must_use]
    pub fn letter(&self, language: &str) -> Letter {
        self.0.letter.told(language, &self.0.offer)
    }

    /// What the person agrees to now.
    ///
    /// # Errors
    /// [`Error::Denied`] unless a signed-in person asks, about themselves.
    pub async fn standing(&self, ctx: &Ctx) -> Result<Standing, Error> {
        let (user, permit) = own(ctx, Action::ReadAccount)?;
        self.standing_of(user, &permit).await
    }

    /// Agrees to `purposes`, as the letter of `version` words them, read in `language`. It is the whole answer: what
    /// was agreed to before and is not among them is taken back.
    ///
    /// # Errors
    /// [`Error::Superseded`] when another version is in force; [`Error::Purposes`] when one comes twice or is not
    /// in the letter; [`Error::Required`] when there would be no call with it; [`Error::Denied`].
    pub async fn agree(
        &self,
        ctx: &Ctx,
        version: u32,
        purposes: &[Purpose],
        language: &str,
    ) -> Result<Standing, Error> {
        let (user, permit) = own(ctx, Action::WriteAccount)?;
        if version != self.0.letter.version {
            enforced!(CON04);
            return Err(Error::Superseded);
        }
        let mut agreed = purposes.to_vec();
        agreed.sort_unstable();
        agreed.dedup();
        if agreed.len() != purposes.len() || !agreed.iter().all(|purpose| self.0.offer.has(*purpose)) {
            return Err(Error::Purposes);
        }
        if !agreed.contains(&Purpose::ProcessCall) {
            return Err(Error::Required);
        }
        let shared_with = match agreed.contains(&Purpose::ShareSpeech) {
            true => self.0.offer.shares_with.clone(),
            false => Vec::new(),
        };
        let language = letter::known(language).to_owned();
        let consent = Consent { version, language, agreed, shared_with };
        let mut tx = self.0.store.begin(ctx).await?;
        let before = consents::newest_within(&mut tx, &permit).await?.map(|kept| kept.consent);
        if before.is_none_or(|before| !is_same(&before, &consent)) {
            consents::add(&mut tx, &permit, &consent).await?;
            let entry = Entry::new(Act::ConsentGiven, user).times(consent.agreed.len());
            tx.commit(entry).await?;
        }
        let standing = self.stands(user, Some(&consent));
        self.0.holds.look(&standing);
        Ok(standing)
    }

    /// Takes back one purpose, or everything. Without what every call takes nothing else stands either. Calls that
    /// rest on it end at once. What was not agreed to is no error.
    ///
    /// # Errors
    /// [`Error::Denied`] unless a signed-in person asks, about themselves.
    pub async fn withdraw(&self, ctx: &Ctx, purpose: Option<Purpose>) -> Result<Standing, Error> {
        let (user, permit) = own(ctx, Action::WriteAccount)?;
        let mut tx = self.0.store.begin(ctx).await?;
        let Some(mut consent) = consents::newest_within(&mut tx, &permit).await?.map(|kept| kept.consent)
        else {
            return Ok(Standing::none(user, self.0.letter.version));
        };
        let before = consent.agreed.len();
        consent.agreed.retain(|agreed| match purpose {
            Some(one) if !one.is_required() => *agreed != one,
            // Nothing stands without what is required.
            Some(_) | None => false,
        });
        if !consent.agreed.contains(&Purpose::ShareSpeech) {
            consent.shared_with.clear();
        }
        if consent.agreed.len() < before {
            consents::add(&mut tx, &permit, &consent).await?;
            let entry = Entry::new(Act::ConsentWithdrawn, user).times(before - consent.agreed.len());
            tx.commit(entry).await?;
        }
        let standing = self.stands(user, Some(&consent));
        self.0.holds.look(&standing);
        Ok(standing)
    }

    /// What the person agreed to and took back, the newest first.
    ///
    /// # Errors
    /// [`Error::Denied`] unless a signed-in person asks, about themselves.
    pub async fn history(&self, ctx: &Ctx) -> Result<Vec<Record>, Error> {
        let (_, permit) = own(ctx, Action::ReadAccount)?;
        // One more than is told, to tell the oldest from what stood before it.
        let kept = consents::list(&self.0.store, &permit, history::MOST_ROWS + 1).await?;
        Ok(history::told(&kept))
    }

    /// Has something, as a call, end when the person takes back one of `needs`, or the processing of calls: then
    /// [`Hold::token`] fires. On this replica that is at once; for another's,
    /// [`look_again`](Self::look_again) is called every `consent_seconds` (CON03). Keep the hold as long as
    /// the call: dropping it ends the watch.
    ///
    /// # Errors
    /// [`Error::NotAgreed`] when one of them is not agreed to now; [`Error::Denied`].
    pub async fn hold(&self, ctx: &Ctx, needs: &[Purpose]) -> Result<Hold, Error> {
        let (user, permit) = own(ctx, Action::ReadAccount)?;
        // Held first and looked at then: what is taken back in between ends it.
        let held = Holds::enter(&self.0.holds, user, permit.clone(), needs);
        let standing = self.standing_of(user, &permit).await?;
        if let Some(missing) = held.needs().find(|need| !standing.allows(*need)) {
            return Err(Error::NotAgreed(missing));
        }
        Ok(held.resting_on(standing))
    }

    /// Reads anew what everybody agrees to who has something [held](Self::hold) here, and ends what does not stand
    /// any more: they may have taken it back at another replica.
    ///
    /// # Errors
    /// When the store cannot be read; what could be read has been acted upon.
    pub async fn look_again(&self) -> Result<(), Error> {
        for (user, permit) in self.0.holds.people() {
            let standing = self.standing_of(user, &permit).await?;
            self.0.holds.look(&standing);
        }
        Ok(())
    }

    async fn standing_of(&self, user: UserId, permit: &Permit) -> Result<Standing, Error> {
        let newest: Option<Kept> = consents::list(&self.0.store, permit, 1).await?.pop();
        Ok(self.stands(user, newest.map(|kept| kept.consent).as_ref()))
    }

    /// What stands of a consent here and now: words go to no third party but those that were named.
    fn stands(&self, user: UserId, consent: Option<&Consent>) -> Standing {
        let in_force = self.0.letter.version;
        let Some(consent) = consent else { return Standing::none(user, in_force) };
        let named = self.0.offer.shares_with.iter().all(|party| consent.shared_with.contains(party));
        let agreed = consent.agreed.iter().copied();
        let agreed = agreed.filter(|purpose| named || *purpose != Purpose::ShareSpeech);
        Standing::new(user, in_force, consent.version, agreed)
    }
}

/// Whether both say the same, in whichever language that was read.
fn is_same(one: &Consent, other: &Consent) -> bool {
    one.version == other.version && one.agreed == other.agreed && one.shared_with == other.shared_with
}

/// The person who asks, and their permit on their own account. Programs agree to nothing.
fn own(ctx: &Ctx, action: Action) -> Result<(UserId, Permit), Denied> {
    let Actor::Person { user, .. } = ctx.actor else {
        return Err(if ctx.actor == Actor::Anonymous { Denied::ANONYMOUS } else { Denied::FLAT });
    };
    Ok((user, authorize(ctx, action, Resource::Of(user))?))
}
