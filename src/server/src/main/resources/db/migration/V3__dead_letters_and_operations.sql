-- What consumers failed on, and what operators do to consumers. A node of the release before knows none of it and goes on: it
-- takes a consumer that is full for one that is paused.

-- 1. Operations

ALTER TABLE evento.consumer
  ADD COLUMN note        text,                              -- why it is paused or full
  ADD COLUMN fence_floor bigint NOT NULL DEFAULT 0,         -- the highest fence of segments that are no more
  DROP CONSTRAINT consumer_status_check,
  ADD CONSTRAINT consumer_status_check CHECK (status IN ('active', 'paused', 'full'));

ALTER TABLE evento.consumer_segment
  ADD COLUMN reset_fence   bigint NOT NULL DEFAULT 0,       -- an operator has put the checkpoint where it is: so must a bundle that claimed its own under a lower fence
  ADD COLUMN held_until    timestamptz,                     -- an operation is under way: whoever has it gives it back, and nobody takes it before then
  ADD COLUMN merge_with    int,                             -- the segment that it is to be one with …
  ADD COLUMN merge_at      bigint,                          -- … and the position where both wait for each other
  ADD COLUMN effects_after bigint NOT NULL DEFAULT 0,       -- up to here it was acknowledged before a reset: commands of events up to there are sent no second time
  ADD COLUMN progress_at   timestamptz NOT NULL DEFAULT clock_timestamp();   -- of the checkpoint

CREATE TABLE evento.consumer_audit(
  id      bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT consumer_audit_id PRIMARY KEY,
  name    text        NOT NULL,
  version int         NOT NULL,
  at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  done_by text        NOT NULL,                             -- 'server' for what no person did
  action  text        NOT NULL,
  detail  text        NOT NULL,
  reason  text);                                            -- in the words of whoever did it
CREATE INDEX consumer_audit_consumer ON evento.consumer_audit(name, version, id);

-- 2. Dead letters

-- An event that a consumer did not handle: it failed (cause), or one before it of the same key did. A key is parked as long as
-- it has a row here; whoever has the segment of the key's slot writes and retries, under its fence.
CREATE TABLE evento.dead_letter(
  id           uuid        NOT NULL DEFAULT gen_random_uuid() CONSTRAINT dead_letter_id PRIMARY KEY,
  name         text        NOT NULL,
  version      int         NOT NULL,
  sequence_key text        NOT NULL COLLATE "C",
  position     bigint      NOT NULL,
  slot         smallint    NOT NULL CHECK (slot BETWEEN 0 AND 127),
  command_id   uuid        NOT NULL,                        -- of the event, as a position alone does not name it after a loss
  type         text        NOT NULL,
  parked_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  failed_at    timestamptz,                                 -- null: it waits behind another one of its key
  attempts     int         NOT NULL DEFAULT 0,
  cause        text,
  cause_group  text,                                        -- the kind of failure, without what differs from event to event
  retry_at     timestamptz,                                 -- not before then; null: nobody asked for it
  CONSTRAINT dead_letter_consumer FOREIGN KEY (name, version) REFERENCES evento.consumer ON DELETE CASCADE);
CREATE UNIQUE INDEX dead_letter_key ON evento.dead_letter(name, version, sequence_key, position);
CREATE INDEX dead_letter_position ON evento.dead_letter(name, version, position);
CREATE INDEX dead_letter_due ON evento.dead_letter(name, version, slot, retry_at) WHERE retry_at IS NOT NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON evento.dead_letter TO "${server}";
GRANT SELECT, INSERT ON evento.consumer_audit TO "${server}";                -- an audit is never rewritten
