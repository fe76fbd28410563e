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

#[cfg(test)]
mod tests {
    use domain::verifies;

    use super::*;

    /// The renderer escapes HTML before it comes here; this is what holds where the renderer errs.
    #[test]
    fn it_lets_nothing_through_that_is_not_listed() {
        let _proof = verifies!(WEB06);
        for (hostile, left) in [
            ("<script>alert(1)</script>a", "a"),
            ("<style>p { display: none }</style>a", "a"),
            ("<p onclick=\"x()\" style=\"x\" id=\"x\">a</p>", "<p>a</p>"),
            ("<svg><script>x()</script></svg><math>a</math>", "a"),
            ("<img src=\"https://a.example/x.png\">a<!-- b -->", "a"),
            ("<iframe src=\"https://a.example\"></iframe><form><input name=\"x\"></form>a", "a"),
        ] {
            assert_eq!(clean(hostile), left);
        }
        for address in ["javascript:x()", "data:text/html,x", "/sign-out", "//a.example"] {
            assert!(!clean(&format!("<a href=\"{address}\">a</a>")).contains("href"), "{address}");
        }
    }
}
