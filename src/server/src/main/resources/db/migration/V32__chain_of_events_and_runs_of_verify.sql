-- The store proves its integrity: a hash chain over the events, and runs that verify everything. A node of the previous release goes on;
-- it makes no blocks of the chain and takes no part in a run, and whoever follows it does.

-- 1. The chain

-- By blocks of 1,000 positions. Who changes, removes or swaps stored events is found by whoever compares, also if he was a superuser,
-- unless he rewrote the chain as well. The nodes' role lets the next block be made and can write none itself.
CREATE TABLE evento.chain_block(
  block bigint      NOT NULL CONSTRAINT chain_block_number PRIMARY KEY CHECK (block > 0),   -- of positions 1000 * block - 999 to 1000 * block
  hash  bytea       NOT NULL CHECK (octet_length(hash) = 32),   -- SHA-256 of the hash before and of the digests of its events, in order
  marks bytea       NOT NULL,               -- for each position the first 8 bytes of its event's digest, zeros without one: tell which differs
  epoch uuid        NOT NULL,               -- that was the present one
  at    timestamptz NOT NULL DEFAULT clock_timestamp());
ALTER TABLE evento.chain_block ALTER COLUMN marks SET STORAGE EXTERNAL;         -- random bytes do not become fewer

-- SHA-256 of all that is stored of an event, as PostgreSQL writes a row: what depends on a session's settings, its time, as
-- microseconds since 1970. A column that comes later is not in it, so that digests stay what they were.
CREATE FUNCTION evento.event_digest_1(e evento.event) RETURNS bytea LANGUAGE sql STABLE
RETURN sha256(convert_to(ROW(e.position, e.version, e.decision, e.hash, (extract(epoch FROM e.recorded_at) * 1000000)::bigint, e.command_id,
                             e.ord, e.stream_id, e.context, e.type, e.tags, e.meta, e.payload, e.answer)::text, 'UTF8'));

-- The digest of each block from one to another: its hash is SHA-256 of the hash before and of this.
CREATE FUNCTION evento.chain_digests_1(p_from bigint, p_to bigint)
RETURNS TABLE (block bigint, digest bytea, marks bytea) LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT (p.position + 999) / 1000, sha256(coalesce(string_agg(d.digest, '' ORDER BY p.position), '')),
         string_agg(coalesce(substr(d.digest, 1, 8), '\x0000000000000000'), '' ORDER BY p.position)
    FROM generate_series(1000 * p_from - 999, 1000 * p_to) AS p(position)
    LEFT JOIN (SELECT e.position, evento.event_digest_1(e) AS digest
                 FROM evento.event e WHERE e.position BETWEEN 1000 * p_from - 999 AND 1000 * p_to OFFSET 0) d ON d.position = p.position
   GROUP BY 1
$$;

-- Makes the blocks that are full for ten seconds, as many as asked for and 20 at most, unless another session does just now. Returns how
-- many it made.
CREATE FUNCTION evento.chain_next_1(p_blocks int) RETURNS int LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
DECLARE
  last record; made int := 0; full_at timestamptz;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtextextended('evento.chain', 0)) THEN RETURN 0; END IF;
  SELECT c.block, c.hash INTO last FROM evento.chain_block c ORDER BY c.block DESC LIMIT 1;
  WHILE made < least(p_blocks, 20) LOOP
    -- of its last event, or of what follows where that one is missing
    SELECT e.recorded_at INTO full_at FROM evento.event e WHERE e.position >= 1000 * (coalesce(last.block, 0) + 1) ORDER BY e.position LIMIT 1;
    EXIT WHEN full_at IS NULL OR full_at > clock_timestamp() - interval '10 seconds';
    INSERT INTO evento.chain_block AS c (block, hash, marks, epoch)
      SELECT d.block, sha256(coalesce(last.hash, '') || d.digest), d.marks, (SELECT s.id FROM evento.store_epoch s ORDER BY s.ordinal DESC LIMIT 1)
        FROM evento.chain_digests_1(coalesce(last.block, 0) + 1, coalesce(last.block, 0) + 1) d
      RETURNING c.block, c.hash INTO last;
    made := made + 1;
  END LOOP;
  RETURN made;
END $$;

REVOKE ALL ON FUNCTION evento.event_digest_1, evento.chain_digests_1, evento.chain_next_1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION evento.event_digest_1, evento.chain_digests_1, evento.chain_next_1 TO "${server}";
GRANT SELECT ON evento.chain_block TO "${server}";

-- 2. Runs of verify

