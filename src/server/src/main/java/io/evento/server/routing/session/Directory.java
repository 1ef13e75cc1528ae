package io.evento.server.routing.session;

import io.evento.protocol.Codec;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.cluster.Links;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * What the sessions of the other nodes host. Each node tells the others at every change and every
 * two seconds, so a message that was missed heals by itself.
 */
@NodeScoped
public class Directory {
  private static final Logger LOG = System.getLogger(Directory.class.getName());
  private static final String KIND = "hosts";
  private static final long FORGET_NANOS = TimeUnit.SECONDS.toNanos(10);

  /**
   * What one bundle instance hosts through one node.
   *
   * @param consumers by name and version: {@code accounts:1}
   * @param snapshots by type of aggregate, for those that keep them
   * @param models by type of query, as {@link BundleSession#models} says
   * @param components kinds and names: {@code aggregate Account}; none from an older node
   */
  public record Entry(
      UUID instance,
      String bundle,
      Set<String> commands,
      Set<String> queries,
      Set<String> consumers,
      Map<String, SnapshotRule> snapshots,
      Map<String, String> models,
      Set<String> components) {
    public Entry {
      commands = Set.copyOf(commands);
      queries = Set.copyOf(queries);
      consumers = consumers == null ? Set.of() : Set.copyOf(consumers);
      snapshots = snapshots == null ? Map.of() : Map.copyOf(snapshots);
      models = models == null ? Map.of() : Map.copyOf(models);
      components = components == null ? Set.of() : Set.copyOf(components);
    }
  }

  /**
   * What one node's sessions host.
   *
   * @param trials whether the node tells, and understands, that a session ended with a request; an
   *     older release says nothing of it
   * @param instances of all sessions, those included that host nothing; none from an older node
   */
  record Hosts(List<Entry> entries, boolean trials, Set<UUID> instances) {
    Hosts {
      instances = instances == null ? Set.of() : Set.copyOf(instances);
      entries = entries == null ? List.of() : List.copyOf(entries);
    }
  }

  /** An instance that can be reached through another node. */
  public record Remote(String node, UUID instance) {}

  private final Links links;
  private final Sessions sessions;
  private final Map<String, List<Entry>> byNode = new ConcurrentHashMap<>();
  private final Map<String, Set<UUID>> instances = new ConcurrentHashMap<>();
  private final Map<String, Long> heardAt = new ConcurrentHashMap<>();
  private final Set<String> knowTrials = ConcurrentHashMap.newKeySet();

  @Inject
  public Directory(Links links, Sessions sessions, Threads threads) {
    this.links = links;
    this.sessions = sessions;
    links.listen(KIND, this::heard);
    links.onChange(this::publish);
    sessions.onChange(this::publish);
    threads.timer().scheduleAtFixedRate(this::publish, 2, 2, TimeUnit.SECONDS);
  }

  private void heard(String node, String body) {
    heardAt.put(node, System.nanoTime());
    var said = Codec.read(Hosts.class, body);
    byNode.put(node, said.entries());
    instances.put(node, said.instances());
    if (said.trials()) {
      knowTrials.add(node);
    } else {
      knowTrials.remove(node);
    }
  }

  private void publish() {
    try {
      byNode.keySet().removeIf(this::isLongLost);
      links.broadcast(KIND, Codec.text(new Hosts(mine(), true, instances())));
    } catch (RuntimeException failure) {
      LOG.log(Level.ERROR, "directory not published", failure);
    }
  }

  /** A node that pauses for a moment still hosts what it hosted; it is not asked meanwhile. */
  private boolean isLongLost(String node) {
    return !links.reaches(node)
        && System.nanoTime() - heardAt.getOrDefault(node, 0L) > FORGET_NANOS;
  }

  private Set<UUID> instances() {
    return sessions.all().stream()
        .filter(BundleSession::isOpen)
        .map(BundleSession::instance)
        .collect(Collectors.toSet());
  }

  private List<Entry> mine() {
    return sessions.all().stream()
        .filter(session -> session.isOpen() && !session.components().isEmpty())
        .map(
            s ->
                new Entry(
                    s.instance(),
                    s.bundle(),
                    s.commands(),
                    s.queries(),
                    s.consumers(),
                    s.snapshots(),
                    s.models(),
                    s.components().stream()
                        .map(component -> component.kind().wire() + ' ' + component.name())
                        .collect(Collectors.toSet())))
        .toList();
  }

  /** Whether a node tells and understands that a session ended with a request. */
  public boolean knowsTrials(String node) {
    return knowTrials.contains(node);
  }

  /** Whether an instance can be reached through another node. */
  public boolean isElsewhere(UUID instance) {
    return byNode.entrySet().stream()
        .anyMatch(
            node ->
                links.reaches(node.getKey())
                    && node.getValue().stream().anyMatch(e -> e.instance().equals(instance)));
  }

  /**
   * Whether the instance of a session can do without it: it is connected to one of these other
   * nodes too, and hosts something there if it does here.
   */
  public boolean isElsewhere(BundleSession session, Collection<String> nodes) {
    var instance = session.instance();
    return nodes.stream()
        .filter(links::reaches)
        .anyMatch(
            node ->
                session.components().isEmpty()
                    ? isConnected(node, instance)
                    : hosts(node, instance));
  }

