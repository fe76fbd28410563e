//! Made by `cargo xtask trace --write` from policy/controls. Do not edit.

/// A control of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(usize)]
pub enum Control {
    /// See policy/controls.
    ACC01,
    /// See policy/controls.
    ACC02,
    /// See policy/controls.
    AID01,
    /// See policy/controls.
    AUD01,
    /// See policy/controls.
    AUD02,
    /// See policy/controls.
    AUT01,
    /// See policy/controls.
    AUT02,
    /// See policy/controls.
    AUT03,
    /// See policy/controls.
    AUT04,
    /// See policy/controls.
    AUT05,
    /// See policy/controls.
    AUT06,
    /// See policy/controls.
    AUT07,
    /// See policy/controls.
    CFG01,
    /// See policy/controls.
    CFG02,
    /// See policy/controls.
    CRY01,
    /// See policy/controls.
    CRY02,
    /// See policy/controls.
    CRY03,
    /// See policy/controls.
    CRY04,
    /// See policy/controls.
    CRY05,
    /// See policy/controls.
    CRY06,
    /// See policy/controls.
    DAT01,
    /// See policy/controls.
    DAT02,
    /// See policy/controls.
    DAT03,
    /// See policy/controls.
    KEY01,
    /// See policy/controls.
    LOG01,
    /// See policy/controls.
    MOD01,
    /// See policy/controls.
    MOD02,
    /// See policy/controls.
    MOD03,
    /// See policy/controls.
    SEC01,
    /// See policy/controls.
    SES01,
    /// See policy/controls.
    SES02,
    /// See policy/controls.
    SES03,
    /// See policy/controls.
    STO01,
    /// See policy/controls.
    STO02,
    /// See policy/controls.
    STO03,
    /// See policy/controls.
    SUP01,
    /// See policy/controls.
    WEB01,
    /// See policy/controls.
    WEB02,
    /// See policy/controls.
    WEB03,
    /// See policy/controls.
    WEB04,
    /// See policy/controls.
    WEB05,
    /// See policy/controls.
    WEB06,
    /// See policy/controls.
    WEB07,
    /// See policy/controls.
    WEB08,
    /// See policy/controls.
    WEB09,
}

impl Control {
    /// Every control, in order of its token.
    pub const ALL: [Self; 45] = [
        Self::ACC01,
        Self::ACC02,
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
        Self::CFG01,
        Self::CFG02,
        Self::CRY01,
        Self::CRY02,
        Self::CRY03,
        Self::CRY04,
        Self::CRY05,
        Self::CRY06,
        Self::DAT01,
        Self::DAT02,
        Self::DAT03,
        Self::KEY01,
        Self::LOG01,
        Self::MOD01,
        Self::MOD02,
        Self::MOD03,
        Self::SEC01,
        Self::SES01,
        Self::SES02,
        Self::SES03,
        Self::STO01,
        Self::STO02,
        Self::STO03,
        Self::SUP01,
        Self::WEB01,
        Self::WEB02,
        Self::WEB03,
        Self::WEB04,
        Self::WEB05,
        Self::WEB06,
        Self::WEB07,
        Self::WEB08,
        Self::WEB09,
    ];

    /// The token of this control, e.g. `ACC01`.
    #[must_use]
    pub const fn token(self) -> &'static str {
        match self {
            Self::ACC01 => "ACC01",
            Self::ACC02 => "ACC02",
            Self::AID01 => "AID01",
            Self::AUD01 => "AUD01",
            Self::AUD02 => "AUD02",
            Self::AUT01 => "AUT01",
            Self::AUT02 => "AUT02",
            Self::AUT03 => "AUT03",
            Self::AUT04 => "AUT04",
            Self::AUT05 => "AUT05",
            Self::AUT06 => "AUT06",
            Self::AUT07 => "AUT07",
            Self::CFG01 => "CFG01",
            Self::CFG02 => "CFG02",
            Self::CRY01 => "CRY01",
            Self::CRY02 => "CRY02",
            Self::CRY03 => "CRY03",
            Self::CRY04 => "CRY04",
            Self::CRY05 => "CRY05",
            Self::CRY06 => "CRY06",
            Self::DAT01 => "DAT01",
            Self::DAT02 => "DAT02",
            Self::DAT03 => "DAT03",
            Self::KEY01 => "KEY01",
            Self::LOG01 => "LOG01",
            Self::MOD01 => "MOD01",
            Self::MOD02 => "MOD02",
            Self::MOD03 => "MOD03",
            Self::SEC01 => "SEC01",
            Self::SES01 => "SES01",
            Self::SES02 => "SES02",
            Self::SES03 => "SES03",
            Self::STO01 => "STO01",
            Self::STO02 => "STO02",
            Self::STO03 => "STO03",
            Self::SUP01 => "SUP01",
            Self::WEB01 => "WEB01",
            Self::WEB02 => "WEB02",
            Self::WEB03 => "WEB03",
            Self::WEB04 => "WEB04",
            Self::WEB05 => "WEB05",
            Self::WEB06 => "WEB06",
            Self::WEB07 => "WEB07",
            Self::WEB08 => "WEB08",
            Self::WEB09 => "WEB09",
        }
    }
}

/// The numbers of the policy: defaults from policy/controls, overridden by the deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// Minutes without a request after which a session ends (SES01).
    pub idle_minutes: u32,
    /// Hours after which a session ends however busy (SES02).
    pub absolute_hours: u32,
    /// Fewest characters of a password (AUT01).
    pub password_min_chars: u32,
    /// Days after which a password must be changed (AUT01).
    pub password_max_days: u32,
    /// Earlier passwords that may not be used again (AUT07).
    pub password_history: u32,
    /// Days a server certificate is valid (CRY05).
    pub certificate_days: u32,
    /// Failed sign-ins before each further try must wait (AUT06).
    pub failures_before_throttle: u32,
}

impl Default for Numbers {
    fn default() -> Self {
        Self {
            idle_minutes: 30,
            absolute_hours: 12,
            password_min_chars: 12,
            password_max_days: 90,
            password_history: 24,
            certificate_days: 90,
            failures_before_throttle: 5,
        }
    }
}
