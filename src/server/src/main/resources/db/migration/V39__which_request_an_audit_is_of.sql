-- Which request a row of the audit is of, so that it is found by the correlation id of a log line or a problem, and those by it. A node
-- says it by a setting of its transaction; one of the previous release says none, and its rows have none, as those of before.
ALTER TABLE evento.audit ADD COLUMN correlation text;

-- As V19 made it, but for that. The id is a caller's text: what is no printable ASCII is a question mark, and 200 characters are enough for
-- any that a node lets in. What a node does by itself while it works for a request, such as to count what it left out, is of none.
CREATE OR REPLACE FUNCTION evento.audit_add(p_who text, p_action text, p_object text, p_before jsonb, p_after jsonb, p_node text,
                                            p_address text)
RETURNS void LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
  INSERT INTO evento.audit(who, action, object, before, after, node, address, correlation)
    VALUES (left(p_who, 200), p_action, left(p_object, 300), p_before, p_after, left(p_node, 100), left(p_address, 100),
            CASE WHEN p_who NOT LIKE 'node %'
                 THEN nullif(left(regexp_replace(current_setting('evento.correlation', true), '[^ -~]', '?', 'g'), 200), '') END)
$$;
