-- The rows of a request. By itself, as what V39 locks nobody may read meanwhile: this one keeps writers alone out, while the table is read
-- once. No row has a request yet, or few, so nothing is sorted. Not CONCURRENTLY: that waits for every older transaction, is given up
-- after the 2 s that a migration waits for a lock, and leaves an index behind that is not valid and a schema that has to be repaired.
CREATE INDEX audit_correlation ON evento.audit(correlation, id) WHERE correlation IS NOT NULL;
