//! Reading a person's chats as staff: with a written reason, another's agreement, for an hour, and seen by
//! the person.
//!
//! Called by the officer's pages and the person's account page. The invariants: who asks never agrees, nor
//! does the person it is about, nor an account made for it; nothing is shown before it is written down; the person can always see who
//! asked, why, who agreed and what was opened, and nothing hides that from them.

use domain::{
    Action, Actor, Ctx, Denied, Permit, Resource, Timestamp,
    audit::{Act, Entry},
    authorize, enforced,
    id::{ContentRequestId, ConversationId, UserId},
    mail::Mail,
};
use store::{
    accounts,
    content_requests::{self, ContentRequest, Opened, State, Words},
    roles,
};

use crate::{Error, Identity, Unfit, permits, second_person::are_independent};

/// Shortest reason, in characters.
pub const MIN_REASON_CHARS: usize = 20;
/// Longest reason, in characters.
pub const MOST_REASON_CHARS: usize = 1000;
/// Requests a page shows.
const LISTED: u32 = 100;
/// Seconds within which somebody must agree.
const DECIDED_WITHIN_S: i64 = 24 * 60 * 60;

/// A request with what was opened under it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The request.
    pub request: ContentRequest,
    /// What the person it is about is called.
    pub subject: String,
    /// What was opened, the first first.
    pub reads: Vec<Opened>,
}

impl Asked {
    /// Whether it waits for somebody at `now`.
    #[must_use]
    pub fn is_waiting(&self, now: Timestamp) -> bool {
        self.request.state == State::Asked && now.seconds_since(self.request.asked) < DECIDED_WITHIN_S
    }

    /// Until when it allows reading at `now`, if it does.
    #[must_use]
    pub fn open_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.request.ends.filter(|ends| self.request.state == State::Agreed && now < *ends)
    }
}

impl Identity {
    /// Asks to read the chats of `subject`.
    ///
    /// # Errors
    /// [`Error::Unfit`] for a reason that is none, one's own chats or a second request; [`Error::NotFound`].
    pub async fn request_content(
        &self,
        ctx: &Ctx,
        subject: UserId,
        reason: &str,
    ) -> Result<ContentRequestId, Error> {
        let permit = authorize(ctx, Action::RequestContent, Resource::Instance)?;
        let reason = reason.trim();
        if !(MIN_REASON_CHARS..=MOST_REASON_CHARS).contains(&reason.chars().count()) {
            return Err(Error::Unfit(Unfit::Reason));
        }
        if ctx.actor.user() == Some(subject) {
            return Err(Error::Unfit(Unfit::OwnRequest));
        }
        let open = |asked: &Asked| asked.is_waiting(ctx.now()) || asked.open_until(ctx.now()).is_some();
        let same = |asked: &Asked| {
            asked.request.subject == subject && Some(asked.request.requester) == ctx.actor.user()
        };
        if self.asked_under(&permit).await?.iter().any(|asked| same(asked) && open(asked)) {
            return Err(Error::Unfit(Unfit::AskedAlready));
        }
        let (id, requester) = (ContentRequestId::fresh(ctx), self.own_name(ctx).await?);
        let words = Words { reason: reason.to_owned(), requester, decider: String::new() };
        let mut tx = self.store().begin(ctx).await?;
        content_requests::create(&mut tx, &permit, id, subject, &words).await?;
        tx.commit(Entry::new(Act::ContentRequested, id)).await?;
        Ok(id)
    }

    /// Agrees to somebody else's request: they may read for `break_glass_minutes`.
    ///
    /// # Errors
    /// [`Error::Unfit`] for one's own request, one about oneself, one decided before or too old, and when the two
    /// are not two people to each other.
    pub async fn approve_content(&self, ctx: &Ctx, id: ContentRequestId) -> Result<(), Error> {
        let permit = authorize(ctx, Action::ApproveContent, Resource::Instance)?;
        let request = content_requests::get(self.store(), &permit, id).await?;
        if [Some(request.requester), Some(request.subject)].contains(&ctx.actor.user()) {
            enforced!(ACC05);
            return Err(Error::Unfit(Unfit::OwnRequest));
        }
        if ctx.now().seconds_since(request.asked) >= DECIDED_WITHIN_S {
            return Err(Error::Unfit(Unfit::Decided));
        }
        let ends = ctx.now().plus_seconds(i64::from(self.numbers().break_glass_minutes) * 60);
        self.decide_content(ctx, &permit, &request, Some(ends), Act::ContentApproved).await
    }

    /// Refuses somebody else's request, or calls off one's own.
    ///
    /// # Errors
    /// [`Error::Unfit`] when it was decided before, or is about oneself.
    pub async fn refuse_content(&self, ctx: &Ctx, id: ContentRequestId) -> Result<(), Error> {
        let permit = authorize(ctx, Action::ApproveContent, Resource::Instance)
            .or_else(|_| authorize(ctx, Action::RequestContent, Resource::Instance))?;
        let request = content_requests::get(self.store(), &permit, id).await?;
        let mine = Some(request.requester) == ctx.actor.user();
        if (permit.action() == Action::RequestContent && !mine) || Some(request.subject) == ctx.actor.user() {
            return Err(Error::Unfit(Unfit::OwnRequest));
        }
        self.decide_content(ctx, &permit, &request, None, Act::ContentRefused).await
    }

