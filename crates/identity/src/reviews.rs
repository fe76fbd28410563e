//! Access reviews: every grant beyond an ordinary user's, every place in a group and every key of those who
//! administer is confirmed by somebody else, or it ends.
//!
//! Called by the reviewer's pages and, every minute, by the server's sweep. The invariants: nobody decides
//! about what they hold; what nobody confirmed by the due date ends, but for the last owner's role and for places in
//! groups that set limits; a closed review has one report, whose hash stands in the audit log.

mod report;

use domain::{
    Action, Ctx, Permit, Resource, Timestamp,
    access::{Rights, Role},
    audit::{Act, Entry},
    authorize,
    bounds::Bounds,
    enforced,
    id::{ReviewId, UserId},
};
use store::{
    groups::{self, Group},
    reviews::{self, Item, Key, Review, Subject, Verdict},
    roles::{self, Granted},
};

use crate::{Error, Held, Identity, Unfit, roles::is_last_owner};

const DAY_S: i64 = 24 * 60 * 60;
/// Reviews a page shows.
const LISTED: u32 = 50;

/// The reviews there are, and when the next begins by itself.
#[derive(Clone, Debug)]
pub struct Overview {
    /// The newest first.
    pub reviews: Vec<Review>,
    /// When the next one begins, if none is open.
    pub next: Timestamp,
}

/// A review with what its page shows.
#[derive(Clone, Debug)]
pub struct ReviewPage {
    /// The review.
    pub review: Review,
    /// What is in it.
    pub items: Vec<Item>,
    /// Names and roles, as they are now.
    pub held: Held,
    /// The groups there are, as they are now.
    pub groups: Vec<Group>,
    /// The keys that are in it, as they are now.
    pub keys: Vec<Key>,
}

impl Identity {
    /// The reviews there are.
    ///
    /// # Errors
    /// [`Error::Denied`] unless the actor reviews access or reads evidence.
    pub async fn reviews(&self, ctx: &Ctx) -> Result<Overview, Error> {
        let permit = looking(ctx)?;
        let reviews = reviews::list(self.store(), &permit, LISTED).await?;
        let next = self.next_review(&permit, reviews.first()).await?;
        Ok(Overview { reviews, next })
    }

    /// One review.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none.
    pub async fn review(&self, ctx: &Ctx, id: ReviewId) -> Result<ReviewPage, Error> {
        let permit = authorize(ctx, Action::ReviewAccess, Resource::Instance)?;
        let (review, items) = reviews::get(self.store(), &permit, id).await?;
        let (held, keys) = (self.held_under(&permit).await?, reviews::keys(self.store(), &permit).await?);
        let groups = groups::list(self.store(), &permit).await?;
        Ok(ReviewPage { review, items, held, groups, keys })
    }

    /// The evidence of a closed review, as JSON without names.
    ///
    /// # Errors
    /// [`Error::NotFound`] while it is open.
    pub async fn review_report(&self, ctx: &Ctx, id: ReviewId) -> Result<String, Error> {
        let (review, _) = reviews::get(self.store(), &looking(ctx)?, id).await?;
        review.report.ok_or(Error::NotFound)
    }

    /// Begins a review of everything there is to review.
    ///
    /// # Errors
    /// [`Error::Unfit`] when one is open.
    pub async fn begin_review(&self, ctx: &Ctx) -> Result<ReviewId, Error> {
        let permit = authorize(ctx, Action::ReviewAccess, Resource::Instance)?;
        let mut tx = self.store().begin(ctx).await?;
        let items = self.to_review(ctx, &permit).await?;
        let (id, count) = (ReviewId::fresh(ctx), items.len());
        let due = ctx.now().plus_seconds(i64::from(self.numbers().review_days_open) * DAY_S);
        if !reviews::begin(&mut tx, &permit, id, due, &items).await? {
            return Err(Error::Unfit(Unfit::ReviewOpen));
        }
        tx.commit(Entry::new(Act::ReviewBegun, id).times(count)).await?;
        self.close_when_done(ctx, &permit, id).await?;
        Ok(id)
    }

