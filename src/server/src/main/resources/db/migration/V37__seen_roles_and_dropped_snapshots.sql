-- As set_roles_1, if the person has the roles that its caller saw: else 'stale', and nothing is changed. A node of the previous release
-- goes on with set_roles_1.
CREATE FUNCTION evento.set_roles_2(p_name text, p_roles text[], p_seen text[], p_who text, p_node text, p_address text)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
DECLARE
  present text[];
BEGIN
  PERFORM FROM evento.grant_version FOR UPDATE;      -- one after the other, as set_roles_1 has it, which counts if anything is changed
  SELECT roles INTO present FROM evento.principal WHERE kind = 'user' AND name = p_name;
  IF FOUND AND p_seen IS NOT NULL AND NOT (present <@ p_seen AND p_seen <@ present) THEN RETURN 'stale'; END IF;
  RETURN evento.set_roles_1(p_name, p_roles, p_who, p_node, p_address);
END $$;
REVOKE ALL ON FUNCTION evento.set_roles_2 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION evento.set_roles_2 TO "${server}";

-- Drops the kept state of a stream, with its row of the audit; no event is touched. False if there was none.
CREATE FUNCTION evento.drop_snapshot_1(p_stream text, p_reason text, p_who text, p_node text, p_address text)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
DECLARE
  was record;
BEGIN
  DELETE FROM evento.snapshot WHERE stream_id = p_stream RETURNING version, at INTO was;
  IF was.version IS NULL THEN RETURN false; END IF;
  PERFORM evento.audit_add(p_who, 'drop snapshot', p_stream, jsonb_build_object('version', was.version, 'at', was.at),
                           jsonb_build_object('reason', p_reason), p_node, p_address);
  RETURN true;
END $$;
REVOKE ALL ON FUNCTION evento.drop_snapshot_1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION evento.drop_snapshot_1 TO "${server}";
