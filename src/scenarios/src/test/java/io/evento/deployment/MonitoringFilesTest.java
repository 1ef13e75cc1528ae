package io.evento.deployment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What can be said of the alert rules and the dashboard without a node. */
class MonitoringFilesTest {
  private static final Path DOCS = Path.of("src/docs");

  @Test
  void each_alert_has_a_name_of_its_own_a_severity_and_a_runbook_that_is_there() throws Exception {
    var names = new HashSet<String>();
    for (var alert : MonitoringFiles.alerts()) {
      var name = alert.path("alert").asText();
      assertThat(names.add(name)).as(name).isTrue();
      assertThat(alert.path("labels").path("severity").asText()).isIn("critical", "warning");
      assertThat(alert.path("annotations").path("summary").asText()).as(name).isNotBlank();
      var runbook = alert.path("annotations").path("runbook").asText().split("#");
      var page = DOCS.resolve(runbook[0]);
      assertThat(page).as(name).exists();
      if (runbook.length > 1) {
        assertThat(anchors(page)).as(name).contains(runbook[1]);
      }
    }
    assertThat(names).hasSizeGreaterThan(25);
  }

  private static List<String> anchors(Path page) throws Exception {
    return Files.readAllLines(page).stream()
        .filter(line -> line.startsWith("#"))
        .map(line -> line.replaceFirst("^#+ ", "").toLowerCase(Locale.ROOT))
        .map(title -> title.replaceAll("[^a-z0-9 _-]", "").replace(' ', '-'))
        .toList();
  }

  @Test
  void labels_are_found_in_selectors_groups_and_legends() {
    var asked =
        new MonitoringFiles.Asked(
            "test",
            "sum by (type, le) (rate(evento_a_total{code=~\"x,y=z\"}[5m])) / evento_b",
            List.of("{{ $labels.kind }} {{instance}}"));
    assertThat(asked.metrics())
        .hasSize(2)
        .hasEntrySatisfying(
            "evento_a_total",
            labels -> assertThat(labels).containsExactly("code", "kind", "le", "type"))
        .hasEntrySatisfying(
            "evento_b", labels -> assertThat(labels).containsExactly("kind", "le", "type"));
  }

  @Test
  void panels_do_not_overlap_and_each_asks_the_chosen_data_source() {
    var taken = new HashSet<String>();
    var ids = new HashSet<Integer>();
    for (var panel : MonitoringFiles.json(MonitoringFiles.DASHBOARD).path("panels")) {
      assertThat(ids.add(panel.path("id").asInt())).isTrue();
      var at = panel.path("gridPos");
      assertThat(at.path("x").asInt() + at.path("w").asInt()).isLessThanOrEqualTo(24);
      for (var x = at.path("x").asInt(); x < at.path("x").asInt() + at.path("w").asInt(); x++) {
        for (var y = at.path("y").asInt(); y < at.path("y").asInt() + at.path("h").asInt(); y++) {
          assertThat(taken.add(x + "," + y)).as(panel.path("title").asText()).isTrue();
        }
      }
      for (JsonNode target : panel.path("targets")) {
        assertThat(target.path("datasource").path("uid").asText()).isEqualTo("${datasource}");
      }
    }
    assertThat(ids).hasSizeGreaterThan(30);
  }

  @Test
  void the_metrics_are_collected_where_nodes_tell_them() {
    var job =
        MonitoringFiles.yaml(MonitoringFiles.PROMETHEUS.resolve("prometheus.yml"))
            .path("scrape_configs")
            .path(0);
    assertThat(job.path("job_name").asText()).isEqualTo("evento");
    assertThat(job.path("metrics_path").asText()).isEqualTo("/evento/api/metrics");
  }

  @Test
  void promtool_accepts_the_rules_and_each_fires_when_it_should() throws Exception {
    var promtool = Programs.find("promtool");
    assumeTrue(promtool.isPresent(), "promtool is not installed");
    for (var arguments :
        List.of(
            List.of("check", "rules", "evento-alerts.yml"),
            List.of("check", "config", "--syntax-only", "prometheus.yml"),
            List.of("test", "rules", "evento-alerts.test.yml"))) {
      Programs.accepts(promtool.get(), MonitoringFiles.PROMETHEUS, Map.of(), arguments);
    }
  }
}
