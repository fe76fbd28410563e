//! `troth verify`: the checks against a real instance, asked by the instance, by a command, and alone.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
};

use domain::verifies;
use serde_json::Value;
use server::Instance;

use crate::{house::Place, valkey::Valkey};

/// The controls that have a fault, with the reason.
fn faults(report: &Value) -> Vec<String> {
    let controls = report["controls"].as_array().unwrap();
    let faulty = controls.iter().filter(|control| !control["fault"].is_null());
    faulty.map(|control| format!("{}: {}", control["control"], control["fault"])).collect()
}

#[test]
fn every_control_holds_on_a_running_instance_and_on_one_that_is_asked_alone() {
    testkit::run(async {
        let place = Place::new();
        let instance =
            place.start("[web]\nredirect = [\"127.0.0.1:0\"]\nhosts = [\"troth.example\"]").await.unwrap();
        let report = serde_json::to_value(instance.verify().await.unwrap()).unwrap();
        assert_eq!(faults(&report), Vec::<String>::new());

        let asked = place.troth(&["verify", "--json"]).output().unwrap();
        assert_eq!(asked.status.code(), Some(0), "{}", String::from_utf8_lossy(&asked.stderr));
        assert_eq!(faults(&serde_json::from_slice(&asked.stdout).unwrap()), Vec::<String>::new());
        instance.stop().await;

        fs::write(place.data().join("troth.toml"), "[web]\nredirect = [\"127.0.0.1:1\"]\n").unwrap();
        let alone = place.troth(&["verify", "--json"]).output().unwrap();
        assert_eq!(alone.status.code(), Some(0), "{}", String::from_utf8_lossy(&alone.stderr));
        let report: Value = serde_json::from_slice(&alone.stdout).unwrap();
        assert_eq!(faults(&report), Vec::<String>::new());
        assert!(report.to_string().contains("The plain listener led a page to HTTPS"), "asked alone as well");
    });
}

#[test]
fn a_control_that_does_not_hold_is_found_and_ends_in_exit_3() {
    testkit::run(async {
        let place = Place::new();
        let instance = place.start("[web]\nhosts = [\"troth.example\"]\nhsts_seconds = 0").await.unwrap();
        fs::set_permissions(place.data(), Permissions::from_mode(0o755)).unwrap();
        let asked = place.troth(&["verify", "--json"]).output().unwrap();
        assert_eq!(asked.status.code(), Some(3));
        let faults = faults(&serde_json::from_slice(&asked.stdout).unwrap()).join("\n");
        assert!(faults.contains("WEB02"), "{faults}");
        instance.stop().await;
    });
}

/// The finding about one control.
async fn finding(instance: &Instance, control: &str) -> (bool, String) {
    let report = serde_json::to_value(instance.verify().await.unwrap()).unwrap();
    let controls = report["controls"].as_array().unwrap();
    let one = controls.iter().find(|one| one["control"] == control).unwrap();
    (one["fault"].is_null(), one.to_string())
}

#[test]
fn a_key_others_can_read_or_own_is_found_wherever_it_lies() {
    let _proof = verifies!(DAT01);
    testkit::run(async {
        let place = Place::new();
        let instance = place.start("").await.unwrap();
        for file in [
            place.data(),
            place.data().join("keyring.json"),
            place.key_file(),
            place.data().join("tls/server.key.json"),
            place.data().join("tls/authority.key.json"),
        ] {
            let before = fs::metadata(&file).unwrap().permissions();
            assert!(finding(&instance, "DAT01").await.0, "{} before", file.display());
            fs::set_permissions(&file, Permissions::from_mode(before.mode() | 0o044)).unwrap();
            let (held, said) = finding(&instance, "DAT01").await;
            assert!(!held && said.contains("can read"), "{}: {said}", file.display());
            fs::set_permissions(&file, before).unwrap();
            // Only who is root can give a file away, and only then is there something to find.
            if std::os::unix::fs::chown(&file, Some(54_321), None).is_ok() {
                let (held, said) = finding(&instance, "DAT01").await;
                assert!(!held && said.contains("belongs to another"), "{}: {said}", file.display());
                std::os::unix::fs::chown(&file, Some(0), None).unwrap();
            }
        }
        instance.stop().await;
    });
}

#[test]
fn a_limit_in_the_way_of_a_check_is_no_breach() {
    testkit::run(async {
        let place = Place::new();
        let instance = place.start("[policy]\npages_a_minute = 1\naddress_times = 1\n").await.unwrap();
        // Whatever is asked first, the next is one too many.
        let (_, said) = finding(&instance, "WEB02").await;
        assert!(said.contains("too many requests come from this machine"), "{said}");
        assert!(!said.contains("has no strict"), "nothing was learnt about headers: {said}");
        instance.stop().await;

        let place = Place::new();
        let instance = place.start("[web]\ndeny = [\"127.0.0.0/8\"]\n").await.unwrap();
        for control in ["WEB02", "WEB07", "SES04", "WEB10", "ACC03"] {
            let (held, said) = finding(&instance, control).await;
            assert!(!held && said.contains("kept out by the address lists"), "{control}: {said}");
        }
        instance.stop().await;
    });
}

#[test]
fn replicas_that_cannot_count_together_are_found() {
    testkit::run(async {
        let mut valkey = Valkey::start().await;
        let place = Place::new();
        let instance = place.start(&valkey.settings()).await.unwrap();
        let (held, said) = finding(&instance, "WEB10").await;
        assert!(held && said.contains("by all replicas together"), "{said}");
        valkey.stop();
        let (held, said) = finding(&instance, "WEB10").await;
        assert!(!held && said.contains("does not answer"), "configured, and not there: {said}");
        instance.stop().await;
    });
}
