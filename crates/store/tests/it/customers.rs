//! The register of customers, on both engines: sealed, found by keyed hashes, opened with an entry, never two
//! at one time, and gone with its key.

use domain::{
    Action, Actor, Job, Permit, Resource,
    access::{Role, Roles},
    audit::{Act, Entry},
    authorize,
    customer::{Confidential, Day, Details, Internal, Moment, Order, Phone, Restricted, Series, Status},
    id::{CustomerId, MailId, OrderId},
    mail::{Address, Mail},
    verifies,
};
use sqlx::{Connection, Row};
use store::{
    Error, audit,
    customers::{self, Handle, New, appointments, orders, verification},
};
use testkit::{Home, Person, both_engines};
use tokio::task::JoinSet;

use crate::entry;

/// Callers who want the same time at once.
const WRITERS: usize = 64;

fn new(home: &Home, number: u64) -> New {
    let ctx = home.ctx(Actor::System(Job::Operator));
    New {
        id: CustomerId::fresh(&ctx),
        sample: false,
        details: Details {
            internal: Internal { reference: Series::Customer.numbered(number), since: None },
            confidential: Confidential {
                name: format!("Marked Name {number}"),
                phone: Phone::from_digits(&format!("1202555{number:04}")).ok(),
                email: Address::read(&format!("marked{number}@example.com")).ok(),
                address: Some("1 Marked Street".to_owned()),
            },
            restricted: Some(Restricted {
                born: Day::read("1985-07-04").ok(),
                note: Some("marked note".to_owned()),
            }),
        },
        orders: vec![(
            OrderId::fresh(&ctx),
            Order {
                reference: Series::Order.numbered(number),
                placed: Day::read("2026-01-02").unwrap(),
                status: Status::Shipped,
                expected: None,
                items: vec!["marked lamp".to_owned()],
                total: None,
            },
        )],
        appointments: Vec::new(),
    }
}

async fn keep(home: &Home, new: &New) -> Result<(), Error> {
    let mut tx = home.store.begin(&home.ctx(Actor::System(Job::Operator))).await?;
    customers::create(&mut tx, &home.instance(Job::Operator, Action::ManageCustomers), new).await?;
    tx.commit(Entry::new(Act::CustomersImported, "")).await
}

async fn supervisor(home: &Home) -> Person {
    home.person_with("Sue", Roles::NONE.with(Role::Supervisor)).await
}

fn on_instance(person: &Person, action: Action) -> Permit {
    authorize(&person.ctx, action, Resource::Instance).unwrap()
}

fn serves(home: &Home, customer: CustomerId) -> Permit {
    let ctx = home.ctx(Actor::System(Job::Desk));
    authorize(&ctx, Action::ServeCustomer, Resource::Customer(customer)).unwrap()
}

fn at(text: &str) -> Moment {
    Moment::try_from(text.to_owned()).unwrap()
}

both_engines!(a_customer_lies_sealed_and_is_found_by_keyed_hashes_alone, |home| {
    let _proof = verifies!(CUS01);
    let ann = new(&home, 42);
    keep(&home, &ann).await.unwrap();
    let sue = supervisor(&home).await;
    let reads = on_instance(&sue, Action::ReadCustomers);
    for handle in Handle::all(&ann.details) {
        assert_eq!(customers::find(&home.store, &reads, &handle).await.unwrap(), Some(ann.id));
    }
    let other = Handle::Reference("CUST0043".to_owned());
    assert_eq!(customers::find(&home.store, &reads, &other).await.unwrap(), None);
    let mut raw = home.raw().await;
    let mut seen = Vec::new();
    for query in [
        "SELECT internal AS value FROM customers",
        "SELECT confidential AS value FROM customers",
        "SELECT restricted AS value FROM customers",
        "SELECT record AS value FROM customer_orders",
        "SELECT hash AS value FROM customer_lookups",
        "SELECT lookup AS value FROM customer_orders",
    ] {
        for row in sqlx::query(query).fetch_all(&mut raw).await.unwrap() {
            seen.extend(row.try_get::<Vec<u8>, _>("value").unwrap());
        }
    }
    raw.close().await.unwrap();
    let seen = String::from_utf8_lossy(&seen).to_lowercase();
    for marked in ["marked", "cust0042", "ord0042", "12025550042", "1985"] {
        assert!(!seen.contains(marked), "{marked} lies there in clear");
    }
    // The same number, telephone or address twice is refused, and nothing of the second remains.
    for change in [0, 1, 2] {
        let mut twin = new(&home, 43);
        match change {
            0 => twin.details.internal.reference = "CUST0042".to_owned(),
            1 => twin.details.confidential.phone = ann.details.confidential.phone.clone(),
            _ => twin.details.confidential.email = Address::read("MARKED42@example.com").ok(),
        }
        assert!(matches!(keep(&home, &twin).await, Err(Error::Conflict)), "{change}");
        assert_eq!(customers::count(&home.store, &reads).await.unwrap(), (1, 0));
    }
});