-- One at a time in the whole cluster.
CREATE TABLE evento.verify_run(
  id           bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT verify_run_id PRIMARY KEY,
  state        text        NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'finished', 'cancelled', 'failed')),
  asked_by     text        NOT NULL,
  reason       text,
  started_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at     timestamptz,
  epoch        uuid        NOT NULL,        -- of head
  head         bigint      NOT NULL,        -- the last position that it looks at
  floor        bigint      NOT NULL DEFAULT 0,              -- up to here no event has to be
  anchor_block bigint,                      -- what was exported before, to be compared with
  anchor_hash  bytea,
  part         text        NOT NULL DEFAULT 'store',        -- what it looks at now …
  cursor       bigint      NOT NULL DEFAULT 0,              -- … and how far it has come with it
  events       bigint      NOT NULL DEFAULT 0,              -- so many positions were looked at,
  outcomes     bigint      NOT NULL DEFAULT 0,              -- outcomes without events,
  checkpoints  bigint      NOT NULL DEFAULT 0,
  snapshots    bigint      NOT NULL DEFAULT 0,
  replayed     int         NOT NULL DEFAULT 0,              -- snapshots that a bundle made anew,
  unreplayed   int         NOT NULL DEFAULT 0,              -- and that were to be, but no bundle could
  findings     bigint      NOT NULL DEFAULT 0,              -- rows or not
  error        text,                        -- why it failed
  node         text,                        -- that goes on with it
  incarnation  uuid,
  fence        bigint      NOT NULL DEFAULT 0,
  lease_until  timestamptz,
  CONSTRAINT verify_run_part CHECK (part IN ('store', 'events', 'outcomes', 'checkpoints', 'snapshots', 'replay')),
  CONSTRAINT verify_run_anchor CHECK ((anchor_block IS NULL) = (anchor_hash IS NULL)),
  CONSTRAINT verify_run_end CHECK ((state = 'running') = (ended_at IS NULL))
) WITH (fillfactor = 50);
CREATE UNIQUE INDEX verify_run_running ON evento.verify_run((true)) WHERE state = 'running';

CREATE TABLE evento.verify_finding(
  id       bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT verify_finding_id PRIMARY KEY,
  run      bigint NOT NULL CONSTRAINT verify_finding_run REFERENCES evento.verify_run(id) ON DELETE CASCADE,
  kind     text   NOT NULL,
  position bigint,                          -- of the event; of the first one, where it is about several
  stream   text COLLATE "C",
  detail   text   NOT NULL);                -- a sentence
CREATE INDEX verify_finding_of_run ON evento.verify_finding(run, id);

-- Null if one is running. Of those that ended the last 50 are kept, and the last one that went through; and those that found something,
-- until a later one went through and found nothing.
CREATE FUNCTION evento.verify_start_1(p_epoch uuid, p_head bigint, p_anchor_block bigint, p_anchor_hash bytea, p_reason text,
  p_who text, p_node text, p_address text)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
DECLARE
  made bigint;
BEGIN
  INSERT INTO evento.verify_run AS r (asked_by, reason, epoch, head, anchor_block, anchor_hash)
    VALUES (left(p_who, 200), left(p_reason, 500), p_epoch, p_head, p_anchor_block, p_anchor_hash)
    ON CONFLICT DO NOTHING RETURNING r.id INTO made;
  IF made IS NULL THEN RETURN NULL; END IF;
  DELETE FROM evento.verify_run r
   WHERE r.id <= (SELECT o.id FROM evento.verify_run o ORDER BY o.id DESC OFFSET 50 LIMIT 1)
     AND r.id <> coalesce((SELECT max(f.id) FROM evento.verify_run f WHERE f.state = 'finished'), 0)
     AND (NOT EXISTS (SELECT FROM evento.verify_finding f WHERE f.run = r.id)
          OR EXISTS (SELECT FROM evento.verify_run c WHERE c.id > r.id AND c.state = 'finished' AND c.findings = 0
                        AND NOT EXISTS (SELECT FROM evento.verify_finding f WHERE f.run = c.id)));
  PERFORM evento.audit_add(p_who, 'start verify', made::text, NULL,
                           jsonb_build_object('head', p_head, 'anchor', p_anchor_block, 'reason', p_reason), p_node, p_address);
  RETURN made;
END $$;

