"""A text is surveyed and hashed rightly however it falls into blocks."""

from __future__ import annotations

import hashlib
import random
import threading

import pytest

from duecourse.intake import text
from duecourse.intake.text import Hashing, TextSource, detect_encoding, survey


def content(chance):
    if chance.random() < 0.3:
        return b"\n".join(chance.choice([b'"a",b', b'x"y"', b'"a,b', b"a", b""]) for _ in range(chance.randrange(1, 6)))
    signs = b'ab\n"\n,"' + (b"\r\0" if chance.random() < 0.1 else b"")
    return bytes(chance.choice(signs) for _ in range(chance.randrange(1, 30)))


@pytest.mark.parametrize("few", [0, 3, 1000])
def test_a_survey_does_not_depend_on_the_blocks(tmp_path, monkeypatch, few):
    monkeypatch.setattr(text, "FEW_QUOTES", few)
    chance = random.Random(few)
    path = tmp_path / "text"
    for _ in range(1500):
        written = content(chance)
        path.write_bytes(written)
        monkeypatch.setattr(text, "BLOCK_BYTES", chance.randrange(1, 9))
        told = survey(TextSource(path))
        even = all(line.count(b'"') % 2 == 0 for line in written.split(b"\n"))
        lines, returns, nuls = (written.count(sign) for sign in (b"\n", b"\r", b"\0"))
        assert (told.lines, told.quotes, told.nuls, told.size_bytes) == (lines, written.count(b'"'), nuls, len(written))
        assert told.plain == (even and not nuls and returns in (0, lines)), written
        assert told.ends_with_line == written.endswith((b"\n", b"\r"))


def test_a_text_is_surveyed_while_its_encoding_is_told(tmp_path, monkeypatch):
    path = tmp_path / "text"
    monkeypatch.setattr(text, "BLOCK_BYTES", 3)
    for written, plain in (("a,ü\n北京,b\n", True), ('a,"b\nü"\n', False)):
        path.write_text(written, encoding="utf-8")
        source = detect_encoding(path, "", "")
        assert source.encoding == "utf-8"
        assert source.surveyed is not None
        assert source.surveyed == survey(TextSource(path))
        assert source.surveyed.plain == plain
    path.write_bytes("é,è\n".encode("cp1252"))
    assert detect_encoding(path, "", "").surveyed is None


def test_the_fingerprint_is_that_of_the_whole_file(tmp_path, monkeypatch):
    monkeypatch.setattr(text, "HASHED_BYTES", 7)
    path = tmp_path / "file"
    for size in (1, 7, 8, 100):
        path.write_bytes(bytes(range(size)))
        with Hashing(path) as hashing:
            assert hashing.result() == hashlib.sha256(path.read_bytes()).hexdigest()


def test_hashing_ends_when_the_file_is_given_up(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"x" * 1000)
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt), Hashing(path):
        raise KeyboardInterrupt
    assert threading.active_count() == before
