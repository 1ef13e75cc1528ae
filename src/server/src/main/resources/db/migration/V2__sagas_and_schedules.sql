-- Consumers that answer with steps: states of sagas, the outbox, and messages for later. A node of the release before knows
-- none of it, takes no segment of a saga or observer, and goes on.

-- The last step transaction of a segment: whoever did not hear whether its own took place finds it here.
ALTER TABLE evento.consumer_segment ADD COLUMN step uuid;

-- A row per saga and life of it: an ended one stays for a while, so that operators see it and a repeated event finds it.
CREATE TABLE evento.saga_state(
  name        text        NOT NULL,
  version     int         NOT NULL,
  key         text COLLATE "C" NOT NULL,    -- its association's value
  slot        smallint    NOT NULL CHECK (slot BETWEEN 0 AND 127),
  born        bigint      NOT NULL,         -- position of the event that started it: names this life of the key
  position    bigint      NOT NULL,         -- of the last event that had an effect on it
  state       text        NOT NULL,
  correlation text        NOT NULL,         -- of the flow that started it
  started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  changed_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at    timestamptz,                  -- null: it lives
  CONSTRAINT saga_state_key PRIMARY KEY (name, version, key)
) WITH (fillfactor = 70);
CREATE INDEX saga_state_ended ON evento.saga_state(ended_at) WHERE ended_at IS NOT NULL;

-- The outbox: commands that were decided in a step, until their outcome is final, and, where it is to be heard, delivered.
CREATE TABLE evento.consumer_command(
  id          uuid        NOT NULL CONSTRAINT consumer_command_id PRIMARY KEY,   -- under which it is sent, each time
  name        text        NOT NULL,
  version     int         NOT NULL,
  key         text COLLATE "C" NOT NULL,
  slot        smallint    NOT NULL CHECK (slot BETWEEN 0 AND 127),
  born        bigint      NOT NULL,         -- the life of the saga that sent it; 0 for an observer
  type        text        NOT NULL,
  payload     text        NOT NULL,
  correlation text        NOT NULL,
  cause       text,
  hear        boolean     NOT NULL,         -- whether its outcome is delivered
  created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  attempts    int         NOT NULL DEFAULT 0,
  next_at     timestamptz NOT NULL,         -- not sent before; while claimed: the end of the claim
  claimed_by  uuid,                         -- incarnation of the node that is sending it
  error       text,                         -- why the last attempt was not final
  settled_at  timestamptz,                  -- its outcome is final and waits to be delivered
  outcome     text                          -- JSON
) WITH (fillfactor = 70);
CREATE INDEX consumer_command_due ON evento.consumer_command(next_at) WHERE settled_at IS NULL;
CREATE INDEX consumer_command_claimed ON evento.consumer_command(claimed_by) WHERE claimed_by IS NOT NULL;
CREATE INDEX consumer_command_settled ON evento.consumer_command(name, version, slot, settled_at) WHERE settled_at IS NOT NULL;

-- Commands to be sent later, and deadlines of sagas. Time is this database's.
CREATE TABLE evento.scheduled_message(
  id          uuid        NOT NULL CONSTRAINT scheduled_message_id PRIMARY KEY,  -- of a command: under which it is sent
  kind        text        NOT NULL CHECK (kind IN ('command', 'deadline')),
  due_at      timestamptz NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- a command
  type        text,
  payload     text,
  hash        bigint,                       -- of type and payload: tells a repeat from a reused id
  correlation text,
  cause       text,
  trace       text,
  meta        text,
  attempts    int         NOT NULL DEFAULT 0,
  next_at     timestamptz,                  -- not sent before; while claimed: the end of the claim
  claimed_by  uuid,
  error       text,
  -- a deadline
  name        text,
  version     int,
  key         text COLLATE "C",
  slot        smallint CHECK (slot BETWEEN 0 AND 127),
  label       text,
  CONSTRAINT scheduled_message_kind CHECK (
    kind = 'command' AND type IS NOT NULL AND payload IS NOT NULL AND hash IS NOT NULL AND next_at IS NOT NULL
    OR kind = 'deadline' AND name IS NOT NULL AND version IS NOT NULL AND key IS NOT NULL AND slot IS NOT NULL AND label IS NOT NULL)
) WITH (fillfactor = 70);
CREATE INDEX scheduled_message_due ON evento.scheduled_message(next_at) WHERE kind = 'command';
CREATE INDEX scheduled_message_claimed ON evento.scheduled_message(claimed_by) WHERE claimed_by IS NOT NULL;
CREATE INDEX scheduled_message_deadline ON evento.scheduled_message(due_at) WHERE kind = 'deadline';
CREATE INDEX scheduled_message_key ON evento.scheduled_message(name, version, key) WHERE kind = 'deadline';

GRANT SELECT, INSERT, UPDATE, DELETE ON evento.saga_state, evento.consumer_command, evento.scheduled_message TO "${server}";
