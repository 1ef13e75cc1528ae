-- Who may do what, and what was done about it. The server's role reads these tables and writes none of them: it calls the
-- functions below, and each writes its row of the audit in the same transaction, with the database's clock and session user.
-- An older node neither reads nor writes this, and lets everybody do everything: all nodes have to be of this release before
-- anybody is refused everywhere.

-- People, and bundles and other programs.
CREATE TABLE evento.principal(
  id         uuid        NOT NULL DEFAULT gen_random_uuid() CONSTRAINT principal_id PRIMARY KEY,
  kind       text        NOT NULL CHECK (kind IN ('user', 'bundle')),
  name       text        NOT NULL CHECK (name ~ '^[A-Za-z][A-Za-z0-9._@-]{0,99}$'),
  roles      text[]      NOT NULL DEFAULT '{}' CHECK (roles <@ ARRAY['viewer', 'operator', 'admin', 'auditor']),
  password   text,                         -- of a person: rounds, salt and hash
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT principal_name UNIQUE (kind, name),
  CONSTRAINT principal_of_a_bundle CHECK (kind = 'user' OR (roles = '{}' AND password IS NULL)));

-- Tokens; a row is never removed.
CREATE TABLE evento.credential(
  id           uuid        NOT NULL DEFAULT gen_random_uuid() CONSTRAINT credential_id PRIMARY KEY,
  principal    uuid        NOT NULL CONSTRAINT credential_principal REFERENCES evento.principal(id),
  hash         bytea       NOT NULL CONSTRAINT credential_hash UNIQUE CHECK (octet_length(hash) = 32),   -- SHA-256 of 256 random bits
  prefix       text        NOT NULL CONSTRAINT credential_prefix UNIQUE,                                 -- the token's beginning, in the clear
  created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at   timestamptz,
  revoked_at   timestamptz,
  last_used_at timestamptz);
CREATE INDEX credential_of_principal ON evento.credential(principal);

CREATE TABLE evento.scope(
  principal uuid NOT NULL CONSTRAINT scope_principal REFERENCES evento.principal(id) ON DELETE CASCADE,
  "right"   text NOT NULL CHECK ("right" IN ('host', 'send', 'read')),
  context   text NOT NULL,                 -- a name, or a beginning of names and *
  type      text NOT NULL,
  CONSTRAINT scope_key PRIMARY KEY (principal, "right", context, type));

-- Sessions of people.
CREATE TABLE evento.login(
  id         uuid        NOT NULL DEFAULT gen_random_uuid() CONSTRAINT login_id PRIMARY KEY,
  principal  uuid        NOT NULL CONSTRAINT login_principal REFERENCES evento.principal(id) ON DELETE CASCADE,
  hash       bytea       NOT NULL CONSTRAINT login_hash UNIQUE CHECK (octet_length(hash) = 32),
  csrf       text        NOT NULL,         -- what a page has to say beside the cookie
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  seen_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  ends_at    timestamptz NOT NULL);
CREATE INDEX login_of_principal ON evento.login(principal);

-- Who may not try to sign in for a while: accounts, be there such or not, and addresses.
CREATE TABLE evento.sign_in_failure(
  subject       text        NOT NULL CONSTRAINT sign_in_failure_subject PRIMARY KEY,   -- 'user NAME' or 'address ADDRESS'
  failures      int         NOT NULL,
  last_at       timestamptz NOT NULL,
  blocked_until timestamptz NOT NULL);

-- Lets one make the first administrator; only its hash is kept.
CREATE TABLE evento.setup_code(
  one     boolean     NOT NULL DEFAULT true CONSTRAINT setup_code_one PRIMARY KEY CHECK (one),
  hash    bytea       NOT NULL CHECK (octet_length(hash) = 32),
  node    text        NOT NULL,            -- that made it
  ends_at timestamptz NOT NULL);

CREATE TABLE evento.audit(
  id      bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT audit_id PRIMARY KEY,
  at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  db_user text        NOT NULL DEFAULT session_user,
  who     text        NOT NULL,            -- as the node said: 'user ada', 'bundle bank', 'node node-1', 'nobody'
  action  text        NOT NULL,
  object  text        NOT NULL,
  before  jsonb,
  after   jsonb,
  node    text        NOT NULL,
  address text        NOT NULL);

-- Grows with each change of the above that nodes have to know.
CREATE TABLE evento.grant_version(
  one      boolean     NOT NULL DEFAULT true CONSTRAINT grant_version_one PRIMARY KEY CHECK (one),
  n        bigint      NOT NULL,
  armed_at timestamptz);                   -- when there was an administrator first: from then on no node may be open to everybody
INSERT INTO evento.grant_version(n) VALUES (1);

-- 1. for the functions below alone

