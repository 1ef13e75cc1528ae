-- What was asked for a dead letter, and what is under way, apart from each other: an attempt that fails takes back only what was
-- asked before it began. An older node goes on: what it asks for has no number, so an attempt that fails takes it back as before,
-- and it takes back what others asked for. Dropped letters of events that may come once more it shows and leaves alone.

ALTER TABLE evento.consumer
  ADD COLUMN askings bigint NOT NULL DEFAULT 0;             -- how often letters of it were asked for; counted under the row's lock, so in order of commits

ALTER TABLE evento.dead_letter
  ADD COLUMN asked      bigint,                             -- which asking retry_at is of; null: an older node's
  ADD COLUMN dropped_at timestamptz;                        -- given up, but the checkpoint may yet come by its event: its place is kept until then
CREATE INDEX dead_letter_dropped ON evento.dead_letter(name, version, slot) WHERE dropped_at IS NOT NULL;
