package io.evento.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.evento.server.monitor.AlarmKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What the pages for operators tell people to do: that it can be done. */
class RunbooksTest {
  private static final Path DOCS = Path.of("src/docs");
  private static final Path API = Path.of("src/server/src/main/resources/api/openapi.json");
  private static final Pattern LINK = Pattern.compile("]\\(([^)\\s]+)\\)");
  private static final Pattern CURL =
      Pattern.compile("curl [^\\n|]*?\\$\\{?NODE\\}?/evento/api/([^\"'\\s?]+)");
  private static final Pattern METHOD = Pattern.compile("-X (\\w+)");

  private static List<Path> pages() throws IOException {
    var found = new ArrayList<>(List.of(Path.of("README.md")));
    for (var place : List.of("src/docs", "docker", "payara", "domain-config")) {
      try (var files = Files.walk(Path.of(place))) {
        found.addAll(files.filter(file -> file.toString().endsWith(".md")).toList());
      }
    }
    return found;
  }

  static Set<String> anchors(Path page) throws IOException {
    return Files.readAllLines(page).stream()
        .filter(line -> line.startsWith("#"))
        .map(line -> line.replaceFirst("^#+ ", "").toLowerCase(Locale.ROOT))
        .map(title -> title.replaceAll("[^a-z0-9 _-]", "").replace(' ', '-'))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  @Test
  void every_link_leads_somewhere() throws IOException {
    var broken = new ArrayList<String>();
    for (var page : pages()) {
      for (var link : LINK.matcher(Files.readString(page)).results().toList()) {
        var target = link.group(1);
        if (target.matches("[a-z]+:.*")) {
          continue;
        }
        var parts = target.split("#", 2);
        var file = parts[0].isEmpty() ? page : page.resolveSibling(parts[0]).normalize();
        if (!Files.exists(file)
            || (parts.length > 1
                && file.toString().endsWith(".md")
                && !anchors(file).contains(parts[1]))) {
          broken.add(page + " leads to " + target);
        }
      }
    }
    assertThat(broken).isEmpty();
  }

  @Test
  void every_request_goes_to_a_door_that_there_is() throws IOException {
    var api = new ObjectMapper().readTree(API.toFile()).path("paths");
    var asked = 0;
    for (var page : pages()) {
      for (var curl : CURL.matcher(Files.readString(page)).results().toList()) {
        var text = curl.group();
        var method = METHOD.matcher(text);
        var hasBody = text.contains(" -d ") || isPost(Files.readString(page), curl.end());
        var verb =
            method.find() ? method.group(1).toLowerCase(Locale.ROOT) : hasBody ? "post" : "get";
        var path = "/" + curl.group(1);
        assertThat(doors(api, path)).as(page + ": " + text).contains(verb);
        asked++;
      }
    }
    assertThat(asked).isGreaterThan(60);
  }

  /** Whether a body follows in the same command. */
  private static boolean isPost(String page, int from) {
    var line = page.indexOf('\n', from);
    while (line > 0 && page.charAt(line - 1) == '\\') {
      line = page.indexOf('\n', line + 1);
    }
    return page.substring(from, line < 0 ? page.length() : line).contains(" -d ");
  }

  private static List<String> doors(JsonNode api, String path) {
    var steps = path.split("/");
    var found = new ArrayList<String>();
    api.fields()
        .forEachRemaining(
            door -> {
              var names = door.getKey().split("/");
              if (names.length != steps.length) {
                return;
              }
              for (var i = 0; i < names.length; i++) {
                if (!names[i].startsWith("{") && !names[i].equals(steps[i])) {
                  return;
                }
              }
              door.getValue().fieldNames().forEachRemaining(found::add);
            });
    return found;
  }

  @Test
  void each_alarm_has_a_row() throws Exception {
    var page = Files.readString(DOCS.resolve("operations.md"));
    for (var kind : AlarmKind.values()) {
      assertThat(page).contains("| `" + kind.wire() + "` |");
    }
  }
}
