package io.evento.server.consumer.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.CommandMessage;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Rejection;
import io.evento.server.routing.session.PoisonMessage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Which ends of a command its sender is told. */
class OutboxSenderTest {

  @Test
  void a_failure_is_tried_again_unless_it_is_kept() {
    assertThat(isFinal(new EventoException(ErrorCode.HANDLER_FAILED, "bug"))).isFalse();
    assertThat(isFinal(new EventoException(ErrorCode.UNKNOWN_TYPE, "soon"))).isFalse();
    assertThat(isFinal(new EventoException(ErrorCode.OVERLOADED, "full"))).isFalse();
    assertThat(isFinal(EventoException.rejected(new Rejection("no-money", "", null), null)))
        .isTrue();
    assertThat(
            isFinal(
                new EventoException(
                    ErrorCode.HANDLER_FAILED,
                    "nobody can know",
                    List.of(),
                    new Rejection("outcome-unknown", "", null),
                    null,
                    null)))
        .isTrue();
  }

  @Test
  void a_saga_is_told_once_that_its_bundle_lacks_a_right_and_what_has_no_sender_waits() {
    var refused = new EventoException(ErrorCode.FORBIDDEN, "bank lacks the right send");
    assertThat(OutboxSender.isFinal(entry("bundle bank", "transfer"), refused)).isTrue();
    assertThat(OutboxSender.isFinal(entry(null, "transfer"), refused)).isFalse();
    assertThat(OutboxSender.isFinal(entry("bundle bank", null), refused)).isFalse();
  }

  private static boolean isFinal(EventoException told) {
    return OutboxSender.isFinal(entry("bundle bank", "transfer"), told);
  }

  private static OutboxEntry entry(@Nullable String principal, @Nullable String consumer) {
    return new OutboxEntry(
        UUID.randomUUID(),
        "Greet",
        Json.EMPTY_OBJECT,
        null,
        null,
        null,
        null,
        principal,
        consumer,
        1);
  }

  @Test
  void what_ends_the_session_of_whoever_takes_it_is_not_tried_again() {
    assertThat(
            isFinal(
                new EventoException(
                    ErrorCode.HANDLER_FAILED,
                    PoisonMessage.cause(3) + "; it is not given to any other")))
        .isTrue();
  }

  @Test
  void a_service_that_does_not_answer_leaves_room_for_all_others() {
    var sent = new ArrayList<CommandMessage.Command>();
    var outboxSender =
        new OutboxSender(
            "outbox",
            new EmptyStore(),
            UUID.randomUUID(),
            (entry, command) -> {
              sent.add(command);
              return new CompletableFuture<>();
            },
            List::of);
    outboxSender.take(entries("Slow", OutboxSender.OF_TYPE_MAX - 1));
    assertThat(outboxSender.hasRoom(List.of("Slow"))).isTrue();
    outboxSender.take(entries("Slow", 1));
    assertThat(outboxSender.hasRoom(List.of("Slow"))).isFalse();
    assertThat(outboxSender.hasRoom(List.of("Quick", "Slow"))).isFalse();
    assertThat(outboxSender.hasRoom(List.of("Quick"))).isTrue();
    outboxSender.take(entries("Quick", 5));
    assertThat(sent).hasSize(OutboxSender.OF_TYPE_MAX + 5);
  }

  private static List<OutboxEntry> entries(String type, int count) {
    return IntStream.range(0, count)
        .mapToObj(
            i ->
                new OutboxEntry(
                    UUID.randomUUID(),
                    type,
                    Json.EMPTY_OBJECT,
                    null,
                    null,
                    null,
                    null,
                    null,
                    null,
                    1))
        .toList();
  }

  /** A table that is empty. */
  private static final class EmptyStore implements OutboxStore {
    @Override
    public List<OutboxEntry> claim(
        UUID incarnation, Duration until, int max, Collection<String> without) {
      return List.of();
    }

    @Override
    public Duration untilNext(Duration max, Collection<String> without) {
      return max;
    }

    @Override
    public void settle(Collection<End> ends) {}

    @Override
    public void delay(Collection<Delay> delays, UUID incarnation) {}

    @Override
    public void releaseAllBut(Collection<UUID> live) {}
  }
}
