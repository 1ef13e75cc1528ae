package io.evento.server.console;

import io.evento.server.NodeScoped;
import io.evento.server.cluster.Membership;
import io.evento.server.cluster.Node;
import io.evento.server.console.FindResource.Found;
import io.evento.server.consumer.segment.ConsumerRow;
import io.evento.server.eventstore.read.EventRow;
import io.evento.server.eventstore.read.OutcomeReader;
import io.evento.server.eventstore.read.StreamReader;
import io.evento.server.persistence.EntityManagers;
import io.evento.server.routing.session.Directory;
import io.evento.server.security.Caller;
import io.evento.server.security.Right;
import jakarta.inject.Inject;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Finds what somebody means by a few letters or by an id from a log. Names are compared in memory,
 * as they are at most some seconds old; ids are looked up by the indexes that they have anyhow.
 */
@NodeScoped
public class Finder {
  private static final long NAMES_FRESH_NANOS = TimeUnit.SECONDS.toNanos(3);
  private static final int NAMES_MAX = 100_000;
  private static final int EACH_MAX = 8;
  private static final int AGGREGATES_MAX = 500;
  private static final int STREAMS_EACH_MAX = 5;
  private static final Pattern POSITION = Pattern.compile("[0-9]{1,18}");
  private static final Pattern UUID_TEXT =
      Pattern.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}");

  private final EntityManagers managers;
  private final Membership membership;
  private final Directory directory;
  private final StreamReader streams;
  private final OutcomeReader outcomes;

  /**
   * All names at one moment.
   *
   * @param aggregates names of aggregate types
   */
  private record Names(List<Found> all, List<String> aggregates, long at) {}

  private volatile @Nullable Names names;

  @Inject
  public Finder(
      EntityManagers managers,
      Membership membership,
      Directory directory,
      StreamReader streams,
      OutcomeReader outcomes) {
    this.managers = managers;
    this.membership = membership;
    this.directory = directory;
    this.streams = streams;
    this.outcomes = outcomes;
  }

  /**
   * The best of each kind, ids first. Blocks on the database.
   *
   * @param caller who is told of an event if he may read it, and of streams and flows, which may be
   *     of several contexts, if he may read all
   */
  List<Found> find(String text, Caller caller) {
    var known = names();
    var found = new ArrayList<Found>();
    findEvent(text, caller, found);
    if (caller.hasAll(Right.READ)) {
      findFlow(text, found);
      findStreams(text, known.aggregates(), found);
    }
    findNames(text, known.all(), found);
    return found;
  }

  private void findEvent(String text, Caller caller, List<Found> found) {
    if (caller.hasAny(Right.READ) && POSITION.matcher(text).matches()) {
      managers
          .read(
              manager ->
                  manager
                      .createQuery(
                          "select e from EventRow e where e.position = :at", EventRow.class)
                      .setParameter("at", Long.parseLong(text))
                      .getResultStream()
                      .findFirst())
          .filter(event -> caller.may(Right.READ, event.context(), event.type()))
          .ifPresent(
              event ->
                  found.add(
                      new Found("event", null, text, null, event.type() + ", " + event.stream())));
    }
  }

  private void findFlow(String text, List<Found> found) {
    if (UUID_TEXT.matcher(text).matches()) {
      outcomes
          .outcome(UUID.fromString(text))
          .ifPresent(
              outcome ->
                  found.add(
                      new Found(
                          "flow",
                          null,
                          text.toLowerCase(Locale.ROOT),
                          null,
                          outcome.stream() == null ? "a command" : "on " + outcome.stream())));
    }
  }

  /** By the beginning of an id, in all types; or by a type and the beginning of an id. */
  private void findStreams(String text, List<String> aggregates, List<Found> found) {
    var beginnings =
        text.indexOf(':') > 0
            ? List.of(text)
            : aggregates.stream().map(type -> type + ':' + text).toList();
    if (beginnings.isEmpty()) {
      return;
    }
    for (var stream : streams.beginning(beginnings, STREAMS_EACH_MAX, EACH_MAX)) {
      var cut = stream.indexOf(':');
      var type = stream.substring(0, cut);
      found.add(new Found("stream", type, stream.substring(cut + 1), null, type));
    }
  }

  private static void findNames(String text, List<Found> all, List<Found> found) {
    record Scored(Found one, int score) {}

    var best = new ArrayList<Scored>();
    var humps = humps(text);
    for (var one : all) {
      var score = score(one.name(), text, humps);
      if (score > 0) {
        best.add(new Scored(one, score));
      }
    }
    best.sort(
        Comparator.comparingInt(Scored::score)
            .reversed()
            .thenComparing(scored -> scored.one().name().length())
            .thenComparing(scored -> scored.one().name()));
    var each = new HashMap<String, Integer>();
    for (var scored : best) {
      if (each.merge(scored.one().kind(), 1, Integer::sum) <= EACH_MAX) {
        found.add(scored.one());
      }
    }
  }

  /** The whole name is best, then its beginning, its humps (OPl is OrderPlaced), a part of it. */
  static int score(String name, String text, @Nullable Pattern humps) {
    if (name.equalsIgnoreCase(text)) {
      return 4;
    }
    if (name.regionMatches(true, 0, text, 0, text.length())) {
      return 3;
    }
    if (humps != null && humps.matcher(name).find()) {
      return 2;
    }
    return text.length() >= 3
            && name.toLowerCase(Locale.ROOT).contains(text.toLowerCase(Locale.ROOT))
        ? 1
        : 0;
  }

  /** Null for what has fewer than two humps. */
  static @Nullable Pattern humps(String text) {
    if (!text.matches("[A-Z][a-z0-9]*([A-Z][a-z0-9]*)+")) {
      return null;
    }
    return Pattern.compile(text.replaceAll("(?<=.)(?=[A-Z])", "[a-z0-9]*"));
  }

  private Names names() {
    var now = System.nanoTime();
    var kept = names;
    if (kept != null && now - kept.at() < NAMES_FRESH_NANOS) {
      return kept;
    }
    var fresh = read(now);
    names = fresh;
    return fresh;
  }

  private Names read(long now) {
    var all = new ArrayList<Found>();
    var aggregates = new TreeSet<String>();
    managers.read(
        manager -> {
          for (var row :
              manager
                  .createQuery(
                      "select p.kind, p.type, p.component from PayloadRow p", Object[].class)
                  .setMaxResults(NAMES_MAX)
                  .getResultList()) {
            all.add(new Found("payload", (String) row[0], (String) row[1], null, (String) row[2]));
          }
          Map<String, Found> components = new HashMap<>();
          for (var row :
              manager
                  .createQuery(
                      "select c.kind, c.name, c.bundle from ComponentRow c", Object[].class)
                  .setMaxResults(NAMES_MAX)
                  .getResultList()) {
            var kind = (String) row[0];
            var name = (String) row[1];
            if (kind.equals("aggregate")) {
              aggregates.add(name);
            }
            components.put(
                kind + '/' + name, new Found("component", kind, name, null, (String) row[2]));
          }
          all.addAll(components.values());
          manager
              .createQuery("select c from ConsumerRow c", ConsumerRow.class)
              .getResultStream()
              .forEach(
                  row ->
                      all.add(
                          new Found(
                              "consumer",
                              row.kind(),
                              row.name(),
                              row.version(),
                              row.kind() + ", version " + row.version())));
          return all;
        });
    membership.members().nodes().stream()
        .map(Node::name)
        .forEach(name -> all.add(new Found("node", null, name, null, null)));
    var bundles = new TreeSet<String>();
    directory
        .everywhere(membership.self())
        .values()
        .forEach(entries -> entries.forEach(entry -> bundles.add(entry.bundle())));
    bundles.forEach(name -> all.add(new Found("bundle", null, name, null, null)));
    return new Names(all, aggregates.stream().limit(AGGREGATES_MAX).toList(), now);
  }
}
