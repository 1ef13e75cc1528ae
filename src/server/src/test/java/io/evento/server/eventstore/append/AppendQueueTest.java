package io.evento.server.eventstore.append;

import static java.time.Duration.ZERO;
import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.Tip;
import io.evento.server.eventstore.AppendCondition;
import io.evento.server.eventstore.AppendRequest;
import io.evento.server.eventstore.AppendRequests;
import io.evento.server.eventstore.StorePosition;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Which of the waiting requests make the next batch. */
class AppendQueueTest {
  private static final int BYTES = 10_000;

  private Optional<StorePosition> head = Optional.empty();
  private final AppendQueue queue =
      new AppendQueue(new AppendQueue.Limits(4, BYTES, 1_000, 10, 50_000), () -> head);

  private static AppendRequests on(String stream) {
    return AppendRequests.on(stream, Tip.EMPTY);
  }

  private AppendRequest offered(AppendRequest appendRequest) {
    assertThat(queue.offer(new PendingAppend(appendRequest, System.nanoTime()))).isTrue();
    return appendRequest;
  }

  private AppendRequest offered(String stream) {
    return offered(on(stream).event("A").events());
  }

  private List<AppendRequest> batch() throws InterruptedException {
    return queue.take(ZERO).stream().map(PendingAppend::request).toList();
  }

  @Test
  void is_empty_when_nothing_waits() throws InterruptedException {
    assertThat(batch()).isEmpty();
  }

  @Test
  void takes_what_waits_in_order_up_to_the_limit() throws InterruptedException {
    var all = List.of(offered("a"), offered("b"), offered("c"), offered("d"), offered("e"));
    assertThat(batch()).containsExactlyElementsOf(all.subList(0, 4));
    assertThat(batch()).containsExactlyElementsOf(all.subList(4, 5));
  }

  @Nested
  class A_stream {
    @Test
    void is_in_a_batch_once() throws InterruptedException {
      var first = offered("a");
      var second = offered("a");
      var other = offered("b");
      assertThat(batch()).containsExactly(first, other);
      assertThat(batch()).containsExactly(second);
    }

    @Test
    void is_in_a_batch_once_also_where_it_is_only_read() throws InterruptedException {
      var writes = offered("a");
      var reads = offered(on("b").and("a", Tip.EMPTY).event("A").events());
      assertThat(batch()).containsExactly(writes);
      assertThat(batch()).containsExactly(reads);
    }

    @Test
    void is_not_overtaken_by_way_of_another() throws InterruptedException {
      var first = offered("a");
      var both = offered(on("a").and("b", Tip.EMPTY).event("A").events());
      var third = offered("b");
      assertThat(batch()).containsExactly(first);
      assertThat(batch()).containsExactly(both);
      assertThat(batch()).containsExactly(third);
    }
  }

  /** Each link is decided on the outcome of the one before. */
  @Nested
  class A_chain {
    private AppendRequest link(String stream, Tip on) {
      return offered(AppendRequests.on(stream, on).event("A").events().asLink());
    }

    private AppendRequest rejection(String stream, Tip on) {
      return offered(AppendRequests.on(stream, on).rejected().asLink());
    }

    @Test
    void is_taken_in_its_order_beside_others() throws InterruptedException {
      var first = link("a", Tip.EMPTY);
      var other = offered("b");
      var rejected = rejection("a", first.tipAfter(0));
      var last = link("a", first.tipAfter(0));
      assertThat(batch()).containsExactly(first, other, rejected, last);
    }

    @Test
    void ends_where_one_does_not_follow_and_nothing_overtakes_that_one()
        throws InterruptedException {
      var first = link("a", Tip.EMPTY);
      var stranger = link("a", new Tip(7, 7));
      var third = link("a", first.tipAfter(0));
      assertThat(batch()).containsExactly(first);
      assertThat(batch()).containsExactly(stranger);
      assertThat(batch()).containsExactly(third);
    }

    @Test
    void is_no_place_for_what_others_decided() throws InterruptedException {
      var first = link("a", Tip.EMPTY);
      var door = offered(AppendRequests.on("a", first.tipAfter(0)).event("A").events());
      assertThat(batch()).containsExactly(first);
      assertThat(batch()).containsExactly(door);
    }

    @Test
    void has_an_id_once() throws InterruptedException {
      var first = link("a", Tip.EMPTY);
      var copy =
          offered(
              AppendRequests.on("a", first.tipAfter(0))
                  .id(first.commandId())
                  .event("A")
                  .events()
                  .asLink());
      var third = link("a", copy.tipAfter(0));
      assertThat(batch()).containsExactly(first);
      assertThat(batch()).containsExactly(copy, third);
    }

