//! Hostile and friendly Markdown.

use domain::verifies;
use proptest::prelude::*;

use super::*;

/// What people have tried elsewhere: markup, addresses, attributes, entities, parser quirks.
const HOSTILE: &[&str] = &[
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><animate onbegin=alert(1) attributeName=x>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<math href=\"javascript:alert(1)\">x</math>",
    "<iframe srcdoc=\"<script>alert(1)</script>\">",
    "<body onload=alert(1)>",
    "<a href=\"javascript:alert(1)\">x</a>",
    "<a href=\" javascript:alert(1)\" onclick=alert(1)>x</a>",
    "<p style=\"background:url(javascript:alert(1))\">x</p>",
    "<style>@import 'https://evil.example/x.css';</style>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<meta http-equiv=refresh content=\"0;url=https://evil.example\">",
    "<base href=https://evil.example/>",
    "<form action=https://evil.example><input name=q><button formaction=javascript:alert(1)>go",
    "<object data=javascript:alert(1)>",
    "<embed src=javascript:alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<video><source onerror=alert(1)>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "<textarea></textarea><script>alert(1)</script>",
    "<!--><script>alert(1)</script>-->",
    "<!-- --!><script>alert(1)</script> -->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml-stylesheet href=\"javascript:alert(1)\"?>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\nscript:alert(1))",
    "[x](java&#x0A;script:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](\u{1}javascript:alert(1))",
    "[x](vbscript:msgbox)",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](//evil.example)",
    "[x](/sign-out)",
    "[x](file:///etc/passwd)",
    "[x](https://a.example \"\\\" onmouseover=alert(1) x=\\\"\")",
    "[x](<https://a.example/\" onmouseover=\"alert(1)>)",
    "[x][r]\n\n[r]: javascript:alert(1)",
    "<javascript:alert(1)>",
    "![x](javascript:alert(1))",
    "![x](https://evil.example/p.png?leak=1)",
    "![x\" onerror=\"alert(1)](x)",
    "![<img src=x onerror=alert(1)>](https://a.example)",
    "```\"><script>alert(1)</script>\n<script>alert(1)</script>\n```",
    "```html onload=alert(1)\n<img src=x onerror=alert(1)>\n```",
    "```js\n`</code></pre><script>alert(1)</script>`\n```",
    "`<script>alert(1)</script>`",
    "    <script>alert(1)</script>",
    "# <script>alert(1)</script> {onclick=alert(1) #id .c style=x}",
    "| a |\n|---|\n| <img src=x onerror=alert(1)> |",
    "- [ ] <img src=x onerror=alert(1)>",
    "$\\text{<img src=x onerror=alert(1)>}$",
    "$$\\href{javascript:alert(1)}{x}$$",
    "$\\unicode{x3c}script\\unicode{x3e}$",
    "$\\color{red;background:url(x)}x$",
    "$\\class{x\" onclick=\"alert(1)}{y}$",
    "$</math><script>alert(1)</script>$",
    "$\\operatorname{<svg onload=alert(1)>}$",
    "\\[ \\text{</span><script>alert(1)</script>} \\]",
    "\u{FDD0}0\u{FDD1} `x` ```js\n1\n```",
    "&#xFDD0;0&#xFDD1;\n\n```\nset aside\n```",
    "[\u{FDD0}0\u{FDD1}](https://a.example/\u{FDD0}0\u{FDD1} \"\u{FDD0}0\u{FDD1}\")\n\n```\nx\n```",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\u{0}<script\u{0}>alert(1)</script>",
    "<script\u{2028}>alert(1)</script>",
    "<a\thref=java\tscript:alert(1)>x</a>",
    "<a href=\"https://ok.example\" ping=\"https://evil.example\" download target=_self>x</a>",
    "<div id=\"rail\" class=\"dialog\">clobber</div>",
    "<a id=attributes><a id=attributes name=x>",
];

