//! Customers come in by file, as samples, and go when nothing is heard of them.

use assistant::{
    Desk, Error,
    customers::{Imported, Kind, MAX_IMPORT_BYTES},
};
use domain::{
    Action, Actor, Job,
    access::{Role, Roles},
    control::Numbers,
    verifies,
};
use serde_json::json;
use store::customers;
use testkit::both_engines;

use super::{FILE, Line, assistant, desk, filled, operator};

fn faults(report: &Imported) -> Vec<String> {
    report.problems.iter().map(|p| format!("{}: {} {}", p.at, p.field, p.what)).collect()
}

both_engines!(an_import_is_whole_or_nothing_and_names_faults_without_values, |home| {
    let _proof = verifies!(CUS09);
    let (assistant, ctx) = (assistant(&home, desk()), operator(&home));
    let customers = assistant.customers();
    let count = async || {
        let permit = home.instance(Job::Operator, Action::ManageCustomers);
        customers::count(&home.store, &permit).await.unwrap().0
    };
    let dry = customers.import(&ctx, FILE.as_bytes(), Kind::Json, true).await.unwrap();
    assert_eq!((dry.customers, dry.orders, dry.appointments, dry.taken), (3, 3, 1, false));
    assert_eq!((dry.problems.len(), count().await), (0, 0));

    let csv = "customer_id,name,phone,email,date_of_birth\n\
               CUST0010,Dora Marked,+12025550110,dora@example.com,1970-01-01\n\
               CUST0010,Emil Marked,+12025550111,emil@example.com,\n\
               CUST0011,,12,not-an-address,1970-02-30\n\
               marked id,Farah Marked,,,\n\
               CUST0012,Gopal Marked\n";
    let report = customers.import(&ctx, csv.as_bytes(), Kind::Csv, false).await.unwrap();
    assert_eq!(
        faults(&report),
        [
            "line 6:  the line has more or fewer fields than there are columns",
            "line 3: customer_id comes twice in this file",
            "line 4: name is missing",
            "line 4: phone is no telephone number",
            "line 4: email is no e-mail address",
            "line 4: date_of_birth is not a day like 2026-11-24",
            "line 5: customer_id is not a number like CUST0042",
        ]
    );
    assert!(!report.taken && count().await == 0);
    assert!(!format!("{:?}", serde_json::to_string(&report)).contains("Marked"));

    let good = "name,customer_id,phone\r\n\"Dora \"\"D\"\", Marked\",CUST0010,(202) 555-0110\r\n";
    let report = customers.import(&ctx, good.as_bytes(), Kind::Csv, false).await.unwrap();
    assert!(report.taken && count().await == 1, "{report:?}");
    let orders = "order_number,customer_id,placed,status,items\n\
                  ORD0100,CUST0010,2025-12-24,Pending,Tea kettle; Wall clock\n";
    let report = customers.import(&ctx, orders.as_bytes(), Kind::Csv, false).await.unwrap();
    assert!(report.taken, "{report:?}");
    let again = customers.import(&ctx, orders.as_bytes(), Kind::Csv, false).await.unwrap();
    assert_eq!(faults(&again), ["line 2: order_number is in the register already"]);
    let stray = orders.replace("CUST0010", "CUST0099").replace("ORD0100", "ORD0101");
    let stray = customers.import(&ctx, stray.as_bytes(), Kind::Csv, false).await.unwrap();
    assert_eq!(faults(&stray), ["line 2: customer_id is nobody in the register"]);

    for (text, kind) in [
        ("", Kind::Csv),
        ("name,colour\nAnn,red\n", Kind::Csv),
        ("name,name,customer_id\n", Kind::Csv),
        ("name\nAnn\n", Kind::Csv),
        ("{", Kind::Json),
        ("[]", Kind::Json),
        (r#"{"customers":[{"customer_id":"CUST0001","name":"A","colour":"red"}]}"#, Kind::Json),
        (r#"{"customers":[{"customer_id":1}]}"#, Kind::Json),
    ] {
        let report = customers.import(&ctx, text.as_bytes(), kind, false).await.unwrap();
        assert!(!report.taken && report.problems.len() == 1, "{text}: {report:?}");
    }
    for (start, what) in [
        ("2026-01-05 14:05", "customer 1: start is not on a quarter of an hour"),
        ("2026-01-05 23:45", "customer 1: start is too late: the appointment would end after midnight"),
    ] {
        let late = FILE.replace("2026-01-05 10:00", start);
        let report = customers.import(&ctx, late.as_bytes(), Kind::Json, false).await.unwrap();
        assert_eq!(faults(&report), [what]);
    }
    let large = vec![b' '; MAX_IMPORT_BYTES + 1];
    let refused = customers.import(&ctx, &large, Kind::Json, false).await;
    assert!(matches!(refused, Err(Error::TooLong { .. })));
    let person = home.person("Pat").await;
    let refused = customers.import(&person.ctx, FILE.as_bytes(), Kind::Json, false).await;
    assert!(matches!(refused, Err(Error::Denied(_))));
});

both_engines!(samples_are_the_same_each_time_marked_and_gone_with_one_call, |home| {
    let _proof = verifies!(CUS09);
    let (assistant, ctx) = (assistant(&home, desk()), operator(&home));
    let customers = assistant.customers();
    let sue = home.person_with("Sue", Roles::NONE.with(Role::Supervisor)).await;
    let count = customers.fill_with_samples(&ctx).await.unwrap();
    assert_eq!(customers.fill_with_samples(&ctx).await.unwrap(), count, "in place of those that are there");
    let (turnout, listed) = customers.list(&sue.ctx).await.unwrap();
    assert_eq!((turnout.customers, turnout.samples), (count as u64, count as u64));
    assert!(listed.iter().all(|one| one.sample));
    for said in ["cust twenty four", "+1 202 555 0124", "yusuf dot sample at example dot com"] {
        let id = customers.find(&sue.ctx, said).await.unwrap().unwrap();
        let record = customers.open(&sue.ctx, id).await.unwrap();
        assert_eq!(record.confidential.name, "Yusuf Sample", "{said}");
        assert!(record.restricted.is_none());
    }
    assert_eq!(customers.find(&sue.ctx, "cust ninety nine").await.unwrap(), None);
    let mut line = Line::open(&home, &assistant);
    let first = json!({ "email": "asha dot sample at example.com", "date_of_birth": "1960-01-18" });
    assert_eq!(line.ask("verify_customer", first).await["verified"], true);
    assert_eq!(line.ask("list_appointments", json!({})).await["in_all"], 1);
    assert_eq!(customers.remove_samples(&ctx).await.unwrap(), count);
    assert_eq!(customers.remove_samples(&ctx).await.unwrap(), 0);
    let gone = line.result("find_orders", json!({})).await;
    assert!(gone.failed && gone.output.contains("not here any more"), "{}", gone.output);

    // A real customer's appointment does not stand in their way: theirs have the next numbers.
    let real = FILE.split_once(",\n  {\"customer_id\":\"CUST0002\"").unwrap().0.to_owned() + "]}";
    let real = ["CUST", "ORD"].iter().fold(real, |file, series| file.replace(series, &format!("{series}99")));
    let real = real.replace("APT0007", "APT0001").replace("+12025550101", "+12025550199");
    assert!(customers.import(&ctx, real.as_bytes(), Kind::Json, false).await.unwrap().taken);
    assert_eq!(customers.fill_with_samples(&ctx).await.unwrap(), count);
    assert_eq!(customers.remove_samples(&ctx).await.unwrap(), count);

    let report = customers
        .import(&ctx, FILE.replace("ann@", "anna@").replace("10:00", "15:00").as_bytes(), Kind::Json, false)
        .await;
    assert!(report.unwrap().problems.is_empty());
    let refused = customers.fill_with_samples(&ctx).await;
    assert!(matches!(refused, Err(Error::BadImport { .. })), "real customers stay what they are");
    assert_eq!(customers.list(&sue.ctx).await.unwrap().0.samples, 0);
});

both_engines!(customers_of_whom_nothing_is_heard_are_forgotten, |home| {
    let _proof = verifies!(CUS02);
    let numbers = Numbers { customer_days: 20, restricted_days: 10, ..Numbers::default() };
    let assistant = filled(&home, Desk { numbers, ..desk() }).await;
    let customers = assistant.customers();
    let upkeep = home.ctx(Actor::System(Job::Upkeep));
    assert_eq!(customers.sweep(&upkeep).await.unwrap(), Default::default());
    home.clockwork.advance(11 * 24 * 60 * 60);
    let mut line = Line::open(&home, &assistant);
    line.is_ann().await;
    let swept = customers.sweep(&upkeep).await.unwrap();
    assert_eq!((swept.restricted, swept.customers), (1, 0), "Bob's, and not Ann's, who called");
    home.clockwork.advance(11 * 24 * 60 * 60);
    let swept = customers.sweep(&upkeep).await.unwrap();
    assert_eq!((swept.restricted, swept.customers), (1, 2));
});
