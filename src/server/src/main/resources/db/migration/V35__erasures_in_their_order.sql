-- Erasures get numbers in the order in which they are committed, so that a node that looks twice a second for new ones asks for the
-- last number and reads what is above its own. An older node counts them as before.

-- What is there is numbered by a sequence once. Afterwards the sequence is gone: logical replication would copy none, and one that is
-- behind the rows gives a number twice.
ALTER TABLE evento.erasure ADD ordinal bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT erasure_ordinal UNIQUE;
ALTER TABLE evento.erasure ALTER ordinal DROP IDENTITY;

-- In the order of commits: whoever adds one, of any release, holds the lock of lock_erasure_1 or erase_1 until his transaction ends.
CREATE FUNCTION evento.erasure_ordinal_1() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('evento.erasure', 0));
  NEW.ordinal := 1 + coalesce((SELECT max(e.ordinal) FROM evento.erasure e), 0);
  RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION evento.erasure_ordinal_1 FROM PUBLIC;
CREATE TRIGGER erasure_ordinal BEFORE INSERT ON evento.erasure FOR EACH ROW EXECUTE FUNCTION evento.erasure_ordinal_1();

-- Only an erasure that is there stays as it is. Any other conflict fails, with the keys still there: left out in silence, no other node
-- would hear of it.
DO $$
DECLARE
  given text := pg_get_functiondef('evento.erase_1'::regproc);
  made  text := replace(given, 'ON CONFLICT DO NOTHING', 'ON CONFLICT (subject) DO NOTHING');
BEGIN
  IF made = given THEN RAISE EXCEPTION 'erase_1 is not as it was made'; END IF;
  EXECUTE made;
END $$;

-- Those of which no event is known, as a rule none.
CREATE INDEX erasure_untold ON evento.erasure(ordinal) WHERE position IS NULL;
