-- A condition that reaches back over few events is looked at outside of the gate by the same walk as under it. Nodes of the
-- previous release do not call it.

GRANT EXECUTE ON FUNCTION evento.meets_1 TO "${server}";
