-- People who are locked, when they signed in and from where, from where a token was used, and why a setting was changed. An older node
-- goes on: it lets nobody in who is locked, as the functions that it calls refuse him; it notes no addresses of tokens and no reasons.

-- Nothing is filled in from the audit: nodes read these tables all the time, and would wait while it is looked through.
ALTER TABLE evento.setting_audit ADD COLUMN reason text CHECK (length(reason) <= 500);
GRANT INSERT (reason) ON evento.setting_audit TO "${server}";
ALTER TABLE evento.principal
  ADD COLUMN locked_at    timestamptz,     -- since when nobody signs in as this person; null: he may
  ADD COLUMN signed_in_at timestamptz;     -- last; null: not since this
ALTER TABLE evento.login ADD COLUMN address text;              -- where the session began; null: before this
ALTER TABLE evento.credential ADD COLUMN last_used_from text;  -- an address; null: not known

-- 1. Locked people. Added in place to what lets somebody in: under new names the old ones would stay open.

-- An administrator who is locked administers nothing.
CREATE OR REPLACE FUNCTION evento.is_last_admin(p_name text) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT count(*) FILTER (WHERE name = p_name) = 1 AND count(*) = 1
    FROM evento.principal WHERE kind = 'user' AND 'admin' = ANY (roles) AND locked_at IS NULL
$$;

-- 'locked' to who has the password, and to nobody else. Looked at before anything is changed: who is locked and tries again and again
-- makes no node read the rights anew.
CREATE FUNCTION evento.is_locked(p_name text, p_password text) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (SELECT FROM evento.principal WHERE kind = 'user' AND name = p_name AND password = p_password AND locked_at IS NOT NULL)
$$;

CREATE OR REPLACE FUNCTION evento.begin_login_1(p_name text, p_password text, p_hash bytea, p_csrf text, p_valid interval, p_node text, p_address text)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
DECLARE
  known record;
BEGIN
  IF evento.is_locked(p_name, p_password) THEN RETURN 'locked'; END IF;
  PERFORM evento.grants_change();
  SELECT * INTO known FROM evento.principal WHERE kind = 'user' AND name = p_name AND password = p_password;
  IF known.id IS NULL THEN RETURN 'absent'; END IF;
  IF known.locked_at IS NOT NULL THEN RETURN 'locked'; END IF;
  INSERT INTO evento.login(principal, hash, csrf, ends_at, address)
    VALUES (known.id, p_hash, p_csrf, clock_timestamp() + p_valid, left(p_address, 100));
  UPDATE evento.principal SET signed_in_at = clock_timestamp() WHERE id = known.id;
  DELETE FROM evento.sign_in_failure WHERE subject = 'user ' || p_name;
  PERFORM evento.audit_add('user ' || p_name, 'sign in', p_name, NULL, NULL, p_node, p_address);
  RETURN 'done';
END $$;

-- As V24 made it, but for the lock.
CREATE OR REPLACE FUNCTION evento.begin_login_2(p_name text, p_password text, p_hash bytea, p_csrf text, p_valid interval, p_node text, p_address text)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
BEGIN
  IF evento.is_locked(p_name, p_password) THEN RETURN 'locked'; END IF;
  -- The account first, as who fails does: else each might wait for the other.
  DELETE FROM evento.sign_in_failure
   WHERE subject = 'user ' || left(p_name, 100)
     AND EXISTS (SELECT FROM evento.principal WHERE kind = 'user' AND name = p_name AND password = p_password);
  DELETE FROM evento.sign_in_failure
   WHERE subject = 'pair ' || evento.sign_in_origin(p_address) || ' ' || p_name
     AND EXISTS (SELECT FROM evento.principal WHERE kind = 'user' AND name = p_name AND password = p_password);
  RETURN evento.begin_login_1(p_name, p_password, p_hash, p_csrf, p_valid, p_node, p_address);
END $$;

-- As V23 made it, but for the lock, the address and the time. 'no-roles' to an older node, which knows no other word for it.
CREATE OR REPLACE FUNCTION evento.begin_oidc_login_1(p_issuer text, p_subject text, p_name text, p_roles text[], p_hash bytea, p_csrf text,
  p_valid interval, p_node text, p_address text)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
DECLARE
  known record;
BEGIN
  IF EXISTS (SELECT FROM evento.principal WHERE oidc_issuer = p_issuer AND oidc_subject = p_subject AND locked_at IS NOT NULL) THEN
    RETURN 'no-roles';
  END IF;
  PERFORM evento.grants_change();
  IF p_issuer IS NULL OR p_subject IS NULL THEN
    RAISE EXCEPTION 'a provider names issuer and subject' USING ERRCODE = '23502';
  END IF;
  SELECT * INTO known FROM evento.principal WHERE oidc_issuer = p_issuer AND oidc_subject = p_subject;
  IF known.locked_at IS NOT NULL THEN RETURN 'no-roles'; END IF;
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
  INSERT INTO evento.login(principal, hash, csrf, ends_at, address)
    VALUES (known.id, p_hash, p_csrf, clock_timestamp() + p_valid, left(p_address, 100));
  UPDATE evento.principal SET signed_in_at = clock_timestamp() WHERE id = known.id;
  PERFORM evento.audit_add('user ' || known.name, 'sign in', known.name, NULL, jsonb_build_object('issuer', p_issuer), p_node, p_address);
  RETURN 'done';
