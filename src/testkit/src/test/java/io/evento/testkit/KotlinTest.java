package io.evento.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.bundle.EventoBundle;
import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.InvalidBundleException;
import java.io.File;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import kotlin.Unit;
import org.jetbrains.kotlin.cli.common.ExitCode;
import org.jetbrains.kotlin.cli.jvm.K2JVMCompiler;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Data classes of Kotlin, compiled by its own compiler, as states and payloads. */
@NullUnmarked
class KotlinTest {
  private static URLClassLoader classes;

  @BeforeAll
  static void compile(@TempDir Path made) throws Exception {
    var source = Path.of(KotlinTest.class.getResource("/kotlin/Seats.kt").toURI());
    var ended =
        new K2JVMCompiler()
            .exec(
                System.err,
                source.toString(),
                "-d",
                made.toString(),
                "-jvm-target",
                "17",
                "-no-stdlib",
                "-no-reflect",
                "-classpath",
                placeOf(Aggregate.class) + File.pathSeparator + placeOf(Unit.class));
    assertThat(ended).isEqualTo(ExitCode.OK);
    classes =
        new URLClassLoader(new URL[] {made.toUri().toURL()}, KotlinTest.class.getClassLoader());
    // Loaded while the files are there.
    for (var file : made.resolve("seats").toFile().listFiles()) {
      type(file.getName().replace(".class", ""));
    }
  }

  private static String placeOf(Class<?> type) throws URISyntaxException {
    return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
  }

  @AfterAll
  static void close() throws Exception {
    classes.close();
  }

  private static Class<?> type(String name) throws ClassNotFoundException {
    return Class.forName("seats." + name, true, classes);
  }

  private static Object made(String name, Object... values) throws ReflectiveOperationException {
    return type(name).getDeclaredConstructors()[0].newInstance(values);
  }

  private static AggregateFixture<?> seat() throws ClassNotFoundException {
    return AggregateFixture.of(type("Seat").asSubclass(Record.class));
  }

  private static void isRefused(String aggregate, String why) throws ClassNotFoundException {
    var bundle =
        EventoBundle.named("kotlin").connect("ws://127.0.0.1:9/evento").register(type(aggregate));
    assertThatThrownBy(bundle::check)
        .isInstanceOf(InvalidBundleException.class)
        .hasMessageContaining(why);
  }

  @Test
  void a_data_class_with_jvm_record_is_a_state_and_a_payload() throws Exception {
    seat()
        .givenNothing()
        .when(made("TakeSeat", "s-1", "Ada", null))
        .thenEvents(made("SeatTaken", "Ada", null));
    seat()
        .given(made("SeatTaken", "Ada", "by the window"))
        .when(made("LeaveSeat", "s-1", "Ada"))
        .thenEvents(made("SeatLeft", "Ada"));
    seat()
        .given(made("SeatTaken", "Ada", null))
        .when(made("LeaveSeat", "s-1", "Bob"))
        .thenRejected("not-yours");
  }

  @Test
  void a_plain_data_class_is_refused_and_told_what_makes_a_record_of_it() throws Exception {
    isRefused("Plain", "a data class of Kotlin becomes one by @JvmRecord");
    isRefused("OfPlainCommands", "a data class of Kotlin becomes one by @JvmRecord");
  }

  @Test
  void a_handler_of_a_companion_that_is_not_static_is_refused() throws Exception {
    isRefused(
        "WithoutStatic",
        "WithoutStatic.take is a handler in a companion object, where nobody calls it: mark it with"
            + " @JvmStatic");
  }
}
