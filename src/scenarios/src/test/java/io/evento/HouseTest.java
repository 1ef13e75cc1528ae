package io.evento;

import static java.util.stream.Collectors.counting;
import static java.util.stream.Collectors.groupingBy;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** A file is read in one sitting, and what a package holds is seen at a glance. */
class HouseTest {
  private static final Path SOURCES = Path.of("src");
  private static final Path CONSOLE = Path.of("src/server/src/main/webapp/console");
  private static final Pattern PAGES =
      Pattern.compile(
          "/\\*\\*(?:[^*]|\\*(?!/))*\\*/\\s+"
              + "export const GROUPS = \\[(?<groups>'\\w+'(?:, '\\w+')*)\\];\\s+"
              + "/\\*\\*(?:[^*]|\\*(?!/))*\\*/\\s+"
              + "export const PAGES = \\[\n(?<pages>(?:  \\{[^{}]*\\},\n)+)\\];\\s+");
  private static final Pattern PAGE =
      Pattern.compile(
          "\\s*\\{name: '(?<name>\\w+)', title: '[\\w ]+', group: '(?<group>\\w*)', icon: '\\w+'"
              + "(?:, (?:key|needs|badge): '\\w+'|, css: true)*\\},");
  private static final int LINES_MAX = 500;
  private static final int FILES_MAX = 35;

  @Test
  void no_file_has_more_than_500_lines() {
    assertThat(
            files().stream()
                .filter(file -> lines(file) > LINES_MAX)
                .map(file -> file + " has " + lines(file)))
        .as("cut them where two things live in one file")
        .isEmpty();
  }

  @Test
  void no_package_has_more_than_35_files() {
    var sizes = files().stream().collect(groupingBy(Path::getParent, counting()));
    assertThat(
            sizes.entrySet().stream()
                .filter(size -> size.getValue() > FILES_MAX)
                .map(size -> size.getKey() + " has " + size.getValue()))
        .as("make rooms of what belongs together")
        .isEmpty();
  }

  @Test
  void the_sources_are_found() {
    assertThat(files()).hasSizeGreaterThan(500);
  }

  /** No browser says before it opens the console that this file cannot be read. */
  @Test
  void the_list_of_pages_is_a_list_of_pages() throws IOException {
    var text = Files.readString(CONSOLE.resolve("pages.js"));
    var list = PAGES.matcher(text);
    assertThat(list.matches()).as("it has groups and pages, and nothing else").isTrue();
    var groups = Set.of(list.group("groups").replace("'", "").split(", ", -1));
    for (var line : list.group("pages").strip().split("\n", -1)) {
      var page = PAGE.matcher(line);
      assertThat(page.matches()).as(line).isTrue();
      assertThat(groups.contains(page.group("group")) || page.group("group").isEmpty())
          .as(line)
          .isTrue();
      assertThat(CONSOLE.resolve("pages/" + page.group("name") + ".js")).exists();
      if (line.contains("css: true")) {
        assertThat(CONSOLE.resolve("pages/" + page.group("name") + ".css")).exists();
      }
    }
  }

  private static List<Path> files() {
    try (var all = Files.walk(SOURCES)) {
      return all.filter(path -> path.toString().endsWith(".java"))
          .filter(path -> !path.toString().contains("/target/"))
          .sorted()
          .toList();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  private static long lines(Path file) {
    try (var lines = Files.lines(file)) {
      return lines.count();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
