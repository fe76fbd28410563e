//! The icons: a few strokes each, drawn for this interface, sized by the style sheet.
//!
//! Used by every template. Icons are decoration; the words beside or behind them carry the meaning.

use maud::{Markup, html};

/// An icon of the set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is named after what it shows")]
pub enum Icon {
    Archive,
    Arrow,
    Back,
    Check,
    Circle,
    Close,
    Copy,
    Cross,
    Download,
    Eye,
    Folder,
    Ghost,
    Help,
    Info,
    Key,
    Left,
    Menu,
    More,
    Pencil,
    Pin,
    Plus,
    Print,
    Redo,
    Right,
    Search,
    Shield,
    SignOut,
    Trash,
    Warn,
    Down,
}

impl Icon {
    /// Its strokes on a grid of 24.
    const fn path(self) -> &'static str {
        match self {
            Self::Archive => "M4 8v11h16V8M3 4h18v4H3zM10 12h4",
            Self::Arrow => "M12 19V5M6 11l6-6 6 6",
            Self::Back => "M19 12H5M11 6l-6 6 6 6",
            Self::Check => "M5 12.5l4.5 4.5L19 7.5",
            Self::Circle => "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16z",
            Self::Close => "M6 6l12 12M18 6L6 18",
            Self::Copy => "M9 9h11v11H9zM5 15H4V4h11v1",
            Self::Cross => "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM9.5 9.5l5 5M14.5 9.5l-5 5",
            Self::Download => "M12 4v11M7 11l5 5 5-5M5 20h14",
            Self::Eye => {
                "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z"
            }
            Self::Folder => "M3 6h6l2 2.5h10V19H3z",
            Self::Ghost => "M5 20V11a7 7 0 0 1 14 0v9l-2.3-2-2.3 2-2.4-2-2.4 2-2.3-2zM9.5 11v.5M14.5 11v.5",
            Self::Help => {
                "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM9.7 9.6a2.4 2.4 0 1 1 3.4 2.2c-.8.4-1.1.9-1.1 1.8M12 16.6v.1"
            }
            Self::Info => "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 11v5M12 8v.1",
            Self::Key => {
                "M14.5 9.500a4.500 4.500 0 1 0-3.600 4.400L12.500 15.500h2v2h2v2h3.500v-3l-5.600-5.600M8.500 9.100v.1"
            }
            Self::Left => "M14.5 6l-6 6 6 6",
            Self::Menu => "M4 7h16M4 12h16M4 17h16",
            Self::More => "M6 12h.01M12 12h.01M18 12h.01",
            Self::Pencil => "M4 20l1-4L16.5 4.5l3 3L8 19zM14 7l3 3",
            Self::Pin => "M9 4h6l-.8 6 3.3 3.5h-11L9.8 10zM12 13.500V20",
            Self::Plus => "M12 5v14M5 12h14",
            Self::Print => "M7 9V4h10v5M7 17H4V9h16v8h-3M7 14h10v6H7z",
            Self::Redo => "M19 12a7 7 0 1 1-2.2-5.100M19.5 3.500v4h-4",
            Self::Right => "M9.5 6l6 6-6 6",
            Self::Search => "M10.5 4.500a6 6 0 1 0 0 12 6 6 0 0 0 0-12zM15 15l5 5",
            Self::Shield => {
                "M12 3.500l7.5 2.500v5.500c0 4.5-3 7.5-7.5 9-4.5-1.5-7.5-4.5-7.5-9V6zM8.5 12l2.5 2.5 4.5-5"
            }
            Self::SignOut => "M14 4H5v16h9M10 12h10M16.5 8l4 4-4 4",
            Self::Trash => "M4.5 7h15M9.5 7V4.500h5V7M6.5 7l1 13h9l1-13M10 11v5M14 11v5",
            Self::Warn => "M12 4l9 16H3zM12 10v5M12 17.500v.1",
            Self::Down => "M6 9.500l6 6 6-6",
        }
    }

    /// The icon as markup, hidden from screen readers.
    #[must_use]
    pub fn draw(self) -> Markup {
        self.classed(if matches!(self, Self::More) { "icon more" } else { "icon" })
    }

    /// The icon with its own classes.
    #[must_use]
    pub fn classed(self, class: &str) -> Markup {
        html! { svg class=(class) viewBox="0 0 24 24" aria-hidden="true" { path d=(self.path()) {} } }
    }
}

/// The mark of the house: two rings, joined.
#[must_use]
pub fn rings() -> Markup {
    html! {
        svg viewBox="0 0 30 20" aria-hidden="true" {
            circle cx="10.5" cy="10" r="7.5" {}
            path d="M15.4 15.3a7.5 7.5 0 1 0 0-10.6" {}
        }
    }
}
