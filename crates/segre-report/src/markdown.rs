//! Markdown that has been read, as HTML: what scrolls there can be reached by keyboard.

use pulldown_cmark::{Event, html};

/// The HTML of some events; code and tables, which scroll where they are too wide, take the focus.
pub fn html<'a>(events: impl Iterator<Item = Event<'a>>) -> String {
    let mut text = String::new();
    html::push_html(&mut text, events);
    // Words of a document are escaped: these are its elements.
    text.replace("<pre>", "<pre tabindex=\"0\">")
        .replace("<table>", "<table tabindex=\"0\">")
        // A corner without a word is no heading.
        .replace("<th></th>", "<td></td>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulldown_cmark::{Options, Parser};

    #[test]
    fn code_and_tables_take_the_focus_and_words_do_not_change() {
        let text = "`<pre>`\n\n    code\n\n|a||\n|-|-|\n|b|c|\n";
        let found = html(Parser::new_ext(text, Options::ENABLE_TABLES));
        assert!(found.contains("<code>&lt;pre&gt;</code>"), "{found}");
        assert!(found.contains("<pre tabindex=\"0\"><code>code"), "{found}");
        assert!(found.contains("<table tabindex=\"0\"><thead>"), "{found}");
        assert!(found.contains("<th>a</th><td></td>"), "{found}");
    }
}
