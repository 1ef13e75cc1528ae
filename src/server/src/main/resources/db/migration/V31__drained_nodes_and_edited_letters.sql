-- Nodes that operators asked to hand over what they have, and dead letters that are tried with another payload than their event's. A
-- node of the release before reads neither: it is not drained, and it tries a letter with what the store has.

-- 1. Nodes that hand over

-- A node looks at each heartbeat whether it has a row of its process. The row stays after that process, and means nothing to the next.
CREATE TABLE evento.node_drain(
  name        text        NOT NULL CONSTRAINT node_drain_name PRIMARY KEY REFERENCES evento.node ON DELETE CASCADE,
  incarnation uuid        NOT NULL,                         -- of the process that was asked
  asked_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  asked_by    text        NOT NULL,
  reason      text);                                        -- in the words of whoever asked
GRANT SELECT ON evento.node_drain TO "${server}";

-- Drains come one after the other: whether another node is left is looked at under this lock.
CREATE FUNCTION evento.drain_lock_1() RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$ SELECT pg_advisory_xact_lock(hashtextextended('evento.drain', 0)) $$;

-- With its row of the audit. False if the process has been asked already, or is not there any more; nothing was changed then.
CREATE FUNCTION evento.drain_node_1(p_name text, p_incarnation uuid, p_reason text, p_who text, p_node text, p_address text)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
BEGIN
  PERFORM evento.drain_lock_1();
  IF NOT EXISTS (SELECT FROM evento.node n WHERE n.name = p_name AND n.incarnation = p_incarnation) THEN RETURN false; END IF;
  INSERT INTO evento.node_drain AS d (name, incarnation, asked_by, reason) VALUES (p_name, p_incarnation, left(p_who, 200), left(p_reason, 500))
    ON CONFLICT (name) DO UPDATE
       SET incarnation = excluded.incarnation, asked_at = clock_timestamp(), asked_by = excluded.asked_by, reason = excluded.reason
     WHERE d.incarnation <> excluded.incarnation;
  IF NOT FOUND THEN RETURN false; END IF;
  PERFORM evento.audit_add(p_who, 'drain node', p_name, NULL, jsonb_build_object('reason', p_reason), p_node, p_address);
  RETURN true;
END $$;

-- Takes that back. False if the process was not asked.
CREATE FUNCTION evento.undrain_node_1(p_name text, p_incarnation uuid, p_reason text, p_who text, p_node text, p_address text)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
BEGIN
  PERFORM evento.drain_lock_1();
  DELETE FROM evento.node_drain d WHERE d.name = p_name AND d.incarnation = p_incarnation;
  IF NOT FOUND THEN RETURN false; END IF;
  PERFORM evento.audit_add(p_who, 'undrain node', p_name, NULL, jsonb_build_object('reason', p_reason), p_node, p_address);
  RETURN true;
END $$;

REVOKE ALL ON FUNCTION evento.drain_lock_1, evento.drain_node_1, evento.undrain_node_1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION evento.drain_lock_1, evento.drain_node_1, evento.undrain_node_1 TO "${server}";

-- 2. Letters with an edited payload

-- Beside the event, which stays as it is. Whatever removes the letter removes it.
ALTER TABLE evento.dead_letter
  ADD COLUMN edited      text,                              -- payload that it is tried with, JSON; null: the event's own
  ADD COLUMN edited_at   timestamptz,
  ADD COLUMN edited_by   text,
  ADD COLUMN edit_reason text;

-- Another event at the letter's position: the store lost the first one, and what was edited was a copy of that. Nodes of any release
-- write that by a change of the command.
CREATE FUNCTION evento.dead_letter_other_1() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  NEW.edited := NULL; NEW.edited_at := NULL; NEW.edited_by := NULL; NEW.edit_reason := NULL;
  RETURN NEW;
END $$;
CREATE TRIGGER dead_letter_other BEFORE UPDATE OF command_id ON evento.dead_letter FOR EACH ROW
  WHEN (OLD.command_id <> NEW.command_id AND OLD.edited IS NOT NULL) EXECUTE FUNCTION evento.dead_letter_other_1();
REVOKE ALL ON FUNCTION evento.dead_letter_other_1 FROM PUBLIC;
