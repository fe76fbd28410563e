//! The records: made past the pages, as whoever could have made them.

use domain::{
    Action, Actor, Ctx, Job, Permit, Resource,
    access::{Role, Roles, Standing},
    audit::{Act, Entry},
    authorize,
    bounds::Bounds,
    chat::{Author, Body, Message},
    id::{
        AddressRuleId, ContentRequestId, ConversationId, CustomRoleId, GroupId, InvitationId, MessageId,
        ReviewId, SessionId, UserId,
    },
};
use reqwest::StatusCode;
use store::{
    Tx, addresses, content_requests, conversations, directory, groups, invitations, messages, reviews, roles,
};

use super::{Scene, Whose};
use crate::matrix::PASSWORD;

/// What an identifier is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// An account.
    Person,
    /// An account a directory made, or one it did not.
    DirectorysPerson,
    /// A group a directory made, or one it did not.
    DirectorysGroup,
    /// A group one is in, or one is not.
    Group,
    /// A role of the organisation's own that one holds, or does not.
    CustomRole,
    /// An invitation, by who invited.
    Invitation,
    /// A request for a way back, by who lost their factors.
    Recovery,
    /// A request to read chats that waits, by who asked.
    Asked,
    /// A request to read chats that was agreed to.
    Agreed,
    /// An open review, by who holds the grant in it.
    Review,
    /// A closed review.
    Report,
    /// Something said about addresses.
    Rule,
    /// A token of provisioning.
    Token,
}

impl Of {
    /// Whose such records may be.
    pub(super) const fn whose(self) -> &'static [Whose] {
        match self {
            Self::Person | Self::Recovery | Self::Review => &[Whose::Own, Whose::Another, Whose::Owners],
            Self::Report | Self::Rule | Self::Token => &[Whose::Any],
            _ => &[Whose::Own, Whose::Another],
        }
    }
}

/// A record, and what belongs to it.
#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    id: String,
    account: String,
    chat: String,
    group: String,
    word: String,
}

impl Record {
    /// `path` about this record.
    pub(super) fn path(&self, path: &str) -> String {
        path.replace("{id}", &self.id).replace("{chat}", &self.chat)
    }

    /// `body` about this record.
    pub(super) fn filled(&self, body: &str, name: &str) -> String {
        let known = [
            // Identifiers and names are lower-case, so that nothing put in is put in again.
            ("ID", self.id.as_str()),
            ("NAME", name),
            ("GROUP", &self.group),
            ("ACCOUNT", &self.account),
            ("WORD", &self.word),
        ];
        known.iter().fold(body.to_owned(), |body, (word, value)| body.replace(word, value))
    }
}

/// Makes a record. `asker` is who it is the own of.
pub(super) async fn make(scene: &Scene<'_>, of: Of, whose: Whose, asker: Option<UserId>) -> Record {
    let user = match (whose, asker) {
        (Whose::Own, Some(user)) => user,
        _ => {
            let roles = Roles::NONE.with(Role::User);
            let roles = match (whose, of) {
                (Whose::Owners, _) => roles.with(Role::Owner),
                // Who asks to read chats may ask for it, else nobody could agree.
                (_, Of::Asked | Of::Agreed) => roles.with(Role::SecurityOfficer),
                _ => roles,
            };
            scene.maker.account(&scene.name(), roles).await
        }
    };
    let is_own = whose == Whose::Own;
    let by = As { scene, ctx: acting(scene, user) };
    match of {
        Of::Person => by.person(user).await,
        Of::DirectorysPerson => by.directorys_person(user, is_own).await,
        Of::DirectorysGroup => by.group(None, is_own).await,
        Of::Group => by.group(Some(user).filter(|_| is_own), false).await,
        Of::CustomRole => by.custom_role(Some(user).filter(|_| is_own)).await,
        Of::Invitation => by.invitation(user).await,
        Of::Recovery => by.recovery(user).await,
        Of::Asked => by.content(false).await,
        Of::Agreed => by.content(true).await,
        Of::Review => by.review(user, false).await,
        Of::Report => by.review(user, true).await,
        Of::Rule => by.rule().await,
        Of::Token => by.token().await,
    }
}

/// Closes the review that is open, so that the next can begin.
pub(super) async fn put_away(scene: &Scene<'_>) {
    let by = As { scene, ctx: acting(scene, scene.maker.owner) };
    let permit = by.may(Action::ReviewAccess);
    let newest = reviews::list(by.store(), &permit, 1).await.unwrap();
    if let Some(open) = newest.iter().find(|review| review.closed.is_none()) {
        let mut tx = by.tx().await;
        reviews::close(&mut tx, &permit, open.id, "{}").await.unwrap();
        tx.commit(Entry::new(Act::ReviewClosed, open.id)).await.unwrap();
    }
}

