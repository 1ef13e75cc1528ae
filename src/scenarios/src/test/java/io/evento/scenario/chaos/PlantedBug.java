package io.evento.scenario.chaos;

import io.evento.scenario.chaos.Findings.Promise;
import io.evento.scenario.chaos.fault.Fault;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * A bug that the superuser of the test's database plants in its functions and rows: what a checker
 * is there for. No node has a switch for it, and no role that nodes have may do it.
 */
enum PlantedBug {
  /** A command that comes again is decided and stored again. */
  DUPLICATES_FORGOTTEN(Promise.STORED_ONCE, Set.of(Fault.LOSE_CALLERS_ANSWERS)) {
    @Override
    void plant(Connection superuser) throws SQLException {
      change(superuser, "WHERE d.position IS NOT NULL OR r.kind IS NOT NULL;", "WHERE false;");
      execute(
          superuser,
          """
          drop index evento.event_command;
          create index event_command on evento.event(command_id) where ord = 0;
          alter table evento.command_result drop constraint command_result_id;
          create index command_result_id on evento.command_result(command_id);
          """);
    }
  },

  /** Two may decide on the same version of a stream. */
  VERSIONS_NOT_COMPARED(
      Promise.ONE_PER_VERSION, Set.of(Fault.FREEZE_NODE, Fault.CUT_PEERS, Fault.CUT_DATABASE)) {
    @Override
    void plant(Connection superuser) throws SQLException {
      change(
          superuser,
          "WHERE (coalesce(h.version, 0) IS DISTINCT FROM x.version OR",
          "WHERE false AND (coalesce(h.version, 0) IS DISTINCT FROM x.version OR");
      execute(
          superuser,
          """
          alter table evento.event drop constraint event_stream;
          create index event_stream on evento.event(stream_id, version);
          """);
    }
  },

  /** Whatever others appended meanwhile. */
  CONDITIONS_IGNORED(Promise.CONDITIONS_SERIAL, Set.of(Fault.SLOW_CALLERS)) {
    @Override
    void plant(Connection superuser) throws SQLException {
      change(superuser, "IF hit IS NULL THEN", "IF true THEN");
    }
  },

  /** Whoever takes a segment goes on under the fence of the one before. */
  FENCE_SKIPPED(Promise.LEASES_APART, Set.of(Fault.FREEZE_NODE, Fault.KILL_NODE)) {
    @Override
    void plant(Connection superuser) throws SQLException {
      before(superuser, "update on evento.consumer_segment", "new.fence := old.fence;");
    }
  },

  /** A lease is taken while another has it. */
  LEASE_STOLEN(Promise.LEASES_APART, Set.of(Fault.SLOW_PEERS)) {
    @Override
    void plant(Connection superuser) throws SQLException {
      before(
          superuser,
          "update on evento.consumer_segment",
          "if random() < 0.002 and old.owner is not null then"
              + " new.owner_incarnation := gen_random_uuid(); new.fence := old.fence + 1; end if;");
    }
  },

  /** Somebody who is not the owner, or not any more, moves a checkpoint. */
  STALE_OWNER_WRITES(Promise.LEASES_APART, Set.of(Fault.SLOW_PEERS)) {
    @Override
    void plant(Connection superuser) throws SQLException {
      execute(
          superuser,
          """
          set application_name = 'evento-node-0';
          update evento.consumer_segment set checkpoint = checkpoint + 1
           where owner is not null and (name, version, segment) in (
                 select name, version, segment from evento.consumer_segment
                  where owner is not null limit 1);
          reset application_name;
          """);
    }
  },

  /** A write of a checkpoint puts it back now and then. */
  CHECKPOINT_PUT_BACK(Promise.CHECKPOINTS_FORWARD, Set.of(Fault.RESET_PEERS)) {
    @Override
    void plant(Connection superuser) throws SQLException {
      before(
          superuser,
          "update on evento.consumer_segment",
          "if new.checkpoint > old.checkpoint and random() < 0.01 then"
              + " new.checkpoint := old.checkpoint - 1; end if;");
    }
  },

  /** A step of a saga takes place, and its state is not kept. */
  STATE_NOT_KEPT(Promise.SAGAS_AS_UNDISTURBED, Set.of(Fault.RESET_CALLERS)) {
    @Override
    void plant(Connection superuser) throws SQLException {
      before(
          superuser,
          "update on evento.saga_state",
          "if random() < 0.1 then new.state := old.state; end if;");
    }
  },

  /** A projector's effect takes place twice. */
  EFFECT_TWICE(Promise.EFFECTS_ONCE, Set.of(Fault.RESET_CALLERS)) {
    @Override
    void plant(Connection superuser) throws SQLException {
      before(
          superuser,
          "update on bank.account",
          "if new.balance > old.balance and random() < 0.02 then"
              + " new.balance := 2 * new.balance - old.balance; end if;");
    }
  },