both_engines!(every_opening_is_noted_and_restricted_fields_need_their_own_permit, |home| {
    let _proof = verifies!(CUS03);
    let ann = new(&home, 1);
    keep(&home, &ann).await.unwrap();
    let sue = supervisor(&home).await;
    let (reads, restricted) =
        (on_instance(&sue, Action::ReadCustomers), on_instance(&sue, Action::ReadRestricted));
    let record = customers::open(&home.store, &sue.ctx, &reads, ann.id).await.unwrap();
    assert_eq!(record.confidential, ann.details.confidential);
    assert!(record.restricted.is_none() && record.has_restricted);
    assert_eq!(record.orders.len(), 1);
    let whole = customers::open(&home.store, &sue.ctx, &restricted, ann.id).await.unwrap();
    assert_eq!(whole.restricted, ann.details.restricted);
    let desk = home.ctx(Actor::System(Job::Desk));
    orders::list(&home.store, &desk, &serves(&home, ann.id)).await.unwrap();
    let listed = customers::list(&home.store, &sue.ctx, &reads, 10).await.unwrap();
    assert_eq!(listed[0].internal, ann.details.internal);

    let looks = home.instance(Job::Checks, Action::ReadInstance);
    let register = customers::register(&home.store, &looks, sue.ctx.now(), sue.ctx.now()).await.unwrap();
    assert_eq!((register.opened, register.entries, register.unnoted), (3, 3, 0));
    home.spoil("UPDATE customers SET opened = opened + 1").await;
    let register = customers::register(&home.store, &looks, sue.ctx.now(), sue.ctx.now()).await.unwrap();
    assert_eq!(register.unnoted, 1);
    let records = audit::list(&home.store, &looks, 0, 100).await.unwrap();
    let target = ann.id.to_string();
    let of = |act: Act| records.iter().filter(|one| one.act == act.name() && one.target == target).count();
    assert_eq!((of(Act::CustomerOpened), of(Act::RestrictedOpened)), (2, 1));
    // What cannot be noted is not opened.
    let nobody = CustomerId::fresh(&sue.ctx);
    let refused = customers::open(&home.store, &sue.ctx, &reads, nobody).await;
    assert!(matches!(refused, Err(Error::NotFound)));
    let other = customers::open(&home.store, &sue.ctx, &serves(&home, ann.id), ann.id).await;
    assert!(matches!(other, Err(Error::Denied(_))), "a caller's permit opens no record for staff");
});

both_engines!(a_permit_for_one_customer_reaches_no_other, |home| {
    let (ann, bob) = (new(&home, 1), new(&home, 2));
    keep(&home, &ann).await.unwrap();
    keep(&home, &bob).await.unwrap();
    let desk = home.ctx(Actor::System(Job::Desk));
    let own = orders::list(&home.store, &desk, &serves(&home, ann.id)).await.unwrap();
    assert_eq!(own.iter().map(|order| &*order.reference).collect::<Vec<_>>(), ["ORD0001"]);
    let verify = home.instance(Job::Desk, Action::VerifyCustomer);
    assert!(verification::has_order(&home.store, &verify, ann.id, "ORD0001").await.unwrap());
    assert!(!verification::has_order(&home.store, &verify, ann.id, "ORD0002").await.unwrap());
    let refused = orders::list(&home.store, &desk, &verify).await;
    assert!(matches!(refused, Err(Error::Denied(_))));
});

