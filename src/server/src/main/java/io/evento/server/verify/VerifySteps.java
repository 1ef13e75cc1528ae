package io.evento.server.verify;

import io.evento.server.NodeScoped;
import io.evento.server.consumer.operation.Checkpoints;
import io.evento.server.eventstore.proof.ChainTable;
import io.evento.server.eventstore.proof.EventChecks;
import io.evento.server.eventstore.proof.EventChecks.Floor;
import io.evento.server.eventstore.proof.Finding;
import io.evento.server.eventstore.proof.FindingKind;
import io.evento.server.eventstore.proof.TableChecks;
import io.evento.server.eventstore.proof.TableChecks.Snapshot;
import io.evento.server.eventstore.proof.TableChecks.Table;
import io.evento.server.persistence.UncheckedSqlException;
import io.evento.server.verify.Run.Counts;
import io.evento.server.verify.Run.Place;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * The steps of a run: what is next by its row, and what a look at it finds. Belongs to the one
 * thread that works on a run.
 */
@NodeScoped
public class VerifySteps {
  private static final Logger LOG = System.getLogger(VerifySteps.class.getName());

  /** A multiple of the chain's blocks: 0.3 s of work of one backend. */
  static final int POSITIONS = 10 * ChainTable.BLOCK;

  /** About 10,000 outcomes. */
  private static final int PAGES = 200;

  /** A step that took too long is a tenth the next time, and no smaller than a hundredth. */
  private static final int SHARE_MAX = 100;

  /** After so many that did not, they are larger again. */
  private static final int STEPS_TO_GROW = 50;

  /** Snapshots that are made anew in a run. */
  private static final int REPLAYS = 50;

  private final EventChecks events;
  private final ChainTable chain;
  private final TableChecks tables;
  private final Checkpoints checkpoints;
  private final SnapshotReplay replay;

  /** Chosen by chance when the last part began here. */
  private final Queue<Snapshot> sample = new ArrayDeque<>();

  private long sampledFor = -1;
  private int share = 1;
  private int stepsToGrow;

  @Inject
  public VerifySteps(
      EventChecks events,
      ChainTable chain,
      TableChecks tables,
      Checkpoints checkpoints,
      SnapshotReplay replay) {
    this.events = events;
    this.chain = chain;
    this.tables = tables;
    this.checkpoints = checkpoints;
    this.replay = replay;
  }

  /**
   * A step that was taken.
   *
   * @param next the run after it
   * @param isLast whether it was none: all is done
   */
  record Step(Run next, List<Finding> findings, boolean isLast) {}

  /** What a look at a part of the store gave: how many things, what of them is wrong. */
  private record Look(
      Place next, Counts counts, @Nullable Floor floor, List<Finding> findings, boolean isLast) {
    Look(Place next, Counts counts, List<Finding> findings, boolean isLast) {
      this(next, counts, null, findings, isLast);
    }
  }

  /**
   * Makes the next steps smaller, as one took too long.
   *
   * @return false if they are the smallest
   */
  boolean shrink() {
    if (share == SHARE_MAX) {
      return false;
    }
    share *= 10;
    stepsToGrow = STEPS_TO_GROW;
    return true;
  }

  private void grow() {
    if (share > 1 && --stepsToGrow == 0) {
      share /= 10;
      stepsToGrow = STEPS_TO_GROW;
    }
  }

  /**
   * Takes the next step; blocks for a second or so.
   *
   * @param head the last position of the run that is still what it was when the run began
   * @throws UncheckedSqlException if the database refused or does not answer
   */
  Step take(Run run, long head) throws InterruptedException {
    Look look;
    try {
      look = look(run, head);
      grow();
    } catch (UncheckedSqlException failure) {
      if (!isDamage(failure)) {
        throw failure;
      }
      look = unreadable(run, head, failure);
    }
    var before = look.counts;
    var counts =
        new Counts(
            before.events(),
            before.outcomes(),
            before.checkpoints(),
            before.snapshots(),
            before.replayed(),
            before.unreplayed(),
            before.findings() + look.findings.size());
    var floor = look.floor;
    var next =
        floor == null
            ? after(run, head, run.floor(), look.next, counts)
            : after(run, floor.end(head), floor.trusted(), look.next, counts);
    return new Step(next, look.findings, look.isLast);
  }

  private static Run after(Run run, long head, long floor, Place place, Counts counts) {
    return new Run(
        run.id(),
        run.state(),
        run.by(),
        run.reason(),
        run.startedAt(),
        run.endedAt(),
        run.epoch(),
        head,
        floor,
        run.anchor(),
        place,
        counts,
        run.error(),
        run.node(),
        run.seconds());
  }

