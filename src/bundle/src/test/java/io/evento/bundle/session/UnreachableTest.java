package io.evento.bundle.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.bundle.EventoBundle;
import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.gateway.CommandOptions;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;

/** What a bundle says of an address where it finds no node. */
class UnreachableTest {
  public record Knock(@AggregateId String door) {}

  public record Knocked() {}

  @Aggregate(context = "doors")
  public record Door(int knocks) {
    @CommandHandler
    static Knocked knock(Knock command, Door now) {
      return new Knocked();
    }

    @EventSourcingHandler
    static Door knocked(Knocked event, Door before) {
      return new Door(1);
    }
  }

  private static int closedPort() throws IOException {
    try (var socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  @Test
  void where_nothing_listens_that_is_what_it_says() throws Exception {
    var address = URI.create("ws://127.0.0.1:" + closedPort() + "/evento/bundle");
    var connecting =
        HttpClient.newHttpClient()
            .newWebSocketBuilder()
            .buildAsync(address, new WebSocket.Listener() {});
    assertThatThrownBy(connecting::get)
        .isInstanceOfSatisfying(
            ExecutionException.class,
            failure ->
                assertThat(Unreachable.told(Unreachable.rootOf(failure)))
                    .isEqualTo("nothing listens there, or a firewall refuses"));
  }

  @Test
  void a_failure_has_the_stack_of_who_waited_for_it() throws Exception {
    var bundle =
        EventoBundle.named("doors")
            .connect("ws://127.0.0.1:" + closedPort() + "/evento")
            .register(Door.class)
            .waitForNode(Duration.ZERO);
    try (var doors = bundle.start()) {
      assertThatThrownBy(
              () ->
                  doors
                      .commands()
                      .send(
                          new Knock("a"), CommandOptions.options().within(Duration.ofMillis(100))))
          .isInstanceOfSatisfying(
              EventoException.class,
              failure -> assertThat(failure.code()).isEqualTo(ErrorCode.DEADLINE_EXCEEDED))
          .satisfies(
              failure ->
                  assertThat(failure.getStackTrace())
                      .anyMatch(frame -> frame.getClassName().startsWith(getClass().getName())));
    }
  }
}