    @Test
    void is_cut_behind_what_is_not_stored_and_others_of_its_stream_are_not()
        throws InterruptedException {
      var refused = AppendRequests.on("a", Tip.EMPTY).event("A").events().asLink();
      var second = link("a", refused.tipAfter(0));
      var other = link("b", Tip.EMPTY);
      var door = offered("a");
      var rejected = rejection("a", second.tipAfter(0));
      var fourth = link("a", second.tipAfter(0));
      assertThat(queue.cut(Set.of("a")))
          .extracting(PendingAppend::request)
          .containsExactly(second, rejected, fourth);
      assertThat(batch()).containsExactly(other, door);
    }
  }

  @Test
  void has_an_id_once() throws InterruptedException {
    var id = UUID.randomUUID();
    var first = offered(on("a").id(id).event("A").events());
    var copy = offered(on("b").id(id).rejected());
    assertThat(batch()).containsExactly(first);
    assertThat(batch()).containsExactly(copy);
  }

  @Test
  void puts_conditions_last_and_speaks_of_one_epoch() throws InterruptedException {
    var alternatives = List.of(new AppendCondition.Alternative(null, List.of("t")));
    var here = new AppendCondition(new StorePosition(new UUID(0, 1), 5), alternatives);
    var elsewhere = new AppendCondition(new StorePosition(new UUID(0, 2), 5), alternatives);
    var conditional = offered(on("a").event("A").when(here).events());
    var other = offered(on("b").event("A").when(elsewhere).events());
    var plain = offered("c");
    assertThat(batch()).containsExactly(plain, conditional);
    assertThat(batch()).containsExactly(other);
  }

  @Nested
  class Looks_at_events_under_the_gate {
    private final UUID epoch = new UUID(0, 1);

    private AppendRequest asking(String stream, long after, int alternatives) {
      var all =
          java.util.stream.IntStream.range(0, alternatives)
              .mapToObj(i -> new AppendCondition.Alternative(null, List.of("t" + i)))
              .toList();
      return offered(
          on(stream)
              .event("A")
              .when(new AppendCondition(new StorePosition(epoch, after), all))
              .events());
    }

    @Test
    void are_bounded_per_batch_and_let_others_pass() throws InterruptedException {
      head = Optional.of(new StorePosition(epoch, 5_000));
      var first = asking("a", 4_900, 6);
      var second = asking("b", 4_900, 6);
      var plain = offered("c");
      var small = asking("d", 4_990, 6);
      assertThat(batch()).containsExactly(plain, first, small);
      assertThat(batch()).containsExactly(second);
    }

    @Test
    void of_one_command_may_be_more() throws InterruptedException {
      head = Optional.of(new StorePosition(epoch, 5_000));
      var large = asking("a", 4_000, 100);
      assertThat(batch()).containsExactly(large);
    }

    @Test
    void of_what_is_sent_away_count_no_more_than_the_gate_looks_back() throws InterruptedException {
      head = Optional.of(new StorePosition(epoch, 1_000_000_000));
      var old = asking("a", 0, 1);
      assertThat(batch()).containsExactly(old);
    }

    @Test
    void of_one_stream_keep_their_order() throws InterruptedException {
      head = Optional.of(new StorePosition(epoch, 5_000));
      var first = asking("a", 4_900, 6);
      var second = asking("b", 4_900, 6);
      var third = offered("b");
      assertThat(batch()).containsExactly(first);
      assertThat(batch()).containsExactly(second);
      assertThat(batch()).containsExactly(third);
    }
  }

  @Test
  void counts_bytes_from_the_second_command_on() throws InterruptedException {
    var large = offered(on("a").event(0, "A", "x".repeat(2 * BYTES)).events());
    var small = offered("b");
    assertThat(batch()).containsExactly(large);
    assertThat(batch()).containsExactly(small);
  }

  @Test
  void refuses_what_exceeds_its_bounds_until_there_is_room() throws InterruptedException {
    for (var i = 0; i < 10; i++) {
      offered("s" + i);
    }
    assertThat(queue.offer(new PendingAppend(on("x").event("A").events(), 0))).isFalse();
    var handedOut = queue.take(ZERO);
    assertThat(queue.offer(new PendingAppend(on("x").event("A").events(), 0)))
        .as("handed out is not answered")
        .isFalse();
    handedOut.forEach(queue::release);
    offered("x");
  }

  @Test
  void refuses_bytes_beyond_its_bound_but_a_large_one_alone() {
    offered(on("a").event(0, "A", "x".repeat(60_000)).events());
    assertThat(queue.offer(new PendingAppend(on("b").event("A").events(), 0))).isFalse();
  }

  @Test
  void gives_back_what_waited_too_long() {
    var now = System.nanoTime();
    var old = new PendingAppend(on("a").event("A").events(), now - 10);
    var young = new PendingAppend(on("b").event("A").events(), now + 10);
    queue.offer(old);
    queue.offer(young);
    assertThat(queue.takeOlder(now)).containsExactly(old);
    assertThat(queue.takeOlder(now)).isEmpty();
  }
}
