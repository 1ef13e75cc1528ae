package io.evento.bundle.session;

import io.evento.protocol.Codec;
import io.evento.protocol.DecideMessage.Decided;
import io.evento.protocol.DecideMessage.Failure;
import io.evento.protocol.DeclareMessage.Declare;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.FrameWriter;
import io.evento.protocol.Message;
import io.evento.protocol.Printable;
import io.evento.protocol.ReplyMessage.Fault;
import io.evento.protocol.ReplyMessage.Result;
import io.evento.protocol.SessionMessage.Drain;
import io.evento.protocol.SessionMessage.Members;
import io.evento.protocol.SessionMessage.Ping;
import io.evento.protocol.SessionMessage.Welcome;
import io.evento.protocol.StepMessage.Stepped;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * One connection to a node: greets, declares, then carries messages until either side goes.
 * Thread-safe.
 */
public final class Session {
  private static final Logger LOG = System.getLogger(Session.class.getName());
  private static final long SILENCE_MAX_NANOS = TimeUnit.SECONDS.toNanos(3);
  private static final long PING_AFTER_NANOS = TimeUnit.MILLISECONDS.toNanos(700);
  private static final int FRAME_BYTES_MAX = 4 << 20;

  /** So many characters may wait to be written. */
  private static final long WAITING_CHARS_MAX = 64L << 20;

  private enum Phase {
    CONNECTING,
    GREETING,
    DECLARING,
    USABLE,
    DRAINING,
    CLOSED
  }

  private final URI address;
  private final Handshake handshake;
  private final Links links;
  private final Inbound inbound;
  private final UUID declaration = UUID.randomUUID();
  private final FrameWriter writer;
  private final AtomicInteger awaited = new AtomicInteger();
  private final long bornNanos = System.nanoTime();
  private volatile Phase phase = Phase.CONNECTING;
  private volatile long heardNanos = bornNanos;
  private volatile long workedNanos = bornNanos;
  private volatile long drainingNanos;
  private volatile int payloadMax = 1 << 20;
  private volatile String node = "";
  private volatile boolean wasUsable;
  private volatile boolean isRefused;
  private volatile @Nullable Carrier carrier;

  Session(URI address, Handshake handshake, Links links, Inbound inbound) {
    this.address = address;
    this.handshake = handshake;
    this.links = links;
    this.inbound = inbound;
    this.writer =
        new FrameWriter(
            new CarrierPort(
                () -> carrier, failure -> abort("not sent: " + Unreachable.rootOf(failure))),
            WAITING_CHARS_MAX);
  }

  void open(Carrier.Dialler dialler) {
    Optional<String> token;
    try {
      token = handshake.access().read();
    } catch (UncheckedIOException | IllegalStateException unusable) {
      refused(String.valueOf(unusable.getMessage()));
      return;
    }
    dialler.dial(token, new Heard());
  }

  /** We are not let in, or no more: nothing but an operator changes that. */
  private void refused(String why) {
    isRefused = true;
    closed(why);
  }

  /** Whether it ended as we are not let in. */
  boolean isRefused() {
    return isRefused;
  }

  URI address() {
    return address;
  }

  /** Whether its node is in this JVM. */
  boolean isInVm() {
    return Address.isInVm(address);
  }

  /** Id of the node, empty before it is known. */
  public String node() {
    return node;
  }

  /** Largest payload that the node takes, in bytes. */
  public int payloadMax() {
    return payloadMax;
  }

  /** Whether new requests may be sent here. */
  public boolean isUsable() {
    return phase == Phase.USABLE;
  }

  public boolean isClosed() {
    return phase == Phase.CLOSED;
  }

  /** Whether it ever took requests. */
  boolean wasUsable() {
    return wasUsable;
  }

  /**
   * Sends a request that will be answered; see {@link #answered()}.
   *
   * @return false if the session takes nothing now; nothing is sent then
   */
  public boolean request(Message request) {
    if (!isUsable()) {
      return false;
    }
    var line = Codec.write(request);
    awaited.incrementAndGet();
    workedNanos = System.nanoTime();
    if (writer.request(line)) {
      return true;
    }
    awaited.decrementAndGet();
    return false;
  }

  /**
   * Sends what is answered again and again, or never.
   *
   * @return false if the session takes nothing now; nothing is sent then
   */
  public boolean tell(Message message) {
    workedNanos = System.nanoTime();
    return isUsable() && writer.request(Codec.write(message));
  }

  /** A request that was sent here was answered, or is waited for no more. */
  public void answered() {
    awaited.decrementAndGet();
  }

  /**
   * Sends an answer, an acknowledgement or a credit; gives the session up if that is impossible.
   */
  public void answer(Message answer) {
    var line = Codec.write(answer);
    if (line.length() > FRAME_BYTES_MAX / 3 && Utf8.length(line) > FRAME_BYTES_MAX) {
      line = Codec.write(tooLarge(answer));
    }
    workedNanos = System.nanoTime();
    if (!writer.write(line, Lane.ANSWER) && phase != Phase.CLOSED) {
      abort("answers are not taken");
    }
  }

  private static Message tooLarge(Message answer) {
    var code = ErrorCode.PAYLOAD_TOO_LARGE;
    var text = "the answer is above " + FRAME_BYTES_MAX + " bytes";
    if (answer instanceof Decided decided) {
      var failure = new Failure(code, text, List.of());
      return new Decided(
          decided.id(), decided.attempt(), null, List.of(), null, null, false, failure, null, 0);
    }
    if (answer instanceof Stepped stepped) {
      // The server then asks for one at a time, and says which one it is that fails.
      return new Stepped(
          stepped.consumer(),
          stepped.segment(),
          stepped.fence(),
          stepped.batch(),
          List.of(),
          new Failure(ErrorCode.HANDLER_FAILED, text, List.of()));
    }
    var id = answer instanceof Result result ? result.id() : null;
    return new Fault(id, code, text, List.of(), null, null, 0);
  }