END $$;

-- The same, with 'locked' for who is.
CREATE FUNCTION evento.begin_oidc_login_2(p_issuer text, p_subject text, p_name text, p_roles text[], p_hash bytea, p_csrf text,
  p_valid interval, p_node text, p_address text)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
BEGIN
  IF EXISTS (SELECT FROM evento.principal WHERE oidc_issuer = p_issuer AND oidc_subject = p_subject AND locked_at IS NOT NULL) THEN
    RETURN 'locked';
  END IF;
  RETURN evento.begin_oidc_login_1(p_issuer, p_subject, p_name, p_roles, p_hash, p_csrf, p_valid, p_node, p_address);
END $$;

-- Ends his sessions too. 'done', also where he was locked before, 'absent' or 'last-admin'. Nothing that changes nothing counts as a change.
CREATE FUNCTION evento.lock_user_1(p_name text, p_who text, p_node text, p_address text)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
DECLARE
  known record;
BEGIN
  SELECT * INTO known FROM evento.principal WHERE kind = 'user' AND name = p_name;
  IF known.id IS NULL THEN RETURN 'absent'; END IF;
  IF known.locked_at IS NOT NULL THEN RETURN 'done'; END IF;
  PERFORM evento.grants_change();
  SELECT * INTO known FROM evento.principal WHERE kind = 'user' AND name = p_name;
  IF known.id IS NULL THEN RETURN 'absent'; END IF;
  IF known.locked_at IS NOT NULL THEN RETURN 'done'; END IF;
  IF evento.is_last_admin(p_name) THEN RETURN 'last-admin'; END IF;
  UPDATE evento.principal SET locked_at = clock_timestamp() WHERE id = known.id;
  DELETE FROM evento.login WHERE principal = known.id;
  PERFORM evento.audit_add(p_who, 'lock user', p_name, NULL, NULL, p_node, p_address);
  RETURN 'done';
END $$;

-- 'self' to the person himself, whom another node may still know while he is being locked.
CREATE FUNCTION evento.unlock_user_1(p_name text, p_who text, p_node text, p_address text)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
DECLARE
  known record;
BEGIN
  IF p_who = 'user ' || p_name THEN RETURN 'self'; END IF;
  SELECT * INTO known FROM evento.principal WHERE kind = 'user' AND name = p_name;
  IF known.id IS NULL THEN RETURN 'absent'; END IF;
  IF known.locked_at IS NULL THEN RETURN 'done'; END IF;
  PERFORM evento.grants_change();
  SELECT * INTO known FROM evento.principal WHERE kind = 'user' AND name = p_name;
  IF known.id IS NULL THEN RETURN 'absent'; END IF;
  IF known.locked_at IS NULL THEN RETURN 'done'; END IF;
  UPDATE evento.principal SET locked_at = NULL WHERE id = known.id;
  PERFORM evento.audit_add(p_who, 'unlock user', p_name, NULL, NULL, p_node, p_address);
  RETURN 'done';
END $$;

-- Nobody gives himself a role: 'self', which an older node answers as an error of its own. Else as V19 made it.
CREATE OR REPLACE FUNCTION evento.set_roles_1(p_name text, p_roles text[], p_who text, p_node text, p_address text)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
DECLARE
  found record;
BEGIN
  PERFORM evento.grants_change();
  SELECT * INTO found FROM evento.principal WHERE kind = 'user' AND name = p_name;
  IF found.id IS NULL THEN RETURN 'absent'; END IF;
  -- A role contains those below it.
  IF p_who = 'user ' || p_name
     AND NOT p_roles <@ (found.roles || CASE WHEN 'admin' = ANY (found.roles) THEN '{operator,viewer}'::text[]
                                             WHEN 'operator' = ANY (found.roles) THEN '{viewer}' ELSE '{}' END) THEN
    RETURN 'self';
  END IF;
  IF NOT 'admin' = ANY (p_roles) AND evento.is_last_admin(p_name) THEN RETURN 'last-admin'; END IF;
  UPDATE evento.principal SET roles = p_roles WHERE id = found.id;
  IF 'admin' = ANY (p_roles) THEN
    UPDATE evento.grant_version SET armed_at = clock_timestamp() WHERE armed_at IS NULL;
  END IF;
  DELETE FROM evento.login WHERE principal = found.id;
  PERFORM evento.audit_add(p_who, 'change roles', p_name, jsonb_build_object('roles', found.roles), jsonb_build_object('roles', p_roles),
                           p_node, p_address);
  RETURN 'done';
END $$;

-- 2. Sessions that somebody else ends. Null for p_id: all of this person's. 'absent' if there is none.
CREATE FUNCTION evento.end_logins_1(p_name text, p_id uuid, p_who text, p_node text, p_address text)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
DECLARE
  gone int;
