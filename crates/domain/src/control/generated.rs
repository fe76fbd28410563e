//! Made by `cargo xtask trace --write` from policy/controls. Do not edit.

use super::{Facts, Kind, Number, Proof, Stronger};

/// A control of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(usize)]
pub enum Control {
    /// Every service function asks for permission before it acts, and what no rule allows is denied.
    ACC01,
    /// No role, the owner's included, opens the conversations of another account.
    ACC02,
    /// A route that is not on the list of public ones answers somebody who is not known with a refusal and nothing else.
    ACC03,
    /// Nobody changes their own roles, nobody but an owner gives or takes a right they do not hold, the last owner stays, and every grant says who gave it, when and until when.
    ACC04,
    /// Staff read a person's chats only after a written reason and the agreement of somebody else, neither of them made by the other and both at least `second_person_days` days in their role, for `break_glass_minutes` minutes; the person sees who asked, why, who agreed and what was opened.
    ACC05,
    /// Policies of an organisation's own are checked in every word before they are used, forbid and never allow, and one that cannot be evaluated means no.
    ACC06,
    /// The account a server uses in PostgreSQL cannot make or drop tables, and cannot change or delete what stands in the audit log.
    ACC07,
    /// An invitation works once and for `invitation_days` days, a mailed link once and for `link_minutes` minutes; both are kept as a hash, and nobody learns from us whether an address is known.
    ACT01,
    /// Closing an account ends its sessions and keys at once, deleting it removes every row and destroys its key, a reset ends every session, and nobody does this to an account with more rights than their own.
    ACT02,
    /// The chat says at its start and under every answer that an AI answers, and which model.
    AID01,
    /// A write transaction commits together with its audit entry, or not at all.
    AUD01,
    /// Each entry carries the hash of the one before, and the last stands under a keyed hash; recomputing the chain locates the first entry that was altered or removed.
    AUD02,
    /// A password has at least `password_min_chars` characters, or `password_min_chars_with_factor` beside a second factor, of `password_classes` classes (upper case, lower case, digits, other characters), and is replaced after `password_max_days` days.
    AUT01,
    /// Of a password only an Argon2id verifier is kept, mixed with a pepper from the keyring and sealed like any other row.
    AUT02,
    /// Signing in needs a time-based one-time code besides the password, and a code that was accepted is not accepted again.
    AUT03,
    /// Each recovery code opens the account one time; only keyed hashes of the codes are kept.
    AUT04,
    /// An unknown name, a wrong password and a locked account get the same answer after the same work.
    AUT05,
    /// After `failures_before_throttle` failed sign-ins each further try on the account has to wait, longer each time.
    AUT06,
    /// The last `password_history` passwords of an account are refused as its new one.
    AUT07,
    /// Administration takes a session in which a second factor was shown; changing what opens an account, and every dangerous step of administration, takes a credential shown again within `step_up_minutes` minutes, and an access token from before that gains nothing by it.
    AUT08,
    /// A passkey opens an account only in answer to a fresh question of this server, from one of its own addresses, with its person verified by the authenticator, and with a counter that did not go back; one whose counter did is put out of use.
    AUT09,
    /// An account with an administrative role that has no second factor is led to add one before it is let in, and its last one cannot be taken away.
    AUT10,
    /// Lost factors are replaced only by somebody who knows the password and the code of their own request, after two other people, neither made by the other nor for the purpose, have each agreed to it and `recovery_delay_hours` more hours have passed, in which every session of the account shows it and can call it off.
    AUT11,
    /// From `password_notice_days` days before a password must be changed, its person is told so on every page.
    AUT12,
    /// A key the configuration does not know stops the start with a sentence that names it.
    CFG01,
    /// Secrets are read from the environment, a .env file or the sealed store, and the printed configuration shows that they are set, not what they are.
    CFG02,
    /// A person's call is held only while they agree to that in the wording in force, it is kept only where they agree to that too, and sound or spoken words go to nobody else but a third party they agreed to by name.
    CON01,
    /// Whatever somebody agrees to or takes back stands in a ledger with the wording, the language and the time; no row of it can be changed, and it goes with its person's account alone.
    CON02,
    /// When a person takes back what a call rests on, the call ends at once, and within `consent_seconds` seconds where it is held by another replica.
    CON03,
    /// Each published wording of the letter has a version and is never changed; agreeing takes the version in force, and after a new wording everybody is asked again.
    CON04,
    /// Messages, titles and other personal fields are sealed with AES-256-GCM under a key of their person and bound to their table, column and row.
    CRY01,
    /// The embedded database, its journal included, is encrypted as a file, so that metadata cannot be read either.
    CRY02,
    /// Data keys exist at rest only wrapped under the root key, and the root key only sealed by a passphrase or by a key file outside the data folder.
    CRY03,
    /// The listener speaks TLS 1.3 and refuses every older version.
    CRY04,
    /// The server certificate of the local authority is valid for `certificate_days` days at most and is renewed before it expires.
    CRY05,
    /// The search index holds keyed hashes of words under a key of their person, never the words.
    CRY06,
    /// What is known about a customer is sealed under that customer's own key, and found by keyed hashes of number, telephone and address alone.
    CUS01,
    /// Each field is public, internal, confidential or restricted: the class decides who may open it, whether a model elsewhere may be told it, and how long it is kept, `customer_days` days after a customer was last heard of and `restricted_days` where it is restricted.
    CUS02,
    /// A customer's record is opened only after the audit log has an entry about it, without content.
    CUS03,
    /// A call opens the record of one customer, after that customer proved who they are; which one comes from the call and never from the model.
    CUS04,
    /// A caller has `caller_tries` tries in a call, a customer `customer_tries` over all calls in `customer_tries_hours` hours, and all callers together `desk_tries_an_hour` an hour; a code is good for `caller_code_minutes` minutes; unknown customers get the same answers as known ones.
    CUS05,
    /// Each tool of the agent hands the model the fields its task lists and no others, and none that is restricted.
    CUS06,
    /// An appointment is made ahead of time, within opening hours, and only where nobody else has one; the database itself keeps each quarter of an hour unique; the agent makes no more than `appointments_ahead` ahead for one customer.
    CUS07,
    /// Erasing a customer removes every row about them, letters that wait included, and the key that opened them.
    CUS08,
    /// A file of customers is taken as a whole or not at all, after every row was looked at; the report names line, field and fault and never a value; made-up customers are marked as such.
    CUS09,
    /// The data folder and the key files are readable by the account that runs the server and by nobody else.
    DAT01,
    /// Deleting a message, a conversation or everything removes the rows and their entries in the search index.
    DAT02,
    /// A temporary conversation lives in memory alone and is wiped when it ends or has been idle.
    DAT03,
    /// A call has the tools that serve customers, and is open to the desk's staff, only when it was opened as a call of the desk by somebody or something with that very right; any other call nobody can list, follow or take over.
    DSK01,
    /// What is said in a call of the desk is shown as it is said to those with that right alone, after the audit log has an entry; callers hear at the beginning that staff may follow, and their end of the call is told when somebody does; nothing of it is kept.
    DSK02,
    /// A call that is taken over is held by one person who follows it; the caller hears that a person speaks, and hears it when the agent goes on, `desk_absent_seconds` seconds after that person is gone at the latest.
    DSK03,
    /// Of a call of the desk its times, how it ended and what kind it was are kept, for `desk_call_days` days; no word of it, and nobody's name.
    DSK04,
    /// What the groups of an account say, which models and whether only temporary chats, holds from the next request on, in the chat and for programs; of several groups the strictest counts.
    GRP01,
    /// Messages, tokens and voice of people with a quota are counted by day without content, and a question beyond the quota is refused until there is more.
    GRP02,
    /// A personal API key begins with troth_, is shown once when it is made, and is kept as a hash.
    KEY01,
    /// An API key may do what its scopes say and never more than its person, ends after `api_key_max_days` days at the latest, is replaced with an overlap of at most `api_key_overlap_days` days, and is proposed for removal after `api_key_unused_days` days without use.
    KEY02,
    /// No message, name, token, key or address of a person stands in a log line.
    LOG01,
    /// E-mail is handed over under TLS to the one configured server, whose certificate is verified; what cannot be sent is tried again for `mail_hours` hours, and what was sent is forgotten down to its kind.
    MAI01,
    /// A model file is loaded only after its hash matched the catalogue or the operator added it by hash.
    MOD01,
    /// Calls to other machines use verified TLS, have time-outs and size limits, and stop for a while when the other side keeps failing.
    MOD02,
    /// An answer ends at its limit or when its person stops it; running answers are limited for each person and in all.
    MOD03,
    /// Every `review_every_days` days a review begins by itself in which each grant beyond an ordinary user's is confirmed or revoked by somebody else, and its report is kept under a hash in the audit log.
    REV01,
    /// A grant that nobody confirmed within `review_days_open` days of a review ends; an instance keeps its last owner, and nobody leaves a group that limits them.
    REV02,
    /// Secret values have a type that shows nothing when printed, cannot be serialised, and is wiped when dropped.
    SEC01,
    /// A session without a request for `idle_minutes` minutes ends on the server.
    SES01,
    /// A session ends after `absolute_hours` hours, however busy it is.
    SES02,
    /// The store keeps nothing that opens a session, and the cookies that carry its tokens are Secure, HttpOnly, SameSite and bound to this host.
    SES03,
    /// A browser is recognised by an access token signed with Ed25519 that is good for `access_token_minutes` minutes, and by its session's row, read at every request: what ended anywhere is refused everywhere at once.
    SES04,
    /// A refresh token brings one successor, the same one for `refresh_grace_seconds` seconds and once more while nobody has shown it; one shown after that, or from another network, ends the session and its person is told.
    SES05,
    /// `idle_warning_seconds` seconds before a session ends for want of activity its page says so, keeps an unfinished message sealed on the server, and restores it after signing in.
    SES06,
    /// Each session is listed with its browser, the place it began and was last seen, and what was shown in it; each can be ended; a sign-in from somewhere new is told, and the session it began does not put that away.
    SES07,
    /// The key that signs access tokens is replaced after `signing_key_days` days, sealed in the store, and removed once no token it signed can still be good.
    SES08,
    /// Every request to Deepgram says that what it carries may not be kept to train models.
    SPE01,
    /// Sound and spoken texts go to no vendor but one whose models of speech the configuration names, and the usual ones are on this machine.
    SPE02,
    /// A recording has at most `recording_seconds` seconds, a stream lasts at most `speech_stream_minutes` minutes, texts and lines of those who wait are bounded, and whoever is one too many is told so.
    SPE03,
    /// An answer of a sign-in service opens a session only when its signature, issuer, audience, nonce and time are right, and only within `sso_minutes` minutes in the browser that asked.
    SSO01,
    /// Provisioning is done for nobody without its own token, which ends after `scim_token_days` days, and closing an account ends its sessions and keys at once.
    SSO02,
    /// A database on another machine is used only over TLS with a verified certificate and with a password.
    STO01,
    /// A second server on the same data folder is refused before it touches anything.
    STO02,
    /// What was acknowledged survives a crash of the process at any moment.
    STO03,
    /// Every dependency has an allowed licence, comes from the package registry, is not banned and has no unreviewed advisory.
    SUP01,
    /// No key, token or password stands in the source tree, and the local .env file is never part of it.
    SUP02,
    /// At most `calls` calls are held at once and `calls_per_person` of one person; a call ends after `call_minutes` minutes or when sound comes faster than anybody speaks, and who finds no room is told so before a microphone opens.
    VOI01,
    /// When the session a call was opened in ends, or its account is closed, the call ends as soon as any open stream of that session does.
    VOI02,
    /// Seconds of voice are taken from a person's quota while they talk, and a call ends when none are left.
    VOI03,
    /// The caller's sound is held only while its words are being recognised, and is overwritten when it is let go.
    VOI04,
    /// When recognition, the model, the voice or the client of a call stalls, the caller hears so and the log says which, without content.
    VOI05,
    /// The first words of every call say that an AI speaks; they cannot be left out or interrupted.
    VOI06,
    /// An answer begun before the caller had finished is taken back when they go on: it is neither heard nor kept, and of an interrupted one only what was heard is.
    VOI07,
    /// A tool runs once for each call of it, also when the reply is interrupted, and one that cannot be undone only when the caller has finished for certain.
    VOI08,
    /// A browser gets no key: a ticket, kept as a hash, opens one voice call within at most `call_ticket_seconds` seconds, for the key it was made with and from the origin it was made for; shown again, elsewhere or later it is refused before the connection opens, and it is never taken from an address.
    VOI10,
    /// Every message of a voice connection is held against the form of its wire before anything is done; what does not fit, comes out of its order or too late ends in that wire's own error, and repeats nothing of what was sent.
    VOI11,
    /// The plain listener, when there is one, sends pages to HTTPS and refuses API calls; it serves nothing.
    WEB01,
    /// Every answer carries a content security policy without inline code, trusted types and the other security headers, and HSTS by every name that is not the machine's own.
    WEB02,
    /// A request for a host that is not on the list is refused, whatever it asks for.
    WEB03,
    /// A request that changes something is refused unless the browser says it comes from our own pages or it carries an API key.
    WEB04,
    /// Connections, handshakes, headers, idle time and bodies are bounded, and files are taken at a pace; what is over the limit is dropped and the server lives.
    WEB05,
    /// Markdown of people and models becomes HTML through an allow-list; scripts, styles and foreign content do not come through.
    WEB06,
    /// An error answer says what to do and a reference; causes stand only in the log.
    WEB07,
    /// Pages keep no conversation in browser storage and every personal answer says no-store.
    WEB08,
    /// No answer allows another origin to read it, but the API's to origins that are listed, of which there is none by default; never with cookies.
    WEB09,
    /// A minute takes `pages_a_minute` pages, `asks_a_minute` questions, `api_calls_a_minute` calls of the API and `transfers_a_minute` exports or imports of one account or key, `address_times` times as many of one address, and `sign_ins_a_minute` tries to sign in of one address; more are refused until time has passed, by all replicas together where they share their counts.
    WEB10,
    /// Requests from addresses on the deny list are refused on every replica within seconds; each entry has an end or says that it stays until removed, and each change stands in the audit log.
    WEB11,
    /// A request counts as coming from the other end of its connection; what a header says instead is believed only from proxies that are configured, and only what they wrote.
    WEB12,
    /// One address holds at most a share of the connections and one person a share of the open streams, and a stream whose session has ended is closed within `stream_recheck_seconds` seconds.
    WEB13,
    /// A request of the API that has not the described form is refused with the place where it departs from it, before a model or the store is asked.
    WEB14,
    /// A WebSocket opens for our own pages, for listed origins on the API, and for programs that bring a key; a message has at most `socket_message_kib` KiB and a minute at most `socket_frames_a_minute` frames, and one that is silent for `socket_silent_seconds` seconds or whose session or key has ended is closed.
    WEB15,
    /// Every field of every form, address and JSON body of the pages is written in one table with its kind and its bound; what is unknown, missing, doubled, broken or beyond them is refused before anything is done, with a reference and nothing of what was sent.
    WEB16,
}

