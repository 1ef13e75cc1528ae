package io.evento.server.gateway.websocket;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.vm.VmDoors;
import io.evento.protocol.vm.VmEnd;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.cluster.Links;
import io.evento.server.config.ServerConfig;
import io.evento.server.routing.Failures;
import io.evento.server.security.AuditLog;
import io.evento.server.security.Caller;
import io.evento.server.security.Grants;
import io.evento.server.security.OpenMode;
import jakarta.annotation.PreDestroy;
import jakarta.inject.Inject;
import jakarta.websocket.CloseReason.CloseCode;
import jakarta.websocket.CloseReason.CloseCodes;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import java.util.function.Function;
import javax.management.JMException;
import org.jspecify.annotations.Nullable;

/**
 * Door for bundles of this JVM, such as of a WAR beside ours: the session is the same, without a
 * socket. Who comes proves who he is as in a handshake. What bundles call of the node leaves a task
 * and returns, so that no thread of theirs does its work, nor the other way round.
 */
@NodeScoped
public class VmDoor {
  private static final Logger LOG = System.getLogger(VmDoor.class.getName());

  /** As of everybody on this machine, for limits and the audit. */
  private static final String ADDRESS = "127.0.0.1";

  private static final int READERS = Math.min(4, Runtime.getRuntime().availableProcessors());

  /** A link waits for a reader once at most; more of them than sessions may be are refused. */
  private static final int WAITING_MAX = 20_000;

  private final BundleLinks bundleLinks;
  private final OpenMode mode;
  private final Grants grants;
  private final AuditLog audit;
  private final String node;
  private final UUID process;
  private final Threads threads;
  private final Set<VmEnd> open = ConcurrentHashMap.newKeySet();
  private final AtomicLong lastName = new AtomicLong();
  private @Nullable ExecutorService readers; // of the timer's thread
  private @Nullable Runnable hide; // guarded by this
  private boolean isStopped; // guarded by this
  private volatile boolean isShown;

  @Inject
  public VmDoor(
      BundleLinks bundleLinks,
      OpenMode mode,
      Grants grants,
      AuditLog audit,
      ServerConfig config,
      Links links,
      Threads threads) {
    this.bundleLinks = bundleLinks;
    this.mode = mode;
    this.grants = grants;
    this.audit = audit;
    this.node = config.node().name();
    this.process = links.incarnation();
    this.threads = threads;
  }

  /** Shows the door. Bundles that do not see it come by a socket. */
  public synchronized void start() {
    if (isStopped) {
      return; // the node was undeployed before it was up
    }
    try {
      hide = VmDoors.show(new VmDoors.Door(node, process, this::come));
      isShown = true;
    } catch (JMException failure) {
      LOG.log(Level.WARNING, "bundles of this JVM come by sockets", failure);
    }
  }

  /** Shows it no more and ends what came by it, so that no bundle holds this node's classes. */
  @PreDestroy
  public synchronized void stop() {
    isStopped = true;
    isShown = false;
    var shown = hide;
    hide = null;
    if (shown != null) {
      shown.run();
    }
    open.forEach(end -> end.close(VmEnd.GOING_AWAY, "the node ends"));
  }

  /** On a thread of the bundle. */
  private void come(Map<String, Object> asked) {
    @SuppressWarnings("unchecked") // as the key is described
    var ended = (BiConsumer<Integer, String>) Objects.requireNonNull(asked.get(VmDoors.END));
    threads.timer().execute(() -> letIn(asked, ended));
  }

  @SuppressWarnings("unchecked") // as the keys are described
  private void letIn(Map<String, Object> asked, BiConsumer<Integer, String> ended) {
    try {
      var caller = caller((String) asked.get(VmDoors.TOKEN));
      if (!isShown) {
        throw new EventoException(ErrorCode.UNAVAILABLE, "the node ends");
      }
      open(
          caller,
          (Function<String, CompletionStage<?>>) Objects.requireNonNull(asked.get(VmDoors.FRAMES)),
          ended,
          (BiConsumer<Function<String, CompletionStage<?>>, BiConsumer<Integer, String>>)
              Objects.requireNonNull(asked.get(VmDoors.OPENED)));
    } catch (RuntimeException failure) {
      var told = Failures.told(failure, UUID.randomUUID().toString());
      ended.accept(told.code().status(), told.code().wire() + ": " + told.detail());
    }
  }

  private Caller caller(@Nullable String token) {
    if (mode.isOpen()) {
      mode.refusal()
          .ifPresent(
              why -> {
                throw new EventoException(ErrorCode.UNAVAILABLE, why);
              });
      return Caller.developer(ADDRESS);
    }
    try {
      if (token == null) {
        throw new EventoException(ErrorCode.UNAUTHENTICATED, "a token is needed");
      }
      return grants.authenticate(token, ADDRESS);
    } catch (EventoException refused) {
      if (refused.code() != ErrorCode.UNAVAILABLE) {
        audit.refused("nobody", ADDRESS, "a bundle of this JVM", refused.code());
      }
      throw refused;
    }
  }

  private void open(
      Caller caller,
      Function<String, CompletionStage<?>> frames,
      BiConsumer<Integer, String> ended,
      BiConsumer<Function<String, CompletionStage<?>>, BiConsumer<Integer, String>> opened) {
    if (readers == null) {
      readers = threads.standing("vm", READERS, WAITING_MAX);
    }
    var session = new VmSession();
    var end = new VmEnd(readers, session);
    session.end = end;
    open.add(end);
    end.join(frames, ended, () -> session.begin(caller, opened));
    if (!isShown) {
      session.close(CloseCodes.GOING_AWAY, "the node ends");
    }
  }

  /** One bundle's session. */
  private final class VmSession implements VmEnd.Reader {
    private @Nullable VmEnd end;
    private @Nullable BundleLink link; // of the threads that read

    void begin(
        Caller caller,
        BiConsumer<Function<String, CompletionStage<?>>, BiConsumer<Integer, String>> opened) {
      var mine = Objects.requireNonNull(end);
      link = bundleLinks.open(caller, "vm-" + lastName.incrementAndGet(), mine::send, this::close);
      opened.accept(mine::take, mine::ended);
    }

    void close(CloseCode code, String reason) {
      Objects.requireNonNull(end).close(code.getCode(), reason);
    }

    @Override
    public void frame(String frame) {
      var mine = Objects.requireNonNull(link);
      if (!mine.receive(frame, true)) {
        bundleLinks.refuse(mine, CloseCodes.TOO_BIG, "a message is too long");
      }
    }

    @Override
    public void closed(int code, String reason) {
      open.remove(Objects.requireNonNull(end));
      if (link != null) {
        bundleLinks.closed(link, code + " " + reason);
      }
    }
  }
}
