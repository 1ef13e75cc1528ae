package io.evento.server.routing.session;

import io.evento.protocol.DeclareMessage;
import io.evento.server.NodeScoped;
import io.evento.server.telemetry.LabelledValue;
import io.evento.server.telemetry.Metrics;
import jakarta.inject.Inject;
import java.util.List;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import java.util.stream.Collector;
import java.util.stream.Collectors;

/** The bundle sessions that are open on this node. */
@NodeScoped
public class Sessions {
  private final CopyOnWriteArrayList<BundleSession> open = new CopyOnWriteArrayList<>();
  private final CopyOnWriteArrayList<Runnable> watchers = new CopyOnWriteArrayList<>();

  @Inject
  public Sessions(Metrics metrics) {
    metrics.gauge("evento_sessions", "open bundle sessions", open::size);
    metrics.gauges(
        "evento_bundle_sessions",
        "open sessions of a bundle, all instances together",
        () -> byBundle(Collectors.counting()));
    metrics.gauges(
        "evento_bundle_instances",
        "instances of a bundle that have a session here",
        () ->
            byBundle(
                Collectors.collectingAndThen(
                    Collectors.mapping(BundleSession::instance, Collectors.toSet()),
                    found -> (long) found.size())));
  }

  private List<LabelledValue> byBundle(Collector<BundleSession, ?, Long> count) {
    return open.stream()
        .collect(Collectors.groupingBy(BundleSession::bundle, TreeMap::new, count))
        .entrySet()
        .stream()
        .map(bundle -> LabelledValue.of("bundle", bundle.getKey(), bundle.getValue()))
        .toList();
  }

  /** Calls back when what is hosted here changed; short and without blocking. */
  public void onChange(Runnable watcher) {
    watchers.add(watcher);
  }

  public void add(BundleSession session) {
    open.add(session);
  }

  /** The session's declaration is stored: from now on it is given what it hosts. */
  public void declared(BundleSession session, List<DeclareMessage.Component> components) {
    session.hosts(components);
    changed();
  }

  /** The session wants nothing new. */
  public void drain(BundleSession session) {
    session.drain();
    changed();
  }

  /** The session ended; what waits for its answers is told so. */
  public void remove(BundleSession session) {
    open.remove(session);
    session.close();
    changed();
  }

  /**
   * Gives nothing new to sessions whose instance has another node by now.
   *
   * @return whether no session is left that is given anything
   */
  public boolean moveOff(Predicate<BundleSession> isElsewhere) {
    var isEmpty = true;
    for (var session : open) {
      if (!session.isOpen() || session.components().isEmpty()) {
        continue;
      }
      if (isElsewhere.test(session)) {
        drain(session);
      } else {
        isEmpty = false;
      }
    }
    return isEmpty;
  }

  /** Requests to sessions of this node that have no answer yet. */
  public int outstanding() {
    return open.stream().mapToInt(BundleSession::outstanding).sum();
  }

  public List<BundleSession> all() {
    return List.copyOf(open);
  }

  /** Whether any session can be given anything. */
  boolean hostAnything() {
    for (var session : open) {
      if (session.isOpen() && !session.components().isEmpty()) {
        return true;
      }
    }
    return false;
  }

  public List<BundleSession> hosting(String command) {
    return open.stream().filter(s -> s.isOpen() && s.commands().contains(command)).toList();
  }

  public List<BundleSession> answering(String query) {
    return open.stream().filter(s -> s.isOpen() && s.queries().contains(query)).toList();
  }

  /** The sessions of one instance that host a command. */
  public List<BundleSession> of(UUID instance, String command) {
    return hosting(command).stream().filter(s -> s.instance().equals(instance)).toList();
  }

  /** Whether a session of that instance can be given a command. */
  public boolean isHosted(UUID instance, String command) {
    for (var session : open) {
      if (session.instance().equals(instance)
          && session.isOpen()
          && session.commands().contains(command)) {
        return true;
      }
    }
    return false;
  }

  private void changed() {
    watchers.forEach(Runnable::run);
  }
}