BEGIN
  IF NOT EXISTS (SELECT FROM evento.login l JOIN evento.principal p ON p.id = l.principal
                  WHERE p.kind = 'user' AND p.name = p_name AND (p_id IS NULL OR l.id = p_id)) THEN
    RETURN 'absent';
  END IF;
  PERFORM evento.grants_change();
  DELETE FROM evento.login l USING evento.principal p
   WHERE p.id = l.principal AND p.kind = 'user' AND p.name = p_name AND (p_id IS NULL OR l.id = p_id);
  GET DIAGNOSTICS gone = ROW_COUNT;
  IF gone = 0 THEN RETURN 'absent'; END IF;
  PERFORM evento.audit_add(p_who, 'end sessions', p_name, NULL, jsonb_build_object('sessions', gone), p_node, p_address);
  RETURN 'done';
END $$;

-- 3. From where tokens were used.

-- As V19 made it, but that an older node, which does not tell from where, leaves no address of an earlier use beside the time of this one.
CREATE OR REPLACE FUNCTION evento.note_uses_1(p_credentials uuid[], p_logins uuid[], p_idle interval)
RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
  -- what another node notes just now needs no second note, and no node waits for another
  UPDATE evento.credential SET last_used_at = clock_timestamp(), last_used_from = NULL
   WHERE id IN (SELECT c.id FROM evento.credential c WHERE c.id = ANY (p_credentials) ORDER BY c.id FOR UPDATE SKIP LOCKED);
  UPDATE evento.login SET seen_at = clock_timestamp()
   WHERE id IN (SELECT l.id FROM evento.login l WHERE l.id = ANY (p_logins) ORDER BY l.id FOR UPDATE SKIP LOCKED);
  DELETE FROM evento.login
   WHERE id IN (SELECT l.id FROM evento.login l WHERE l.ends_at < clock_timestamp() OR l.seen_at < clock_timestamp() - p_idle
                 ORDER BY l.id FOR UPDATE SKIP LOCKED);
$$;

-- p_addresses has one for each of p_credentials.
CREATE FUNCTION evento.note_uses_2(p_credentials uuid[], p_addresses text[], p_logins uuid[], p_idle interval)
RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
  UPDATE evento.credential c SET last_used_at = clock_timestamp(), last_used_from = left(u.address, 100)
    FROM (SELECT k.id, n.address FROM unnest(p_credentials, p_addresses) AS n(id, address) JOIN evento.credential k ON k.id = n.id
           ORDER BY k.id FOR UPDATE OF k SKIP LOCKED) u
   WHERE c.id = u.id;
  SELECT evento.note_uses_1('{}', p_logins, p_idle);
$$;

-- 4. Why a setting was changed is in the one audit too: as V27 made it, but for that.
CREATE OR REPLACE FUNCTION evento.audit_copy_1() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  r jsonb := to_jsonb(NEW);
  node text := coalesce(r->>'entered_from', '');
BEGIN
  -- rows of the owner are of a restore, which has the copies too
  IF pg_has_role(session_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = TG_RELID), 'MEMBER') THEN
    RETURN NULL;
  END IF;
  CASE TG_TABLE_NAME
    WHEN 'setting_audit' THEN
      PERFORM evento.audit_add(r->>'changed_by', 'change setting', r->>'key', jsonb_build_object('value', r->'old_value'),
                               jsonb_build_object('value', r->'new_value')
                               || CASE WHEN r->>'reason' IS NULL THEN '{}' ELSE jsonb_build_object('reason', r->'reason') END, node, '');
    WHEN 'consumer_audit' THEN
      PERFORM evento.audit_add(r->>'done_by', 'consumer: ' || (r->>'action'), (r->>'name') || ' ' || (r->>'version'), NULL,
                               jsonb_build_object('detail', r->'detail', 'reason', r->'reason'), node, '');
    WHEN 'component_history' THEN
      PERFORM evento.audit_add(r->>'done_by', 'component: ' || (r->>'action'), (r->>'kind') || ' ' || (r->>'name'), NULL,
                               jsonb_build_object('bundle', r->'bundle', 'context', r->'context', 'detail', r->'detail', 'reason', r->'reason'),
                               node, '');
    WHEN 'store_acceptance' THEN
      PERFORM evento.audit_add(r->>'done_by', 'accept store', r->>'epoch', jsonb_build_object('epoch', r->'instead_of'),
                               jsonb_build_object('starts_after', r->'starts_after', 'reason', r->'reason'), node, '');
  END CASE;
  RETURN NULL;
END $$;

REVOKE ALL ON FUNCTION evento.is_locked, evento.begin_oidc_login_2, evento.lock_user_1, evento.unlock_user_1, evento.end_logins_1, evento.note_uses_2 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION evento.begin_oidc_login_2, evento.lock_user_1, evento.unlock_user_1, evento.end_logins_1, evento.note_uses_2
  TO "${server}";
