-- Which types, contexts and types of aggregates stand in each block of 4,000 positions, so that who looks for rare events leaps over the
-- blocks that have none. A node of the previous release goes on: it appends without knowing of it, and makes and reads no blocks.

-- A row says what may be in its block. A block without row may have anything, and so may what is null.
--
-- Why nobody misses an event by it:
-- 1. A row is made of all events of its block: positions become visible in order, so who sees an event at or above the block's end sees all
--    of the block, and none is added to it later.
-- 2. A store that loses its newest events loses the rows made of them as well: each was committed after them, in the same log.
-- 3. Events that somebody took away by hand, or put back of another copy, are the newest ones too. The mark of the last row then fits no
--    more: it names the last event of its block, by the random number of its decision too. Until it fits nobody leaps, and before another
--    row is made, those that do not fit are dropped.
-- Who changes events by hand in other ways drops the rows of their blocks, as the owner.
CREATE TABLE evento.event_block(
  block      bigint NOT NULL CONSTRAINT event_block_number PRIMARY KEY CHECK (block > 0),     -- of positions 4000 * block - 3999 to 4000 * block
  types      text[] COLLATE "C",            -- of its events; null where there are more than 1,000, and of a block
                                            -- with a hole, in which events may come; as of all three
  contexts   text[] COLLATE "C",
  aggregates text[] COLLATE "C",            -- types of aggregates, with which the names of its streams begin
  mark       text COLLATE "C" NOT NULL);    -- of the last event up to its end

CREATE FUNCTION evento.event_block_mark_1(p_block bigint) RETURNS text LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce((SELECT concat_ws(' ', e.position, e.command_id, e.ord, e.decision, e.version)
                     FROM evento.event e WHERE e.position <= 4000 * p_block ORDER BY e.position DESC LIMIT 1), '')
$$;

-- Makes the blocks that are full, as many as asked for and 20 at most, unless another session does just now. Returns how many it made.
CREATE FUNCTION evento.event_blocks_next_1(p_blocks int) RETURNS int LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
DECLARE
  n bigint; made int := 0; last record;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtextextended('evento.event_block', 0)) THEN RETURN 0; END IF;
  LOOP
    SELECT b.block, b.mark INTO last FROM evento.event_block b ORDER BY b.block DESC LIMIT 1;
    EXIT WHEN last.block IS NULL OR last.mark = evento.event_block_mark_1(last.block);
    DELETE FROM evento.event_block b WHERE b.block = last.block;
  END LOOP;
  n := coalesce(last.block, 0) + 1;
  WHILE made < least(p_blocks, 20) LOOP
    -- by its last event, or by what follows where that one is missing
    EXIT WHEN NOT EXISTS (SELECT FROM evento.event e WHERE e.position >= 4000 * n);
    INSERT INTO evento.event_block (block, types, contexts, aggregates, mark)
      SELECT n, CASE WHEN f.events = 4000 AND cardinality(f.types) <= 1000 THEN f.types END, CASE WHEN f.events = 4000 AND cardinality(f.contexts) <= 1000 THEN f.contexts END,
             CASE WHEN f.events = 4000 AND cardinality(f.aggregates) <= 1000 THEN f.aggregates END, evento.event_block_mark_1(n)
        FROM (SELECT count(*) AS events, coalesce(array_agg(DISTINCT e.type), '{}') AS types, coalesce(array_agg(DISTINCT e.context), '{}') AS contexts,
                     coalesce(array_agg(DISTINCT split_part(e.stream_id, ':', 1)), '{}') AS aggregates
                FROM evento.event e WHERE e.position BETWEEN 4000 * n - 3999 AND 4000 * n) f;
    made := made + 1; n := n + 1;
  END LOOP;
  RETURN made;
END $$;

-- The first block from p_block on in which there may be what is wanted; no more than 1,000 are looked at, and of the one behind them nothing
-- is known then. Null for any type, context or type of aggregate.
CREATE FUNCTION evento.event_block_from_1(p_block bigint, p_types text[], p_contexts text[], p_aggregates text[]) RETURNS bigint
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH last AS MATERIALIZED (SELECT b.block, b.mark FROM evento.event_block b ORDER BY b.block DESC LIMIT 1)
  SELECT CASE WHEN l.block < p_block OR l.mark <> evento.event_block_mark_1(l.block) THEN p_block ELSE coalesce(
    -- the rows are walked in the order of the primary key, up to the first that says so, or that is missing
    (SELECT p_block + b.n - 1
       FROM (SELECT o.*, row_number() OVER (ORDER BY o.block) AS n FROM evento.event_block o WHERE o.block >= p_block AND o.block < p_block + 1000) b
      WHERE b.block <> p_block + b.n - 1
         OR (coalesce(b.types && p_types, true) AND coalesce(b.contexts && p_contexts, true) AND coalesce(b.aggregates && p_aggregates, true))
      ORDER BY b.block LIMIT 1),
    -- or as far as they go
    p_block + (SELECT count(*) FROM evento.event_block b WHERE b.block >= p_block AND b.block < p_block + 1000)) END
    FROM last l
  UNION ALL SELECT p_block WHERE NOT EXISTS (SELECT FROM last)
$$;

-- The last block up to p_block, likewise; 0 if there is none.
CREATE FUNCTION evento.event_block_back_1(p_block bigint, p_types text[], p_contexts text[], p_aggregates text[]) RETURNS bigint
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH last AS MATERIALIZED (SELECT b.block, b.mark FROM evento.event_block b ORDER BY b.block DESC LIMIT 1)
  SELECT CASE WHEN l.block < p_block OR l.mark <> evento.event_block_mark_1(l.block) THEN p_block ELSE coalesce(
    (SELECT p_block - b.n + 1
       FROM (SELECT o.*, row_number() OVER (ORDER BY o.block DESC) AS n FROM evento.event_block o WHERE o.block <= p_block AND o.block > p_block - 1000) b
      WHERE b.block <> p_block - b.n + 1
         OR (coalesce(b.types && p_types, true) AND coalesce(b.contexts && p_contexts, true) AND coalesce(b.aggregates && p_aggregates, true))
      ORDER BY b.block DESC LIMIT 1),
    p_block - (SELECT count(*) FROM evento.event_block b WHERE b.block <= p_block AND b.block > p_block - 1000)) END
    FROM last l
  UNION ALL SELECT p_block WHERE NOT EXISTS (SELECT FROM last)
$$;

REVOKE ALL ON FUNCTION evento.event_block_mark_1, evento.event_blocks_next_1, evento.event_block_from_1, evento.event_block_back_1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION evento.event_block_mark_1, evento.event_blocks_next_1, evento.event_block_from_1, evento.event_block_back_1 TO "${server}";
GRANT SELECT ON evento.event_block TO "${server}";