/// Reads `html` as a page would and panics on anything that acts, loads or styles.
fn assert_harmless(html: &str) {
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let tag = &rest[at + 1..];
        let end = tag.find('>').unwrap_or(tag.len());
        let inside = tag[..end].to_ascii_lowercase();
        let name: String =
            inside.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
        for forbidden in [
            "script",
            "style",
            "svg",
            "img",
            "iframe",
            "object",
            "embed",
            "form",
            "input",
            "link",
            "meta",
            "base",
            "video",
            "audio",
            "template",
            "details",
            "textarea",
            "noscript",
            "body",
            "annotation",
            "maction",
        ] {
            assert_ne!(name, forbidden, "{html}");
        }
        for forbidden in [" on", " style=", "javascript:", "vbscript:", "data:", " id=", " name=", " src="] {
            assert!(!inside.replace(['\t', '\n', '/'], " ").contains(forbidden), "{forbidden:?} in {html}");
        }
        if let Some(href) = inside.split("href=\"").nth(1) {
            assert!(
                ["http://", "https://", "mailto:"].iter().any(|scheme| href.starts_with(scheme)),
                "{html}"
            );
        }
        rest = &tag[end..];
    }
}

#[test]
fn hostile_answers_are_harmless() {
    let _proof = verifies!(WEB06);
    for text in HOSTILE {
        assert_harmless(&render(text, &LABELS));
        let mut growing = Growing::new(LABELS);
        for c in text.chars() {
            growing.push(c.encode_utf8(&mut [0; 4]));
            let piece = growing.tick();
            assert_harmless(&piece.settled);
            assert_harmless(&piece.tail);
        }
    }
}

#[test]
fn marks_cannot_be_forged() {
    for text in ["\u{FDD0}0\u{FDD1}\n\n```\nsecret\n```", "&#xFDD0;0&#xFDD1;\n\n```\nsecret\n```"] {
        assert_eq!(render(text, &LABELS).matches("secret").count(), 1);
    }
}

#[test]
fn raw_html_is_shown_as_it_was_written() {
    assert_eq!(render("a <b>c</b>", &LABELS), "<p>a &lt;b&gt;c&lt;/b&gt;</p>\n");
    assert!(render("a<br>b", &LABELS).contains("<br>"));
}

#[test]
fn links_lead_outside_and_say_so() {
    let html = render("[x](https://a.example/?q=1&r=2)", &LABELS);
    assert!(html.contains("href=\"https://a.example/?q=1&amp;r=2\""), "{html}");
    assert!(
        html.contains("rel=\"noopener noreferrer nofollow\"") && html.contains("target=\"_blank\""),
        "{html}"
    );
}

#[test]
fn links_that_lead_nowhere_are_only_their_words() {
    assert_eq!(render("[x](javascript:alert(1)) [y](/sign-out)", &LABELS), "<p>x y</p>\n");
    let html = render("[![cat](https://a.example/cat.png)](https://b.example)", &LABELS);
    assert_eq!(html.matches("<a ").count(), 1, "{html}");
}

#[test]
fn pictures_are_not_loaded() {
    let html = render("![a cat](https://a.example/cat.png)", &LABELS);
    assert!(html.contains(">Picture: a cat</a>") && !html.contains("<img"), "{html}");
}

#[test]
fn code_is_coloured_with_classes_and_can_be_copied() {
    let html = render("```rust\nfn main() {}\n```", &LABELS);
    assert!(html.contains("s-keyword") || html.contains("s-storage"), "{html}");
    assert!(html.contains("data-act=\"copy-code\"") && !html.contains("style="), "{html}");
}

#[test]
fn tables_scroll_within_themselves() {
    let html = render("| a | b |\n|:--|--:|\n| 1 | 2 |", &LABELS);
    assert!(
        html.starts_with("<div class=\"table\" role=\"group\" tabindex=\"0\"") && html.ends_with("</div>"),
        "{html}"
    );
    assert!(html.contains("<th>a</th>") && html.contains("<td>2</td>"), "{html}");
}

