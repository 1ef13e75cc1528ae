-- Who may be a node's database, and conditions that are looked at all at once. append_2 stays for nodes of the previous release.

-- 1. Stores that an operator accepted though nodes knew more

-- One row per act; each began the epoch that it names. Never changed.
CREATE TABLE evento.store_acceptance(
  epoch          uuid        NOT NULL CONSTRAINT store_acceptance_epoch PRIMARY KEY REFERENCES evento.store_epoch(id),
  starts_after   bigint      NOT NULL,       -- head of the store when it was accepted
  instead_of     uuid        NOT NULL,       -- the epoch that nodes knew, and no longer insist on
  known_head     bigint      NOT NULL,       -- how far they had seen that one
  known_system   bigint,                     -- of what server
  known_timeline text,                       -- and the highest timeline that they had seen of it
  at             timestamptz NOT NULL,
  done_by        text        NOT NULL,
  reason         text);

-- What this store is, and whether somebody who knows p_epoch up to p_head may have it for his database. Null for p_epoch: he
-- knows nothing, and takes what he finds. p_system and p_timeline: the server that he knows, and the highest timeline that he
-- saw of it.
--
-- The store is refused if it lacks what he knows, unless it is plain that this was meant. It has what he knows if p_epoch is an
-- earlier epoch of it (what that one had above its end was given up when the next one began) or the present one, and p_head is
-- not above its head. What lacks it is
--   promoted with loss   the same system on a higher timeline than he ever saw. PostgreSQL begins one at each promotion and each
--                        recovery to a point in time, and never goes back to a lower one: so this server began its timeline
--                        after all that he saw, and somebody told it to. A row of store_epoch that did not arrive in time is
--                        missing just as events are. Fit; append_3 opens an epoch, as the timeline is another.
--   a former primary     the same system, its old timeline, and the epoch that began with the promotion is not there. Refused.
--   another standby      promoted beside the one that he knows: the same timeline, and not his epoch. Refused.
--   a plain copy         put back in the place of its original: the timeline that he knows, and his epoch is not there, or there
--                        with a lower head. Nothing tells it from a former primary. Refused.
--   an older dump        in a server of its own: timelines of two systems cannot be compared. Refused.
--   accepted             an operator accepted it in the place of p_epoch (accept_store_1). Fit.
-- Where the owner may not ask for the system identifier it is null and taken for equal.
CREATE FUNCTION evento.store_state_1(p_epoch uuid, p_head bigint, p_system bigint, p_timeline text,
  OUT ordinal int, OUT epoch uuid, OUT epoch_system bigint, OUT epoch_timeline text,       -- the present epoch, as it began
  OUT head bigint, OUT system_identifier bigint, OUT timeline text,                        -- null of a standby
  OUT surpassed text,                                                                      -- highest timeline known to anybody
  OUT refused text)                                                                        -- why; null: fit
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
BEGIN
  SELECT o.ordinal, o.id, o.system_identifier, o.timeline, greatest(g.floor, coalesce(l.position, 0))
    INTO ordinal, epoch, epoch_system, epoch_timeline, head
    FROM evento.append_gate g
    LEFT JOIN LATERAL (SELECT e.position FROM evento.event e ORDER BY e.position DESC LIMIT 1) l ON true
    LEFT JOIN LATERAL (SELECT * FROM evento.store_epoch s ORDER BY s.ordinal DESC LIMIT 1) o ON true;
  IF has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE') THEN
    SELECT i.system_identifier INTO system_identifier FROM pg_control_system() i;
  END IF;
  IF NOT pg_is_in_recovery() THEN timeline := substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8); END IF;
  -- in hexadecimal, always eight digits
  SELECT greatest(store_state_1.timeline COLLATE "C", max(a.known_timeline COLLATE "C")) INTO surpassed
    FROM evento.store_acceptance a WHERE (a.known_system = store_state_1.system_identifier) IS NOT FALSE;

  IF p_epoch IS NULL
     OR (timeline > p_timeline COLLATE "C" AND (system_identifier = p_system) IS NOT FALSE) IS TRUE
     OR EXISTS (SELECT FROM evento.store_acceptance a WHERE a.instead_of = p_epoch) THEN
    RETURN;
  END IF;
  IF NOT EXISTS (SELECT FROM evento.store_epoch s WHERE s.id = p_epoch) THEN
    refused := format('it never had epoch %s, which was seen up to %s; it is in epoch %s at %s, on timeline %s of system %s',
                      p_epoch, p_head, epoch, head, timeline, system_identifier);
  ELSIF epoch = p_epoch AND p_head > head THEN
    refused := format('it ends at %s, and %s was seen of the same epoch %s; it is on timeline %s of system %s',
                      head, p_head, epoch, timeline, system_identifier);
  END IF;
