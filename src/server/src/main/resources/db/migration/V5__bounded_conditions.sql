-- Conditions that hold the gate for a bounded time. append_1 stays for nodes of the previous release.

-- append_1 but for one thing: a condition that would have to look at more than 1000 earlier events (and those of its own
-- batch) is refused with the reason
--   behind     position: the head; the condition is to be checked up to there without the gate, then sent again from there
-- Whoever does so misses nothing: positions at or below a head that was seen never change.

-- p_epoch, p_head  what the caller last knew of the store (null: nothing); a head below p_head opens a new epoch;
--      conditions are positions of p_epoch
-- c_…  one element per command. c_kind 0: has events, c_body is the answer; else an outcome without events, c_body its text
-- s_…  one element per command and stream that its decision rests on (all that it writes, and any it only read):
--      s_cmd index into c_, s_version and s_tip (decision number of the last event) as decided on; 0 and 0 for an empty stream
-- e_…  one element per event, a command's side by side: e_s index into s_; tags as array literals
-- q_…  conditions "no event with all these tags and one of these types (null: any) after that position";
--      q_cmd index into c_; alternatives of one command side by side; the position at most 1000 below the head,
--      else the command is refused as behind
-- Accepted commands have the positions base + 1 … in the order of their events, those with a condition last.
-- Call: SELECT epoch, base, count, recorded_at, refused FROM evento.append_2(…); refused is null or a JSON array of refusal_1
CREATE FUNCTION evento.append_2(
  p_epoch uuid, p_head bigint,
  c_id uuid[], c_hash bigint[], c_decision bigint[], c_kind smallint[], c_body text[],
  s_cmd int[], s_stream text[], s_version bigint[], s_tip bigint[],
  e_s int[], e_context text[], e_type text[], e_tags text[], e_meta text[], e_payload text[],
  q_cmd int[], q_types text[], q_tags text[], q_after bigint[],
  OUT epoch uuid, OUT base bigint, OUT count int, OUT recorded_at timestamptz, OUT refused text)
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
  lost      boolean;
  stamp     timestamptz;
  top       bigint;
  said      evento.refusal_1[]; stale evento.refusal_1[];
  bad       int[]; late int[];
  ok        boolean[];          -- not refused; null: all
  pick      boolean[];          -- to be written now; null: all
  wrote     boolean := false;
  k         int := 0;
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

  -- 2. the epoch: another cluster, another timeline, or a store that lost what a caller has seen in this epoch
  --    A session's server stays the cluster and timeline that it is, so it is asked once per session and epoch: that reads a file
  lost := head.id = p_epoch AND p_head > base;
  IF lost OR head.id IS NULL OR current_setting('evento.epoch', true) IS DISTINCT FROM head.id::text THEN
    SELECT CASE WHEN has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE') THEN (SELECT i.system_identifier FROM pg_control_system() i) END AS system_identifier,
           substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) AS timeline
      INTO server;
    IF lost OR head.timeline IS DISTINCT FROM server.timeline OR head.system_identifier <> server.system_identifier THEN
      INSERT INTO evento.store_epoch AS x (ordinal, starts_after, system_identifier, timeline, at)
        VALUES (coalesce(head.ordinal, 0) + 1, base, server.system_identifier, server.timeline, stamp) RETURNING x.id INTO epoch;
      wrote := true;
    END IF;
    PERFORM set_config('evento.epoch', epoch::text, false);
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
  IF cardinality(q_cmd) > 0 AND p_epoch IS DISTINCT FROM epoch THEN
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
    pick := ok;
    FOREACH n IN ARRAY coalesce(q_cmd, '{}') LOOP pick[n] := false; END LOOP;
  END IF;

  -- 5. first all without a condition as one set, then the conditional ones, each seeing those before: a valid serial order
  <<turns>> LOOP
    IF pick IS NULL AND cardinality(e_s) = commands - outcomes THEN     -- one event each: nothing to count
      INSERT INTO evento.event(position, version, decision, hash, recorded_at, command_id, ord, stream_id, context, type, tags, meta, payload, answer)
        SELECT top + x.i, s_version[x.s] + 1, c_decision[s_cmd[x.s]], c_hash[s_cmd[x.s]], stamp, c_id[s_cmd[x.s]], 0, s_stream[x.s],
               x.context, x.type, x.tags::text[], x.meta, x.payload, c_body[s_cmd[x.s]]
          FROM unnest(e_s, e_context, e_type, e_tags, e_meta, e_payload) WITH ORDINALITY AS x(s, context, type, tags, meta, payload, i);
    ELSE
      INSERT INTO evento.event(position, version, decision, hash, recorded_at, command_id, ord, stream_id, context, type, tags, meta, payload, answer)
        SELECT y.position, y.version, c_decision[y.cmd], CASE WHEN y.ord = 0 THEN c_hash[y.cmd] END, stamp, c_id[y.cmd], y.ord, s_stream[y.s],
               y.context, y.type, y.tags::text[], y.meta, y.payload, CASE WHEN y.ord = 0 THEN c_body[y.cmd] END
          FROM (SELECT top + row_number() OVER (ORDER BY x.i) AS position,
                       s_version[x.s] + row_number() OVER (PARTITION BY x.s ORDER BY x.i) AS version,
                       row_number() OVER (PARTITION BY s_cmd[x.s] ORDER BY x.i) - 1 AS ord,
                       s_cmd[x.s] AS cmd, x.s, x.context, x.type, x.tags, x.meta, x.payload
                  FROM unnest(e_s, e_context, e_type, e_tags, e_meta, e_payload) WITH ORDINALITY AS x(s, context, type, tags, meta, payload, i)
                 WHERE pick IS NULL OR pick[s_cmd[x.s]]) y;
    END IF;
    GET DIAGNOSTICS n = ROW_COUNT;
    IF outcomes > 0 THEN
      INSERT INTO evento.command_result(command_id, hash, position_seen, recorded_at, kind, stream_id, body)
        SELECT x.id, x.hash, top, stamp, x.kind, s_stream[array_position(s_cmd, x.i::int)], x.body
          FROM unnest(c_id, c_hash, c_kind, c_body) WITH ORDINALITY AS x(id, hash, kind, body, i)
         WHERE x.kind IS DISTINCT FROM 0 AND (pick IS NULL OR pick[x.i]);
      GET DIAGNOSTICS m = ROW_COUNT;
      wrote := wrote OR m > 0;
    END IF;
    top := top + n;

    LOOP
      k := k + 1;
      EXIT turns WHEN k > coalesce(cardinality(q_cmd), 0);
      IF k = 1 OR q_cmd[k] <> q_cmd[k-1] THEN hit := NULL; END IF;
      CONTINUE WHEN NOT ok[q_cmd[k]];
      IF hit IS NULL THEN
        -- the few events since then, by primary key; an older condition was sent away before
        SELECT e.position INTO hit FROM evento.event e
         WHERE e.position > coalesce(q_after[k], 0) AND e.position <= top AND e.tags @> coalesce(q_tags[k], '{}')::text[]
           AND (q_types[k] IS NULL OR e.type = ANY (q_types[k]::text[])) ORDER BY e.position LIMIT 1;
      END IF;
      CONTINUE WHEN q_cmd[k] = q_cmd[k+1];   -- more alternatives of this command follow
      EXIT WHEN hit IS NULL;
      said := said || row(q_cmd[k], 'condition', NULL, NULL, hit, NULL, NULL, NULL, NULL)::evento.refusal_1;
    END LOOP;
    pick := array_fill(false, ARRAY[commands]); pick[q_cmd[k]] := true;
  END LOOP;
  count := top - base;
  refused := array_to_json(said);

  -- an answer that rests only on what others committed must be as durable as they: flush, and wait for the standby
  IF count = 0 AND NOT wrote THEN PERFORM pg_logical_emit_message(true, 'evento', ''); END IF;
END $$;

REVOKE ALL ON FUNCTION evento.append_2 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION evento.append_2 TO "${server}";

-- 2. Boundaries are components too

ALTER TABLE evento.component DROP CONSTRAINT component_kind_check;
ALTER TABLE evento.component ADD CONSTRAINT component_kind_check CHECK (kind IN
  ('aggregate', 'service', 'projector', 'projection', 'observer', 'saga', 'invoker', 'boundary'));
