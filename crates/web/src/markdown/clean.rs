//! The sanitiser: what may be in an answer, element by element.
//!
//! Called by [`super::piece`] on every piece of HTML before the set-aside parts go back in.

use std::{collections::HashSet, sync::LazyLock};

use ammonia::{Builder, UrlRelative};
use domain::enforced;

/// The elements an answer may have. No `svg`, `math`, `style`, `img`, `input`, no containers of scripts.
const ELEMENTS: [&str; 27] = [
    "a",
    "blockquote",
    "br",
    "code",
    "del",
    "em",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
    "span",
];

static SANITISER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::empty();
    builder
        .tags(HashSet::from(ELEMENTS))
        .tag_attributes([("a", HashSet::from(["href"])), ("ol", HashSet::from(["start"]))].into())
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer nofollow"))
        .set_tag_attribute_value("a", "target", "_blank")
        .clean_content_tags(HashSet::from(["script", "style"]))
        .strip_comments(true);
    builder
});

/// `html` with everything removed that is not on the lists above.
pub(super) fn clean(html: &str) -> String {
    enforced!(WEB06);
    SANITISER.clean(html).to_string()
}
