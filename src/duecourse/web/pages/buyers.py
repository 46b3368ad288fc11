"""The list of buyers: searched as one types, filtered, sorted, with the columns a person wants, a page at a time or all of it as a file.  买方列表"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import pyarrow as pa
from django.http import Http404, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from duecourse.desk.listing import BuyersQuery, export_buyers, facets, list_buyers
from duecourse.desk.standing import BUCKETS
from duecourse.errors import DuecourseError
from duecourse.glossary import label
from duecourse.messages import say
from duecourse.reference.countries import COUNTRIES
from duecourse.tables import Column, Money, named, shown
from duecourse.web.accounts.access import gate
from duecourse.web.addresses import path_of
from duecourse.web.books import book_of
from duecourse.web.pages import views
from duecourse.web.pages.asking import FILTERS, LIMITED, PER_PAGE, TERMS, buyers_asked
from duecourse.web.pages.columns import (
    AGEING,
    BUYER_CHOICE,
    NUMBERS,
    SORTED_BY,
    Cells,
    Head,
    capital,
    heading,
    hint,
    in_few_digits,
    list_column,
)
from duecourse.web.pages.exports import checked_form, file_of, texts_of
from duecourse.web.pages.pager import Pager
from duecourse.web.pages.rows import rows_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from django.http import HttpRequest, HttpResponse

    from duecourse.desk.listing import BuyersPage
    from duecourse.ledger.book import Book
    from duecourse.web.pages.asking import Asked

FOUND: Final = 8
LOOKED_AT: Final = 40


@dataclass(frozen=True)
class Chip:
    """A filter that is on: what it says, the address without it, and the field of the form it stands for."""

    words: str
    url: str
    name: str
    value: str


def _read(request: HttpRequest, book: Book, own: Sequence[str] = ()) -> Asked:
    return buyers_asked(request.GET, own, lambda: book.base_currency)


@require_safe
@gate("read")
def buyers(request: HttpRequest) -> HttpResponse:
    """The list; asked for by a part of itself, that part alone."""
    liked = views.liking(request, "buyers")
    bare = set(request.GET) <= {"as_of", "known_at"}
    if bare and (liked.default or liked.columns) and not request.htmx:  # type: ignore[attr-defined]
        # The address says all that is seen, so that it can be sent to a colleague.
        own = urlencode({"columns": ",".join(liked.columns)}) if liked.columns else ""
        return HttpResponseRedirect(views.address(request, "buyers", liked.default.query if liked.default else own, liked.default))
    book = book_of(request)
    words: dict[str, Any] = {"book": book, "liked": liked, "fault": "", "menus": [], "per_page": PER_PAGE, "room": "buyers"}
    status = 200
    try:
        asked = _read(request, book, liked.columns)
        page = list_buyers(book, asked.query)
        if not page.rows and page.total:  # an old address: the list has become shorter
            asked = asked.at(-(-page.total // asked.per))
            page = list_buyers(book, asked.query)
        words |= _words(request, asked, page) | {"asked": asked}
    except DuecourseError as error:
        words["fault"], status, asked = error.message(), 422, None
    if request.htmx:  # type: ignore[attr-defined]
        answer = render(request, "pages/_buyers.html", words, status=status)
        if asked is not None:
            answer["HX-Push-Url"] = _url(request, asked.address(page=_page_word(asked)))
    else:
        words |= {"form": _form(request, asked, words.get("amounts_in", ""))}
        answer = render(request, "pages/buyers.html", words, status=status)
    patch_vary_headers(answer, ["HX-Request"])
    return answer


def _page_word(asked: Asked) -> str:
    return str(asked.page) if asked.page > 1 else ""


def _url(request: HttpRequest, words: str) -> str:
    view = request.GET.get("view", "")
    more = {**request.viewpoint.query, **({"view": view} if view.isdecimal() else {})}  # type: ignore[attr-defined]
    query = "&".join(filter(None, (words, urlencode(more))))
    return f"{path_of('buyers')}?{query}" if query else path_of("buyers")


def _words(request: HttpRequest, asked: Asked, page: BuyersPage) -> dict[str, Any]:
    base = page.base_currency
    columns = [list_column(name, base) if name != AGEING else Column(AGEING, "text", heading(AGEING)) for name in asked.columns]
    writer = rows_for(request.viewpoint.query)  # type: ignore[attr-defined]
    whole = next((one for one in page.totals), None) if len(page.totals) == 1 else page.base
    return {
        "heads": [_head(request, asked, column) for column in (Column("name", heading=heading("name")), Column("currency", heading=heading("currency")), *columns)],
        "body": writer.buyers(page.rows, Cells(columns, base)),
        "totals": writer.totals(page.totals, page.base),
        "page": page,
        "headline": {
            "currency": whole["currency"],
            **{name: in_few_digits(whole[name], whole["currency"]) for name in ("outstanding", "overdue")},
            "share": shown(whole["overdue"] / whole["outstanding"], "fraction") if whole["outstanding"] else "",
        } if whole else None,
        "chips": _chips(request, asked),
        "pager": Pager(asked.page, asked.per, page.total, lambda number: _url(request, asked.address(page=str(number) if number > 1 else None))),
        "kept": [(name, value) for name, value in asked.words if name in ("sort", "dir", "columns", "per")],
        "query": asked.kept,
        "exports": {form: f"{path_of('buyers_export', form)}?{asked.address(**request.viewpoint.query)}" for form in ("csv", "xlsx")},  # type: ignore[attr-defined]
        "amounts_in": page.amounts_in,
        "clear_url": _url(request, "&".join(f"{name}={value}" for name, value in asked.words if name in ("columns", "per"))),
        "per_urls": [(number, _url(request, asked.address(per=None if number == 50 else str(number)))) for number in PER_PAGE],
    }  # fmt: skip


def _head(request: HttpRequest, asked: Asked, column: Column) -> Head:
    by = SORTED_BY.get(column.name, column.name)
    name, falls = asked.query.sorted_by
    is_sorted = name == by
    url = _url(request, asked.address(sort=column.name, dir=("asc" if falls else "desc") if is_sorted else None))
    return Head(
        column.name,
        column.heading,
        hint(column.name),
        column.kind in NUMBERS,
        url,
        ("descending" if falls else "ascending") if is_sorted else "",
    )


def value_words(word: str, value: str) -> str:
    """A value of a filter as people read it; the empty one is "without"."""
    if not value:
        return say("web.buyers_without")
    if word == "country" and value in COUNTRIES:
        return f"{value} {COUNTRIES[value].name()}"
    return value


def _chips(request: HttpRequest, asked: Asked) -> list[Chip]:
    found = []
    for name, value in asked.words:
        if name in ("sort", "dir", "columns", "per"):
            continue
        others = [(other, told) for other, told in asked.words if (other, told) != (name, value)]
        found.append(Chip(_chip_words(name, value), _url(request, urlencode(others)), name, value))
    return found


def _chip_words(name: str, value: str) -> str:
    if name == "q":
        return say("web.buyers_chip_text", text=value)
    if name == "overdue":
        return say("web.buyers_overdue_only")
    if name == "bucket":
        return say("web.buyers_chip_is", name=capital(label("bucket")), value=label(value))
    kind, _, figure = name.partition("_")
    if kind in ("min", "max"):
        return say(f"web.buyers_chip_{kind}", name=heading(figure), value=value)
    return say("web.buyers_chip_is", name=capital(label(TERMS[name])), value=value_words(name, value))


# The form above the list


def _form(request: HttpRequest, asked: Asked | None, amounts_in: str) -> dict[str, Any]:
    """What the fields hold."""
    limits = asked.limits if asked else {}
    query = asked.query if asked else BuyersQuery()
    chosen = {word: sorted(getattr(query, name)) for word, name in FILTERS.items()}
    columns = asked.columns if asked else ()
    # What is drawn up once for the same values of these keys is only worked out then: a template calls what can be called.
    return {
        "text": query.text,
        "menus_key": tuple(tuple(values) for values in chosen.values()),
        "menus": lambda: [
            {"word": word, "title": capital(label(TERMS[word])), "chosen": [(value, value_words(word, value)) for value in values]}
            for word, values in chosen.items()
        ],
        "overdue": query.overdue_only,
        "bucket": query.bucket,
        "buckets": lambda: [(name, capital(label(name))) for name in BUCKETS],
        "limits_key": (query.bucket, amounts_in, tuple(sorted(limits.items()))),
        "limits": lambda: [
            {"name": name, "title": heading(name), "unit": _unit(name, amounts_in), "min": limits.get(f"min_{name}", ""), "max": limits.get(f"max_{name}", "")}
            for name in LIMITED
        ],
        "limited": len(limits) + bool(query.bucket),
        "columns_key": columns,
        "columns": lambda: [
            {"title": say(title), "names": [{"name": name, "title": heading(name, say("web.buyers_base")), "on": name in columns} for name in names]}
            for title, names in BUYER_CHOICE.items()
        ],
        "day": request.viewpoint.query.items(),  # type: ignore[attr-defined]
    }  # fmt: skip


def _unit(name: str, amounts_in: str) -> str:
    kind = list_column(name).kind
    return {"fraction": "%", "days": say("web.buyers_days")}.get(kind, amounts_in)


@require_safe
@gate("read")
def facet(request: HttpRequest, word: str) -> HttpResponse:
    """The values of one filter, each with how many rows it would show, the other filters as they are."""
    if word not in FILTERS:
        raise Http404
    book = book_of(request)
    asked = _read(request, book)
    counted = dict(facets(book, asked.query)[FILTERS[word]])
    chosen = getattr(asked.query, FILTERS[word])
    values = {**{value: counted.get(value, 0) for value in sorted(chosen)}, **counted}
    options = [{"value": value, "words": value_words(word, value), "rows": rows, "on": value in chosen} for value, rows in values.items()]
    return render(request, "pages/_facet.html", {"word": word, "options": options, "title": capital(label(TERMS[word]))})


@require_safe
@gate("read")
def find(request: HttpRequest) -> JsonResponse:
    """Buyers whose name, number or registration number holds what was typed: for the command palette."""
    text = request.GET.get("q", "").strip()
    if not text:
        return JsonResponse([], safe=False)
    found = list_buyers(book_of(request), BuyersQuery(text=text[:200], limit=LOOKED_AT))
    day = urlencode(request.viewpoint.query)  # type: ignore[attr-defined]
    told: dict[str, dict[str, Any]] = {}
    for row in map(named, found.rows):
        one = told.setdefault(
            row["buyer_id"],
            {"id": row["buyer_id"], "name": row["name"] or row["buyer_id"], "url": path_of("buyer", row["buyer_id"]) + (f"?{day}" if day else ""), "late": []},
        )  # fmt: skip
        if row["overdue"] > 0:
            one["late"].append(f"{shown(Money(row['overdue'], row['currency']), 'money')} {row['currency']}")
    wanted = text.casefold()
    # Whoever types a whole number or the beginning of a name means that one; the others come by what is overdue.
    ordered = sorted(told.values(), key=lambda one: (one["id"].casefold() != wanted, not one["name"].casefold().startswith(wanted)))
    return JsonResponse(
        [{**{name: one[name] for name in ("id", "name", "url")}, "overdue": " · ".join(one["late"])} for one in ordered[:FOUND]], safe=False
    )


@require_safe
@gate("export")
def export(request: HttpRequest, form: str) -> HttpResponse:
    """What the list shows, all its pages, as a file."""
    book = book_of(request)
    asked = _read(request, book, views.liking(request, "buyers").columns)
    names = [part for name in asked.columns for part in (BUCKETS if name == AGEING else (name,))]
    names = list(dict.fromkeys(names))
    page = list_buyers(book, BuyersQuery(**{**vars(asked.query), "offset": 0, "limit": 0}))
    checked_form(form, page.total)
    columns = [list_column(name, page.base_currency) for name in ("buyer_id", "name", "currency", *names)]
    wanted = list(dict.fromkeys(["buyer_id", "name", "name_local", "currency", *names]))
    _schema, batches = export_buyers(book, asked.query, wanted)
    pieces = (texts_of(_with_names(batch), columns, lambda name: page.base_currency if name.endswith("_base") else "") for batch in batches)
    rows = iter(()) if form == "csv" else _told((row for batch in batches for row in batch.to_pylist()), columns, page.base_currency)
    told = pieces if form == "csv" else None
    return file_of(request, book, form, "buyers", say("web.buyers_title"), columns, rows, page.total, pieces=told)  # type: ignore[return-value]


def _with_names(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The rows with the name in the reader's script, as `tables.named` chooses it."""
    own, local = batch.column("name").to_pylist(), batch.column("name_local").to_pylist()
    chosen = [named({"name": name, "name_local": other})["name"] for name, other in zip(own, local, strict=True)]
    return batch.set_column(batch.schema.get_field_index("name"), "name", pa.array(chosen, pa.string()))


def _told(rows: Iterator[Mapping[str, Any]], columns: Sequence[Column], base: str) -> Iterator[Mapping[str, Any]]:
    """The rows as the screen has them: the name in the reader's script, amounts with their currency."""
    money = [(column.name, column.name.endswith("_base")) for column in columns if column.kind == "money"]
    for row in rows:
        own = named(row)
        for name, in_base in money:
            if own[name] is not None:
                own[name] = Money(own[name], base if in_base else own["currency"])
        yield own