  private Look look(Run run, long head) throws InterruptedException {
    var cursor = run.place().cursor();
    return switch (run.place().part()) {
      case STORE -> store(run);
      case EVENTS -> events(run, head);
      case OUTCOMES -> pages(run, Table.OUTCOMES, Part.CHECKPOINTS);
      case CHECKPOINTS -> {
        var seen = checkpoints.look();
        var counts = with(run.counts(), 0, 0, seen.segments(), 0, 0, 0);
        yield new Look(new Place(Part.SNAPSHOTS, 0), counts, seen.findings(), false);
      }
      case SNAPSHOTS -> pages(run, Table.SNAPSHOTS, Part.REPLAY);
      case REPLAY -> replay(run, (int) cursor);
    };
  }

  private Look store(Run run) {
    var floor = events.floor();
    var findings = new ArrayList<>(floor.findings());
    findings.addAll(events.store(floor.trusted()));
    var anchor = run.anchor();
    if (anchor != null) {
      findings.addAll(chain.compare(anchor.block(), anchor.hash()));
    }
    // From the first position on: what stands below a floor is looked at all the same.
    return new Look(new Place(Part.EVENTS, 0), run.counts(), floor, findings, false);
  }

  /** The last position of a step. */
  private long stepEnd(long cursor, long head) {
    var size = POSITIONS / share;
    return Math.min(head, (cursor / size + 1) * size);
  }

  private Look events(Run run, long head) {
    var cursor = run.place().cursor();
    if (cursor >= head) {
      return new Look(new Place(Part.OUTCOMES, 0), run.counts(), List.of(), false);
    }
    var to = stepEnd(cursor, head);
    var findings = new ArrayList<>(events.order(cursor + 1, to, run.floor()));
    findings.addAll(events.chain(cursor + 1, to, run.floor()));
    findings.addAll(events.indexes(cursor + 1, to));
    var counts = with(run.counts(), to - cursor, 0, 0, 0, 0, 0);
    return new Look(new Place(Part.EVENTS, to), counts, findings, false);
  }

  private Look pages(Run run, Table table, Part next) {
    var cursor = run.place().cursor();
    var to = cursor + PAGES / share;
    var seen = tables.look(table, cursor, to);
    var counts =
        table == Table.OUTCOMES
            ? with(run.counts(), 0, seen.rows(), 0, 0, 0, 0)
            : with(run.counts(), 0, 0, 0, seen.rows(), 0, 0);
    return new Look(
        to < tables.pages(table) ? new Place(run.place().part(), to) : new Place(next, 0),
        counts,
        seen.findings(),
        false);
  }

  private Look replay(Run run, int done) throws InterruptedException {
    if (sampledFor != run.id()) {
      sample.clear();
      sample.addAll(tables.sample(Math.max(0, REPLAYS - done)));
      sampledFor = run.id();
    }
    var snapshot = sample.poll();
    if (snapshot == null) {
      sampledFor = -1;
      return new Look(run.place(), run.counts(), List.of(), true);
    }
    var made = replay.of(snapshot);
    return new Look(
        new Place(Part.REPLAY, done + 1),
        with(run.counts(), 0, 0, 0, 0, made.isMade() ? 1 : 0, made.isMade() ? 0 : 1),
        made.finding().stream().toList(),
        false);
  }

  private static Counts with(
      Counts counts,
      long events,
      long outcomes,
      long checkpoints,
      long snapshots,
      int replayed,
      int unreplayed) {
    return new Counts(
        counts.events() + events,
        counts.outcomes() + outcomes,
        counts.checkpoints() + checkpoints,
        counts.snapshots() + snapshots,
        counts.replayed() + replayed,
        counts.unreplayed() + unreplayed,
        counts.findings());
  }

  /** Whether PostgreSQL says that its files are damaged, or cannot be read. */
  private static boolean isDamage(UncheckedSqlException failure) {
    return failure.state().startsWith("XX") || failure.state().equals("58030");
  }

  /** Goes on behind what cannot be read. */
  private Look unreadable(Run run, long head, UncheckedSqlException failure) {
    var place = run.place();
    var cursor = place.cursor();
    LOG.log(Level.ERROR, "verify cannot read run=" + run.id() + " at=" + place, failure);
    var isEvents = place.part() == Part.EVENTS;
    var to = stepEnd(cursor, head);
    var finding =
        new Finding(
            FindingKind.UNREADABLE,
            isEvents ? cursor + 1 : null,
            null,
            (isEvents ? "Positions " + (cursor + 1) + " to " + to : place.part().wire())
                + " cannot be read (SQLSTATE "
                + failure.state()
                + "); the log of the node says more");
    var next =
        switch (place.part()) {
          case STORE -> new Place(Part.EVENTS, 0);
          case EVENTS -> new Place(Part.EVENTS, to);
          case OUTCOMES, SNAPSHOTS -> new Place(place.part(), cursor + PAGES / share);
          case CHECKPOINTS -> new Place(Part.SNAPSHOTS, 0);
          case REPLAY -> new Place(Part.REPLAY, cursor + 1);
        };
    var counts = with(run.counts(), isEvents ? to - cursor : 0, 0, 0, 0, 0, 0);
    return new Look(next, counts, List.of(finding), false);
  }
}
