"""The whole of a check as one function of PostgreSQL, so that an order costs one trip to the database and its locks are held for no longer.

`web/orders/taking.py` does the same step by step on SQLite; tests hold both to one sequential model.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

from django.db import migrations

TAKE: Final = """
CREATE FUNCTION orders_take(
    p_mode text, p_person bigint, p_key text, p_digest text, p_nonce text,
    p_order text, p_buyer text, p_payer text, p_entity text, p_currency text, p_amount bigint, p_terms int,
    p_now timestamptz, p_today date, p_lease timestamptz,
    p_rules bigint, p_no_limit text, p_terms_weight text, p_version bigint, p_data_as_of timestamptz, p_book_on date,
    OUT o_status text, OUT o_id bigint, OUT o_outcome text, OUT o_seen jsonb
) LANGUAGE plpgsql
-- Every look-up is of one row by an index. Plans made while the tables were young would read them whole, for as long as a session lives.
SET enable_seqscan = off SET enable_bitmapscan = off SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    r record;
    v_ids bigint[] := '{}';
    v_sides text[] := '{}';
    v_rooms bigint[] := '{}';
    v_side text;
    v_who text;
    v_own bigint;
    v_links jsonb;
    v_at int;
    v_scaled numeric;
    v_covered bigint := 0;
    v_amount bigint;
    v_rest bigint;
    v_used bigint;
    v_hold boolean := false;
    v_note boolean := false;
    v_granted_buyer boolean := false;
    v_granted_payer boolean := false;
    v_payer boolean := false;
    v_accounts bigint[] := '{}';
    v_amounts bigint[] := '{}';
    v_rests bigint[] := '{}';
    v_room_of bigint[] := '{}';
    v_state text;
