//! What the tools do with the register, for the customer the caller proved to be.

use domain::{
    Action, Ctx,
    audit::{Act, Entry},
    customer::{Day, Moment, NoTime, Series, Service, Task, date, reference, time_of_day},
    enforced,
};
use serde::Deserialize;
use serde_json::json;
use store::customers::{appointments, orders};
use time::{Date, Duration};

use super::{Tools, Trouble, answers, answers::Answer};
use crate::{Caller, Error, customers};

/// Orders or appointments told at once.
const MOST: usize = 10;
/// Free times told at once.
const TIMES: usize = 6;
/// Days looked through for one with a free time.
const DAYS: i64 = 14;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OneOrder {
    order_number: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OneDay {
    service: String,
    date: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OneTime {
    service: String,
    date: String,
    time: String,
}

impl Tools {
    pub(super) async fn find_orders(&self, ctx: &Ctx, caller: &Caller) -> Result<Answer, Trouble> {
        let (ctx, permit) = caller.permit(ctx)?;
        let found = orders::list(self.store(), &ctx, &permit).await?;
        let told: Vec<_> = found
            .iter()
            .take(MOST)
            .map(|order| answers::order(Task::ListOrders, caller.place(), order))
            .collect();
        Ok(Answer::yes(json!({ "orders": told, "in_all": found.len() })))
    }

    pub(super) async fn order_status(
        &self,
        ctx: &Ctx,
        caller: &Caller,
        wanted: &OneOrder,
    ) -> Result<Answer, Trouble> {
        let Some(wanted) = reference(Series::Order, &wanted.order_number) else {
            return Ok(Answer::no(
                "the order's number could not be understood",
                "Ask for it again, one digit after the other.",
            ));
        };
        let (ctx, permit) = caller.permit(ctx)?;
        let found = orders::list(self.store(), &ctx, &permit).await?;
        let order = found.iter().find(|order| order.reference == wanted);
        Ok(match order {
            Some(order) => Answer::yes(answers::order(Task::OrderStatus, caller.place(), order)),
            // Another customer's order and none at all are the same.
            None => Answer::no(
                "this caller has no order of that number",
                "Ask for the number again, or use find_orders.",
            ),
        })
    }

    pub(super) async fn list_appointments(&self, ctx: &Ctx, caller: &Caller) -> Result<Answer, Trouble> {
        let (ctx, permit) = caller.permit(ctx)?;
        let now = self.rules().clock(ctx.now());
        let found = appointments::list(self.store(), &ctx, &permit).await?;
        let ahead: Vec<_> = found.iter().filter(|appointment| appointment.start > now).collect();
        let told: Vec<_> = ahead
            .iter()
            .take(MOST)
            .map(|appointment| answers::appointment(Task::ListAppointments, caller.place(), appointment))
            .collect();
        Ok(Answer::yes(json!({ "appointments": told, "in_all": ahead.len() })))
    }

    pub(super) async fn check_availability(&self, ctx: &Ctx, wanted: &OneDay) -> Result<Answer, Trouble> {
        let now = self.rules().clock(ctx.now());
        let Some(service) = self.rules().service(&wanted.service) else { return Ok(self.no_service()) };
        let Some(day) = date(now.date, &wanted.date) else { return Ok(unclear_day()) };
        if day.0 < now.date {
            return Ok(answers::no_time(NoTime::Past, &self.instead(ctx, now.date, service).await?));
        }
        let free = self.free(ctx, day.0, service).await?;
        if free.is_empty() {
            let instead = self.instead(ctx, day.0, service).await?;
            return Ok(Answer::yes(json!({ "date": day.to_string(), "free": [], "instead": instead })));
        }
        let times: Vec<String> = spread(&free).map(ToString::to_string).collect();
        Ok(Answer::yes(json!({ "date": day.to_string(), "free": times, "in_all": free.len() })))
    }

    pub(super) async fn make_appointment(
        &self,
        ctx: &Ctx,
        caller: &Caller,
        wanted: &OneTime,
    ) -> Result<Answer, Trouble> {
        let now = self.rules().clock(ctx.now());
        let Some(service) = self.rules().service(&wanted.service) else { return Ok(self.no_service()) };
        let Some(Day(day)) = date(now.date, &wanted.date) else { return Ok(unclear_day()) };
        let Some(minute) = time_of_day(&wanted.time) else {
            return Ok(Answer::no(
                "the time could not be understood",
                "Ask for it again, like half past two.",
            ));
        };
        let start = Moment { date: day, minute };
        if let Err(why) = self.rules().quarters(now, start, service) {
            return Ok(answers::no_time(why, &self.instead(ctx, day.max(now.date), service).await?));
        }
        let (ours, permit) = caller.permit(ctx)?;
        let mut tx = self.store().begin(&ours).await?;
        match appointments::make(&mut tx, &permit, start, &service.name, service.minutes).await {
            Ok(made) => {
                // Counted when its own stands there, so that two at once do not both fit.
                let most = u64::from(self.numbers().appointments_ahead);
                if appointments::ahead(&mut tx, &permit, now).await? > most {
                    enforced!(CUS07);
                    drop(tx);
                    return Ok(Answer::no(
                        "this customer has as many appointments ahead as can be made here",
                        "Say so, and offer to hand the caller over to a person.",
                    ));
                }
                let customer = permit.customer(Action::ServeCustomer)?;
                tx.commit(Entry::new(Act::AppointmentMade, customer)).await?;
                let told = answers::appointment(Task::MakeAppointment, caller.place(), &made);
                Ok(Answer::yes(json!({ "made": true, "appointment": told })))
            }
            Err(store::Error::Conflict) => {
                drop(tx);
                self.taken(ctx, caller, start, service).await
            }
            Err(error) => Err(Error::from(error).into()),
        }
    }

    /// Somebody has that time: perhaps the caller, when the answer to the first call was lost.
    async fn taken(
        &self,
        ctx: &Ctx,
        caller: &Caller,
        start: Moment,
        service: &Service,
    ) -> Result<Answer, Trouble> {
        let (ours, permit) = caller.permit(ctx)?;
        let own = appointments::list(self.store(), &ours, &permit).await?;
        if let Some(own) = own.iter().find(|own| own.start == start && own.service == service.name) {
            let told = answers::appointment(Task::MakeAppointment, caller.place(), own);
            return Ok(Answer::yes(json!({ "made": true, "appointment": told })));
        }
        Ok(answers::no_time(NoTime::Taken, &self.instead(ctx, start.date, service).await?))
    }

    /// Free times on `day`, or on the first later day that has any.
    async fn instead(&self, ctx: &Ctx, day: Date, service: &Service) -> Result<Vec<String>, Trouble> {
        for ahead in 0..DAYS {
            let Some(day) = day.checked_add(Duration::days(ahead)) else { break };
            let free = self.free(ctx, day, service).await?;
            if !free.is_empty() {
                return Ok(spread(&free).map(ToString::to_string).collect());
            }
        }
        Ok(Vec::new())
    }

    async fn free(&self, ctx: &Ctx, day: Date, service: &Service) -> Result<Vec<Moment>, Trouble> {
        let (_, permit) = customers::desk(ctx)?;
        let taken = appointments::taken(self.store(), &permit, day).await?;
        Ok(self.rules().free(self.rules().clock(ctx.now()), day, service, &taken))
    }

    fn no_service(&self) -> Answer {
        let names: Vec<&str> = self.rules().services.iter().map(|service| service.name.as_str()).collect();
        Answer::no("there is no such service", &format!("Offer one of these: {}.", names.join(", ")))
    }
}

fn unclear_day() -> Answer {
    Answer::no("the day could not be understood", "Ask for it again, with day and month.")
}

/// A few of the free times, from the first to the last.
fn spread(free: &[Moment]) -> impl Iterator<Item = &Moment> {
    free.iter().step_by(free.len().div_ceil(TIMES).max(1)).take(TIMES)
}
