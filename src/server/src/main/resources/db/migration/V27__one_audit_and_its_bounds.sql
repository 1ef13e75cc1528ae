-- Erasures by a function, one audit of everything and bounds of what strangers write into it, and commands for later that nobody is
-- known to have sent. An older node goes on: what it writes itself, triggers hold to the same rules.

-- 1. Erasures

-- Drops all keys of the subjects and keeps the erasure, in one transaction with its row of the audit. p_times: null for one that is
-- asked for now, whose time is the database's; else when it was first done, as a node's file says after a restore. An erasure that is
-- there stays as it is. Returns how many keys there were.
CREATE FUNCTION evento.erase_1(p_subjects text[], p_ids text[], p_times timestamptz[], p_by text[], p_reasons text[], p_node text, p_address text)
RETURNS int LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
DECLARE
  one record; keys int;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('evento.erasure', 0));
  FOR one IN SELECT * FROM unnest(p_subjects, p_ids, p_times, p_by, p_reasons) AS e(subject, id, done_at, done_by, reason) LOOP
    INSERT INTO evento.erasure(subject, id, erased_at, erased_by, reason)
      VALUES (one.subject, one.id, least(coalesce(one.done_at, clock_timestamp()), clock_timestamp()), one.done_by, one.reason)
      ON CONFLICT DO NOTHING;
    IF FOUND THEN
      PERFORM evento.audit_add(CASE WHEN one.done_at IS NULL THEN one.done_by ELSE 'node ' || p_node END,
                               CASE WHEN one.done_at IS NULL THEN 'erase subject' ELSE 'replay erasure' END, one.id, NULL,
                               jsonb_build_object('subject', one.subject, 'by', one.done_by, 'reason', one.reason), p_node, p_address);
    END IF;
  END LOOP;
  DELETE FROM evento.subject_key WHERE subject = ANY (p_subjects);
  GET DIAGNOSTICS keys = ROW_COUNT;
  RETURN keys;
END $$;

-- A node of the previous release inserts an erasure and deletes the keys itself, in this order, so its rights stay for now. The first
-- is audited and cannot be told ahead of time; the second is refused where there is no erasure.
CREATE FUNCTION evento.erasure_entry_1() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF TG_WHEN = 'BEFORE' THEN
    NEW.erased_at := least(NEW.erased_at, clock_timestamp());
    RETURN NEW;
  END IF;
  PERFORM evento.audit_add(NEW.erased_by, 'erase subject', NEW.id, NULL,
                           jsonb_build_object('subject', NEW.subject, 'by', NEW.erased_by, 'reason', NEW.reason),
                           coalesce(host(inet_client_addr()), ''), '');
  RETURN NULL;
END $$;

CREATE FUNCTION evento.subject_key_exit_1() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM evento.erasure WHERE subject = OLD.subject) THEN
    RAISE EXCEPTION 'a key is dropped with the erasure of its subject' USING ERRCODE = '42501';
  END IF;
  RETURN OLD;
END $$;

