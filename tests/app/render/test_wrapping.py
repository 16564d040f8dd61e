"""Texts in lines of a terminal."""

from edge_bench.app.render.text.wrapping import clipped, middle_shortened, wrapped


def test_texts_are_wrapped_clipped_and_shortened_without_breaking_words() -> None:
    text = "a sentence of several words that is wrapped"
    assert wrapped(text, 20) == ["a sentence of", "  several words that", "  is wrapped"]
    assert clipped(text, 20) == ["a sentence of", "  several words …"]
    assert clipped("short", 20) == ["short"]
    assert middle_shortened("abcdefghij", 5) == "ab…ij"
    assert middle_shortened("abc", 5) == "abc"
    assert wrapped("模型模型 模型 模型", 10) == ["模型模型", "  模型", "  模型"]
    assert middle_shortened("模型模型", 8) == "模型模型"
    assert middle_shortened("模型模型模型", 7) == "模…型"