impl Control {
    /// Every control, in order of its token.
    pub const ALL: [Self; 108] = [
        Self::ACC01,
        Self::ACC02,
        Self::ACC03,
        Self::ACC04,
        Self::ACC05,
        Self::ACC06,
        Self::ACC07,
        Self::ACT01,
        Self::ACT02,
        Self::AID01,
        Self::AUD01,
        Self::AUD02,
        Self::AUT01,
        Self::AUT02,
        Self::AUT03,
        Self::AUT04,
        Self::AUT05,
        Self::AUT06,
        Self::AUT07,
        Self::AUT08,
        Self::AUT09,
        Self::AUT10,
        Self::AUT11,
        Self::AUT12,
        Self::CFG01,
        Self::CFG02,
        Self::CON01,
        Self::CON02,
        Self::CON03,
        Self::CON04,
        Self::CRY01,
        Self::CRY02,
        Self::CRY03,
        Self::CRY04,
        Self::CRY05,
        Self::CRY06,
        Self::CUS01,
        Self::CUS02,
        Self::CUS03,
        Self::CUS04,
        Self::CUS05,
        Self::CUS06,
        Self::CUS07,
        Self::CUS08,
        Self::CUS09,
        Self::DAT01,
        Self::DAT02,
        Self::DAT03,
        Self::DSK01,
        Self::DSK02,
        Self::DSK03,
        Self::DSK04,
        Self::GRP01,
        Self::GRP02,
        Self::KEY01,
        Self::KEY02,
        Self::LOG01,
        Self::MAI01,
        Self::MOD01,
        Self::MOD02,
        Self::MOD03,
        Self::REV01,
        Self::REV02,
        Self::SEC01,
        Self::SES01,
        Self::SES02,
        Self::SES03,
        Self::SES04,
        Self::SES05,
        Self::SES06,
        Self::SES07,
        Self::SES08,
        Self::SPE01,
        Self::SPE02,
        Self::SPE03,
        Self::SSO01,
        Self::SSO02,
        Self::STO01,
        Self::STO02,
        Self::STO03,
        Self::SUP01,
        Self::SUP02,
        Self::VOI01,
        Self::VOI02,
        Self::VOI03,
        Self::VOI04,
        Self::VOI05,
        Self::VOI06,
        Self::VOI07,
        Self::VOI08,
        Self::VOI10,
        Self::VOI11,
        Self::WEB01,
        Self::WEB02,
        Self::WEB03,
        Self::WEB04,
        Self::WEB05,
        Self::WEB06,
        Self::WEB07,
        Self::WEB08,
        Self::WEB09,
        Self::WEB10,
        Self::WEB11,
        Self::WEB12,
        Self::WEB13,
        Self::WEB14,
        Self::WEB15,
        Self::WEB16,
    ];