-- Not for the owner, who is who the function runs as, nor for a restore.
DO $$
BEGIN
  EXECUTE format('CREATE TRIGGER erasure_time BEFORE INSERT ON evento.erasure FOR EACH ROW
                  WHEN (NOT pg_has_role(current_user, %L, ''MEMBER'')) EXECUTE FUNCTION evento.erasure_entry_1()', current_user);
  EXECUTE format('CREATE TRIGGER erasure_audit AFTER INSERT ON evento.erasure FOR EACH ROW
                  WHEN (NOT pg_has_role(current_user, %L, ''MEMBER'')) EXECUTE FUNCTION evento.erasure_entry_1()', current_user);
  EXECUTE format('CREATE TRIGGER subject_key_exit BEFORE DELETE ON evento.subject_key FOR EACH ROW
                  WHEN (NOT pg_has_role(current_user, %L, ''MEMBER'')) EXECUTE FUNCTION evento.subject_key_exit_1()', current_user);
END $$;

-- 2. One audit

-- What nodes of any release write into the audits of their own comes into this one too. At the transaction's end, as a node may ask
-- meanwhile which id its row got. The address is that of the node.
CREATE FUNCTION evento.audit_copy_1() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
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
                               jsonb_build_object('value', r->'new_value'), node, '');
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

CREATE CONSTRAINT TRIGGER setting_audit_copy     AFTER INSERT ON evento.setting_audit     DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION evento.audit_copy_1();
CREATE CONSTRAINT TRIGGER consumer_audit_copy    AFTER INSERT ON evento.consumer_audit    DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION evento.audit_copy_1();
CREATE CONSTRAINT TRIGGER component_history_copy AFTER INSERT ON evento.component_history DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION evento.audit_copy_1();
CREATE CONSTRAINT TRIGGER store_acceptance_copy  AFTER INSERT ON evento.store_acceptance  DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION evento.audit_copy_1();

-- 3. Bounds of the audit

-- What strangers cause by being refused: so many rows a minute of all nodes together, and one that says how many more there were.
CREATE TABLE evento.audit_minute(
  one      boolean     NOT NULL DEFAULT true CONSTRAINT audit_minute_one PRIMARY KEY CHECK (one),
  minute   timestamptz NOT NULL,
  written  int         NOT NULL,
  left_out bigint      NOT NULL);
GRANT SELECT ON evento.audit_minute TO "${server}";
INSERT INTO evento.audit_minute(minute, written, left_out) VALUES (date_trunc('minute', clock_timestamp()), 0, 0);

CREATE FUNCTION evento.audit_minute_begin(p_node text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  present timestamptz := date_trunc('minute', clock_timestamp());
  was     record;
BEGIN
  SELECT * INTO was FROM evento.audit_minute FOR UPDATE;
  IF was.minute = present THEN RETURN; END IF;
  IF was.left_out > 0 THEN
    PERFORM evento.audit_add('node ' || p_node, 'refuse', was.left_out || ' more refused', NULL,
                             jsonb_build_object('left_out', was.left_out, 'minute', was.minute), p_node, '');
  END IF;
  UPDATE evento.audit_minute SET minute = present, written = 0, left_out = 0;
END $$;

CREATE FUNCTION evento.audit_refusal(p_who text, p_action text, p_object text, p_after jsonb, p_count int, p_node text, p_address text)
RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM evento.audit_minute_begin(p_node);
  UPDATE evento.audit_minute SET written = written + 1 WHERE written < 1500;
  IF FOUND THEN
    PERFORM evento.audit_add(p_who, p_action, p_object, NULL, p_after, p_node, p_address);
  ELSE
    UPDATE evento.audit_minute SET left_out = left_out + p_count;
  END IF;
END $$;

-- As they were, but for what they write the audit by: under new names the old ones would stay unbounded.
CREATE OR REPLACE FUNCTION evento.note_refusal_1(p_who text, p_object text, p_code text, p_left_out int, p_node text, p_address text)
RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
  SELECT evento.audit_refusal(p_who, 'refuse', p_object, jsonb_build_object('code', left(p_code, 100), 'left_out', p_left_out),
                              1 + greatest(p_left_out, 0), p_node, p_address)
$$;

DO $$
DECLARE
  wanted text;
  given  text;
  made   text;
BEGIN
  FOREACH wanted IN ARRAY ARRAY['fail_sign_in_1', 'fail_sign_in_2'] LOOP
    given := pg_get_functiondef(('evento.' || wanted)::regproc);
    made := replace(given, 'evento.audit_add(''nobody'', ''fail to sign in'', left(p_name, 100), NULL, NULL, p_node, p_address)',
                           'evento.audit_refusal(''nobody'', ''fail to sign in'', left(p_name, 100), NULL, 1, p_node, p_address)');
    IF made = given THEN RAISE EXCEPTION '% is not as it was made', wanted; END IF;
    EXECUTE made;
  END LOOP;
END $$;

-- What is older than so many days goes, 10,000 rows at a time; nothing of the last 90 days, whoever asks. And what was left out in a
-- minute that is over is said. Returns how many rows went.
CREATE INDEX audit_at ON evento.audit(at);

CREATE FUNCTION evento.keep_audit_1(p_days int, p_node text) RETURNS int LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
DECLARE
  gone int;
BEGIN
  PERFORM evento.audit_minute_begin(p_node);
  -- A day's rows at once, so that the rows which say so do not need a trimming each.
  IF NOT EXISTS (SELECT FROM evento.audit a WHERE a.at < clock_timestamp() - (greatest(p_days, 90) + 1) * interval '1 day') THEN
    RETURN 0;
  END IF;
  DELETE FROM evento.audit WHERE id IN (
    SELECT a.id FROM evento.audit a WHERE a.at < clock_timestamp() - greatest(p_days, 90) * interval '1 day'
     ORDER BY a.at LIMIT 10000 FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS gone = ROW_COUNT;
  IF gone > 0 THEN
    PERFORM evento.audit_add('node ' || p_node, 'trim audit', gone || ' rows', NULL, jsonb_build_object('days', greatest(p_days, 90)), p_node, '');
  END IF;
  RETURN gone;
END $$;

-- 4. Commands for later without a sender

-- Whose rights one is sent with that nobody is known to have scheduled. 'done', 'absent' (or it has a sender, or is a deadline), or
-- 'no-bundle' (none of that name has a token).
CREATE FUNCTION evento.adopt_schedule_1(p_id uuid, p_bundle text, p_who text, p_node text, p_address text)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM evento.principal WHERE kind = 'bundle' AND name = p_bundle) THEN RETURN 'no-bundle'; END IF;
  UPDATE evento.scheduled_message SET principal = 'bundle ' || p_bundle, next_at = least(next_at, greatest(due_at, clock_timestamp()))
   WHERE id = p_id AND kind = 'command' AND principal IS NULL;
  IF NOT FOUND THEN RETURN 'absent'; END IF;
  PERFORM evento.audit_add(p_who, 'name sender', p_id::text, NULL, jsonb_build_object('bundle', p_bundle), p_node, p_address);
  RETURN 'done';
END $$;

REVOKE ALL ON FUNCTION evento.erase_1, evento.erasure_entry_1, evento.subject_key_exit_1, evento.audit_copy_1, evento.audit_minute_begin,
  evento.audit_refusal, evento.keep_audit_1, evento.adopt_schedule_1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION evento.erase_1, evento.keep_audit_1, evento.adopt_schedule_1 TO "${server}";