  /** Who reads events of others misses some. */
  READING_SKIPS(Promise.FOLLOWERS_AGREE, Set.of(Fault.RESET_PEERS)) {
    @Override
    void plant(Connection superuser) throws SQLException {
      execute(
          superuser,
          """
          alter table evento.event enable row level security;
          create policy planted on evento.event for select using (position % 89 <> 0);
          """);
    }

    @Override
    void takeAway(Connection superuser) throws SQLException {
      execute(
          superuser,
          """
          drop policy planted on evento.event;
          alter table evento.event disable row level security;
          """);
    }
  },

  /** Acknowledged events are not in the log yet when the database dies. */
  ACKNOWLEDGED_BEFORE_COMMIT(Promise.STORED_ONCE, Set.of(Fault.KILL_POSTGRES)) {
    @Override
    void plant(Connection superuser) throws SQLException {
      execute(superuser, "alter system set synchronous_commit = off");
      execute(superuser, "alter system set wal_writer_delay = '10s'");
      execute(superuser, "alter system set wal_writer_flush_after = '1GB'");
      execute(superuser, "select pg_reload_conf()");
      // The nodes' connections that append ask for the log again, whatever the server's setting.
      before(
          superuser,
          "insert on evento.event",
          "perform set_config('synchronous_commit', 'off', true);");
    }
  },

  /** Acknowledged events are not on the standby yet when it is promoted. */
  STANDBY_NOT_AWAITED(Promise.STORED_ONCE, Set.of(Fault.KILL_AND_PROMOTE, Fault.HANG_AND_PROMOTE)) {
    @Override
    void plant(Connection superuser) throws SQLException {
      // For each append anew, as its session insists on a commit that waits.
      before(
          superuser,
          "insert on evento.event",
          "perform set_config('synchronous_commit', 'local', true);");
    }
  },

  /** An event is told and numbered and not stored. */
  EVENT_DROPPED(Promise.DENSE, Set.of(Fault.RESET_CALLERS)) {
    @Override
    void plant(Connection superuser) throws SQLException {
      before(
          superuser,
          "insert on evento.event",
          "if new.position % 211 = 0 then return null; end if;");
    }
  },

  /** Each session numbers events from numbers that it fetched before. */
  POSITION_FROM_A_SEQUENCE(Promise.REAL_TIME_ORDER, Set.of(Fault.RESET_CALLERS)) {
    @Override
    void plant(Connection superuser) throws SQLException {
      execute(
          superuser,
          """
          create sequence chronicle.planted cache 50;
          grant usage on schema chronicle to public;
          grant usage on sequence chronicle.planted to public;
          select setval('chronicle.planted', (select max(position) + 1000 from evento.event));
          """);
      before(
          superuser,
          "insert on evento.event",
          "new.position := nextval('chronicle.planted'::regclass);");
    }
  };

  private final Promise breaks;
  private final Set<Fault> among;

  PlantedBug(Promise breaks, Set<Fault> among) {
    this.breaks = breaks;
    this.among = among;
  }

  /** Whose checker has to find it. */
  Promise breaks() {
    return breaks;
  }

  /** Faults that bring it to light. */
  Set<Fault> among() {
    return among;
  }

  abstract void plant(Connection superuser) throws SQLException;

  /** Takes away what {@link #plant} did beyond the function that appends and triggers. */
  void takeAway(Connection superuser) throws SQLException {}

  /** Whether the cluster starts afresh after it: it changed more than is taken away. */
  boolean spoilsTheStore() {
    return compareTo(ACKNOWLEDGED_BEFORE_COMMIT) >= 0
        || this == DUPLICATES_FORGOTTEN
        || this == VERSIONS_NOT_COMPARED;
  }

  /** Whether the cluster cannot come to rest with it. */
  boolean staysWrong() {
    return compareTo(ACKNOWLEDGED_BEFORE_COMMIT) >= 0;
  }

  /** Takes it away again, unless the cluster starts afresh. */
  void remove(Connection superuser, String original) throws SQLException {
    takeAway(superuser);
    execute(superuser, original);
    execute(superuser, "drop schema if exists planted cascade");
  }

  private static void execute(Connection superuser, String sql) throws SQLException {
    try (var statement = superuser.createStatement()) {
      statement.execute(sql);
    }
  }

  /** The function that appends, as it is. */
  static String append(Connection superuser) throws SQLException {
    try (var statement = superuser.createStatement();
        var row = statement.executeQuery("select pg_get_functiondef('evento.append_4'::regproc)")) {
      row.next();
      return row.getString(1);
    }
  }

  /** Replaces a piece of the function that appends. */
  private static void change(Connection superuser, String piece, String by) throws SQLException {
    var text = append(superuser);
    if (text.split(Pattern.quote(piece), -1).length != 2) {
      throw new IllegalStateException("the append has not once: " + piece);
    }
    execute(superuser, text.replace(piece, by));
  }

  /**
   * @param event of a trigger, and whose
   */
  private static void before(Connection superuser, String event, String does) throws SQLException {
    execute(
        superuser,
        """
        create schema planted;
        create function planted.bug() returns trigger language plpgsql security definer
        as $$ begin %s return new; end $$;
        create trigger a_planted_bug before %s for each row execute function planted.bug();
        """
            .formatted(does, event));
  }
}
