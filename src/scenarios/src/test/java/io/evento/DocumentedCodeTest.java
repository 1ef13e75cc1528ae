package io.evento;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import io.evento.protocol.ErrorCode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the documents say about code is what the code says. */
class DocumentedCodeTest {
  private static final Pattern BLOCK = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);
  private static final Pattern KEY = Pattern.compile("\"(evento\\.[a-z.-]+[a-z])\"");

  /** The build compiles the examples and runs their tests, so what stands there works. */
  @Test
  void each_block_of_the_tutorial_is_a_file_of_the_ticket_shop() {
    var files = sources(Path.of("src/examples/shop"));
    var blocks = BLOCK.matcher(read(Path.of("src/docs/tutorial.md"))).results().toList();
    assertThat(blocks).hasSizeGreaterThan(6);
    assertThat(blocks.stream().map(block -> block.group(1).strip())).isSubsetOf(files);
  }

  @Test
  void the_reference_names_each_annotation_and_each_of_its_attributes() {
    var reference = read(Path.of("src/docs/reference.md"));
    var annotations =
        new ClassFileImporter()
            .importPackages("io.evento.bundle.api").stream()
                .filter(JavaClass::isAnnotation)
                .map(JavaClass::reflect)
                .toList();
    assertThat(annotations).hasSizeGreaterThan(15);
    for (var annotation : annotations) {
      assertThat(reference).contains("`@" + annotation.getSimpleName() + "`");
      assertThat(Arrays.stream(annotation.getDeclaredMethods()).map(Method::getName))
          .as(annotation.getSimpleName())
          .allMatch(
              attribute ->
                  reference.contains("`" + attribute + "`")
                      || reference.contains("`" + attribute + " ="));
    }
  }

  @Test
  void the_reference_names_each_code_and_each_setting() {
    var reference = read(Path.of("src/docs/reference.md"));
    assertThat(Arrays.stream(ErrorCode.values()).map(ErrorCode::wire))
        .allMatch(code -> reference.contains("| `" + code + "` ("));
    var settings =
        Stream.of("src/bundle", "src/bundle-cdi", "src/bundle-spring")
            .flatMap(module -> sources(Path.of(module + "/src/main")).stream())
            .flatMap(source -> KEY.matcher(source).results().map(MatchResult::group))
            .map(quoted -> quoted.replace("\"", ""))
            .filter(key -> !key.equals("evento.personal")) // a context
            .distinct()
            .toList();
    assertThat(settings).contains("evento.servers", "evento.bundle.name");
    assertThat(settings).allMatch(key -> reference.contains("`" + key + "`"));
  }

  private static List<String> sources(Path directory) {
    try (var files = Files.walk(directory)) {
      return files
          .filter(file -> file.toString().endsWith(".java"))
          .map(file -> read(file).strip())
          .toList();
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