CREATE FUNCTION evento.audit_add(p_who text, p_action text, p_object text, p_before jsonb, p_after jsonb, p_node text, p_address text)
RETURNS void LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
  INSERT INTO evento.audit(who, action, object, before, after, node, address)
    VALUES (left(p_who, 200), p_action, left(p_object, 300), p_before, p_after, left(p_node, 100), left(p_address, 100))
$$;

-- Changes come one after the other: what one of them counts, no other changes meanwhile.
CREATE FUNCTION evento.grants_change() RETURNS void LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$ UPDATE evento.grant_version SET n = n + 1 $$;

CREATE FUNCTION evento.is_last_admin(p_name text) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT count(*) FILTER (WHERE name = p_name) = 1 AND count(*) = 1
    FROM evento.principal WHERE kind = 'user' AND 'admin' = ANY (roles)
$$;

CREATE FUNCTION evento.scopes_of(p_principal uuid) RETURNS jsonb LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce(jsonb_agg(jsonb_build_object('right', "right", 'context', context, 'type', type) ORDER BY "right", context, type), '[]')
    FROM evento.scope WHERE principal = p_principal
$$;

CREATE FUNCTION evento.scopes_put(p_principal uuid, p_rights text[], p_contexts text[], p_types text[]) RETURNS void LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
  DELETE FROM evento.scope WHERE principal = p_principal;
  INSERT INTO evento.scope(principal, "right", context, type)
    SELECT DISTINCT p_principal, s.r, s.c, s.t FROM unnest(p_rights, p_contexts, p_types) AS s(r, c, t);
$$;

-- 2. people

CREATE FUNCTION evento.create_user_1(p_name text, p_roles text[], p_password text, p_who text, p_node text, p_address text)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
BEGIN
  PERFORM evento.grants_change();
  IF p_password IS NULL THEN RAISE EXCEPTION 'a person needs a password' USING ERRCODE = '23502'; END IF;
  INSERT INTO evento.principal(kind, name, roles, password) VALUES ('user', p_name, p_roles, p_password)
    ON CONFLICT ON CONSTRAINT principal_name DO NOTHING;
  IF NOT FOUND THEN RETURN 'exists'; END IF;
  IF 'admin' = ANY (p_roles) THEN
    UPDATE evento.grant_version SET armed_at = clock_timestamp() WHERE armed_at IS NULL;
  END IF;
  PERFORM evento.audit_add(p_who, 'create user', p_name, NULL, jsonb_build_object('roles', p_roles), p_node, p_address);
  RETURN 'done';
END $$;

CREATE FUNCTION evento.set_roles_1(p_name text, p_roles text[], p_who text, p_node text, p_address text)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
DECLARE
  found record;
BEGIN
  PERFORM evento.grants_change();
  SELECT * INTO found FROM evento.principal WHERE kind = 'user' AND name = p_name;
  IF found.id IS NULL THEN RETURN 'absent'; END IF;
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

CREATE FUNCTION evento.set_password_1(p_name text, p_password text, p_who text, p_node text, p_address text)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
DECLARE
  known uuid;
BEGIN
  PERFORM evento.grants_change();
  IF p_password IS NULL THEN RAISE EXCEPTION 'a person needs a password' USING ERRCODE = '23502'; END IF;
  UPDATE evento.principal SET password = p_password WHERE kind = 'user' AND name = p_name RETURNING id INTO known;
  IF known IS NULL THEN RETURN 'absent'; END IF;
  DELETE FROM evento.login WHERE principal = known;
  PERFORM evento.audit_add(p_who, 'change password', p_name, NULL, NULL, p_node, p_address);
  RETURN 'done';
END $$;

CREATE FUNCTION evento.remove_user_1(p_name text, p_who text, p_node text, p_address text)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
DECLARE
  had text[];
BEGIN
  PERFORM evento.grants_change();
  IF evento.is_last_admin(p_name) THEN RETURN 'last-admin'; END IF;
  DELETE FROM evento.principal WHERE kind = 'user' AND name = p_name RETURNING roles INTO had;
  IF had IS NULL THEN RETURN 'absent'; END IF;
  PERFORM evento.audit_add(p_who, 'remove user', p_name, jsonb_build_object('roles', had), NULL, p_node, p_address);
  RETURN 'done';
END $$;

-- 3. bundles. Null for p_valid: until it is revoked. Null for p_rights: the scopes stay as they are.

CREATE FUNCTION evento.create_token_1(p_bundle text, p_hash bytea, p_prefix text, p_valid interval,
  p_rights text[], p_contexts text[], p_types text[], p_who text, p_node text, p_address text)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
DECLARE
  known uuid; had jsonb;
