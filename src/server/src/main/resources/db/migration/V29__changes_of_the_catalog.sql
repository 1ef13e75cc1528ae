-- By one row a node sees whether anything was declared, removed or handed over: it looks each second, and reads the declarations only when
-- they have changed. An older node goes on: triggers count what it changes.

CREATE TABLE evento.catalog_version(
  one    boolean     NOT NULL DEFAULT true CONSTRAINT catalog_version_one PRIMARY KEY CHECK (one),
  number bigint      NOT NULL,
  by_tx  xid8        NOT NULL,            -- that counted last: after a loss, the same number is another one's
  at     timestamptz NOT NULL);           -- when it began: in a restored database, another one may have its number
INSERT INTO evento.catalog_version(number, by_tx, at) VALUES (1, pg_current_xact_id(), transaction_timestamp());
GRANT SELECT ON evento.catalog_version TO "${server}";

-- Once for a transaction, at its end: it waits for this row when it has all its other locks, and so is never in a circle of waiting. Who
-- reads the number has before it what was committed with it.
CREATE FUNCTION evento.count_catalog_1() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  UPDATE evento.catalog_version SET number = number + 1, by_tx = pg_current_xact_id(), at = transaction_timestamp()
   WHERE by_tx <> pg_current_xact_id() OR at <> transaction_timestamp();
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION evento.count_catalog_1 FROM PUBLIC;

CREATE CONSTRAINT TRIGGER component_count       AFTER INSERT OR UPDATE OR DELETE ON evento.component       DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION evento.count_catalog_1();
CREATE CONSTRAINT TRIGGER component_owner_count AFTER INSERT OR UPDATE OR DELETE ON evento.component_owner DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION evento.count_catalog_1();
CREATE CONSTRAINT TRIGGER payload_count         AFTER INSERT OR UPDATE OR DELETE ON evento.payload         DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION evento.count_catalog_1();
