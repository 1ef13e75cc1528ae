-- What led to what, and how busy the machines of the nodes were, by the minute: what forecasts are made from. An older node knows neither table, writes nothing there, and goes on.

-- One row is how often one process saw one thing lead to another within a minute.
CREATE TABLE evento.flow_minute (
  minute  timestamptz NOT NULL,
  node    text   NOT NULL,
  process uuid   NOT NULL,                  -- of a node that was started again within the minute both count
  kind    text   NOT NULL CHECK (kind IN ('emits', 'sends')),
  cause   text   NOT NULL,                  -- the type of a command that emits, or the consumer, with its version, that sends
  upon    text   NOT NULL,                  -- the type that a consumer sends upon; empty for what emits
  effect  text   NOT NULL,                  -- the type of the event that was emitted or the command that was sent
  count   bigint NOT NULL,
  PRIMARY KEY (minute, kind, cause, upon, effect, node, process)
) WITH (fillfactor = 70);                   -- the row of the running minute is written again every five seconds, in its page

-- How busy processors were within a minute, as one process saw it.
CREATE TABLE evento.processor_minute (
  minute             timestamptz NOT NULL,
  node               text   NOT NULL,
  process            uuid   NOT NULL,
  span_millis        bigint NOT NULL,       -- for so long it looked
  processors         int    NOT NULL,       -- that the node's process may use
  busy_millis        bigint NOT NULL,       -- of this process, all its processors together
  machine_processors int,                   -- null where the system does not tell
  machine_millis     bigint,                -- of all processes of the machine
  PRIMARY KEY (minute, node, process)
) WITH (fillfactor = 70);

GRANT SELECT, INSERT, UPDATE, DELETE ON evento.flow_minute, evento.processor_minute TO "${server}";
