-- Lives of node processes that are over, which the table node forgets with the next process of the name. A trigger writes them, so that
-- nodes of any release do.
CREATE TABLE evento.node_life(
  incarnation uuid        NOT NULL CONSTRAINT node_life_incarnation PRIMARY KEY,
  name        text        NOT NULL,
  release     text        NOT NULL,
  started_at  timestamptz NOT NULL,
  ended_at    timestamptz NOT NULL,         -- when it was seen last
  ending      text        NOT NULL CHECK (ending IN ('left', 'lost')));   -- whether it said so
CREATE INDEX node_life_end ON evento.node_life(ended_at);

CREATE FUNCTION evento.node_life_1() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  INSERT INTO evento.node_life(incarnation, name, release, started_at, ended_at, ending)
    VALUES (OLD.incarnation, OLD.name, OLD.release, OLD.started_at, OLD.seen_at, CASE OLD.state WHEN 'gone' THEN 'left' ELSE 'lost' END)
    ON CONFLICT DO NOTHING;
  DELETE FROM evento.node_life WHERE ended_at < clock_timestamp() - interval '7 days';
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION evento.node_life_1 FROM PUBLIC;

-- A heartbeat names the incarnation too, and goes on without a call.
CREATE TRIGGER node_life AFTER UPDATE OF incarnation ON evento.node FOR EACH ROW
  WHEN (OLD.incarnation <> NEW.incarnation) EXECUTE FUNCTION evento.node_life_1();

GRANT SELECT ON evento.node_life TO "${server}";
