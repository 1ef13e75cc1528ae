-- Erasures get numbers in the order in which they are committed, so that a node that looks twice a second for new ones asks for the
-- last number and reads what is above its own. An older node counts them as before.

-- In the order of commits: whoever adds one holds the lock of lock_erasure_1 or erase_1 until his transaction ends.
ALTER TABLE evento.erasure ADD ordinal bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT erasure_ordinal UNIQUE;

-- Those of which no event is known, as a rule none.
CREATE INDEX erasure_untold ON evento.erasure(ordinal) WHERE position IS NULL;
