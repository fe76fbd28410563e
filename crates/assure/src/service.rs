//! The service: holds the checks, runs them, keeps their findings, and judges.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use domain::{
    Action, Actor, Control, Ctx, Job, Permit, Resource,
    audit::{Act, Entry},
    authorize,
    check::{Finding, State},
    control::Numbers,
};
use store::Store;
use tokio::task::JoinSet;

use crate::{Catalogue, Check, Error, Report, check::worse, checks, report::Grounds};

/// The checks of this program and the promises they speak for. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Assure(Arc<Inner>);

struct Inner {
    store: Store,
    catalogue: Catalogue,
    numbers: Numbers,
    checks: RwLock<Vec<Check>>,
}

impl Assure {
    /// The service over `store`, judging by `numbers`; it brings the checks that need no other room.
    ///
    /// # Errors
    /// When the embedded policy is not as it must be.
    pub fn new(store: Store, numbers: Numbers) -> Result<Self, Error> {
        let catalogue = Catalogue::embedded()?;
        let checks = RwLock::new(checks::all(&store, &numbers));
        Ok(Self(Arc::new(Inner { store, catalogue, numbers, checks })))
    }

    /// Adds a check. Where several ask about one control, all of them must find that it holds.
    pub fn register(&self, check: Check) {
        self.0.checks.write().unwrap_or_else(PoisonError::into_inner).push(check);
    }

    /// Asks every check, keeps the findings, and judges. In a store whose audit log is not as it was written
    /// nothing can be kept; that is what the report then says.
    ///
    /// # Errors
    /// [`Error::Denied`] unless `ctx` may change the instance; [`Error::Store`] when the findings
    /// cannot be kept for another reason. What a check runs into is a finding.
    pub async fn run_checks(&self, ctx: &Ctx) -> Result<Report, Error> {
        let findings = self.ask(ctx, self.checks()).await?;
        self.judge(ctx, findings).await
    }

    /// Asks the checks whose last finding is older than their interval; `None` when none was due.
    ///
    /// # Errors
    /// As [`Assure::run_checks`].
    pub async fn run_due(&self, ctx: &Ctx) -> Result<Option<Report>, Error> {
        let latest = self.latest(ctx).await?;
        let is_due = |check: &Check| {
            latest.get(&check.control()).is_none_or(|finding| {
                let age = u64::try_from(ctx.now().seconds_since(finding.at)).unwrap_or(0);
                age >= check.every().as_secs()
            })
        };
        // All checks of a due control, or a good answer of one would hide a bad one of another.
        let checks = self.checks();
        let due: Vec<Control> = checks.iter().filter(|check| is_due(check)).map(Check::control).collect();
        if due.is_empty() {
            return Ok(None);
        }
        let due = checks.into_iter().filter(|check| due.contains(&check.control())).collect();
        let findings = self.ask(ctx, due).await?;
        self.judge(ctx, findings).await.map(Some)
    }

    /// Judges by the latest findings.
    ///
    /// # Errors
    /// [`Error::Denied`] unless `ctx` may see how the instance is doing.
    pub async fn report(&self, ctx: &Ctx) -> Result<Report, Error> {
        self.judge(ctx, BTreeMap::new()).await
    }

    /// Judges by the latest findings that are kept, and by newer ones.
    async fn judge(&self, ctx: &Ctx, newer: BTreeMap<Control, Finding>) -> Result<Report, Error> {
        let mut findings = self.latest(ctx).await?;
        findings.extend(newer);
        let mut asked_every: BTreeMap<Control, Duration> = BTreeMap::new();
        for check in self.checks() {
            let every = asked_every.entry(check.control()).or_insert(check.every());
            *every = check.every().min(*every);
        }
        let Inner { catalogue, numbers, .. } = &*self.0;
        Ok(Report::judge(&Grounds { catalogue, numbers, findings, asked_every, now: ctx.now() }))
    }

    fn checks(&self) -> Vec<Check> {
        self.0.checks.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn latest(&self, ctx: &Ctx) -> Result<BTreeMap<Control, Finding>, Error> {
        let permit = authorize(ctx, Action::ReadInstance, Resource::Instance)?;
        let findings = store::findings::latest(&self.0.store, &permit).await?;
        Ok(findings.into_iter().map(|finding| (finding.control, finding)).collect())
    }

    /// Runs `checks` beside each other; keeps one finding per control, and gives them.
    async fn ask(&self, ctx: &Ctx, checks: Vec<Check>) -> Result<BTreeMap<Control, Finding>, Error> {
        let permit = authorize(ctx, Action::WriteInstance, Resource::Instance)?;
        let as_job = ctx.acting_as(Actor::System(Job::Checks));
        let mut running = JoinSet::new();
        for check in checks {
            let ctx = as_job.clone();
            running.spawn(async move { check.ask(&ctx).await });
        }
        let mut findings: BTreeMap<Control, Finding> = BTreeMap::new();
        for finding in running.join_all().await {
            let finding = match findings.remove(&finding.control) {
                Some(other) => worse(other, finding),
                None => finding,
            };
            findings.insert(finding.control, finding);
        }
        match self.keep(ctx, &permit, findings.values().cloned().collect()).await {
            // Nothing is written after a log that is not ours; the finding about it must be heard all the same.
            Err(store::Error::Damaged { .. }) if is_broken(&findings) => {
                tracing::error!("the findings were not kept: the audit log is not as it was written");
            }
            kept => kept?,
        }
        Ok(findings)
    }

    async fn keep(&self, ctx: &Ctx, permit: &Permit, findings: Vec<Finding>) -> Result<(), store::Error> {
        let mut tx = self.0.store.begin(ctx).await?;
        store::findings::record(&mut tx, permit, &findings).await?;
        tx.commit(Entry::new(Act::FindingsRecorded, "").times(findings.len())).await
    }
}

/// Whether the audit log was found not to be as it was written.
fn is_broken(findings: &BTreeMap<Control, Finding>) -> bool {
    findings.get(&Control::AUD02).is_some_and(|finding| finding.state == State::NotSatisfied)
}

impl std::fmt::Debug for Assure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Assure").field("checks", &self.checks()).finish_non_exhaustive()
    }
}
