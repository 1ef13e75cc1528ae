-- What nodes seal their messages to each other with: who reads it is a node, as the database says who is one. A node of the
-- previous release seals nothing, and is gone round by nodes that do.
--
-- A new key: insert the next version as the owner of the schema; after two minutes delete the old one. Nodes read the table
-- every ten seconds, and seal under a key once it is a minute old, so that all have read it by then:
--   INSERT INTO evento.link_key(version, key) SELECT max(version) + 1, sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')) FROM evento.link_key;

CREATE TABLE evento.link_key (
  version int PRIMARY KEY CHECK (version > 0),
  key     bytea NOT NULL CHECK (octet_length(key) = 32),
  made_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- gen_random_uuid() draws from the system's strong random source; three of them have 366 random bits
INSERT INTO evento.link_key(version, key)
  VALUES (1, sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')));

GRANT SELECT ON evento.link_key TO "${server}";
