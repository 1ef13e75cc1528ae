package io.evento.server.personal;

import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.PersonalMessage;
import io.evento.protocol.PersonalMessage.Given;
import io.evento.protocol.PersonalMessage.SubjectKey;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.catalog.Catalog;
import io.evento.server.persistence.Database;
import io.evento.server.security.Caller;
import io.evento.server.security.Right;
import io.evento.server.setting.Setting;
import io.evento.server.setting.Settings;
import jakarta.inject.Inject;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Gives bundles the keys of subjects, and makes the first one of each context.
 *
 * <p>A subject has a key for each context that writes of it. Who writes is given the one of the
 * context that declares the type, who reads is given those of the contexts that it has the right
 * {@code personal} for: so what one context wrote of a person is not read with the rights of
 * another. A key without a context is of before there were any, and serves them all.
 */
@NodeScoped
public class SubjectKeys {
  private static final int KEY_BYTES = 32;
  private static final int FIRST = 1;

  /** As many contexts may write of a new subject at the same moment. */
  private static final int TRIES = 10;

  private final Database database;
  private final Catalog catalog;
  private final Erasures erasures;
  private final KeyQuota quota;
  private final SecureRandom random = new SecureRandom();
  private final ExecutorService workers;

  @Inject
  public SubjectKeys(
      Database database, Catalog catalog, Erasures erasures, Settings settings, Threads threads) {
    this(database, catalog, erasures, settings::get, threads);
  }

  SubjectKeys(
      Database database,
      Catalog catalog,
      Erasures erasures,
      ToIntFunction<Setting> settings,
      Threads threads) {
    this.database = database;
    this.catalog = catalog;
    this.erasures = erasures;
    quota = new KeyQuota(settings, System::nanoTime);
    workers = threads.pool("subject-keys", 4, 2_000);
  }

  /**
   * The keys that a bundle asks for, as far as its caller may have them.
   *
   * @param hosted the components that it declared: what it writes by them is of their contexts, be
   *     it events or the states that no type is declared for
   * @return fails with {@code unavailable} if this node has no master key, with {@code forbidden}
   *     if the caller may not write there, with {@code overloaded} if it makes too many
   * @throws EventoException {@code forbidden} if the caller may have no key at all
   */
  public CompletionStage<Given> give(
      Caller caller, List<Component> hosted, PersonalMessage.Keys asked) {
    if (!caller.hasAny(Right.PERSONAL)) {
      throw new EventoException(
          ErrorCode.FORBIDDEN, caller.name() + " lacks the right personal in any context");
    }
    return Threads.supply(
        () -> asked.make() ? toWrite(caller, hosted, asked) : toRead(caller, asked), workers);
  }

  private Given toRead(Caller caller, PersonalMessage.Keys asked) {
    var master = erasures.master();
    var erased = new TreeSet<String>();
    var rows = read(notErased(asked, erased), erased);
    rows.removeIf(row -> !isReadable(caller, row));
    return given(rows, erased, master);
  }

  private static boolean isReadable(Caller caller, SubjectKeyTable.Row row) {
    var context = row.context();
    return context == null || caller.may(Right.PERSONAL, context, "");
  }

  private Given toWrite(Caller caller, List<Component> hosted, PersonalMessage.Keys asked) {
    var master = erasures.master();
    var context = context(caller, hosted, asked.type());
    var erased = new TreeSet<String>();
    var missing = notErased(asked, erased);
    var all = new ArrayList<SubjectKeyTable.Row>();
    for (var tries = 0; tries < TRIES; tries++) {
      var rows = read(missing, erased);
      missing.removeAll(erased);
      for (var own : own(rows, context).entrySet()) {
        missing.remove(own.getKey());
        all.add(own.getValue());
      }
      if (missing.isEmpty()) {
        return given(all, erased, master);
      }
      if (tries == 0) {
        quota.take(caller, missing.size());
      }
      make(missing, rows, context, master);
    }
    throw new EventoException(
        ErrorCode.UNAVAILABLE, "others make keys of the same subjects just now; try again");
  }