    pub(super) const fn facts(self) -> &'static Facts {
        &FACTS[self as usize]
    }
}

static FACTS: [Facts; 108] = [
    Facts {
        token: "ACC01",
        title: "Nothing without a permit",
        sentence: "Every service function asks for permission before it acts, and what no rule allows is denied.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "ACC02",
        title: "The owner cannot read other people's chats",
        sentence: "No role, the owner's included, opens the conversations of another account.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "ACC03",
        title: "Strangers get what is listed",
        sentence: "A route that is not on the list of public ones answers somebody who is not known with a refusal and nothing else.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "ACC04",
        title: "Roles are given with care",
        sentence: "Nobody changes their own roles, nobody but an owner gives or takes a right they do not hold, the last owner stays, and every grant says who gave it, when and until when.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "ACC05",
        title: "Reading somebody's chats takes two",
        sentence: "Staff read a person's chats only after a written reason and the agreement of somebody else, neither of them made by the other and both at least {second_person_days} days in their role, for {break_glass_minutes} minutes; the person sees who asked, why, who agreed and what was opened.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "ACC06",
        title: "Own policies only narrow",
        sentence: "Policies of an organisation's own are checked in every word before they are used, forbid and never allow, and one that cannot be evaluated means no.",
        kind: Kind::Enforced,
        proof: Proof::Test(
            "Asking would take a broken policy; tests load such policies and are refused by them.",
        ),
    },
    Facts {
        token: "ACC07",
        title: "The database gives the least",
        sentence: "The account a server uses in PostgreSQL cannot make or drop tables, and cannot change or delete what stands in the audit log.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "ACT01",
        title: "Links work once",
        sentence: "An invitation works once and for {invitation_days} days, a mailed link once and for {link_minutes} minutes; both are kept as a hash, and nobody learns from us whether an address is known.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "ACT02",
        title: "Closed accounts open nothing",
        sentence: "Closing an account ends its sessions and keys at once, deleting it removes every row and destroys its key, a reset ends every session, and nobody does this to an account with more rights than their own.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "AID01",
        title: "People know it is an AI",
        sentence: "The chat says at its start and under every answer that an AI answers, and which model.",
        kind: Kind::Enforced,
        proof: Proof::Test("The chat pages are shown to signed-in people only; tests sign in and read them."),
    },
    Facts {
        token: "AUD01",
        title: "Every write leaves an entry",
        sentence: "A write transaction commits together with its audit entry, or not at all.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "AUD02",
        title: "The audit chain verifies",
        sentence: "Each entry carries the hash of the one before, and the last stands under a keyed hash; recomputing the chain locates the first entry that was altered or removed.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "AUT01",
        title: "Password rules",
        sentence: "A password has at least {password_min_chars} characters, or {password_min_chars_with_factor} beside a second factor, of {password_classes} classes (upper case, lower case, digits, other characters), and is replaced after {password_max_days} days.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "AUT02",
        title: "Passwords kept as peppered Argon2id verifiers",
        sentence: "Of a password only an Argon2id verifier is kept, mixed with a pepper from the keyring and sealed like any other row.",
        kind: Kind::Enforced,
        proof: Proof::Test(
            "A verifier can only be looked at with the account's password at hand; tests make one and read the row.",
        ),
    },
    Facts {
        token: "AUT03",
        title: "One-time codes work once",
        sentence: "Signing in needs a time-based one-time code besides the password, and a code that was accepted is not accepted again.",
        kind: Kind::Enforced,
        proof: Proof::Test(
            "Asking needs a second factor of a real account; tests sign in with one and try its code again.",
        ),
    },
    Facts {
        token: "AUT04",
        title: "Recovery codes work once",
        sentence: "Each recovery code opens the account one time; only keyed hashes of the codes are kept.",
        kind: Kind::Enforced,
        proof: Proof::Test("Asking would use up a person's recovery code; tests use up one of their own."),
    },
    Facts {
        token: "AUT05",
        title: "Sign-in does not tell who exists",
        sentence: "An unknown name, a wrong password and a locked account get the same answer after the same work.",
        kind: Kind::Enforced,
        proof: Proof::Test(
            "Repeated failing sign-ins would fill the audit log and the throttle of the running system; tests compare the answers.",
        ),
    },
    Facts {
        token: "AUT06",
        title: "Guessing is slowed down",
        sentence: "After {failures_before_throttle} failed sign-ins each further try on the account has to wait, longer each time.",
        kind: Kind::Enforced,
        proof: Proof::Test("Asking would throttle a real account; tests guess at one of their own."),
    },
    Facts {
        token: "AUT07",
        title: "No earlier password again",
        sentence: "The last {password_history} passwords of an account are refused as its new one.",
        kind: Kind::Enforced,
        proof: Proof::Test("Asking needs the earlier passwords of a real account; tests change one back."),
    },
    Facts {
        token: "AUT08",
        title: "Dangerous steps are confirmed",
        sentence: "Administration takes a session in which a second factor was shown; changing what opens an account, and every dangerous step of administration, takes a credential shown again within {step_up_minutes} minutes, and an access token from before that gains nothing by it.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "AUT09",
        title: "Passkeys verified",
        sentence: "A passkey opens an account only in answer to a fresh question of this server, from one of its own addresses, with its person verified by the authenticator, and with a counter that did not go back; one whose counter did is put out of use.",
        kind: Kind::Enforced,
        proof: Proof::Test(
            "Asking needs an authenticator of a real account; tests bring one of their own and play back, bend and copy what it says.",
        ),
    },
    Facts {
        token: "AUT10",
        title: "Administration needs a second factor",
        sentence: "An account with an administrative role that has no second factor is led to add one before it is let in, and its last one cannot be taken away.",
        kind: Kind::Enforced,
        proof: Proof::Test(
            "Asking needs the password of a real account; tests sign in as an administrator without a factor.",
        ),
    },
    Facts {
        token: "AUT11",
        title: "Lost factors come back by two",
        sentence: "Lost factors are replaced only by somebody who knows the password and the code of their own request, after two other people, neither made by the other nor for the purpose, have each agreed to it and {recovery_delay_hours} more hours have passed, in which every session of the account shows it and can call it off.",
        kind: Kind::Enforced,
        proof: Proof::Test(
            "Asking would take two people and as long as the delay; tests bring the people and move the clock.",
        ),
    },
    Facts {
        token: "AUT12",
        title: "Notice before a password must change",
        sentence: "From {password_notice_days} days before a password must be changed, its person is told so on every page.",
        kind: Kind::Enforced,
        proof: Proof::Test(
            "Asking would take until the password of a real account is old; tests move the clock.",
        ),
    },
    Facts {
        token: "CFG01",
        title: "Unknown settings are refused",
        sentence: "A key the configuration does not know stops the start with a sentence that names it.",
        kind: Kind::Enforced,
        proof: Proof::Test("A running system has passed this already; tests start one with a misspelt key."),
    },
    Facts {
        token: "CFG02",
        title: "Secrets come from few places and are never printed",
        sentence: "Secrets are read from the environment, a .env file or the sealed store, and the printed configuration shows that they are set, not what they are.",
        kind: Kind::Enforced,
        proof: Proof::Test(
            "Printing happens on an operator's command; tests print a configuration full of marked secrets.",
        ),
    },
    Facts {
        token: "CON01",
        title: "No call without consent",
        sentence: "A person's call is held only while they agree to that in the wording in force, it is kept only where they agree to that too, and sound or spoken words go to nobody else but a third party they agreed to by name.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "CON02",
        title: "Consent is kept as it was given",
        sentence: "Whatever somebody agrees to or takes back stands in a ledger with the wording, the language and the time; no row of it can be changed, and it goes with its person's account alone.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "CON03",
        title: "Taking back acts at once",
        sentence: "When a person takes back what a call rests on, the call ends at once, and within {consent_seconds} seconds where it is held by another replica.",
        kind: Kind::Enforced,
        proof: Proof::Test("Asking would end somebody's call; tests end their own."),
    },
    Facts {
        token: "CON04",
        title: "A letter that was read stays as it was",
        sentence: "Each published wording of the letter has a version and is never changed; agreeing takes the version in force, and after a new wording everybody is asked again.",
        kind: Kind::Enforced,
        proof: Proof::Test(
            "What people are asked is compiled in; a test holds every wording against its hash.",
        ),
    },
    Facts {
        token: "CRY01",
        title: "What people write is sealed per person",
        sentence: "Messages, titles and other personal fields are sealed with AES-256-GCM under a key of their person and bound to their table, column and row.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "CRY02",
        title: "The whole file is encrypted",
        sentence: "The embedded database, its journal included, is encrypted as a file, so that metadata cannot be read either.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "CRY03",
        title: "Keys under one root",
        sentence: "Data keys exist at rest only wrapped under the root key, and the root key only sealed by a passphrase or by a key file outside the data folder.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "CRY04",
        title: "TLS 1.3 only",
        sentence: "The listener speaks TLS 1.3 and refuses every older version.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "CRY05",
        title: "Certificates are short-lived and renewed",
        sentence: "The server certificate of the local authority is valid for {certificate_days} days at most and is renewed before it expires.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "CRY06",
        title: "Search without readable words",
        sentence: "The search index holds keyed hashes of words under a key of their person, never the words.",
        kind: Kind::Enforced,
        proof: Proof::Test(
            "A live probe would have to index words in a real person's history; tests index marked words and read the raw rows.",
        ),
    },
    Facts {
        token: "CUS01",
        title: "Customers lie sealed, each under a key of its own",
        sentence: "What is known about a customer is sealed under that customer's own key, and found by keyed hashes of number, telephone and address alone.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "CUS02",
        title: "Every field of a customer has a class",
        sentence: "Each field is public, internal, confidential or restricted: the class decides who may open it, whether a model elsewhere may be told it, and how long it is kept, {customer_days} days after a customer was last heard of and {restricted_days} where it is restricted.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "CUS03",
        title: "Whoever opens a customer's record leaves an entry",
        sentence: "A customer's record is opened only after the audit log has an entry about it, without content.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "CUS04",
        title: "The agent serves the customer who proved who they are, and nobody else",
        sentence: "A call opens the record of one customer, after that customer proved who they are; which one comes from the call and never from the model.",
        kind: Kind::Enforced,
        proof: Proof::Test(
            "Asking would take a caller who proves to be a real customer; tests call as several, and reach for each other's records.",
        ),
    },
    Facts {
        token: "CUS05",
        title: "Proving who one is cannot be guessed",
        sentence: "A caller has {caller_tries} tries in a call, a customer {customer_tries} over all calls in {customer_tries_hours} hours, and all callers together {desk_tries_an_hour} an hour; a code is good for {caller_code_minutes} minutes; unknown customers get the same answers as known ones.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "CUS06",
        title: "A tool tells what its task needs",
        sentence: "Each tool of the agent hands the model the fields its task lists and no others, and none that is restricted.",
        kind: Kind::Enforced,
        proof: Proof::Test(
            "What a tool tells is seen in an answer about somebody; tests ask every tool and read all of it.",
        ),
    },
    Facts {
        token: "CUS07",
        title: "No time is booked twice",
        sentence: "An appointment is made ahead of time, within opening hours, and only where nobody else has one; the database itself keeps each quarter of an hour unique; the agent makes no more than {appointments_ahead} ahead for one customer.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "CUS08",
        title: "Erasing a customer destroys the key",
        sentence: "Erasing a customer removes every row about them, letters that wait included, and the key that opened them.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "CUS09",
        title: "An import is whole or nothing",
        sentence: "A file of customers is taken as a whole or not at all, after every row was looked at; the report names line, field and fault and never a value; made-up customers are marked as such.",
        kind: Kind::Enforced,
        proof: Proof::Test(
            "Asking would bring customers in; tests bring good and bad files in and look at what is there.",
        ),
    },
    Facts {
        token: "DAT01",
        title: "The data folder is private",
        sentence: "The data folder and the key files are readable by the account that runs the server and by nobody else.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "DAT02",
        title: "Deleted is gone",
        sentence: "Deleting a message, a conversation or everything removes the rows and their entries in the search index.",
        kind: Kind::Enforced,
        proof: Proof::Test(
            "Asking would delete somebody's data; tests delete their own and read the raw store.",
        ),
    },
    Facts {
        token: "DAT03",
        title: "Temporary chat is never written",
        sentence: "A temporary conversation lives in memory alone and is wiped when it ends or has been idle.",
        kind: Kind::Enforced,
        proof: Proof::Test(
            "A live probe would have to look into a person's temporary chat; tests hold one and read the raw store.",
        ),
    },
    Facts {
        token: "DSK01",
        title: "Only calls of the voice desk are the desk's",
        sentence: "A call has the tools that serve customers, and is open to the desk's staff, only when it was opened as a call of the desk by somebody or something with that very right; any other call nobody can list, follow or take over.",
        kind: Kind::Enforced,
        proof: Proof::Test(
            "Asking would need callers; tests open calls of both kinds and try to follow them.",
        ),
    },
    Facts {
        token: "DSK02",
        title: "Who follows a call has a right of its own, leaves an entry, and is announced",
        sentence: "What is said in a call of the desk is shown as it is said to those with that right alone, after the audit log has an entry; callers hear at the beginning that staff may follow, and their end of the call is told when somebody does; nothing of it is kept.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "DSK03",
        title: "One person holds a call, and the caller knows",
        sentence: "A call that is taken over is held by one person who follows it; the caller hears that a person speaks, and hears it when the agent goes on, {desk_absent_seconds} seconds after that person is gone at the latest.",
        kind: Kind::Enforced,
        proof: Proof::Test("Asking would interrupt a caller; tests take over calls of their own."),
    },
    Facts {
        token: "DSK04",
        title: "Of a call that ended nothing is kept but how",
        sentence: "Of a call of the desk its times, how it ended and what kind it was are kept, for {desk_call_days} days; no word of it, and nobody's name.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "GRP01",
        title: "Groups set bounds",
        sentence: "What the groups of an account say, which models and whether only temporary chats, holds from the next request on, in the chat and for programs; of several groups the strictest counts.",
        kind: Kind::Enforced,
        proof: Proof::Test(
            "Asking would put somebody into a group; tests do, and ask in the chat and as a program.",
        ),
    },
    Facts {
        token: "GRP02",
        title: "Quotas hold",
        sentence: "Messages, tokens and voice of people with a quota are counted by day without content, and a question beyond the quota is refused until there is more.",
        kind: Kind::Enforced,
        proof: Proof::Test(
            "Asking would use up somebody's quota; tests use up one of their own, several at once.",
        ),
    },
    Facts {
        token: "KEY01",
        title: "API keys shown once",
        sentence: "A personal API key begins with troth_, is shown once when it is made, and is kept as a hash.",
        kind: Kind::Enforced,
        proof: Proof::Test("Asking would leave a working key behind; tests make, read and revoke one."),
    },
    Facts {
        token: "KEY02",
        title: "API keys are limited, end and are replaced",
        sentence: "An API key may do what its scopes say and never more than its person, ends after {api_key_max_days} days at the latest, is replaced with an overlap of at most {api_key_overlap_days} days, and is proposed for removal after {api_key_unused_days} days without use.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "LOG01",
        title: "No content in the log",
        sentence: "No message, name, token, key or address of a person stands in a log line.",
        kind: Kind::Enforced,
        proof: Proof::Test(
            "A system that could search its log for a person's words would have to keep them; tests run with marked words and search.",
        ),
    },
    Facts {
        token: "MAI01",
        title: "Mail leaves under TLS",
        sentence: "E-mail is handed over under TLS to the one configured server, whose certificate is verified; what cannot be sent is tried again for {mail_hours} hours, and what was sent is forgotten down to its kind.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "MOD01",
        title: "Model files are known files",
        sentence: "A model file is loaded only after its hash matched the catalogue or the operator added it by hash.",
        kind: Kind::Enforced,
        proof: Proof::Test("The hash is taken when a file is new or has changed; tests offer a damaged one."),
    },
    Facts {
        token: "MOD02",
        title: "Calls to model endpoints are guarded",
        sentence: "Calls to other machines use verified TLS, have time-outs and size limits, and stop for a while when the other side keeps failing.",
        kind: Kind::Enforced,
        proof: Proof::Test("Asking would call a vendor; tests run a failing one of their own."),
    },
    Facts {
        token: "MOD03",
        title: "Answers are bounded and can be stopped",
        sentence: "An answer ends at its limit or when its person stops it; running answers are limited for each person and in all.",
        kind: Kind::Enforced,
        proof: Proof::Test("Asking would occupy the model; tests use a scripted one."),
    },
    Facts {
        token: "REV01",
        title: "Access is reviewed",
        sentence: "Every {review_every_days} days a review begins by itself in which each grant beyond an ordinary user's is confirmed or revoked by somebody else, and its report is kept under a hash in the audit log.",
        kind: Kind::Watched,
        proof: Proof::Live,
    },
    Facts {
        token: "REV02",
        title: "Unconfirmed grants lapse",
        sentence: "A grant that nobody confirmed within {review_days_open} days of a review ends; an instance keeps its last owner, and nobody leaves a group that limits them.",
        kind: Kind::Enforced,
        proof: Proof::Test("Asking would take as long as a review; tests move the clock."),
    },
    Facts {
        token: "SEC01",
        title: "Secrets cannot be printed",
        sentence: "Secret values have a type that shows nothing when printed, cannot be serialised, and is wiped when dropped.",
        kind: Kind::Enforced,
        proof: Proof::Test("It is a property of the type, the same at every run; tests print one."),
    },
    Facts {
        token: "SES01",
        title: "Idle sessions end",
        sentence: "A session without a request for {idle_minutes} minutes ends on the server.",
        kind: Kind::Enforced,
        proof: Proof::Test("Asking would take as long as the limit; tests move the clock."),
    },
    Facts {
        token: "SES02",
        title: "Every session ends",
        sentence: "A session ends after {absolute_hours} hours, however busy it is.",
        kind: Kind::Enforced,
        proof: Proof::Test("Asking would take as long as the limit; tests move the clock."),
    },
    Facts {
        token: "SES03",
        title: "Session tokens stay secret",
        sentence: "The store keeps nothing that opens a session, and the cookies that carry its tokens are Secure, HttpOnly, SameSite and bound to this host.",
        kind: Kind::Enforced,
        proof: Proof::Test(
            "The cookies are only given to somebody who signs in; tests sign in and read them and the row.",
        ),
    },
    Facts {
        token: "SES04",
        title: "Signed access tokens, checked against the session",
        sentence: "A browser is recognised by an access token signed with Ed25519 that is good for {access_token_minutes} minutes, and by its session's row, read at every request: what ended anywhere is refused everywhere at once.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "SES05",
        title: "Refresh tokens are good once",
        sentence: "A refresh token brings one successor, the same one for {refresh_grace_seconds} seconds and once more while nobody has shown it; one shown after that, or from another network, ends the session and its person is told.",
        kind: Kind::Enforced,
        proof: Proof::Test(
            "Asking would end somebody's session; tests replay a token after its successor was in use.",
        ),
    },
    Facts {
        token: "SES06",
        title: "A session that is about to end says so",
        sentence: "{idle_warning_seconds} seconds before a session ends for want of activity its page says so, keeps an unfinished message sealed on the server, and restores it after signing in.",
        kind: Kind::Enforced,
        proof: Proof::Test("Asking takes a page that nobody uses; a test waits in a real browser."),
    },
    Facts {
        token: "SES07",
        title: "People see where they are signed in",
        sentence: "Each session is listed with its browser, the place it began and was last seen, and what was shown in it; each can be ended; a sign-in from somewhere new is told, and the session it began does not put that away.",
        kind: Kind::Enforced,
        proof: Proof::Test("The list is its person's alone; tests sign in from two places and read it."),
    },
    Facts {
        token: "SES08",
        title: "Keys that sign tokens are replaced",
        sentence: "The key that signs access tokens is replaced after {signing_key_days} days, sealed in the store, and removed once no token it signed can still be good.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "SPE01",
        title: "A vendor of speech keeps nothing to learn from",
        sentence: "Every request to Deepgram says that what it carries may not be kept to train models.",
        kind: Kind::Enforced,
        proof: Proof::Test(
            "Asking would send sound to the vendor; tests run a double of it and look at every request.",
        ),
    },
    Facts {
        token: "SPE02",
        title: "Speech stays on this machine",
        sentence: "Sound and spoken texts go to no vendor but one whose models of speech the configuration names, and the usual ones are on this machine.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "SPE03",
        title: "Speech is bounded",
        sentence: "A recording has at most {recording_seconds} seconds, a stream lasts at most {speech_stream_minutes} minutes, texts and lines of those who wait are bounded, and whoever is one too many is told so.",
        kind: Kind::Enforced,
        proof: Proof::Test(
            "Asking would keep people from being heard; tests send too much to an instance of their own.",
        ),
    },
    Facts {
        token: "SSO01",
        title: "A sign-in service must prove who it names",
        sentence: "An answer of a sign-in service opens a session only when its signature, issuer, audience, nonce and time are right, and only within {sso_minutes} minutes in the browser that asked.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "SSO02",
        title: "A directory speaks with a token of its own",
        sentence: "Provisioning is done for nobody without its own token, which ends after {scim_token_days} days, and closing an account ends its sessions and keys at once.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "STO01",
        title: "No networked database without verified TLS",
        sentence: "A database on another machine is used only over TLS with a verified certificate and with a password.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "STO02",
        title: "One server per data folder",
        sentence: "A second server on the same data folder is refused before it touches anything.",
        kind: Kind::Enforced,
        proof: Proof::Test("A running system holds the lock already; tests start a second one."),
    },
    Facts {
        token: "STO03",
        title: "Acknowledged means kept",
        sentence: "What was acknowledged survives a crash of the process at any moment.",
        kind: Kind::Enforced,
        proof: Proof::Test("Asking would crash the running system; tests kill one of their own."),
    },
    Facts {
        token: "SUP01",
        title: "Dependencies are audited",
        sentence: "Every dependency has an allowed licence, comes from the package registry, is not banned and has no unreviewed advisory.",
        kind: Kind::Watched,
        proof: Proof::Test(
            "Dependencies are decided when the program is built; every build of the project asks.",
        ),
    },
    Facts {
        token: "SUP02",
        title: "No secrets in the tree",
        sentence: "No key, token or password stands in the source tree, and the local .env file is never part of it.",
        kind: Kind::Watched,
        proof: Proof::Test(
            "The tree is not part of the running system; every build of the project searches it.",
        ),
    },
    Facts {
        token: "VOI01",
        title: "Calls are bounded",
        sentence: "At most {calls} calls are held at once and {calls_per_person} of one person; a call ends after {call_minutes} minutes or when sound comes faster than anybody speaks, and who finds no room is told so before a microphone opens.",
        kind: Kind::Enforced,
        proof: Proof::Test("Asking would take the room of callers; tests hold calls of their own."),
    },
    Facts {
        token: "VOI02",
        title: "A call ends with its session",
        sentence: "When the session a call was opened in ends, or its account is closed, the call ends as soon as any open stream of that session does.",
        kind: Kind::Enforced,
        proof: Proof::Test("Asking would need somebody's session; tests end their own."),
    },
    Facts {
        token: "VOI03",
        title: "Voice is counted as it is used",
        sentence: "Seconds of voice are taken from a person's quota while they talk, and a call ends when none are left.",
        kind: Kind::Enforced,
        proof: Proof::Test("Asking would use up somebody's quota; tests have their own."),
    },
    Facts {
        token: "VOI04",
        title: "Sound is wiped from memory",
        sentence: "The caller's sound is held only while its words are being recognised, and is overwritten when it is let go.",
        kind: Kind::Enforced,
        proof: Proof::Test("What is no longer in memory cannot be asked for; tests look at what is let go."),
    },
    Facts {
        token: "VOI05",
        title: "No stall is silent",
        sentence: "When recognition, the model, the voice or the client of a call stalls, the caller hears so and the log says which, without content.",
        kind: Kind::Enforced,
        proof: Proof::Test("Asking would stall a call; tests stall their own."),
    },
    Facts {
        token: "VOI06",
        title: "Callers hear first that an AI speaks",
        sentence: "The first words of every call say that an AI speaks; they cannot be left out or interrupted.",
        kind: Kind::Enforced,
        proof: Proof::Test("Asking would need a caller; tests listen to calls of their own."),
    },
    Facts {
        token: "VOI07",
        title: "What the caller never finished saying leaves nothing",
        sentence: "An answer begun before the caller had finished is taken back when they go on: it is neither heard nor kept, and of an interrupted one only what was heard is.",
        kind: Kind::Enforced,
        proof: Proof::Test("Asking would need a caller; tests interrupt their own."),
    },
    Facts {
        token: "VOI08",
        title: "Tools run once, and what cannot be undone waits",
        sentence: "A tool runs once for each call of it, also when the reply is interrupted, and one that cannot be undone only when the caller has finished for certain.",
        kind: Kind::Enforced,
        proof: Proof::Test("Asking would run a tool; tests bring their own."),
    },
    Facts {
        token: "VOI10",
        title: "A ticket opens one call",
        sentence: "A browser gets no key: a ticket, kept as a hash, opens one voice call within at most {call_ticket_seconds} seconds, for the key it was made with and from the origin it was made for; shown again, elsewhere or later it is refused before the connection opens, and it is never taken from an address.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "VOI11",
        title: "Every message of a call is read",
        sentence: "Every message of a voice connection is held against the form of its wire before anything is done; what does not fit, comes out of its order or too late ends in that wire's own error, and repeats nothing of what was sent.",
        kind: Kind::Enforced,
        proof: Proof::Test(
            "Asking would open a voice call on the running system; tests send each kind of bad message to both wires.",
        ),
    },
    Facts {
        token: "WEB01",
        title: "Nothing over plain HTTP",
        sentence: "The plain listener, when there is one, sends pages to HTTPS and refuses API calls; it serves nothing.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "WEB02",
        title: "Strict headers on every answer",
        sentence: "Every answer carries a content security policy without inline code, trusted types and the other security headers, and HSTS by every name that is not the machine's own.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "WEB03",
        title: "Only our own host names",
        sentence: "A request for a host that is not on the list is refused, whatever it asks for.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "WEB04",
        title: "No writes from other sites",
        sentence: "A request that changes something is refused unless the browser says it comes from our own pages or it carries an API key.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "WEB05",
        title: "Limits on every connection",
        sentence: "Connections, handshakes, headers, idle time and bodies are bounded, and files are taken at a pace; what is over the limit is dropped and the server lives.",
        kind: Kind::Enforced,
        proof: Proof::Test("Asking would flood the running system; tests flood one of their own."),
    },
    Facts {
        token: "WEB06",
        title: "Model output is hostile until sanitised",
        sentence: "Markdown of people and models becomes HTML through an allow-list; scripts, styles and foreign content do not come through.",
        kind: Kind::Enforced,
        proof: Proof::Test(
            "The renderer keeps no state that could differ at run time; tests feed it hostile documents.",
        ),
    },
    Facts {
        token: "WEB07",
        title: "Errors reveal nothing",
        sentence: "An error answer says what to do and a reference; causes stand only in the log.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "WEB08",
        title: "Nothing kept in the browser",
        sentence: "Pages keep no conversation in browser storage and every personal answer says no-store.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "WEB09",
        title: "Other origins stay out",
        sentence: "No answer allows another origin to read it, but the API's to origins that are listed, of which there is none by default; never with cookies.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "WEB10",
        title: "Everybody has a limit",
        sentence: "A minute takes {pages_a_minute} pages, {asks_a_minute} questions, {api_calls_a_minute} calls of the API and {transfers_a_minute} exports or imports of one account or key, {address_times} times as many of one address, and {sign_ins_a_minute} tries to sign in of one address; more are refused until time has passed, by all replicas together where they share their counts.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
    Facts {
        token: "WEB11",
        title: "Addresses can be kept out",
        sentence: "Requests from addresses on the deny list are refused on every replica within seconds; each entry has an end or says that it stays until removed, and each change stands in the audit log.",
        kind: Kind::Enforced,
        proof: Proof::Test(
            "Asking would keep an address out of the running system; tests keep one out of their own.",
        ),
    },
    Facts {
        token: "WEB12",
        title: "Nobody chooses their address",
        sentence: "A request counts as coming from the other end of its connection; what a header says instead is believed only from proxies that are configured, and only what they wrote.",
        kind: Kind::Enforced,
        proof: Proof::Test(
            "It shows in no answer; tests forge the headers, with and without trusted proxies.",
        ),
    },
    Facts {
        token: "WEB13",
        title: "Places for everybody",
        sentence: "One address holds at most a share of the connections and one person a share of the open streams, and a stream whose session has ended is closed within {stream_recheck_seconds} seconds.",
        kind: Kind::Enforced,
        proof: Proof::Test(
            "Asking would use up the places of the running system; tests fill one of their own.",
        ),
    },
    Facts {
        token: "WEB14",
        title: "The API is what its description says",
        sentence: "A request of the API that has not the described form is refused with the place where it departs from it, before a model or the store is asked.",
        kind: Kind::Enforced,
        proof: Proof::Test(
            "Thousands of requests made from the description would load the running system; a test sends them to one of its own.",
        ),
    },
    Facts {
        token: "WEB15",
        title: "Sockets of friends alone",
        sentence: "A WebSocket opens for our own pages, for listed origins on the API, and for programs that bring a key; a message has at most {socket_message_kib} KiB and a minute at most {socket_frames_a_minute} frames, and one that is silent for {socket_silent_seconds} seconds or whose session or key has ended is closed.",
        kind: Kind::Enforced,
        proof: Proof::Test(
            "Asking would take places from people; tests open some on the same ground and break every rule of it.",
        ),
    },
    Facts {
        token: "WEB16",
        title: "Every field has a kind and a bound",
        sentence: "Every field of every form, address and JSON body of the pages is written in one table with its kind and its bound; what is unknown, missing, doubled, broken or beyond them is refused before anything is done, with a reference and nothing of what was sent.",
        kind: Kind::Enforced,
        proof: Proof::Live,
    },
];

/// The numbers of the policy: defaults from policy/controls, overridden by the deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// Minutes for which an agreed request lets staff read a person's chats (ACC05).
    pub break_glass_minutes: u32,
    /// Days an account and its role must be old before it counts where two people must agree (ACC05).
    pub second_person_days: u32,
    /// Days an invitation is good for (ACT01).
    pub invitation_days: u32,
    /// Minutes a mailed link is good for (ACT01).
    pub link_minutes: u32,
    /// Classes of characters a password must have; 0 asks for none, any other value for all four (AUT01).
    pub password_classes: u32,
    /// Days after which a password must be changed; 0 never (AUT01).
    pub password_max_days: u32,
    /// Fewest characters of a password (AUT01).
    pub password_min_chars: u32,
    /// Fewest characters of a password that stands beside a second factor (AUT01).
    pub password_min_chars_with_factor: u32,
    /// Failed sign-ins before each further try must wait (AUT06).
    pub failures_before_throttle: u32,
    /// Earlier passwords that may not be used again (AUT07).
    pub password_history: u32,
    /// Minutes for which a confirmation counts (AUT08).
    pub step_up_minutes: u32,
    /// Hours between the second agreement to a recovery and its use (AUT11).
    pub recovery_delay_hours: u32,
    /// Days of notice before a password must be changed (AUT12).
    pub password_notice_days: u32,
    /// Seconds after which a replica notices what was taken back at another one (CON03).
    pub consent_seconds: u32,
    /// Days a server certificate is valid (CRY05).
    pub certificate_days: u32,
    /// Days after which a customer of whom nothing was heard is erased (CUS02).
    pub customer_days: u32,
    /// Days after which restricted fields of a customer of whom nothing was heard are removed (CUS02).
    pub restricted_days: u32,
    /// Minutes for which a code sent to a customer is good (CUS05).
    pub caller_code_minutes: u32,
    /// Tries to prove who one is in one call (CUS05).
    pub caller_tries: u32,
    /// Failed tries to be one customer, over all calls (CUS05).
    pub customer_tries: u32,
    /// Hours in which failed tries to be one customer are counted together (CUS05).
    pub customer_tries_hours: u32,
    /// Failed tries to be any customer, and codes asked for, at the whole desk in an hour (CUS05).
    pub desk_tries_an_hour: u32,
    /// Appointments ahead beyond which the agent makes none for a customer (CUS07).
    pub appointments_ahead: u32,
    /// Seconds after which a call goes on without the member of staff who held it and is gone (DSK03).
    pub desk_absent_seconds: u32,
    /// Days for which it is kept how a call of the voice desk ended (DSK04).
    pub desk_call_days: u32,
    /// Longest life of an API key (KEY02).
    pub api_key_max_days: u32,
    /// Longest time a replaced API key goes on beside its successor (KEY02).
    pub api_key_overlap_days: u32,
    /// Days without use after which an API key is proposed for removal (KEY02).
    pub api_key_unused_days: u32,
    /// Hours after which an e-mail that cannot be sent is given up (MAI01).
    pub mail_hours: u32,
    /// Days from the beginning of one access review to the next; a grant unused for as long is proposed for removal (REV01).
    pub review_every_days: u32,
    /// Days an access review is open before what nobody confirmed lapses (REV02).
    pub review_days_open: u32,
    /// Minutes without a request after which a session ends (SES01).
    pub idle_minutes: u32,
    /// Hours after which a session ends however busy (SES02).
    pub absolute_hours: u32,
    /// Minutes an access token is good for (SES04).
    pub access_token_minutes: u32,
    /// Seconds in which a refresh token still brings the successor it brought before (SES05).
    pub refresh_grace_seconds: u32,
    /// Seconds before the idle end of a session at which its page warns (SES06).
    pub idle_warning_seconds: u32,
    /// Days after which the key that signs access tokens is replaced (SES08).
    pub signing_key_days: u32,
    /// Longest recording that is written down at once (SPE03).
    pub recording_seconds: u32,
    /// Longest stream of sound that is listened to, or of texts that are spoken (SPE03).
    pub speech_stream_minutes: u32,
    /// Minutes a sign-in at another service may take (SSO01).
    pub sso_minutes: u32,
    /// Days after which a provisioning token ends (SSO02).
    pub scim_token_days: u32,
    /// Minutes one call may last (VOI01).
    pub call_minutes: u32,
    /// Calls held at once (VOI01).
    pub calls: u32,
    /// Calls of one person at once (VOI01).
    pub calls_per_person: u32,
    /// Longest life of a ticket for a voice call (VOI10).
    pub call_ticket_seconds: u32,
    /// How many times the limit of one account an address has, because a whole office may stand behind it (WEB10).
    pub address_times: u32,
    /// Calls of the API a minute with one key (WEB10).
    pub api_calls_a_minute: u32,
    /// Questions in the chat a minute of one account (WEB10).
    pub asks_a_minute: u32,
    /// Pages, and requests of their scripts, a minute of one account (WEB10).
    pub pages_a_minute: u32,
    /// Tries to sign in, set up or recover a minute from one address (WEB10).
    pub sign_ins_a_minute: u32,
    /// Exports and imports a minute of one account (WEB10).
    pub transfers_a_minute: u32,
    /// Seconds between two looks at whether the session of an open stream still lives (WEB13).
    pub stream_recheck_seconds: u32,
    /// Frames a minute of one WebSocket: sound in pieces of 20 ms, four times as fast as it is spoken (WEB15).
    pub socket_frames_a_minute: u32,
    /// Largest message of a WebSocket (WEB15).
    pub socket_message_kib: u32,
    /// Seconds without a sign of life after which a WebSocket is closed (WEB15).
    pub socket_silent_seconds: u32,
}