  /**
   * Looks after the session; called a few times a second.
   *
   * @param patienceNanos how much longer than usual the node may be silent
   */
  void tick(long now, long patienceNanos) {
    var silenceMax = SILENCE_MAX_NANOS + patienceNanos;
    if (phase == Phase.CONNECTING && isInVm() && now - bornNanos > silenceMax) {
      abort("no answer in time"); // a socket has a time limit of its own
    }
    if (phase == Phase.CONNECTING || phase == Phase.CLOSED) {
      return;
    }
    if (now - heardNanos > silenceMax || writer.isStuckSince(now - silenceMax)) {
      abort(String.format(Locale.ROOT, "silent for %.1f s", silenceMax / 1e9));
    } else if (now - writer.lastFrameNanos() > PING_AFTER_NANOS && writer.isIdle()) {
      writer.request(Codec.write(new Ping()));
    }
    if (phase == Phase.DRAINING) {
      leaveWhenDone(now);
    }
  }

  /** A draining node goes when nothing was said for a second, or in any case after a while. */
  private void leaveWhenDone(long now) {
    var quiet = awaited.get() <= 0 && now - workedNanos > TimeUnit.SECONDS.toNanos(1);
    if (quiet || now - drainingNanos > TimeUnit.SECONDS.toNanos(20)) {
      close();
    }
  }

  /** Leaves when what is under way is done: another session to its node takes its place. */
  void giveWay() {
    drain();
    drainingNanos = System.nanoTime();
    if (!advance(Phase.USABLE, Phase.DRAINING)) {
      close();
    }
  }

  /** Says that this instance leaves. */
  void drain() {
    writer.write(Codec.write(new Drain()), Lane.ANSWER);
  }

  /** Closes politely, and in any case within a second. */
  void close() {
    var open = carrier;
    if (open != null) {
      open.close();
    }
    closed("closed");
  }

  private void abort(String reason) {
    var open = carrier;
    if (open != null) {
      open.abort();
    }
    closed(reason);
  }

  private void closed(String reason) {
    synchronized (this) {
      if (phase == Phase.CLOSED) {
        return;
      }
      phase = Phase.CLOSED;
    }
    writer.close();
    links.closed(this, reason);
    inbound.lost(this);
  }

  private synchronized boolean advance(Phase from, Phase to) {
    if (phase != from) {
      return false;
    }
    phase = to;
    return true;
  }

  private void hear(String line) {
    Message message;
    try {
      message = Codec.read(line);
    } catch (EventoException unreadable) {
      LOG.log(
          Level.WARNING,
          () -> "message not read node=" + node + " " + Printable.log(unreadable.detail()));
      // An error about an error would go on for ever.
      if (!"error".equals(Codec.field(line, "t"))) {
        answer(Fault.of(null, unreadable));
      }
      return;
    }
    if (message instanceof Ping) {
      return;
    }
    workedNanos = heardNanos;
    if (message instanceof Welcome welcome) {
      welcomed(welcome);
    } else if (message instanceof Members members) {
      links.members(members.members());
    } else if (message instanceof Drain) {
      draining();
    } else if (phase == Phase.GREETING || phase == Phase.DECLARING) {
      declared(message);
    } else {
      inbound.received(this, message);
    }
  }

  private void welcomed(Welcome welcome) {
    node = welcome.node();
    payloadMax = welcome.payloadMax() > 0 ? welcome.payloadMax() : payloadMax;
    links.members(welcome.members());
    if (!links.welcomed(this)) {
      close();
    } else if (advance(Phase.GREETING, Phase.DECLARING)) {
      writer.request(Codec.write(new Declare(declaration, handshake.components())));
    }
  }

  private void declared(Message message) {
    if (message instanceof Fault refused) {
      links.refused(this, refused.toException(null));
      close();
    } else if (message instanceof Result result && result.id().equals(declaration)) {
      wasUsable = true;
      if (advance(Phase.DECLARING, Phase.USABLE)) {
        links.usable(this);
        inbound.usable(this);
      }
    } else {
      // The node may route to us from the moment it has registered us.
      inbound.received(this, message);
    }
  }

  private void draining() {
    drainingNanos = System.nanoTime();
    if (advance(Phase.USABLE, Phase.DRAINING)) {
      links.draining(this);
    } else if (phase != Phase.DRAINING) {
      close();
    }
  }

  private final class Heard implements Carrier.Listener {
    @Override
    public void opened(Carrier opened) {
      carrier = opened;
      heardNanos = System.nanoTime();
      // First of all: a ping of the timer must not come before it.
      writer.request(Codec.write(handshake.hello()));
      if (!advance(Phase.CONNECTING, Phase.GREETING)) {
        opened.abort();
      }
    }

    @Override
    public void heard() {
      heardNanos = System.nanoTime();
    }

    @Override
    public void frame(String text) {
      for (var start = 0; start < text.length(); ) {
        var end = text.indexOf('\n', start);
        end = end < 0 ? text.length() : end;
        if (end > start) {
          hearSafely(text.substring(start, end));
        }
        start = end + 1;
      }
    }

    private void hearSafely(String line) {
      try {
        hear(line);
      } catch (RuntimeException bug) {
        LOG.log(Level.ERROR, () -> "message not handled node=" + node, bug);
      }
    }

    @Override
    public void refused(String why) {
      Session.this.refused(why);
    }

    @Override
    public void ended(String why) {
      closed(why);
    }
  }
}
