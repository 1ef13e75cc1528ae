-- To which bundle a component belongs, and what became of its declaration. An older node goes on: it declares without asking who
-- owns what. All nodes have to be of this release before a stranger is refused everywhere.

-- One row per component whatever its version; the key is what lets one of two bundles win that declare it at once.
CREATE TABLE evento.component_owner(
  kind     text   NOT NULL,                 -- 'aggregate' for boundaries too: both own the streams of their name
  name     text   NOT NULL,
  bundle   text,                            -- the only one that may declare it; null: whoever comes first
  contexts text[] NOT NULL,                 -- in which it may be declared; empty: any, as of a consumer, whose contexts are what it reads
  CONSTRAINT component_owner_key PRIMARY KEY (kind, name));

INSERT INTO evento.component_owner (kind, name, bundle, contexts)
  SELECT CASE kind WHEN 'boundary' THEN 'aggregate' ELSE kind END, name,
         (array_agg(bundle ORDER BY declared_at DESC))[1],
         CASE WHEN bool_or(kind IN ('projector', 'saga', 'observer')) THEN '{}' ELSE array_agg(DISTINCT context) END
    FROM evento.component GROUP BY CASE kind WHEN 'boundary' THEN 'aggregate' ELSE kind END, name;

CREATE TABLE evento.component_history(
  id         bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT component_history_id PRIMARY KEY,
  kind       text        NOT NULL,
  name       text        NOT NULL,
  version    int         NOT NULL,          -- 0 where all versions are meant, or there is none
  at         timestamptz NOT NULL DEFAULT clock_timestamp(),
  action     text        NOT NULL CHECK (action IN ('declare', 'owner', 'contexts')),
  bundle     text,                          -- that declared it, or owns it from then on
  context    text,                          -- of a declaration
  definition text,                          -- of a declaration: as it came, JSON
  done_by    text        NOT NULL,          -- of a declaration 'bundle', else whom the audit names
  detail     text        NOT NULL,
  reason     text);                         -- in the words of whoever did it
CREATE INDEX component_history_component ON evento.component_history(kind, name, id);

INSERT INTO evento.component_history (kind, name, version, at, action, bundle, context, definition, done_by, detail)
  SELECT kind, name, version, declared_at, 'declare', bundle, context, definition, 'bundle', 'was declared before a history was kept'
    FROM evento.component ORDER BY declared_at;

GRANT SELECT, INSERT, UPDATE ON evento.component_owner TO "${server}";
GRANT SELECT, INSERT ON evento.component_history TO "${server}";             -- an audit is never rewritten