    /// Confirms a grant, or revokes it. What is revoked ends at once.
    ///
    /// # Errors
    /// [`Error::Unfit`] for one's own grant, the last owner's, or one that was decided before.
    pub async fn decide_review(
        &self,
        ctx: &Ctx,
        id: ReviewId,
        (account, subject): (UserId, Subject),
        confirm: bool,
    ) -> Result<(), Error> {
        let permit = authorize(ctx, Action::ReviewAccess, Resource::Instance)?;
        if ctx.actor.user() == Some(account) {
            return Err(Error::Unfit(Unfit::OwnGrant));
        }
        let mut tx = self.store().begin(ctx).await?;
        let verdict = match confirm {
            true => Verdict::Confirmed,
            false if is_owners(subject) && is_last_owner(&mut tx, account).await? => {
                return Err(Error::Unfit(Unfit::LastOwner));
            }
            false => match end(&mut tx, &permit, account, subject).await? {
                true => Verdict::Revoked,
                false => Verdict::Gone,
            },
        };
        if !reviews::decide(&mut tx, &permit, id, (account, subject), verdict).await? {
            return Err(Error::Unfit(Unfit::Decided));
        }
        tx.commit(Entry::new(Act::ReviewDecided, told(id, account, subject, verdict))).await?;
        self.close_when_done(ctx, &permit, id).await
    }

    /// What time brings: ends grants that are over, notes what was used, lets lapse what nobody confirmed in
    /// time, and begins a review when one is due. The server calls this every minute as the system's upkeep.
    ///
    /// # Errors
    /// [`Error::Store`]; the next round tries again.
    pub async fn keep_access(&self, ctx: &Ctx) -> Result<(), Error> {
        self.write_uses(ctx).await?;
        let permit = authorize(ctx, Action::ReviewAccess, Resource::Instance)?;
        for (user, what) in roles::ended(self.store(), &permit, ctx.now()).await? {
            let mut tx = self.store().begin(ctx).await?;
            // Given anew, or deleted with its account, since it was found.
            if !roles::take_ended(&mut tx, &permit, user, what).await? {
                continue;
            }
            tx.commit(Entry::new(Act::GrantLapsed, format!("{user}/{what}"))).await?;
        }
        let newest = reviews::list(self.store(), &permit, 1).await?.into_iter().next();
        match &newest {
            Some(review) if review.closed.is_none() => {
                if ctx.now() >= review.due {
                    self.lapse(ctx, &permit, review.id).await?;
                }
            }
            newest => {
                if ctx.now() >= self.next_review(&permit, newest.as_ref()).await? {
                    self.begin_review(ctx).await?;
                }
            }
        }
        Ok(())
    }

    /// Ends what nobody confirmed, and closes the review.
    async fn lapse(&self, ctx: &Ctx, permit: &Permit, id: ReviewId) -> Result<(), Error> {
        let (_, items) = reviews::get(self.store(), permit, id).await?;
        for item in items.into_iter().filter(|item| item.decision.is_none()) {
            let (account, subject) = (item.account, item.subject);
            let mut tx = self.store().begin(ctx).await?;
            let verdict = if is_owners(subject) && is_last_owner(&mut tx, account).await? {
                Verdict::KeptLastOwner
            } else if self.is_limited_by(permit, subject).await? {
                // That nobody looked must not give anybody more than they had.
                enforced!(REV02);
                Verdict::KeptLimits
            } else if end(&mut tx, permit, account, subject).await? {
                enforced!(REV02);
                Verdict::Lapsed
            } else {
                Verdict::Gone
            };
            if !reviews::decide(&mut tx, permit, id, (account, subject), verdict).await? {
                // Somebody confirmed it since it was read: dropping the transaction takes its end back.
                enforced!(REV02);
                continue;
            }
            let act = if verdict == Verdict::Lapsed { Act::GrantLapsed } else { Act::ReviewDecided };
            tx.commit(Entry::new(act, told(id, account, subject, verdict))).await?;
        }
        self.close_when_done(ctx, permit, id).await
    }

    /// Whether it is a place in a group that sets limits. Called with the writers' turn.
    async fn is_limited_by(&self, permit: &Permit, subject: Subject) -> Result<bool, Error> {
        let Subject::Group(id) = subject else { return Ok(false) };
        let groups = groups::list(self.store(), permit).await?;
        Ok(groups.iter().any(|group| group.id == id && group.bounds != Bounds::default()))
    }

