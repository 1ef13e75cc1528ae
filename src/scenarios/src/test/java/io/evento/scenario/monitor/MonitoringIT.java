package io.evento.scenario.monitor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.deployment.MonitoringFiles;
import io.evento.scenario.fixture.Bank;
import io.evento.scenario.fixture.Cluster;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The alert rules and the dashboard that are shipped, held against what real nodes tell. */
class MonitoringIT {
  @RegisterExtension static final Cluster cluster = Cluster.running();

  private static final Duration SOON = Duration.ofSeconds(60);
  private static final Pattern SERIES = Pattern.compile("^([a-z0-9_]+)(?:\\{(.*)\\})? [^ ]+$");
  private static final Pattern LABEL = Pattern.compile("([a-z_]+)=\"(?:[^\"\\\\]|\\\\.)*\"");

  @Test
  void nodes_tell_each_metric_that_an_alert_or_a_panel_asks_for_with_its_labels() throws Exception {
    var account = Bank.account(cluster);
    await("all of them")
        .atMost(SOON)
        .untilAsserted(
            () -> {
              account.deposit(cluster.node(1), 1);
              account.withdraw(cluster.node(1), 1_000_000_000L);
              cluster
                  .door(cluster.node(2))
                  .query("FindAccount", Map.of("accountId", account.account()));
              var told = told();
              for (var asked : MonitoringFiles.all()) {
                asked
                    .metrics()
                    .forEach(
                        (metric, labels) ->
                            assertThat(told.getOrDefault(metric, Set.of("no such metric")))
                                .as(asked.where() + " asks for " + metric)
                                .doesNotContain("no such metric")
                                .containsAll(labels));
              }
            });
  }

  /** Every metric of all nodes, with its labels. */
  private static Map<String, Set<String>> told() throws InterruptedException {
    var found = new HashMap<String, Set<String>>();
    for (var door : cluster.doors()) {
      door.get("metrics")
          .body()
          .asText()
          .lines()
          .filter(line -> !line.startsWith("#"))
          .forEach(
              line -> {
                var series = SERIES.matcher(line);
                assertThat(series.matches()).as(line).isTrue();
                var labels = found.computeIfAbsent(series.group(1), first -> new TreeSet<>());
                if (series.group(2) != null) {
                  LABEL.matcher(series.group(2)).results().forEach(it -> labels.add(it.group(1)));
                }
              });
    }
    return found;
  }

  @Test
  void each_name_has_one_type_and_no_series_is_told_twice() throws Exception {
    for (var door : cluster.doors()) {
      var lines = door.get("metrics").body().asText().lines().toList();
      assertThat(lines.stream().filter(line -> line.startsWith("# TYPE ")).map(MonitoringIT::name))
          .doesNotHaveDuplicates();
      assertThat(
              lines.stream()
                  .filter(line -> !line.startsWith("#"))
                  .map(line -> line.substring(0, line.lastIndexOf(' '))))
          .doesNotHaveDuplicates();
    }
  }

  private static String name(String type) {
    return type.split(" ")[2];
  }
}