#[test]
fn formulas_become_mathml_in_both_ways_of_writing() {
    for text in ["so $x^2$ is", "so \\(x^2\\) is"] {
        let html = render(text, &LABELS);
        assert!(html.contains("<math") && html.contains("<msup"), "{html}");
    }
    let html =
        render("\\[\\int_0^1 \\frac{a}{b}\\,dx = \\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}\\]", &LABELS);
    assert!(html.contains("<mfrac") && html.contains("<mtable"), "{html}");
    let html = render("$a \\log_2 n$", &LABELS);
    assert!(html.contains("<msub><mi>log</mi><mn>2</mn></msub>"), "the space is not the base: {html}");
    assert!(render("`\\(x\\)` and $5 and $10", &LABELS).contains("\\(x\\)"));
    assert!(!render("it costs $5 and then $10", &LABELS).contains("<math"));
    assert!(render("$\\undefinedcommand{$", &LABELS).contains("undefinedcommand"));
}

#[test]
fn headings_never_skip_a_level() {
    let html = render("### a\n\n# b\n\n## c\n\n###### d", &LABELS);
    for level in ["<h3>a", "<h3>b", "<h4>c", "<h5>d"] {
        assert!(html.contains(level), "{html}");
    }
}

#[test]
fn boxes_are_named() {
    let html = render("- [x] one\n- [ ] two", &LABELS);
    assert!(html.contains("aria-label=\"done\"") && html.contains("aria-label=\"to do\""), "{html}");
}

#[test]
fn nesting_has_a_floor() {
    let html = render(&format!("{}x", "> ".repeat(5_000)), &LABELS);
    assert!(html.matches("<blockquote>").count() <= 16);
    let html = render(&(0..200).map(|n| format!("{}- x\n", "  ".repeat(n))).collect::<String>(), &LABELS);
    assert!(html.matches("<ul>").count() <= 16);
}

#[test]
fn huge_texts_are_shown_plain_and_quickly() {
    let html = render(&"[".repeat(MAX_BYTES + 1), &LABELS);
    assert!(html.starts_with("<pre"));
    let html = render(&format!("```rust\n{}\n```", "fn a() {}\n".repeat(20_000)), &LABELS);
    assert!(!html.contains("s-keyword"));
}

/// A long answer with every kind of block, cut anywhere.
const SAMPLE: &str = "# Title\n\nA paragraph with **bold**, `code` and $x^2$.\nSecond line.\n\n1. one\n\n2. two\n   - deep\n\n     more\n\n3. three\n\n```rust\nfn main() {\n\n    1;\n}\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> quote\nlazy\n\n\\[\na = b\n- c\n\\]\n\n```sh\necho $$\n```\n\n$$\nx\n+ y\n$$\n\nlast *line*\n===\n\n* * *\n\nend";

/// What the reader has on the page after the text arrived in `cuts`, resuming at the cut `resume`.
fn watched(text: &str, cuts: &[usize], resume: usize) -> String {
    let mut page = String::new();
    let mut tail = String::new();
    let mut growing = Growing::new(LABELS);
    let mut from = 0;
    for (index, to) in cuts.iter().copied().chain([text.len()]).enumerate() {
        growing.push(&text[from..to]);
        from = to;
        let piece = growing.tick();
        page.push_str(&piece.settled);
        tail = piece.tail;
        if index == resume {
            growing = Growing::new(LABELS);
            growing.push(&text[..to]);
            growing.skip_settled();
        }
    }
    page + &tail
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_growing_answer_ends_as_the_whole_one(
        mut cuts in proptest::collection::vec(0..SAMPLE.len(), 0..40),
        resume in 0_usize..40,
    ) {
        cuts.sort_unstable();
        let whole = render(SAMPLE, &LABELS);
        let seen = watched(SAMPLE, &cuts, resume);
        // Only the line ends between blocks differ, which no reader sees.
        prop_assert_eq!(seen.replace('\n', ""), whole.replace('\n', ""));
    }

    #[test]
    fn nothing_that_acts_comes_out(text in "[<>/\"'=!\\[\\]()`$\\\\#|*_~ \\n:;&a-z0-9-]{0,120}") {
        assert_harmless(&render(&text, &LABELS));
    }

    #[test]
    fn pieces_of_attacks_put_together_stay_harmless(
        parts in proptest::collection::vec((0..HOSTILE.len(), "[ \\n`$*>|-]{0,4}"), 1..5),
    ) {
        let text: String = parts.iter().map(|(at, glue)| format!("{}{glue}", HOSTILE[*at])).collect();
        assert_harmless(&render(&text, &LABELS));
    }

    #[test]
    fn any_formula_is_harmless(source in "[\\\\a-zA-Z{}^_&<>\"'= 0-9%#-]{0,80}") {
        assert_harmless(&render(&format!("${source}$ $${source}$$"), &LABELS));
    }
}

