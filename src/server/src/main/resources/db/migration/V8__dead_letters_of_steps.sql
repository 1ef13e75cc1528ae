-- What sagas and observers failed on. A node of the release before gives what belongs to a parked key nevertheless, as it knows of
-- no dead letters of steps.

ALTER TABLE evento.dead_letter
  ADD COLUMN kind text NOT NULL DEFAULT 'event' CHECK (kind IN ('event', 'outcome', 'deadline'));   -- not an event: the row of consumer_command or scheduled_message with the id command_id waits; position is 0, before all events of the key
