"""Kept pieces of templates: one for all that is the same, and nothing of one page or person in another's."""

from __future__ import annotations

import re

import pytest
from django.template import engines

from duecourse.messages import catalogue, say, use_language
from duecourse.web.pages.templatetags import keeping


def drawn(text: str, **words: object) -> str:
    return engines["django"].from_string(text).render(words)


def test_a_word_of_the_template_is_worked_out_once_for_each_language():
    once = engines["django"].from_string('{% say "web.frame_find" %}|{% say "web.frame_find" as found %}{{ found }}|{% label "overdue" %}')
    for language in ("en", "zh", "en"):
        use_language(language)
        word, variable, _label = once.render({}).split("|")
        assert word == variable == say("web.frame_find")
    use_language("en")


def test_a_word_with_markup_stays_escaped():
    library = keeping.template.Library()
    library.simple_tag(lambda name: f"<b>{name}</b>", name="bold")
    keeping.once(library, "bold", lambda name: f"<b>{name}</b>")
    engine = engines["django"].engine
    template = type(engine.from_string(""))
    engine.template_builtins.append(library)
    try:
        assert template('{% bold "x" %}', engine=engine).render(keeping.template.Context({})) == "&lt;b&gt;x&lt;/b&gt;"
        assert template('{% bold "x" as y %}{{ y }}', engine=engine).render(keeping.template.Context({})) == "&lt;b&gt;x&lt;/b&gt;"
    finally:
        engine.template_builtins.remove(library)


def test_a_piece_is_drawn_up_once_for_its_values_and_what_is_fresh_each_time():
    piece = engines["django"].from_string("{% kept key %}{{ count }}{% fresh %}[{{ name }}]{% endfresh %}{{ key }}{% endkept %}")
    assert piece.render({"key": "a", "count": 1, "name": "x"}) == "1[x]a"
    assert piece.render({"key": "a", "count": 2, "name": "<y>"}) == "1[&lt;y&gt;]a"
    assert piece.render({"key": "b", "count": 3, "name": "z"}) == "3[z]b"
    use_language("zh")
    assert piece.render({"key": "a", "count": 4, "name": "w"}) == "4[w]a"
    use_language("en")


def test_fresh_by_itself_is_what_it_holds():
    assert drawn("{% fresh %}{{ name }}{% endfresh %}", name="x") == "x"


def test_a_piece_that_fails_is_not_kept():
    piece = engines["django"].from_string(
        "{% kept key %}{{ one|add:two }}{% fresh %}{% if bad %}{% url name %}{% endif %}{% endfresh %}{% endkept %}"
    )
    with pytest.raises(Exception, match="nowhere"):
        piece.render({"key": 1, "one": 1, "two": 2, "bad": True, "name": "nowhere"})
    assert piece.render({"key": 1, "one": 1, "two": 2, "bad": False}) == "3"


def test_old_pieces_give_way(monkeypatch):
    monkeypatch.setattr(keeping, "PIECES_KEPT", 3)
    piece = engines["django"].from_string("{% kept key %}{{ key }}{{ more }}{% endkept %}")
    assert [piece.render({"key": number % 5, "more": ""}) for number in range(20)] == [str(number % 5) for number in range(20)]


def test_the_frame_of_one_person_holds_nothing_of_another(signed_in, person):
    """Two administrators and a viewer in turn, in two languages and at two days: names, marks of forms, places and addresses are each one's own."""
    people = [person("admin", "anna-one"), person("admin", "ben-two"), person("viewer", "cai-three")]
    browsers = [(one, signed_in(one)) for one in people]
    for _turn in range(2):
        for address in ("/buyers/", "/buyers/?as_of=2026-06-30&q=ann", "/nothing-here"):
            for language, spoken in (("en", "en"), ("zh-hans", "zh")):
                for one, browser in browsers:
                    one.language = language
                    one.save()
                    page = browser.get(address).content.decode()
                    others = [other.username for other in people if other != one]
                    assert one.username in page
                    assert not any(name in page for name in others)
                    assert catalogue()["web.frame_nav_buyers"][spoken] in page
                    assert ('href="/people/' in page) == (one.role == "admin")
                    assert ("as_of=2026-06-30" in page) == ("as_of" in address)
                    marks = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
                    assert len(marks) >= 2
                    assert f'name="next" value="{address.replace("&", "&amp;")}"' in page
                    assert keeping._MARK not in page
