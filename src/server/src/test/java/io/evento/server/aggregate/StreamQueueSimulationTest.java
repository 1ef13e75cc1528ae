package io.evento.server.aggregate;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.DecideMessage;
import io.evento.protocol.Tip;
import io.evento.server.aggregate.StreamQueue.Place;
import io.evento.server.fixture.Seeds;
import java.util.ArrayDeque;
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
    /** A failure is told though only the handler knows what it rests on. */
    FAILURE_ON_WHAT_NOBODY_NAMED,
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
   * @param on what the handler decides on
   * @param isNamed whether the question said so, or the handler took what it holds
   */
  private record Question(PendingCommand command, long chain, Tip on, boolean isNamed) {}

  private record Proposal(
      PendingCommand command,
      long chain,
      Tip on,
      @Nullable Tip named,
      long decision,
      boolean isEvent) {
    Tip after() {
      return isEvent ? new Tip(on.version() + 1, decision) : on;
    }
  }

  private static final class Simulation {
    private final Random random;
    private final Bug bug;
    private final StreamQueue queue = new StreamQueue((lane, next) -> started(next));
    private final List<PendingCommand> all = new ArrayList<>();
    // Asked and not answered, old questions too; links on their way to the append, and at it; what
    // the append said and nobody was told yet.
    private final List<Question> questions = new ArrayList<>();
    private final ArrayDeque<Proposal> toSend = new ArrayDeque<>();
    private final List<Proposal> sent = new ArrayList<>();
    private final ArrayDeque<Runnable> untold = new ArrayDeque<>();
    // The handler's state after its own last answer, stored or not.
    private Tip held = Tip.EMPTY;
    // The store: states that the stream had, and commands that were done elsewhere.
    private final Set<Tip> had = new HashSet<>(Set.of(Tip.EMPTY));
    private final Set<PendingCommand> doneElsewhere = new HashSet<>();
    private Tip stands = Tip.EMPTY;
    // What the commands came to.
    private final Map<PendingCommand, String> ends = new HashMap<>();
    private final List<Long> storedInOrder = new ArrayList<>();
    private long decisions;
    private @Nullable AssertionError found;

    Simulation(Random random, Bug bug) {
      this.random = random;
      this.bug = bug;
    }

    void run() {
      for (var step = 0; step < STEPS; step++) {
        switch (random.nextInt(12)) {
          case 0, 1 -> arrive();
          case 2, 3, 4 -> answer();
          case 5, 6 -> send();
          case 7, 8 -> append();
          case 9, 10 -> tell();
          default -> disturb();
        }
        throwFound();
      }
      for (var rest = 0; rest < 50 * STEPS && ends.size() < all.size(); rest++) {
        answer();
        send();
        append();
        tell();
        throwFound();
      }
      assertThat(ends).as("commands with an outcome").hasSize(all.size());
      assertThat(storedInOrder).as("order of what was stored").isSorted();
      assertThat(queue.hasLinks()).isFalse();
    }

    private void throwFound() {
      if (found != null) {
        throw found;
      }
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

    /** What is wrong is thrown at the end of the step, as the queue goes on after a throw. */
    private void started(PendingCommand command) {
      try {
        start(command);
      } catch (AssertionError wrong) {
        found = wrong;
        throw wrong;
      }
    }

    private void start(PendingCommand command) {
      assertThat(ends).as("started after its end").doesNotContainKey(command);
      assertThat(toSend).as("links that others could overtake").isEmpty();
      if (command.isAlone()) {
        assertThat(queue.hasLinks()).as("a link before one that is alone").isFalse();
      }
      ask(command);
    }

    /** A handler that is told nothing decides on what it holds; some are of a mind of their own. */
    private void ask(PendingCommand command) {
      var tip = queue.tip();
      questions.add(
          tip != null && random.nextInt(12) > 0
              ? new Question(command, command.chain(), tip, true)
              : new Question(command, command.chain(), held, false));
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
        default ->
            propose(
                new Proposal(
                    command,
                    chain,
                    question.on(),
                    question.isNamed() ? question.on() : null,
                    ++decisions,
                    random.nextInt(4) > 0));
      }
    }

    private void fail(Question question, long chain) {
      Runnable told =
          () -> {
            if (!question.isNamed() && bug != Bug.FAILURE_ON_WHAT_NOBODY_NAMED) {
              queue.tip(stands);
              ask(question.command());
              return;
            }
            assertThat(had).as("what a failure rests on").contains(question.on());
            end(question.command(), "failed");
          };
      if (bug == Bug.FAILURE_TOLD_AT_ONCE) {
        told.run();
      } else {
        queue.whenProven(question.command(), chain, told);
      }
    }

    private void propose(Proposal proposal) {
      var before = queue.hasLinks() ? queue.tip() : proposal.on();
      var place =
          queue.propose(
              proposal.command(), proposal.chain(), proposal.on(), proposal.after(), 1_000);
      if (place == Place.LINK) {
        assertThat(proposal.on()).as("what a link was decided on").isEqualTo(before);
        held = proposal.after();
        toSend.add(proposal);
      } else if (place == Place.NOT_YET) {
        queue.whenProven(proposal.command(), proposal.chain(), () -> propose(proposal));
      }
    }

    /** Now and then the append has no room. */
    private void send() {
      var link = toSend.poll();
      if (link == null) {
        return;
      }
      if (random.nextInt(10) == 0) {
        queue.failed(link.command(), link.named());
        end(link.command(), "overloaded");
      } else {
        sent.add(link);
      }
      queue.sent(link.command(), link.chain());
      queue.startNext();
    }

    /** One call of the append: some of what waits, as far as each stands on the one before. */
    private void append() {
      var chain = new ArrayList<Proposal>();
      var most = 1 + random.nextInt(6);
      while (!sent.isEmpty()
          && chain.size() < most
          && (chain.isEmpty() || follows(chain.get(chain.size() - 1), sent.get(0)))) {
        chain.add(sent.remove(0));
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
          storedInOrder.add(link.command().arrival());
        }
      }
      var isUnknown = random.nextInt(12) == 0;
      if (isTaken && !isUnknown) {
        chain.forEach(link -> untold.add(() -> taken(link)));
        return;
      }
      var now = stands;
      chain.forEach(link -> untold.add(isUnknown ? () -> unknown(link) : () -> refused(link, now)));
      // None of what waits behind is called.
      for (var link : sent) {
        untold.add(() -> refused(link, null));
      }
      sent.clear();
    }

    private static boolean follows(Proposal before, Proposal next) {
      return next.on().equals(before.after())
          && !before.command().isAlone()
          && !next.command().isAlone();
    }

    private void tell() {
      var next = untold.poll();
      if (next != null) {
        next.run();
      }
    }

    private void taken(Proposal link) {
      var then = queue.stored(link.command(), link.isEvent() ? link.after() : null);
      end(link.command(), "stored");
      then.run();
    }

    private void unknown(Proposal link) {
      queue.failed(link.command(), link.named());
      end(link.command(), "unknown");
    }

    private void refused(Proposal link, @Nullable Tip now) {
      var command = link.command();
      if (doneElsewhere.contains(command) && now != null) {
        queue.failed(command, link.named());
        end(command, "repeated");
      } else if (bug == Bug.REFUSED_LINK_PASSED_OVER && now == null) {
        var then = queue.stored(command, link.after());
        end(command, "stored");
        then.run();
        assertThat(had).as("what was told").contains(link.after());
      } else if (bug == Bug.REFUSED_LINK_FORGOTTEN && now == null) {
        queue.failed(command, link.named());
      } else {
        queue.refused(command, now == null ? link.named() : now);
        queue.startNext();
      }
    }

    private void end(PendingCommand command, String how) {
      assertThat(ends.put(command, how)).as("a second end").isNull();
      queue.ended(command);
      queue.startNext();
    }

    private void disturb() {
      switch (random.nextInt(3)) {
        case 0 -> {
          stands = new Tip(stands.version() + 1, ++decisions);
          had.add(stands);
        }
        case 1 -> queue.forgetTip();
        default -> {
          if (!all.isEmpty()) {
            var command = all.get(random.nextInt(all.size()));
            if (!ends.containsKey(command)) {
              doneElsewhere.add(command);
            }
          }
        }
      }
    }
  }
}