END $$;

-- An operator's word that this store is the one, though it lacks what is known: p_epoch to p_timeline as for store_state_1.
-- It begins an epoch at its head, so whoever was ahead rewinds. p_store_… is what the operator looked at.
-- A store that is fit already stays as it is. EV002: it is no longer what he looked at.
CREATE FUNCTION evento.accept_store_1(p_epoch uuid, p_head bigint, p_system bigint, p_timeline text,
  p_store_system bigint, p_store_epoch uuid, p_store_head bigint, p_by text, p_reason text,
  OUT epoch uuid, OUT head bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
#variable_conflict use_column
DECLARE
  found record;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'accept needs read committed' USING ERRCODE = '0A000';
  END IF;
  IF pg_current_xact_id_if_assigned() IS NOT NULL OR statement_timestamp() <> transaction_timestamp() THEN
    RAISE EXCEPTION 'accept must be one simple query, alone in its transaction' USING ERRCODE = '25001';
  END IF;
  LOCK TABLE evento.append_gate IN EXCLUSIVE MODE;
  SELECT * INTO found FROM evento.store_state_1(p_epoch, p_head, p_system, p_timeline);
  epoch := found.epoch; head := found.head;
  IF found.refused IS NULL THEN RETURN; END IF;
  IF found.epoch IS DISTINCT FROM p_store_epoch OR found.head IS DISTINCT FROM p_store_head
     OR found.system_identifier IS DISTINCT FROM p_store_system THEN
    RAISE EXCEPTION 'the store is in epoch % at % now', found.epoch, found.head USING ERRCODE = 'EV002';
  END IF;
  INSERT INTO evento.store_epoch AS x (ordinal, starts_after, system_identifier, timeline, at)
    VALUES (coalesce(found.ordinal, 0) + 1, found.head, found.system_identifier, found.timeline, clock_timestamp())
    RETURNING x.id INTO epoch;
  INSERT INTO evento.store_acceptance(epoch, starts_after, instead_of, known_head, known_system, known_timeline, at, done_by, reason)
    VALUES (epoch, found.head, p_epoch, p_head, p_system, p_timeline, clock_timestamp(), p_by, p_reason);
END $$;

-- 2. Conditions, all at once

-- Which conditional commands meet an event that may break them: one row per command and writer.
-- q_…   as for append_3; p_ok: the commands that are still to be judged or written; p_base: head of the store
-- b_…   events of this batch: their command, their number in it from 1 on, type and tags as array literal
-- cmd   the conditional command
-- by    0: events that are stored; at is the position of the first that meets one of its alternatives
--       else: another command of the batch whose event number at is the first to do so, provided that it is written before
--
-- One pass over the window behind the oldest condition, instead of one query per alternative. An alternative is compared only
-- with events that have the rarest of its tags (or, without tags, one of its types), found by hash; one whose rarest tag nobody
-- has costs nothing more.
CREATE FUNCTION evento.meets_1(
  q_cmd int[], q_types text[], q_tags text[], q_after bigint[], p_ok boolean[], p_base bigint,
  b_cmd int[], b_at int[], b_type text[], b_tags text[])
RETURNS TABLE (cmd int, "by" int, at bigint)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
-- generic plans know nothing of the arrays' lengths: with nested loops, which append_3 asks for, they compare all with all
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_nestloop = off SET enable_mergejoin = off SET enable_hashjoin = on SET jit = off
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH q AS MATERIALIZED (
    SELECT x.k, x.cmd, coalesce(x.tags, '{}')::text[] AS tags, x.types::text[] AS types, coalesce(x.after, 0) AS after
      FROM unnest(q_cmd, q_types, q_tags, q_after) WITH ORDINALITY AS x(cmd, types, tags, after, k)
     WHERE p_ok[x.cmd]),
  w AS MATERIALIZED (
    SELECT 0 AS cmd, e.position AS at, e.type, e.tags
      FROM evento.event e WHERE e.position > (SELECT min(q.after) FROM q) AND e.position <= p_base
    UNION ALL
    SELECT x.cmd, x.at, x.type, x.tags::text[]
      FROM unnest(b_cmd, b_at, b_type, b_tags) AS x(cmd, at, type, tags) WHERE p_ok[x.cmd]),
  t AS MATERIALIZED (SELECT w.cmd, w.at, w.type, w.tags, x.tag FROM w CROSS JOIN LATERAL unnest(w.tags) AS x(tag)),
  often AS MATERIALIZED (SELECT t.tag, count(*) AS n FROM t GROUP BY t.tag),
  rarest AS MATERIALIZED (
    SELECT DISTINCT ON (x.k) x.k, x.tag, often.n
      FROM (SELECT q.k, y.tag FROM q CROSS JOIN LATERAL unnest(q.tags) AS y(tag)) x LEFT JOIN often ON often.tag = x.tag
     ORDER BY x.k, often.n NULLS FIRST),
  pairs AS (
    SELECT q.cmd, t.cmd AS "by", t.at, q.after
      FROM rarest JOIN q ON q.k = rarest.k JOIN t ON t.tag = rarest.tag
     WHERE rarest.n > 0 AND t.tags @> q.tags AND (q.types IS NULL OR t.type = ANY (q.types))
    UNION ALL
    SELECT x.cmd, w.cmd, w.at, x.after
      FROM (SELECT q.cmd, q.after, y.type FROM q CROSS JOIN LATERAL unnest(q.types) AS y(type) WHERE q.tags = '{}') x
      JOIN w ON w.type = x.type
    UNION ALL
    SELECT x.cmd, w.cmd, w.at, x.after
      FROM (SELECT DISTINCT q.cmd, q.after, 0 AS one FROM q WHERE q.tags = '{}' AND q.types IS NULL) x
      JOIN (SELECT w.cmd, w.at, 0 AS one FROM w) w ON w.one = x.one)
  SELECT pairs.cmd, pairs."by", min(pairs.at)
    FROM pairs WHERE (pairs."by" = 0 AND pairs.at > pairs.after) OR (pairs."by" <> 0 AND pairs."by" <> pairs.cmd)
   GROUP BY pairs.cmd, pairs."by";
END $$;

REVOKE ALL ON FUNCTION evento.store_state_1, evento.accept_store_1, evento.meets_1 FROM PUBLIC;

-- 3. The append

-- append_2 but for these: the caller says all that he knows of the store, and a store that lacks it is refused (EV001); he is told
-- whose store it is; and conditions are looked at all at once.

-- p_epoch, p_head  what the caller last knew of the store (null: nothing)
-- p_claim          a position of p_epoch that somebody says to have seen, such as a consumer's checkpoint; null: none. One above the
--                  head opens a new epoch, so that who has it rewinds; it is nobody's proof that the store is another
-- p_system, p_timeline  whose store it was, as this function said
-- q_epoch          epoch of the positions in q_after
-- c_…  one element per command. c_kind 0: has events, c_body is the answer; else an outcome without events, c_body its text
-- s_…  one element per command and stream that its decision rests on (all that it writes, and any it only read):
--      s_cmd index into c_, s_version and s_tip (decision number of the last event) as decided on; 0 and 0 for an empty stream
-- e_…  one element per event, a command's side by side: e_s index into s_; tags as array literals
-- q_…  conditions "no event with all these tags and one of these types (null: any) after that position";
--      q_cmd index into c_; several of one command are alternatives; the position at most 1000 below the head,
--      else the command is refused as behind; one above the head counts as the head
-- Accepted commands have the positions base + 1 … in the order of their events, those with a condition last.
-- system_identifier and timeline (the highest known of it) are null unless the store was looked at: at a session's first call, and
-- whenever the epoch or the caller's knowledge changed.
-- Call: SELECT … FROM evento.append_3(…); refused is null or a JSON array of refusal_1; of those with reason condition, position is
-- that of the first event that broke it
CREATE FUNCTION evento.append_3(
  p_epoch uuid, p_head bigint, p_claim bigint, p_system bigint, p_timeline text, q_epoch uuid,
  c_id uuid[], c_hash bigint[], c_decision bigint[], c_kind smallint[], c_body text[],
  s_cmd int[], s_stream text[], s_version bigint[], s_tip bigint[],
  e_s int[], e_context text[], e_type text[], e_tags text[], e_meta text[], e_payload text[],
  q_cmd int[], q_types text[], q_tags text[], q_after bigint[],
  OUT epoch uuid, OUT base bigint, OUT count int, OUT recorded_at timestamptz, OUT refused text,
  OUT system_identifier bigint, OUT timeline text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- a plan made while the table was small must never become a scan under the gate
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
SET lock_timeout = '3s'
AS $$
#variable_conflict use_column
DECLARE
  commands  int := cardinality(c_id);
  outcomes  int;                -- commands without events
  head      record;
  server    record;
  stamp     timestamptz;
  top       bigint;
  said      evento.refusal_1[]; stale evento.refusal_1[];
  bad       int[]; late int[];
  ok        boolean[];          -- not refused; null: all
  asks      boolean[];          -- has a condition; null: none has
  sizes     int[];              -- events of each command
  starts    bigint[];           -- position before the first of them
  m_cmd     int[]; m_by int[]; m_at bigint[];   -- as meets_1 gives them
  wrote     boolean := false;
  k         int;
  n         int; m int; streams int; ids int;
  hit       bigint;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'append needs read committed' USING ERRCODE = '0A000';
  END IF;
  -- equal only for a single simple-protocol message outside BEGIN: nothing a client does later can keep the gate
  IF pg_current_xact_id_if_assigned() IS NOT NULL OR statement_timestamp() <> transaction_timestamp() THEN
    RAISE EXCEPTION 'append must be one simple query, alone in its transaction' USING ERRCODE = '25001';
  END IF;

  -- shape: events belong to commands of kind 0, each of which has some; no stream twice, no id twice
  IF commands = 1 AND s_cmd = '{1}'::int[] AND 1 = ALL (e_s) AND (c_kind[1] = 0) = (cardinality(e_s) > 0) THEN
    outcomes := CASE c_kind[1] WHEN 0 THEN 0 ELSE 1 END;     -- one command on one stream: seen without a query
  ELSE
    SELECT count(DISTINCT s_cmd[x.s]), count(*) FILTER (WHERE c_kind[s_cmd[x.s]] IS DISTINCT FROM 0),
           (SELECT count(DISTINCT z COLLATE "C") FROM unnest(s_stream) z), (SELECT count(DISTINCT z) FROM unnest(c_id) z)
      INTO n, m, streams, ids FROM unnest(e_s) x(s);
    IF m > 0 OR n <> cardinality(array_positions(c_kind, 0::smallint)) THEN
      RAISE EXCEPTION 'kinds and events do not match' USING ERRCODE = '22023';
    END IF;
    IF streams <> cardinality(s_cmd) OR ids <> commands THEN
      RAISE EXCEPTION 'a stream or a command twice in a batch' USING ERRCODE = '23505';
    END IF;
    outcomes := commands - n;
  END IF;

  -- 1. the order: one appender at a time, until its commit is visible; every statement from here on sees all earlier ones
  LOCK TABLE evento.append_gate IN EXCLUSIVE MODE;

  SELECT greatest(g.floor, coalesce(l.position, 0)) AS position, l.recorded_at AS stamp, o.ordinal, o.id, o.system_identifier, o.timeline
    INTO head
    FROM evento.append_gate g
    LEFT JOIN LATERAL (SELECT e.position, e.recorded_at FROM evento.event e ORDER BY e.position DESC LIMIT 1) l ON true
    LEFT JOIN LATERAL (SELECT * FROM evento.store_epoch s ORDER BY s.ordinal DESC LIMIT 1) o ON true;
  stamp := greatest(head.stamp, clock_timestamp());
  base := head.position; top := base; epoch := head.id; recorded_at := stamp;

  -- 2. the epoch, and whether this is the store that the caller knows
  --    A session's server stays the cluster and timeline that it is, so it is asked once per session and epoch: that reads a file
  IF p_epoch <> head.id OR p_head > base OR p_claim > base OR head.id IS NULL
     OR current_setting('evento.epoch_3', true) IS DISTINCT FROM head.id::text THEN
    SELECT * INTO server FROM evento.store_state_1(p_epoch, p_head, p_system, p_timeline);
    IF server.refused IS NOT NULL THEN
      RAISE EXCEPTION 'the store is older than what the node knows: %', server.refused USING ERRCODE = 'EV001';
    END IF;
    IF (p_epoch = head.id AND p_claim > base) OR head.timeline IS DISTINCT FROM server.timeline
       OR head.system_identifier <> server.system_identifier THEN
      INSERT INTO evento.store_epoch AS x (ordinal, starts_after, system_identifier, timeline, at)
        VALUES (coalesce(head.ordinal, 0) + 1, base, server.system_identifier, server.timeline, stamp) RETURNING x.id INTO epoch;
      wrote := true;
    END IF;
    system_identifier := server.system_identifier; timeline := server.surpassed;
    PERFORM set_config('evento.epoch_3', epoch::text, false);
  END IF;

  -- 3. duplicates first: what was once final wins over whatever a handler says now
  SELECT array_agg(CASE WHEN coalesce(d.hash, r.hash) IS DISTINCT FROM x.hash
                   THEN row(x.i, 'id-reused', NULL, NULL, NULL, NULL, NULL, NULL, NULL)::evento.refusal_1
                   ELSE row(x.i, 'duplicate', coalesce(r.kind, 0), coalesce(d.stream_id, r.stream_id), coalesce(d.position, r.position_seen), d.version, d.decision,
                            coalesce(d.answer, r.body), coalesce(d.recorded_at, r.recorded_at))::evento.refusal_1 END),
         array_agg(x.i)
    INTO said, bad
    FROM unnest(c_id, c_hash) WITH ORDINALITY AS x(id, hash, i)
    LEFT JOIN LATERAL (SELECT * FROM evento.event e WHERE e.command_id = x.id AND e.ord = 0 LIMIT 1) d ON true
    LEFT JOIN LATERAL (SELECT * FROM evento.command_result c WHERE c.command_id = x.id LIMIT 1) r ON true
   WHERE d.position IS NOT NULL OR r.kind IS NOT NULL;

  -- 4. each stream must be as decided on, also for an outcome without events
  SELECT array_agg(row(x.cmd, 'version', NULL, x.stream, NULL, coalesce(h.version, 0), coalesce(h.decision, 0), NULL, NULL)::evento.refusal_1), array_agg(x.cmd)
    INTO stale, late
    FROM unnest(s_cmd, s_stream, s_version, s_tip) AS x(cmd, stream, version, tip)
    LEFT JOIN LATERAL (SELECT e.version, e.decision FROM evento.event e WHERE e.stream_id = x.stream ORDER BY e.version DESC LIMIT 1) h ON true
   WHERE (coalesce(h.version, 0) IS DISTINCT FROM x.version OR coalesce(h.decision, 0) IS DISTINCT FROM x.tip)
     AND (bad IS NULL OR x.cmd <> ALL (bad));

  -- positions of another epoch mean nothing: events numbered again below q_after would be overlooked
  IF cardinality(q_cmd) > 0 AND q_epoch IS DISTINCT FROM epoch THEN
    SELECT stale || array_agg(row(x.cmd, 'epoch', NULL, NULL, NULL, NULL, NULL, NULL, NULL)::evento.refusal_1), late || array_agg(x.cmd)
      INTO stale, late
      FROM (SELECT DISTINCT cmd FROM unnest(q_cmd) AS q(cmd)) x
     WHERE x.cmd <> ALL (coalesce(bad, '{}') || coalesce(late, '{}'));
  END IF;

  -- nobody looks far back while all others wait: the caller does that before, outside of the gate
  IF cardinality(q_cmd) > 0 THEN
    SELECT stale || array_agg(row(x.cmd, 'behind', NULL, NULL, base, NULL, NULL, NULL, NULL)::evento.refusal_1), late || array_agg(x.cmd)
      INTO stale, late
      FROM (SELECT DISTINCT cmd FROM unnest(q_cmd, q_after) AS q(cmd, after) WHERE base - coalesce(after, 0) > 1000) x
     WHERE x.cmd <> ALL (coalesce(bad, '{}') || coalesce(late, '{}'));
  END IF;

  IF bad IS NOT NULL OR late IS NOT NULL OR cardinality(q_cmd) > 0 THEN
    said := said || stale;
    ok := array_fill(true, ARRAY[commands]);
    FOREACH n IN ARRAY coalesce(bad, '{}') || coalesce(late, '{}') LOOP ok[n] := false; END LOOP;
  END IF;

  -- 5. conditions: one after the other as if each were written before the next is looked at, so that the order is a serial one;
  --    those without a condition come first. What each could meet was found before, in one go.
  IF cardinality(q_cmd) > 0 THEN
    asks := array_fill(false, ARRAY[commands]);
    FOREACH n IN ARRAY (SELECT array_agg(DISTINCT x) FROM unnest(q_cmd) x) LOOP asks[n] := true; END LOOP;
    sizes := array_fill(0, ARRAY[commands]);
    FOR n, m IN SELECT s_cmd[x.s], count(*) FROM unnest(e_s) AS x(s) GROUP BY 1 LOOP sizes[n] := m; END LOOP;
    starts := array_fill(NULL::bigint, ARRAY[commands]);
    FOR n IN 1 .. commands LOOP
      IF ok[n] AND NOT asks[n] THEN starts[n] := top; top := top + sizes[n]; END IF;
    END LOOP;
    SELECT array_agg(x.cmd ORDER BY x.cmd, x."by" <> 0, asks[x."by"], x."by"), array_agg(x."by" ORDER BY x.cmd, x."by" <> 0, asks[x."by"], x."by"),
           array_agg(x.at ORDER BY x.cmd, x."by" <> 0, asks[x."by"], x."by")
      INTO m_cmd, m_by, m_at
      FROM evento.meets_1(q_cmd, q_types, q_tags, q_after, ok, base,
             (SELECT array_agg(s_cmd[x.s] ORDER BY x.i) FROM unnest(e_s) WITH ORDINALITY AS x(s, i)),
             (SELECT array_agg(x.at ORDER BY x.i) FROM (SELECT z.i, row_number() OVER (PARTITION BY s_cmd[z.s] ORDER BY z.i)::int AS at
                FROM unnest(e_s) WITH ORDINALITY AS z(s, i)) x),
             e_type, e_tags) x;
    k := 1;
    FOR n IN 1 .. commands LOOP
      CONTINUE WHEN NOT (ok[n] AND asks[n]);
      hit := NULL;
      WHILE m_cmd[k] <= n LOOP
        -- a writer that has a condition itself counts if it stands before and was not refused
        IF hit IS NULL AND m_cmd[k] = n AND (m_by[k] = 0 OR (ok[m_by[k]] AND (m_by[k] < n OR NOT asks[m_by[k]]))) THEN
          hit := CASE m_by[k] WHEN 0 THEN m_at[k] ELSE starts[m_by[k]] + m_at[k] END;
        END IF;
        k := k + 1;
      END LOOP;
      IF hit IS NULL THEN
        starts[n] := top; top := top + sizes[n];
      ELSE
        ok[n] := false;
        said := said || row(n, 'condition', NULL, NULL, hit, NULL, NULL, NULL, NULL)::evento.refusal_1;
      END IF;
    END LOOP;
  END IF;

  -- 6. all that were not refused, as one set
  IF ok IS NULL AND cardinality(e_s) = commands - outcomes THEN     -- one event each: nothing to count
    INSERT INTO evento.event(position, version, decision, hash, recorded_at, command_id, ord, stream_id, context, type, tags, meta, payload, answer)
      SELECT base + x.i, s_version[x.s] + 1, c_decision[s_cmd[x.s]], c_hash[s_cmd[x.s]], stamp, c_id[s_cmd[x.s]], 0, s_stream[x.s],
             x.context, x.type, x.tags::text[], x.meta, x.payload, c_body[s_cmd[x.s]]
        FROM unnest(e_s, e_context, e_type, e_tags, e_meta, e_payload) WITH ORDINALITY AS x(s, context, type, tags, meta, payload, i);
  ELSE
    INSERT INTO evento.event(position, version, decision, hash, recorded_at, command_id, ord, stream_id, context, type, tags, meta, payload, answer)
      SELECT coalesce(starts[y.cmd] + y.ord + 1, base + y.place), y.version, c_decision[y.cmd], CASE WHEN y.ord = 0 THEN c_hash[y.cmd] END, stamp, c_id[y.cmd],
             y.ord, s_stream[y.s], y.context, y.type, y.tags::text[], y.meta, y.payload, CASE WHEN y.ord = 0 THEN c_body[y.cmd] END
        FROM (SELECT row_number() OVER (ORDER BY x.i) AS place,
                     s_version[x.s] + row_number() OVER (PARTITION BY x.s ORDER BY x.i) AS version,
                     row_number() OVER (PARTITION BY s_cmd[x.s] ORDER BY x.i) - 1 AS ord,
                     s_cmd[x.s] AS cmd, x.s, x.context, x.type, x.tags, x.meta, x.payload
                FROM unnest(e_s, e_context, e_type, e_tags, e_meta, e_payload) WITH ORDINALITY AS x(s, context, type, tags, meta, payload, i)
               WHERE ok IS NULL OR ok[s_cmd[x.s]]) y;
  END IF;
  GET DIAGNOSTICS count = ROW_COUNT;
  IF outcomes > 0 THEN
    INSERT INTO evento.command_result(command_id, hash, position_seen, recorded_at, kind, stream_id, body)
      SELECT x.id, x.hash, CASE WHEN asks[x.i] THEN starts[x.i] ELSE base END, stamp, x.kind, s_stream[array_position(s_cmd, x.i::int)], x.body
        FROM unnest(c_id, c_hash, c_kind, c_body) WITH ORDINALITY AS x(id, hash, kind, body, i)
       WHERE x.kind IS DISTINCT FROM 0 AND (ok IS NULL OR ok[x.i]);
    GET DIAGNOSTICS m = ROW_COUNT;
    wrote := wrote OR m > 0;
  END IF;
  refused := array_to_json(said);

  -- an answer that rests only on what others committed must be as durable as they: flush, and wait for the standby
  IF count = 0 AND NOT wrote THEN PERFORM pg_logical_emit_message(true, 'evento', ''); END IF;
END $$;

-- two releases ago
DROP FUNCTION evento.append_1;

REVOKE ALL ON FUNCTION evento.append_3 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION evento.append_3, evento.store_state_1, evento.accept_store_1 TO "${server}";
GRANT SELECT ON evento.store_acceptance TO "${server}";                       -- an audit is never rewritten