-- False if it is not running.
CREATE FUNCTION evento.verify_cancel_1(p_run bigint, p_who text, p_node text, p_address text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
BEGIN
  UPDATE evento.verify_run SET state = 'cancelled', ended_at = clock_timestamp() WHERE id = p_run AND state = 'running';
  IF NOT FOUND THEN RETURN false; END IF;
  PERFORM evento.audit_add(p_who, 'cancel verify', p_run::text, NULL, NULL, p_node, p_address);
  RETURN true;
END $$;

-- The run that is under way, taken by a node if nobody has it: whoever has it is alive and within its time.
CREATE FUNCTION evento.verify_claim_1(p_node text, p_incarnation uuid, p_live uuid[], p_lease_millis bigint) RETURNS SETOF evento.verify_run
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
BEGIN
  RETURN QUERY
    UPDATE evento.verify_run r
       SET node = p_node, incarnation = p_incarnation, fence = r.fence + 1, lease_until = clock_timestamp() + p_lease_millis * interval '1 millisecond'
     WHERE r.state = 'running'
       AND (r.incarnation IS NULL OR r.incarnation = p_incarnation OR r.lease_until < clock_timestamp() OR r.incarnation <> ALL (p_live))
    RETURNING r.*;
END $$;

-- A step from one place to the next, with what it found: of more than 1,000 findings of a run there is the number. It only goes on: parts
-- and cursor rise, counts do, the head may only sink. True also where it was taken before, and its node did not hear of it. False if the
-- run ended, or is not of this fence any more.
CREATE FUNCTION evento.verify_step_1(p_run bigint, p_fence bigint, p_lease_millis bigint, p_old_part text, p_old_cursor bigint,
  p_part text, p_cursor bigint, p_head bigint, p_floor bigint, p_events bigint, p_outcomes bigint, p_checkpoints bigint, p_snapshots bigint,
  p_replayed int, p_unreplayed int, p_kinds text[], p_positions bigint[], p_streams text[], p_details text[])
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
DECLARE
  parts CONSTANT text[] := '{store,events,outcomes,checkpoints,snapshots,replay}'; room bigint;
BEGIN
  UPDATE evento.verify_run r
     SET part = p_part, cursor = p_cursor, head = p_head, floor = p_floor, events = p_events, outcomes = p_outcomes, checkpoints = p_checkpoints,
         snapshots = p_snapshots, replayed = p_replayed, unreplayed = p_unreplayed, findings = r.findings + cardinality(p_kinds),
         lease_until = clock_timestamp() + p_lease_millis * interval '1 millisecond'
   WHERE r.id = p_run AND r.fence = p_fence AND r.state = 'running' AND r.part = p_old_part AND r.cursor = p_old_cursor
     AND (array_position(parts, p_part) > array_position(parts, r.part) OR p_part = r.part AND p_cursor > r.cursor)
     AND p_head <= r.head AND (p_floor = r.floor OR r.part = 'store')
     AND p_events >= r.events AND p_outcomes >= r.outcomes AND p_checkpoints >= r.checkpoints AND p_snapshots >= r.snapshots
     AND p_replayed >= r.replayed AND p_unreplayed >= r.unreplayed
  RETURNING 1000 - (r.findings - cardinality(p_kinds)) INTO room;
  IF NOT FOUND THEN
    RETURN EXISTS (SELECT FROM evento.verify_run r WHERE r.id = p_run AND r.fence = p_fence AND r.state = 'running'
                      AND r.part = p_part AND r.cursor = p_cursor);
  END IF;
  INSERT INTO evento.verify_finding (run, kind, position, stream, detail)
    SELECT p_run, f.kind, f.position, f.stream, f.detail
      FROM unnest(p_kinds, p_positions, p_streams, p_details) WITH ORDINALITY AS f(kind, position, stream, detail, n)
     WHERE f.n <= room ORDER BY f.n;
  RETURN true;
END $$;

-- Ends a run that has come to its last part, or failed. False if it ended before, or is not of this fence any more.
CREATE FUNCTION evento.verify_end_1(p_run bigint, p_fence bigint, p_error text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
BEGIN
  UPDATE evento.verify_run r
     SET state = CASE WHEN p_error IS NULL THEN 'finished' ELSE 'failed' END, error = p_error, ended_at = clock_timestamp(), lease_until = NULL
   WHERE r.id = p_run AND r.fence = p_fence AND r.state = 'running' AND (p_error IS NOT NULL OR r.part = 'replay');
  RETURN FOUND;
END $$;

-- Another node may take it at once.
CREATE FUNCTION evento.verify_release_1(p_run bigint, p_fence bigint) RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
  UPDATE evento.verify_run SET incarnation = NULL, lease_until = NULL WHERE id = p_run AND fence = p_fence AND state = 'running'
$$;

-- Events up to here were archived away. Nothing of a node writes it, and who verifies trusts it only where the chain has none of them.
CREATE FUNCTION evento.store_floor_1() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ SELECT g.floor FROM evento.append_gate g $$;

REVOKE ALL ON FUNCTION evento.verify_start_1, evento.verify_cancel_1, evento.verify_claim_1, evento.verify_step_1, evento.verify_end_1,
  evento.verify_release_1, evento.store_floor_1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION evento.verify_start_1, evento.verify_cancel_1, evento.verify_claim_1, evento.verify_step_1, evento.verify_end_1,
  evento.verify_release_1, evento.store_floor_1 TO "${server}";
GRANT SELECT ON evento.verify_run, evento.verify_finding TO "${server}";
