-- What of a segment was with each of the sessions that ended unasked while they had it: what ends whoever takes it is tried alone
-- and parked, though the segment moves from owner to owner meanwhile. An older node neither reads nor writes this: it goes on as
-- it did, and what it was told before stands for those that come after it.

ALTER TABLE evento.consumer_segment
  ADD COLUMN doubt_from     bigint  NOT NULL DEFAULT 0,     -- positions of the events, both included; 0 for none
  ADD COLUMN doubt_upto     bigint  NOT NULL DEFAULT 0,
  ADD COLUMN doubt_ids      uuid[]  NOT NULL DEFAULT '{}',  -- outcomes, deadlines and dead letters
  ADD COLUMN doubt_sessions int     NOT NULL DEFAULT 0,     -- so many ended with them, one after the other …
  ADD COLUMN doubt_alone    boolean NOT NULL DEFAULT false; -- … and the last one had nothing else

-- Two segments become one only where both bundles have said where they stand, each under the fence that its half has now: a
-- bundle's own checkpoint may be ahead of the row. Where an older node delivers a half, they wait for it to go.
ALTER TABLE evento.consumer_segment
  ADD COLUMN told_fence bigint NOT NULL DEFAULT 0;