impl Default for Numbers {
    fn default() -> Self {
        Self {
            break_glass_minutes: 60,
            second_person_days: 7,
            invitation_days: 7,
            link_minutes: 60,
            password_classes: 4,
            password_max_days: 90,
            password_min_chars: 12,
            password_min_chars_with_factor: 12,
            failures_before_throttle: 5,
            password_history: 24,
            step_up_minutes: 10,
            recovery_delay_hours: 24,
            password_notice_days: 14,
            consent_seconds: 15,
            certificate_days: 90,
            customer_days: 1095,
            restricted_days: 365,
            caller_code_minutes: 10,
            caller_tries: 3,
            customer_tries: 5,
            customer_tries_hours: 24,
            desk_tries_an_hour: 60,
            appointments_ahead: 5,
            desk_absent_seconds: 15,
            desk_call_days: 90,
            api_key_max_days: 365,
            api_key_overlap_days: 7,
            api_key_unused_days: 90,
            mail_hours: 72,
            review_every_days: 90,
            review_days_open: 14,
            idle_minutes: 30,
            absolute_hours: 12,
            access_token_minutes: 5,
            refresh_grace_seconds: 30,
            idle_warning_seconds: 120,
            signing_key_days: 30,
            recording_seconds: 600,
            speech_stream_minutes: 120,
            sso_minutes: 10,
            scim_token_days: 180,
            call_minutes: 60,
            calls: 16,
            calls_per_person: 2,
            call_ticket_seconds: 7200,
            address_times: 5,
            api_calls_a_minute: 600,
            asks_a_minute: 60,
            pages_a_minute: 600,
            sign_ins_a_minute: 60,
            transfers_a_minute: 30,
            stream_recheck_seconds: 15,
            socket_frames_a_minute: 12000,
            socket_message_kib: 1024,
            socket_silent_seconds: 60,
        }
    }
}