    /// Closes a review in which everything is decided, with its report.
    async fn close_when_done(&self, ctx: &Ctx, permit: &Permit, id: ReviewId) -> Result<(), Error> {
        let (review, items) = reviews::get(self.store(), permit, id).await?;
        if review.closed.is_some() || items.iter().any(|item| item.decision.is_none()) {
            return Ok(());
        }
        let report = report::write(&review, &items, ctx.now());
        let mut tx = self.store().begin(ctx).await?;
        if reviews::close(&mut tx, permit, id, &report).await? {
            tx.commit(Entry::new(Act::ReviewClosed, reviews::sealed_as(id, &report))).await?;
        }
        Ok(())
    }

    /// Every grant beyond an ordinary user's, every place in a group, and every key of an account with
    /// administrative rights.
    async fn to_review(&self, ctx: &Ctx, permit: &Permit) -> Result<Vec<Item>, Error> {
        let held = self.held_under(permit).await?;
        let since = ctx.now().plus_seconds(-i64::from(self.numbers().review_every_days) * DAY_S);
        let item = |account, subject, granted, last_used: Option<Timestamp>| Item {
            account,
            subject,
            granted,
            last_used,
            unused: granted < since && last_used.is_none_or(|at| at < since),
            decision: None,
        };
        let (mut items, mut administrative) = (Vec::new(), Vec::new());
        for holder in &held.holders {
            let mut rights = Rights::NONE;
            for grant in &holder.grants {
                rights = rights.and(held.rights(grant.what));
                if grant.what != Granted::BuiltIn(Role::User) {
                    items.push(item(holder.user, Subject::Role(grant.what), grant.at, grant.last_used));
                }
            }
            if rights.iter().any(Action::is_administrative) {
                administrative.push(holder.user);
            }
        }
        for (account, group, since) in groups::placements(self.store(), permit).await? {
            // A place in a group is not used, it holds: whether it is needed nobody can tell from here.
            items.push(Item { unused: false, ..item(account, Subject::Group(group), since, None) });
        }
        let keys = reviews::keys(self.store(), permit).await?;
        let keys = keys.into_iter().filter(|key| administrative.contains(&key.account));
        items.extend(keys.map(|key| item(key.account, Subject::Key(key.id), key.created, key.last_used)));
        Ok(items)
    }

    /// When the next review begins: so long after the last one began, or after the instance was made.
    async fn next_review(&self, permit: &Permit, newest: Option<&Review>) -> Result<Timestamp, Error> {
        let last = match newest {
            Some(review) => review.begun,
            None => reviews::beginning(self.store(), permit).await?,
        };
        Ok(last.plus_seconds(i64::from(self.numbers().review_every_days) * DAY_S))
    }
}

/// Ends a grant. `false`: it had ended.
async fn end(tx: &mut store::Tx, permit: &Permit, account: UserId, subject: Subject) -> Result<bool, Error> {
    let ended = match subject {
        Subject::Role(what) => roles::take(tx, permit, account, what).await,
        Subject::Group(group) => groups::take_out(tx, permit, group, account).await,
        Subject::Key(key) => reviews::revoke_key(tx, permit, account, key).await,
    };
    match ended {
        // The account is gone, and the grant with it.
        Err(store::Error::NotFound) => Ok(false),
        ended => Ok(ended?),
    }
}

fn is_owners(subject: Subject) -> bool {
    subject == Subject::Role(Granted::BuiltIn(Role::Owner))
}

/// What the audit log says about a decision: identifiers and a word.
fn told(id: ReviewId, account: UserId, subject: Subject, verdict: Verdict) -> String {
    format!("{id}/{account}/{subject}={}", verdict.as_str())
}

/// A permit to look at reviews: as evidence, or because one reviews.
fn looking(ctx: &Ctx) -> Result<Permit, Error> {
    let may = |action| authorize(ctx, action, Resource::Instance);
    Ok(may(Action::ReviewAccess).or_else(|first| may(Action::ReadEvidence).map_err(|_| first))?)
}
