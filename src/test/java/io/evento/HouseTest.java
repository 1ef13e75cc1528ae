package io.evento;

import static java.util.stream.Collectors.counting;
import static java.util.stream.Collectors.groupingBy;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A file is read in one sitting, and what a package holds is seen at a glance. */
class HouseTest {
  private static final Path SOURCES = Path.of("src");
  private static final int LINES_MAX = 500;
  private static final int FILES_MAX = 35;

  /** A list with one file for each scenario, and what several of them need. */
  private static final Path SCENARIOS = Path.of("src/test/java/io/evento/scenario");

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
                .filter(size -> size.getValue() > FILES_MAX && !size.getKey().equals(SCENARIOS))
                .map(size -> size.getKey() + " has " + size.getValue()))
        .as("make rooms of what belongs together")
        .isEmpty();
  }

  @Test
  void the_sources_are_found() {
    assertThat(files()).hasSizeGreaterThan(500);
  }

  private static List<Path> files() {
    try (var all = Files.walk(SOURCES)) {
      return all.filter(path -> path.toString().endsWith(".java")).sorted().toList();
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