impl Numbers {
    /// The number with this name, if there is one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<u32> {
        match name {
            "break_glass_minutes" => Some(self.break_glass_minutes),
            "second_person_days" => Some(self.second_person_days),
            "invitation_days" => Some(self.invitation_days),
            "link_minutes" => Some(self.link_minutes),
            "password_classes" => Some(self.password_classes),
            "password_max_days" => Some(self.password_max_days),
            "password_min_chars" => Some(self.password_min_chars),
            "password_min_chars_with_factor" => Some(self.password_min_chars_with_factor),
            "failures_before_throttle" => Some(self.failures_before_throttle),
            "password_history" => Some(self.password_history),
            "step_up_minutes" => Some(self.step_up_minutes),
            "recovery_delay_hours" => Some(self.recovery_delay_hours),
            "password_notice_days" => Some(self.password_notice_days),
            "consent_seconds" => Some(self.consent_seconds),
            "certificate_days" => Some(self.certificate_days),
            "customer_days" => Some(self.customer_days),
            "restricted_days" => Some(self.restricted_days),
            "caller_code_minutes" => Some(self.caller_code_minutes),
            "caller_tries" => Some(self.caller_tries),
            "customer_tries" => Some(self.customer_tries),
            "customer_tries_hours" => Some(self.customer_tries_hours),
            "desk_tries_an_hour" => Some(self.desk_tries_an_hour),
            "appointments_ahead" => Some(self.appointments_ahead),
            "desk_absent_seconds" => Some(self.desk_absent_seconds),
            "desk_call_days" => Some(self.desk_call_days),
            "api_key_max_days" => Some(self.api_key_max_days),
            "api_key_overlap_days" => Some(self.api_key_overlap_days),
            "api_key_unused_days" => Some(self.api_key_unused_days),
            "mail_hours" => Some(self.mail_hours),
            "review_every_days" => Some(self.review_every_days),
            "review_days_open" => Some(self.review_days_open),
            "idle_minutes" => Some(self.idle_minutes),
            "absolute_hours" => Some(self.absolute_hours),
            "access_token_minutes" => Some(self.access_token_minutes),
            "refresh_grace_seconds" => Some(self.refresh_grace_seconds),
            "idle_warning_seconds" => Some(self.idle_warning_seconds),
            "signing_key_days" => Some(self.signing_key_days),
            "recording_seconds" => Some(self.recording_seconds),
            "speech_stream_minutes" => Some(self.speech_stream_minutes),
            "sso_minutes" => Some(self.sso_minutes),
            "scim_token_days" => Some(self.scim_token_days),
            "call_minutes" => Some(self.call_minutes),
            "calls" => Some(self.calls),
            "calls_per_person" => Some(self.calls_per_person),
            "call_ticket_seconds" => Some(self.call_ticket_seconds),
            "address_times" => Some(self.address_times),
            "api_calls_a_minute" => Some(self.api_calls_a_minute),
            "asks_a_minute" => Some(self.asks_a_minute),
            "pages_a_minute" => Some(self.pages_a_minute),
            "sign_ins_a_minute" => Some(self.sign_ins_a_minute),
            "transfers_a_minute" => Some(self.transfers_a_minute),
            "stream_recheck_seconds" => Some(self.stream_recheck_seconds),
            "socket_frames_a_minute" => Some(self.socket_frames_a_minute),
            "socket_message_kib" => Some(self.socket_message_kib),
            "socket_silent_seconds" => Some(self.socket_silent_seconds),
            _ => None,
        }
    }

    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut u32> {
        match name {
            "break_glass_minutes" => Some(&mut self.break_glass_minutes),
            "second_person_days" => Some(&mut self.second_person_days),
            "invitation_days" => Some(&mut self.invitation_days),
            "link_minutes" => Some(&mut self.link_minutes),
            "password_classes" => Some(&mut self.password_classes),
            "password_max_days" => Some(&mut self.password_max_days),
            "password_min_chars" => Some(&mut self.password_min_chars),
            "password_min_chars_with_factor" => Some(&mut self.password_min_chars_with_factor),
            "failures_before_throttle" => Some(&mut self.failures_before_throttle),
            "password_history" => Some(&mut self.password_history),
            "step_up_minutes" => Some(&mut self.step_up_minutes),
            "recovery_delay_hours" => Some(&mut self.recovery_delay_hours),
            "password_notice_days" => Some(&mut self.password_notice_days),
            "consent_seconds" => Some(&mut self.consent_seconds),
            "certificate_days" => Some(&mut self.certificate_days),
            "customer_days" => Some(&mut self.customer_days),
            "restricted_days" => Some(&mut self.restricted_days),
            "caller_code_minutes" => Some(&mut self.caller_code_minutes),
            "caller_tries" => Some(&mut self.caller_tries),
            "customer_tries" => Some(&mut self.customer_tries),
            "customer_tries_hours" => Some(&mut self.customer_tries_hours),
            "desk_tries_an_hour" => Some(&mut self.desk_tries_an_hour),
            "appointments_ahead" => Some(&mut self.appointments_ahead),
            "desk_absent_seconds" => Some(&mut self.desk_absent_seconds),
            "desk_call_days" => Some(&mut self.desk_call_days),
            "api_key_max_days" => Some(&mut self.api_key_max_days),
            "api_key_overlap_days" => Some(&mut self.api_key_overlap_days),
            "api_key_unused_days" => Some(&mut self.api_key_unused_days),
            "mail_hours" => Some(&mut self.mail_hours),
            "review_every_days" => Some(&mut self.review_every_days),
            "review_days_open" => Some(&mut self.review_days_open),
            "idle_minutes" => Some(&mut self.idle_minutes),
            "absolute_hours" => Some(&mut self.absolute_hours),
            "access_token_minutes" => Some(&mut self.access_token_minutes),
            "refresh_grace_seconds" => Some(&mut self.refresh_grace_seconds),
            "idle_warning_seconds" => Some(&mut self.idle_warning_seconds),
            "signing_key_days" => Some(&mut self.signing_key_days),
            "recording_seconds" => Some(&mut self.recording_seconds),
            "speech_stream_minutes" => Some(&mut self.speech_stream_minutes),
            "sso_minutes" => Some(&mut self.sso_minutes),
            "scim_token_days" => Some(&mut self.scim_token_days),
            "call_minutes" => Some(&mut self.call_minutes),
            "calls" => Some(&mut self.calls),
            "calls_per_person" => Some(&mut self.calls_per_person),
            "call_ticket_seconds" => Some(&mut self.call_ticket_seconds),
            "address_times" => Some(&mut self.address_times),
            "api_calls_a_minute" => Some(&mut self.api_calls_a_minute),
            "asks_a_minute" => Some(&mut self.asks_a_minute),
            "pages_a_minute" => Some(&mut self.pages_a_minute),
            "sign_ins_a_minute" => Some(&mut self.sign_ins_a_minute),
            "transfers_a_minute" => Some(&mut self.transfers_a_minute),
            "stream_recheck_seconds" => Some(&mut self.stream_recheck_seconds),
            "socket_frames_a_minute" => Some(&mut self.socket_frames_a_minute),
            "socket_message_kib" => Some(&mut self.socket_message_kib),
            "socket_silent_seconds" => Some(&mut self.socket_silent_seconds),
            _ => None,
        }
    }
}