BEGIN
    -- 1. Which accounts the order adds to.
    FOREACH v_side IN ARRAY ARRAY['buyer', 'payer'] LOOP
        v_who := CASE v_side WHEN 'buyer' THEN p_buyer ELSE p_payer END;
        CONTINUE WHEN v_who = '' OR (v_side = 'payer' AND v_who = p_buyer);
        v_payer := v_payer OR v_side = 'payer';
        SELECT id, links INTO v_own, v_links FROM orders_creditaccount WHERE key = v_who AND kind = 'buyer' AND entity = '';
        CONTINUE WHEN NOT FOUND;
        v_at := array_position(v_ids, v_own);
        IF v_at IS NULL THEN
            v_ids := v_ids || v_own; v_sides := v_sides || v_side; v_rooms := v_rooms || NULL::bigint;
        ELSE
            v_sides[v_at] := 'both';
        END IF;
        IF v_links <> '[]'::jsonb THEN
            FOR r IN SELECT (one->>'id')::bigint AS id, (one->>'room')::bigint AS room FROM jsonb_array_elements(v_links) one
                     WHERE one->>'entity' IN ('', p_entity) LOOP
                v_at := array_position(v_ids, r.id);
                IF v_at IS NULL THEN
                    v_ids := v_ids || r.id; v_sides := v_sides || v_side; v_rooms := v_rooms || r.room;
                ELSE
                    v_sides[v_at] := 'both';
                    v_rooms[v_at] := NULL;
                END IF;
            END LOOP;
        END IF;
    END LOOP;

    -- 2. Their locks, always in the same order; from here on nobody else takes of them.
    IF p_mode = 'reserve' THEN
        PERFORM 1 FROM orders_creditaccount WHERE id = ANY(v_ids) ORDER BY id FOR NO KEY UPDATE;
    END IF;

    -- 3. Was this asked before, or is the order under way already?
    IF p_mode <> 'ask' THEN
        SELECT c.id, CASE WHEN c.digest = p_digest THEN 'replayed' ELSE 'reused' END INTO o_id, o_status
            FROM orders_ordercheck c WHERE c.person_id = p_person AND c.key = p_key;
        IF FOUND THEN RETURN; END IF;
        PERFORM 1 FROM orders_act a WHERE a.person_id = p_person AND a.key = p_key;
        IF FOUND THEN o_status := 'acted'; RETURN; END IF;
    END IF;
    IF p_mode = 'reserve' THEN
        SELECT c.id, c.state INTO o_id, v_state FROM orders_ordercheck c
            WHERE c.order_id = p_order AND c.state IN ('held', 'reserved', 'confirmed') FOR UPDATE;
        IF FOUND AND v_state <> 'held' THEN o_status := 'living'; RETURN; END IF;
        IF FOUND THEN UPDATE orders_ordercheck SET state = 'superseded', changed_at = p_now WHERE id = o_id; END IF;
    END IF;

    -- 4. What the ledger has of this order already counts no second time.
    SELECT CASE WHEN closed THEN p_amount ELSE covered END INTO v_covered FROM orders_coveredorder
        WHERE order_id = p_order AND buyer_id = p_buyer AND currency = p_currency;
    v_covered := least(p_amount, coalesce(v_covered, 0));

    -- 5. The numbers, account by account.
    o_seen := '[]'::jsonb;
    FOR r IN SELECT * FROM orders_creditaccount WHERE id = ANY(v_ids) ORDER BY id LOOP
        v_at := array_position(v_ids, r.id);
        IF r.currency = p_currency THEN
            v_amount := p_amount;
            v_rest := p_amount - v_covered;
        ELSE
            SELECT scaled INTO v_scaled FROM orders_rate WHERE currency = p_currency;
            IF NOT FOUND OR r.scaled <= 0 THEN
                v_amount := NULL;
                v_rest := NULL;
            ELSE
                v_amount := div(p_amount * v_scaled + r.scaled - 1, r.scaled);
                v_rest := div((p_amount - v_covered) * v_scaled + r.scaled - 1, r.scaled);
            END IF;
        END IF;
        IF v_rooms[v_at] IS NOT NULL THEN
            v_rest := least(v_rest, v_rooms[v_at]);
        END IF;
        v_used := r.exposure + r.reserved + coalesce(v_rest, 0);
        v_hold := v_hold OR NOT r.clear OR v_rest IS NULL OR (r.ceiling IS NOT NULL AND v_used > r.ceiling)
            OR (r.valid_to IS NOT NULL AND r.valid_to < p_today);
        v_note := v_note OR (r.note_above IS NOT NULL AND v_used > r.note_above);
        IF p_terms IS NOT NULL AND r.terms_days IS NOT NULL AND p_terms > r.terms_days THEN
            v_hold := v_hold OR p_terms_weight = 'hold';
            v_note := v_note OR p_terms_weight = 'note';
        END IF;
        IF r.granted AND r.kind <> 'guarantor' THEN
            v_granted_buyer := v_granted_buyer OR v_sides[v_at] IN ('buyer', 'both');
            v_granted_payer := v_granted_payer OR v_sides[v_at] IN ('payer', 'both');
        END IF;
        v_accounts := v_accounts || r.id; v_amounts := v_amounts || v_amount; v_rests := v_rests || v_rest;
        v_room_of := v_room_of || v_rooms[v_at];
        o_seen := o_seen || jsonb_build_array(jsonb_build_object(
            'id', r.id, 'side', v_sides[v_at], 'amount', v_rest, 'reserved', r.reserved, 'name', r.name, 'facts', r.facts));
    END LOOP;
    IF NOT v_granted_buyer OR (v_payer AND NOT v_granted_payer) THEN
        v_hold := v_hold OR p_no_limit = 'hold';
        v_note := v_note OR p_no_limit = 'note';
    END IF;
    o_outcome := CASE WHEN v_hold THEN 'hold' WHEN v_note THEN 'release_with_note' ELSE 'release' END;
    o_status := 'answered';
    IF p_mode = 'ask' THEN RETURN; END IF;

    -- 6. Keep the answer; where the order may ship, its headroom too.
    INSERT INTO orders_ordercheck (nonce, person_id, key, digest, order_id, buyer_id, payer_id, legal_entity, currency, amount, terms,
            outcome, seen, rules_id, today, ledger_version, data_as_of, book_on, made_at, lease_until, state, held_amount, expires_at,
            changed_at, recorded)
        VALUES (p_nonce, p_person, p_key, p_digest, p_order, p_buyer, p_payer, p_entity, p_currency, p_amount, p_terms,
            o_outcome, o_seen, p_rules, p_today, p_version, p_data_as_of, p_book_on, p_now,
            CASE WHEN p_mode = 'reserve' AND NOT v_hold THEN p_lease END,
            CASE WHEN p_mode = 'simulate' THEN 'simulated' WHEN v_hold THEN 'held' ELSE 'reserved' END,
            CASE WHEN p_mode = 'reserve' AND NOT v_hold THEN p_amount ELSE 0 END,
            CASE WHEN p_mode = 'reserve' AND NOT v_hold THEN p_lease END, p_now, false)
        RETURNING id INTO o_id;
    IF p_mode = 'reserve' AND NOT v_hold THEN
        FOR v_at IN 1 .. coalesce(array_length(v_accounts, 1), 0) LOOP
            UPDATE orders_creditaccount SET reserved = reserved + v_rests[v_at] WHERE id = v_accounts[v_at];
            INSERT INTO orders_part (check_made_id, account_id, amount, room, remaining)
                VALUES (o_id, v_accounts[v_at], v_amounts[v_at], v_room_of[v_at], v_rests[v_at]);
        END LOOP;
    END IF;
END $$
"""
DROP: Final = "DROP FUNCTION IF EXISTS orders_take"


def make(_apps: Any, schema_editor: Any) -> None:
    """Make the function, and leave room in the pages of the accounts for rows that change all the time."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(TAKE, params=None)
        schema_editor.execute("ALTER TABLE orders_creditaccount SET (fillfactor = 70)", params=None)


def drop(_apps: Any, schema_editor: Any) -> None:
    """Take it away."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(DROP, params=None)


class Migration(migrations.Migration):
    """After the tables."""

    dependencies: ClassVar = [("orders", "0001_initial")]
    operations: ClassVar = [migrations.RunPython(make, drop)]
