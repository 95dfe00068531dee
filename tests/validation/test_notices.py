"""The page of the notices says what the code gives, and every figure of a notice has its source."""

from __future__ import annotations

from validation import notices


def test_the_page_of_the_notices_is_what_the_code_gives(root) -> None:
    assert (root / "docs/notices.md").read_text("utf-8") == notices.page()


def test_every_notice_names_its_source_and_what_was_not_told(root) -> None:
    files = sorted((root / "examples/notices").glob("*.yaml"))
    assert len(files) == 10
    for path in files:
        text = path.read_text("utf-8")
        assert "source: FACTS" in text or "source: METHODS" in text
        assert "not told" in text or "was not read" in text or "not told" in text.lower()
