"""Headroom is taken once, by one order, and given back once."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import Sum
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from duecourse.web.orders import picture
from duecourse.web.orders.acts import KeyReusedError, NotPossibleError, act, expire_due
from duecourse.web.orders.drawing import draw
from duecourse.web.orders.models import CreditAccount, OrderCheck, Part
from duecourse.web.orders.taking import Asked, take, verdict_of

from .conftest import invoice, order, world


def reserve(drawn, number="o1", buyer="A", amount=100, key="", person=None, currency="CNY", mode="reserve", **more):
    asked = Asked(number, buyer, currency, amount, **more)
    return take(mode, asked, drawn, person_id=person.pk, key=key or f"k-{number}-{amount}", digest=f"{hash(asked)}")


def reserved(kind="buyer", key="A", entity=""):
    return CreditAccount.objects.get(kind=kind, key=key, entity=entity).reserved


def test_an_order_takes_headroom_of_its_buyer_and_of_the_group(drawn, person):
    taken = reserve(drawn(), amount=600, person=person())
    assert (taken.status, taken.outcome) == ("answered", "release")
    assert (reserved(), reserved("group", "G"), reserved(key="B")) == (600, 600, 0)


def test_the_second_order_of_the_group_is_held_where_the_first_took_its_room(drawn, person):
    seen, who = drawn(), person()
    reserve(seen, amount=1_000, person=who)
    second = reserve(seen, "o2", "B", 501, person=who)
    assert second.outcome == "hold"
    row = OrderCheck.objects.get(pk=second.check_id)
    assert [(reason.code, reason.account) for reason in verdict_of(row).reasons] == [("over_limit", "group:G")]
    assert (row.state, reserved("group", "G"), Part.objects.filter(check_made=row).count()) == ("held", 1_000, 0)


def test_a_key_sent_again_takes_nothing_and_gives_the_same_answer(drawn, person):
    seen, who = drawn(), person()
    first = reserve(seen, person=who)
    again = reserve(seen, person=who)
    assert (again.status, again.check_id) == ("replayed", first.check_id)
    assert reserve(seen, amount=7, key="k-o1-100", person=who).status == "reused"
    assert reserved() == 100


def test_an_order_that_has_its_headroom_is_not_given_it_twice(drawn, person):
    seen, who = drawn(), person()
    first = reserve(seen, person=who)
    other = reserve(seen, key="another", person=who)
    assert (other.status, other.check_id) == ("living", first.check_id)


def test_a_held_order_asked_about_again_gives_way_to_the_new_answer(drawn, person):
    who = person()
    held = reserve(drawn(), amount=5_000, person=who)
    taken = reserve(drawn(limit=[{"limit_id": "T", "kind": "temporary", "buyer_id": "A", "amount_minor": 9_000, "currency": "CNY", "valid_from": dt.date(2025, 1, 1)},
                                 {"limit_id": "TG", "kind": "temporary", "group_id": "G", "amount_minor": 9_000, "currency": "CNY", "valid_from": dt.date(2025, 1, 1)}]),
                    amount=5_000, key="later", person=who)  # fmt: skip
    assert taken.outcome == "release"
    assert OrderCheck.objects.get(pk=held.check_id).state == "superseded"


def test_asking_and_simulating_take_nothing(drawn, person):
    seen, who = drawn(), person()
    assert reserve(seen, mode="ask", person=who).check_id is None
    simulated = reserve(seen, mode="simulate", person=who)
    assert OrderCheck.objects.get(pk=simulated.check_id).state == "simulated"
    assert reserved() == 0


def test_an_order_in_another_currency_takes_what_it_is_worth_rounded_up(drawn, person):
    reserve(drawn(), buyer="C", amount=699, person=person())
    assert reserved(key="C") == 100  # 6.99 yuan are 0.9985… dollars


def test_a_guarantor_is_charged_up_to_its_guarantee(drawn, person):
    seen, who = drawn(), person()
    reserve(seen, buyer="E", amount=1_000, person=who)
    assert (reserved(key="E"), reserved("guarantor", "C")) == (1_000, 43)  # 300 yuan at 7
    assert reserve(seen, "o2", "C", 199, currency="USD", person=who).outcome == "release"


def test_a_payer_needs_room_too(drawn, person):
    seen, who = drawn(), person()
    assert reserve(seen, payer_id="C", amount=2_000, buyer="E", person=who).outcome == "hold"
    assert reserve(seen, "o2", payer_id="nobody", person=who).outcome == "hold"
    taken = reserve(seen, "o3", payer_id="B", person=who)
    assert taken.outcome == "release"
    assert [one["side"] for one in taken.seen] == ["both", "buyer", "payer"]  # the group, A, B
    assert (reserved(), reserved(key="B"), reserved("group", "G")) == (100, 100, 100)


def test_a_buyer_nobody_knows_and_a_buyer_without_a_limit_are_held(drawn, person):
    seen, who = drawn(), person()
    assert reserve(seen, buyer="nobody", person=who).outcome == "hold"
    assert reserve(seen, "o2", "D", person=who).outcome == "hold"


def test_cancelling_gives_headroom_back_once(drawn, person):
    who = person()
    check = OrderCheck.objects.get(pk=reserve(drawn(), person=who).check_id)
    first = act("cancel", check, person=who, key="c1", digest="x")
    assert (first.answer["state"], reserved(), reserved("group", "G")) == ("cancelled", 0, 0)
    assert act("cancel", check, person=who, key="c1", digest="x").replayed
    assert act("cancel", check, person=who, key="c2", digest="x").answer["state"] == "cancelled"
    with pytest.raises(KeyReusedError):
        act("confirm", check, person=who, key="c1", digest="y")
    with pytest.raises(NotPossibleError):
        act("confirm", check, person=who, key="c3", digest="y")


def test_a_reservation_nobody_confirms_runs_out_and_a_confirmed_one_does_not(drawn, person):
    seen, who = drawn(), person()
    taken = [OrderCheck.objects.get(pk=reserve(seen, f"o{n}", person=who).check_id) for n in range(2)]
    act("confirm", taken[0], person=who, key="c", digest="x")
    OrderCheck.objects.exclude(expires_at=None).update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert expire_due() == 1
    assert [OrderCheck.objects.get(pk=one.pk).state for one in taken] == ["confirmed", "expired"]
    assert reserved() == 100


def test_a_held_order_released_by_hand_takes_headroom_that_is_not_there(drawn, person):
    seen, who = drawn(), person()
    check = OrderCheck.objects.get(pk=reserve(seen, amount=5_000, person=who).check_id)
    act("release", check, person=who, key="r", digest="x", reason="paid by letter of credit", amount=1_200)
    assert (reserved(), OrderCheck.objects.get(pk=check.pk).held_amount) == (1_200, 1_200)
    assert reserve(seen, "o2", amount=1, person=who).outcome == "hold"


@pytest.mark.parametrize("facts", [{"order": [order("o1", "A", 600)]}, {"invoice": [invoice("i1", "A", 600, order_number="o1")]}])
def test_an_order_that_comes_into_the_ledger_is_counted_once(drawn, person, facts):
    check = OrderCheck.objects.get(pk=reserve(drawn(), amount=600, person=person()).check_id)
    act("confirm", check, person=check.person, key="c", digest="x")
    drawn(**facts)
    account = CreditAccount.objects.get(kind="buyer", key="A")
    assert (account.exposure, account.reserved) == (600, 0)
    assert OrderCheck.objects.get(pk=check.pk).state == "absorbed"
    drawn()  # the import was withdrawn
    account.refresh_from_db()
    assert (account.exposure, account.reserved) == (0, 600)
    assert OrderCheck.objects.get(pk=check.pk).state == "confirmed"


def test_a_part_delivery_leaves_the_rest_reserved(drawn, person):
    reserve(drawn(), amount=600, person=person())
    drawn(invoice=[invoice("i1", "A", 250, order_number="o1")])
    account = CreditAccount.objects.get(kind="group", key="G")
    assert (account.exposure, account.reserved) == (250, 350)


def test_an_order_the_ledger_has_already_counts_no_second_time(drawn, person):
    seen = drawn(order=[order("o1", "A", 900)])
    taken = reserve(seen, amount=900, person=person())
    assert (taken.outcome, reserved()) == ("release", 0)


def test_an_open_order_in_the_ledger_is_no_exposure_and_its_reservation_stays(drawn, person):
    reserve(drawn(), amount=600, person=person())
    drawn(order=[order("o1", "A", 600, "open")])
    assert reserved() == 600


def test_a_cancelled_order_gives_its_headroom_back(drawn, person):
    reserve(drawn(), amount=600, person=person())
    drawn(order=[order("o1", "A", 600, "cancelled")])
    assert reserved() == 0


# --- against a sequential model -----------------------------------------------------------------------------------------------------------

LIMITS = {"A": 1_000, "B": 1_000, "G": 1_500, "E": 5_000}
ORDERS = [f"o{n}" for n in range(5)]
STEPS = st.one_of(
    st.tuples(st.just("reserve"), st.sampled_from(ORDERS), st.sampled_from("ABE"), st.integers(1, 900), st.integers(0, 6)),
    st.tuples(st.sampled_from(["confirm", "cancel", "refuse"]), st.sampled_from(ORDERS), st.integers(0, 3)),
    st.tuples(st.just("release"), st.sampled_from(ORDERS), st.integers(1, 100)),
    st.tuples(st.just("expire"), st.sampled_from(ORDERS)),
    st.tuples(st.just("deliver"), st.sampled_from(ORDERS), st.integers(0, 100)),
    st.tuples(st.just("take_back"), st.sampled_from(ORDERS)),
    st.tuples(st.just("draw")),
)


class Model:
    """What a careful clerk with one book would have: no parts, no locks, no counters."""

    def __init__(self):
        self.checks = {}  # row -> [order, buyer, amount held, state]
        self.keys = {}
        self.ledger = {}  # order -> (buyer, released, billed)
        self.drawn = {}

    def covered(self, number, buyer):
        of, whole, billed = self.drawn.get(number, ("", 0, 0))
        return max(whole, billed) if of == buyer else 0

    def used(self, *buyers):
        exposure = sum(max(whole, billed) for of, whole, billed in self.drawn.values() if of in buyers)
        held = sum(
            max(0, amount - self.covered(number, buyer))
            for number, buyer, amount, state in self.checks.values()
            if buyer in buyers and state in ("reserved", "confirmed")
        )
        return exposure, held

    def fits(self, buyer, amount):
        mine = sum(self.used(buyer)) + amount <= LIMITS[buyer]
        return mine and (buyer == "E" or sum(self.used("A", "B")) + amount <= LIMITS["G"])

    def living(self, number):
        return next(
            (row for row, (of, _, _, state) in self.checks.items() if of == number and state in ("held", "reserved", "confirmed")), None
        )


def _play(steps, who):
    model = Model()
    seen = _draw(model)
    for turn, (what, *args) in enumerate(steps):
        if what == "draw":
            seen = _draw(model)
            continue
        number = args[0]
        if what == "deliver":
            buyer = next((buyer for of, buyer, _, _ in model.checks.values() if of == number), None)
            amount = max((held for of, _, held, _ in model.checks.values() if of == number), default=0)
            if buyer and amount:
                model.ledger[number] = (buyer, amount if args[1] % 2 else 0, amount * args[1] // 100)
            continue
        if what == "take_back":
            model.ledger.pop(number, None)
            continue
        row = model.living(number)
        if what == "reserve":
            _, buyer, amount, key = args
            key = f"{number} {buyer} {amount} {key}"
            taken = reserve(seen, number, buyer, amount, key=key, person=who)
            if key in model.keys:
                assert (taken.status, taken.check_id) == ("replayed", model.keys[key])
            elif row is not None and model.checks[row][3] != "held":
                assert (taken.status, taken.check_id) == ("living", row)
            else:
                rest = max(0, amount - model.covered(number, buyer))
                fits = model.fits(buyer, rest)
                assert (taken.outcome != "hold") == fits, (steps[: turn + 1], model.used(buyer))
                if row is not None:
                    model.checks[row][3] = "superseded"
                model.checks[taken.check_id] = [number, buyer, amount if fits else 0, "reserved" if fits else "held"]
                model.keys[key] = taken.check_id
        elif row is not None:
            _act(model, what, row, args, who, turn)
        _compare(model)


def _act(model, what, row, args, who, turn):
    check = OrderCheck.objects.get(pk=row)
    state = model.checks[row][3]
    try:
        if what == "expire":
            if state == "reserved":
                OrderCheck.objects.filter(pk=row).update(expires_at=timezone.now() - dt.timedelta(seconds=1))
                assert expire_due() == 1
                model.checks[row][2:] = [0, "expired"]
            return
        amount = max(1, check.amount * args[1] // 100) if what == "release" else None
        act(what, check, person=who, key=f"{what} {turn}", digest="x", amount=amount)
    except NotPossibleError:
        possible = {
            "confirm": ("reserved", "confirmed"),
            "cancel": ("held", "reserved", "confirmed"),
            "release": ("held",),
            "refuse": ("held",),
        }
        assert state not in possible[what]
        return
    if what == "confirm":
        model.checks[row][3] = "confirmed"
    elif what == "release":
        model.checks[row][2:] = [amount, "reserved"]
    else:
        model.checks[row][2:] = [0, "cancelled" if what == "cancel" else "refused"]


def _draw(model):
    model.drawn = dict(model.ledger)
    orders = [order(number, buyer, whole) for number, (buyer, whole, _) in model.ledger.items() if whole]
    invoices = [invoice(f"i-{number}", buyer, billed, order_number=number) for number, (buyer, _, billed) in model.ledger.items() if billed]
    draw(world(order=orders, invoice=invoices))
    for row, one in model.checks.items():
        if one[3] in ("reserved", "confirmed", "absorbed"):
            one[3] = OrderCheck.objects.get(pk=row).state if one[2] else one[3]
    return picture.drawn()


def _compare(model):
    for key, buyers in (("A", "A"), ("B", "B"), ("G", "AB"), ("E", "E")):
        account = CreditAccount.objects.get(key=key, entity="", kind="group" if key == "G" else "buyer")
        exposure, held = model.used(*buyers)
        assert account.exposure == exposure
        assert account.reserved == (Part.objects.filter(account=account).aggregate(total=Sum("remaining"))["total"] or 0)
        assert account.reserved == held
    parts = defaultdict(int)
    for part in Part.objects.select_related("account").filter(account__kind="buyer"):
        parts[part.check_made_id] += part.remaining
    for row, (number, _buyer, amount, state) in model.checks.items():
        if state in ("reserved", "confirmed") and number not in model.drawn:
            assert parts[row] == amount
        if state in ("held", "cancelled", "expired", "refused", "superseded"):
            assert parts[row] == 0
        assert OrderCheck.objects.get(pk=row).state == state


@given(steps=st.lists(STEPS, min_size=5, max_size=25))
@settings(
    max_examples=12,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_whatever_happens_the_accounts_are_those_of_a_careful_clerk(person, steps):
    with transaction.atomic():
        picture.forget()
        _play(steps, person())
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_has_lost_its_statement_or_the_server_does_the_order_once_all_the_same(drawn, person):
    if connection.vendor != "postgresql":
        pytest.skip("PostgreSQL only")
    seen, who = drawn(), person()
    assert reserve(seen, "o1", person=who).outcome == "release"
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
    assert reserve(seen, "o2", person=who).outcome == "release"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()[0]
    import psycopg

    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None, "context": None}, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", (backend,))
    with pytest.raises(OperationalError):
        reserve(seen, "o3", person=who)
    connection.close()
    assert reserve(seen, "o3", person=who).outcome == "release"
    assert reserve(seen, "o3", person=who).status == "replayed"
    assert reserved() == 300


@pytest.mark.django_db(transaction=True)
def test_outside_and_inside_a_transaction_the_same_is_done(drawn, person):
    seen, who = drawn(), person()
    reserve(seen, "o1", person=who)
    with transaction.atomic():
        taken = reserve(seen, "o2", person=who)
        assert taken.outcome == "release"
        assert reserved() == 200
        transaction.set_rollback(True)
    assert (reserved(), OrderCheck.objects.count()) == (100, 1), "what is taken back with its transaction was never taken"
    strange = reserve(seen, "o3", person=who, key="键 'a\"\\")
    assert OrderCheck.objects.get(pk=strange.check_id).key == "键 'a\"\\"
