-- Consumers that handled events which the store has lost since, as after a promotion that was not synchronous. An older node goes on:
-- it rewinds without a row here.

CREATE TABLE evento.consumer_loss(
  name          text        NOT NULL,
  version       int         NOT NULL,
  segment       int         NOT NULL,       -- its number then; it may have been split or merged since
  epoch         uuid        NOT NULL,       -- the life of the store that the events belonged to
  first_slot    smallint    NOT NULL CHECK (first_slot BETWEEN 0 AND 127),
  last_slot     smallint    NOT NULL CHECK (last_slot BETWEEN first_slot AND 127),
  from_position bigint      NOT NULL,       -- the first one that is lost …
  to_position   bigint      NOT NULL CHECK (to_position >= from_position),   -- … and the last one that was handled, or may have been
  events        int,                        -- how many of them were given to it; null: nobody remembers
  streams       text[]      NOT NULL,       -- of these, as far as the node that gave them remembers
  certain       boolean     NOT NULL,       -- whether they were handled; else they were sent, and nobody knows
  at            timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT consumer_loss_key PRIMARY KEY (name, version, segment, epoch),
  CONSTRAINT consumer_loss_consumer FOREIGN KEY (name, version) REFERENCES evento.consumer ON DELETE CASCADE);

GRANT SELECT, INSERT, UPDATE, DELETE ON evento.consumer_loss TO "${server}";