BEGIN
  PERFORM evento.grants_change();
  SELECT id INTO known FROM evento.principal WHERE kind = 'bundle' AND name = p_bundle;
  IF known IS NULL THEN
    IF coalesce(cardinality(p_rights), 0) = 0 THEN RETURN 'no-scopes'; END IF;
    INSERT INTO evento.principal(kind, name) VALUES ('bundle', p_bundle) RETURNING id INTO known;
  ELSIF (SELECT count(*) FROM evento.credential c
          WHERE c.principal = known AND c.revoked_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > clock_timestamp())) >= 2 THEN
    RETURN 'two';
  END IF;
  INSERT INTO evento.credential(principal, hash, prefix, expires_at) VALUES (known, p_hash, p_prefix, clock_timestamp() + p_valid);
  had := evento.scopes_of(known);
  IF p_rights IS NOT NULL THEN PERFORM evento.scopes_put(known, p_rights, p_contexts, p_types); END IF;
  PERFORM evento.audit_add(p_who, 'create token', p_bundle || ' ' || p_prefix, jsonb_build_object('scopes', had),
                           jsonb_build_object('scopes', evento.scopes_of(known), 'expires_at', clock_timestamp() + p_valid), p_node, p_address);
  RETURN 'done';
END $$;

CREATE FUNCTION evento.revoke_token_1(p_prefix text, p_who text, p_node text, p_address text)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
DECLARE
  known uuid;
BEGIN
  PERFORM evento.grants_change();
  UPDATE evento.credential SET revoked_at = clock_timestamp() WHERE prefix = p_prefix AND revoked_at IS NULL RETURNING principal INTO known;
  IF known IS NULL THEN RETURN 'absent'; END IF;
  PERFORM evento.audit_add(p_who, 'revoke token', (SELECT name FROM evento.principal WHERE id = known) || ' ' || p_prefix,
                           NULL, NULL, p_node, p_address);
  RETURN 'done';
END $$;

CREATE FUNCTION evento.set_scopes_1(p_bundle text, p_rights text[], p_contexts text[], p_types text[], p_who text, p_node text, p_address text)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
DECLARE
  known uuid; had jsonb;
BEGIN
  PERFORM evento.grants_change();
  SELECT id INTO known FROM evento.principal WHERE kind = 'bundle' AND name = p_bundle;
  IF known IS NULL THEN RETURN 'absent'; END IF;
  had := evento.scopes_of(known);
  PERFORM evento.scopes_put(known, p_rights, p_contexts, p_types);
  PERFORM evento.audit_add(p_who, 'change scopes', p_bundle, jsonb_build_object('scopes', had),
                           jsonb_build_object('scopes', evento.scopes_of(known)), p_node, p_address);
  RETURN 'done';
END $$;

-- 4. signing in. p_password: the stored one that the given one was held against; another one by now, and nobody is let in.

CREATE FUNCTION evento.begin_login_1(p_name text, p_password text, p_hash bytea, p_csrf text, p_valid interval, p_node text, p_address text)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
DECLARE
  known uuid;
BEGIN
  PERFORM evento.grants_change();
  SELECT id INTO known FROM evento.principal WHERE kind = 'user' AND name = p_name AND password = p_password;
  IF known IS NULL THEN RETURN 'absent'; END IF;
  INSERT INTO evento.login(principal, hash, csrf, ends_at) VALUES (known, p_hash, p_csrf, clock_timestamp() + p_valid);
  DELETE FROM evento.sign_in_failure WHERE subject = 'user ' || p_name;
  PERFORM evento.audit_add('user ' || p_name, 'sign in', p_name, NULL, NULL, p_node, p_address);
  RETURN 'done';
END $$;

CREATE FUNCTION evento.end_login_1(p_id uuid, p_node text, p_address text)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
DECLARE
  known uuid; named text;
BEGIN
  PERFORM evento.grants_change();
  DELETE FROM evento.login WHERE id = p_id RETURNING principal INTO known;
  IF known IS NULL THEN RETURN 'absent'; END IF;
  SELECT name INTO named FROM evento.principal WHERE id = known;
  PERFORM evento.audit_add('user ' || named, 'sign out', named, NULL, NULL, p_node, p_address);
  RETURN 'done';
END $$;

-- After the fifth failure the account and the address wait 1, 2, 4 … 300 s, and are forgotten an hour after the last one.
CREATE FUNCTION evento.fail_sign_in_1(p_name text, p_node text, p_address text)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
DECLARE
  moment timestamptz := clock_timestamp(); one text;
BEGIN
  DELETE FROM evento.sign_in_failure WHERE last_at < moment - interval '1 hour';
  FOREACH one IN ARRAY ARRAY['address ' || left(p_address, 100), 'user ' || left(p_name, 100)] LOOP
    INSERT INTO evento.sign_in_failure AS f (subject, failures, last_at, blocked_until) VALUES (one, 1, moment, moment)
      ON CONFLICT (subject) DO UPDATE
        SET failures = f.failures + 1, last_at = moment,
            blocked_until = moment + CASE WHEN f.failures < 4 THEN interval '0'
                                          ELSE least(300, power(2, least(f.failures - 4, 10))) * interval '1 second' END;
  END LOOP;
  PERFORM evento.audit_add('nobody', 'fail to sign in', left(p_name, 100), NULL, NULL, p_node, p_address);
