-- Audits that the server's role cannot date back or sign for another role, and a gate that no statement holds after its call. A node
-- of the previous release goes on: it writes audits and calls the append as it did.

-- 1. Audits

-- A node of the previous release inserts rows itself, so the right to insert stays, for the columns that it fills. A trigger is what
-- holds both: it overwrites the time, whatever the row says, and notes which role of the database the row came from and from where.
-- Who did it remains what the node claims, in the column that it always was in. Rows of before have neither role nor address.
ALTER TABLE evento.setting_audit     ADD COLUMN entered_by text, ADD COLUMN entered_from inet;
ALTER TABLE evento.consumer_audit    ADD COLUMN entered_by text, ADD COLUMN entered_from inet;
ALTER TABLE evento.component_history ADD COLUMN entered_by text, ADD COLUMN entered_from inet;
ALTER TABLE evento.store_acceptance  ADD COLUMN entered_by text, ADD COLUMN entered_from inet;

-- The owner may take the trigger away anyhow; rows of his, such as those of a migration or a restore, keep their time.
CREATE FUNCTION evento.audit_entry_1() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF pg_has_role(session_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = TG_RELID), 'MEMBER') THEN
    RETURN NEW;
  END IF;
  NEW.entered_by := session_user;
  NEW.entered_from := inet_client_addr();
  IF TG_TABLE_NAME = 'setting_audit' THEN NEW.changed_at := clock_timestamp(); ELSE NEW.at := clock_timestamp(); END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER setting_audit_entry     BEFORE INSERT ON evento.setting_audit     FOR EACH ROW EXECUTE FUNCTION evento.audit_entry_1();
CREATE TRIGGER consumer_audit_entry    BEFORE INSERT ON evento.consumer_audit    FOR EACH ROW EXECUTE FUNCTION evento.audit_entry_1();
CREATE TRIGGER component_history_entry BEFORE INSERT ON evento.component_history FOR EACH ROW EXECUTE FUNCTION evento.audit_entry_1();
-- accept_store_1 writes it, with a time of its own; the session is the caller's
CREATE TRIGGER store_acceptance_entry  BEFORE INSERT ON evento.store_acceptance  FOR EACH ROW EXECUTE FUNCTION evento.audit_entry_1();

REVOKE INSERT ON evento.setting_audit, evento.consumer_audit, evento.component_history FROM "${server}";
GRANT INSERT (key, old_value, new_value, changed_at, changed_by) ON evento.setting_audit TO "${server}";
GRANT INSERT (name, version, at, done_by, action, detail, reason) ON evento.consumer_audit TO "${server}";
GRANT INSERT (kind, name, version, at, action, bundle, context, definition, done_by, detail, reason) ON evento.component_history TO "${server}";

-- 2. The gate

-- Whether a statement as the client sent it calls this function of schema evento once, selects columns from it, and does nothing else.
-- What stands beside the call would run while it holds the gate: a second statement of the same message, or pg_sleep in the list.
--
-- Literals are cut out at their quotes, which tells inside from outside as long as none has escapes: so outside of literals nothing is
-- allowed but what is named here. No comment, no name in quotes, no dollar, no backslash, and no letter before a quote (E'…', U&'…').
-- Nor may plain literals have escapes: whoever calls this asks for standard_conforming_strings, which no earlier statement of the same
-- message can have switched on, as there is none before the first literal, and the call has begun by then.
CREATE FUNCTION evento.sole_call_1(p_query text, p_function text) RETURNS boolean
LANGUAGE plpgsql STABLE
AS $$
DECLARE
  -- without the quotes that stand in literals, each written twice
  pieces  text[] := string_to_array(replace(p_query, '''''', ''), '''');
  outside text := pieces[1];
BEGIN
  FOR k IN 3 .. cardinality(pieces) BY 2 LOOP
    outside := outside || '''' || pieces[k];
  END LOOP;
  IF cardinality(pieces) % 2 = 0 THEN RETURN false; END IF;
  -- as AppendFunction says it, with what the driver puts in for 25 values: in 6 us, where the expressions below take 60
  IF replace(outside, '(NULL)', '('')') =
     'select epoch, base, count, recorded_at, refused,
       (extract(epoch from recorded_at - statement_timestamp()) * 1000000)::bigint,
       system_identifier, timeline
  from evento.append_3((''), (''), (''), (''), (''), (''),
         (''), (''), (''), (''), (''),  (''), (''), (''), (''),  (''), (''), (''), (''), (''), (''),  (''), (''), (''), (''))
' THEN RETURN p_function = 'append_3'; END IF;
  RETURN outside !~ '[^(,\s]'''
     AND outside !~ '\m(union|intersect|except)\M'      -- with what could keep the executor busy after the call
     AND outside ~ ('^\s*select [a-z_,\s]+(\(extract\(epoch from recorded_at - statement_timestamp\(\)\) \* 1000000\)::bigint,[a-z_,\s]+)?from evento\.'
                    || p_function || '\(([(),\s'']|::[a-z0-9]+|NULL|null)*\)\s*$');
END $$;

-- Both functions that take the gate, as they are but for this: a new name would leave the old one open, and no node calls them in
-- another way.
DO $$
DECLARE
  wanted text;
  given  text;
  made   text;
BEGIN
  FOREACH wanted IN ARRAY ARRAY['append_3', 'accept_store_1'] LOOP
    given := pg_get_functiondef(('evento.' || wanted)::regproc);
    made := replace(given, 'statement_timestamp() <> transaction_timestamp() THEN',
      format('statement_timestamp() <> transaction_timestamp()' || E'\n' ||
             '     OR current_setting(''standard_conforming_strings'') <> ''on'' OR evento.sole_call_1(current_query(), %L) IS NOT TRUE THEN', wanted));
    IF made = given THEN RAISE EXCEPTION '% is not as V11 made it', wanted; END IF;
    EXECUTE made;
  END LOOP;
END $$;

-- two releases ago; it opened an epoch for whoever claimed a far head
DROP FUNCTION evento.append_2;

REVOKE ALL ON FUNCTION evento.audit_entry_1, evento.sole_call_1 FROM PUBLIC;
