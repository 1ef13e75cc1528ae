package io.evento.bundle.session;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Printable;
import io.evento.protocol.SessionMessage.Member;
import io.evento.protocol.silence.SchedulingDelay;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The sessions of a bundle: dials, greets, looks after them, chooses one for a request.
 * Thread-safe.
 *
 * <p>How many are wanted follows from what the nodes say of each other: one for each address that
 * was given, at least two, never more than there are nodes. An address that leads to a node we have
 * already (a balancer, most often) is tried again, ever more rarely, until enough nodes are met.
 *
 * <p>A node of this JVM is spoken to without a socket, beside the others, as soon as one of them
 * has named its process as one of the cluster. A socket to it is kept only while that fails.
 */
public final class Links implements AutoCloseable {
  private static final Logger LOG = System.getLogger(Links.class.getName());
  private static final long TICK_MILLIS = 200;
  private static final long LOOK_NANOS = TimeUnit.SECONDS.toNanos(2);

  /** So much longer at most a node may be silent where this process gets too little CPU. */
  private static final Duration PATIENCE_MAX = Duration.ofSeconds(5);

  private final Handshake handshake;
  private final Inbound inbound;
  private final ScheduledExecutorService clock;
  private final HttpClient client;
  private final VmNodes vmNodes = new VmNodes();

  /** Those that were given. */
  private final List<Address> addresses;

  /** The node of this JVM, which nobody need give; null if that was given. */
  private final @Nullable Address here;

  private final CompletableFuture<@Nullable Void> connected = new CompletableFuture<>();
  private final NodeChoice nodeChoice = new NodeChoice();
  private final SchedulingDelay delay =
      new SchedulingDelay(Duration.ofMillis(TICK_MILLIS), PATIENCE_MAX);

  /** All sessions that are not closed, whatever their phase. */
  private final Set<Session> sessions = new HashSet<>();

  /** Sessions by node, from their welcome to their end or drain. */
  private final Map<String, Session> byNode = new HashMap<>();

  private volatile List<Session> usable = List.of();
  private volatile Set<String> owners = Set.of();
  private volatile Set<UUID> processes = Set.of();

  /** Name of the cluster's node in this JVM, empty if none is known. */
  private volatile String nodeHere = "";

  private volatile long lookedNanos = System.nanoTime();
  private List<Member> members = List.of();

  /** The process of each node, as far as any message said it. */
  private final Map<String, UUID> processOf = new HashMap<>();

  private boolean closing;

  public Links(
      List<URI> given, Handshake handshake, Inbound inbound, ScheduledExecutorService clock) {
    this.addresses = given.stream().map(Address::new).toList();
    this.here = given.stream().anyMatch(Address::isInVm) ? null : new Address(Address.VM);
    this.handshake = handshake;
    this.client = client(handshake.access());
    this.inbound = inbound;
    this.clock = clock;
  }

  private static HttpClient client(Access access) {
    var tls = access.tls();
    var builder = HttpClient.newBuilder();
    // The client's threads outlive it by a while; they must not hold the application's classes.
    var thread = Thread.currentThread();
    var former = thread.getContextClassLoader();
    thread.setContextClassLoader(ClassLoader.getPlatformClassLoader());
    try {
      return tls == null ? builder.build() : builder.sslContext(tls).build();
    } finally {
      thread.setContextClassLoader(former);
    }
  }

  /** Starts dialling; completes with the first usable session, or fails if we are refused. */
  public CompletableFuture<@Nullable Void> open() {
    var unused = clock.scheduleWithFixedDelay(this::tick, 0, TICK_MILLIS, TimeUnit.MILLISECONDS);
    return connected;
  }

  public boolean isConnected() {
    return !usable.isEmpty();
  }

  /** Each address, with the node behind it or why there is none. */
  public synchronized List<String> addresses() {
    return Stream.concat(
            addresses.stream(), Stream.ofNullable(here).filter(any -> !nodeHere.isEmpty()))
        .map(address -> address.told(isConnected(address)))
        .toList();
  }

  /** Whether there is a session of its kind to the node that it led to. */
  private boolean isConnected(Address address) {
    var session = byNode.get(address.node());
    return session != null && session.isInVm() == Address.isInVm(address.uri());
  }

  /**
   * A session for a request.
   *
   * @param key whose owner should get it, such as a stream; null if nobody owns it
   * @param avoided node that failed it last, taken only if there is no other; or null
   * @return null if there is no usable session now
   */
  public @Nullable Session choose(@Nullable String key, @Nullable String avoided) {
    return nodeChoice.choose(usable, owners, key, avoided);
  }

  private void tick() {
    try {
      var now = System.nanoTime();
      delay.tick(now);
      for (var session : snapshot()) {
        session.tick(now, delay.patienceNanos());
      }
      if (now - lookedNanos > LOOK_NANOS && usable.stream().noneMatch(Session::isInVm)) {
        lookHere();
      }
      for (var session : due(now)) {
        session.open(
            !session.isInVm()
                ? SocketCarrier.dialler(client, session.address())
                : here == null
                    ? vmNodes.dialler(session.address(), processes)
                    : vmNodes.dialler(nodeHere, processes));
      }
    } catch (RuntimeException bug) {
      // Rethrown it would end the timer, and with it every link.
      LOG.log(Level.ERROR, "links not looked after, next tick retries", bug);
    }
  }

  private synchronized List<Session> snapshot() {
    return List.copyOf(sessions);
  }

  private void lookHere() {
    lookedNanos = System.nanoTime();
    if (here != null) {
      nodeHere = VmNodes.find(processes);
    }
  }

