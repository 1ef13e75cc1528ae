-- Versions of a consumer beside each other: one is live, others are shadows whose commands are held. An older node goes on, but
-- knows no roles: it sends what a shadow decides. So all nodes have to be of this release before a second version is declared.

ALTER TABLE evento.consumer
  ADD COLUMN role text NOT NULL DEFAULT 'live' CONSTRAINT consumer_role_check CHECK (role IN ('live', 'shadow'));
UPDATE evento.consumer c SET role = 'shadow'
 WHERE EXISTS (SELECT FROM evento.consumer newer WHERE newer.name = c.name AND newer.version > c.version);
CREATE UNIQUE INDEX consumer_live ON evento.consumer(name) WHERE role = 'live';

-- What led to a deadline, in terms that all versions share.
ALTER TABLE evento.scheduled_message
  ADD COLUMN origin_event     bigint,       -- position of the event that it was set about, or that a chain of deadlines began with …
  ADD COLUMN origin_outcome   uuid,         -- … or the command whose outcome it was
  ADD COLUMN origin_deadlines uuid[];       -- this setting of the deadline, and those whose passing led to it, youngest first

-- Commands that a shadow decided, until an outcome is found that the live version's same command has, and delivered. An id is
-- that of the live version's command about the same, so it is unique per version only.
CREATE TABLE evento.shadow_command(
  name             text        NOT NULL,
  version          int         NOT NULL,
  id               uuid        NOT NULL,
  key              text COLLATE "C" NOT NULL,
  slot             smallint    NOT NULL CHECK (slot BETWEEN 0 AND 127),
  born             bigint      NOT NULL,    -- the life of the saga that decided it; 0 for an observer
  type             text        NOT NULL,
  payload          text        NOT NULL,
  correlation      text        NOT NULL,
  cause            text,
  hear             boolean     NOT NULL,    -- whether its outcome is delivered
  origin_event     bigint,                  -- as of a deadline
  origin_outcome   uuid,
  origin_deadlines uuid[],                  -- null: no deadline led to it
  origin_label     text,                    -- of the deadline that led to it
  created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  attempts         int         NOT NULL DEFAULT 0,          -- to find an outcome
  next_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
  settled_at       timestamptz,             -- its outcome was found and waits to be delivered
  outcome          text,                    -- JSON
  CONSTRAINT shadow_command_key PRIMARY KEY (name, version, id),
  CONSTRAINT shadow_command_consumer FOREIGN KEY (name, version) REFERENCES evento.consumer ON DELETE CASCADE
) WITH (fillfactor = 70);
CREATE INDEX shadow_command_id ON evento.shadow_command(id);
CREATE INDEX shadow_command_due ON evento.shadow_command(next_at) WHERE settled_at IS NULL;
CREATE INDEX shadow_command_settled ON evento.shadow_command(name, version, slot, settled_at) WHERE settled_at IS NOT NULL;

-- How a shadow's decisions compare with those of the live version.
CREATE TABLE evento.shadow_comparison(
  name      text   NOT NULL,
  version   int    NOT NULL,
  alike     bigint NOT NULL DEFAULT 0,      -- commands under one id with one type and payload
  different bigint NOT NULL DEFAULT 0,      -- under one id, but with another type or payload
  discarded bigint NOT NULL DEFAULT 0,      -- decided by it alone, and never sent
  CONSTRAINT shadow_comparison_key PRIMARY KEY (name, version),
  CONSTRAINT shadow_comparison_consumer FOREIGN KEY (name, version) REFERENCES evento.consumer ON DELETE CASCADE
) WITH (fillfactor = 70);

GRANT SELECT, INSERT, UPDATE, DELETE ON evento.shadow_command, evento.shadow_comparison TO "${server}";