both_engines!(no_time_is_booked_twice_however_many_ask_at_once, |home| {
    let _proof = verifies!(CUS07);
    let mut callers = JoinSet::new();
    for number in 0..WRITERS as u64 {
        let customer = new(&home, number + 1);
        keep(&home, &customer).await.unwrap();
        let (store, desk, permit) =
            (home.store.clone(), home.ctx(Actor::System(Job::Desk)), serves(&home, customer.id));
        // Half an hour each, beginning at ten or a quarter past: any two of them overlap.
        let start = at(if number % 2 == 0 { "2026-02-02 10:00" } else { "2026-02-02 10:15" });
        callers.spawn(async move {
            let mut tx = store.begin(&desk).await.unwrap();
            match appointments::make(&mut tx, &permit, start, "Review", 30).await {
                Ok(_) => tx.commit(entry()).await.map(|()| true).unwrap(),
                Err(Error::Conflict) => false,
                Err(error) => panic!("{error}"),
            }
        });
    }
    let mut made = 0;
    while let Some(done) = callers.join_next().await {
        made += usize::from(done.unwrap());
    }
    assert_eq!(made, 1);
    let verify = home.instance(Job::Desk, Action::VerifyCustomer);
    let taken = appointments::taken(&home.store, &verify, at("2026-02-02 00:00").date).await.unwrap();
    assert_eq!(taken.len(), 2, "two quarters of one appointment");
    let looks = home.instance(Job::Checks, Action::ReadInstance);
    let now = home.clockwork.now();
    let register = customers::register(&home.store, &looks, now, now).await.unwrap();
    assert_eq!((register.appointments, register.without_slot), (1, 0));
});

both_engines!(erasing_a_customer_takes_every_row_and_the_key, |home| {
    let _proof = verifies!(CUS08);
    let (ann, bob) = (new(&home, 1), new(&home, 2));
    keep(&home, &ann).await.unwrap();
    keep(&home, &bob).await.unwrap();
    let desk = home.ctx(Actor::System(Job::Desk));
    let mut tx = home.store.begin(&desk).await.unwrap();
    let permit = serves(&home, ann.id);
    appointments::make(&mut tx, &permit, at("2026-02-02 10:00"), "Review", 30).await.unwrap();
    tx.commit(entry()).await.unwrap();

    let verify = home.instance(Job::Desk, Action::VerifyCustomer);
    let mut tx = home.store.begin(&desk).await.unwrap();
    for customer in [ann.id, bob.id] {
        let code = Mail::CallerCode { code: "123456".to_owned(), minutes: 10 };
        let id = MailId::fresh(&desk);
        assert!(verification::queue_code(&mut tx, &verify, customer, id, code).await.unwrap());
        let whose = verification::Whose::Known(customer);
        verification::count_try(&mut tx, &verify, whose, desk.now()).await.unwrap();
    }
    tx.commit(entry()).await.unwrap();
    // A copy from before, as somebody may have made one of the rows.
    home.spoil("CREATE TABLE a_copy AS SELECT * FROM customers").await;

    let mut tx = home.store.begin(&desk).await.unwrap();
    let manages = home.instance(Job::Operator, Action::ManageCustomers);
    let erased = customers::erase(&mut tx, &manages, ann.id).await.unwrap();
    tx.commit(Entry::new(Act::CustomerErased, ann.id)).await.unwrap();
    assert_eq!((erased.orders, erased.appointments), (1, 1));
    let left = orders::list(&home.store, &desk, &permit).await;
    assert!(matches!(left, Err(Error::NotFound)));
    let mut raw = home.raw().await;
    for table in
        ["customers", "customer_lookups", "customer_orders", "appointments", "appointment_slots", "outbox"]
    {
        let column = match table {
            "customers" => "id",
            "appointment_slots" => "appointment",
            _ => "customer",
        };
        let query = format!("SELECT COUNT(*) AS n FROM {table} WHERE {column} <> '{}'", bob.id);
        let left: i64 =
            sqlx::query(sqlx::AssertSqlSafe(query)).fetch_one(&mut raw).await.unwrap().try_get("n").unwrap();
        assert_eq!(left, 0, "{table}");
    }
    for (query, wanted) in [
        ("SELECT COUNT(*) AS n FROM deks WHERE subject LIKE 'customer:%'", 1),
        ("SELECT COUNT(*) AS n FROM outbox", 1),
        ("SELECT COUNT(*) AS n FROM customer_tries", 1),
    ] {
        let left: i64 = sqlx::query(query).fetch_one(&mut raw).await.unwrap().try_get("n").unwrap();
        assert_eq!(left, wanted, "Bob's alone: {query}");
    }
    raw.close().await.unwrap();
    // The row put back is not read: its key is gone, from memory as well.
    home.spoil(&format!("INSERT INTO customers SELECT * FROM a_copy WHERE id = '{}'", ann.id)).await;
    let sue = supervisor(&home).await;
    let reads = on_instance(&sue, Action::ReadCustomers);
    let back = customers::open(&home.store, &sue.ctx, &reads, ann.id).await;
    assert!(matches!(back, Err(Error::NotFound)), "{back:?}");
    home.spoil(&format!("DELETE FROM customers WHERE id = '{}'", ann.id)).await;
    let looks = home.instance(Job::Checks, Action::ReadInstance);
    let now = home.clockwork.now();
    let register = customers::register(&home.store, &looks, now, now).await.unwrap();
    assert_eq!((register.customers, register.keys_left, register.without_key), (1, 0, 0));
    assert_eq!(register.stray_codes, 0);
    let again = customers::erase(&mut home.store.begin(&desk).await.unwrap(), &manages, ann.id).await;
    assert!(matches!(again, Err(Error::NotFound)));
});

