-- With whose rights a command is sent that waits for its time or its outcome. An older node goes on: it writes no principal, and
-- sends what has one as if nobody asked. All nodes have to be of this release before rights are asked everywhere.
ALTER TABLE evento.consumer_command  ADD COLUMN principal text;              -- 'bundle bank', of the consumer's session; null: nobody was known
ALTER TABLE evento.shadow_command    ADD COLUMN principal text;
ALTER TABLE evento.scheduled_message ADD COLUMN principal text;              -- of whoever scheduled it; null for deadlines too

-- What nobody hosts may be removed from the catalog; the history tells of it.
ALTER TABLE evento.component_history DROP CONSTRAINT component_history_action_check;
ALTER TABLE evento.component_history ADD CONSTRAINT component_history_action_check
  CHECK (action IN ('declare', 'owner', 'contexts', 'remove'));
CREATE INDEX component_history_removed ON evento.component_history(at) WHERE action = 'remove';
GRANT DELETE ON evento.component, evento.component_owner, evento.payload, evento.payload_version TO "${server}";