/// Inputs that cost some parser, somewhere, the square of their length.
const COSTLY: &[fn(usize) -> String] = &[
    |n| "\\(".repeat(n / 2),
    |n| "\\[".repeat(n / 2),
    |n| "$$x ".repeat(n / 4),
    |n| "*a **b ".repeat(n / 7),
    |n| "`a``b```c".repeat(n / 9),
    |n| "[a](".repeat(n / 4),
    |n| format!("{}x{}", "![".repeat(n / 6), "](y)".repeat(n / 6)),
    |n| ">".repeat(n / 2) + "a\n" + &"a\n".repeat(n / 4),
    |n| "- ".repeat(n / 4) + "x\n" + &"x\n".repeat(n / 4),
    |n| "1. ".repeat(n / 6) + "x\n" + &"x\n".repeat(n / 4),
    |n| "&amp".repeat(n / 4),
    |n| "<a ".repeat(n / 3),
    |n| "°".repeat(n / 2),
    |n| format!("`{}`", "&".repeat(n)),
    |n| format!("[x](https://a.example/{})", "&".repeat(n)),
];

/// How much drawing costs: the time this thread has worked, however long it waited for others.
fn cost(text: &str, runs: usize) -> u64 {
    let draw = || {
        let before = worked();
        let _ = render(text, &LABELS);
        let mut growing = Growing::new(LABELS);
        growing.push(text);
        let _ = growing.tick();
        worked() - before
    };
    (0..runs).map(|_| draw()).min().unwrap_or_default()
}

/// Nanoseconds this thread has run on a processor, as the kernel counts them.
fn worked() -> u64 {
    // The count is brought up to date when the thread gives way.
    std::thread::yield_now();
    let counted = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    counted.split(' ').next().unwrap().parse().unwrap()
}

#[test]
fn the_cost_of_a_hostile_text_grows_as_its_length() {
    for (n, make) in COSTLY.iter().enumerate() {
        let (short, long) = (cost(&make(8 * 1024), 3), cost(&make(64 * 1024), 1));
        // Eight times the text: about 8 times the work, and 64 times where it grows as the square.
        assert!(long < short.max(1_000_000) * 28, "{n}: {short} ns of work, then {long}");
    }
}

#[test]
fn a_formula_is_looked_for_no_further_than_it_may_reach() {
    let near = format!("\\({}\\)", "x".repeat(2_000));
    assert!(formula::with_dollar_signs(&near).starts_with("$x"));
    let far = format!("\\({}é\\)", "x".repeat(2_000));
    assert_eq!(formula::with_dollar_signs(&far), far);
}

#[test]
fn a_line_that_opens_too_much_is_shown_plain_and_usual_ones_are_not() {
    for deep in
        [">".repeat(101), "- ".repeat(101), "1. ".repeat(101), "\t".repeat(101), "> ".repeat(101) + "x"]
    {
        assert!(events::too_deep(&format!("usual\n{deep}")), "{deep:?}");
        assert!(render(&deep, &LABELS).starts_with("<pre"));
    }
    for usual in
        ["-".repeat(500), "*".repeat(500), "1".repeat(500), "=".repeat(500), "x ".repeat(500), "> ".repeat(9)]
    {
        assert!(!events::too_deep(&usual), "{usual:?}");
    }
}

#[test]
fn long_texts_come_out_as_they_went_in() {
    for text in ["é & ° x ".repeat(1_000), "&".repeat(5_000), "`a` b ".repeat(2_000)] {
        let html = render(&text, &LABELS);
        let plain =
            html.replace("<code>", "`").replace("</code>", "`").replace("<p>", "").replace("</p>", "");
        assert_eq!(plain.trim().replace("&amp;", "&"), text.trim());
    }
}
