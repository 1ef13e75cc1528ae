-- A right of its own for the keys of personal data, which are of a context each; and a lock that no stranger turns on somebody else.
-- An older node goes on: it gives all keys of a subject to who may host or read, makes keys of no context, and locks an account for
-- every address. All nodes have to be of this release before either holds everywhere.

-- 1. Keys of personal data

-- Whose values it encrypts: those of types of this context. Null: it was made before this, or for who may in all contexts; whoever
-- may have keys at all is given it.
ALTER TABLE evento.subject_key ADD COLUMN context text CHECK (length(context) BETWEEN 1 AND 200);
CREATE UNIQUE INDEX subject_key_of_context ON evento.subject_key(subject, context);
GRANT INSERT (context) ON evento.subject_key TO "${server}";

-- The right 'personal'. Not in table scope: an older node reads that, and knows no such right.
CREATE TABLE evento.personal_scope(
  principal uuid NOT NULL CONSTRAINT personal_scope_principal REFERENCES evento.principal(id) ON DELETE CASCADE,
  context   text NOT NULL,                 -- a name, or a beginning of names and *
  CONSTRAINT personal_scope_key PRIMARY KEY (principal, context));
GRANT SELECT ON evento.personal_scope TO "${server}";

-- Who hosts or reads somewhere was given every key; from now on those of the contexts that it has any right in, as it sends to some
-- and reads from others. An administrator takes it from who does not need it.
INSERT INTO evento.personal_scope(principal, context)
  SELECT DISTINCT s.principal, s.context FROM evento.scope s
   WHERE EXISTS (SELECT FROM evento.scope o WHERE o.principal = s.principal AND o."right" IN ('host', 'read'));

CREATE OR REPLACE FUNCTION evento.scopes_of(p_principal uuid) RETURNS jsonb LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce(jsonb_agg(jsonb_build_object('right', r, 'context', c, 'type', t) ORDER BY r, c, t), '[]')
    FROM (SELECT "right" AS r, context AS c, type AS t FROM evento.scope WHERE principal = p_principal
          UNION ALL SELECT 'personal', context, '*' FROM evento.personal_scope WHERE principal = p_principal) AS s
$$;

-- The names that older nodes call put the three rights that they know, and leave this one as it is.
CREATE FUNCTION evento.scopes_put_2(p_principal uuid, p_rights text[], p_contexts text[], p_types text[]) RETURNS void LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
  DELETE FROM evento.scope WHERE principal = p_principal;
  DELETE FROM evento.personal_scope WHERE principal = p_principal;
  INSERT INTO evento.scope(principal, "right", context, type)
    SELECT DISTINCT p_principal, s.r, s.c, s.t FROM unnest(p_rights, p_contexts, p_types) AS s(r, c, t) WHERE s.r <> 'personal';
  INSERT INTO evento.personal_scope(principal, context)
    SELECT DISTINCT p_principal, s.c FROM unnest(p_rights, p_contexts) AS s(r, c) WHERE s.r = 'personal';
$$;

