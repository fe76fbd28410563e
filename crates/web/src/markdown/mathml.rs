//! The allow-list for formulas: MathML Core without anything that acts, links or styles.
//!
//! Called by [`super::formula`] on what the LaTeX renderer made. It reads the markup tag by tag and
//! writes it anew; the first thing it does not know makes the whole formula inadmissible.

/// MathML Core's presentation elements. No `annotation-xml`, `maction`, `semantics`: they hold HTML or act.
const ELEMENTS: [&str; 25] = [
    "math",
    "mrow",
    "mi",
    "mn",
    "mo",
    "ms",
    "mtext",
    "mspace",
    "mfrac",
    "msqrt",
    "mroot",
    "msub",
    "msup",
    "msubsup",
    "munder",
    "mover",
    "munderover",
    "mmultiscripts",
    "mprescripts",
    "none",
    "mtable",
    "mtr",
    "mtd",
    "mpadded",
    "mphantom",
];

/// Attributes that only measure or arrange. No `href`, no `style`, nothing that begins with `on`.
const ATTRIBUTES: [&str; 22] = [
    "display",
    "displaystyle",
    "scriptlevel",
    "stretchy",
    "symmetric",
    "largeop",
    "movablelimits",
    "accent",
    "accentunder",
    "linethickness",
    "lspace",
    "rspace",
    "minsize",
    "maxsize",
    "width",
    "height",
    "depth",
    "voffset",
    "form",
    "fence",
    "separator",
    "mathvariant",
];

/// Elements whose first child is what they are attached to.
const ATTACHED: [&str; 7] = ["msub", "msup", "msubsup", "munder", "mover", "munderover", "mmultiscripts"];

/// Deepest nesting of one formula.
const MAX_DEPTH: usize = 64;

/// `markup` written anew from what is allowed, or `None` when something is not.
pub(super) fn admitted(markup: &str) -> Option<String> {
    let mut out = String::with_capacity(markup.len());
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut rest = markup.trim();
    if !rest.starts_with("<math") {
        return None;
    }
    while !rest.is_empty() {
        let at = rest.find('<').unwrap_or(rest.len());
        text(&rest[..at], &mut out);
        rest = &rest[at..];
        let Some(tag) = rest.strip_prefix('<') else { break };
        let end = tag.find('>')?;
        element(&tag[..end], &mut open, &mut out)?;
        rest = &tag[end + 1..];
        if open.is_empty() && !rest.is_empty() {
            return None;
        }
    }
    open.is_empty().then_some(out)
}

/// Copies text, keeping the references that are already there.
fn text(text: &str, out: &mut String) {
    for (index, part) in text.split('&').enumerate() {
        if index > 0 {
            let name = part.split_once(';').map_or("", |(name, _)| name);
            let known = matches!(name, "amp" | "lt" | "gt" | "quot" | "apos")
                || name
                    .strip_prefix('#')
                    .is_some_and(|n| n.len() < 8 && n.chars().all(|c| c.is_ascii_alphanumeric()));
            out.push_str(if known { "&" } else { "&amp;" });
        }
        out.push_str(&part.replace('>', "&gt;"));
    }
}

/// Copies one tag: what stood between `<` and `>`.
fn element<'m>(tag: &'m str, open: &mut Vec<Open<'m>>, out: &mut String) -> Option<()> {
    if let Some(name) = tag.strip_prefix('/') {
        if open.pop()?.name != name.trim_end() {
            return None;
        }
        out.push_str("</");
        out.push_str(name.trim_end());
        out.push('>');
        return Some(());
    }
    let (tag, closed) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
    let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
    if !ELEMENTS.contains(&name) || open.len() >= MAX_DEPTH {
        return None;
    }
    let mut start = format!("<{name}");
    copy_attributes(attributes, &mut start)?;
    start.push('>');
    if closed {
        let whole = format!("{start}</{name}>");
        // The renderer puts the space before `\log_2` inside the script, where it would be the base.
        match open.last_mut().filter(|one| name == "mspace" && one.is_empty_script(out)) {
            Some(script) => {
                out.insert_str(script.at, &whole);
                script.at += whole.len();
                script.inside += whole.len();
            }
            None => out.push_str(&whole),
        }
    } else {
        let at = out.len();
        out.push_str(&start);
        open.push(Open { name, at, inside: out.len() });
    }
    Some(())
}

/// An element that is not closed yet, and where it stands in what was written.
struct Open<'m> {
    name: &'m str,
    at: usize,
    inside: usize,
}

impl Open<'_> {
    /// Whether this wants a base and has nothing inside yet.
    fn is_empty_script(&self, out: &str) -> bool {
        ATTACHED.contains(&self.name) && self.inside == out.len()
    }
}

fn copy_attributes(mut rest: &str, out: &mut String) -> Option<()> {
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Some(());
        }
        let (name, after) = rest.split_once("=\"")?;
        let (value, after) = after.split_once('"')?;
        rest = after;
        let plain = |extra: &str| value.chars().all(|c| c.is_ascii_alphanumeric() || extra.contains(c));
        let allowed = match name {
            // Colours chosen by a model could hide words; they are left out.
            "style" => continue,
            "class" => {
                plain("- ")
                    && value.split(' ').all(|c| {
                        c.starts_with("menv-")
                            || c.starts_with("cell-")
                            || c.starts_with("mop-")
                            || c == "small"
                    })
            }
            name => ATTRIBUTES.contains(&name) && plain(".%- "),
        };
        if !allowed {
            return None;
        }
        for part in [" ", name, "=\"", value, "\""] {
            out.push_str(part);
        }
    }
}