  /** Sessions to open now; over addresses that may lead to a new node first. */
  private synchronized List<Session> due(long now) {
    if (closing) {
      return List.of();
    }
    var due = new ArrayList<Session>();
    for (var address : addresses) {
      if (Address.isInVm(address.uri()) && isWorthALink(address.node()) && address.isDue(now)) {
        due.add(dial(address));
      }
    }
    if (here != null && !nodeHere.isEmpty() && isWorthALink(nodeHere) && here.isDue(now)) {
      due.add(dial(here));
    }
    var dialling = addresses.stream().filter(Address::isDialling).count();
    var missing = wanted() - byNode.size() - (int) dialling;
    var before = due.size();
    for (var known : List.of(false, true)) {
      for (var address : addresses) {
        if (due.size() - before < missing
            && !Address.isInVm(address.uri())
            && address.isDue(now)
            && byNode.containsKey(address.node()) == known) {
          due.add(dial(address));
        }
      }
    }
    sessions.addAll(due);
    return due;
  }

  /**
   * Whether a node of this JVM is to be linked, however many others are: it has no link, and does
   * not hand over what it has while others serve us.
   */
  private boolean isWorthALink(String node) {
    return !isLinkedHere(node)
        && (byNode.isEmpty()
            || owners.contains(node)
            || members.stream().noneMatch(member -> member.id().equals(node)));
  }

  private boolean isLinkedHere(String node) {
    var session = byNode.get(node);
    return session != null && session.isInVm();
  }

  private int wanted() {
    var up = (int) members.stream().filter(Member::owns).count();
    var asked = members.isEmpty() ? addresses.size() : Math.max(2, addresses.size());
    return members.isEmpty() ? asked : Math.min(asked, Math.max(1, up));
  }

  private Session dial(Address address) {
    var session = new Session(address.uri(), handshake, this, inbound);
    address.dialling(session);
    return session;
  }

  void members(List<Member> heard) {
    if (heard.isEmpty()) {
      return;
    }
    boolean areOthers;
    synchronized (this) {
      members = heard;
      owners = Set.copyOf(heard.stream().filter(Member::owns).map(Member::id).toList());
      processOf.keySet().retainAll(heard.stream().map(Member::id).toList());
      for (var member : heard) {
        // Nodes of older releases say it of nobody.
        if (member.process() != null) {
          processOf.put(member.id(), member.process());
        }
      }
      var now = Set.copyOf(processOf.values());
      areOthers = !now.equals(processes);
      processes = now;
    }
    if (areOthers) {
      lookHere();
    }
  }

  /** False if there is a session to that node already, or a better way. */
  synchronized boolean welcomed(Session session) {
    var address = addressOf(session);
    var node = session.node();
    if (closing || isLinkedHere(node) || (!session.isInVm() && isBetterHere(node))) {
      address.known(node);
      return false;
    }
    var former = byNode.get(node);
    if (former == null) {
      byNode.put(node, session);
      address.met(node);
    } else if (!session.isInVm()) {
      address.known(node);
      return false;
    } // else it takes the socket's place once it can be used
    return true;
  }

  /** Whether a socket to this node is not worth it. */
  private boolean isBetterHere(String node) {
    return here != null && here.isPromising() && node.equals(nodeHere);
  }

  void usable(Session session) {
    Session former = null;
    synchronized (this) {
      // Since it was welcome it may have ended, or given way.
      if (session.isUsable() && (session.isInVm() || !isLinkedHere(session.node()))) {
        former = byNode.put(session.node(), session);
        addressOf(session).met(session.node());
      }
      refresh();
    }
    if (former != null && former != session) {
      former.giveWay();
    }
    LOG.log(Level.INFO, () -> "connected node=" + session.node());
    connected.complete(null);
  }

  void refused(Session session, EventoException told) {
    LOG.log(
        Level.ERROR,
        () ->
            "refused node="
                + session.node()
                + " code="
                + told.code().wire()
                + " "
                + Printable.log(told.detail()));
    if (told.code().retry() == ErrorCode.Retry.NEVER) {
      connected.completeExceptionally(told);
    }
  }

  void draining(Session session) {
    LOG.log(Level.INFO, () -> "node drains node=" + session.node());
    synchronized (this) {
      byNode.remove(session.node(), session);
      refresh();
    }
  }

  void closed(Session session, String reason) {
    boolean wasKept;
    synchronized (this) {
      sessions.remove(session);
      wasKept = byNode.remove(session.node(), session);
      addressOf(session).ended(session, wasKept, reason);
      refresh();
    }
    LOG.log(
        session.isRefused() ? Level.ERROR : wasKept ? Level.INFO : Level.DEBUG,
        () ->
            (session.isRefused() ? "not let in address=" : "session over address=")
                + session.address()
                + " node="
                + session.node()
                + " reason="
                + Printable.log(reason));
  }

  private void refresh() {
    usable = byNode.values().stream().filter(Session::isUsable).toList();
  }

  private Address addressOf(Session session) {
    return Stream.concat(addresses.stream(), Stream.ofNullable(here))
        .filter(address -> address.uri().equals(session.address()))
        .findFirst()
        .orElseThrow();
  }

  /** Tells every node that this instance leaves. */
  public void drain() {
    synchronized (this) {
      closing = true;
    }
    snapshot().forEach(Session::drain);
  }

  /** Ends all sessions. */
  @Override
  public void close() {
    synchronized (this) {
      closing = true;
    }
    snapshot().forEach(Session::close);
    vmNodes.close();
  }
}