  /**
   * The context that is to be written in; null for one who may write in all of them and does not
   * say where.
   */
  private @Nullable String context(Caller caller, List<Component> hosted, @Nullable String type) {
    if (type == null) {
      // A bundle of an earlier release does not say which type; one context leaves no choice.
      var contexts = hosted.stream().map(Component::context).distinct().toList();
      if (!caller.hasAll(Right.PERSONAL) && contexts.size() == 1) {
        caller.require(Right.PERSONAL, contexts.get(0), "");
        return contexts.get(0);
      }
      if (!caller.hasAll(Right.PERSONAL)) {
        throw new EventoException(
            ErrorCode.FORBIDDEN,
            "a bundle of an earlier release needs the right personal in all contexts");
      }
      return null;
    }
    // Somebody else may have declared an event of that name first; its own is of its own context.
    var declared =
        hosted.stream()
            .filter(one -> one.events().stream().anyMatch(event -> event.type().equals(type)))
            .map(Component::context)
            .findFirst()
            .or(() -> catalog.contextOf(type));
    if (declared.isPresent()) {
      caller.require(Right.PERSONAL, declared.get(), type);
      return declared.get();
    }
    return hosted.stream()
        .map(Component::context)
        .sorted()
        .filter(context -> caller.may(Right.PERSONAL, context, ""))
        .findFirst()
        .orElseThrow(
            () ->
                new EventoException(
                    ErrorCode.FORBIDDEN,
                    caller.name()
                        + " lacks the right personal where it hosts components, and no context"
                        + " declares "
                        + type));
  }

  /** Before the table is asked: a restore may have brought back what it must not say. */
  private Set<String> notErased(PersonalMessage.Keys asked, Set<String> erased) {
    var wanted = new HashSet<String>();
    asked.subjects().forEach(one -> (erasures.isErased(one) ? erased : wanted).add(one));
    return wanted;
  }

  /** Of each subject the key to write by; what was made for all contexts goes on to serve. */
  private static Map<String, SubjectKeyTable.Row> own(
      List<SubjectKeyTable.Row> rows, @Nullable String context) {
    var own = new HashMap<String, SubjectKeyTable.Row>();
    rows.stream()
        .filter(row -> row.context() == null || row.context().equals(context))
        .sorted(
            Comparator.comparing((SubjectKeyTable.Row row) -> row.context() != null)
                .thenComparing(SubjectKeyTable.Row::version))
        .forEach(row -> own.putIfAbsent(row.subject(), row));
    return own;
  }

  private Given given(List<SubjectKeyTable.Row> rows, Set<String> erased, MasterKey master) {
    var keys = new ArrayList<SubjectKey>();
    for (var row : rows) {
      if (!erased.contains(row.subject()) && !erasures.isErased(row.subject())) {
        keys.add(
            new SubjectKey(
                row.subject(),
                row.version(),
                master.unwrap(row.wrapped(), place(row.subject(), row.version()))));
      }
    }
    return new Given(keys, List.copyOf(erased));
  }

  /** Keys first: a subject that is erased between the two looks has a key, and is erased too. */
  private List<SubjectKeyTable.Row> read(Set<String> subjects, Set<String> erased) {
    if (subjects.isEmpty()) {
      return new ArrayList<>();
    }
    return database.read(
        "read keys of subjects",
        open -> {
          var rows = new ArrayList<>(SubjectKeyTable.find(open, subjects));
          erased.addAll(ErasureTable.among(open, subjects));
          return rows;
        });
  }

  private void make(
      Set<String> subjects,
      List<SubjectKeyTable.Row> known,
      @Nullable String context,
      MasterKey master) {
    var last = new HashMap<String, Integer>();
    known.forEach(row -> last.merge(row.subject(), row.version(), Math::max));
    database.transact(
        "make keys of subjects",
        open -> {
          ErasureTable.lockForKeys(open);
          for (var subject : new TreeSet<>(subjects)) {
            var version = last.getOrDefault(subject, FIRST - 1) + 1;
            var key = new byte[KEY_BYTES];
            random.nextBytes(key);
            SubjectKeyTable.add(
                open,
                new SubjectKeyTable.Row(
                    subject, version, master.wrap(key, place(subject, version)), context));
          }
          return subjects.size();
        });
  }

  private static String place(String subject, int version) {
    return subject + " " + version;
  }
}