CREATE FUNCTION evento.create_token_2(p_bundle text, p_hash bytea, p_prefix text, p_valid interval,
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
  IF p_rights IS NOT NULL THEN PERFORM evento.scopes_put_2(known, p_rights, p_contexts, p_types); END IF;
  PERFORM evento.audit_add(p_who, 'create token', p_bundle || ' ' || p_prefix, jsonb_build_object('scopes', had),
                           jsonb_build_object('scopes', evento.scopes_of(known), 'expires_at', clock_timestamp() + p_valid), p_node, p_address);
  RETURN 'done';
END $$;

CREATE FUNCTION evento.set_scopes_2(p_bundle text, p_rights text[], p_contexts text[], p_types text[], p_who text, p_node text, p_address text)
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
  PERFORM evento.scopes_put_2(known, p_rights, p_contexts, p_types);
  PERFORM evento.audit_add(p_who, 'change scopes', p_bundle, jsonb_build_object('scopes', had),
                           jsonb_build_object('scopes', evento.scopes_of(known)), p_node, p_address);
  RETURN 'done';
END $$;

-- 2. Signing in

-- Who fails is known by where he comes from: an address, of IPv6 its network of 64 bits, as that is what one customer has.
CREATE FUNCTION evento.sign_in_origin(p_address text) RETURNS text LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- An address of IPv4 that a dual stack writes as one of IPv6.
  p_address := regexp_replace(p_address, '^::ffff:(?=\d+\.)', '', 'i');
  RETURN CASE WHEN family(p_address::inet) = 6 THEN network(set_masklen(p_address::inet, 64))::text ELSE host(p_address::inet) END;
EXCEPTION WHEN data_exception THEN
  RETURN left(p_address, 100);
END $$;

-- For how many seconds nobody who comes from there may try this account. The account alone lets everybody try: a stranger who knows
-- its name must not keep its owner out.
CREATE FUNCTION evento.sign_in_wait_1(p_name text, p_address text) RETURNS int LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT greatest(0, ceil(coalesce(max(extract(epoch FROM blocked_until - clock_timestamp())), 0)))::int FROM evento.sign_in_failure
   WHERE subject IN ('address ' || evento.sign_in_origin(p_address),
                     'pair ' || evento.sign_in_origin(p_address) || ' ' || left(p_name, 100))
$$;

-- After the fifth failure who comes from there waits 1, 2, 4 … 300 s, and this account from there too. An account that failed 20 times
-- within an hour, from wherever, is being guessed at: then it waits from the first failure on, so that each origin has one guess at
-- once. That is forgotten an hour after the last one.
CREATE FUNCTION evento.fail_sign_in_2(p_name text, p_node text, p_address text)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
DECLARE
  moment  timestamptz := clock_timestamp();
  origin  text := evento.sign_in_origin(p_address);
  one     text; failed int; free int;
BEGIN
  DELETE FROM evento.sign_in_failure WHERE last_at < moment - interval '1 hour';
  INSERT INTO evento.sign_in_failure AS f (subject, failures, last_at, blocked_until) VALUES ('user ' || left(p_name, 100), 1, moment, moment)
    ON CONFLICT (subject) DO UPDATE SET failures = f.failures + 1, last_at = moment
    RETURNING failures INTO failed;
  FOREACH one IN ARRAY ARRAY['address ' || origin, 'pair ' || origin || ' ' || left(p_name, 100)] LOOP
    free := CASE WHEN one LIKE 'pair %' AND failed >= 20 THEN 0 ELSE 4 END;
    INSERT INTO evento.sign_in_failure AS f (subject, failures, last_at, blocked_until)
      VALUES (one, 1, moment, moment + CASE WHEN free = 0 THEN interval '1 second' ELSE interval '0' END)
      ON CONFLICT (subject) DO UPDATE
        SET failures = f.failures + 1, last_at = moment,
            blocked_until = moment + CASE WHEN f.failures < free THEN interval '0'
                                          ELSE least(300, power(2, least(f.failures - free, 10))) * interval '1 second' END;
  END LOOP;
  PERFORM evento.audit_add('nobody', 'fail to sign in', left(p_name, 100), NULL, NULL, p_node, p_address);
END $$;

-- Forgets the failures of the account and of the account from there, but none of the address.
CREATE FUNCTION evento.begin_login_2(p_name text, p_password text, p_hash bytea, p_csrf text, p_valid interval, p_node text, p_address text)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
BEGIN
  -- The account first, as who fails does: else each might wait for the other.
  DELETE FROM evento.sign_in_failure
   WHERE subject = 'user ' || left(p_name, 100)
     AND EXISTS (SELECT FROM evento.principal WHERE kind = 'user' AND name = p_name AND password = p_password);
  DELETE FROM evento.sign_in_failure
   WHERE subject = 'pair ' || evento.sign_in_origin(p_address) || ' ' || p_name
     AND EXISTS (SELECT FROM evento.principal WHERE kind = 'user' AND name = p_name AND password = p_password);
  RETURN evento.begin_login_1(p_name, p_password, p_hash, p_csrf, p_valid, p_node, p_address);
END $$;

REVOKE ALL ON FUNCTION evento.scopes_put_2, evento.create_token_2, evento.set_scopes_2, evento.sign_in_origin, evento.sign_in_wait_1,
  evento.fail_sign_in_2, evento.begin_login_2 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION evento.create_token_2, evento.set_scopes_2, evento.sign_in_wait_1, evento.fail_sign_in_2, evento.begin_login_2
  TO "${server}";
