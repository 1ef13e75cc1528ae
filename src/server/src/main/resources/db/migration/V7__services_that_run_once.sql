-- Service commands that are not to be run again. An older node goes on: it says nothing of it, which
-- means that they may be, and runs them again itself.

ALTER TABLE evento.payload ADD COLUMN retry boolean NOT NULL DEFAULT true;

ALTER TABLE evento.service_claim
  ADD COLUMN retry boolean NOT NULL DEFAULT true,   -- as declared when the first run began
  ADD COLUMN runs  int     NOT NULL DEFAULT 1;      -- begun, this one included
