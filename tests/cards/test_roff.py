from __future__ import annotations

from gitreg.cards.roff import escape, to_man_page

PAGE = """# A page: of two parts

Words in `code-like --form`, and *others* of [a link](https://example.com).

## Part

- one
- two

1. first

| name | meaning | note |
|---|---|---|
| `a` | the first of all that are there | of two |

```console
$ echo 'a\\b' ~ ^
.hidden
```
"""


def test_a_page_has_its_title_under_name_and_each_block_in_its_macro() -> None:
    lines = to_man_page(PAGE, "gitreg-page", 7).splitlines()
    assert lines[:6] == [
        "'\\\" t", '.TH GITREG\\-PAGE 7 "" gitreg "Model registry"', ".ad l", ".nh", ".SH NAME",
        "gitreg\\-page \\- a page: of two parts",
    ]  # fmt: skip
    assert "Words in \\fBcode\\-like \\-\\-form\\fR, and \\fIothers\\fR of a link (https://example.com)." in lines
    assert lines[lines.index("Part") - 1] == ".SH"
    assert [line for line in lines if line.startswith(".IP")] == [".IP • 4", ".IP • 4", ".IP 1. 4"]
    table = lines[lines.index(".TS") : lines.index(".TE")]
    assert table[1:4] == ["allbox;", "lb lxb lb", "l lx l."], "only what is wide is broken"
    assert table[-5:] == ["T}\tT{", "the first of all that are there", "T}\tT{", "of two", "T}"]


def test_code_keeps_its_signs_and_no_line_is_taken_for_a_macro() -> None:
    text = to_man_page(PAGE, "gitreg-page", 7)
    assert "$ echo \\(aqa\\eb\\(aq \\(ti \\(ha\n\\&.hidden\n" in text
    assert escape(".x\n'y\n-z") == "\\&.x\n\\&'y\n-z"
