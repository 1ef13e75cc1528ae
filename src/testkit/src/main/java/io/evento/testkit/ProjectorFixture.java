package io.evento.testkit;

import io.evento.bundle.api.Projector;
import io.evento.bundle.consumer.Database;
import io.evento.bundle.consumer.ProjectorRunner;
import io.evento.bundle.container.Transactions;
import io.evento.bundle.dispatch.Components;
import io.evento.bundle.dispatch.HandlerRunner;
import io.evento.bundle.dispatch.Hosted;
import io.evento.bundle.dispatch.ProjectorType;
import io.evento.bundle.dispatch.Store;
import io.evento.protocol.Json;
import io.evento.protocol.RecordedEvent;
import io.evento.testkit.Payloads.Named;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * A projector under test: events given, then questions and their answers.
 *
 * <pre>{@code
 * ProjectorFixture.of(new Accounts(), database)
 *     .given(Account.class, "a-1", new MoneyDeposited(5, "salary"))
 *     .thenAnswers(new Totals(), new Sums(1, 5, 0, 5, 0));
 * }</pre>
 *
 * <p>Events come twice, as they may after a crash. With a checkpoint in the projector's own
 * database, the first time ends before its commit: whatever a handler did by other ways than its
 * {@code Connection} is then done twice. Without one the second time follows the first.
 *
 * <p>Rows are left in the database, which is best made anew for each test.
 */
public final class ProjectorFixture {
  private final Payloads payloads = new Payloads();
  private final Journal journal = new Journal(payloads);
  private final @Nullable DataSource database;
  private final HandlerRunner handlerRunner;
  private final ProjectorType projector;
  private final List<String> contexts;
  private final @Nullable LostCommits commits;
  private final ProjectorRunner projectorRunner;
  private Instant time = Journal.FIRST_TIME;
  private long delivered;

  private ProjectorFixture(
      Object projector,
      @Nullable DataSource database,
      @Nullable Transactions transactions,
      Object... projections) {
    this.database = database;
    var annotation = Hosted.typeOf(projector).getAnnotation(Projector.class);
    if (annotation == null) {
      throw new IllegalArgumentException(projector.getClass().getName() + " is no @Projector");
    }
    var registered = new ArrayList<Object>(List.of(projector));
    registered.addAll(List.of(projections));
    var components =
        Components.of(
            registered,
            payloads.mapper(),
            database == null
                ? Store.NONE
                : transactions == null ? Store.CONNECTIONS : Store.TRANSACTIONS,
            List.of());
    this.handlerRunner = new HandlerRunner(components);
    this.projector = components.projectors().values().iterator().next();
    this.contexts = List.of(annotation.context());
    this.commits =
        database != null && this.projector.transactional() ? new LostCommits(database) : null;
    // Not the projector's own checkpoint: the same database may serve a real cluster.
    this.projectorRunner =
        new ProjectorRunner(
            "testkit:" + this.projector.consumer(),
            UUID.randomUUID(),
            this.projector,
            payloads.mapper(),
            commits == null ? null : work(commits, transactions));
  }

  private static Database work(LostCommits commits, @Nullable Transactions transactions) {
    return transactions == null
        ? Database.of(commits.asDataSource())
        : new Database(commits.asDataSource(), commits.over(transactions));
  }

  /**
   * A projector that works in a database.
   *
   * @param projector with {@link Projector}
   * @param database that the handlers' connections come from
   * @param projections more components that answer from its read model
   * @throws io.evento.bundle.api.InvalidBundleException if no bundle could start with them
   */
  public static ProjectorFixture of(Object projector, DataSource database, Object... projections) {
    return new ProjectorFixture(projector, database, null, projections);
  }

  /**
   * A projector that works in the transactions of a container.
   *
   * @param projector with {@link Projector}, or a proxy before one
   * @param database that the handlers' connections come from
   * @param transactions of that database
   * @param projections more components that answer from its read model
   */
  public static ProjectorFixture of(
      Object projector, DataSource database, Transactions transactions, Object... projections) {
    return new ProjectorFixture(projector, database, transactions, projections);
  }

  /** A projector that needs no database. */
  public static ProjectorFixture withoutDatabase(Object projector, Object... projections) {
    return new ProjectorFixture(projector, null, null, projections);
  }

