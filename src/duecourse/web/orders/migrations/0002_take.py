"""The whole of a check as one function of PostgreSQL, so that an order costs one trip to the database and its locks are held for no longer.

The accounts are locked and read at once, and what is known of key and order is asked for once. `web/orders/taking.py` does the same step by step on
SQLite; tests hold both to one sequential model.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

from django.db import migrations

COLUMNS: Final = "id, kind, name, currency, scaled, granted, clear, ceiling, note_above, terms_days, valid_to, exposure, reserved, facts"

JUDGE: Final = """
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
                IF p_terms > r.terms_days THEN
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
"""
"""What one account says of the order."""

TAKE: Final = f"""
CREATE OR REPLACE FUNCTION orders_take(
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
    v_ids bigint[] := '{{}}';
    v_sides text[] := '{{}}';
    v_rooms bigint[] := '{{}}';
    v_payer boolean := p_payer NOT IN ('', p_buyer);
    v_side text := 'buyer';
    v_who text := p_buyer;
    v_own bigint;
    v_links jsonb;
    v_at int;
    v_again boolean := false;
    v_known bigint;
    v_acted boolean;
    v_living bigint;
    v_covered bigint := 0;
    v_scaled numeric;
    v_amount bigint;
    v_rest bigint;
    v_used bigint;
    v_hold boolean;
    v_note boolean;
    v_granted_buyer boolean;
    v_granted_payer boolean;
    v_accounts bigint[];
    v_amounts bigint[];
    v_rests bigint[];
    v_room_of bigint[];
    v_state text;
BEGIN
    -- 1. Which accounts the order adds to.
    LOOP
        SELECT id, links INTO v_own, v_links FROM orders_creditaccount WHERE key = v_who AND kind = 'buyer' AND entity = '';
        IF FOUND THEN
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
        END IF;
        EXIT WHEN NOT v_payer OR v_side = 'payer';
        v_side := 'payer'; v_who := p_payer;
    END LOOP;

    LOOP
        -- 2. The numbers, account by account. Who reserves takes their locks with them, always in the same order; from here on nobody else
        -- takes of them.
        o_seen := '[]'; v_hold := false; v_note := false; v_granted_buyer := false; v_granted_payer := false;
        v_accounts := '{{}}'; v_amounts := '{{}}'; v_rests := '{{}}'; v_room_of := '{{}}';
        IF p_mode = 'reserve' AND NOT v_again THEN
            FOR r IN SELECT {COLUMNS} FROM orders_creditaccount WHERE id = ANY(v_ids) ORDER BY id FOR NO KEY UPDATE LOOP {JUDGE}
            END LOOP;
        ELSE
            FOR r IN SELECT {COLUMNS} FROM orders_creditaccount WHERE id = ANY(v_ids) ORDER BY id LOOP {JUDGE}
            END LOOP;
        END IF;
        EXIT WHEN v_again;

        -- 3. Under the locks: was this asked before, is the order under way already, and how much of it does the ledger have? What the ledger
        -- has counts no second time: then the numbers once more.
        SELECT least(p_amount, CASE WHEN closed THEN p_amount ELSE covered END) INTO v_covered FROM orders_coveredorder
            WHERE order_id = p_order AND buyer_id = p_buyer AND currency = p_currency;
        v_covered := coalesce(v_covered, 0);
        IF p_mode <> 'ask' THEN
            SELECT (SELECT CASE WHEN c.digest = p_digest THEN c.id ELSE -c.id END FROM orders_ordercheck c WHERE c.person_id = p_person AND c.key = p_key),
                EXISTS (SELECT 1 FROM orders_act a WHERE a.person_id = p_person AND a.key = p_key),
                (SELECT CASE WHEN c.state = 'held' THEN -c.id ELSE c.id END FROM orders_ordercheck c
                    WHERE c.order_id = p_order AND c.state IN ('held', 'reserved', 'confirmed'))
                INTO v_known, v_acted, v_living;
            IF v_known IS NOT NULL THEN
                o_id := abs(v_known); o_status := CASE WHEN v_known > 0 THEN 'replayed' ELSE 'reused' END; o_seen := NULL; RETURN;
            ELSIF v_acted THEN
                o_status := 'acted'; o_seen := NULL; RETURN;
            ELSIF p_mode = 'reserve' AND v_living > 0 THEN
                o_id := v_living; o_status := 'living'; o_seen := NULL; RETURN;
            ELSIF p_mode = 'reserve' AND v_living < 0 THEN
                UPDATE orders_ordercheck SET state = 'superseded', changed_at = p_now WHERE id = -v_living AND state = 'held';
            END IF;
        END IF;
        EXIT WHEN v_covered = 0;
        v_again := true;
    END LOOP;
    IF NOT v_granted_buyer OR (v_payer AND NOT v_granted_payer) THEN
        v_hold := v_hold OR p_no_limit = 'hold';
        v_note := v_note OR p_no_limit = 'note';
    END IF;
    o_outcome := CASE WHEN v_hold THEN 'hold' WHEN v_note THEN 'release_with_note' ELSE 'release' END;
    o_status := 'answered';
    IF p_mode = 'ask' THEN RETURN; END IF;

    -- 4. Keep the answer; where the order may ship, its headroom too.
    v_state := CASE WHEN p_mode = 'simulate' THEN 'simulated' WHEN v_hold THEN 'held' ELSE 'reserved' END;
    INSERT INTO orders_ordercheck (nonce, person_id, key, digest, order_id, buyer_id, payer_id, legal_entity, currency, amount, terms,
            outcome, seen, rules_id, today, ledger_version, data_as_of, book_on, made_at, lease_until, state, held_amount, expires_at,
            changed_at, recorded)
        VALUES (p_nonce, p_person, p_key, p_digest, p_order, p_buyer, p_payer, p_entity, p_currency, p_amount, p_terms,
            o_outcome, o_seen, p_rules, p_today, p_version, p_data_as_of, p_book_on, p_now, CASE WHEN v_state = 'reserved' THEN p_lease END,
            v_state, CASE WHEN v_state = 'reserved' THEN p_amount ELSE 0 END, CASE WHEN v_state = 'reserved' THEN p_lease END, p_now, false)
        RETURNING id INTO o_id;
    IF v_state = 'reserved' THEN
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