/// `user` with every right there is, whatever they hold.
fn acting(scene: &Scene<'_>, user: UserId) -> Ctx {
    let ctx = scene.maker.ctx(Job::Setup);
    let standing = Standing::of(Role::ALL.into_iter().collect()).proven(ctx.now().plus_seconds(3600));
    ctx.acting_as(Actor::Person { user, session: SessionId::fresh(&ctx), standing })
}

/// Somebody who makes a record.
struct As<'a> {
    scene: &'a Scene<'a>,
    ctx: Ctx,
}

impl As<'_> {
    fn may(&self, action: Action) -> Permit {
        authorize(&self.ctx, action, Resource::Instance).unwrap()
    }

    fn store(&self) -> &store::Store {
        self.scene.maker.instance.store()
    }

    async fn tx(&self) -> Tx {
        self.store().begin(&self.ctx).await.unwrap()
    }

    /// An account that a sign-in service knows, and a group to put it into.
    async fn person(&self, user: UserId) -> Record {
        let job = self.scene.maker.permit(Job::Provisioning, Action::WriteAccount, user);
        let mut tx = self.tx().await;
        let subject = user.to_string();
        directory::put_link(&mut tx, &job, "https://sign-in.invalid", &subject, "work", Roles::NONE)
            .await
            .unwrap();
        tx.commit(Entry::new(Act::DirectoryChanged, user)).await.unwrap();
        let group = self.group(None, false).await.id;
        Record { id: user.to_string(), group, ..Record::default() }
    }

    async fn directorys_person(&self, user: UserId, is_its: bool) -> Record {
        if !is_its {
            return Record { id: user.to_string(), ..Record::default() };
        }
        let made = self.scene.maker.account(&self.scene.name(), Roles::NONE.with(Role::User)).await;
        let job = self.scene.maker.permit(Job::Provisioning, Action::WriteAccount, made);
        let mut tx = self.tx().await;
        directory::people::put(&mut tx, &job, &directory::people::Record::default()).await.unwrap();
        tx.commit(Entry::new(Act::DirectoryChanged, made)).await.unwrap();
        Record { id: made.to_string(), ..Record::default() }
    }

    async fn group(&self, member: Option<UserId>, is_directorys: bool) -> Record {
        let (permit, id) = (self.may(Action::ManageGroups), GroupId::fresh(&self.ctx));
        let mut tx = self.tx().await;
        groups::create(&mut tx, &permit, id, &self.scene.name(), &Bounds::default()).await.unwrap();
        if let Some(member) = member {
            groups::put_in(&mut tx, &permit, id, member).await.unwrap();
        }
        if is_directorys {
            directory::groups::put(&mut tx, &permit, id, None).await.unwrap();
        }
        tx.commit(Entry::new(Act::GroupChanged, id)).await.unwrap();
        Record { id: id.to_string(), ..Record::default() }
    }

    async fn custom_role(&self, holder: Option<UserId>) -> Record {
        let (permit, id) = (self.may(Action::GrantRoles), CustomRoleId::fresh(&self.ctx));
        let rights = [Action::ReadPeople].into_iter().collect();
        let mut tx = self.tx().await;
        roles::save_custom(&mut tx, &permit, id, (&self.scene.name(), ""), rights).await.unwrap();
        if let Some(holder) = holder {
            roles::give(&mut tx, &permit, holder, roles::Granted::Custom(id), None).await.unwrap();
        }
        tx.commit(Entry::new(Act::CustomRoleChanged, id)).await.unwrap();
        Record { id: id.to_string(), ..Record::default() }
    }

    async fn invitation(&self, inviter: UserId) -> Record {
        let (permit, id, now) =
            (self.may(Action::ManagePeople), InvitationId::fresh(&self.ctx), self.ctx.now());
        let expires = now.plus_seconds(3600);
        let roles = Roles::NONE.with(Role::User);
        let invitation = invitations::Invitation {
            id,
            address: None,
            roles,
            inviter: Some(inviter),
            created: now,
            expires,
        };
        let mut tx = self.tx().await;
        invitations::create(&mut tx, &permit, &invitation, self.ctx.random()).await.unwrap();
        tx.commit(Entry::new(Act::InvitationSent, id)).await.unwrap();
        Record { id: id.to_string(), ..Record::default() }
    }

    /// Asked for through the pages, because the word is shown there and nowhere else.
    async fn recovery(&self, user: UserId) -> Record {
        let mut browser = self.scene.owner.beside();
        let reads = self.scene.maker.permit(Job::Authentication, Action::ReadAccount, user);
        let name = store::accounts::get(self.store(), &reads).await.unwrap().name;
        let who = [("name", name.as_str()), ("password", PASSWORD), ("next", "")];
        let second = browser.submit("/sign-in", &who).await.expect_status(StatusCode::OK);
        let ticket = second.between("name=\"ticket\" value=\"", "\"");
        let asked = browser.submit("/sign-in/lost", &[("ticket", ticket)]).await;
        let word = asked.expect_status(StatusCode::OK).between("id=\"word\">", "<");
        let one = store::recoveries::of(self.store(), &reads).await.unwrap().unwrap();
        Record { id: one.id.to_string(), word, ..Record::default() }
    }

    /// A request to read the chats of somebody with one chat.
    async fn content(&self, is_agreed: bool) -> Record {
        let subject = self.scene.maker.account(&self.scene.name(), Roles::NONE.with(Role::User)).await;
        let writes = self.scene.maker.permit(Job::Turn, Action::WriteChat, subject);
        let (id, chat) = (ContentRequestId::fresh(&self.ctx), ConversationId::fresh(&self.ctx));
        let body = Body { text: "a word".to_owned(), ..Body::default() };
        let (at, author) = (self.ctx.now(), Author::User);
        let message = Message { id: MessageId::fresh(&self.ctx), parent: None, author, body, at };
        let words = content_requests::Words {
            reason: "A reason that is long enough".to_owned(),
            requester: "who asked".to_owned(),
            decider: String::new(),
        };
        let asks = self.may(Action::RequestContent);
        let mut tx = self.tx().await;
        conversations::create(&mut tx, &writes, chat, at).await.unwrap();
        messages::append(&mut tx, &writes, chat, &message).await.unwrap();
        content_requests::create(&mut tx, &asks, id, subject, &words).await.unwrap();
        tx.commit(Entry::new(Act::ContentRequested, id)).await.unwrap();
        if is_agreed {
            let other = As { scene: self.scene, ctx: acting(self.scene, self.scene.maker.owner) };
            let agrees = other.may(Action::ApproveContent);
            let request = content_requests::get(self.store(), &agrees, id).await.unwrap();
            let ends = Some(at.plus_seconds(3600));
            let mut tx = other.tx().await;
            content_requests::decide(&mut tx, &agrees, &request, "who agreed", ends).await.unwrap();
            tx.commit(Entry::new(Act::ContentApproved, id)).await.unwrap();
        }
        Record { id: id.to_string(), chat: chat.to_string(), ..Record::default() }
    }

    /// A review of one grant: that `holder` leads a desk.
    async fn review(&self, holder: UserId, is_closed: bool) -> Record {
        let (permit, gives, id) =
            (self.may(Action::ReviewAccess), self.may(Action::GrantRoles), ReviewId::fresh(&self.ctx));
        let what = roles::Granted::BuiltIn(Role::Supervisor);
        let item = reviews::Item {
            account: holder,
            subject: reviews::Subject::Role(what),
            granted: self.ctx.now(),
            last_used: None,
            unused: false,
            decision: None,
        };
        let mut tx = self.tx().await;
        roles::give(&mut tx, &gives, holder, what, None).await.unwrap();
        let due = self.ctx.now().plus_seconds(3600);
        assert!(reviews::begin(&mut tx, &permit, id, due, &[item]).await.unwrap(), "a review is open");
        if is_closed {
            reviews::close(&mut tx, &permit, id, "{}").await.unwrap();
        }
        tx.commit(Entry::new(Act::ReviewBegun, id)).await.unwrap();
        Record { id: id.to_string(), account: holder.to_string(), ..Record::default() }
    }

    async fn rule(&self) -> Record {
        let id = AddressRuleId::fresh(&self.ctx);
        let row = addresses::AddressRow {
            id,
            verdict: "deny".to_owned(),
            network: "203.0.113.0/24".to_owned(),
            note: String::new(),
            created: self.ctx.now(),
            ends: None,
        };
        let mut tx = self.tx().await;
        addresses::add(&mut tx, &self.may(Action::ManageEdge), &row).await.unwrap();
        tx.commit(Entry::new(Act::AddressesChanged, id)).await.unwrap();
        Record { id: id.to_string(), ..Record::default() }
    }

    async fn token(&self) -> Record {
        let (id, now) = (hex::encode(self.ctx.random::<8>()), self.ctx.now());
        let expires = now.plus_seconds(3600);
        let token = directory::tokens::Token {
            id: id.clone(),
            prefix: "troth_scim_".to_owned(),
            created: now,
            expires,
            last_used: None,
        };
        let mut tx = self.tx().await;
        directory::tokens::create(&mut tx, &self.may(Action::ManageDirectory), &token, self.ctx.random())
            .await
            .unwrap();
        tx.commit(Entry::new(Act::DirectoryChanged, &id)).await.unwrap();
        Record { id, ..Record::default() }
    }
}
