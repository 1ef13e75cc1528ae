package io.evento.deployment;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.yaml.snakeyaml.Yaml;

/** What the shipped alert rules and the dashboard ask of the nodes' metrics. */
public final class MonitoringFiles {
  static final Path PROMETHEUS = Path.of("docker/prometheus");
  static final Path ALERTS = PROMETHEUS.resolve("evento-alerts.yml");
  static final Path DASHBOARD = Path.of("docker/grafana/evento-dashboard.json");

  private static final Pattern METRIC =
      Pattern.compile("\\b((?:evento|jvm|process)_[a-z0-9_]+)(?:\\{([^}]*)\\})?");
  private static final Pattern MATCHER = Pattern.compile("([a-z_]+)\\s*(?:=~|!~|!=|=)");
  private static final Pattern GROUPS = Pattern.compile("\\bby\\s*\\(([^)]*)\\)");
  private static final Pattern LEGEND =
      Pattern.compile("\\{\\{\\s*\\$?(?:labels\\.)?([a-z_]+)\\s*}}");

  /** What Prometheus itself adds. */
  private static final Set<String> OF_PROMETHEUS = Set.of("instance", "job", "value");

  private MonitoringFiles() {}

  /**
   * An expression and what it is shown with.
   *
   * @param where the alert or the panel
   * @param texts that may name labels
   */
  public record Asked(String where, String expression, List<String> texts) {
    /** The metrics that it names, each with all labels that it must have. */
    public Map<String, Set<String>> metrics() {
      var grouped = new TreeSet<String>();
      GROUPS
          .matcher(expression)
          .results()
          .flatMap(found -> Stream.of(found.group(1).split(",")))
          .map(String::strip)
          .forEach(grouped::add);
      texts.stream()
          .flatMap(text -> LEGEND.matcher(text).results())
          .map(found -> found.group(1))
          .forEach(grouped::add);
      return METRIC
          .matcher(expression.replaceAll("by\\s*\\([^)]*\\)", ""))
          .results()
          .collect(
              Collectors.toMap(
                  found -> found.group(1),
                  found -> {
                    var labels = new TreeSet<>(grouped);
                    if (found.group(2) != null) {
                      MATCHER
                          .matcher(found.group(2).replaceAll("\"[^\"]*\"", ""))
                          .results()
                          .forEach(matcher -> labels.add(matcher.group(1)));
                    }
                    labels.removeAll(OF_PROMETHEUS);
                    return labels;
                  },
                  (one, other) -> {
                    one.addAll(other);
                    return one;
                  }));
    }
  }

  /** All alerts, and all panels of the dashboard. */
  public static List<Asked> all() {
    var found = new ArrayList<Asked>();
    alerts()
        .forEach(
            rule ->
                found.add(
                    new Asked(
                        rule.path("alert").asText(),
                        rule.path("expr").asText(),
                        List.of(rule.path("annotations").path("summary").asText()))));
    for (var panel : json(DASHBOARD).path("panels")) {
      for (var target : panel.path("targets")) {
        found.add(
            new Asked(
                panel.path("title").asText(),
                target.path("expr").asText(),
                List.of(target.path("legendFormat").asText())));
      }
    }
    return found;
  }

  static List<JsonNode> alerts() {
    var found = new ArrayList<JsonNode>();
    for (var group : yaml(ALERTS).path("groups")) {
      group.path("rules").forEach(found::add);
    }
    return found;
  }

  static JsonNode yaml(Path file) {
    try (var reader = Files.newBufferedReader(file)) {
      return new ObjectMapper().valueToTree(new Yaml().<Map<String, Object>>load(reader));
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  static JsonNode json(Path file) {
    try {
      return new ObjectMapper().readTree(file.toFile());
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
