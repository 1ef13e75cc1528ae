package io.evento.server.aggregate;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.DecideMessage;
import io.evento.protocol.Tip;
import io.evento.server.aggregate.StreamQueue.Place;
import io.evento.server.fixture.Seeds;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Commands of one stream come, are decided, go to a store and are told, in whatever order chance
 * brings, beside another writer and copies of commands that were stored before. The store is a
 * model of the append: it takes what waits of the stream as one chain, all or none.
 */
@Tag("I2")
@Tag("I3")
class StreamQueueSimulationTest {
  private static final int STEPS = 120;

  /** What is wrong around a queue, so that the simulation can be seen to find it. */
  private enum Bug {
    NONE,
    /** An answer counts though the chain that it was asked in is broken. */
    NUMBER_IGNORED,
    /** A failure is told before what it rests on is stored. */
    FAILURE_TOLD_AT_ONCE,
    /** Only the first link's state is looked at, and what stands behind it is not. */
    REFUSED_LINK_PASSED_OVER,
    /** A link that was refused is taken for one that failed. */
    REFUSED_LINK_FORGOTTEN
  }

  @Test
  void every_command_ends_once_in_its_order_and_on_what_is_stored() {
    Seeds.all("queue of a stream", random -> new Simulation(random, Bug.NONE).run());
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void what_is_wrong_around_it_is_found(Bug bug) {
    assertThat(Seeds.firstBroken(random -> new Simulation(random, bug).run())).isNotEmpty();
  }

  /**
   * @param on what the handler was told to decide on
   */
  private record Question(PendingCommand command, long chain, Tip on) {}

  private record Proposal(PendingCommand command, Tip on, long decision, boolean isEvent) {
    Tip after() {
      return isEvent ? new Tip(on.version() + 1, decision) : on;
    }
  }

  private static final class Simulation {
    private final Random random;
    private final Bug bug;
    private final StreamQueue queue = new StreamQueue(this::started);
    private final List<PendingCommand> all = new ArrayList<>();
    // Asked and not answered, old questions too; decided and not at the store.
    private final List<Question> questions = new ArrayList<>();
    private final List<Proposal> proposed = new ArrayList<>();
    // The store: states that the stream had, and commands that were done elsewhere.
    private final Set<Tip> had = new HashSet<>(Set.of(Tip.EMPTY));
    private final Set<PendingCommand> doneElsewhere = new HashSet<>();
    private Tip stands = Tip.EMPTY;
    // What the commands came to.
    private final Map<PendingCommand, String> ends = new HashMap<>();
    private final List<Long> decidedInOrder = new ArrayList<>();
    private long decisions;

    Simulation(Random random, Bug bug) {
      this.random = random;
      this.bug = bug;
    }

    void run() {
      for (var step = 0; step < STEPS; step++) {
        switch (random.nextInt(8)) {
          case 0, 1 -> arrive();
          case 2, 3, 4 -> answer();
          case 5, 6 -> append();
          default -> disturb();
        }
      }
      for (var rest = 0; rest < 50 * STEPS && ends.size() < all.size(); rest++) {
        answer();
        append();
      }
      assertThat(ends).as("commands with an outcome").hasSize(all.size());
      assertThat(decidedInOrder).as("order of what was stored").isSorted();
      assertThat(queue.hasLinks()).isFalse();
    }

    private void arrive() {
      var aggregate = new DecideMessage.Aggregate("Account", "a");
      var wanted = random.nextInt(10) == 0 ? Long.valueOf(stands.version()) : null;
      var command =
          new PendingCommand(
              DecisionNode.command(new UUID(7, all.size()), aggregate, wanted, 60_000));
      all.add(command);
      assertThat(queue.enter(command)).isEqualTo(StreamQueue.Entry.TAKEN);
      queue.startNext();
    }

    private void started(PendingCommand command) {
      assertThat(ends).as("started after its end").doesNotContainKey(command);
      if (command.isAlone()) {
        assertThat(queue.hasLinks()).as("a link before one that is alone").isFalse();
      }
      ask(command);
    }

    private void ask(PendingCommand command) {
      // A handler that was told nothing decides on what it holds: here, on some older state.
      var tip = queue.tip();
      var isToldNothing = tip == null || random.nextInt(12) == 0;
      questions.add(new Question(command, command.chain(), isToldNothing ? anyOf(had) : tip));
    }

    private Tip anyOf(Set<Tip> tips) {
      return tips.stream()
          .sorted((a, b) -> Long.compare(a.version(), b.version()))
          .toList()
          .get(random.nextInt(tips.size()));
    }

    /** Any question, also one of a chain that is broken, in whatever order. */
    private void answer() {
      if (questions.isEmpty()) {
        return;
      }
      var question = questions.remove(random.nextInt(questions.size()));
      var command = question.command();
      var chain = bug == Bug.NUMBER_IGNORED ? command.chain() : question.chain();
      if (!queue.isDecided(command, chain)) {
        return;
      }
      switch (random.nextInt(8)) {
        case 0 -> fail(question, chain);
        case 1 -> queue.whenProven(command, chain, () -> ask(command)); // stale
        default -> propose(question, chain);
      }
    }

    private void fail(Question question, long chain) {
      Runnable told =
          () -> {
            assertThat(had).as("what a failure rests on").contains(question.on());
            end(question.command(), "failed");
          };
      if (bug == Bug.FAILURE_TOLD_AT_ONCE) {
        told.run();
      } else {
        queue.whenProven(question.command(), chain, told);
      }
    }

    private void propose(Question question, long chain) {
      var proposal =
          new Proposal(question.command(), question.on(), ++decisions, random.nextInt(4) > 0);
      var place = queue.propose(question.command(), chain, proposal.on(), proposal.after());
      if (place == Place.LINK) {
        if (!proposed.isEmpty()) {
          assertThat(proposal.on())
              .as("what a link was decided on")
              .isEqualTo(proposed.get(proposed.size() - 1).after());
        }
        proposed.add(proposal);
        queue.startNext();
      } else if (place == Place.NOT_YET) {
        queue.whenProven(question.command(), chain, () -> propose(question, chain));
      }
    }

    /** One call of the append: some of what waits, as far as each stands on the one before. */
    private void append() {
      var chain = new ArrayList<Proposal>();
      var most = 1 + random.nextInt(6);
      while (!proposed.isEmpty()
          && chain.size() < most
          && (chain.isEmpty() || follows(chain.get(chain.size() - 1), proposed.get(0)))) {
        chain.add(proposed.remove(0));
      }
      if (chain.isEmpty()) {
        return;
      }
      var isTaken =
          chain.get(0).on().equals(stands)
              && chain.stream().noneMatch(link -> doneElsewhere.contains(link.command()));
      if (isTaken) {
        for (var link : chain) {
          stands = link.after();
          had.add(stands);
        }
        chain.forEach(this::taken);
      } else {
        var cut = List.copyOf(proposed);
        proposed.clear();
        var now = stands;
        chain.forEach(link -> refused(link, now));
        cut.forEach(link -> refused(link, null));
      }
    }

    private static boolean follows(Proposal before, Proposal next) {
      return next.on().equals(before.after())
          && !before.command().isAlone()
          && !next.command().isAlone();
    }

    private void taken(Proposal link) {
      decidedInOrder.add(link.command().arrival());
      queue.stored(link.command(), link.after());
      end(link.command(), "stored");
    }

    private void refused(Proposal link, @Nullable Tip now) {
      var command = link.command();
      if (doneElsewhere.contains(command)) {
        queue.failed(command, link.on());
        end(command, "repeated");
      } else if (bug == Bug.REFUSED_LINK_PASSED_OVER && now == null) {
        queue.stored(command, link.after());
        end(command, "stored");
        assertThat(had).as("what was told").contains(link.after());
      } else if (bug == Bug.REFUSED_LINK_FORGOTTEN && now == null) {
        queue.failed(command, link.on());
      } else if (queue.refused(command, now)) {
        ask(command);
      } else {
        queue.startNext();
      }
    }

    private void end(PendingCommand command, String how) {
      assertThat(ends.put(command, how)).as("a second end").isNull();
      queue.ended(command);
      queue.startNext();
    }

    private void disturb() {
      if (random.nextBoolean()) {
        stands = new Tip(stands.version() + 1, ++decisions);
        had.add(stands);
      } else if (!all.isEmpty()) {
        var command = all.get(random.nextInt(all.size()));
        if (!ends.containsKey(command)) {
          doneElsewhere.add(command);
        }
      }
    }
  }
}