  /** Whether an instance is connected to one of these other nodes. */
  boolean isConnected(UUID instance, Collection<String> nodes) {
    return nodes.stream().anyMatch(node -> links.reaches(node) && isConnected(node, instance));
  }

  private boolean isConnected(String node, UUID instance) {
    return instances.getOrDefault(node, Set.of()).contains(instance) || hosts(node, instance);
  }

  private boolean hosts(String node, UUID instance) {
    return byNode.getOrDefault(node, List.of()).stream()
        .anyMatch(entry -> entry.instance().equals(instance));
  }

  /** Whether any other node has said what it hosts, and can be reached. */
  boolean hearsAnybody() {
    return byNode.keySet().stream().anyMatch(links::reaches);
  }

  /** Whether each of these other nodes has said what it hosts. */
  public boolean hasHeardFrom(Set<String> nodes) {
    return byNode.keySet().containsAll(nodes);
  }

  /**
   * Whether what {@link #hosting} and {@link #answering} find is all there is: each of these other
   * nodes has said what it hosts, and no node that has said so is out of reach. What such a node
   * hosted is not offered, and its instances may not have gone to another node yet.
   */
  boolean isComplete(Set<String> nodes) {
    return hasHeardFrom(nodes) && byNode.keySet().stream().allMatch(links::reaches);
  }

  /** What is hosted by node, this one under its name. */
  public Map<String, List<Entry>> everywhere(String self) {
    var all = new HashMap<>(byNode);
    all.put(self, mine());
    return all;
  }

  /** Whether an instance of a bundle hosts a component on any node, as far as was heard. */
  public boolean isHosted(String bundle, String kind, String name) {
    return everywhere("").values().stream()
        .flatMap(List::stream)
        .anyMatch(
            entry ->
                entry.bundle().equals(bundle) && entry.components().contains(kind + ' ' + name));
  }

  /** Whether any instance hosts a component on any node, as far as was heard. */
  public boolean isHosted(String kind, String name) {
    return anybody(entry -> entry.components().contains(kind + ' ' + name));
  }

  /**
   * Whether any instance hosts a version of a consumer on any node, as far as was heard.
   *
   * @param consumer its name and version: {@code accounts:1}
   */
  public boolean isConsuming(String consumer) {
    return anybody(entry -> entry.consumers().contains(consumer));
  }

  /** Whether any instance handles a command or answers a query on any node, as far as was heard. */
  public boolean isTaken(String type) {
    return anybody(entry -> entry.commands().contains(type) || entry.queries().contains(type));
  }

  private boolean anybody(Predicate<Entry> isMeant) {
    return everywhere("").values().stream().flatMap(List::stream).anyMatch(isMeant);
  }

  /** Instances on other nodes that handle a command. */
  public List<Remote> hosting(String command) {
    return find(command, true);
  }

  /** How an instance behind another node keeps an aggregate's snapshots. */
  public Optional<SnapshotRule> snapshots(Remote remote, String aggregateType) {
    return byNode.getOrDefault(remote.node(), List.of()).stream()
        .filter(entry -> entry.instance().equals(remote.instance()))
        .map(entry -> entry.snapshots().get(aggregateType))
        .filter(Objects::nonNull)
        .findFirst();
  }

  /** Instances on other nodes that answer a query. */
  public List<Remote> answering(String query) {
    return find(query, false);
  }

  /** From whose read model an instance behind another node answers a query; empty if unknown. */
  public Optional<String> model(Remote remote, String query) {
    return byNode.getOrDefault(remote.node(), List.of()).stream()
        .filter(entry -> entry.instance().equals(remote.instance()))
        .map(entry -> entry.models().get(query))
        .filter(Objects::nonNull)
        .findFirst();
  }

  /** The bundle of an instance behind another node; empty if unknown. */
  public Optional<String> bundle(Remote remote) {
    return byNode.getOrDefault(remote.node(), List.of()).stream()
        .filter(entry -> entry.instance().equals(remote.instance()))
        .map(Entry::bundle)
        .findFirst();
  }

  /** Consumers of a name that other nodes' sessions host, with their versions. */
  public List<String> versions(String consumer) {
    return byNode.values().stream()
        .flatMap(List::stream)
        .flatMap(entry -> entry.consumers().stream())
        .filter(hosted -> hosted.startsWith(consumer + ':'))
        .distinct()
        .toList();
  }

  private List<Remote> find(String type, boolean isCommand) {
    var found = new ArrayList<Remote>();
    byNode.forEach(
        (node, entries) -> {
          for (var entry : entries) {
            if ((isCommand ? entry.commands() : entry.queries()).contains(type)
                && links.reaches(node)) {
              found.add(new Remote(node, entry.instance()));
            }
          }
        });
    return found;
  }

  /** Instances on other nodes that a consumer's segments can be given to. */
  public List<Remote> consuming(String consumer) {
    var found = new ArrayList<Remote>();
    byNode.forEach(
        (node, entries) -> {
          for (var entry : entries) {
            if (entry.consumers().contains(consumer) && links.reaches(node)) {
              found.add(new Remote(node, entry.instance()));
            }
          }
        });
    return found;
  }
}
