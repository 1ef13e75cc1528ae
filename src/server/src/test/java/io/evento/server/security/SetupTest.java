package io.evento.server.security;

import static io.evento.server.security.RightsNode.done;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.server.config.ServerConfig.Security;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How a cluster comes to its first administrator. */
class SetupTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final String PASSWORD = "a long enough one";

  @TempDir private Path directory;
  private TestDatabase where;

  @BeforeEach
  void start() {
    where = PostgresFixture.shared().migrated();
  }

  @AfterEach
  void drop() {
    where.close();
  }

  private RightsNode node(int number, Security security) {
    var node = new RightsNode(where, "node-" + number, security);
    await().atMost(LIMIT).until(node.grants::isFresh);
    node.setup.start();
    return node;
  }

  private Path file(int number) {
    return directory.resolve("code-" + number);
  }

  private Security byCode(int number) {
    return new Security(false, Optional.of(file(number)), "admin", Optional.empty());
  }

  @Test
  void one_node_writes_a_code_for_its_owner_alone_and_every_node_takes_it_once() throws Exception {
    try (var first = node(1, byCode(1));
        var second = node(2, byCode(2))) {
      await().atMost(LIMIT).until(() -> Files.exists(file(1)) || Files.exists(file(2)));
      var written = Stream.of(file(1), file(2)).filter(Files::exists).toList();
      assertThat(written).hasSize(1);
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(written.get(0))))
          .isEqualTo("rw-------");
      var code = Files.readString(written.get(0)).strip();
      var other = written.get(0).equals(file(1)) ? second : first;

      assertThatThrownBy(() -> done(other.setup.administrator("guess", "root", PASSWORD, "x")))
          .hasMessage("the code is wrong or its time is over");
      done(other.setup.administrator(code, "root", PASSWORD, "10.0.0.1"));
      assertThatThrownBy(() -> done(first.setup.administrator(code, "eve", PASSWORD, "x")))
          .hasMessage("there is an administrator already");
      assertThat(done(first.administration.users()))
          .extracting(Administration.User::name)
          .containsExactly("root");
      assertThat(first.grants.isArmed()).isTrue();
      var begun = done(first.signIns.signIn("root", PASSWORD, "10.0.0.1"));
      assertThat(
              second
                  .grants
                  .session(begun.cookie(), "x", true)
                  .orElseThrow()
                  .caller()
                  .has(Role.ADMIN))
          .isTrue();
    }
  }

  @Test
  void of_many_who_have_the_code_at_once_one_becomes_administrator() throws Exception {
    try (var node = node(1, byCode(1))) {
      await().atMost(LIMIT).until(() -> Files.exists(file(1)));
      var code = Files.readString(file(1)).strip();
      var tries =
          Stream.of("a", "b", "c", "d")
              .map(
                  name -> node.setup.administrator(code, name, PASSWORD, "x").toCompletableFuture())
              .toList();
      await().atMost(LIMIT).until(() -> tries.stream().allMatch(one -> one.isDone()));
      assertThat(tries.stream().filter(one -> !one.isCompletedExceptionally())).hasSize(1);
      assertThat(done(node.administration.users())).hasSize(1);
    }
  }

  @Test
  void a_node_that_was_given_a_password_makes_the_administrator_itself_and_once() throws Exception {
    var password = Files.writeString(directory.resolve("password"), PASSWORD + "\n");
    var given = new Security(false, Optional.empty(), "chief", Optional.of(password));
    try (var first = node(1, given);
        var second = node(2, given)) {
      await().atMost(LIMIT).until(second.grants::isArmed);
      assertThat(done(second.signIns.signIn("chief", PASSWORD, "x")).name()).isEqualTo("chief");
      Files.writeString(password, "another long one");
      try (var third = node(3, given)) {
        assertThat(done(third.administration.users())).hasSize(1);
      }
      assertThat(done(first.administration.users()))
          .extracting(Administration.User::roles)
          .containsExactly(List.of(Role.ADMIN));
    }
  }

  @Test
  void nobody_is_made_without_a_code_or_a_password_of_the_operators() throws Exception {
    try (var node = node(1, Security.ON)) {
      assertThatThrownBy(() -> done(node.setup.administrator("guess", "root", PASSWORD, "x")))
          .hasMessage("the code is wrong or its time is over");
      assertThat(done(node.administration.users())).isEmpty();
    }
  }
}