/// What the policy says about each number.
pub static NUMBERS: [Number; 55] = [
    Number {
        name: "break_glass_minutes",
        control: Control::ACC05,
        value: 60,
        unit: "minutes",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "second_person_days",
        control: Control::ACC05,
        value: 7,
        unit: "days",
        stronger: Stronger::Higher,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "invitation_days",
        control: Control::ACT01,
        value: 7,
        unit: "days",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "link_minutes",
        control: Control::ACT01,
        value: 60,
        unit: "minutes",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "password_classes",
        control: Control::AUT01,
        value: 4,
        unit: "classes",
        stronger: Stronger::Higher,
        floor: Some(4),
        clauses: &["AZ-A6"],
        zero_is_none: false,
    },
    Number {
        name: "password_max_days",
        control: Control::AUT01,
        value: 90,
        unit: "days",
        stronger: Stronger::Lower,
        floor: Some(90),
        clauses: &["AZ-A7"],
        zero_is_none: true,
    },
    Number {
        name: "password_min_chars",
        control: Control::AUT01,
        value: 12,
        unit: "characters",
        stronger: Stronger::Higher,
        floor: Some(12),
        clauses: &["AZ-A5"],
        zero_is_none: false,
    },
    Number {
        name: "password_min_chars_with_factor",
        control: Control::AUT01,
        value: 12,
        unit: "characters",
        stronger: Stronger::Higher,
        floor: Some(12),
        clauses: &["AZ-A5"],
        zero_is_none: false,
    },
    Number {
        name: "failures_before_throttle",
        control: Control::AUT06,
        value: 5,
        unit: "tries",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "password_history",
        control: Control::AUT07,
        value: 24,
        unit: "passwords",
        stronger: Stronger::Higher,
        floor: Some(1),
        clauses: &["AZ-A8"],
        zero_is_none: false,
    },
    Number {
        name: "step_up_minutes",
        control: Control::AUT08,
        value: 10,
        unit: "minutes",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "recovery_delay_hours",
        control: Control::AUT11,
        value: 24,
        unit: "hours",
        stronger: Stronger::Higher,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "password_notice_days",
        control: Control::AUT12,
        value: 14,
        unit: "days",
        stronger: Stronger::Higher,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "consent_seconds",
        control: Control::CON03,
        value: 15,
        unit: "seconds",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "certificate_days",
        control: Control::CRY05,
        value: 90,
        unit: "days",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "customer_days",
        control: Control::CUS02,
        value: 1095,
        unit: "days",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "restricted_days",
        control: Control::CUS02,
        value: 365,
        unit: "days",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "caller_code_minutes",
        control: Control::CUS05,
        value: 10,
        unit: "minutes",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "caller_tries",
        control: Control::CUS05,
        value: 3,
        unit: "tries",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "customer_tries",
        control: Control::CUS05,
        value: 5,
        unit: "tries",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "customer_tries_hours",
        control: Control::CUS05,
        value: 24,
        unit: "hours",
        stronger: Stronger::Higher,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "desk_tries_an_hour",
        control: Control::CUS05,
        value: 60,
        unit: "tries",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "appointments_ahead",
        control: Control::CUS07,
        value: 5,
        unit: "appointments",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "desk_absent_seconds",
        control: Control::DSK03,
        value: 15,
        unit: "seconds",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "desk_call_days",
        control: Control::DSK04,
        value: 90,
        unit: "days",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "api_key_max_days",
        control: Control::KEY02,
        value: 365,
        unit: "days",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "api_key_overlap_days",
        control: Control::KEY02,
        value: 7,
        unit: "days",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "api_key_unused_days",
        control: Control::KEY02,
        value: 90,
        unit: "days",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "mail_hours",
        control: Control::MAI01,
        value: 72,
        unit: "hours",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "review_every_days",
        control: Control::REV01,
        value: 90,
        unit: "days",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "review_days_open",
        control: Control::REV02,
        value: 14,
        unit: "days",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "idle_minutes",
        control: Control::SES01,
        value: 30,
        unit: "minutes",
        stronger: Stronger::Lower,
        floor: Some(30),
        clauses: &["AZ-A4"],
        zero_is_none: false,
    },
    Number {
        name: "absolute_hours",
        control: Control::SES02,
        value: 12,
        unit: "hours",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "access_token_minutes",
        control: Control::SES04,
        value: 5,
        unit: "minutes",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "refresh_grace_seconds",
        control: Control::SES05,
        value: 30,
        unit: "seconds",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "idle_warning_seconds",
        control: Control::SES06,
        value: 120,
        unit: "seconds",
        stronger: Stronger::Higher,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "signing_key_days",
        control: Control::SES08,
        value: 30,
        unit: "days",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "recording_seconds",
        control: Control::SPE03,
        value: 600,
        unit: "seconds",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "speech_stream_minutes",
        control: Control::SPE03,
        value: 120,
        unit: "minutes",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "sso_minutes",
        control: Control::SSO01,
        value: 10,
        unit: "minutes",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "scim_token_days",
        control: Control::SSO02,
        value: 180,
        unit: "days",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "call_minutes",
        control: Control::VOI01,
        value: 60,
        unit: "minutes",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "calls",
        control: Control::VOI01,
        value: 16,
        unit: "calls",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "calls_per_person",
        control: Control::VOI01,
        value: 2,
        unit: "calls",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "call_ticket_seconds",
        control: Control::VOI10,
        value: 7200,
        unit: "seconds",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "address_times",
        control: Control::WEB10,
        value: 5,
        unit: "times",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "api_calls_a_minute",
        control: Control::WEB10,
        value: 600,
        unit: "requests",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "asks_a_minute",
        control: Control::WEB10,
        value: 60,
        unit: "requests",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "pages_a_minute",
        control: Control::WEB10,
        value: 600,
        unit: "requests",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "sign_ins_a_minute",
        control: Control::WEB10,
        value: 60,
        unit: "requests",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "transfers_a_minute",
        control: Control::WEB10,
        value: 30,
        unit: "requests",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "stream_recheck_seconds",
        control: Control::WEB13,
        value: 15,
        unit: "seconds",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "socket_frames_a_minute",
        control: Control::WEB15,
        value: 12000,
        unit: "frames",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "socket_message_kib",
        control: Control::WEB15,
        value: 1024,
        unit: "KiB",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
    Number {
        name: "socket_silent_seconds",
        control: Control::WEB15,
        value: 60,
        unit: "seconds",
        stronger: Stronger::Lower,
        floor: None,
        clauses: &[],
        zero_is_none: false,
    },
];
