package io.evento;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each invariant of the page has a place that keeps it and a test that tried to break it. */
class InvariantsTest {
  private static final Path PAGE = Path.of("src/docs/invariants.md");
  private static final Pattern HEADING = Pattern.compile("(?m)^## (I\\d+)\\. ");
  private static final Pattern CLASS = Pattern.compile("`([A-Z][A-Za-z]+)`");

  static List<String> numbers() {
    return HEADING.matcher(read(PAGE)).results().map(found -> found.group(1)).toList();
  }

  @Test
  void the_page_numbers_ten_of_them_in_order() {
    assertThat(numbers())
        .containsExactly("I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10");
  }

  @ParameterizedTest
  @MethodSource("numbers")
  void the_number_stands_in_the_code_that_keeps_it(String number) {
    var named = "invariant " + number + "[ .,]";
    assertThat(sources("main"))
        .as("a class whose Javadoc says that it keeps invariant %s", number)
        .anyMatch(source -> Pattern.compile(named).matcher(source).find());
  }

  @ParameterizedTest
  @MethodSource("numbers")
  void a_test_bears_the_number(String number) {
    assertThat(sources("test"))
        .as("a test with @Tag(\"%s\")", number)
        .anyMatch(source -> source.contains("@Tag(\"" + number + "\")"));
  }

  @Test
  void every_class_that_the_page_names_exists() {
    var files = files("main").map(path -> path.getFileName().toString()).toList();
    assertThat(
            CLASS
                .matcher(read(PAGE))
                .results()
                .map((MatchResult found) -> found.group(1))
                .filter(name -> !name.equals("InvariantsTest")))
        .isNotEmpty()
        .allSatisfy(name -> assertThat(files).contains(name + ".java"));
  }

  private static List<String> sources(String kind) {
    return files(kind).map(InvariantsTest::read).toList();
  }

  private static Stream<Path> files(String kind) {
    var java = Pattern.compile("src/\\w+/src/" + kind + "/java/.*\\.java").asMatchPredicate();
    try (var all = Files.walk(Path.of("src"))) {
      return all.filter(path -> java.test(path.toString())).toList().stream();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