both_engines!(whoever_is_heard_of_meanwhile_is_not_forgotten, |home| {
    let (ann, touched) = (new(&home, 1), home.clockwork.now());
    keep(&home, &ann).await.unwrap();
    let upkeep = home.ctx(Actor::System(Job::Upkeep));
    let manages = home.instance(Job::Upkeep, Action::ManageCustomers);
    let mut tx = home.store.begin(&upkeep).await.unwrap();
    let kept = customers::erase_unheard(&mut tx, &manages, ann.id, touched).await;
    assert!(matches!(kept, Err(Error::NotFound)));
    drop(tx);
    assert_eq!(customers::count(&home.store, &manages).await.unwrap(), (1, 0));
    let mut tx = home.store.begin(&upkeep).await.unwrap();
    customers::erase_unheard(&mut tx, &manages, ann.id, touched.plus_seconds(1)).await.unwrap();
    tx.commit(entry()).await.unwrap();
    assert_eq!(customers::count(&home.store, &manages).await.unwrap(), (0, 0));
});

both_engines!(tries_are_counted_over_all_calls_and_restricted_fields_end, |home| {
    let ann = new(&home, 1);
    keep(&home, &ann).await.unwrap();
    let desk = home.ctx(Actor::System(Job::Desk));
    let verify = home.instance(Job::Desk, Action::VerifyCustomer);
    let known = verification::Whose::Known(ann.id);
    let unknown = Handle::Reference("CUST0099".to_owned());
    let unknown = verification::Whose::Unknown(&unknown);
    let since = desk.now();
    for whose in [known, unknown] {
        for wanted in 1..=3 {
            let mut tx = home.store.begin(&desk).await.unwrap();
            assert_eq!(verification::count_try(&mut tx, &verify, whose, since).await.unwrap(), wanted);
            tx.commit(entry()).await.unwrap();
        }
    }
    home.clockwork.advance(60);
    let mut tx = home.store.begin(&desk).await.unwrap();
    let later = verification::count_try(&mut tx, &verify, unknown, desk.now()).await.unwrap();
    assert_eq!(later, 1, "a new window begins anew");
    verification::succeeded(&mut tx, &verify, ann.id).await.unwrap();
    assert_eq!(verification::count_try(&mut tx, &verify, known, since).await.unwrap(), 1);
    tx.commit(entry()).await.unwrap();

    let born = Day::read("1985-07-04").unwrap();
    assert!(verification::was_born_on(&home.store, &verify, ann.id, born).await.unwrap());
    let manages = home.instance(Job::Upkeep, Action::ManageCustomers);
    let mut tx = home.store.begin(&desk).await.unwrap();
    assert_eq!(customers::remove_restricted(&mut tx, &manages, desk.now()).await.unwrap(), 1);
    tx.commit(entry()).await.unwrap();
    assert!(!verification::was_born_on(&home.store, &verify, ann.id, born).await.unwrap());
});
