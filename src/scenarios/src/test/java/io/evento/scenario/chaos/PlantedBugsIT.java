package io.evento.scenario.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.evento.scenario.chaos.fault.Fault;
import io.evento.scenario.fixture.Cluster;
import java.sql.SQLException;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The suite finds what it is there for. Each bug is planted into a database that is thrown away;
 * {@code -Dchaos.bug} names one of them alone.
 */
@Tag("chaos")
class PlantedBugsIT {
  private static final Duration LENGTH = Duration.ofSeconds(20);
  private static final Duration CONTROL = Duration.ofSeconds(60);
  private static final long SECONDS_MAX = 180;
  private static final long SEED = Long.getLong("chaos.seed", new Random().nextLong());
  private static final String END_OF_APPEND = "\n-- the rest of the schema\n";

  private static final String SCHEMA =
      """
      select string_agg(line, E'\n' order by line) from (
        select indexdef as line from pg_indexes where schemaname in ('evento', 'bank')
        union all
        select tgname || ' on ' || tgrelid::regclass from pg_trigger
         where not tgisinternal and tgname <> 'chronicle'
        union all
        select conname || ' on ' || conrelid::regclass || ' ' || pg_get_constraintdef(oid)
          from pg_constraint where connamespace = 'evento'::regnamespace
        union all
        select 'policy ' || policyname from pg_policies) as lines
      """;

  @RegisterExtension static final Cluster cluster = Cluster.behindLinks();

  /** What the database is like where no bug is planted. */
  private static String sound;

  @BeforeEach
  void nothing_is_left_of_an_earlier_bug() throws SQLException {
    var now = schema();
    sound = sound == null ? now : sound;
    assertThat(now).isEqualTo(sound);
  }

  private static String schema() throws SQLException {
    try (var superuser = cluster.administrator();
        var select = superuser.createStatement();
        var row = select.executeQuery(SCHEMA)) {
      row.next();
      return PlantedBug.append(superuser) + END_OF_APPEND + row.getString(1);
    }
  }

  @ParameterizedTest
  @EnumSource
  void each_planted_bug_is_found_by_the_checker_that_is_there_for_it(PlantedBug bug)
      throws Exception {
    assumeTrue(System.getProperty("chaos.bug", bug.name()).contains(bug.name()));
    var began = System.nanoTime();
    try {
      var day = new WorstDay(cluster, SEED, LENGTH, bug.among());
      var report = bug.staysWrong() ? day.runSpoilt(() -> plant(bug)) : day.run(() -> plant(bug));
      var seconds = (System.nanoTime() - began) / 1_000_000_000;
      System.out.println("[chaos] planted " + bug + ", " + seconds + " s: " + report);
      assertThat(report.findings().of(bug.breaks())).as("%s %s", bug, report).isNotEmpty();
      assertThat(seconds).as("seconds to find %s", bug).isLessThan(SECONDS_MAX);
    } finally {
      takeAway(bug);
    }
  }

  private static void plant(PlantedBug bug) throws SQLException {
    try (var superuser = cluster.administrator()) {
      bug.plant(superuser);
    }
  }

  private static void takeAway(PlantedBug bug) throws Exception {
    if (bug.spoilsTheStore()) {
      cluster.startAfresh();
      return;
    }
    try (var superuser = cluster.administrator()) {
      bug.remove(superuser, sound.substring(0, sound.indexOf(END_OF_APPEND)));
    }
    cluster.heal();
  }

  /** What the checkers find is the bug and not the fault beside it. */
  @Test
  void the_same_faults_without_a_bug_break_nothing() throws Exception {
    assumeTrue(System.getProperty("chaos.bug", "NONE").contains("NONE"));
    var among = EnumSet.noneOf(Fault.class);
    for (var bug : PlantedBug.values()) {
      among.addAll(bug.among());
    }
    var report = new WorstDay(cluster, SEED, CONTROL, among).run();
    System.out.println("[chaos] planted nothing: " + report);
    assertThat(report.findings().isEmpty()).as("%s", report).isTrue();
  }
}
