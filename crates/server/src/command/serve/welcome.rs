//! What is printed once the instance listens.

use crate::{instance::Instance, outside};

/// Prints where to go, and what to do the first time.
pub(super) fn print(instance: &Instance) {
    let colour = outside::is_colour_welcome();
    let strong = |text: &str| if colour { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() };
    let url = instance.url();
    outside::say(format_args!("Troth {} is listening.\n", env!("CARGO_PKG_VERSION")));
    if let Some(code) = instance.setup_code() {
        line("Set up", &strong(&format!("{url}/setup#{}", code.expose())));
        line("", "Open this link to make the first account. It works once.");
    } else {
        line("Address", &strong(&url));
    }
    line("Data", &instance.folder().path().display().to_string());
    if let Some(authority) = instance.authority() {
        line("Trust", &authority.display().to_string());
        line(
            "",
            "Browsers warn until they trust this certificate, which is for this instance's names alone:",
        );
        line("", "import it under Certificates, Authorities. Going on past the warning works as well.");
    }
    line("End", "Ctrl-C");
    outside::say("");
}

fn line(name: &str, text: &str) {
    outside::say(format_args!("  {name:8} {text}"));
}
