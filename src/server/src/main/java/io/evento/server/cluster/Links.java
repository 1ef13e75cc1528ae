package io.evento.server.cluster;

import io.evento.protocol.FrameQueue.Lane;
import io.evento.server.NodeScoped;
import io.evento.server.RepeatedWarning;
import io.evento.server.Threads;
import io.evento.server.config.ServerConfig;
import io.evento.server.persistence.Database;
import io.evento.server.telemetry.Metrics;
import io.micrometer.core.instrument.Counter;
import jakarta.annotation.PreDestroy;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.stream.Collectors;
import org.jgroups.Address;
import org.jgroups.BytesMessage;
import org.jgroups.JChannel;
import org.jgroups.Message;
import org.jgroups.Receiver;
import org.jgroups.View;
import org.jspecify.annotations.Nullable;

/**
 * Messages between nodes: one-way, and questions with one answer.
 *
 * <p>Whoever reaches the ports may join the group. Each frame is sealed under a key that only nodes
 * can read ({@link FrameSeal}), so a stranger stays a member that nobody hears or believes.
 *
 * <p>Opened, a frame is lines of UTF-8; the first character of a line says what it is: {@code H}
 * who speaks here and {@code h} the answer to it, {@code P} alive, with the bytes received since
 * the last one, {@code >} a one-way message, {@code ?} a question, {@code !} its answer. Handlers
 * run on the link's threads and must not block.
 */
@NodeScoped
public class Links {
  private static final Logger LOG = System.getLogger(Links.class.getName());
  private static final long TICK_MILLIS = 100;
  private static final long KEYS_NANOS = TimeUnit.SECONDS.toNanos(10);

  /** Somebody seals under a key that is newer than what was read here, or is a stranger. */
  private static final long UNKNOWN_KEY_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** A link that said nothing for so long is gone round. */
  static final long SILENCE_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final RepeatedWarning silent = new RepeatedWarning(LOG);
  private final ServerConfig config;
  private final Database database;
  private final Threads threads;
  private final UUID incarnation = UUID.randomUUID();
  private final Map<Address, Peer> peers = new ConcurrentHashMap<>();
  private final Map<String, BiConsumer<String, String>> listeners = new ConcurrentHashMap<>();
  private final Map<String, BiFunction<String, String, CompletionStage<String>>> answerers =
      new ConcurrentHashMap<>();
  private final Map<Long, Question> questions = new ConcurrentHashMap<>();
  private final AtomicLong lastQuestion = new AtomicLong();
  private final CopyOnWriteArrayList<Runnable> watchers = new CopyOnWriteArrayList<>();
  private final FrameSeal seal = new FrameSeal(incarnation);
  private final ExecutorService keyReader;
  private final Counter refused;
  private volatile long keysReadAt;
  private volatile @Nullable JChannel channel;

  private record Question(Peer peer, CompletableFuture<String> answer, long deadline) {}

  @Inject
  public Links(ServerConfig config, Database database, Threads threads, Metrics metrics) {
    this.config = config;
    this.database = database;
    this.threads = threads;
    keyReader = threads.pool("link-keys", 1, 1);
    refused =
        metrics.counter("evento_link_frames_refused", "messages that no node of this cluster sent");
    metrics.gauge("evento_links", "links to other nodes that are alive", () -> peers().size());
    metrics.gauge("evento_link_questions", "questions to other nodes under way", questions::size);
  }

  /**
   * Forgets the addresses of nodes that are no more, so that {@link #start} finds living ones of
   * this database only. To be called before this node's first beat.
   *
   * @throws io.evento.server.persistence.UncheckedSqlException if the database does not answer
   */
  public void forgetFormer() {
    var forgotten =
        database.read(
            "forget former links",
            connection -> LinkStack.forgetFormer(config.node().name(), connection));
    LOG.log(Level.INFO, () -> "former links forgotten count=" + forgotten);
  }

  /**
   * Joins the group. May be called again after a failure.
   *
   * @throws Exception whatever the transport says, such as a port in use
   */
  public void start() throws Exception {
    readKeys();
    var joining = LinkStack.channel(config, database.pool());
    joining.setReceiver(
        new Receiver() {
          @Override
          public void receive(Message message) {
            onFrame(message);
          }

          @Override
          public void viewAccepted(View view) {
            onView(view);
          }
        });
    channel = joining;
    try {
      joining.connect("evento");
    } catch (Exception failure) {
      LinkStack.giveUp(joining);
      stop();
      throw failure;
    }
    threads
        .timer()
        .scheduleAtFixedRate(this::tick, TICK_MILLIS, TICK_MILLIS, TimeUnit.MILLISECONDS);
  }

  /** Identifies this process in the membership table and on the links. */
  public UUID incarnation() {
    return incarnation;
  }

  /** Calls {@code listener} with (peer, body) for each one-way message of a kind. */
  public void listen(String kind, BiConsumer<String, String> listener) {
    listeners.put(kind, listener);
  }