  /** Leaves out what would be checked without being asked. */
  public ProjectorFixture without(Check... checks) {
    payloads.leaveOut(checks);
    return this;
  }

  /** The next events were stored then; without this each batch comes a second after the last. */
  public ProjectorFixture at(Instant when) {
    time = when;
    return this;
  }

  /**
   * These events were stored, and come as one batch. Those of contexts and types that the projector
   * does not pick are kept from it, as in a cluster.
   *
   * @param aggregate whose stream it is: its class, or that of a boundary
   * @param id of the aggregate
   * @param events in order: records, or {@link Stored} ones of old versions
   */
  public ProjectorFixture given(Class<? extends Record> aggregate, String id, Object... events) {
    var batch = new ArrayList<RecordedEvent>();
    for (var event : events) {
      var recorded = journal.record(aggregate, id, event, time);
      if (picks(recorded)) {
        batch.add(recorded);
      }
    }
    time = time.plus(Duration.ofSeconds(1));
    if (!batch.isEmpty()) {
      deliver(batch);
    }
    return this;
  }

  /**
   * A subject was erased: from now on what is personal of it reads as placeholders, in what comes
   * and in what was stored before; and the projector is told, if it handles {@link
   * io.evento.bundle.personal.SubjectErased}.
   */
  public ProjectorFixture givenErased(String subject) {
    var recorded = journal.recordErased(subject, time);
    time = time.plus(Duration.ofSeconds(1));
    if (picks(recorded)) {
      deliver(List.of(recorded));
    }
    return this;
  }

  private boolean picks(RecordedEvent event) {
    return (contexts.isEmpty() || contexts.contains(event.context()))
        && projector.handlers().containsKey(event.type());
  }

  private void deliver(List<RecordedEvent> batch) {
    var from = delivered;
    try {
      if (from == 0) {
        projectorRunner.claim();
      }
      if (payloads.checks(Check.REPEAT) && commits != null) {
        deliverWithoutCommit(commits, from, batch);
      }
      projectorRunner.deliver(from, batch);
      if (payloads.checks(Check.REPEAT) && commits == null) {
        projectorRunner.deliver(from, batch);
      }
    } catch (Throwable failure) {
      var report =
          new Report("The events were not handled: " + failure).block("Given", journal.told());
      if (payloads.checks(Check.REPEAT)) {
        report.say(hint());
      }
      throw new AssertionError(report.toString(), failure);
    }
    delivered = batch.get(batch.size() - 1).position();
  }

  private void deliverWithoutCommit(LostCommits lost, long from, List<RecordedEvent> batch)
      throws Throwable {
    lost.lose(true);
    try {
      projectorRunner.deliver(from, batch);
      throw new IllegalStateException("the handlers' transaction was not committed by the SDK");
    } catch (LostCommits.Crash expected) {
      return;
    } finally {
      lost.lose(false);
    }
  }

  /**
   * A question has this answer now.
   *
   * @param expected the view; null for none
   */
  public ProjectorFixture thenAnswers(Object query, @Nullable Object expected) {
    var asked = payloads.write(query);
    Json answer;
    try {
      answer = payloads.value(handlerRunner.answer(asked.type(), asked.json(), database));
    } catch (Throwable failure) {
      throw new AssertionError(
          report("The question was not answered: " + failure, asked).toString(), failure);
    }
    var wanted = expected instanceof Record ? payloads.write(expected).json() : value(expected);
    if (!Payloads.same(wanted, answer)) {
      var report =
          report("The answer is another one.", asked)
              .block("Expected", Payloads.show("view", wanted))
              .block("Actual", Payloads.show("view", answer));
      throw (payloads.checks(Check.REPEAT) ? report.say(hint()) : report).failure();
    }
    return this;
  }

  private Json value(@Nullable Object view) {
    return payloads.value(view);
  }

  private Report report(String sentence, Named query) {
    return new Report(sentence)
        .block("Given", journal.told())
        .block("Asked", Payloads.show(query.type(), query.json()));
  }

  private String hint() {
    return commits != null
        ? "(Every batch came twice, the first time without its commit. If the answer shows an event"
            + " twice, a handler writes elsewhere than through its Connection.)"
        : "(Every batch came twice, as it may after a crash. If the answer shows an event twice,"
            + " keep the checkpoint with the rows, by a handler that takes a Connection, or leave"
            + " out Check.REPEAT.)";
  }
}
