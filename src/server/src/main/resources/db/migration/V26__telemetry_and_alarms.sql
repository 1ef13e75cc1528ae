-- What each node measured, by the minute, and what is wrong with the cluster. An older node knows neither table and goes on.

-- One row is what one process did of one thing within a minute; handler and type are empty for all of a kind together.
CREATE TABLE evento.telemetry_minute (
  minute  timestamptz NOT NULL,
  node    text   NOT NULL,
  process uuid   NOT NULL,                  -- of a node that was started again within the minute both count
  kind    text   NOT NULL CHECK (kind IN ('command', 'query', 'consumer', 'append')),
  handler text   NOT NULL,                  -- component, or consumer with its version
  type    text   NOT NULL,
  count   bigint NOT NULL,
  errors  jsonb  NOT NULL,                  -- {"code": how often}
  total   bytea,                            -- times in microseconds, HdrHistogram V2: all of it,
  queue   bytea,                            -- until it was somebody's turn,
  work    bytea,                            -- the bundle's,
  commit  bytea,                            -- and the store's
  PRIMARY KEY (kind, handler, type, minute, node, process)
) WITH (fillfactor = 70);                   -- the row of the running minute is written again every five seconds, in its page
CREATE INDEX telemetry_minute_minute ON evento.telemetry_minute(minute);
GRANT SELECT, INSERT, UPDATE, DELETE ON evento.telemetry_minute TO "${server}";

CREATE TABLE evento.alarm (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind     text NOT NULL,
  subject  text NOT NULL,                   -- what it is about: a consumer, a type, a node; empty for the cluster
  severity text NOT NULL CHECK (severity IN ('warning', 'critical')),
  since    timestamptz NOT NULL,
  until    timestamptz,                     -- null while it goes on
  cause    text NOT NULL,                   -- a sentence, as of the last look
  details  jsonb NOT NULL
);
CREATE UNIQUE INDEX alarm_active ON evento.alarm(kind, subject) WHERE until IS NULL;
CREATE INDEX alarm_until ON evento.alarm(until) WHERE until IS NOT NULL;

-- Which process looks for alarms; another one may once the time is over.
CREATE TABLE evento.alarm_watch (
  single  boolean PRIMARY KEY DEFAULT true CHECK (single),
  node    text NOT NULL,
  process uuid NOT NULL,
  until   timestamptz NOT NULL
);
INSERT INTO evento.alarm_watch(node, process, until) VALUES ('', '00000000-0000-0000-0000-000000000000', 'epoch');
GRANT SELECT, INSERT, UPDATE, DELETE ON evento.alarm TO "${server}";
GRANT SELECT, UPDATE ON evento.alarm_watch TO "${server}";
