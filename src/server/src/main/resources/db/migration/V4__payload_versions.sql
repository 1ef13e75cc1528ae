-- Shapes that payloads have had. An older node goes on: it writes no version and reads none.

-- Of the schema that stands in the row; one that an older instance declares does not replace it.
ALTER TABLE evento.payload ADD COLUMN version int NOT NULL DEFAULT 1 CHECK (version > 0);

CREATE TABLE evento.payload_version(
  kind        text        NOT NULL CHECK (kind IN ('event', 'query')),
  type        text        NOT NULL,
  version     int         NOT NULL CHECK (version > 0),
  schema      text,                         -- JSON Schema, as last declared in this version
  bundle      text        NOT NULL,
  declared_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT payload_version_key PRIMARY KEY (kind, type, version));

GRANT SELECT, INSERT, UPDATE ON evento.payload_version TO "${server}";
