//! `troth verify`: the checks against a real instance, asked by the instance, by a command, and alone.

use serde_json::Value;

use crate::house::Place;

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

        std::fs::write(place.data().join("troth.toml"), "[web]\nredirect = [\"127.0.0.1:1\"]\n").unwrap();
        let alone = place.troth(&["verify", "--json"]).output().unwrap();
        assert_eq!(alone.status.code(), Some(0), "{}", String::from_utf8_lossy(&alone.stderr));
        let report: Value = serde_json::from_slice(&alone.stdout).unwrap();
        assert_eq!(faults(&report), Vec::<String>::new());
        assert!(report.to_string().contains("The plain listener led a page to HTTPS"), "asked alone as well");
    });
}

#[test]
fn a_control_that_does_not_hold_is_found_and_ends_in_exit_3() {
    use std::os::unix::fs::PermissionsExt;
    testkit::run(async {
        let place = Place::new();
        let instance = place.start("[web]\nhosts = [\"troth.example\"]\nhsts_seconds = 0").await.unwrap();
        std::fs::set_permissions(place.data(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let asked = place.troth(&["verify", "--json"]).output().unwrap();
        assert_eq!(asked.status.code(), Some(3));
        let faults = faults(&serde_json::from_slice(&asked.stdout).unwrap()).join("\n");
        assert!(faults.contains("WEB02"), "{faults}");
        instance.stop().await;
    });
}
