-- Roles and schemas of one Evento database. Run by an administrator, in the database itself; running it again changes
-- nothing but the passwords. Nothing here is done by a migration, and nobody here is a superuser.
--
-- The passwords come from the environment: as options they would stand in the list of processes.
--
--   export EVENTO_DB_OWNER_PASSWORD=… EVENTO_DB_PASSWORD=… BANK_JDBC_PASSWORD=…
--   psql -d evento -c '\getenv owner_password EVENTO_DB_OWNER_PASSWORD' \
--        -c '\getenv server_password EVENTO_DB_PASSWORD' -c '\getenv bank_password BANK_JDBC_PASSWORD' -f roles.sql
--
-- A place of its own is made for each role:
--   evento_owner   owns schema "evento", which its migrations create; used at a node's start only
--   evento_server  the nodes at work; may do what the migrations grant, and owns nothing
--   evento_bank    the sample bank: schema "bank" and nothing else

-- A superuser's session keeps the passwords below out of the server's log and out of the statistics of statements.
SELECT set_config(quiet.name, quiet.value, false)
  FROM (VALUES ('log_statement', 'none'), ('log_min_error_statement', 'panic'), ('log_min_duration_statement', '-1'),
               ('pg_stat_statements.track', 'none')) AS quiet(name, value)
 WHERE (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user);

DO $$
DECLARE
  wanted text;
BEGIN
  FOREACH wanted IN ARRAY ARRAY['evento_owner', 'evento_server', 'evento_bank'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
      EXECUTE format('CREATE ROLE %I', wanted);
    END IF;
  END LOOP;
END $$;

ALTER ROLE evento_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'owner_password';
ALTER ROLE evento_server LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'server_password';
ALTER ROLE evento_bank LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE CONNECTION LIMIT 40 PASSWORD :'bank_password';

-- Limits of a role's sessions are the role's own to change, as is its password: they answer mistakes and failures, not
-- somebody who has the password. What has to hold against him is in rights, and in the functions that he may call.

-- A node that froze or lost its network must not hold the append gate longer than this.
ALTER ROLE evento_server SET synchronous_commit = on;
ALTER ROLE evento_server SET idle_in_transaction_session_timeout = '10s';
ALTER ROLE evento_server SET client_connection_check_interval = '1s';
ALTER ROLE evento_server SET tcp_keepalives_idle = 5;
ALTER ROLE evento_server SET tcp_keepalives_interval = 2;
ALTER ROLE evento_server SET tcp_keepalives_count = 3;
ALTER ROLE evento_server SET tcp_user_timeout = '10s';

-- A bundle that froze in the transaction of a projector must not keep its segment's checkpoint locked for whoever gets
-- the segment next: give the like to the role of every database that projectors write to.
ALTER ROLE evento_bank SET idle_in_transaction_session_timeout = '10s';
ALTER ROLE evento_bank SET client_connection_check_interval = '1s';
ALTER ROLE evento_bank SET tcp_keepalives_idle = 5;
ALTER ROLE evento_bank SET tcp_keepalives_interval = 2;
ALTER ROLE evento_bank SET tcp_keepalives_count = 3;
ALTER ROLE evento_bank SET tcp_user_timeout = '10s';

REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;

-- PostgreSQL lets everybody make large objects, which no right of a schema bounds, write into the WAL, and take advisory
-- locks, that of the migrations among them. Only a superuser can change that; for this database only.
DO $$
DECLARE
  given record;
BEGIN
  IF NOT (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user) THEN
    RAISE WARNING 'not a superuser: everybody keeps large objects, advisory locks and pg_logical_emit_message';
    RETURN;
  END IF;
  FOR given IN
    SELECT p.oid::regprocedure AS name, p.proname AS word FROM pg_proc p
     WHERE p.pronamespace = 'pg_catalog'::regnamespace
       AND (p.proname IN ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_import', 'lo_open', 'lo_put', 'lo_truncate',
                          'lo_truncate64', 'lo_unlink', 'lowrite', 'pg_logical_emit_message')
            OR p.proname ~ '^pg_(try_)?advisory_')
  LOOP
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', given.name);
    -- The append flushes by a message, as its owner; the migrations take turns.
    IF given.word !~ '^lo' THEN EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO evento_owner', given.name); END IF;
    -- A projector's checkpoint: such a lock ends with its transaction.
    IF given.word ~ '_xact_' THEN EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO evento_bank', given.name); END IF;
  END LOOP;
END $$;

GRANT CONNECT, CREATE ON DATABASE :"DBNAME" TO evento_owner;
GRANT CONNECT ON DATABASE :"DBNAME" TO evento_server, evento_bank;

CREATE SCHEMA IF NOT EXISTS bank AUTHORIZATION evento_bank;
ALTER ROLE evento_bank SET search_path = bank;