  /** Answers the questions of a kind; the answerer gets (peer, body). */
  public void answer(String kind, BiFunction<String, String, CompletionStage<String>> answerer) {
    answerers.put(kind, answerer);
  }

  /** Calls back when a link comes or goes; short and without blocking. */
  public void onChange(Runnable watcher) {
    watchers.add(watcher);
  }

  /** Names of the nodes whose link is alive, without this one. */
  public Collection<String> peers() {
    return peers.values().stream().filter(Peer::isAlive).map(Peer::name).toList();
  }

  /** How long nothing was heard of each node that introduced itself; of those that are gone too. */
  public Map<String, Duration> silences() {
    return peers.values().stream()
        .filter(peer -> !peer.name().isEmpty())
        .collect(
            Collectors.toMap(
                Peer::name,
                peer -> Duration.ofNanos(peer.silentNanos()),
                (one, other) -> one.compareTo(other) < 0 ? one : other,
                TreeMap::new));
  }

  public boolean reaches(String node) {
    return find(node).isPresent();
  }

  /**
   * @return false if there is no live link or its queue is full; nothing was sent
   */
  public boolean send(String node, String kind, String body) {
    return find(node).map(peer -> peer.offer(">" + kind + ' ' + body, Lane.REQUEST)).orElse(false);
  }

  /** Sends to every live link; who is missed has to notice by itself. */
  public void broadcast(String kind, String body) {
    var line = ">" + kind + ' ' + body;
    for (var peer : peers.values()) {
      if (peer.isAlive()) {
        peer.offer(line, Lane.REQUEST);
      }
    }
  }