END $$;

-- 5. the first administrator

-- 'made', 'exists' (and is valid; another node made it), or 'done' (there was an administrator already).
CREATE FUNCTION evento.make_setup_code_1(p_hash bytea, p_valid interval, p_node text)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
DECLARE
  armed timestamptz;
BEGIN
  SELECT armed_at INTO armed FROM evento.grant_version FOR UPDATE;
  IF armed IS NOT NULL THEN RETURN 'done'; END IF;
  DELETE FROM evento.setup_code WHERE ends_at <= clock_timestamp();
  INSERT INTO evento.setup_code(hash, node, ends_at) VALUES (p_hash, p_node, clock_timestamp() + least(p_valid, interval '15 minutes'))
    ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN RETURN 'exists'; END IF;
  PERFORM evento.audit_add('node ' || p_node, 'make setup code', 'setup', NULL, NULL, p_node, '');
  RETURN 'made';
END $$;

-- Null for p_code: an operator gave the node a password. 'done', 'wrong' (or too late), or 'exists' (there was one already).
CREATE FUNCTION evento.first_administrator_1(p_code bytea, p_name text, p_password text, p_node text, p_address text)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
DECLARE
  armed timestamptz;
BEGIN
  SELECT armed_at INTO armed FROM evento.grant_version FOR UPDATE;
  IF armed IS NOT NULL THEN RETURN 'exists'; END IF;
  IF p_code IS NOT NULL AND NOT EXISTS (SELECT FROM evento.setup_code WHERE hash = p_code AND ends_at > clock_timestamp()) THEN
    RETURN 'wrong';
  END IF;
  DELETE FROM evento.setup_code;
  RETURN evento.create_user_1(p_name, '{admin}', p_password, CASE WHEN p_code IS NULL THEN 'node ' || p_node ELSE 'setup code' END,
                              p_node, p_address);
END $$;

-- 6. what is noted

-- Bounded by the node: it tells how many more it left out.
CREATE FUNCTION evento.note_refusal_1(p_who text, p_object text, p_code text, p_left_out int, p_node text, p_address text)
RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT evento.audit_add(p_who, 'refuse', p_object, NULL, jsonb_build_object('code', left(p_code, 100), 'left_out', p_left_out), p_node, p_address)
$$;

-- When tokens and sessions were used last; ends sessions whose time is over.
CREATE FUNCTION evento.note_uses_1(p_credentials uuid[], p_logins uuid[], p_idle interval)
RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
  -- what another node notes just now needs no second note, and no node waits for another
  UPDATE evento.credential SET last_used_at = clock_timestamp()
   WHERE id IN (SELECT c.id FROM evento.credential c WHERE c.id = ANY (p_credentials) ORDER BY c.id FOR UPDATE SKIP LOCKED);
  UPDATE evento.login SET seen_at = clock_timestamp()
   WHERE id IN (SELECT l.id FROM evento.login l WHERE l.id = ANY (p_logins) ORDER BY l.id FOR UPDATE SKIP LOCKED);
  DELETE FROM evento.login
   WHERE id IN (SELECT l.id FROM evento.login l WHERE l.ends_at < clock_timestamp() OR l.seen_at < clock_timestamp() - p_idle
                 ORDER BY l.id FOR UPDATE SKIP LOCKED);
$$;

REVOKE ALL ON FUNCTION evento.audit_add, evento.grants_change, evento.is_last_admin, evento.scopes_of, evento.scopes_put,
  evento.create_user_1, evento.set_roles_1, evento.set_password_1, evento.remove_user_1, evento.create_token_1, evento.revoke_token_1,
  evento.set_scopes_1, evento.begin_login_1, evento.end_login_1, evento.fail_sign_in_1, evento.make_setup_code_1,
  evento.first_administrator_1, evento.note_refusal_1, evento.note_uses_1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
  evento.create_user_1, evento.set_roles_1, evento.set_password_1, evento.remove_user_1, evento.create_token_1, evento.revoke_token_1,
  evento.set_scopes_1, evento.begin_login_1, evento.end_login_1, evento.fail_sign_in_1, evento.make_setup_code_1,
  evento.first_administrator_1, evento.note_refusal_1, evento.note_uses_1 TO "${server}";
GRANT SELECT ON evento.principal, evento.credential, evento.scope, evento.login, evento.sign_in_failure, evento.audit, evento.grant_version
  TO "${server}";
