-- People who sign in by an OpenID provider: the provider says who they are and which groups they have, and they have no
-- password here. An older node knows them as people without a password, whose sessions it takes.

ALTER TABLE evento.principal
  ADD COLUMN oidc_issuer  text,            -- the provider
  ADD COLUMN oidc_subject text,            -- whom it means, whatever he is called by now
  ADD CONSTRAINT principal_of_a_provider UNIQUE (oidc_issuer, oidc_subject),
  ADD CONSTRAINT principal_signs_in_one_way CHECK (
    (oidc_issuer IS NULL AND oidc_subject IS NULL)
    OR (kind = 'user' AND password IS NULL AND length(oidc_issuer) BETWEEN 1 AND 500 AND length(oidc_subject) BETWEEN 1 AND 255));

-- p_roles: what the groups that the provider names give him, from now on. 'done', 'no-roles', 'name-taken' (by somebody whom this
-- provider does not know under that subject), or 'last-admin' (whose role no other one has, and the provider does not give him).
-- Whoever loses a role loses his sessions, also when he is refused.
CREATE FUNCTION evento.begin_oidc_login_1(p_issuer text, p_subject text, p_name text, p_roles text[], p_hash bytea, p_csrf text,
  p_valid interval, p_node text, p_address text)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
DECLARE
  known record;
BEGIN
  PERFORM evento.grants_change();
  IF p_issuer IS NULL OR p_subject IS NULL THEN
    RAISE EXCEPTION 'a provider names issuer and subject' USING ERRCODE = '23502';
  END IF;
  SELECT * INTO known FROM evento.principal WHERE oidc_issuer = p_issuer AND oidc_subject = p_subject;
  IF known.id IS NULL THEN
    IF p_roles = '{}' THEN RETURN 'no-roles'; END IF;
    INSERT INTO evento.principal(kind, name, roles, oidc_issuer, oidc_subject) VALUES ('user', p_name, p_roles, p_issuer, p_subject)
      ON CONFLICT ON CONSTRAINT principal_name DO NOTHING
      RETURNING * INTO known;
    IF known.id IS NULL THEN RETURN 'name-taken'; END IF;
    PERFORM evento.audit_add('provider ' || p_issuer, 'create user', known.name, NULL, jsonb_build_object('roles', p_roles), p_node, p_address);
  ELSIF NOT (known.roles <@ p_roles AND p_roles <@ known.roles) THEN
    DELETE FROM evento.login WHERE principal = known.id;
    IF NOT 'admin' = ANY (p_roles) AND evento.is_last_admin(known.name) THEN RETURN 'last-admin'; END IF;
    UPDATE evento.principal SET roles = p_roles WHERE id = known.id;
    PERFORM evento.audit_add('provider ' || p_issuer, 'change roles', known.name, jsonb_build_object('roles', known.roles),
                             jsonb_build_object('roles', p_roles), p_node, p_address);
  END IF;
  IF p_roles = '{}' THEN RETURN 'no-roles'; END IF;
  IF 'admin' = ANY (p_roles) THEN
    UPDATE evento.grant_version SET armed_at = clock_timestamp() WHERE armed_at IS NULL;
  END IF;
  INSERT INTO evento.login(principal, hash, csrf, ends_at) VALUES (known.id, p_hash, p_csrf, clock_timestamp() + p_valid);
  PERFORM evento.audit_add('user ' || known.name, 'sign in', known.name, NULL, jsonb_build_object('issuer', p_issuer), p_node, p_address);
  RETURN 'done';
END $$;

-- A password would let him in when the provider does not any more: 'of-a-provider'.
CREATE OR REPLACE FUNCTION evento.set_password_1(p_name text, p_password text, p_who text, p_node text, p_address text)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
DECLARE
  known record;
BEGIN
  PERFORM evento.grants_change();
  IF p_password IS NULL THEN RAISE EXCEPTION 'a person needs a password' USING ERRCODE = '23502'; END IF;
  SELECT * INTO known FROM evento.principal WHERE kind = 'user' AND name = p_name;
  IF known.id IS NULL THEN RETURN 'absent'; END IF;
  IF known.oidc_subject IS NOT NULL THEN RETURN 'of-a-provider'; END IF;
  UPDATE evento.principal SET password = p_password WHERE id = known.id;
  DELETE FROM evento.login WHERE principal = known.id;
  PERFORM evento.audit_add(p_who, 'change password', p_name, NULL, NULL, p_node, p_address);
  RETURN 'done';
END $$;

REVOKE ALL ON FUNCTION evento.begin_oidc_login_1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION evento.begin_oidc_login_1 TO "${server}";