    /// Ends the reading before its time: whoever asked, or whoever may agree.
    ///
    /// # Errors
    /// [`Error::Unfit`] when it was over already; [`Error::NotFound`] for somebody else's, without the right to
    /// agree.
    pub async fn end_content(&self, ctx: &Ctx, id: ContentRequestId) -> Result<(), Error> {
        let permit = authorize(ctx, Action::ApproveContent, Resource::Instance)
            .or_else(|_| authorize(ctx, Action::RequestContent, Resource::Instance))?;
        let request = content_requests::get(self.store(), &permit, id).await?;
        if permit.action() == Action::RequestContent && Some(request.requester) != ctx.actor.user() {
            return Err(Error::NotFound);
        }
        let mut tx = self.store().begin(ctx).await?;
        if !content_requests::end(&mut tx, &permit, id).await? {
            return Err(Error::Unfit(Unfit::Over));
        }
        Ok(tx.commit(Entry::new(Act::ContentRefused, id)).await?)
    }

    /// The requests, with what was opened under each.
    ///
    /// # Errors
    /// [`Error::Denied`] unless the actor reads evidence, or asks for or agrees to such requests.
    pub async fn content_requests(&self, ctx: &Ctx) -> Result<Vec<Asked>, Error> {
        self.asked_under(&looking(ctx)?).await
    }

    /// What was asked about the person who asks, and what was opened.
    ///
    /// # Errors
    /// [`Error::Denied`] unless a signed-in person asks.
    pub async fn content_requests_about_me(&self, ctx: &Ctx) -> Result<Vec<Asked>, Error> {
        let permit = permits::own(ctx, Action::ReadAccount)?;
        let requests = content_requests::about(self.store(), &permit).await?;
        self.with_reads(&permit, requests, |_| String::new()).await
    }

    /// The circumstances in which somebody may read under a request that is theirs, agreed to and not over,
    /// after writing down that `conversation`, or the list of all, is about to be opened.
    ///
    /// # Errors
    /// [`Error::Unfit`] when the time is over, [`Error::NotFound`] when the request is not theirs.
    pub async fn open_content(
        &self,
        ctx: &Ctx,
        id: ContentRequestId,
        conversation: Option<ConversationId>,
    ) -> Result<Ctx, Error> {
        let permit = authorize(ctx, Action::RequestContent, Resource::Instance)?;
        let request = content_requests::get(self.store(), &permit, id).await?;
        let user = ctx.actor.user().filter(|user| *user == request.requester).ok_or(Error::NotFound)?;
        let ends = request.ends.filter(|ends| request.state == State::Agreed && ctx.now() < *ends);
        let until = ends.ok_or(Error::Unfit(Unfit::Over))?;
        let glass = ctx.acting_as(Actor::BreakGlass { user, subject: request.subject, request: id, until });
        let permit = authorize(&glass, Action::ReadChat, Resource::Of(request.subject))?;
        let mut tx = self.store().begin(&glass).await?;
        content_requests::note_read(&mut tx, &permit, id, conversation).await?;
        let target = conversation.map_or_else(|| request.subject.to_string(), |id| id.to_string());
        tx.commit(Entry::new(Act::ContentRead, target)).await?;
        Ok(glass)
    }

    async fn decide_content(
        &self,
        ctx: &Ctx,
        permit: &Permit,
        request: &ContentRequest,
        ends: Option<Timestamp>,
        act: Act,
    ) -> Result<(), Error> {
        let decider = self.own_name(ctx).await?;
        let mut tx = self.store().begin(ctx).await?;
        if ends.is_some() && !self.are_two(ctx, permit, request).await? {
            enforced!(ACC05);
            return Err(Error::Unfit(Unfit::NotSecond));
        }
        if !content_requests::decide(&mut tx, permit, request, &decider, ends).await? {
            return Err(Error::Unfit(Unfit::Decided));
        }
        if ends.is_some() {
            // In the same transaction: nobody can agree and leave the notice out.
            self.tell(&mut tx, ctx, request.subject, Mail::ContentRead).await?;
        }
        Ok(tx.commit(Entry::new(act, request.id)).await?)
    }

    /// Whether whoever asked and whoever agrees are two people. Called with the writers' turn.
    async fn are_two(&self, ctx: &Ctx, permit: &Permit, request: &ContentRequest) -> Result<bool, Error> {
        let agrees = self.footing(ctx, permit.actor().user().ok_or(Denied::FLAT)?).await?;
        let asked = match self.footing(ctx, request.requester).await {
            Err(Error::NotFound) => return Ok(false),
            other => other?,
        };
        Ok(self.counts_for(ctx, &agrees, Action::ApproveContent)
            && self.counts_for(ctx, &asked, Action::RequestContent)
            && are_independent(&agrees, &asked))
    }

    async fn own_name(&self, ctx: &Ctx) -> Result<String, Error> {
        Ok(accounts::get(self.store(), &permits::own(ctx, Action::ReadAccount)?).await?.name)
    }

    async fn asked_under(&self, permit: &Permit) -> Result<Vec<Asked>, Error> {
        let requests = content_requests::list(self.store(), permit, LISTED).await?;
        let names = roles::names(self.store(), permit).await?;
        let name = |user: UserId| names.get(&user).cloned().unwrap_or_default();
        self.with_reads(permit, requests, name).await
    }

    async fn with_reads(
        &self,
        permit: &Permit,
        requests: Vec<ContentRequest>,
        name: impl Fn(UserId) -> String,
    ) -> Result<Vec<Asked>, Error> {
        let mut asked = Vec::with_capacity(requests.len());
        for request in requests {
            let reads = content_requests::reads(self.store(), permit, request.id).await?;
            asked.push(Asked { subject: name(request.subject), request, reads });
        }
        Ok(asked)
    }
}

/// A permit to look at requests: as evidence, or because one asks or agrees.
fn looking(ctx: &Ctx) -> Result<Permit, Error> {
    let may = |action| authorize(ctx, action, Resource::Instance);
    let found = may(Action::ReadEvidence).or_else(|first| {
        may(Action::ApproveContent).or_else(|_| may(Action::RequestContent)).map_err(|_| first)
    });
    Ok(found?)
}
