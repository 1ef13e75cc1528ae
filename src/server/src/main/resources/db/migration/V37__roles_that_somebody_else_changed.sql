-- As set_roles_1, if the person has the roles that its caller saw: else 'stale', and nothing is changed. A node of the previous release
-- goes on with set_roles_1.
CREATE FUNCTION evento.set_roles_2(p_name text, p_roles text[], p_seen text[], p_who text, p_node text, p_address text)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
DECLARE
  present text[];
BEGIN
  PERFORM evento.grants_change();                                              -- one after the other, as set_roles_1 has it
  SELECT roles INTO present FROM evento.principal WHERE kind = 'user' AND name = p_name;
  IF FOUND AND p_seen IS NOT NULL AND NOT (present <@ p_seen AND p_seen <@ present) THEN RETURN 'stale'; END IF;
  RETURN evento.set_roles_1(p_name, p_roles, p_who, p_node, p_address);
END $$;
REVOKE ALL ON FUNCTION evento.set_roles_2 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION evento.set_roles_2 TO "${server}";
