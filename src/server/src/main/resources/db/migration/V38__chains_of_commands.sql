-- Chains: commands of one stream that were decided one on the other, before any of them is stored, in one call of the append.
-- append_3 stays for nodes of the previous release; both take the same gate, so neither can come between what the other compares
-- and writes. A node of the previous release has no chains and sees none: what they leave are events and outcomes like any others.

-- As sole_call_1, which knows the text of append_3, knows that of append_4.
CREATE FUNCTION evento.sole_call_2(p_query text, p_function text) RETURNS boolean
LANGUAGE plpgsql STABLE
AS $$
DECLARE
  -- without the quotes that stand in literals, each written twice
  pieces  text[] := string_to_array(replace(p_query, '''''', ''), '''');
  outside text := pieces[1];
BEGIN
  FOR k IN 3 .. cardinality(pieces) BY 2 LOOP
    outside := outside || '''' || pieces[k];
  END LOOP;
  IF cardinality(pieces) % 2 = 0 THEN RETURN false; END IF;
  -- as AppendFunction says it, with what the driver puts in for 25 values: in 6 us, where the expressions below take 60
  IF replace(outside, '(NULL)', '('')') =
     'select epoch, base, count, recorded_at, refused,
       (extract(epoch from recorded_at - statement_timestamp()) * 1000000)::bigint,
       system_identifier, timeline
  from evento.append_4((''), (''), (''), (''), (''), (''),
         (''), (''), (''), (''), (''),  (''), (''), (''), (''),  (''), (''), (''), (''), (''), (''),  (''), (''), (''), (''))
' THEN RETURN p_function = 'append_4'; END IF;
  RETURN outside !~ '[^(,\s]'''
     AND outside !~ '\m(union|intersect|except)\M'      -- with what could keep the executor busy after the call
     AND outside ~ ('^\s*select [a-z_,\s]+(\(extract\(epoch from recorded_at - statement_timestamp\(\)\) \* 1000000\)::bigint,[a-z_,\s]+)?from evento\.'
                    || p_function || '\(([(),\s'']|::[a-z0-9]+|NULL|null)*\)\s*$');
END $$;

-- append_3 but for these:
--   a stream may stand in s_ several times, as a chain: each time as another command, of that stream alone and without a condition,
--     in the order of the commands, on the version and tip that the one before it leads to. Of a chain the first link's state is
--     compared; if one link is refused, for whatever reason, all are, the others as version
--   the position that an outcome without events has seen is that of the last event before it, those of the same call too
CREATE FUNCTION evento.append_4(
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
  written   int[];              -- events of each s_; null: no chain
  firsts    int[];              -- of s_, those that no other of their stream stands before; null: all, as there is no chain
  gone      int[]; torn text[]; -- commands that are refused; their streams
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
  IF pg_current_xact_id_if_assigned() IS NOT NULL OR statement_timestamp() <> transaction_timestamp()
     OR current_setting('standard_conforming_strings') <> 'on' OR evento.sole_call_2(current_query(), 'append_4') IS NOT TRUE THEN
    RAISE EXCEPTION 'append must be one simple query, alone in its transaction' USING ERRCODE = '25001';
  END IF;

  -- shape: events belong to commands of kind 0, each of which has some; no id twice; a stream twice only as a chain
  IF commands = 1 AND s_cmd = '{1}'::int[] AND 1 = ALL (e_s) AND (c_kind[1] = 0) = (cardinality(e_s) > 0) THEN
    outcomes := CASE c_kind[1] WHEN 0 THEN 0 ELSE 1 END;     -- one command on one stream: seen without a query
  ELSE
    SELECT count(DISTINCT s_cmd[x.s]), count(*) FILTER (WHERE c_kind[s_cmd[x.s]] IS DISTINCT FROM 0),
           (SELECT count(DISTINCT z COLLATE "C") FROM unnest(s_stream) z), (SELECT count(DISTINCT z) FROM unnest(c_id) z)
      INTO n, m, streams, ids FROM unnest(e_s) x(s);
    IF m > 0 OR n <> cardinality(array_positions(c_kind, 0::smallint)) THEN
      RAISE EXCEPTION 'kinds and events do not match' USING ERRCODE = '22023';
    END IF;
    IF ids <> commands THEN
      RAISE EXCEPTION 'a command twice in a batch' USING ERRCODE = '23505';
    END IF;
    outcomes := commands - n;
    -- Each link stands on the state that the one before it leads to, and its events come behind: so what is found of the first
    -- link's state, and that all are written or none, makes a history without fork or hole. A command of several streams or with
    -- a condition is no link: of two that each read what the other writes, no order could be told.
    IF streams <> cardinality(s_cmd) THEN
      written := array_fill(0, ARRAY[cardinality(s_cmd)]);
      m := 0;
      FOREACH n IN ARRAY e_s LOOP
        IF n < m THEN RAISE EXCEPTION 'events not in the order of their links' USING ERRCODE = '22023'; END IF;
        written[n] := written[n] + 1; m := n;
      END LOOP;
      SELECT count(*) FILTER (WHERE l.links > 1 AND (l.bases > 1 OR l.cmd = ANY (q_cmd) OR l.cmd <= l.cmd_before
               OR (l.cmd_before IS NOT NULL AND (l.version IS DISTINCT FROM l.version_before OR l.tip IS DISTINCT FROM l.tip_before)))),
             array_agg(l.s) FILTER (WHERE l.cmd_before IS NULL)
        INTO n, firsts
        FROM (SELECT x.s, x.cmd, x.version, x.tip,
                     lag(x.cmd) OVER w AS cmd_before,
                     lag(x.version + written[x.s]) OVER w AS version_before,
                     lag(CASE WHEN written[x.s] > 0 THEN c_decision[x.cmd] ELSE x.tip END) OVER w AS tip_before,
                     count(*) OVER (PARTITION BY x.stream COLLATE "C") AS links,
                     count(*) OVER (PARTITION BY x.cmd) AS bases
                FROM unnest(s_cmd, s_stream, s_version, s_tip) WITH ORDINALITY AS x(cmd, stream, version, tip, s)
              WINDOW w AS (PARTITION BY x.stream COLLATE "C" ORDER BY x.s)) l;
      IF n > 0 THEN
        RAISE EXCEPTION 'a stream twice in a batch, and not as a chain' USING ERRCODE = '23505';
      END IF;
    END IF;
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
     OR current_setting('evento.epoch_4', true) IS DISTINCT FROM head.id::text THEN
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
    PERFORM set_config('evento.epoch_4', epoch::text, false);
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

  -- 4. each stream must be as decided on, also for an outcome without events; of a chain, as its first link was
  SELECT array_agg(row(x.cmd, 'version', NULL, x.stream, NULL, coalesce(h.version, 0), coalesce(h.decision, 0), NULL, NULL)::evento.refusal_1), array_agg(x.cmd)
    INTO stale, late
    FROM unnest(s_cmd, s_stream, s_version, s_tip) WITH ORDINALITY AS x(cmd, stream, version, tip, s)
    LEFT JOIN LATERAL (SELECT e.version, e.decision FROM evento.event e WHERE e.stream_id = x.stream ORDER BY e.version DESC LIMIT 1) h ON true
   WHERE (coalesce(h.version, 0) IS DISTINCT FROM x.version OR coalesce(h.decision, 0) IS DISTINCT FROM x.tip)
     AND (bad IS NULL OR x.cmd <> ALL (bad))
     AND (firsts IS NULL OR x.s = ANY (firsts));

  --    links stand or fall together: those behind rest on what will not be there, those before share their fate, so that one verdict settles a chain
  --    (apart, as a join of two arrays would compare all with all, while everybody waits)
  IF firsts IS NOT NULL AND (bad IS NOT NULL OR late IS NOT NULL) THEN
    gone := coalesce(bad, '{}') || coalesce(late, '{}');
    torn := (SELECT array_agg(DISTINCT y.stream) FROM unnest(s_cmd, s_stream) AS y(cmd, stream) WHERE y.cmd = ANY (gone));
    SELECT stale || array_agg(row(x.cmd, 'version', NULL, x.stream, NULL, coalesce(h.version, 0), coalesce(h.decision, 0), NULL, NULL)::evento.refusal_1),
           late || array_agg(x.cmd)
      INTO stale, late
      FROM unnest(s_cmd, s_stream) AS x(cmd, stream)
      LEFT JOIN LATERAL (SELECT e.version, e.decision FROM evento.event e WHERE e.stream_id = x.stream ORDER BY e.version DESC LIMIT 1) h ON true
     WHERE x.cmd <> ALL (gone)
       AND x.stream COLLATE "C" = ANY (torn);
  END IF;

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
  --    What each that has no events has seen are the events before it, those of its own call too: a link's state is made of them.
  IF cardinality(q_cmd) > 0 OR (outcomes > 0 AND cardinality(e_s) > 0) THEN
    asks := array_fill(false, ARRAY[commands]);
    FOREACH n IN ARRAY (SELECT coalesce(array_agg(DISTINCT x), '{}') FROM unnest(q_cmd) x) LOOP asks[n] := true; END LOOP;
    sizes := array_fill(0, ARRAY[commands]);
    FOR n, m IN SELECT s_cmd[x.s], count(*) FROM unnest(e_s) AS x(s) GROUP BY 1 LOOP sizes[n] := m; END LOOP;
    starts := array_fill(NULL::bigint, ARRAY[commands]);
    FOR n IN 1 .. commands LOOP
      IF ok[n] IS NOT FALSE AND NOT asks[n] THEN starts[n] := top; top := top + sizes[n]; END IF;
    END LOOP;
  END IF;
  IF cardinality(q_cmd) > 0 THEN
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
      SELECT x.id, x.hash, coalesce(starts[x.i], base), stamp, x.kind, s_stream[array_position(s_cmd, x.i::int)], x.body
        FROM unnest(c_id, c_hash, c_kind, c_body) WITH ORDINALITY AS x(id, hash, kind, body, i)
       WHERE x.kind IS DISTINCT FROM 0 AND (ok IS NULL OR ok[x.i]);
    GET DIAGNOSTICS m = ROW_COUNT;
    wrote := wrote OR m > 0;
  END IF;
  refused := array_to_json(said);

  -- an answer that rests only on what others committed must be as durable as they: flush, and wait for the standby
  IF count = 0 AND NOT wrote THEN PERFORM pg_logical_emit_message(true, 'evento', ''); END IF;
END $$;

REVOKE ALL ON FUNCTION evento.append_4, evento.sole_call_2 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION evento.append_4 TO "${server}";
