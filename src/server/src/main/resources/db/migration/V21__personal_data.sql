-- Keys of the subjects of personal data, and who was erased. What is personal in payloads is encrypted by them in the bundles; here
-- they are wrapped by a master key that is in no database. A node of the previous release gives no keys: bundles ask another one.

-- A backup that is kept for longer than an erased person may be readable must not have this table, or not the master key of its rows:
--   pg_dump --exclude-table-data=evento.subject_key
CREATE TABLE evento.subject_key(
  subject text        NOT NULL CHECK (length(subject) = 22),   -- hash of the subject's id
  version int         NOT NULL CHECK (version > 0),
  master  text        NOT NULL,                                -- which master key it is wrapped by
  wrapped bytea       NOT NULL,
  made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT subject_key_key PRIMARY KEY (subject, version));

-- Append-only. Each node keeps the same list in a file, so that it is known after this database was restored to before an erasure.
CREATE TABLE evento.erasure(
  subject   text        NOT NULL CONSTRAINT erasure_key PRIMARY KEY,
  id        text        NOT NULL,              -- of the subject, as payloads name it
  erased_at timestamptz NOT NULL,              -- where it was replayed from a file: when it was first done
  erased_by text        NOT NULL,
  reason    text        NOT NULL,
  stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  stored_by name        NOT NULL DEFAULT session_user,
  event_id  uuid        NOT NULL DEFAULT gen_random_uuid(),   -- command id of the event that tells it; nobody can use it before
  position  bigint);                           -- of that event; null: not told yet

-- Until the end of the transaction. Who makes keys excludes only who erases. A function, as the server's role may take no such locks.
CREATE FUNCTION evento.lock_erasure_1(p_shared boolean) RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s'
AS $$
  SELECT CASE WHEN p_shared THEN pg_advisory_xact_lock_shared(hashtextextended('evento.erasure', 0))
              ELSE pg_advisory_xact_lock(hashtextextended('evento.erasure', 0)) END
$$;
REVOKE ALL ON FUNCTION evento.lock_erasure_1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION evento.lock_erasure_1 TO "${server}";

GRANT SELECT, DELETE ON evento.subject_key TO "${server}";
GRANT INSERT (subject, version, master, wrapped) ON evento.subject_key TO "${server}";
GRANT SELECT ON evento.erasure TO "${server}";
GRANT INSERT (subject, id, erased_at, erased_by, reason) ON evento.erasure TO "${server}";
GRANT UPDATE (position) ON evento.erasure TO "${server}";