  /**
   * Asks one node.
   *
   * @return fails with {@link PeerLostException} when the link is or becomes silent, or nobody
   *     answered within {@code millis}
   */
  public CompletionStage<String> ask(String node, String kind, String body, long millis) {
    var peer = find(node).orElse(null);
    if (peer == null) {
      return CompletableFuture.failedStage(new PeerLostException(node));
    }
    var id = lastQuestion.incrementAndGet();
    var answer = new CompletableFuture<String>();
    questions.put(
        id, new Question(peer, answer, System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis)));
    if (!peer.offer("?" + id + ' ' + kind + ' ' + body, Lane.REQUEST)) {
      questions.remove(id);
      return CompletableFuture.failedStage(new PeerLostException(node));
    }
    return answer;
  }

  private Optional<Peer> find(String node) {
    for (var peer : peers.values()) {
      if (node.equals(peer.name()) && peer.isAlive()) {
        return Optional.of(peer);
      }
    }
    return Optional.empty();
  }

  private void onView(View view) {
    var self = self();
    for (var member : view.getMembers()) {
      if (!member.equals(self)) {
        peers.computeIfAbsent(member, this::meet);
      }
    }
    peers
        .entrySet()
        .removeIf(
            known -> {
              if (view.containsMember(known.getKey())) {
                return false;
              }
              lose(known.getValue());
              return true;
            });
    LOG.log(Level.INFO, () -> "links view members=" + view.getMembers());
  }

  private Peer meet(Address address) {
    var peer = new Peer(address, frame -> transmit(address, frame));
    hello(peer);
    threads.start("link-" + address, peer::write);
    return peer;
  }

  private void hello(Peer peer) {
    peer.offer("H" + config.node().name(), Lane.ANSWER);
  }

  private void transmit(Address to, byte[] frame) throws Exception {
    var open = channel;
    if (open == null) {
      throw new IllegalStateException("links are closed");
    }
    // Our own window bounds what is in flight; JGroups' flow control would block this thread.
    var sealed = seal.seal(frame, way(open.getAddress(), to));
    open.send(new BytesMessage(to, sealed).setFlag(Message.Flag.NO_FC));
  }

  static String way(Address from, Address to) {
    return text(from) + '\n' + text(to);
  }

  /** An address names its node; what is drawn anew at each start is behind the name. */
  private static String text(Address address) {
    return address instanceof org.jgroups.util.UUID id ? id.toStringLong() : address.toString();
  }

  private void readKeys() {
    keysReadAt = System.nanoTime();
    if (seal.use(database.read("read keys of links", LinkKeyTable::all))) {
      // What was sent meanwhile may not have been readable, and still counts as on its way.
      peers.values().forEach(this::hello);
    }
  }

  /**
   * @param after how long ago the last time is to be
   */
  private void readKeysAgain(long after) {
    if (System.nanoTime() - keysReadAt > after) {
      try {
        keyReader.execute(
            () -> {
              try {
                readKeys();
              } catch (RuntimeException failure) {
                LOG.log(
                    Level.WARNING, () -> "keys of links not read cause=" + failure.getMessage());
              }
            });
      } catch (RejectedExecutionException reading) {
        LOG.log(Level.DEBUG, "the keys of links are being read");
      }
    }
  }

  private @Nullable Address self() {
    var open = channel;
    return open == null ? null : open.getAddress();
  }

  private void onFrame(Message message) {
    var peer = peers.get(message.getSrc());
    if (peer == null) {
      return; // of a view that is gone; it will say hello again
    }
    var sealed =
        Arrays.copyOfRange(
            message.getArray(), message.getOffset(), message.getOffset() + message.getLength());
    var self = self();
    if (self == null) {
      return; // this node leaves
    }
    var frame = seal.open(sealed, way(message.getSrc(), self));
    if (frame.isEmpty()) {
      refuse(peer, sealed);
      return;
    }
    peer.heard(frame.get().length);
    var text = new String(frame.get(), StandardCharsets.UTF_8);
    var start = 0;
    while (start < text.length()) {
      var end = text.indexOf('\n', start);
      end = end < 0 ? text.length() : end;
      try {
        onLine(peer, text.substring(start, end));
      } catch (RuntimeException failure) {
        LOG.log(Level.ERROR, "link message failed peer=" + peer.name(), failure);
      }
      start = end + 1;
    }
  }

  private void refuse(Peer peer, byte[] sealed) {
    refused.increment();
    if (seal.isOfUnknownKey(sealed)) {
      readKeysAgain(UNKNOWN_KEY_NANOS);
    }
    if (peer.isFirstRefusal()) {
      LOG.log(
          Level.WARNING,
          () ->
              "link message refused, no node of this cluster sealed it address="
                  + peer.address()
                  + "; a node of an older release, or a stranger");
    }
  }

  private void onLine(Peer peer, String line) {
    var rest = line.substring(1);
    switch (line.charAt(0)) {
      case 'H' -> {
        peer.offer("h" + config.node().name(), Lane.ANSWER);
        peer.named(rest);
        changed();
      }
      case 'h' -> {
        peer.named(rest);
        changed();
      }
      case 'P' -> peer.acknowledged(Long.parseLong(rest));
      case '>' -> {
        var space = rest.indexOf(' ');
        var listener = listeners.get(rest.substring(0, space));
        if (listener != null) {
          listener.accept(peer.name(), rest.substring(space + 1));
        }
      }
      case '?' -> onQuestion(peer, rest);
      case '!' -> {
        var space = rest.indexOf(' ');
        var question = questions.remove(Long.parseLong(rest.substring(0, space)));
        if (question != null) {
          question.answer().complete(rest.substring(space + 1));
        }
      }
      default -> LOG.log(Level.WARNING, () -> "unknown link message peer=" + peer.name());
    }
  }

  private void onQuestion(Peer peer, String rest) {
    var afterId = rest.indexOf(' ');
    var afterKind = rest.indexOf(' ', afterId + 1);
    var id = rest.substring(0, afterId);
    var answerer = answerers.get(rest.substring(afterId + 1, afterKind));
    if (answerer == null) {
      return; // a newer release asks; it goes elsewhere at its deadline
    }
    answerer
        .apply(peer.name(), rest.substring(afterKind + 1))
        .whenComplete(
            (answer, failure) -> {
              if (failure == null) {
                peer.offer("!" + id + ' ' + answer, Lane.ANSWER);
              } else {
                LOG.log(Level.ERROR, "link question failed peer=" + peer.name(), failure);
              }
            });
  }

  /** Says that we are alive, notices who is not, and ends questions that waited too long. */
  private void tick() {
    try {
      readKeysAgain(KEYS_NANOS);
      var quiet = List.copyOf(peers.values());
      for (var peer : quiet) {
        if (peer.isHelloDue()) {
          hello(peer);
        }
        if (!peer.name().isEmpty()) {
          peer.ping();
        }
        if (peer.fellSilent()) {
          silent.log(peer.name(), () -> "link silent peer=" + peer.name());
          changed();
        }
      }
      var now = System.nanoTime();
      for (var entry : questions.entrySet()) {
        var question = entry.getValue();
        if (!question.peer().isAlive() || now - question.deadline() > 0) {
          fail(entry.getKey());
        }
      }
    } catch (RuntimeException failure) {
      LOG.log(Level.ERROR, "link tick failed", failure);
    }
  }

  private void lose(Peer peer) {
    peer.close();
    for (var entry : questions.entrySet()) {
      if (entry.getValue().peer() == peer) {
        fail(entry.getKey());
      }
    }
    changed();
  }

  private void fail(Long id) {
    var question = questions.remove(id);
    if (question != null) {
      question.answer().completeExceptionally(new PeerLostException(question.peer().name()));
    }
  }

  private void changed() {
    watchers.forEach(Runnable::run);
  }

  @PreDestroy
  public void stop() {
    var open = channel;
    channel = null;
    if (open != null) {
      open.close();
    }
    peers.values().forEach(Peer::close);
  }
}
