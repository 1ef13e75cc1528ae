-- V27's triggers of erasures and keys had the owner's name in them, as it was on that day: a database that was restored or handed over to
-- an owner of another name refused every erasure, or audited it twice. From now on the catalog says who owns a table. An older node
-- notices nothing.

-- Whether who acts now owns the table, or is a member of its owner: a function of the owner's, a restore. Not a definer's function: it is
-- asked on behalf of whoever changes a row.
CREATE FUNCTION evento.acts_as_owner_1(p_table regclass) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT pg_has_role(current_user, c.relowner, 'MEMBER') FROM pg_class c WHERE c.oid = p_table
$$;
REVOKE ALL ON FUNCTION evento.acts_as_owner_1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION evento.acts_as_owner_1 TO "${server}";

CREATE OR REPLACE TRIGGER erasure_time BEFORE INSERT ON evento.erasure FOR EACH ROW
  WHEN (NOT evento.acts_as_owner_1('evento.erasure')) EXECUTE FUNCTION evento.erasure_entry_1();
CREATE OR REPLACE TRIGGER erasure_audit AFTER INSERT ON evento.erasure FOR EACH ROW
  WHEN (NOT evento.acts_as_owner_1('evento.erasure')) EXECUTE FUNCTION evento.erasure_entry_1();
CREATE OR REPLACE TRIGGER subject_key_exit BEFORE DELETE ON evento.subject_key FOR EACH ROW
  WHEN (NOT evento.acts_as_owner_1('evento.subject_key')) EXECUTE FUNCTION evento.subject_key_exit_1();
